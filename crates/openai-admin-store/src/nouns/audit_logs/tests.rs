use super::*;

#[test]
fn an_id_has_one_form() {
    let place = Position { place: 12, change: "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(), item: 3 };
    let id = place.id().expect("an id");
    assert_eq!(id, "audit_log-01ARZ3NDEKTSV4RRFFQ69G5FAV_12_3");
    assert_eq!(Position::parse(id.as_str()), Some(place));
    for other in ["", "audit_log-", "audit_log-01_1", "audit_log-01_+1_2", "audit_log-01_1_02", "user_1_2_3"]
    {
        assert_eq!(Position::parse(other), None, "{other}");
    }
}

/// The ids of a whole list, read page by page in either direction, and the number of pages that were not full although
/// more followed.
async fn walk(
    store: &Store,
    org: Org,
    limits: ScanLimits,
    mut request: ListAuditLogs,
) -> (Vec<String>, usize) {
    let is_backwards = request.before.is_some();
    let (mut found, mut short) = (Vec::new(), 0);
    loop {
        let page = store.list_audit_logs_within(limits, org, request.clone()).await.expect("a page");
        let mut listed: Vec<String> = page.data.iter().map(|log| log.id.to_string()).collect();
        if is_backwards {
            listed.reverse();
        }
        let is_full = listed.len() == usize::from(request.limit.unwrap_or_default().get());
        short += usize::from(page.has_more && !is_full);
        found.extend(listed);
        match (page.has_more, is_backwards) {
            (false, _) => return (found, short),
            (true, true) => request.before = page.first_id,
            (true, false) => request.after = page.last_id,
        }
    }
}

#[test]
fn paging_misses_no_event_with_any_scan_limit() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store = Store::open_in_memory(None).await.expect("a store");
        let stamp =
            |number: u128, actor: &str| crate::Stamp::new(ulid::Ulid::from_parts(1, number << 8), actor);
        let org = store.open_organization(stamp(1, "rare"), None).await.expect("an organization").org;
        for number in 2..40 {
            let actor = if number % 11 < 2 { "rare" } else { "often" };
            let name = openai_admin::operations::groups::GroupName::new("G").expect("a name");
            let request = openai_admin::operations::CreateGroup::new(name);
            store.change(org, stamp(number, actor), request).await.expect("a group");
        }
        let mut request = ListAuditLogs::default();
        request.actor_ids = vec!["rare".to_owned()];
        let (expected, _) = walk(&store, org, SCAN_LIMITS, request.clone()).await;
        assert_eq!(expected.len(), 7);
        let mut all_short = 0;
        for (window_events, windows, limit) in (1..8).flat_map(|events| {
            (1..4).flat_map(move |windows| (1..4).map(move |limit| (events, windows, limit)))
        }) {
            let limits = ScanLimits { window_events, windows };
            request.limit = openai_admin::Limit::new(limit).ok();
            let (found, short) = walk(&store, org, limits, request.clone()).await;
            assert_eq!(found, expected, "{window_events} {windows} {limit}");
            all_short += short;
            let mut newer_than = request.clone();
            newer_than.before = expected.last().and_then(|id| Cursor::new(id).ok());
            let (found, _) = walk(&store, org, limits, newer_than).await;
            let newer = expected.iter().rev().skip(1).cloned().collect::<Vec<_>>();
            assert_eq!(found, newer, "{window_events} {windows} {limit}");
        }
        assert!(all_short > 0, "some requests scan only a part");
        store.close().await;
    });
}
