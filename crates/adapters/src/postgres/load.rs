//! Loads what a batch touches: one statement a table, all of them sent before the first answer is
//! waited for.

use diesel::deserialize::QueryableByName;
use diesel::pg::Pg;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::{FutureExt, TryFutureExt};
use timelog_domain::{IdempotencyRecord, Ledger, Project, TimeEntry, Touches, User};

use super::statement::{Column, Statement};
use crate::error::DbError;
use crate::external_digest;
use crate::rows::{IdempotencyRow, ProjectRow, ReleaseRow, TicketRow, TimeEntryRow, UserRow};
use crate::types::IdValue;

// Each key is looked up by itself, through its unique index. A plain join would leave the planner
// free to read a whole table that it believes to be small, as it does until a new table was
// analyzed for the first time.
const PROJECTS: &str = "SELECT t.* FROM unnest(?, ?) AS k (organization_id, id) \
    CROSS JOIN LATERAL (SELECT * FROM projects t \
    WHERE (t.organization_id, t.id) = (k.organization_id, k.id) LIMIT 1) t";
const USERS: &str = "SELECT t.* FROM unnest(?, ?) AS k (organization_id, id) \
    CROSS JOIN LATERAL (SELECT * FROM users t \
    WHERE (t.organization_id, t.id) = (k.organization_id, k.id) LIMIT 1) t";
const ENTRIES: &str = "SELECT t.* FROM unnest(?, ?, ?) AS k (organization_id, project_id, id) \
    CROSS JOIN LATERAL (SELECT * FROM project_entries t \
    WHERE (t.organization_id, t.project_id, t.id) = (k.organization_id, k.project_id, k.id) LIMIT 1) t";
const RELEASES: &str = "SELECT t.* FROM unnest(?, ?, ?) AS k (organization_id, project_id, id) \
    CROSS JOIN LATERAL (SELECT * FROM project_releases t \
    WHERE (t.organization_id, t.project_id, t.id) = (k.organization_id, k.project_id, k.id) LIMIT 1) t";
const TIME_ENTRIES: &str = "SELECT t.* FROM unnest(?, ?) AS k (organization_id, id) \
    CROSS JOIN LATERAL (SELECT * FROM time_entries t \
    WHERE (t.organization_id, t.id) = (k.organization_id, k.id) LIMIT 1) t";
const TIME_ENTRIES_BY_REF: &str = "SELECT t.* FROM \
    unnest(?, ?, ?, ?) AS k (organization_id, provider, type, id) \
    CROSS JOIN LATERAL (SELECT * FROM time_entries t \
    WHERE (t.organization_id, t.external_provider_digest, t.external_type_digest, t.external_id_digest) \
    = (k.organization_id, k.provider, k.type, k.id) AND t.external_provider_digest IS NOT NULL LIMIT 1) t";
const ANSWERS: &str = "SELECT t.* FROM unnest(?, ?, ?, ?) AS k (organization_id, key_id, operation, key) \
    CROSS JOIN LATERAL (SELECT * FROM idempotency_keys t \
    WHERE (t.organization_id, t.key_id, t.operation, t.key) \
    = (k.organization_id, k.key_id, k.operation, k.key) LIMIT 1) t";

pub(super) async fn load(
    conn: &AsyncPgConnection,
    touches: &Touches,
    ledger: &mut Ledger,
) -> Result<(), DbError> {
    let answers = rows::<IdempotencyRow>(
        conn,
        ANSWERS,
        vec![
            ids(touches.answers.iter().map(|scope| scope.organization_id)),
            ids(touches.answers.iter().map(|scope| scope.key_id)),
            Column::Texts(touches.answers.iter().map(|scope| scope.operation.as_str()).collect()),
            Column::Texts(touches.answers.iter().map(|scope| scope.key.as_str()).collect()),
        ],
        touches.answers.len(),
    );
    let projects = rows::<ProjectRow>(
        conn,
        PROJECTS,
        pairs(touches.projects.iter().copied()),
        touches.projects.len(),
    );
    let users =
        rows::<UserRow>(conn, USERS, pairs(touches.users.iter().copied()), touches.users.len());
    let entries = rows::<TicketRow>(
        conn,
        ENTRIES,
        triples(touches.tickets.iter().copied()),
        touches.tickets.len(),
    );
    let releases = rows::<ReleaseRow>(
        conn,
        RELEASES,
        triples(touches.releases.iter().copied()),
        touches.releases.len(),
    );
    let time_entries = rows::<TimeEntryRow>(
        conn,
        TIME_ENTRIES,
        pairs(touches.time_entries.iter().copied()),
        touches.time_entries.len(),
    );
    // The ledger knows an entry by the texts of its reference, so what only has the same digests is
    // not taken for it.
    let references = &touches.external_refs;
    let digests: Vec<_> =
        references.iter().map(|(_, reference)| external_digest::of_reference(reference)).collect();
    let by_ref = rows::<TimeEntryRow>(
        conn,
        TIME_ENTRIES_BY_REF,
        vec![
            ids(references.iter().map(|(organization, _)| *organization)),
            Column::Binaries(digests.iter().map(|[provider, ..]| provider.as_slice()).collect()),
            Column::Binaries(digests.iter().map(|[_, kind, _]| kind.as_slice()).collect()),
            Column::Binaries(digests.iter().map(|[.., id]| id.as_slice()).collect()),
        ],
        references.len(),
    );
    // All of them are waited for. Once one fails, those behind it fail because of it, and any of
    // them may be heard of first.
    let (answers, projects, users, entries, releases, time_entries, by_ref) =
        tokio::join!(answers, projects, users, entries, releases, time_entries, by_ref);
    let mut failure = Failure::default();
    let (answers, projects, users) = (failure.of(answers), failure.of(projects), failure.of(users));
    let (entries, releases) = (failure.of(entries), failure.of(releases));
    let (time_entries, by_ref) = (failure.of(time_entries), failure.of(by_ref));
    failure.0?;
    for row in answers {
        ledger.load_answer(row.scope()?, IdempotencyRecord::try_from(row)?);
    }
    for row in projects {
        ledger.load_project(Project::try_from(row)?);
    }
    for row in users {
        ledger.load_user(User::try_from(row)?);
    }
    for row in entries {
        ledger.load_ticket(&row.try_into()?);
    }
    for row in releases {
        ledger.load_release(&row.try_into()?);
    }
    for row in time_entries.into_iter().chain(by_ref) {
        ledger.load_time_entry(TimeEntry::try_from(row)?);
    }
    Ok(())
}

/// Why the statements of one transaction failed, if any of them did.
struct Failure(Result<(), DbError>);

impl Default for Failure {
    fn default() -> Self {
        Self(Ok(()))
    }
}

impl Failure {
    /// What a statement found: nothing where it failed, and then that is noted.
    fn of<R>(&mut self, found: Result<Vec<R>, DbError>) -> Vec<R> {
        found.unwrap_or_else(|error| {
            self.0 = Err(match std::mem::replace(&mut self.0, Ok(())) {
                Ok(()) => error,
                Err(before) => before.or_cause(error),
            });
            Vec::new()
        })
    }
}

/// The rows of those keys; nothing is asked where there are none.
fn rows<'a, R>(
    conn: &'a AsyncPgConnection,
    sql: &'static str,
    columns: Vec<Column<'a>>,
    keys: usize,
) -> impl Future<Output = Result<Vec<R>, DbError>> + Send + 'a
where
    R: QueryableByName<Pg> + Send + 'static,
{
    if keys == 0 {
        return std::future::ready(Ok(Vec::new())).left_future();
    }
    async move { Statement { sql, columns }.load(&mut &*conn).await }
        .map_err(DbError::from)
        .right_future()
}

fn ids<'a>(ids: impl Iterator<Item = impl Into<IdValue>>) -> Column<'a> {
    Column::Ids(ids.map(Into::into).collect())
}

fn pairs<'a, A: Into<IdValue>, B: Into<IdValue>>(
    keys: impl Iterator<Item = (A, B)>,
) -> Vec<Column<'a>> {
    let (first, second) = keys.map(|(a, b)| (a.into(), b.into())).unzip();
    vec![Column::Ids(first), Column::Ids(second)]
}

fn triples<'a, A: Into<IdValue>, B: Into<IdValue>, C: Into<IdValue>>(
    keys: impl Iterator<Item = (A, B, C)>,
) -> Vec<Column<'a>> {
    let (first, (second, third)) = keys.map(|(a, b, c)| (a.into(), (b.into(), c.into()))).unzip();
    vec![Column::Ids(first), Column::Ids(second), Column::Ids(third)]
}
