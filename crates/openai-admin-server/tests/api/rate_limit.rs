//! The rate limit: exact, and separate for each organization.

use openai_admin_server::Config;

use crate::support::TestServer;

#[tokio::test]
async fn the_rate_limit_is_exact() {
    for requests_per_minute in [1_u32, 7, 60, 999] {
        let config = Config::default().with_requests_per_minute(requests_per_minute.try_into().ok());
        let server = TestServer::with(config).await;
        for number in 0..requests_per_minute {
            let status = server.get("/v1/organization/groups").await.status;
            assert_eq!(status, 200, "request {number} of {requests_per_minute}");
        }
        assert_eq!(server.get("/v1/organization/groups").await.status, 429);
        server.advance_clock_ms(60_000_u64.div_ceil(u64::from(requests_per_minute)));
        assert_eq!(server.get("/v1/organization/groups").await.status, 200);
    }
}

#[tokio::test]
async fn organizations_do_not_share_a_bucket() {
    let server = TestServer::with(Config::default().with_requests_per_minute(1.try_into().ok())).await;
    let other = server.key_of_other_organization("org-other").await;
    assert_eq!(server.get("/v1/organization/groups").await.status, 200);
    assert_eq!(server.get("/v1/organization/groups").await.status, 429);
    assert_eq!(server.get_with(&other, "/v1/organization/groups").await.status, 200);
}
