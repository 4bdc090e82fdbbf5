//! The private PostgreSQL of the tests, see `support/postgres.rs`.

use crate::support::postgres::{self, Cluster};

#[test]
fn every_database_is_new_and_empty() {
    let (one, other) = (postgres::url_of_new_database(), postgres::url_of_new_database());
    assert_ne!(one, other);
    assert!(one.starts_with("postgres://timelog:"), "{one}");
}

#[test]
fn a_cluster_keeps_its_data_over_a_stop_and_start() {
    let cluster =
        Cluster::start(&[("fsync", "on"), ("synchronous_commit", "on"), ("max_connections", "20")]);
    let url = cluster.url_of_new_database();
    assert_eq!(cluster.query(&url, "SHOW max_connections"), "20");
    assert_eq!(
        cluster.query(
            &url,
            "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x') RETURNING a, b"
        ),
        "1|x"
    );
    cluster.stop();
    assert!(std::net::TcpStream::connect(("127.0.0.1", cluster.port())).is_err());
    cluster.start_again();
    cluster.kill_backends(&url);
    assert_eq!(cluster.query(&url, "SELECT a, b FROM t"), "1|x");
    let folder = cluster.folder();
    assert!(folder.exists());
    drop(cluster);
    assert!(!folder.exists());
}
