//! Every route with every kind of key: what the key may do succeeds; everything else is refused
//! with the documented code and changes nothing.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use timelog_domain::ports::{ApiKeys, Clock, NewApiKey};
use timelog_domain::{Permission, Status, UserId};

use crate::support::{
    Answer, Api, Call, Database, Receiver, Service, Tenant, document, may, on_every_database,
};

use self::Needs::{AnyKey, Nothing, The};
use self::Scope::{AllProjects, Anywhere, ItsItems, OneProject};
use self::Users::{AnyUser, ItemOfOwn, NotOwn, OwnAlone};
use Permission::{Admin, Approve, Bill, Read, ReadOwn, Write};

on_every_database![every_route_allows_exactly_what_the_key_may_do,];

/// What a key must have for a route.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Needs {
    /// No key is needed.
    Nothing,
    AnyKey,
    The(Permission),
}

/// What a key that is limited to one project may not do.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scope {
    /// The limit does not matter, or reduces the answer.
    Anywhere,
    /// It concerns one project, named in the path or by the entry.
    OneProject,
    /// It concerns the organization.
    AllProjects,
    /// As one project, for each item of a batch.
    ItsItems,
}

/// What a key that is bound to a user may not do.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Users {
    AnyUser,
    /// It changes what the user did.
    OwnAlone,
    /// As that, for each item of a batch.
    ItemOfOwn,
    /// It approves, rejects or reopens what the user did.
    NotOwn,
}

struct Rule {
    operation: &'static str,
    needs: Needs,
    scope: Scope,
    users: Users,
    /// The status of a success.
    done: u16,
}

const fn rule(
    operation: &'static str,
    needs: Needs,
    scope: Scope,
    users: Users,
    done: u16,
) -> Rule {
    Rule { operation, needs, scope, users, done }
}

const RULES: &[Rule] = &[
    rule("POST /projects/{projectId}/time-entries", The(Write), OneProject, OwnAlone, 201),
    rule("POST /projects/{projectId}/time-entries/batch", The(Write), OneProject, ItemOfOwn, 200),
    rule("GET /projects/{projectId}/time-entries", The(Read), OneProject, AnyUser, 200),
    rule("GET /projects/{projectId}/time-entries/summary", The(Read), OneProject, AnyUser, 200),
    rule("GET /projects/{projectId}/time-entries.csv", The(Read), OneProject, AnyUser, 200),
    rule("GET /projects/{projectId}/time-entries.xlsx", The(Read), OneProject, AnyUser, 200),
    rule("GET /time-entries", The(Read), AllProjects, AnyUser, 200),
    rule("GET /time-entries/summary", The(Read), AllProjects, AnyUser, 200),
    rule("GET /time-entries.csv", The(Read), AllProjects, AnyUser, 200),
    rule("GET /time-entries.xlsx", The(Read), AllProjects, AnyUser, 200),
    rule("GET /time-entries/{timeEntryId}", The(Read), OneProject, AnyUser, 200),
    rule("GET /time-entries/{timeEntryId}/history", The(Read), OneProject, AnyUser, 200),
    rule("PATCH /time-entries/{timeEntryId}", The(Write), OneProject, OwnAlone, 200),
    rule("DELETE /time-entries/{timeEntryId}", The(Write), OneProject, OwnAlone, 204),
    rule("POST /time-entries/{timeEntryId}/submit", The(Write), OneProject, OwnAlone, 200),
    rule("POST /time-entries/{timeEntryId}/recall", The(Write), OneProject, OwnAlone, 200),
    rule("POST /time-entries/{timeEntryId}/approve", The(Approve), OneProject, NotOwn, 200),
    rule("POST /time-entries/{timeEntryId}/reject", The(Approve), OneProject, NotOwn, 200),
    rule("POST /time-entries/{timeEntryId}/reopen", The(Approve), OneProject, NotOwn, 200),
    rule("POST /time-entries/{timeEntryId}/lock", The(Approve), OneProject, AnyUser, 200),
    rule("POST /time-entries/{timeEntryId}/unlock", The(Approve), OneProject, AnyUser, 200),
    rule("POST /time-entries/{timeEntryId}/invoice", The(Bill), OneProject, AnyUser, 200),
    rule("POST /time-entries/{timeEntryId}/release-invoice", The(Bill), OneProject, AnyUser, 200),
    rule("POST /time-entries/transitions", The(Write), ItsItems, ItemOfOwn, 200),
    rule("POST /time-entries/edits", The(Write), ItsItems, ItemOfOwn, 200),
    rule("POST /time-entries/deletions", The(Write), ItsItems, ItemOfOwn, 200),
    rule("GET /changes", The(Read), AllProjects, AnyUser, 200),
    rule("GET /projects/{projectId}/changes", The(Read), OneProject, AnyUser, 200),
    rule("GET /closing", The(Read), AllProjects, AnyUser, 200),
    rule("PUT /closing", The(Admin), AllProjects, AnyUser, 200),
    rule("GET /projects/{projectId}/closing", The(Read), OneProject, AnyUser, 200),
    rule("PUT /projects/{projectId}/closing", The(Admin), OneProject, AnyUser, 200),
    rule("POST /webhooks", The(Admin), AllProjects, AnyUser, 201),
    rule("GET /webhooks", The(Admin), AllProjects, AnyUser, 200),
    rule("GET /webhooks/{webhookId}", The(Admin), AllProjects, AnyUser, 200),
    rule("PATCH /webhooks/{webhookId}", The(Admin), AllProjects, AnyUser, 200),
    rule("DELETE /webhooks/{webhookId}", The(Admin), AllProjects, AnyUser, 204),
    rule("POST /webhooks/{webhookId}/rotate-secret", The(Admin), AllProjects, AnyUser, 200),
    rule("POST /webhooks/{webhookId}/test", The(Admin), AllProjects, AnyUser, 200),
    rule("GET /webhooks/{webhookId}/failures", The(Admin), AllProjects, AnyUser, 200),
    rule("POST /webhooks/{webhookId}/failures/{seq}/retry", The(Admin), AllProjects, AnyUser, 200),
    rule("GET /projects", The(Read), Anywhere, AnyUser, 200),
    rule("GET /projects/{projectId}", The(Read), OneProject, AnyUser, 200),
    rule("PUT /projects/{projectId}", The(Admin), OneProject, AnyUser, 200),
    rule("GET /projects/{projectId}/entries", The(Read), OneProject, AnyUser, 200),
    rule("GET /projects/{projectId}/releases", The(Read), OneProject, AnyUser, 200),
    rule("GET /projects/{projectId}/entries/{entryId}", The(Read), OneProject, AnyUser, 200),
    rule("PUT /projects/{projectId}/entries/{entryId}", The(Admin), OneProject, AnyUser, 200),
    rule("GET /projects/{projectId}/releases/{releaseId}", The(Read), OneProject, AnyUser, 200),
    rule("PUT /projects/{projectId}/releases/{releaseId}", The(Admin), OneProject, AnyUser, 200),
    rule("GET /users", The(Read), Anywhere, AnyUser, 200),
    rule("GET /users/{userId}", The(Read), Anywhere, AnyUser, 200),
    rule("PUT /users/{userId}", The(Admin), AllProjects, AnyUser, 200),
    rule("GET /me", AnyKey, Anywhere, AnyUser, 200),
    rule("GET /health/live", Nothing, Anywhere, AnyUser, 200),
    rule("GET /health/ready", Nothing, Anywhere, AnyUser, 200),
    rule("GET /metrics", Nothing, Anywhere, AnyUser, 200),
    rule("GET /openapi.json", Nothing, Anywhere, AnyUser, 200),
    rule("GET /docs", Nothing, Anywhere, AnyUser, 308),
    rule("GET /docs/", Nothing, Anywhere, AnyUser, 200),
];

/// The kinds of key. One that is limited in one way may do everything otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    None,
    Malformed,
    Revoked,
    Stranger,
    OfOtherProject,
    OfOwnProject,
    Only(Permission),
    OfOwnUser,
    OfOtherUser,
    /// Of the owner of the entries, which sees those alone.
    SeesOwn,
    /// Of another user, which sees nothing of theirs.
    SeesOthers,
    Whole,
}

const KINDS: [Kind; 16] = [
    Kind::None,
    Kind::Malformed,
    Kind::Revoked,
    Kind::Stranger,
    Kind::OfOtherProject,
    Kind::OfOwnProject,
    Kind::Only(Read),
    Kind::Only(Write),
    Kind::Only(Approve),
    Kind::Only(Bill),
    Kind::Only(Admin),
    Kind::OfOwnUser,
    Kind::OfOtherUser,
    Kind::SeesOwn,
    Kind::SeesOthers,
    Kind::Whole,
];

#[derive(Debug, PartialEq)]
enum Expected {
    Done(u16),
    Refused(u16, &'static str),
    /// The request is answered 200, and its one item failed.
    ItemRefused(&'static str),
}

impl Rule {
    /// The method and the path, in which the ids are still to be filled in.
    fn parts(&self) -> (Method, &'static str) {
        let (method, path) = self.operation.split_once(' ').unwrap();
        (method.parse().unwrap(), path)
    }

    fn expected(&self, kind: Kind) -> Expected {
        use Expected::{Done, ItemRefused, Refused};
        let done = Done(self.done);
        match kind {
            _ if self.needs == Nothing => done,
            Kind::None | Kind::Malformed => Refused(401, "unauthorized"),
            Kind::Revoked => Refused(401, "key_revoked"),
            Kind::Stranger => match (self.scope, self.operation) {
                (_, operation) if operation.contains("{webhookId}") => Refused(404, "not_found"),
                // The key of another organization may use the same ids there.
                (_, "PUT /projects/{projectId}" | "PUT /users/{userId}") => Done(201),
                (_, "GET /users/{userId}") | (OneProject, _) => Refused(404, "not_found"),
                (ItsItems, _) => ItemRefused("not_found"),
                (Anywhere | AllProjects, _) => done,
            },
            Kind::OfOtherProject => match self.scope {
                OneProject | AllProjects => Refused(403, "scope_violation"),
                ItsItems => ItemRefused("scope_violation"),
                Anywhere => done,
            },
            Kind::OfOwnProject if self.scope == AllProjects => Refused(403, "scope_violation"),
            Kind::Only(permission) => match self.needs {
                The(needed) if needed != permission => Refused(403, "forbidden"),
                _ => done,
            },
            // A webhook tells of everybody's entries.
            Kind::SeesOwn | Kind::SeesOthers if self.operation.contains("/webhooks") => {
                Refused(403, "forbidden")
            }
            Kind::OfOwnUser | Kind::SeesOwn if self.users == NotOwn => Refused(403, "forbidden"),
            Kind::SeesOthers if self.operation.contains("{timeEntryId}") => {
                Refused(404, "not_found")
            }
            Kind::SeesOthers if self.scope == ItsItems => ItemRefused("not_found"),
            Kind::OfOtherUser | Kind::SeesOthers if self.users == OwnAlone => {
                Refused(403, "forbidden")
            }
            Kind::OfOtherUser | Kind::SeesOthers if self.users == ItemOfOwn => {
                ItemRefused("forbidden")
            }
            Kind::OfOwnProject
            | Kind::OfOwnUser
            | Kind::OfOtherUser
            | Kind::SeesOwn
            | Kind::SeesOthers
            | Kind::Whole => done,
        }
    }

    /// The status in which an entry takes the action, or in which it can be changed.
    fn from(&self) -> Status {
        match self.operation.rsplit('/').next() {
            Some("recall" | "approve" | "reject") => Status::Submitted,
            Some("reopen" | "lock" | "invoice") => Status::Approved,
            Some("unlock") => Status::Locked,
            Some("release-invoice") => Status::Invoiced,
            _ => Status::Draft,
        }
    }

    fn body(&self, tenant: &Tenant, id: &str) -> Option<Value> {
        let (method, path) = self.parts();
        let body = match (method.as_str(), path.rsplit('/').next().unwrap()) {
            ("GET" | "DELETE", _) => return None,
            ("POST", "time-entries") => tenant.body(),
            ("POST", "batch") => json!({ "entries": [tenant.body()] }),
            ("POST", "webhooks") => disabled_webhook(),
            ("POST", "transitions") => json!({ "action": "submit", "ids": [id] }),
            ("POST", "edits") => json!({ "patch": { "minutes": 7 }, "ids": [id] }),
            ("POST", "deletions") => json!({ "ids": [id] }),
            ("POST", _) => json!({ "reason": "because", "invoiceRef": "2026-0001" }),
            ("PATCH", "{webhookId}") => json!({ "description": "Another" }),
            ("PATCH", _) => json!({ "minutes": 7 }),
            ("PUT", "closing") => json!({ "through": "2024-12-31" }),
            ("PUT", "{entryId}") => json!({ "title": "Another" }),
            _ => json!({ "name": "Another" }),
        };
        Some(body)
    }

    /// The route on what the tenant has, and on one of its entries and webhooks.
    fn call(&self, api: &Api, tenant: &Tenant, (id, webhook): &(String, String)) -> Call {
        let (method, path) = self.parts();
        let path = path
            .replace("{projectId}", &tenant.project_id.to_string())
            .replace("{userId}", &tenant.user_id.to_string())
            .replace("{entryId}", &tenant.ticket_id.to_string())
            .replace("{releaseId}", &tenant.release_id.to_string())
            .replace("{webhookId}", webhook)
            .replace("{seq}", "1")
            .replace("{timeEntryId}", id);
        let call = api.call(method, &path);
        match self.body(tenant, id) {
            Some(body) => call.json(&body),
            None => call,
        }
    }
}

async fn key(service: &Service, stranger: &Tenant, kind: Kind) -> Api {
    let tenant = &service.tenant;
    let (own, other) = (tenant.project_id, tenant.other_project_id);
    let (user, other_user) = (tenant.user_id, tenant.other_user_id);
    match kind {
        Kind::None => service.api.without_key(),
        Kind::Malformed => service.api.with_key("tlk_none"),
        Kind::Revoked => {
            let key = service.key(|_| ()).await;
            service.store.revoke(key.key.id, service.clock.now()).await.unwrap();
            service.api.with_key(&key.text)
        }
        Kind::Stranger => stranger.api(&service.api),
        Kind::OfOtherProject => service.with_key(move |key| key.project_id = Some(other)).await,
        Kind::OfOwnProject => service.with_key(move |key| key.project_id = Some(own)).await,
        Kind::Only(permission) => service.with_key(may(&[permission])).await,
        Kind::OfOwnUser => service.with_key(move |key| key.user_id = Some(user)).await,
        Kind::OfOtherUser => service.with_key(move |key| key.user_id = Some(other_user)).await,
        Kind::SeesOwn => service.with_key(sees_only(user)).await,
        Kind::SeesOthers => service.with_key(sees_only(other_user)).await,
        Kind::Whole => service.api.clone(),
    }
}

/// Lets a key read the entries of that user alone, and do everything else.
fn sees_only(user: UserId) -> impl FnOnce(&mut NewApiKey) {
    move |key| {
        key.user_id = Some(user);
        key.permissions = [ReadOwn, Write, Approve, Bill, Admin].into_iter().collect();
    }
}

/// A webhook that gets nothing unless somebody asks for it.
fn disabled_webhook() -> Value {
    json!({ "destinationUrl": "http://127.0.0.1:9/", "eventNames": ["*"], "enabled": false })
}

/// An entry that the rule can be tried on, and a webhook, which refused the first event.
async fn things(service: &Service, rule: &Rule) -> (String, String) {
    let entry = service.entry_in(rule.from()).await;
    if !rule.operation.contains("{webhookId}") {
        return (entry, String::new());
    }
    let webhook = service.api.post("/webhooks").json(&disabled_webhook());
    let webhook = webhook.send().await.is(201).text("id");
    service.database.execute(
        "INSERT INTO webhook_failures SELECT organization_id, id, 1, 'log', id, 'refused', \
         created_at FROM webhooks WHERE true ON CONFLICT DO NOTHING",
    );
    (entry, webhook)
}

/// Everything that the tenant can see, and the number of rows of each table.
async fn all(service: &Service) -> (String, Vec<Vec<u8>>) {
    let (project, ticket, release) =
        (service.tenant.project_id, service.tenant.ticket_id, service.tenant.release_id);
    let mut seen = Vec::new();
    for path in [
        "/time-entries.csv".to_owned(),
        "/projects".to_owned(),
        "/users".to_owned(),
        format!("/projects/{project}/entries/{ticket}"),
        format!("/projects/{project}/releases/{release}"),
    ] {
        seen.push(service.api.get(&path).send().await.is(200).body);
    }
    (service.database.counts(), seen)
}

#[track_caller]
fn meets(answer: &Answer, expected: &Expected, what: &str) {
    let told = format!("{what}: {}", answer.describe());
    match expected {
        Expected::Done(status) => {
            assert_eq!(answer.status, *status, "{told}");
            if ["/batch", "/transitions", "/edits", "/deletions"]
                .iter()
                .any(|end| answer.path.ends_with(end))
            {
                let outcome = &answer.json()["results"][0]["outcome"];
                assert!(
                    ["created", "changed", "deleted"].contains(&outcome.as_str().unwrap()),
                    "{told}"
                );
            }
        }
        Expected::Refused(status, code) => {
            assert_eq!((answer.status, answer.text("code").as_str()), (*status, *code), "{told}");
            let challenge = (*status == 401).then_some("Bearer");
            assert_eq!(answer.header("www-authenticate"), challenge, "{told}");
        }
        Expected::ItemRefused(code) => {
            assert_eq!(answer.status, 200, "{told}");
            let result = &answer.json()["results"][0];
            assert_eq!(
                (&result["outcome"], &result["problem"]["code"]),
                (&json!("failed"), &json!(code)),
                "{told}"
            );
        }
    }
}

async fn every_route_allows_exactly_what_the_key_may_do(database: Database) {
    let service = Service::start_with(database, Receiver::allow);
    let service = service.await;
    for rule in RULES {
        let stranger = Tenant::provision(&service.store).await;
        let mut keys = Vec::new();
        for kind in KINDS {
            keys.push((kind, key(&service, &stranger, kind).await, rule.expected(kind)));
        }
        let things_of_all = things(&service, rule).await;
        let before = all(&service).await;
        for (kind, api, expected) in
            keys.iter().filter(|(_, _, expected)| !matches!(expected, Expected::Done(_)))
        {
            let answer = rule.call(api, &service.tenant, &things_of_all).send().await;
            meets(&answer, expected, &format!("{} with {kind:?}", rule.operation));
        }
        assert!(
            all(&service).await == before,
            "{} changed something for a key that may not",
            rule.operation
        );
        // The allowed calls come last, each on an entry of its own.
        for (kind, api, expected) in
            keys.iter().filter(|(_, _, expected)| matches!(expected, Expected::Done(_)))
        {
            let own = things(&service, rule).await;
            let answer = rule.call(api, &service.tenant, &own).send().await;
            meets(&answer, expected, &format!("{} with {kind:?}", rule.operation));
            let is_blind =
                *kind == Kind::SeesOthers || *kind == Kind::Stranger && rule.scope != Anywhere;
            if is_blind {
                let shown = String::from_utf8_lossy(&answer.body);
                assert!(!shown.contains(&own.0), "{} shows entries to {kind:?}", rule.operation);
            }
        }
    }
    // The things that the other organization put are not in ours.
    let seen = service.api.get(&format!("/users/{}", service.tenant.user_id)).send().await.is(200);
    assert_eq!(
        seen.json(),
        json!({ "id": service.tenant.user_id.to_string(), "name": "Another", "active": true })
    );
}

#[test]
fn every_operation_of_the_openapi_document_is_tested() {
    let paths = document()["paths"].as_object().unwrap();
    let described: BTreeSet<_> = paths
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (path, method)))
        .filter(|(_, method)| *method != "parameters")
        .map(|(path, method)| format!("{} {path}", method.to_uppercase()))
        .collect();
    let ruled: BTreeSet<_> = RULES.iter().map(|rule| rule.operation.to_owned()).collect();
    assert_eq!(ruled, described);
}
