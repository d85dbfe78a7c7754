use serde_json::json;

use super::*;

/// The size of an empty organization, in bytes.
async fn empty_bytes() -> usize {
    empty(MemoryBudgets::default()).await.expect("enough memory").0.fixtures.size_bytes()
}

async fn empty(budgets: MemoryBudgets) -> Result<Namespace> {
    let initial_state = InitialState {
        seed: None,
        ids_seed: None,
        clock: ClockStart::System,
        faults: FaultPlan::default(),
        rules: Rules::default(),
        budgets,
    };
    let store = Store::open_in_memory(None).await?;
    store.open_organization(Minter::system().stamp(ACTOR), None).await?;
    let fixtures = store.snapshot().await?;
    Namespace::open("test", store, fixtures, &initial_state, Keys::Any).await
}

fn users(count: usize) -> Directory {
    let users: Vec<_> =
        (0..count).map(|number| json!({ "email": format!("u{number}@example.com") })).collect();
    serde_json::from_value(json!({ "users": users })).expect("a directory")
}

#[tokio::test]
async fn snapshots_of_all_namespaces_share_a_budget() {
    let bytes = empty_bytes().await;
    let budgets = MemoryBudgets { snapshots: Budget::of(2 * bytes), ..MemoryBudgets::default() };
    let (one, other) = (
        empty(budgets.clone()).await.expect("enough memory"),
        empty(budgets.clone()).await.expect("enough memory"),
    );
    one.take_snapshot("a").await.expect("enough memory");
    other.take_snapshot("a").await.expect("enough memory");
    let refused = one.take_snapshot("b").await.expect_err("not enough memory").to_string();
    assert!(refused.contains(&format!("not enough memory for a snapshot of {bytes} bytes")), "{refused}");
    assert_eq!(one.snapshot_names(), ["a"]);
    other.delete_snapshot("a").expect("it exists");
    one.take_snapshot("b").await.expect("enough memory");
    drop((one, other));
    assert_eq!((budgets.snapshots.held(), budgets.organizations.held(), budgets.journals.held()), (0, 0, 0));
}

#[tokio::test]
async fn organizations_of_all_namespaces_share_a_budget() {
    let bytes = empty_bytes().await;
    let budgets = MemoryBudgets { organizations: Budget::of(2 * bytes), ..MemoryBudgets::default() };
    let one = empty(budgets.clone()).await.expect("enough memory");
    let other = empty(budgets.clone()).await.expect("enough memory");
    let refused = empty(budgets.clone()).await.expect_err("not enough memory").to_string();
    assert!(refused.contains("not enough memory"), "{refused}");
    drop(other);
    empty(budgets).await.expect("enough memory");
    drop(one);
}

#[tokio::test]
async fn an_import_counts_and_one_beyond_the_budget_changes_nothing() {
    let bytes = empty_bytes().await;
    let budgets =
        MemoryBudgets { organizations: Budget::of(bytes + 1000 * ROW_BYTES), ..MemoryBudgets::default() };
    let namespace = empty(budgets.clone()).await.expect("enough memory");
    let refused = namespace.import(users(1001)).await.expect_err("not enough memory").to_string();
    assert!(refused.contains("not enough memory"), "{refused}");
    assert!(namespace.export().await.expect("an export").users.is_empty());
    assert_eq!(budgets.organizations.held(), bytes);

    namespace.import(users(1000)).await.expect("enough memory");
    let held = budgets.organizations.held();
    assert!(held > bytes && held <= bytes + 1000 * ROW_BYTES, "{held} bytes");
    namespace.reset().await.expect("a reset");
    assert_eq!(budgets.organizations.held(), bytes);
}

#[tokio::test]
async fn stale_reads_without_memory_for_snapshots_show_a_write_at_once() {
    let budgets = MemoryBudgets { snapshots: Budget::of(0), ..MemoryBudgets::default() };
    let namespace = empty(budgets).await.expect("enough memory");
    let inner = &*namespace.0;
    inner.stale_reads.before_write(&inner.store).await.expect("a snapshot");
    inner.stale_reads.after_write(&inner.store, 0, 1000).await.expect("a snapshot");
    assert!(inner.stale_reads.router(0).await.expect("a router").is_none());
}
