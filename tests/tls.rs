//! TLS to PostgreSQL.

use std::sync::Arc;

use timelog_adapters::{DatabaseOptions, QueueOptions, Store};
use timelog_api::SystemClock;
use timelog_domain::ports::PortError;

use crate::support::postgres::Cluster;
use crate::support::{Service, TestDatabase};

/// A server with a certificate for `localhost`; the file of its own authority is returned.
fn with_tls() -> (Arc<Cluster>, tempfile::NamedTempFile) {
    let cluster = Arc::new(Cluster::start(&[]));
    let certify = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
        -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
        -keyout server.key -out server.crt && chmod 600 server.key";
    cluster.run(certify);
    cluster.query("postgres", "ALTER SYSTEM SET ssl = on");
    cluster.query("postgres", "SELECT pg_reload_conf()");
    let certificate = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(
        certificate.path(),
        cluster.query("postgres", "SELECT pg_read_file('server.crt')"),
    )
    .unwrap();
    (cluster, certificate)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_required_encrypted_connection_is_encrypted() {
    let (cluster, certificate) = with_tls();
    let plain = cluster.url_of_new_database();
    let path = certificate.path().display();
    let named = plain.replace("127.0.0.1", "localhost");
    for url in [
        format!("{plain}?sslmode=require"),
        format!("{named}?sslmode=verify-full&sslrootcert={path}"),
    ] {
        let database = TestDatabase::Postgres(cluster.clone(), url);
        let service = Service::start_for(None, database, |_| ()).await;
        service.log_any().send().await.is(201);
        let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
            WHERE application_name = 'timelog'";
        assert_eq!(cluster.query("postgres", encrypted), "t");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_an_untrusted_certificate_is_refused() {
    let (cluster, certificate) = with_tls();
    let (_other, foreign) = with_tls();
    let plain = cluster.url_of_new_database();
    let named = plain.replace("127.0.0.1", "localhost");
    let path = |file: &tempfile::NamedTempFile| file.path().display().to_string();
    for (url, why) in [
        // Another authority, another host name, and the authorities of the system.
        (format!("{named}?sslmode=verify-full&sslrootcert={}", path(&foreign)), "certificate"),
        (format!("{plain}?sslmode=verify-full&sslrootcert={}", path(&certificate)), "certificate"),
        (format!("{named}?sslmode=verify-full"), "certificate"),
    ] {
        let url = url.parse().unwrap();
        let opened = Store::open(
            &url,
            &DatabaseOptions::default(),
            &QueueOptions::default(),
            Arc::new(SystemClock),
        )
        .await;
        let Err(PortError::Internal(reason)) = opened else { panic!("it opened") };
        assert!(reason.contains(why), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_tls_is_refused_where_tls_is_required() {
    let cluster = Cluster::start(&[]);
    let url = format!("{}?sslmode=require", cluster.url_of_new_database()).parse().unwrap();
    let opened = Store::open(
        &url,
        &DatabaseOptions::default(),
        &QueueOptions::default(),
        Arc::new(SystemClock),
    )
    .await;
    let Err(PortError::Internal(reason)) = opened else { panic!("it opened") };
    assert!(reason.contains("TLS"), "{reason}");
}
