//! What the decoder of requests refuses, and how it names it.

use openai_admin::{
    AuditLogEventType, Endpoint, Timestamp, ViolationCode,
    models::AcceptInviteBody,
    operations::*,
    wire::{self, FieldPosition, Incoming, Strictness},
};
use proptest::prelude::*;

proptest! {
    #[test]
    fn no_query_or_body_makes_the_decoder_panic(query in any::<String>(), body in any::<Vec<u8>>()) {
        let path = [("group_id", "g"), ("user_id", "u")];
        let incoming = Incoming { path: &path, query: &query, body: &body };
        for strictness in [Strictness::Lenient, Strictness::Strict] {
            let _ = wire::decode::<ListGroupUsers>(&incoming, strictness);
            let _ = wire::decode::<ModifyUser>(&incoming, strictness);
            let _ = wire::decode::<ListAuditLogs>(&incoming, strictness);
        }
    }
}

#[test]
fn a_field_of_the_wrong_type_is_named() {
    let incoming = Incoming { path: &[], query: "", body: br#"{"name":["x"]}"# };
    let error = wire::decode::<CreateGroup>(&incoming, Strictness::Lenient).unwrap_err();
    assert_eq!((error.code(), error.param()), (Some(ViolationCode::InvalidType), Some("name")));
}

#[test]
fn a_repeated_field_is_refused() {
    for strictness in [Strictness::Lenient, Strictness::Strict] {
        let incoming = Incoming { path: &[], query: "", body: br#"{"name":"x","name":"y"}"# };
        let error = wire::decode::<CreateGroup>(&incoming, strictness).unwrap_err();
        assert_eq!((error.code(), error.param()), (Some(ViolationCode::DuplicateParameter), Some("name")));
    }
    let path = [("user_id", "u")];
    let body = br#"{"role":17,"x":[{"a":1},{"a":1,"a":2}]}"#;
    let incoming = Incoming { path: &path, query: "", body };
    let error = wire::decode::<ModifyUser>(&incoming, Strictness::Lenient).unwrap_err();
    assert_eq!((error.code(), error.param()), (Some(ViolationCode::DuplicateParameter), Some("x[1].a")));
}

#[test]
fn a_byte_order_mark_before_the_body_is_reported() {
    let incoming = Incoming { path: &[], query: "", body: b"\xef\xbb\xbf{\"name\":\"x\"}" };
    let error = wire::decode::<CreateGroup>(&incoming, Strictness::Lenient).unwrap_err();
    assert_eq!(error.code(), None);
    assert!(error.to_string().contains("byte-order mark"), "{error}");
}

#[test]
fn an_array_is_not_an_object_at_any_depth() {
    for (body, param) in [
        (r#"{"batch_id":"1","completions":[],"embeddings":[[60,7,1]]}"#, "embeddings[0]"),
        (r#"{"batch_id":"1","completions":[[]]}"#, "completions[0]"),
    ] {
        for strictness in [Strictness::Lenient, Strictness::Strict] {
            let incoming = Incoming { path: &[], query: "", body: body.as_bytes() };
            let error = wire::decode::<CreateUsageBatch>(&incoming, strictness).unwrap_err();
            assert_eq!(
                (error.code(), error.param()),
                (Some(ViolationCode::InvalidType), Some(param)),
                "{body}"
            );
        }
    }
}

#[test]
fn an_optional_body_may_be_omitted() {
    let path = [("invite_id", "invite-1")];
    let incoming = Incoming { path: &path, query: "", body: b"" };
    for strictness in [Strictness::Lenient, Strictness::Strict] {
        let decoded = wire::decode::<AcceptInvite>(&incoming, strictness).unwrap();
        assert_eq!(decoded, AcceptInvite::new("invite-1".parse().unwrap(), AcceptInviteBody::new()));
        assert!(wire::decode::<InviteUser>(&incoming, strictness).is_err());
    }
}

#[test]
fn null_is_refused_where_a_field_may_only_be_absent() {
    let path = [("project_id", "proj_1"), ("api_key_id", "key_1")];
    let incoming = Incoming { path: &path, query: "", body: br#"{"scopes":null,"expires_in_seconds":1}"# };
    let refused = wire::decode::<UpdateProjectApiKey>(&incoming, Strictness::Lenient).unwrap_err();
    assert_eq!((refused.code(), refused.param()), (Some(ViolationCode::InvalidType), Some("scopes")));
}

#[test]
fn a_path_parameter_in_the_body_is_unknown() {
    let path = [("group_id", "g")];
    let incoming = Incoming { path: &path, query: "", body: br#"{"name":"x","group_id":"other"}"# };
    let error = wire::decode::<UpdateGroup>(&incoming, Strictness::Strict).unwrap_err();
    assert_eq!((error.code(), error.param()), (Some(ViolationCode::UnknownParameter), Some("group_id")));
    let request = wire::decode::<UpdateGroup>(&incoming, Strictness::Lenient).unwrap();
    assert_eq!(request.group_id, "g");
    assert_eq!(wire::field_position(UpdateGroup::PATH, "group_id"), FieldPosition::Path);
}

fn audit_logs(query: &str) -> Result<ListAuditLogs, (Option<ViolationCode>, Option<String>)> {
    let incoming = Incoming { path: &[], query, body: b"" };
    wire::decode(&incoming, Strictness::Lenient)
        .map_err(|error| (error.code(), error.param().map(str::to_owned)))
}

#[test]
fn lists_and_structs_use_brackets() {
    let mut request = ListAuditLogs::new();
    request.effective_at.gte = Some(Timestamp::from_unix_seconds(5));
    request.effective_at.lt = Some(Timestamp::from_unix_seconds(9));
    request.event_types = vec![AuditLogEventType::GroupCreated, AuditLogEventType::UserAdded];
    let mut target = String::new();
    wire::encode(&request, &mut target).unwrap();
    let expected = "/organization/audit_logs?effective_at%5Bgte%5D=5&effective_at%5Blt%5D=9\
                    &event_types%5B%5D=group.created&event_types%5B%5D=user.added";
    assert_eq!(target, expected);
    for query in [
        "effective_at[gte]=5&effective_at[lt]=9&event_types[]=group.created&event_types[]=user.added",
        "effective_at%5Bgte%5D=5&effective_at%5Blt%5D=9&event_types=group.created&event_types=user.added",
        "effective_at[lt]=9&effective_at[eq]=7&event_types[]=group.created&effective_at[gte]=5&event_types=user.added",
    ] {
        assert_eq!(audit_logs(query), Ok(request.clone()), "{query}");
    }
}

#[test]
fn an_invalid_value_in_brackets_is_named() {
    let named = |param: &str| Some(param.to_owned());
    for (query, code, param) in [
        ("effective_at[gte]=x", ViolationCode::InvalidType, "effective_at[gte]"),
        ("effective_at[gte]=1&effective_at[gte]=2", ViolationCode::DuplicateParameter, "effective_at[gte]"),
        ("effective_at=5", ViolationCode::InvalidType, "effective_at"),
        ("event_types[x]=a", ViolationCode::InvalidType, "event_types[]"),
        ("limit[x]=1", ViolationCode::InvalidType, "limit"),
        ("after[]=a&after=b", ViolationCode::DuplicateParameter, "after"),
        ("limit=101", ViolationCode::IntegerAboveMaxValue, "limit"),
    ] {
        assert_eq!(audit_logs(query), Err((Some(code), named(param))), "{query}");
    }
    // A name with the same prefix is another parameter.
    assert_eq!(
        audit_logs("effective_at_all=1&limits=0&effective_at[gte=1&[gte]=2"),
        Ok(ListAuditLogs::new())
    );
}
