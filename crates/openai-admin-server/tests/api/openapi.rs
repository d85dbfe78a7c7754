use crate::support::TestServer;

#[tokio::test]
async fn the_document_has_its_methods_like_every_path() {
    let server = TestServer::new().await;
    server.call("POST", "/openapi.json", "").await.assert_error(405, None, None);
    assert_eq!(server.call("OPTIONS", "/openapi.json", "").await.status, 204);
    assert_eq!(server.call("HEAD", "/openapi.json", "").await.text, "");
}

#[tokio::test]
async fn the_document_matches_its_snapshot() {
    let server = TestServer::new().await;
    insta::assert_json_snapshot!(server.get("/openapi.json").await.body);
}
