use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{exchange::EXCHANGE_OVERHEAD_BYTES, *};

fn exchange(journal: &Journal, operation: &str, group: &str, status: u16) {
    let exchange = Exchange {
        number: journal.arrive(),
        operation: Some(operation.to_owned()),
        path: BTreeMap::from([("group_id".to_owned(), group.to_owned())]),
        status: Some(status),
        ..Exchange::default()
    };
    let body = json!({ "user_id": "u1", "more": { "a": 1, "b": 2 } }).to_string();
    journal.keep(exchange, &body.into(), &Bytes::new());
}

fn all_journals() -> Budget {
    Budget::of(JOURNALS_BYTES_MAX)
}

fn journal() -> Journal {
    let journal = Journal::new(all_journals());
    for (operation, group, status) in [
        ("add-group-user", "x", 200),
        ("add-group-user", "y", 200),
        ("list-groups", "", 200),
        ("add-group-user", "x", 404),
    ] {
        exchange(&journal, operation, group, status);
    }
    journal
}

async fn verify(expectation: Value) -> Result<u64, String> {
    let expectation = serde_json::from_value(expectation).expect("an expectation");
    let verified = journal().verify(&expectation).await;
    verified.map(|verified| verified.count).map_err(|error| error.to_string())
}

#[tokio::test]
async fn an_expectation_counts_matching_requests() {
    for (expectation, count) in [
        (json!({ "operation": "add-group-user", "path": { "group_id": "x" }, "exactly": 2 }), 2),
        (json!({ "operation": "add-group-user", "at_least": 1, "at_most": 3 }), 3),
        (json!({ "status": 404, "exactly": 1 }), 1),
        (json!({ "body": { "more": { "b": 2 } }, "exactly": 4 }), 4),
        (json!({ "body": { "more": { "b": 3 } }, "exactly": 0 }), 0),
        (json!({ "fault": "none", "exactly": 4 }), 4),
        (json!({ "fault": "any", "exactly": 0 }), 0),
    ] {
        assert_eq!(verify(expectation.clone()).await, Ok(count), "{expectation}");
    }
}

#[tokio::test]
async fn an_expectation_that_is_not_met_names_the_nearest_requests() {
    for (expectation, message) in [
        (
            json!({ "operation": "add-group-user", "path": { "group_id": "x" }, "exactly": 3 }),
            "expected exactly 3 requests with {\"operation\":\"add-group-user\",\"path\":{\"group_id\":\"x\"}}, \
             but there were 2 (numbers 1, 4); nearest: number 2 (path.group_id is y); \
             number 3 (operation is list-groups, path.group_id is )",
        ),
        (
            json!({ "operation": "remove-group-user", "at_least": 1 }),
            "expected at least 1 request with {\"operation\":\"remove-group-user\"}, but there were 0; nearest: \
             number 1 (operation is add-group-user); number 2 (operation is add-group-user); \
             number 3 (operation is list-groups)",
        ),
        (
            json!({ "status": 404, "body": { "user_id": "u2" }, "exactly": 1 }),
            "expected exactly 1 request with {\"body\":{\"user_id\":\"u2\"},\"status\":404}, but there were 0; \
             nearest: number 4 (body is {\"user_id\":\"u1\",\"more\":{\"a\":1,\"b\":2}}); number 1 (body is \
             {\"user_id\":\"u1\",\"more\":{\"a\":1,\"b\":2}}, status is 200); number 2 (body is \
             {\"user_id\":\"u1\",\"more\":{\"a\":1,\"b\":2}}, status is 200)",
        ),
        (
            json!({ "status": 404, "exactly": 0 }),
            "expected exactly 0 requests with {\"status\":404}, but there was 1 (number 4)",
        ),
        (json!({ "at_most": 1 }), "expected at most 1 request, but there were 4 (numbers 1, 2, 3, 4)"),
    ] {
        assert_eq!(verify(expectation).await, Err(message.to_owned()));
    }
    let nothing = Journal::new(all_journals());
    let expectation = serde_json::from_value(json!({ "at_least": 1 })).expect("an expectation");
    assert_eq!(
        nothing.verify(&expectation).await.expect_err("there is nothing").to_string(),
        "expected at least 1 request, but there were 0; there were no requests at all"
    );
}

#[tokio::test]
async fn an_invalid_expectation_is_refused() {
    for misspelt in [
        json!({ "exacly": 1 }),
        json!({ "operatoin": "x", "exactly": 1 }),
        json!({ "exactly": -1 }),
        json!({ "in_order": [{ "operatoin": "x" }] }),
    ] {
        serde_json::from_value::<Expectation>(misspelt).expect_err("it is refused");
    }
    for (expectation, problem) in [
        (json!({ "status": 404 }), "missing expectation"),
        (json!({ "exactly": 1, "in_order": [{}] }), "cannot be combined"),
        (json!({ "at_least": 2, "at_most": 1 }), "impossible expectation: at least 2 and at most 1"),
    ] {
        let refused = verify(expectation).await.expect_err(problem);
        assert!(refused.contains(problem), "{refused}");
    }
}

#[tokio::test]
async fn an_order_is_verified() {
    let (x, y) = (json!({ "path": { "group_id": "x" } }), json!({ "path": { "group_id": "y" } }));
    assert_eq!(verify(json!({ "in_order": [x, y, { "status": 404 }] })).await, Ok(3));
    assert_eq!(verify(json!({ "operation": "add-group-user", "in_order": [x, x] })).await, Ok(2));
    assert_eq!(
        verify(json!({ "operation": "add-group-user", "in_order": [y, { "status": 200 }] })).await,
        Err("expected requests in order, but in_order[1] is missing: no request with {\"status\":200} after number 2, \
             which is in_order[0] among those with {\"operation\":\"add-group-user\"}; too early: number 1; \
             nearest: number 4 (status is 404)"
            .to_owned())
    );
    assert_eq!(
        verify(json!({ "in_order": [{ "status": 500 }] })).await,
        Err("expected requests in order, but in_order[0] is missing: no request with {\"status\":500}; \
             nearest: number 1 (status is 200); number 2 (status is 200); number 3 (status is 200)"
            .to_owned())
    );
    let twice = verify(json!({ "in_order": [{ "status": 404 }, { "status": 404 }] })).await.expect_err("one");
    assert!(twice.contains("after number 4") && !twice.contains("too early"), "{twice}");
}

#[tokio::test]
async fn exchanges_are_listed_in_the_order_of_their_arrival() {
    let journal = Journal::new(all_journals());
    let (slow, quick) = (journal.arrive(), journal.arrive());
    for number in [quick, slow] {
        journal.keep(Exchange { number, ..Exchange::default() }, &Bytes::new(), &Bytes::new());
    }
    let numbers = async |after, limit| {
        let page = journal.page(&ExchangeFilter::default(), after, limit).await;
        (page.data.iter().map(|exchange| exchange.number).collect::<Vec<_>>(), page.has_more)
    };
    assert_eq!(numbers(0, None).await, (vec![1, 2], false));
    assert_eq!(numbers(0, Some(1)).await, (vec![1], true));
    assert_eq!(numbers(1, Some(1)).await, (vec![2], false));
}

/// The size of an exchange with two bodies of the maximum recorded size.
const WHOLE: usize = 2 * BODY_KEPT_BYTES_MAX + EXCHANGE_OVERHEAD_BYTES;

fn keep_whole(journal: &Journal, count: usize) {
    let body = Bytes::from(vec![b'x'; BODY_KEPT_BYTES_MAX]);
    for _ in 0..count {
        journal.keep(Exchange { number: journal.arrive(), ..Exchange::default() }, &body, &body);
    }
}

#[tokio::test]
async fn a_full_journal_drops_and_counts_the_oldest() {
    let journal = Journal::new(all_journals());
    keep_whole(&journal, JOURNAL_BYTES_MAX / WHOLE + 2);
    let page = journal.page(&ExchangeFilter::default(), 0, Some(1)).await;
    assert_eq!((page.dropped, page.data[0].number), (2, 3));
}

#[tokio::test]
async fn a_page_has_a_maximum_size_and_can_be_continued() {
    let journal = Journal::new(all_journals());
    let count = 2 * PAGE_BYTES_MAX / WHOLE;
    keep_whole(&journal, count);
    let (mut after, mut pages, mut seen) = (0, 0, 0);
    loop {
        let page = journal.page(&ExchangeFilter::default(), after, Some(EXCHANGES_MAX)).await;
        pages += 1;
        seen += page.data.len();
        assert!(page.data.len() * WHOLE <= PAGE_BYTES_MAX);
        after = page.data.last().expect("a page has one").number;
        if !page.has_more {
            break;
        }
    }
    assert_eq!((seen, pages), (count, 3));
}

#[tokio::test]
async fn queries_and_warnings_count_towards_the_size_of_a_journal() {
    let journal = Journal::new(all_journals());
    let query = "a&".repeat(30_000);
    for _ in 0..4000 {
        let exchange = Exchange {
            number: journal.arrive(),
            url_path: query.clone(),
            query: query.clone(),
            warnings: limit_warnings((0..20).map(|_| "x".repeat(300))),
            ..Exchange::default()
        };
        journal.keep(exchange, &Bytes::new(), &Bytes::new());
    }
    let snapshot = journal.since(0);
    let held: usize = snapshot.exchanges.iter().map(|recorded| recorded.bytes()).sum();
    assert!(snapshot.dropped > 0 && held <= JOURNAL_BYTES_MAX, "{held} bytes, {} dropped", snapshot.dropped);
    assert_eq!(journal.all.held(), held);
}

#[tokio::test]
async fn all_journals_share_a_budget_that_a_dropped_one_releases() {
    let all = all_journals();
    let fitting = JOURNAL_BYTES_MAX / WHOLE;
    let keep = |journal: &Journal, count: usize| {
        keep_whole(journal, count);
        let snapshot = journal.since(0);
        (snapshot.exchanges.len(), snapshot.dropped as usize)
    };
    let full: Vec<Journal> = (0..JOURNALS_BYTES_MAX / JOURNAL_BYTES_MAX)
        .map(|_| Journal::new(all.clone()))
        .inspect(|journal| assert_eq!(keep(journal, fitting), (fitting, 0)))
        .collect();
    let late = Journal::new(all.clone());
    let room = JOURNALS_BYTES_MAX / WHOLE - full.len() * fitting;
    assert_eq!(keep(&late, room + 3), (room, 3));
    drop(full);
    assert_eq!(keep(&late, 10), (room + 10, 3));
    drop(late);
    assert_eq!(all.held(), 0);
}

#[tokio::test]
async fn a_journal_can_be_written_during_a_search() {
    let journal = Journal::new(all_journals());
    keep_whole(&journal, 100);
    let filter = ExchangeFilter { body: Some(json!({ "a": 1 })), ..ExchangeFilter::default() };
    let (page, ()) = tokio::join!(journal.page(&filter, 0, None), async { keep_whole(&journal, 1) });
    assert!(page.data.is_empty());
    assert_eq!(journal.since(0).exchanges.len(), 101);
}

#[tokio::test]
async fn a_cancelled_search_stops() {
    let journal = Journal::new(all_journals());
    keep_whole(&journal, 100);
    let snapshot = journal.since(0);
    let mut looked_at = 0;
    let search = search::all(&snapshot.exchanges, |_| {
        looked_at += 1;
        true
    });
    // The first step is searched, then the client disconnects.
    assert!(futures_util::FutureExt::now_or_never(search).is_none());
    assert!((1..100).contains(&looked_at), "{looked_at} of 100");
}
