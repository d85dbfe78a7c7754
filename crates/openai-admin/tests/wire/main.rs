//! Encoding and decoding of every operation round trips, and every declaration follows the rules.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod answers;
mod decoding;
mod round_trips;

use openai_admin::{Endpoint, Method, for_each_declared_operation, for_each_operation, operations::*, wire};

fn check_declaration<E: Endpoint>() {
    let fields = wire::fields::<E>();
    let in_path: Vec<&str> = wire::placeholders(E::PATH).collect();
    let first: Vec<&str> = fields.iter().copied().take(in_path.len()).collect();
    assert_eq!(first, in_path, "{}: the fields of the path come first, in its order", E::ID);
    let has_body = fields.contains(&"body");
    assert!(!has_body || E::METHOD == Method::Post, "{}: only a POST has a body", E::ID);
    assert!(E::PATH.starts_with('/') && !E::PATH.ends_with('/'), "{}", E::ID);
}

macro_rules! check_declarations {
    ($($operation:ident)*) => { $(check_declaration::<$operation>();)* };
}

#[test]
fn every_declaration_obeys_the_rules_of_endpoint() {
    for_each_operation!(check_declarations);
    for_each_declared_operation!(check_declarations);
}

macro_rules! ids_of {
    ($($operation:ident)*) => { [$($operation::ID),*] };
}

#[test]
fn no_two_operations_share_an_id() {
    let mut ids = for_each_operation!(ids_of).to_vec();
    ids.extend::<Vec<&str>>(for_each_declared_operation!(ids_of).to_vec());
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}
