//! Rights of several people at once, invites in plans, and the end of all rights of a person.

use crate::{
    desk::{Desk, freeze},
    published_only::PublishedOnly,
    running::Running,
};

/// A project, a custom role and a role of the project, on the example organization.
const SETUP: [&str; 3] = [
    "--local acme.db projects create --name Search",
    "--local acme.db roles create --role-name Auditor --permission api.groups.read",
    "--local acme.db projects roles create Search --role-name Builder --permission api.groups.read",
];

fn desk() -> Desk {
    let desk = Desk::with_acme().with_variable("OPENAI_ADMIN_STATE", "state");
    for command in SETUP {
        let answer = desk.run(command);
        assert_eq!(answer.status, 0, "{command}: {}", answer.stderr);
    }
    desk
}

#[test]
fn several_people_get_rights_with_a_result_for_each() {
    let desk = desk();
    desk.write("joiners.txt", "ada@example.com\nchidi@example.com  # new\n");
    freeze!(desk.transcript(&[
        "--local acme.db projects users add Search -f joiners.txt --role owner",
        "--local acme.db projects users add Search ada@example.com nobody@example.com user_mei",
        "--local acme.db projects users add Sarch ada@example.com",
        "--local acme.db projects users list Search -o csv",
        "--local acme.db roles assign Auditor --user ada@example.com --group \"Support Team\" -o json",
        "--local acme.db roles assign Builder --project Search --user chidi@example.com --user user_jonas",
        "--local acme.db roles assign Auditer --user ada@example.com",
        "--local acme.db roles assign Auditor",
        "--local acme.db users roles list ada@example.com -o csv",
        "--local acme.db roles unassign Auditor --user ada@example.com",
        "--local acme.db roles unassign Auditor --user ada@example.com --user user_mei --yes",
        "--local acme.db roles unassign Auditor --group Nobody --yes",
        "--local acme.db invites create kay@example.com lea@example.com --project Search:owner",
        "--local acme.db invites create kay@example.com ada@example.com nonsense max@example.com -o csv",
        "--local acme.db invites create --role admin kay@example.com",
        "--local acme.db invites list -o csv",
    ]));
}

#[test]
fn names_of_several_groups_need_one_list_of_groups() {
    let desk = desk();
    for number in 1..=8 {
        let created = desk.run(&format!("--local acme.db groups create \"Team {number}\""));
        assert_eq!(created.status, 0, "{}", created.text());
    }
    let server = Running::start(&desk, "--local acme.db --log error");
    let published = PublishedOnly::start(&server.address);
    let desk = desk
        .with_variable("OPENAI_ADMIN_KEY", server.minted_key())
        .with_variable("OPENAI_BASE_URL", format!("http://{}/v1", published.address));
    let requests = |groups: usize| {
        let options: String = (1..=groups).map(|number| format!(" --group \"Team {number}\"")).collect();
        let answer = desk.run(&format!("roles assign Auditor{options} -o csv"));
        assert_eq!(answer.status, 0, "{}", answer.text());
        published.forwarded()
    };
    // A name may be an id, so each needs a request for that, and one for its assignment. The roles and the groups are
    // listed once.
    assert_eq!((requests(2), requests(8)), (2 + 2 * 2, 2 + 2 * 8));
}

#[test]
fn generated_commands_take_names_where_a_noun_has_one() {
    let desk = desk();
    freeze!(desk.transcript(&[
        "--local acme.db projects groups add Search --group-id \"ML Research\" --role member",
        "--local acme.db projects groups roles assign Search \"ML Research\" --role-id Builder",
        "--local acme.db projects groups roles list Search \"ML Research\" -o csv",
        "--local acme.db groups roles assign \"Support Team\" --role-id Auditor",
        "--local acme.db roles get Auditor -o csv",
        "--local acme.db roles get Nothing",
    ]));
}

#[test]
fn an_offboarding_ends_every_right_and_leaves_a_receipt() {
    let desk = desk();
    for command in [
        "projects users add Search ada@example.com --role owner",
        "roles assign Builder --project Search --user ada@example.com",
        "roles assign Auditor --user ada@example.com",
        // The oldest owner owns it.
        "admin-api-keys create --name ci",
    ] {
        assert_eq!(desk.run(&format!("--local acme.db {command}")).status, 0, "{command}");
    }
    freeze!(desk.transcript(&[
        "--local acme.db users offboard ada@example.com --dry-run",
        "--local acme.db users offboard ada@example.com --dry-run -o csv",
        "--local acme.db users offboard ada@example.com --groups-only --dry-run --summary",
        "--local acme.db users offboard ada@example.com --yes --report receipt.csv",
        "--local acme.db users offboard ada@example.com --yes",
        "--local acme.db runs report last",
        "--local acme.db users offboard bjorn@example.com --dry-run --summary",
        "--local acme.db runs undo last --dry-run",
        "--local acme.db runs undo last --yes",
        "--local acme.db users roles list ada@example.com -o csv",
        "--local acme.db projects users list Search -o csv",
    ]));
}

#[test]
fn a_published_service_offboards_with_the_same_result() {
    let desk = desk();
    let server = Running::start(&desk, "--local acme.db --log error");
    let key = server.minted_key();
    let published = PublishedOnly::start(&server.address);
    let desk = desk.with_variable("OPENAI_ADMIN_KEY", &*key);
    let plans = [&*server.address, &format!("http://{}", published.address)].map(|address| {
        let answer =
            desk.run(&format!("--base-url {address}/v1 users offboard ada@example.com --dry-run -o csv"));
        // One group is managed elsewhere, and the key is the oldest owner's.
        assert_eq!(answer.status, 5, "{}", answer.stderr);
        assert!(answer.stderr.contains("stays: this command uses it"), "{}", answer.stderr);
        answer.stdout
    });
    assert_eq!(plans[0], plans[1]);
    let sent = published.forwarded();
    let address = &published.address;
    let answer = desk.run(&format!("--base-url http://{address}/v1 users offboard ada@example.com --yes"));
    assert_eq!(answer.status, 3, "{}", answer.text());
    assert!(published.forwarded() > sent, "a dry run sends fewer requests");
    let left = desk.run(&format!("--base-url http://{address}/v1 users get ada@example.com -o json"));
    assert_eq!(left.json()["role"], "reader");
}

#[test]
fn unknown_addresses_are_invited_and_added_after_they_accept() {
    let desk = desk();
    desk.write("people.csv", "email,group\nada@example.com,Support Team\nkay@example.com,Support Team\nkay@example.com,ML Research\n");
    let mut transcript = desk.transcript(&[
        "--local acme.db import memberships people.csv --unknown invite --dry-run",
        "--local acme.db import memberships people.csv --unknown invite --yes",
        "--local acme.db import memberships people.csv --unknown invite --yes",
        "--local acme.db import memberships people.csv --dry-run",
        "--local acme.db import memberships people.csv --unknown later",
    ]);
    let invites = desk.run("--local acme.db invites list -o json").json();
    let invite =
        invites["data"][0]["id"].as_str().or(invites[0]["id"].as_str()).expect("an invite").to_owned();
    assert_eq!(desk.run(&format!("--local acme.db invites accept {invite}")).status, 0);
    transcript += &desk.transcript(&["--local acme.db import memberships people.csv --unknown invite --yes"]);
    freeze!(transcript);
}
