//! Known accidents of group synchronization: no member is removed by mistake, and the message says what to do next.

use openai_admin::{Client, testing::Script};
use openai_admin_sync::{
    Approval,
    current::ReadError,
    desired::{self, Source},
    file::UserRef,
    guard,
    import::{self, ImportMode},
    journal::Outcome,
    plan::{Rule, Skip},
    render::{self, Notes, Summary},
    summary::Verdict,
};
use serde_json::json;

use crate::desk::{Desk, changes, desired, members};

fn table(plan: &openai_admin_sync::Plan) -> String {
    render::table(plan, &Approval::None, &Notes::default())
}

#[tokio::test]
async fn an_empty_source_is_refused() {
    for text in [
        "groups: []",
        "groups: [{ name: Support, members: [] }]",
        "sets: { s: [] }\ngroups: [{ name: Support, include: [s] }]",
    ] {
        desired(text, &[]).expect_err(text);
    }
    let from_table = "groups: [{ name: Support, members_from: { csv: people.csv } }]";
    for empty in ["", "email\n", "\n\n"] {
        desired(from_table, &[("people.csv", empty)]).expect_err("an empty table");
    }
}

#[tokio::test]
async fn a_partial_source_is_refused_with_its_number() {
    let rows: String = (0..40).map(|n| format!("u{n}@example.com\n")).collect();
    let text = "groups: [{ name: Support, members_from: { csv: people.csv } }]";
    let desired_state = desired(text, &[("people.csv", &format!("email\n{rows}"))]).expect("forty");
    let before = [Source::named("people.csv", 100)];
    let errors = desired::check_sources(&desired_state.sources, &before, &[].into()).expect_err("it shrank");
    assert_eq!(errors.0[0].hint.as_deref(), Some("if this is correct, pass --accept-source 'people.csv=40'"));
}

#[tokio::test]
async fn a_truncated_page_stops_the_plan() {
    // The first page of members has more pages and no cursor.
    let groups = r#"{"object":"list","data":[{"id":"g","name":"Support","created_at":0,"is_scim_managed":false,"group_type":"group"}],"has_more":false,"next":null}"#;
    let page = r#"{"object":"list","data":[{"id":"user_a","name":"A","email":"a@example.com"}],"has_more":true,"next":null}"#;
    let script = Script::new().then_ok(groups).then_ok(page);
    let client =
        Client::builder().base_url("http://localhost/v1").service(script.clone()).build().expect("a client");
    let error = Desk::of(client).plan(&format!("groups: [{{ name: Support, {} }}]", members("a"))).await;
    let error = error.expect_err("no plan");
    assert!(
        matches!(&error, ReadError::Integrity(message) if message.contains("no cursor for them")),
        "{error}"
    );
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn a_duplicate_user_in_a_list_stops_the_plan() {
    let groups = r#"{"object":"list","data":[{"id":"g","name":"Support","created_at":0}],"has_more":false,"next":null}"#;
    let groups =
        groups.replace(r#""created_at":0"#, r#""created_at":0,"is_scim_managed":false,"group_type":"group""#);
    let row = r#"{"id":"user_a","name":"A","email":"a@example.com"}"#;
    let first = format!(r#"{{"object":"list","data":[{row}],"has_more":true,"next":"user_a"}}"#);
    let second = format!(r#"{{"object":"list","data":[{row}],"has_more":false,"next":null}}"#);
    let script = Script::new().then_ok(groups).then_ok(first).then_ok(second);
    let client = Client::builder().base_url("http://localhost/v1").service(script).build().expect("a client");
    let error = Desk::of(client).plan(&format!("groups: [{{ name: Support, {} }}]", members("a"))).await;
    assert!(matches!(error, Err(ReadError::Integrity(message)) if message.contains("twice")));
}

#[tokio::test(start_paused = true)]
async fn a_failing_page_makes_only_its_group_unreadable() {
    let group = |id: &str| {
        format!(
            r#"{{"id":"{id}","name":"{id}","created_at":0,"is_scim_managed":false,"group_type":"group"}}"#
        )
    };
    let groups = format!(
        r#"{{"object":"list","data":[{},{}],"has_more":false,"next":null}}"#,
        group("one"),
        group("two")
    );
    let row = |letter: char| format!(r#"{{"id":"user_{letter}","name":"","email":"{letter}@example.com"}}"#);
    let page = |letters: &str| {
        let rows: Vec<String> = letters.chars().map(row).collect();
        format!(r#"{{"object":"list","data":[{}],"has_more":false,"next":null}}"#, rows.join(","))
    };
    // The list of `one` fails permanently; `two` is read. Both should contain x, and neither should contain y.
    let script =
        Script::new().then_ok(groups).status(500).then_ok(page("xy")).status(500).times(3).then_ok(page("x"));
    let client = Client::builder().base_url("http://localhost/v1").service(script).build().expect("a client");
    let desk = Desk::of(client);
    let text = "groups: [{ name: one, members: [x@example.com] }, { name: two, members: [x@example.com] }]";
    let plan = desk.plan(text).await.expect("a plan");
    let unreadable: Vec<&str> =
        plan.groups.iter().filter(|group| group.is_unreadable()).map(|group| group.name.as_str()).collect();
    assert_eq!(unreadable, ["one"]);
    assert_eq!(changes(&plan), ["-y two"]);
    assert_eq!(Summary::of(&plan, &Approval::None).unreadable, 1);
    assert!(table(&plan).contains("  its members could not be read"), "{}", table(&plan));
}

#[tokio::test]
async fn an_omitted_field_is_not_managed() {
    let desk = Desk::with_groups(&[("Support", "abc")]).await;
    let plan = desk.plan("groups: [{ name: Support }]").await.expect("a plan");
    assert_eq!(changes(&plan), [""; 0]);
    assert_eq!(desk.members("group_support").await, "abc");
}

#[tokio::test]
async fn a_renamed_group_is_neither_emptied_nor_created_twice() {
    let mut desk = Desk::with_groups(&[("Research", "abc")]).await;
    let pinned = format!("groups: [{{ name: ML, id: group_research, {} }}]", members("abc"));
    assert_eq!(changes(&desk.plan(&pinned).await.expect("pinned")), ["rename_group ML"]);
    let previously = format!("groups: [{{ name: ML, previously: [Research], {} }}]", members("abc"));
    assert_eq!(changes(&desk.plan(&previously).await.expect("said")), ["rename_group ML"]);
    // Without either, the last run knows that the group of this name was renamed.
    desk.known.insert("ML".to_owned(), "group_research".parse().expect("an id"));
    let plan = desk.plan(&format!("groups: [{{ name: ML, {} }}]", members("abc"))).await.expect("a plan");
    assert_eq!(changes(&plan), [""; 0]);
    assert_eq!(plan.groups[0].blocks[0].rule, Rule::Group);
    assert!(
        table(&plan)
            .contains("the group is now called 'Research': use that name, or add `id: group_research`")
    );
}

#[tokio::test]
async fn an_unmatched_address_stops_removals_only_in_its_group() {
    let desk = Desk::with_groups(&[("One", "ab"), ("Two", "ab")]).await;
    let text = "groups: [{ name: One, members: [a@example.com, new-address-of-b@example.com] }, { name: Two, members: [a@example.com] }]";
    let plan = desk.plan(text).await.expect("a plan");
    assert_eq!(changes(&plan), ["-b Two"]);
    assert_eq!((plan.groups[0].frozen_removals, plan.groups[0].unresolved.len()), (1, 1));
    let text = table(&plan);
    assert!(
        text.contains("? new-address-of-b@example.com  no user in the organization has this address"),
        "{text}"
    );
    assert!(
        text.contains("Kept 1 member who is not in the file, because an unmatched address may be theirs."),
        "{text}"
    );
}

#[tokio::test]
async fn a_group_managed_by_an_identity_provider_is_skipped_and_reported() {
    let directory = json!({
        "users": [{ "id": "user_a", "email": "a@example.com" }],
        "groups": [{ "id": "g", "name": "Staff", "is_scim_managed": true, "members": ["user_a"] }],
    });
    let desk = Desk::with_directory(directory).await;
    let plan = desk.plan("groups: [{ name: Staff, members: [z@example.com] }]").await.expect("a plan");
    assert_eq!((changes(&plan), plan.groups[0].skipped), (Vec::new(), Some(Skip::ScimManaged)));
    assert_eq!((plan.groups[0].blocks[0].rule, plan.groups[0].member_count), (Rule::Managed, 1));
    assert_eq!(Summary::of(&plan, &Approval::None).verdict(), Verdict::Blocked);
    let text = "ignore: { scim_managed: true }\ngroups: [{ name: Staff, members: [z@example.com] }]";
    let plan = desk.plan(text).await.expect("a plan");
    assert!(table(&plan).contains("Staff skipped: managed by an identity provider; its members differ"));
    assert!(!table(&plan).contains("up to date"));
    // A managed group that matches the input is not blocked.
    let plan = desk.plan("groups: [{ name: Staff, members: [a@example.com] }]").await.expect("a plan");
    assert_eq!(Summary::of(&plan, &Approval::None).verdict(), Verdict::Clean);
}

#[tokio::test]
async fn an_invalid_row_is_reported_and_an_unknown_user_does_not_stop_the_rest() {
    let mapping = openai_admin_sync::csv::Mapping {
        email: Some("email".to_owned()),
        group: openai_admin_sync::csv::GroupSource::Column("group".to_owned()),
        ..Default::default()
    };
    let bad = b"email,group\na@example.com,Support\nrubbish,Support\n";
    let errors = import::desired(bad, "people.csv", &mapping, ImportMode::Add).expect_err("a bad row");
    assert_eq!(errors.to_string(), "people.csv:3: invalid email address 'rubbish': it has no @");
    let desk = Desk::with_groups(&[("Support", "a")]).await;
    let rows = b"email,group\nmissing@example.com,Support\nb@example.com,Support\n";
    let desired_state = import::desired(rows, "people.csv", &mapping, ImportMode::Add).expect("good rows");
    let plan = desk.plan_desired(&desired_state).await.expect("a plan");
    let (executed, verification) = desk.apply(&plan, &Approval::None).await;
    assert!(executed.stopped.is_none() && verification.is_converged());
    assert_eq!(desk.members("group_support").await, "ab");
    assert_eq!(plan.groups[0].unresolved[0].origin.position.as_ref().map(|position| position.line), Some(2));
}

#[tokio::test]
async fn a_plan_gone_stale_is_not_applied_and_an_unrelated_change_passes() {
    let desk = Desk::with_groups(&[("One", "ab"), ("Two", "ab")]).await;
    let text = format!("groups: [{{ name: One, {} }}]", members("ac"));
    let plan = desk.plan(&text).await.expect("a plan");
    assert_eq!(changes(&plan), ["+c One", "-b One"]);
    // A change of another group does not matter. A new member of this group makes the plan stale.
    let add = |group: &str, user: &str| {
        let body = openai_admin::models::CreateGroupUserBody::new(user.parse().expect("an id"));
        let (client, group) = (desk.client.clone(), group.to_owned());
        async move { client.group_users().add_group_user(&*group, body).await.expect("added") }
    };
    add("group_two", "user_z").await;
    add("group_one", "user_d").await;
    let differences = desk.apply_kept(&plan).await.expect_err("stale");
    assert_eq!(differences, ["One: - user_d has joined in the meantime and would be removed"]);
    assert_eq!(desk.members("group_one").await, "abd");
    // An addition that someone else already made is not a change.
    desk.client.group_users().remove_group_user("group_one", "user_d").await.expect("removed");
    add("group_one", "user_c").await;
    let (executed, verification) = desk.apply_kept(&plan).await.expect("fresh");
    let outcomes: Vec<Outcome> = executed.results.values().map(|result| result.outcome).collect();
    assert_eq!(outcomes, [Outcome::NoChange, Outcome::Done]);
    assert!(verification.is_converged());
    assert_eq!(
        (desk.members("group_one").await, desk.members("group_two").await),
        ("ac".into(), "abz".into())
    );
}

#[tokio::test]
async fn removals_over_the_limit_need_their_exact_number_and_do_not_block_other_groups() {
    let desk = Desk::with_groups(&[("Large", "abcdefghijkl"), ("Small", "ab")]).await;
    let text =
        format!("groups: [{{ name: Large, {} }}, {{ name: Small, {} }}]", members("abcdefgh"), members("az"));
    let plan = desk.plan(&text).await.expect("a plan");
    assert!(
        table(&plan).contains("max_remove: 4 of 12 members (33.3 %) is over the limit of 20 %"),
        "{}",
        table(&plan)
    );
    assert!(table(&plan).contains("to allow these 4 removals, pass --allow-removals 4"), "{}", table(&plan));
    let (_, verification) = desk.apply(&plan, &Approval::None).await;
    assert!(verification.is_converged());
    assert_eq!(desk.members("group_large").await, "abcdefghijkl");
    assert_eq!(desk.members("group_small").await, "az");
    let plan = desk.plan(&text).await.expect("the rest");
    assert!(guard::check_approval(&plan, &Approval::Removals(3)).is_err());
    assert!(guard::check_approval(&plan, &Approval::Digest("sha256:other".to_owned())).is_err());
    guard::check_approval(&plan, &Approval::Digest(plan.digest.clone())).expect("the digest");
    guard::check_approval(&plan, &Approval::Removals(4)).expect("the number");
    desk.apply(&plan, &Approval::Removals(4)).await;
    assert_eq!(desk.members("group_large").await, "abcdefgh");
}

#[tokio::test]
async fn a_group_is_not_emptied_and_a_protected_user_stays() {
    let desk = Desk::with_groups(&[("One", "a"), ("Two", "ab")]).await;
    let text = format!(
        "protect: {{ users: [b@example.com] }}\ngroups: [{{ name: One, members: [], allow_empty: false, include: [s] }}, {{ name: Two, {} }}]\nsets: {{ s: [{{ email: z@example.com, until: 2026-11-23 }}] }}",
        members("a")
    );
    let plan = desk.plan(&text).await.expect("a plan");
    // z replaces a, so the group is not empty.
    assert_eq!(changes(&plan), ["+z One", "-a One", "-b Two"]);
    desk.apply(&plan, &Approval::None).await;
    assert_eq!((desk.members("group_one").await, desk.members("group_two").await), ("z".into(), "ab".into()));
    let mapping = openai_admin_sync::csv::Mapping {
        email: Some("email".to_owned()),
        group: openai_admin_sync::csv::GroupSource::Column("group".to_owned()),
        ..Default::default()
    };
    let gone = b"email,group\nz@example.com,One\n";
    let desired_state = import::desired(gone, "x.csv", &mapping, ImportMode::Remove).expect("a row");
    let plan = desk.plan_desired(&desired_state).await.expect("a plan");
    assert_eq!(plan.groups[0].blocks[0].rule, Rule::Emptied);
}

#[tokio::test]
async fn the_wrong_organization_is_refused_before_anything_else_is_read() {
    let desk = Desk::with_groups(&[("One", "a")]).await;
    let text = format!("organization: org-other\ngroups: [{{ name: One, {} }}]", members("b"));
    let error = desk.plan(&text).await.expect_err("another organization");
    assert_eq!(error.to_string(), "the input is for organization org-other, but the key belongs to org-test");
    assert_eq!(desk.lanes.requests(), 1);
    let right = text.replace("org-other", "org-test");
    desk.plan(&right).await.expect("the right one");
}

#[tokio::test]
async fn a_user_who_moves_never_loses_both_groups() {
    // The addition of `a` is blocked, so `a` is not removed from the other group.
    let desk = Desk::with_groups(&[("From", "abc"), ("To", "de")]).await;
    let text = format!(
        "protect: {{ groups: [To] }}\ngroups: [{{ name: From, {} }}, {{ name: To, {} }}]",
        members("bc"),
        members("dea")
    );
    let plan = desk.plan(&text).await.expect("a plan");
    let (executed, _) = desk.apply(&plan, &Approval::None).await;
    assert_eq!(desk.members("group_from").await, "abc");
    let outcomes: Vec<Outcome> = executed.results.values().map(|result| result.outcome).collect();
    assert_eq!(outcomes, [Outcome::Held, Outcome::Blocked]);
}

#[tokio::test]
async fn a_member_without_an_address_is_named_by_id() {
    let directory = json!({
        "users": [{ "id": "user_machine", "name": "Nightly", "is_service_account": true }, { "id": "user_a", "email": "a@example.com" }],
        "groups": [{ "id": "g", "name": "One", "members": ["user_a"] }],
    });
    let desk = Desk::with_directory(directory).await;
    let plan =
        desk.plan("groups: [{ name: One, members: [a@example.com, user_machine] }]").await.expect("a plan");
    assert_eq!(changes(&plan), ["+machine One"]);
    let desired_state = desired("groups: [{ name: One, members: [user_machine] }]", &[]).expect("good");
    let first = &desired_state.groups[0].members.as_ref().expect("managed").present[0];
    assert_eq!(first.who, UserRef::Id("user_machine".parse().expect("an id")));
}

#[tokio::test]
async fn a_name_in_another_form_of_unicode_is_the_same_group() {
    let desk = Desk::with_directory(json!({
        "users": [{ "id": "user_a", "email": "a@example.com" }],
        "groups": [{ "id": "group_1", "name": "Caf\u{e9}  \u{c9}quipe" }],
    }))
    .await;
    let file = format!("groups: [{{ name: \"Cafe\u{301} E\u{301}quipe\", {} }}]", members("a"));
    let plan = desk.plan(&file).await.expect("a plan");
    assert_eq!(changes(&plan), ["+a Caf\u{e9}  \u{c9}quipe"], "no twin is created, and nothing renamed");
    let twins =
        format!("groups: [{{ name: \"Caf\u{e9}\", {0} }}, {{ name: \"Cafe\u{301}\", {0} }}]", members("a"));
    desired(&twins, &[]).expect_err("the same group twice");
}
