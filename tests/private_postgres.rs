//! The PostgreSQL that the tests bring along.

use crate::support::postgres::{self, Cluster};

#[test]
fn every_database_is_new_and_empty() {
    let (one, other) = (postgres::url_of_new_database(), postgres::url_of_new_database());
    assert_ne!(one, other);
    assert!(one.starts_with("postgres://timelog:"), "{one}");
}

#[test]
fn a_cluster_of_ones_own_stops_and_starts_again_with_what_it_had() {
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
