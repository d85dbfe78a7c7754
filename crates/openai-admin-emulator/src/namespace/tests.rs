use serde_json::json;

use super::*;

/// How many bytes an empty organization takes.
async fn empty_bytes() -> usize {
    empty(Room::default()).await.expect("room").0.fixtures.size_bytes()
}

async fn empty(room: Room) -> Result<Namespace> {
    let beginning = Beginning {
        seed: None,
        ids_seed: None,
        clock: ClockStart::System,
        faults: FaultPlan::default(),
        room,
    };
    let store = Store::open_in_memory(None).await?;
    store.open_organization(Minter::system().stamp(ACTOR), None).await?;
    let fixtures = store.snapshot().await?;
    Namespace::open("test", store, fixtures, &beginning, Keys::Any).await
}

fn users(count: usize) -> Directory {
    let users: Vec<_> =
        (0..count).map(|number| json!({ "email": format!("u{number}@example.com") })).collect();
    serde_json::from_value(json!({ "users": users })).expect("a directory")
}

#[tokio::test]
async fn snapshots_of_all_namespaces_together_have_a_bound_in_bytes() {
    let bytes = empty_bytes().await;
    let room = Room { snapshots: Budget::of(2 * bytes), ..Room::default() };
    let (one, other) = (empty(room.clone()).await.expect("room"), empty(room.clone()).await.expect("room"));
    one.take_snapshot("a").await.expect("room");
    other.take_snapshot("a").await.expect("room");
    let refused = one.take_snapshot("b").await.expect_err("no room").to_string();
    assert!(refused.contains(&format!("no room for a snapshot of {bytes} bytes")), "{refused}");
    assert_eq!(one.snapshot_names(), ["a"]);
    other.delete_snapshot("a").expect("it is there");
    one.take_snapshot("b").await.expect("room again");
    drop((one, other));
    assert_eq!((room.snapshots.held(), room.organizations.held(), room.journals.held()), (0, 0, 0));
}

#[tokio::test]
async fn organizations_of_all_namespaces_together_have_a_bound_in_bytes() {
    let bytes = empty_bytes().await;
    let room = Room { organizations: Budget::of(2 * bytes), ..Room::default() };
    let one = empty(room.clone()).await.expect("room");
    let other = empty(room.clone()).await.expect("room");
    let refused = empty(room.clone()).await.expect_err("no room").to_string();
    assert!(refused.contains("no room"), "{refused}");
    drop(other);
    empty(room).await.expect("room again");
    drop(one);
}

#[tokio::test]
async fn an_import_that_has_no_room_changes_nothing_and_one_that_has_counts() {
    let bytes = empty_bytes().await;
    let room = Room { organizations: Budget::of(bytes + 1000 * ROW_BYTES), ..Room::default() };
    let namespace = empty(room.clone()).await.expect("room");
    let refused = namespace.import(users(1001)).await.expect_err("no room").to_string();
    assert!(refused.contains("no room"), "{refused}");
    assert!(namespace.export().await.expect("an export").users.is_empty());
    assert_eq!(room.organizations.held(), bytes);

    namespace.import(users(1000)).await.expect("room");
    let held = room.organizations.held();
    assert!(held > bytes && held <= bytes + 1000 * ROW_BYTES, "{held} bytes");
    namespace.reset().await.expect("a reset");
    assert_eq!(room.organizations.held(), bytes);
}

#[tokio::test]
async fn stale_reads_without_room_for_snapshots_show_a_write_at_once() {
    let room = Room { snapshots: Budget::of(0), ..Room::default() };
    let namespace = empty(room).await.expect("room");
    let inner = &*namespace.0;
    inner.stale_reads.before_write(&inner.store).await.expect("a snapshot");
    inner.stale_reads.after_write(&inner.store, 0, 1000).await.expect("a snapshot");
    assert!(inner.stale_reads.router(0).await.expect("a look").is_none());
}
