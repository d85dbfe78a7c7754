//! Rights besides memberships: offboarding ends them, and plans invite unknown addresses.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{cell::Cell, future::poll_fn, task::Poll};

use openai_admin::{
    Client, InviteRole, UserId,
    models::{
        AcceptInviteBody, CreateAdminApiKeyBody, InviteRequest, ProjectCreateRequest,
        ProjectServiceAccountCreateRequest,
    },
    testing::Script,
};
use openai_admin_sync::{
    Approval, Executor, Journal, Plan, PlanOptions, Run, Runs, Start,
    executor::{Executed, StopReason},
    fresh::{self, Earlier},
    holdings::{self, OwnKey},
    journal::{Entry, Outcome},
    offboard::plan_offboarding,
    plan::{Right, UnknownPolicy},
    render::{Notes, table},
    summary::{self, Summary, Verdict},
    undo::plan_undo,
};
use serde_json::json;

use crate::desk::{Desk, changes, desired, now};

/// An organization in which `a` has every kind of right. `b` is another owner.
fn directory() -> serde_json::Value {
    let role = |id: &str| json!({ "id": id, "name": id, "permissions": ["api.groups.read"] });
    let user = |id: &str| json!({ "user": id, "role": "member" });
    json!({
        "organization": { "id": "org-test" },
        "users": [
            { "id": "user_a", "name": "A", "role": "owner", "added_at": 1, "roles": ["role_auditor"] },
            { "id": "user_b", "name": "B", "role": "owner", "email": "b@example.com", "added_at": 2 },
            { "id": "user_c", "name": "C", "email": "c@example.com" },
        ],
        "groups": [{ "id": "group_one", "name": "One", "members": ["user_a", "user_c"], "roles": ["role_of_group"] }],
        "roles": [role("role_auditor"), role("role_of_group")],
        "projects": [
            { "id": "proj_1", "name": "Search", "roles": [role("role_builder")],
              "users": [{ "user": "user_a", "role": "owner", "roles": ["role_builder"] }, user("user_c")] },
            { "id": "proj_2", "name": "Other", "users": [user("user_c")] },
        ],
    })
}

/// The organization of [`directory`], in which `a` also owns two admin keys.
async fn desk() -> Desk {
    let desk = Desk::with_directory(directory()).await;
    add_keys(&desk).await;
    desk
}

async fn add_keys(desk: &Desk) {
    // The oldest owner owns the keys of the command line.
    for name in ["ci", "laptop"] {
        let body = CreateAdminApiKeyBody::new(name.try_into().unwrap());
        desk.client.admin_api_keys().create_admin_api_key(body).await.unwrap();
    }
}

/// Plans to offboard users, who are named by letters.
async fn offboarding(desk: &Desk, letters: &str, own_key: OwnKey) -> Plan {
    let users: Vec<UserId> = letters.chars().map(|c| format!("user_{c}").parse().unwrap()).collect();
    let reading = holdings::begin(&desk.reader, &users, own_key, 4).await.unwrap();
    assert_eq!(reading.requests_left(), 3 * (users.len() + 1), "three projects with the default one");
    let holdings = reading.finish().await.unwrap();
    plan_offboarding(&desk.reader, users, holdings, &desk.options()).await.unwrap()
}

/// Replaces the generated ids of keys.
fn without_ids(text: &str) -> String {
    let parts = text.split("(key_").enumerate();
    parts
        .map(|(index, part)| match part.split_once(')') {
            Some((_, rest)) if index > 0 => format!("(key){rest}"),
            _ => part.to_owned(),
        })
        .collect()
}

fn outcomes(executed: &Executed) -> Vec<Outcome> {
    executed.results.values().map(|result| result.outcome).collect()
}

#[tokio::test]
async fn offboarding_ends_every_right_in_a_safe_order_and_undo_returns_what_can_return() {
    let desk = desk().await;
    let plan = offboarding(&desk, "a", OwnKey::Unknown).await;
    insta::assert_snapshot!(without_ids(&table(&plan, &Approval::None, &Notes::default())));
    let (executed, verification) = desk.apply(&plan, &Approval::None).await;
    assert_eq!(outcomes(&executed), [Outcome::Done; 7]);
    assert!(verification.is_converged());
    assert_eq!(verification.converged, ["One", "rights of user_a"]);
    assert!(offboarding(&desk, "a", OwnKey::Unknown).await.operations().next().is_none(), "nothing is left");

    let undo = plan_undo(&desk.reader, "r", &plan, &executed.results, &desk.options()).await.unwrap();
    assert_eq!(
        changes(&undo),
        [
            "+a One",
            "+a project 'Search' as owner",
            "+a role 'role_builder' in project 'Search'",
            "+a role 'role_auditor'",
            "+a role owner"
        ]
    );
    assert_eq!(undo.kept.len(), 2, "two keys cannot be restored");
    assert_eq!(Summary::of(&undo, &Approval::None).verdict(), Verdict::Clean);
    let (executed, verification) = desk.apply(&undo, &Approval::None).await;
    assert_eq!(outcomes(&executed), [Outcome::Done; 5]);
    assert!(verification.is_converged());
    let again = offboarding(&desk, "a", OwnKey::Unknown).await;
    let without_keys = changes(&plan).into_iter().filter(|change| !change.contains("admin key"));
    assert_eq!(changes(&again), without_keys.collect::<Vec<_>>());
}

/// One part of a run, which stops after this number of results.
async fn run_part(desk: &Desk, run: &Run, plan: &Plan, start: Start, stop_after: usize) -> Executed {
    let (mut journal, _) = Journal::open(&run.journal()).unwrap();
    let results = Cell::new(0);
    let mut executor = Executor {
        client: desk.client.clone(),
        lanes: &desk.lanes,
        journal: &mut journal,
        clock: &now,
        concurrency: 4,
        progress: &mut |_| results.set(results.get() + 1),
    };
    // Each result wakes the run, which polls this after it sent the next request.
    let stop = poll_fn(|_| if results.get() >= stop_after { Poll::Ready(()) } else { Poll::Pending });
    executor.run(plan, start, stop).await.unwrap()
}

#[tokio::test]
async fn a_run_that_stops_between_any_two_rights_resumes_and_sends_nothing_twice() {
    for stop_after in 0..6 {
        let desk = desk().await;
        let plan = offboarding(&desk, "a", OwnKey::Unknown).await;
        let home = tempfile::tempdir().unwrap();
        let run = Runs::new(home.path().to_owned()).begin(&plan, now(), 7).unwrap();
        let first = run_part(&desk, &run, &plan, Start::of(&plan, &Approval::None), stop_after).await;
        assert!(matches!(first.stopped, Some(StopReason::ByCaller)), "{stop_after}");
        assert!((1..7).contains(&first.results.len()), "{stop_after}: {:?}", first.results);

        let earlier = Earlier::of_journal(&run.lines().unwrap());
        let start = fresh::compare(&desk.reader, &plan, &Approval::None, &earlier, 4).await.unwrap();
        assert_eq!(
            (start.differences.as_slice(), start.todo.len()),
            ([].as_slice(), 7 - first.results.len())
        );
        let second = run_part(&desk, &run, &plan, start, usize::MAX).await;
        assert_eq!((second.stopped.is_none(), outcomes(&second)), (true, vec![Outcome::Done; 7]));
        let lines = run.lines().unwrap();
        let sent = lines.iter().filter(|line| matches!(line.entry, Entry::Intent { .. })).count();
        assert_eq!(sent, 7, "{stop_after}");
        let left = offboarding(&desk, "a", OwnKey::Unknown).await;
        assert_eq!(changes(&left), Vec::<String>::new(), "{stop_after}");
    }
}

#[tokio::test]
async fn a_resumed_run_recognizes_the_rights_that_it_ended_without_a_result() {
    let desk = desk().await;
    let plan = offboarding(&desk, "a", OwnKey::Unknown).await;
    desk.apply(&plan, &Approval::None).await;
    // The intents are journaled, the requests succeeded, and the run was killed before it journaled the results.
    let earlier = Earlier { intents: (0..7).collect(), ..Earlier::default() };
    let start = fresh::compare(&desk.reader, &plan, &Approval::None, &earlier, 4).await.unwrap();
    assert_eq!((start.differences.as_slice(), start.todo.len()), ([].as_slice(), 0));
    let outcomes: Vec<Outcome> = start.settled.values().map(|settled| settled.outcome).collect();
    assert_eq!(outcomes, [Outcome::FoundDone; 7]);
}

#[tokio::test]
async fn service_accounts_that_a_leaver_created_are_reported_and_stay() {
    let (desk, client_of) = Desk::with_actors(directory()).await;
    add_keys(&desk).await;
    let keys = desk.client.admin_api_keys().list_admin_api_keys().items().try_collect().await.unwrap();
    let create = async |actor: &str, project: &str, name: &str| {
        let body = ProjectServiceAccountCreateRequest::new(name.try_into().unwrap());
        let accounts = client_of(actor).service_accounts().create_service_account(project, body).await;
        accounts.unwrap().id.clone()
    };
    let own = create("user_a", "proj_1", "own").await;
    let by_key = create(keys[0].id.as_str(), "proj_2", "by a key").await;
    create("user_b", "proj_1", "of someone else").await;
    let deleted = create("user_a", "proj_1", "deleted").await;
    desk.client.service_accounts().delete_service_account("proj_1", &deleted).await.unwrap();
    let old = ProjectCreateRequest::new("Old".try_into().unwrap());
    let old = desk.client.projects().create_project(old).await.unwrap().id.clone();
    create("user_a", old.as_str(), "archived").await;
    desk.client.projects().archive_project(&old).await.unwrap();

    let plan = offboarding(&desk, "a", OwnKey::Unknown).await;
    let kept: Vec<String> = plan.kept.iter().map(ToString::to_string).collect();
    let stays = "stays, with its keys: others may use it";
    assert_eq!(
        kept,
        [
            format!("user_a: service account 'by a key' ({by_key}) of project 'Other' {stays}"),
            format!("user_a: service account 'own' ({own}) of project 'Search' {stays}"),
        ]
    );
    assert_eq!(Summary::of(&plan, &Approval::None).verdict(), Verdict::Clean, "they do not block the plan");
    let (executed, _) = desk.apply(&plan, &Approval::None).await;
    assert_eq!(outcomes(&executed), [Outcome::Done; 7]);
    for (project, account) in [("proj_1", &own), ("proj_2", &by_key)] {
        desk.client.service_accounts().retrieve_service_account(project, account).await.unwrap();
    }
}

#[tokio::test]
async fn a_service_account_of_one_of_several_leavers_names_no_creator() {
    let (desk, client_of) = Desk::with_actors(directory()).await;
    let body = ProjectServiceAccountCreateRequest::new("shared".try_into().unwrap());
    client_of("user_b").service_accounts().create_service_account("proj_1", body).await.unwrap();
    let plan = offboarding(&desk, "ab", OwnKey::Unknown).await;
    let kept: Vec<String> = plan.kept.iter().map(ToString::to_string).collect();
    assert!(kept.iter().any(|kept| kept.starts_with("service account 'shared' (")), "{kept:?}");
}

#[tokio::test]
async fn the_last_owner_and_the_own_key_are_kept_and_reported() {
    let desk = desk().await;
    let keys = desk.client.admin_api_keys().list_admin_api_keys().items().try_collect().await.unwrap();
    let own = keys.iter().find(|key| key.name.as_deref() == Some("laptop")).unwrap();
    let plan = offboarding(&desk, "ab", OwnKey::Id(own.id.clone())).await;
    let kept: Vec<String> = plan.kept.iter().map(|kept| without_ids(&kept.to_string())).collect();
    assert_eq!(
        kept,
        [
            "user_a: admin key 'laptop' (key) stays: this command uses it",
            "user_a: role owner stays: the organization has no other owner",
        ]
    );
    assert!(changes(&plan).contains(&"-b role owner".to_owned()));
    assert_eq!(Summary::of(&plan, &Approval::None).verdict(), Verdict::Blocked);
    let (_, verification) = desk.apply(&plan, &Approval::None).await;
    assert!(verification.is_converged());
    assert!(desk.client.admin_api_keys().retrieve_admin_api_key(&own.id).await.is_ok());
}

/// A plan as a person could write it by hand: changed, and with the digest of its new content.
fn rewritten(plan: &Plan, change: impl FnOnce(&mut serde_json::Value)) -> Result<Plan, String> {
    let mut document = serde_json::to_value(plan).unwrap();
    change(&mut document);
    let changed: Plan = serde_json::from_value(document).unwrap();
    Plan::from_json(changed.sealed().to_json().as_bytes())
}

#[tokio::test]
async fn a_protected_user_keeps_rights_although_a_saved_plan_hides_the_address() {
    let desk = desk().await;
    let plan = offboarding(&desk, "b", OwnKey::Unknown).await;
    let plan = rewritten(&plan, |document| {
        for operation in document["rights"].as_array_mut().unwrap() {
            operation.as_object_mut().unwrap().remove("email");
        }
        document["protect"] = json!({ "users": ["b@example.com"], "groups": [] });
    });
    let (executed, _) = desk.apply_kept(&plan.unwrap()).await.unwrap();
    assert_eq!(outcomes(&executed), [Outcome::Blocked]);
}

#[tokio::test]
async fn a_saved_plan_does_not_delete_the_key_of_someone_else() {
    let desk = desk().await;
    let plan = offboarding(&desk, "a", OwnKey::Unknown).await;
    let keys = plan.operations().filter(|(_, one)| matches!(one.right(), Some(Right::AdminKey(_)))).count();
    assert!(keys > 0);
    let plan = rewritten(&plan, |document| {
        document["groups"] = json!([]);
        let rights = document["rights"].as_array_mut().unwrap();
        rights.retain(|one| one["right"]["kind"] == "admin_key");
        rights.iter_mut().for_each(|one| one["user_id"] = "user_c".into());
    });
    let (executed, _) = desk.apply_kept(&plan.unwrap()).await.unwrap();
    assert_eq!(outcomes(&executed), vec![Outcome::NoChange; keys]);
    let left = desk.client.admin_api_keys().list_admin_api_keys().items().try_collect().await.unwrap();
    assert_eq!(left.len(), keys);
}

#[tokio::test]
async fn a_saved_plan_is_stale_if_it_would_leave_no_owner() {
    let desk = desk().await;
    let plan = offboarding(&desk, "b", OwnKey::Unknown).await;
    let mut reader = openai_admin::models::UserRoleUpdateRequest::default();
    reader.role = Some(openai_admin::UserRole::Reader);
    desk.client.users().modify_user("user_a", reader).await.unwrap();
    let stale = desk.apply_kept(&plan).await.unwrap_err();
    assert_eq!(stale, ["owners: the organization would have no owner"]);
}

#[tokio::test]
async fn a_run_reports_that_the_service_keeps_its_last_owner() {
    let desk = desk().await;
    let plan = offboarding(&desk, "b", OwnKey::Unknown).await;
    // After the comparison, another client demotes the other owner.
    let body = openai_admin::models::UserRoleUpdateRequest::role(openai_admin::UserRole::Reader);
    desk.client.users().modify_user("user_a", body).await.unwrap();
    let (executed, verification) = desk.apply(&plan, &Approval::None).await;
    let result = executed.results.values().next().unwrap();
    assert_eq!(executed.results.len(), 1);
    assert_eq!((result.outcome, result.status), (Outcome::Failed, Some(400)));
    let error = result.error.as_deref().unwrap_or_default();
    assert!(error.contains("User 'user_b' is the last owner of the organization"), "{error}");
    assert!(!verification.is_converged());
}

#[tokio::test]
async fn a_plan_that_ends_an_invite_without_its_id_is_refused() {
    let desk = desk().await;
    let invite = rewritten(&inviting(&desk).await, |document| {
        document["rights"][0]["action"] = "end_right".into();
        document["rights"][0]["requires"] = "held".into();
    });
    assert_eq!(invite.unwrap_err(), "the plan has an incomplete delete_invite in 'rights'");
}

#[tokio::test(start_paused = true)]
async fn a_pending_invite_of_a_leaver_is_deleted_and_what_cannot_be_read_is_reported() {
    let user = json!({ "object": "organization.user", "id": "user_a", "email": "a@example.com", "name": "A",
                       "role": "reader", "added_at": 1 });
    let invite = |id: &str, email: &str, status: &str| {
        json!({ "object": "organization.invite", "id": id, "email": email, "role": "owner", "status": status,
                "created_at": 1 })
    };
    let invites = [
        invite("invite_1", "A@Example.com", "pending"),
        invite("invite_2", "a@example.com", "accepted"),
        invite("invite_3", "b@example.com", "pending"),
    ];
    let list = json!({ "object": "list", "data": invites, "has_more": false });
    // The key may not read admin keys, roles and projects.
    let script = Script::new().then_ok(user.to_string()).then_ok(list.to_string());
    let script = script.status(403).status(403).status(403);
    let client = Client::builder().base_url("http://localhost/v1").service(script.clone()).build().unwrap();
    let desk = Desk::of(client);
    let users = ["user_a".parse().unwrap()];
    let reading = holdings::begin(&desk.reader, &users, OwnKey::Unknown, 4).await.unwrap();
    assert_eq!((reading.requests_left(), script.requests().len()), (0, 5));
    let holdings = reading.finish().await.unwrap();
    let ends: Vec<_> = holdings.ends.iter().map(|one| (one.action(), one.right().unwrap())).collect();
    let invite = Right::Invite { invite_id: Some("invite_1".parse().unwrap()), role: "owner".to_owned() };
    assert_eq!(ends, [("delete_invite", &invite)]);
    let unread = ["the admin keys", "the roles", "the projects, with their users and keys"];
    let kept: Vec<&str> = holdings.kept.iter().map(|kept| kept.what.as_str()).collect();
    assert_eq!(kept, unread);
    assert!(holdings.kept.iter().all(|kept| kept.is_open()));
}

/// Plans a file that lists a user, an unknown address and a mistyped one.
async fn inviting(desk: &Desk) -> Plan {
    let text = "groups: [{ name: One, mode: add-only, members: [c@example.com, new.person@example.com] },
                         { name: Two, members: [new.person@example.com, b@exmaple.com] }]";
    let options = PlanOptions { unknown: UnknownPolicy::Invite, ..desk.options() };
    let plan = openai_admin_sync::plan(&desk.reader, &desired(text, &[]).unwrap(), &options).await.unwrap();
    assert_eq!(&Plan::from_json(plan.to_json().as_bytes()).unwrap(), &plan, "a saved plan is read back");
    plan
}

#[tokio::test]
async fn an_unknown_address_is_invited_once_and_added_after_it_accepts() {
    let desk = desk().await;
    let plan = inviting(&desk).await;
    insta::assert_snapshot!(table(&plan, &Approval::None, &Notes::default()));
    assert_eq!(changes(&plan), ["create_group Two", "+new.person@example.com invite as reader"]);
    assert_eq!(Summary::of(&plan, &Approval::None).verdict(), Verdict::Incomplete, "one address is mistyped");
    let (executed, verification) = desk.apply(&plan, &Approval::None).await;
    assert_eq!((outcomes(&executed), verification.is_converged()), (vec![Outcome::Done; 2], true));
    assert_eq!(
        summary::follow_up(&plan).unwrap(),
        "1 person is invited: after accepting, run the same command again to add this person"
    );

    let waiting = inviting(&desk).await;
    assert_eq!(changes(&waiting), Vec::<String>::new());
    assert_eq!(Summary::of(&waiting, &Approval::None).invited, 2, "in two groups");
    let invites = desk.client.invites().list_invites().items().try_collect().await.unwrap();
    desk.client.invites().accept_invite(&invites[0].id, AcceptInviteBody::default()).await.unwrap();
    let accepted = inviting(&desk).await;
    assert_eq!(accepted.groups.iter().map(|group| group.additions()).collect::<Vec<_>>(), [1, 1]);
    assert!(accepted.rights.is_empty());
}

#[tokio::test]
async fn an_undo_deletes_the_invites_of_a_run() {
    let desk = desk().await;
    let plan = inviting(&desk).await;
    let (executed, _) = desk.apply(&plan, &Approval::None).await;
    let undo = plan_undo(&desk.reader, "r", &plan, &executed.results, &desk.options()).await.unwrap();
    assert_eq!(changes(&undo), ["-new.person@example.com invite as reader"]);
    let (undone, _) = desk.apply(&undo, &Approval::None).await;
    assert!(desk.client.invites().list_invites().items().try_collect().await.unwrap().is_empty());

    // Someone invites the person again: an undo of the undo leaves that invite.
    let email = "new.person@example.com".try_into().unwrap();
    desk.client.invites().invite_user(InviteRequest::new(email, InviteRole::Reader)).await.unwrap();
    let redo = plan_undo(&desk.reader, "u", &undo, &undone.results, &desk.options()).await.unwrap();
    assert_eq!(changes(&redo), Vec::<String>::new());
}

#[tokio::test]
async fn an_undo_says_that_an_accepted_invite_stays() {
    let desk = desk().await;
    let plan = inviting(&desk).await;
    let (executed, _) = desk.apply(&plan, &Approval::None).await;
    let invites = desk.client.invites().list_invites().items().try_collect().await.unwrap();
    desk.client.invites().accept_invite(&invites[0].id, AcceptInviteBody::default()).await.unwrap();
    let undo = plan_undo(&desk.reader, "r", &plan, &executed.results, &desk.options()).await.unwrap();
    assert_eq!(changes(&undo), Vec::<String>::new());
    let kept: Vec<String> = undo.kept.iter().map(ToString::to_string).collect();
    assert_eq!(
        kept,
        [
            "new.person@example.com: invite as reader cannot be undone: it was accepted, and the person stays in the \
          organization"
        ]
    );
    assert!(undo.kept[0].is_open());
}
