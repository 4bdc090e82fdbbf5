//! Logs the rows in the store, in batches.

use anyhow::{Context, bail};
use timelog_domain::ports::{Clock, Closings, Directory, TimeEntryQueries, TimeEntryRepository};
use timelog_domain::{
    Caller, Command, Decision, Details, ExternalRef, Filter, ItemOutcome, Ledger, LogMany,
    LogTimeEntry, Outcome, PageRequest, ProjectId, Reply, Request, Sort, Source, TimeEntryId,
    handle,
};
use uuid::Uuid;

use super::fault::{Fault, faults};
use super::identity::Repeats;
use super::row::{Draft, Identity, Row, default_names};
use super::users::Users;
use super::{Counts, Format};
use crate::clock::SystemClock;
use crate::http::problem::Problem;

/// How many rows are logged at a time, as many as the API allows.
pub(super) const BATCH: usize = 500;

/// Collects rows and logs each full batch.
pub(super) struct Load<'a, S> {
    pub(super) store: &'a S,
    pub(super) caller: Caller,
    pub(super) project: ProjectId,
    pub(super) users: &'a Users,
    pub(super) format: Format,
    pub(super) repeats: Repeats,
    /// Whether to decide everything and store nothing.
    pub(super) dry_run: bool,
    pub(super) counts: Counts,
    pub(super) waiting: Vec<(u64, Item)>,
}

/// The entry to log for a row, or the faults of the row.
type Item = Result<LogTimeEntry, Vec<Fault>>;

/// The lines of refused rows, with their faults.
pub(super) type Refused = Vec<(u64, Vec<Fault>)>;

impl<S: TimeEntryRepository + TimeEntryQueries + Directory + Closings> Load<'_, S> {
    /// Takes a row. Returns the refused rows, if this row filled a batch.
    pub(super) async fn take(&mut self, row: Row) -> anyhow::Result<Refused> {
        let Row { line, wanted, draft } = row;
        let item = match draft {
            // Equal rows are numbered before --where is applied, so that it does not change their
            // ids.
            Ok(draft) => {
                let identity = self.identify(&draft.identity)?;
                if wanted { self.item(draft, identity).await? } else { None }
            }
            Err(faults) => wanted.then_some(Err(faults)),
        };
        if !wanted {
            self.counts.skipped += 1;
        }
        self.waiting.extend(item.map(|item| (line, item)));
        if self.waiting.len() < BATCH { Ok(Vec::new()) } else { self.flush().await }
    }

    /// The external reference of a row, the same at every import.
    fn identify(&mut self, identity: &Identity) -> anyhow::Result<ExternalRef> {
        let (provider, external_type, id) = match identity {
            Identity::Reference(reference) => return Ok(reference.clone()),
            Identity::TimeEntry(id) => ("timelog", "time-entry", id.to_string()),
            Identity::Content(content) => {
                let (provider, _) = default_names(self.format);
                (provider, "row", content.id(self.repeats.count(*content)))
            }
        };
        let part = |text: &str| text.parse().context("a reference cannot be made");
        Ok(ExternalRef {
            provider: part(provider)?,
            external_type: part(external_type)?,
            external_id: part(&id)?,
        })
    }

    /// The entry to log for a row, or its faults; none if the row was exported from this
    /// organization.
    async fn item(
        &mut self,
        draft: Draft,
        external_ref: ExternalRef,
    ) -> anyhow::Result<Option<Item>> {
        let Draft { names, details, identity } = draft;
        let user_id = match self.users.find(&names) {
            Ok(user) => user,
            Err(fault) => return Ok(Some(Err(vec![fault]))),
        };
        let details = Details { user_id, ..details };
        if let Identity::TimeEntry(id) = identity
            && let Some(result) = self.compare_with_exported(id, &details).await?
        {
            return Ok(result.err().map(|fault| Err(vec![fault])));
        }
        let id = TimeEntryId::new(Uuid::now_v7());
        let (project_id, external_ref) = (self.project, Some(external_ref));
        Ok(Some(Ok(LogTimeEntry { id, project_id, details, external_ref, source: Source::Import })))
    }

    /// The result of a row that was exported from this organization and whose entry still exists: a
    /// fault, unless the two are the same. Such a row is not logged.
    async fn compare_with_exported(
        &mut self,
        id: TimeEntryId,
        details: &Details,
    ) -> anyhow::Result<Option<Result<(), Fault>>> {
        let found = self.store.find(self.caller.organization_id, id).await;
        Ok(found.context("the entries could not be read")?.map(|entry| {
            if entry.project_id() == self.project && entry.details() == details {
                self.counts.unchanged += 1;
                return Ok(());
            }
            Err(Fault::new(
                "id",
                "is the id of an entry of this organization, which says something else",
            ))
        }))
    }

    /// Logs the waiting rows. Returns those that were refused.
    pub(super) async fn flush(&mut self) -> anyhow::Result<Refused> {
        let (mut rows, mut items) = (Vec::new(), Vec::new());
        // Rows with faults keep their places, so that refused rows come in the order of the file.
        for (line, item) in std::mem::take(&mut self.waiting) {
            rows.push((line, item.as_ref().err().cloned()));
            items.push(item.ok());
        }
        let (Some((first, _)), Some((last, _))) = (rows.first(), rows.last()) else {
            return Ok(Vec::new());
        };
        let command = Command::LogMany(LogMany { project_id: self.project, items, atomic: false });
        let request = Request { caller: self.caller, command, claim: None };
        let decided =
            if self.dry_run { self.decide(&request).await } else { self.execute(request).await };
        let decided = decided.with_context(|| {
            format!(
                "the rows of the lines {first} to {last} could not be imported, and nothing after \
                 them was tried; what was \
                 imported before stays, and importing the file again goes on from there"
            )
        })?;
        let outcomes = match decided {
            Ok(Reply::Done { outcome: Outcome::Many(outcomes), .. }) => outcomes,
            Ok(_) => bail!("the store gave an answer of another kind"),
            Err(refusal) => return Err(refusal).context("the rows were refused"),
        };
        let mut refused = Vec::new();
        for ((line, faults_of_row), outcome) in rows.into_iter().zip(outcomes) {
            match outcome {
                ItemOutcome::Created(_) => self.counts.created += 1,
                ItemOutcome::Updated(_) => self.counts.updated += 1,
                ItemOutcome::Unchanged(_) => self.counts.unchanged += 1,
                ItemOutcome::Refused(refusal) => {
                    refused.push((line, faults(Problem::from(refusal).reasons())));
                }
                ItemOutcome::Invalid => refused.push((line, faults_of_row.unwrap_or_default())),
                ItemOutcome::NotApplied | ItemOutcome::Deleted => {
                    bail!("line {line} was not applied")
                }
            }
        }
        self.counts.refused += refused.len() as u64;
        Ok(refused)
    }

    async fn execute(&self, request: Request) -> anyhow::Result<Decision> {
        Ok(self.store.execute(request).await?)
    }

    /// Decides as the store would, on a ledger of what is stored now, and drops the changes.
    async fn decide(&self, request: &Request) -> anyhow::Result<Decision> {
        let mut ledger = Ledger::default();
        let (organization, project) = (self.caller.organization_id, self.project);
        if let Some(project) = self.store.project(organization, project).await? {
            ledger.load_project(project);
        }
        for key in [(organization, None), (organization, Some(project))] {
            if let Some(closing) = self.store.closings(key, 1).await?.pop() {
                ledger.load_closing(closing);
            }
        }
        let Command::LogMany(LogMany { items, .. }) = &request.command else {
            return Ok(handle(request, &mut ledger, SystemClock.now()));
        };
        for item in items.iter().flatten() {
            let Details { user_id, ticket_id, release_id, .. } = item.details;
            if ledger.user(organization, user_id).is_none()
                && let Some(user) = self.store.user(organization, user_id).await?
            {
                ledger.load_user(user);
            }
            if let Some(id) = ticket_id.filter(|id| !ledger.has_ticket(organization, project, *id))
                && let Some(entry) = self.store.ticket(organization, project, id).await?
            {
                ledger.load_ticket(&entry);
            }
            if let Some(id) =
                release_id.filter(|id| !ledger.has_release(organization, project, *id))
                && let Some(release) = self.store.release(organization, project, id).await?
            {
                ledger.load_release(&release);
            }
            let Some(reference) = item.external_ref.clone() else { continue };
            let filter = Filter {
                external_provider: Some(reference.provider),
                external_type: Some(reference.external_type),
                external_id: Some(reference.external_id),
                ..Filter::default()
            };
            let page = PageRequest { filter, sort: Sort::default(), after: None, limit: 1 };
            let page = self.store.list(organization, page).await?;
            page.items.into_iter().for_each(|entry| ledger.load_time_entry(entry));
        }
        Ok(handle(request, &mut ledger, SystemClock.now()))
    }
}
