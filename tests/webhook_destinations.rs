//! Where webhooks may lead: to the public internet, whatever a name leads to when it is connected.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use timelog_api::Names;

use crate::support::{Database, Receiver, Reply, Service, on_every_database};
use crate::webhook_deliveries::{arrives, comes_to, make};

on_every_database! {
    only_the_public_internet_is_a_destination,
    a_name_that_leads_elsewhere_is_no_destination,
    a_name_that_leads_elsewhere_later_is_not_connected,
    what_is_allowed_no_more_gets_nothing,
}

/// Names that lead where the test says.
#[derive(Clone, Default)]
struct FakeNames(Arc<Mutex<Vec<IpAddr>>>);

impl FakeNames {
    fn lead_to(&self, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        *self.0.lock().unwrap() = addresses;
    }
}

impl Names for FakeNames {
    fn addresses(
        &self,
        host: String,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        let addresses = self.0.lock().unwrap().clone();
        let known = ["localhost", "receiver.example"].contains(&host.as_str());
        Box::pin(
            async move { if known { Ok(addresses) } else { Err(io::Error::other("unknown")) } },
        )
    }
}

async fn start(database: Database, allow: &[&str]) -> (Service, FakeNames) {
    let names = FakeNames::default();
    let own = names.clone();
    let service = Service::start_with(database, |setup| {
        setup.settings.webhook_allow = allow.iter().map(|text| text.parse().unwrap()).collect();
        setup.ports = Box::new(move |ports| ports.names = Arc::new(own));
    });
    (service.await, names)
}

fn body(url: &str) -> Value {
    json!({ "destinationUrl": url, "eventNames": ["*"] })
}

async fn only_the_public_internet_is_a_destination(database: Database) {
    let (service, _) = start(database, &["10.1.0.0/16", "fd00::/8"]).await;
    for (url, is_allowed) in [
        ("https://1.1.1.1/", true),
        ("https://[2606:4700::1111]:8443/x", true),
        ("https://10.1.2.3/", true),
        ("http://10.1.2.3:8080/", true),
        ("http://[fd12::1]/", true),
        ("https://[::ffff:10.1.2.3]/", true),
        ("http://1.1.1.1/", false),
        ("https://127.0.0.1/", false),
        ("https://127.1/", false),
        ("https://2130706433/", false),
        ("https://0x7f000001/", false),
        ("https://0177.0.0.1/", false),
        ("https://169.254.169.254/latest/meta-data", false),
        ("https://10.2.0.1/", false),
        ("https://192.168.0.1/", false),
        ("https://172.16.0.1/", false),
        ("https://100.64.0.1/", false),
        ("https://0.0.0.0/", false),
        ("https://[::]/", false),
        ("https://[::1]/", false),
        ("https://[::ffff:127.0.0.1]/", false),
        ("https://[::ffff:a9fe:a9fe]/", false),
        ("https://[64:ff9b::7f00:1]/", false),
        ("https://[2002:7f00:1::]/", false),
        ("https://[fe80::1]/", false),
    ] {
        let answer = service.api.post("/webhooks").json(&body(url)).send().await;
        if is_allowed {
            answer.is(201);
        } else {
            answer.refuses(&["/destinationUrl forbidden_destination"]);
        }
    }
}

async fn a_name_that_leads_elsewhere_is_no_destination(database: Database) {
    let (service, names) = start(database, &["10.1.0.0/16"]).await;
    for (scheme, addresses, is_allowed) in [
        ("https", &["1.1.1.1"][..], true),
        ("https", &["127.0.0.1", "1.1.1.1"], true),
        // It may lead somewhere later.
        ("https", &[], true),
        ("https", &["127.0.0.1"], false),
        ("https", &["169.254.169.254"], false),
        ("https", &["::ffff:127.0.0.1", "fd00::1"], false),
        ("https", &["10.1.0.1"], true),
        ("http", &["10.1.0.1"], true),
        ("http", &["1.1.1.1"], false),
        ("http", &[], false),
    ] {
        names.lead_to(addresses);
        for name in ["receiver.example", "localhost"] {
            let body = body(&format!("{scheme}://{name}/"));
            let answer = service.api.post("/webhooks").json(&body).send().await;
            if is_allowed {
                answer.is(201);
            } else {
                answer.refuses(&["/destinationUrl forbidden_destination"]);
            }
        }
    }
    service.api.post("/webhooks").json(&body("https://unknown.example/")).send().await.is(201);
}

/// The receiver listens on 127.0.0.1, which is not allowed, and its name leads there after it was
/// checked.
async fn a_name_that_leads_elsewhere_later_is_not_connected(database: Database) {
    let (service, names) = start(database, &["127.0.0.2/32"]).await;
    let receiver = Receiver::start().await;
    let port = receiver.address.port();
    for (scheme, checked, connected) in [
        ("http", "127.0.0.2", &["127.0.0.1"][..]),
        ("http", "127.0.0.2", &["::ffff:127.0.0.1"]),
        ("https", "1.1.1.1", &["127.0.0.1"]),
        ("https", "1.1.1.1", &["169.254.169.254", "10.0.0.1"]),
    ] {
        names.lead_to(&[checked]);
        let (path, _) =
            make(&service.api, &body(&format!("{scheme}://receiver.example:{port}/hook"))).await;
        names.lead_to(connected);
        let test = service.api.post(&format!("{path}/test")).send().await.is(200).json();
        service.log_any().send().await.is(201);
        let seen = comes_to(&service.api, &path, |seen| !seen["lastError"].is_null()).await;
        for error in [&test["error"], &seen["lastError"]] {
            let error = error.as_str().unwrap();
            let why =
                if scheme == "http" { "is not allowed" } else { "not of the public internet" };
            assert!(error.contains(connected[0]) && error.contains(why), "{error}");
        }
        service.api.delete(&path).send().await.is(204);
    }
    // Among several addresses only those are connected that are permitted.
    names.lead_to(&["127.0.0.1", "127.0.0.2"]);
    let (path, _) =
        make(&service.api, &body(&format!("http://receiver.example:{port}/hook"))).await;
    service.log_any().send().await.is(201);
    let seen = comes_to(&service.api, &path, |seen| !seen["lastError"].is_null()).await;
    assert!(seen["lastError"].as_str().unwrap().contains("refused"), "{seen}");
    assert!(receiver.received().is_empty());
}

async fn what_is_allowed_no_more_gets_nothing(database: Database) {
    let (service, _) = start(database, &["127.0.0.1/32"]).await;
    let receiver = Receiver::start().await;
    receiver.always(Reply::Status(204));
    let (path, _) = make(&service.api, &receiver.webhook()).await;
    service.log_any().send().await.is(201);
    arrives(&receiver, 1).await;
    comes_to(&service.api, &path, |seen| seen["behind"] == 0).await;
    let (tenant, database) = (service.tenant.clone(), service.database.clone());
    drop(service);
    let service = Service::start_for(Some(tenant), database, |_| ()).await;
    service.log_any().send().await.is(201);
    let seen = comes_to(&service.api, &path, |seen| !seen["lastError"].is_null()).await;
    assert_eq!(seen["lastError"], "must begin with https: http to 127.0.0.1 is not allowed");
    assert_eq!(receiver.received().len(), 1);
}
