//! The digests of references, which the server computes as the program does.

use timelog_adapters::digest_external_ref_part;

use crate::subject::postgres;

#[tokio::test]
async fn the_server_and_the_program_compute_the_same_digest() {
    let subject = postgres().await;
    let url = subject.database().url.to_string();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    for part in ["jira", "10042", "\u{e9}", "e\u{301}", "'; --", "\\x00", &"\u{10ffff}".repeat(255)]
    {
        let row = client.query_one("SELECT external_digest($1)", &[&part]).await.unwrap();
        assert_eq!(row.get::<_, Vec<u8>>(0), digest_external_ref_part(part), "{part}");
    }
    let row = client.query_one("SELECT external_digest(NULL)", &[]).await.unwrap();
    assert_eq!(row.get::<_, Option<Vec<u8>>>(0), None);
}
