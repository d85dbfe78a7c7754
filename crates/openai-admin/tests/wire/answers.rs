//! Answers of older and newer services are accepted.

use openai_admin::{
    GroupType, UserType,
    models::{AuditLog, GroupMemberUser, GroupResponse, GroupUser, UserListResource},
};

#[test]
fn unknown_values_of_an_enum_are_kept_and_written_back() {
    assert!(matches!(GroupType::from("galaxy"), GroupType::Other(value) if &*value == "galaxy"));
    let text = r#"{"id":"g","name":"n","created_at":1,"is_scim_managed":false,"group_type":"galaxy"}"#;
    let group: GroupResponse = serde_json::from_str(text).unwrap();
    assert_eq!(group.group_type, GroupType::from("galaxy"));
    assert_eq!(serde_json::to_string(&group).unwrap(), text);
}

#[test]
fn a_published_example_without_group_type_is_read() {
    let text = r#"{"object":"group","id":"g","name":"n","created_at":1711471533,"is_scim_managed":true}"#;
    let group: GroupResponse = serde_json::from_str(text).unwrap();
    assert_eq!((group.group_type, group.is_scim_managed), (GroupType::Group, true));
}

#[test]
fn an_older_list_item_that_is_a_whole_user_is_read() {
    let text =
        r#"{"object":"organization.user","id":"u","name":null,"email":null,"role":"owner","added_at":1}"#;
    let user: GroupUser = serde_json::from_str(text).unwrap();
    assert_eq!((&*user.name, user.email), ("", None));
}

#[test]
fn a_list_with_another_object_and_missing_nullables_is_read() {
    let page: UserListResource = serde_json::from_str(r#"{"object":7,"data":[]}"#).unwrap();
    assert_eq!((page.has_more, page.next), (false, None));
    let member = r#"{"id":"u","name":"n","user_type":"tenant_user"}"#;
    let member: GroupMemberUser = serde_json::from_str(member).unwrap();
    assert_eq!(member.user_type, UserType::TenantUser);
}

#[test]
fn nulls_of_an_answer_are_written() {
    let member = GroupMemberUser::new("u".parse().unwrap(), "n".into());
    let text =
        r#"{"id":"u","name":"n","email":null,"picture":null,"is_service_account":null,"user_type":"user"}"#;
    assert_eq!(serde_json::to_string(&member).unwrap(), text);
}

#[test]
fn an_unknown_event_is_preserved() {
    let text = r#"{"id":"audit_log-1","type":"invite.sent","effective_at":1,"actor":{"type":"session","session":{"user":{"id":"user-1","email":"ada@example.com"},"ip_address":"127.0.0.1"}},"invite.sent":{"data":{"email":"bob@example.com","role":"owner"},"id":"inv-1"},"x":[1]}"#;
    let log: AuditLog = serde_json::from_str(text).unwrap();
    assert_eq!(log.actor.as_ref().unwrap().id(), Some("user-1"));
    assert_eq!(log.detail.as_ref().unwrap().id.as_deref(), Some("inv-1"));
    let written: serde_json::Value = serde_json::to_value(&log).unwrap();
    assert_eq!(written, serde_json::from_str::<serde_json::Value>(text).unwrap());
    let shown = format!("{log:?}");
    assert!(!shown.contains("example.com") && !shown.contains("127.0.0.1"), "{shown}");

    let odd = r#"{"id":"a","type":"group.exploded","effective_at":1.5,"actor":null,"group.exploded":"boom"}"#;
    let log: AuditLog = serde_json::from_str(odd).unwrap();
    assert_eq!((log.detail.is_none(), &log.other.0["group.exploded"]), (true, &"boom".into()));
}

#[test]
fn debug_of_a_model_shows_no_name_and_no_address() {
    let user = GroupUser::new("u".parse().unwrap(), "Ada".into(), Some("ada@example.com".into()));
    assert_eq!(format!("{user:?}"), r#"GroupUser { id: "u", name: <3 bytes>, email: Some(<15 bytes>) }"#);
}
