//! The digest of a reference, which the server computes as the program does.

use timelog_adapters::digest_external_ref;

use crate::subject::postgres;

#[tokio::test]
async fn the_server_and_the_program_compute_the_same_digest() {
    let subject = postgres().await;
    let url = subject.database().url.to_string();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let long = "\u{10ffff}".repeat(255);
    for (provider, kind, id) in [("jira", "worklog", "10042"), ("\u{e9}", "e\u{301}", "'; --"), (&long, &long, &long)] {
        let row = client.query_one("SELECT external_digest($1, $2, $3)", &[&provider, &kind, &id]).await.unwrap();
        assert_eq!(row.get::<_, Vec<u8>>(0), digest_external_ref(provider, kind, id));
    }
    for (one, two, three) in [(None, Some("a"), Some("b")), (Some("a"), None, Some("b")), (Some("a"), Some("b"), None)]
    {
        let row = client.query_one("SELECT external_digest($1, $2, $3)", &[&one, &two, &three]).await.unwrap();
        assert_eq!(row.get::<_, Option<Vec<u8>>>(0), None);
    }
}
