//! Loose mode: replaces the placeholders of generated test suites by valid values.

use serde_json::Value;

/// A field that test suites fill with its own name.
struct Placeholder {
    name: &'static str,
    is_valid: fn(&str) -> bool,
    /// The replacement of an invalid value.
    replacement: &'static str,
}

const PLACEHOLDERS: [Placeholder; 2] = [
    Placeholder {
        name: "role",
        is_valid: |value| matches!(value, "owner" | "reader" | "member"),
        replacement: "reader",
    },
    Placeholder { name: "email", is_valid: |value| value.contains('@'), replacement: "email@example.com" },
];

/// Replaces placeholders in a body. Returns a warning for each.
pub(crate) fn replace_placeholders(body: &mut Value) -> Vec<String> {
    let Some(fields) = body.as_object_mut() else { return Vec::new() };
    let mut replaced = Vec::new();
    for Placeholder { name, is_valid, replacement } in PLACEHOLDERS {
        if let Some(Value::String(value)) = fields.get_mut(name)
            && !is_valid(value)
        {
            replaced.push(format!("'{name}' is the placeholder '{value}', replaced by '{replacement}'"));
            replacement.clone_into(value);
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
                "'role' is the placeholder 'role', replaced by 'reader'",
                "'email' is the placeholder 'email', replaced by 'email@example.com'"
            ]
        );
        assert_eq!(body, json!({ "role": "reader", "email": "email@example.com", "name": "name" }));
        assert!(replace_placeholders(&mut body).is_empty());
        assert!(replace_placeholders(&mut json!([1])).is_empty());
    }
}
