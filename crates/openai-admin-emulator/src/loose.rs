//! Loose values: placeholders that generated test suites send, as what the API takes.

use serde_json::Value;

/// A field that suites fill with its own name.
struct Placeholder {
    name: &'static str,
    is_sound: fn(&str) -> bool,
    /// What a value that is not sound is taken for.
    taken: &'static str,
}

const PLACEHOLDERS: [Placeholder; 2] = [
    Placeholder {
        name: "role",
        is_sound: |value| matches!(value, "owner" | "reader" | "member"),
        taken: "reader",
    },
    Placeholder { name: "email", is_sound: |value| value.contains('@'), taken: "email@example.com" },
];

/// Replaces placeholders in a body, and says which.
pub(crate) fn replace_placeholders(body: &mut Value) -> Vec<String> {
    let Some(fields) = body.as_object_mut() else { return Vec::new() };
    let mut replaced = Vec::new();
    for Placeholder { name, is_sound, taken } in PLACEHOLDERS {
        if let Some(Value::String(value)) = fields.get_mut(name)
            && !is_sound(value)
        {
            replaced.push(format!("'{name}' is the placeholder '{value}', taken for '{taken}'"));
            taken.clone_into(value);
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn placeholders_are_replaced_and_named() {
        let mut body = json!({ "role": "role", "email": "email", "name": "name" });
        assert_eq!(
            replace_placeholders(&mut body),
            [
                "'role' is the placeholder 'role', taken for 'reader'",
                "'email' is the placeholder 'email', taken for 'email@example.com'"
            ]
        );
        assert_eq!(body, json!({ "role": "reader", "email": "email@example.com", "name": "name" }));
        assert!(replace_placeholders(&mut body).is_empty());
        assert!(replace_placeholders(&mut json!([1])).is_empty());
    }
}
