//! `--anonymous-rate` and `--trusted-proxy`: requests without a valid key are limited for each
//! address, and do not slow down requests with one.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use timelog_api::{Ports, Server, Settings};
use timelog_domain::ports::{ApiKeys, Clock, IssuedKey, NewApiKey, PortFuture};
use timelog_domain::{ApiKey, KeyId, OrganizationId, Timestamp};

use crate::support::{Api, Call, Database, Service, Setup, on_every_database};

on_every_database![
    requests_without_a_valid_key_over_the_rate_are_answered_429_with_retry_after,
    a_forwarded_address_from_an_untrusted_peer_is_ignored,
    a_forwarded_address_from_a_trusted_proxy_is_counted,
    a_valid_key_still_works_while_its_address_is_flooded,
    a_revoked_key_counts_as_no_key,
    guessed_keys_are_looked_up_no_more_often_than_the_rate_allows,
];

/// How many attempts a slow machine may need.
const TRIES: usize = 1000;

/// One request a second, with addresses from the forwarding headers of this machine.
fn narrow(setup: &mut Setup) {
    setup.settings.anonymous_rate = NonZeroU32::new(1);
    setup.settings.trusted_proxies =
        vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
}

/// Repeats a call until the rate of its address is used up.
async fn flood(call: &Call) {
    for _ in 0..TRIES {
        let answer = call.clone().send().await;
        if answer.status == 429 {
            let answer = answer.fails_with(429, "rate_limited");
            assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
            assert!(answer.text("detail").contains("this address"), "{}", answer.describe());
            return;
        }
    }
    panic!("it is never refused");
}

/// Calls with a key that is not known yet, and waits while the rate of the address is used up.
async fn let_in(call: &Call) {
    for _ in 0..TRIES {
        let answer = call.clone().send().await;
        if answer.status != 429 {
            answer.is(200);
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it is never let in");
}

async fn requests_without_a_valid_key_over_the_rate_are_answered_429_with_retry_after(
    database: Database,
) {
    let service = Service::start_with(database, narrow).await;
    let nobody = service.api.without_key();
    let unknown = format!("tlk_0123456789ab_{}", "0".repeat(64));
    let calls = [
        nobody.get("/me"),
        nobody.post(&service.tenant.path()).json(&service.tenant.body()),
        nobody.get("/me").header("x-api-key", "x"),
        nobody.get("/me").header("authorization", format!("Bearer {unknown}")),
        nobody.get("/nothing"),
        nobody.get("/nothing").header("x-api-key", &unknown),
        nobody.get("/docs/"),
        nobody.get("/docs/nothing"),
        nobody.get("/openapi.json"),
        nobody.get("/metrics"),
        nobody.delete("/me"),
    ];
    for (index, call) in calls.into_iter().enumerate() {
        let call = call.header("x-forwarded-for", format!("198.51.100.{index}"));
        assert_ne!(
            call.clone().send().await.status,
            429,
            "the first request from an address is let in"
        );
        flood(&call).await;
    }
    // Health is never refused.
    for _ in 0..20 {
        nobody.get("/health/live").send().await.is(200);
        nobody.get("/health/ready").send().await.is(200);
    }
    assert_eq!(service.database.count("time_entries"), 0);
}

async fn a_forwarded_address_from_an_untrusted_peer_is_ignored(database: Database) {
    let service = Service::start_with(database, |setup| {
        narrow(setup);
        setup.settings.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    });
    let service = service.await;
    let nobody = service.api.without_key();
    for (name, before) in [("x-forwarded-for", ""), ("forwarded", "for=")] {
        let made_up = |number| format!("{before}198.51.{}.{}", number / 250, number % 250);
        for number in 0..TRIES {
            if nobody.get("/me").header(name, made_up(number)).send().await.status == 429 {
                break;
            }
            assert_ne!(number, TRIES - 1, "it is never refused by {name}");
        }
    }
}

async fn a_forwarded_address_from_a_trusted_proxy_is_counted(database: Database) {
    let service = Service::start_with(database, narrow).await;
    let from = |name: &str, list: &str| service.api.without_key().get("/me").header(name, list);
    // The address that the client made up comes before those that the proxies added.
    for number in 0..TRIES {
        let list = format!("203.0.113.{}, 198.51.100.1, 10.1.2.3", number % 250);
        if from("x-forwarded-for", &list).send().await.status == 429 {
            break;
        }
        assert_ne!(number, TRIES - 1, "it is never refused");
    }
    // Other clients come through the same proxies.
    from("x-forwarded-for", "198.51.100.2, 10.1.2.3").send().await.is(401);
    from("forwarded", "for=198.51.100.3;proto=https, for=10.1.2.3").send().await.is(401);
    let lines = from("x-forwarded-for", "1.1.1.1")
        .another_header("x-forwarded-for", "198.51.100.4, 10.1.2.3");
    lines.send().await.is(401);
    // IPv6 addresses count by their /64.
    flood(&from("x-forwarded-for", "2001:db8::1")).await;
    let neighbour = from("x-forwarded-for", "[2001:db8::2:2]:443");
    flood(&neighbour).await;
    from("x-forwarded-for", "2001:db8:0:1::1").send().await.is(401);
}

async fn a_valid_key_still_works_while_its_address_is_flooded(database: Database) {
    for memory in [Duration::ZERO, Duration::from_secs(5)] {
        let service = Service::start_with(database, |setup| {
            narrow(setup);
            setup.settings.key_memory = memory;
        });
        let service = service.await;
        let_in(&service.api.get("/me")).await;
        let guess =
            service.api.with_key(&format!("tlk_0123456789ab_{}", "0".repeat(64))).get("/me");
        for _ in 0..20 {
            flood(&service.api.without_key().get("/nothing")).await;
            flood(&guess).await;
            service.api.get("/me").send().await.is(200);
            service.log_any().send().await.is(201);
            // Paths that need no key do not count it either.
            service.api.get("/docs/").send().await.is(200);
            service.api.get("/nothing").send().await.is(404);
        }
    }
}

async fn a_revoked_key_counts_as_no_key(database: Database) {
    let service = Service::start_with(database, narrow).await;
    let key = service.key(|_| ()).await;
    let call = service.api.with_key(&key.text).get("/me");
    let_in(&call).await;
    for _ in 0..20 {
        call.clone().send().await.is(200);
    }
    assert_eq!(service.store.revoke(key.key.id, service.clock.now()).await, Ok(true));
    flood(&call).await;
}

/// Counts how often a key is looked up.
struct Counting {
    keys: Arc<dyn ApiKeys>,
    lookups: AtomicUsize,
}

impl ApiKeys for Counting {
    fn find<'a>(&'a self, presented: &'a str, now: Timestamp) -> PortFuture<'a, Option<ApiKey>> {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        self.keys.find(presented, now)
    }

    fn create(&self, key: NewApiKey) -> PortFuture<'_, IssuedKey> {
        self.keys.create(key)
    }

    fn rotate(
        &self,
        id: KeyId,
        now: Timestamp,
        former_until: Timestamp,
    ) -> PortFuture<'_, Option<IssuedKey>> {
        self.keys.rotate(id, now, former_until)
    }

    fn list(&self, organization: OrganizationId) -> PortFuture<'_, Vec<ApiKey>> {
        self.keys.list(organization)
    }

    fn revoke(&self, id: KeyId, now: Timestamp) -> PortFuture<'_, bool> {
        self.keys.revoke(id, now)
    }
}

async fn guessed_keys_are_looked_up_no_more_often_than_the_rate_allows(database: Database) {
    let service = Service::start(database).await;
    let keys = Arc::new(Counting { keys: service.store.clone(), lookups: AtomicUsize::new(0) });
    let ports = Ports::on(&service.store, Arc::new(service.clock.clone()));
    let settings = Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        workers: 1,
        anonymous_rate: NonZeroU32::new(1),
        shutdown_timeout: Duration::ZERO,
        ..Settings::default()
    };
    let server = Server::start(&settings, Ports { keys: keys.clone(), ..ports }).unwrap();
    let api = Api::new(server.address(), "");
    let mut answered = 0;
    for number in 0..300 {
        let answer = api
            .get("/me")
            .header("x-api-key", format!("tlk_0123456789ab_{number:064x}"))
            .send()
            .await;
        assert!([401, 429].contains(&answer.status), "{}", answer.describe());
        answered += usize::from(answer.status == 401);
    }
    assert!((1..300).contains(&answered), "{answered} were looked up");
    assert_eq!(keys.lookups.load(Ordering::Relaxed), answered);
    server.stop().await.unwrap();
}
