use crate::support::TestServer;

#[tokio::test]
async fn the_document_is_as_it_was_reviewed() {
    let server = TestServer::new().await;
    insta::assert_json_snapshot!(server.get("/openapi.json").await.body);
}
