//! Carrying steps out, on the model and on what is tried, and comparing all that can be seen.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use timelog_domain::ports::PortError;
use timelog_domain::*;

use super::steps::{Ask, Item, Look, Many, Put, Step, What, Who};
use crate::subject::{Subject, empty_memory};
use crate::together::at_once;
use crate::world::{
    self, OTHER_PROJECT, OTHER_TICKET, OTHER_USER, PROJECT, RELEASE, TICKET, USER, id, render, text,
};

type Checked = Result<(), TestCaseError>;

/// After so many steps everything is compared.
const STRIDE: usize = 8;

/// One sequence of steps on both.
pub(super) struct Run<'a> {
    model: Subject,
    /// The program that runs on the database now.
    tried: &'a mut Subject,
    /// Each sequence happens in two organizations of its own, so that they can share one database.
    organizations: [OrganizationId; 2],
    /// The entries that were logged, last first.
    entries: Vec<TimeEntryId>,
    /// The number of the entry that was minted last.
    minted: u128,
    scopes: BTreeSet<IdempotencyScope>,
}

impl<'a> Run<'a> {
    /// Begins the sequence of that number.
    pub(super) async fn begin(tried: &'a mut Subject, number: u128) -> Self {
        tried.clock.set(Timestamp::from_unix_millis(1_736_928_000_000).unwrap());
        // What earlier sequences left must not be swept in this one.
        while tried.answers.sweep(Timestamp::MAX, 1000).await.unwrap() > 0 {}
        let organizations = [id(10_000 + number * 2), id(10_001 + number * 2)];
        let model = empty_memory(tried.clock.clone());
        for store in [&model, &*tried] {
            for organization_id in organizations {
                populate(store, organization_id).await;
            }
        }
        Self {
            model,
            tried,
            organizations,
            entries: Vec::new(),
            minted: 1000,
            scopes: BTreeSet::new(),
        }
    }

    pub(super) async fn carry_out(&mut self, steps: &[Step]) -> Checked {
        for (index, step) in steps.iter().enumerate() {
            match step {
                Step::Ask(asked) => self.ask(asked).await?,
                Step::Put(put) => self.put(put).await?,
                Step::Wait(millis) => {
                    let now = self.tried.clock.time().unix_millis() + millis;
                    self.tried.clock.set(Timestamp::from_unix_millis(now).unwrap());
                }
                Step::Sweep => {
                    let now = self.tried.clock.time();
                    let swept = (
                        self.tried.answers.sweep(now, 1000).await,
                        self.model.answers.sweep(now, 1000).await,
                    );
                    prop_assert_eq!(swept.0, swept.1, "swept");
                }
                Step::Restart => {
                    let next = self.tried.opened_again().await;
                    self.tried.database().store.drain().await;
                    *self.tried = next;
                }
                Step::Look(look) => self.look(look).await?,
            }
            if (index + 1) % STRIDE == 0 || index + 1 == steps.len() {
                self.compare_everything().await?;
            }
        }
        Ok(())
    }

    async fn ask(&mut self, asked: &[Ask]) -> Checked {
        let known = self.entries.clone();
        let requests: Vec<_> = asked.iter().map(|ask| self.request(ask)).collect();
        let deletions: Vec<_> = requests.iter().map(deletion).collect();
        // In memory one follows the other; the database takes together what waits.
        let mut expected: Vec<Result<Decision, PortError>> = Vec::new();
        for request in requests.clone() {
            expected.push(self.model.time_entries.execute(request).await);
        }
        let decisions = at_once(self.tried, requests).await;
        prop_assert_eq!(&decisions, &expected, "decided");
        let created: BTreeSet<_> = decisions.iter().flatten().flatten().flat_map(created).collect();
        self.entries.retain(|id| known.contains(id) || created.contains(id));
        // Those that are gone are asked for as well, but not as often.
        for (id, decision) in deletions.into_iter().zip(&decisions) {
            if let (Some(id), Ok(Ok(Reply::Done { .. }))) = (id, decision) {
                self.entries.retain(|entry| *entry != id);
                self.entries.push(id);
            }
        }
        Ok(())
    }

    fn request(&mut self, ask: &Ask) -> Request {
        let caller = self.caller(&ask.who);
        let claim = ask.key.as_ref().map(|key| Claim {
            scope: IdempotencyScope {
                organization_id: caller.organization_id,
                key_id: caller.key_id,
                operation: key.operation.to_owned(),
                key: IdempotencyKey::try_from(key.text.to_owned()).unwrap(),
            },
            fingerprint: Fingerprint([key.body; 16]),
            on_mismatch: key.on_mismatch,
            render: Arc::new(render),
        });
        self.scopes.extend(claim.as_ref().map(|claim| claim.scope.clone()));
        Request { caller, command: self.command(&ask.what), claim }
    }

    fn caller(&self, who: &Who) -> Caller {
        Caller {
            organization_id: self.organizations[usize::from(who.stranger)],
            project_id: who.project.map(id),
            user_id: who.user.map(id),
            sees_only: who.user.filter(|_| who.sees_own).map(id),
            // Whoever has other limits has another key.
            key_id: id(50 + who.project.unwrap_or(0) * 100 + who.user.unwrap_or(0) * 10_000),
        }
    }

    fn command(&mut self, what: &What) -> Command {
        let if_match = |version: Option<i64>| {
            version.map_or(IfMatch::Any, |version| IfMatch::AnyOf(vec![Version::new(version)]))
        };
        match what.clone() {
            What::Log(item) => Command::Log(self.log(&item)),
            What::LogMany { project, items, atomic } => {
                // Mostly items are of the project that the whole is of.
                let item = |item: Item| Item {
                    project: if item.project == 99 { 99 } else { project },
                    ..item
                };
                let items =
                    items.into_iter().map(|one| one.map(|one| self.log(&item(one)))).collect();
                Command::LogMany(LogMany { project_id: id(project), items, atomic })
            }
            What::Edit { nth, patch, version } => Command::Edit(EditTimeEntry {
                id: self.nth(nth),
                patch,
                if_match: if_match(version),
            }),
            What::Delete { nth, version } => {
                Command::Delete(DeleteTimeEntry { id: self.nth(nth), if_match: if_match(version) })
            }
            What::Apply { nth, action, version } => Command::Apply(ApplyAction {
                id: self.nth(nth),
                transition: world::transition(action),
                if_match: if_match(version),
            }),
            What::Close { project, through, reason } => Command::Close(CloseBooks {
                project_id: project.map(id),
                through,
                reason: reason.then(|| text("because")),
            }),
            What::ChangeMany { entries, change, atomic } => {
                let entries = match entries {
                    Many::Nths(nths) => {
                        Selection::Ids(nths.into_iter().map(|nth| self.nth(nth)).collect())
                    }
                    Many::Filter(filter) => Selection::Filter(filter),
                };
                Command::ChangeMany(ChangeMany { entries, change, atomic })
            }
        }
    }

    fn log(&mut self, item: &Item) -> LogTimeEntry {
        self.minted += 1;
        self.entries.insert(0, id(self.minted));
        LogTimeEntry {
            id: id(self.minted),
            project_id: id(item.project),
            details: item.details.clone(),
            external_ref: item.reference.map(world::reference),
            source: item.source,
        }
    }

    fn nth(&self, nth: usize) -> TimeEntryId {
        self.entries.iter().cycle().nth(nth).copied().unwrap_or_else(|| id(404))
    }

    async fn put(&mut self, put: &Put) -> Checked {
        let organization_id = self.organizations[0];
        let created = |store: &Subject| {
            let directory = store.directory.clone();
            let put = put.clone();
            async move {
                match put {
                    Put::Project { project, archived } => {
                        directory
                            .put_project(Project {
                                organization_id,
                                ..world::project(project, archived)
                            })
                            .await
                    }
                    Put::User { user, active } => {
                        directory
                            .put_user(User { organization_id, ..world::user(user, active) })
                            .await
                    }
                    Put::Ticket { project, ticket } => {
                        let ticket = Ticket {
                            organization_id,
                            project_id: id(project),
                            ..world::ticket(ticket)
                        };
                        directory.put_ticket(ticket).await
                    }
                }
            }
        };
        let (tried, model) = (created(self.tried).await, created(&self.model).await);
        prop_assert_eq!(tried, model, "put");
        Ok(())
    }

    /// Reads two pages, a count and a total.
    async fn look(&self, look: &Look) -> Checked {
        let organization = self.organizations[0];
        let Look { filter, sort, by, limit } = look;
        let mut after = None;
        for _ in 0..2 {
            let page = PageRequest { filter: filter.clone(), sort: *sort, after, limit: *limit };
            let tried = self.tried.queries.list(organization, page.clone()).await;
            prop_assert_eq!(&tried, &self.model.queries.list(organization, page).await, "listed");
            after = tried.ok().and_then(|page| page.next);
            if after.is_none() {
                break;
            }
        }
        let tried = self.tried.queries.count(organization, filter.clone()).await;
        prop_assert_eq!(
            tried,
            self.model.queries.count(organization, filter.clone()).await,
            "counted"
        );
        let tried = self.tried.queries.summarize(organization, filter.clone(), *by).await;
        prop_assert_eq!(
            tried,
            self.model.queries.summarize(organization, filter.clone(), *by).await,
            "added up"
        );
        Ok(())
    }

    /// Compares all that can be seen from outside.
    async fn compare_everything(&self) -> Checked {
        let all = PageRequest {
            filter: Filter::default(),
            sort: Sort::default(),
            after: None,
            limit: 1000,
        };
        for organization in self.organizations {
            let tried = self.tried.queries.list(organization, all.clone()).await;
            prop_assert_eq!(
                tried,
                self.model.queries.list(organization, all.clone()).await,
                "entries"
            );
            for (project, user) in
                [(None, None), (None, Some(USER)), (Some(PROJECT), Some(OTHER_USER))]
            {
                let (project_id, user_id) = (project.map(id), user.map(id));
                let changes = FeedRequest { project_id, user_id, after: Seq::START, limit: 10_000 };
                let tried = self.tried.feed.changes(organization, changes).await;
                let model = self.model.feed.changes(organization, changes).await;
                prop_assert_eq!(
                    tried.map(|page| (page.changes, page.end)),
                    model.map(|page| (page.changes, page.end)),
                    "feed of {:?} and {:?}",
                    project,
                    user
                );
            }
            for project in [None, Some(PROJECT), Some(OTHER_PROJECT)] {
                let key = (organization, project.map(id));
                let tried = self.tried.closings.closings(key, 1000).await;
                prop_assert_eq!(tried, self.model.closings.closings(key, 1000).await, "closings");
            }
            for number in 1001..=self.minted {
                let tried = self.tried.queries.history(organization, id(number)).await;
                prop_assert_eq!(
                    tried,
                    self.model.queries.history(organization, id(number)).await,
                    "history"
                );
            }
        }
        let now = self.tried.clock.time();
        for scope in &self.scopes {
            let tried = self.tried.answers.find(scope, now).await;
            prop_assert_eq!(
                tried,
                self.model.answers.find(scope, now).await,
                "answer under {:?}",
                scope
            );
        }
        Ok(())
    }
}

/// The entry that the request would delete.
const fn deletion(request: &Request) -> Option<TimeEntryId> {
    match &request.command {
        Command::Delete(delete) => Some(delete.id),
        _ => None,
    }
}

/// The entries that a reply says were created.
fn created(reply: &Reply) -> Vec<TimeEntryId> {
    match reply {
        Reply::Done { outcome: Outcome::Created(entry), .. } => vec![entry.id()],
        Reply::Done { outcome: Outcome::Many(items), .. } => {
            let created = items.iter().filter(|item| matches!(item, ItemOutcome::Created(_)));
            created.filter_map(ItemOutcome::time_entry).map(TimeEntry::id).collect()
        }
        _ => Vec::new(),
    }
}

/// Two projects with a ticket and a release each, of the same ids, one of them with another ticket,
/// and two users.
async fn populate(store: &Subject, organization_id: OrganizationId) {
    let directory = &*store.directory;
    directory.put_organization(organization_id, text("Organization")).await.unwrap();
    for (project, ticket) in
        [(PROJECT, TICKET), (OTHER_PROJECT, TICKET), (OTHER_PROJECT, OTHER_TICKET)]
    {
        let project_id = id(project);
        directory
            .put_project(Project { organization_id, ..world::project(project, false) })
            .await
            .unwrap();
        directory
            .put_ticket(Ticket { organization_id, project_id, ..world::ticket(ticket) })
            .await
            .unwrap();
        directory
            .put_release(Release { organization_id, project_id, ..world::release(RELEASE) })
            .await
            .unwrap();
    }
    for user in [USER, OTHER_USER] {
        directory.put_user(User { organization_id, ..world::user(user, true) }).await.unwrap();
    }
}
