use std::marker::PhantomData;

use super::{FieldPosition, field_position_among};
use crate::Endpoint;

/// The maximum number of placeholders in a path. The published paths have at most three.
const PLACEHOLDERS_MAX: usize = 8;

/// The placeholders of an operation's path, computed at compile time: searching for them in every request would cost
/// more than decoding it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placeholders {
    names: [&'static str; PLACEHOLDERS_MAX],
    count: usize,
}

struct PathOf<E>(PhantomData<E>);

impl<E: Endpoint> PathOf<E> {
    const PLACEHOLDERS: Placeholders = Placeholders::find(E::PATH);
}

impl Placeholders {
    /// The placeholders of an operation.
    pub(super) const fn of<E: Endpoint>() -> &'static Self {
        &PathOf::<E>::PLACEHOLDERS
    }

    const fn find(path: &'static str) -> Self {
        let (mut names, mut count, mut rest) = ([""; PLACEHOLDERS_MAX], 0, path);
        while let Some((_, after)) = split(rest, b'{')
            && let Some((name, after)) = split(after, b'}')
        {
            assert!(count < PLACEHOLDERS_MAX, "a path with too many placeholders");
            names[count] = name;
            count += 1;
            rest = after;
        }
        Self { names, count }
    }

    /// The position of a field of the operation.
    pub(super) fn field_position(&self, field: &str) -> FieldPosition {
        field_position_among(|name| self.names[..self.count].contains(&name), field)
    }
}

/// Splits at the first `byte`.
const fn split(text: &'static str, byte: u8) -> Option<(&'static str, &'static str)> {
    let mut at = 0;
    while at < text.len() {
        if text.as_bytes()[at] == byte {
            let (before, rest) = text.split_at(at);
            return Some((before, rest.split_at(1).1));
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{field_position, fields, placeholders};

    #[test]
    fn the_compile_time_placeholders_are_correct() {
        for path in ["", "/x", "/a/{b}", "/a/{b}/c/{d_e}", "{b}{c}", "/a/{b", "/a}b{c}"] {
            let found = Placeholders::find(path);
            assert_eq!(found.names[..found.count], placeholders(path).collect::<Vec<_>>(), "{path}");
        }
    }

    #[test]
    fn every_field_of_every_operation_has_a_position() {
        macro_rules! check {
            ($($operation:ident)*) => {$({
                type Operation = crate::operations::$operation;
                for field in fields::<Operation>() {
                    assert_eq!(Placeholders::of::<Operation>().field_position(field), field_position(Operation::PATH, field));
                }
            })*};
        }
        crate::for_each_operation!(check);
        crate::for_each_declared_operation!(check);
    }
}
