//! Loads what a batch touches: one statement a table, all of them sent before the first answer is
//! waited for.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use diesel::deserialize::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::Binary;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use timelog_domain::{Ledger, Touches};

use super::statement::{Statement, Text};
use crate::digests::of_reference;
use crate::error::DbError;
use crate::rows::{
    ClosingRow, FeedEndRow, IdempotencyRow, Load, ProjectRow, ReleaseRow, Row, TicketRow,
    TimeEntryRow, UserRow, Values, WebhookRow, Written, digest_scope, load_books, values,
};
use crate::types::{Id, IdValue};

static PROJECTS: Text = LazyLock::new(by_key::<ProjectRow>);
static USERS: Text = LazyLock::new(by_key::<UserRow>);
static TICKETS: Text = LazyLock::new(by_key::<TicketRow>);
static RELEASES: Text = LazyLock::new(by_key::<ReleaseRow>);
static TIME_ENTRIES: Text = LazyLock::new(by_key::<TimeEntryRow>);
static WEBHOOKS: Text = LazyLock::new(by_key::<WebhookRow>);
/// One statement, so that what counts for all projects is not older than the number of the last
/// closing.
static BOOKS: Text = LazyLock::new(|| {
    let own = "SELECT * FROM closings c WHERE c.organization_id = k.organization_id";
    let rows = format!(
        "AS k (organization_id) CROSS JOIN LATERAL (({own} ORDER BY c.number DESC LIMIT 1) \
         UNION ({own} AND c.project_id IS NULL ORDER BY c.number DESC LIMIT 1) \
         UNION ({own} AND c.project_id IS NOT NULL LIMIT 1)) t"
    );
    ["SELECT t.* FROM".to_owned(), rows]
});
static CLOSINGS: Text = LazyLock::new(|| {
    let rows = "AS k (organization_id, project_id) CROSS JOIN LATERAL (SELECT * FROM closings c \
        WHERE c.organization_id = k.organization_id AND c.project_id = k.project_id \
        ORDER BY c.number DESC LIMIT 1) t";
    ["SELECT t.* FROM".to_owned(), rows.to_owned()]
});
static FEED_ENDS: Text = LazyLock::new(|| {
    let last = "AS k (organization_id) CROSS JOIN LATERAL (SELECT organization_id, seq FROM \
        time_entry_history h WHERE h.organization_id = k.organization_id ORDER BY seq DESC \
        LIMIT 1) t";
    ["SELECT t.* FROM".to_owned(), last.to_owned()]
});
static ANSWERS: Text = LazyLock::new(by_key::<IdempotencyRow>);
static TIME_ENTRIES_BY_REF: Text = LazyLock::new(|| by::<TimeEntryRow>(&REFERENCE, ""));
/// The time entries again, for who holds them until the commit.
static HELD: Text =
    LazyLock::new(|| by::<TimeEntryRow>(&TimeEntryRow::names(&[Written::AsKey]), " FOR UPDATE"));
static HELD_BY_REF: Text = LazyLock::new(|| by::<TimeEntryRow>(&REFERENCE, " FOR UPDATE"));

const REFERENCE: [&str; 4] =
    ["organization_id", "external_provider_digest", "external_type_digest", "external_id_digest"];

fn by_key<R: Row>() -> [String; 2] {
    by::<R>(&R::names(&[Written::AsKey]), "")
}

/// Each key is looked up by itself, through its unique index. A plain join would leave the planner
/// free to read a whole table that it believes to be small, as it does until a new table was
/// analyzed for the first time.
fn by<R: Row>(columns: &[&str], lock: &str) -> [String; 2] {
    let names = columns.join(", ");
    let same: Vec<_> = columns.iter().map(|name| format!("t.{name} = k.{name}")).collect();
    let rows = format!(
        "AS k ({names}) CROSS JOIN LATERAL (SELECT * FROM {} t WHERE {} LIMIT 1{lock}) t",
        R::TABLE,
        same.join(" AND ")
    );
    ["SELECT t.* FROM".to_owned(), rows]
}

/// The ids at these places of keys, an array each.
macro_rules! ids {
    ($keys:ident: $($place:tt),+) => {
        vec![$(values::<Id, _>($keys.iter().map(|key| IdValue::from(key.$place)))),+]
    };
}

pub(super) async fn load(
    conn: &AsyncPgConnection,
    touches: &Touches,
    holding: bool,
    ledger: &mut Ledger,
) -> Result<(), DbError> {
    if touches.is_empty() {
        return Ok(());
    }
    let Touches {
        projects,
        users,
        tickets,
        releases,
        time_entries,
        external_refs,
        // They are looked for afterwards.
        filters: _,
        answers,
        books,
        closings,
        webhooks,
        feeds,
    } = touches;
    let scopes: HashMap<_, _> = answers
        .iter()
        .map(|scope| ((IdValue::from(scope.organization_id), digest_scope(scope)), scope))
        .collect();
    let keys = vec![
        values::<Id, _>(scopes.keys().map(|(organization, _)| organization)),
        values::<Binary, _>(scopes.keys().map(|(_, digest)| digest)),
    ];
    let load_answer = |row: IdempotencyRow, ledger: &mut Ledger| {
        if let Some(scope) = scopes.get(&(row.organization_id, row.digest)) {
            ledger.load_answer((*scope).clone(), row.try_into()?);
        }
        Ok(())
    };
    // The ledger knows an entry by the texts of its reference, so what only has the same digests is
    // not taken for it.
    let digests: Vec<_> =
        external_refs.iter().map(|(_, reference)| of_reference(reference)).collect();
    let mut references = ids!(external_refs: 0);
    for part in 0..3 {
        references.push(values::<Binary, _>(digests.iter().map(|digest| &digest[part])));
    }
    let organizations =
        |ids: &BTreeSet<_>| vec![values::<Id, _>(ids.iter().map(|id| IdValue::from(*id)))];
    let lookups = [
        find(conn, &ANSWERS, answers.len(), keys, &load_answer),
        find(conn, &PROJECTS, projects.len(), ids!(projects: 0, 1), &ProjectRow::load_into),
        find(conn, &USERS, users.len(), ids!(users: 0, 1), &UserRow::load_into),
        find(conn, &TICKETS, tickets.len(), ids!(tickets: 0, 1, 2), &TicketRow::load_into),
        find(conn, &RELEASES, releases.len(), ids!(releases: 0, 1, 2), &ReleaseRow::load_into),
        find(
            conn,
            if holding { &HELD } else { &TIME_ENTRIES },
            time_entries.len(),
            ids!(time_entries: 0, 1),
            &TimeEntryRow::load_into,
        ),
        find(
            conn,
            if holding { &HELD_BY_REF } else { &TIME_ENTRIES_BY_REF },
            external_refs.len(),
            references,
            &TimeEntryRow::load_into,
        ),
        find(conn, &WEBHOOKS, webhooks.len(), ids!(webhooks: 0, 1), &WebhookRow::load_into),
        find(conn, &FEED_ENDS, feeds.len(), organizations(feeds), &FeedEndRow::load_into),
        find(conn, &BOOKS, books.len(), organizations(books), &load_books),
        find(conn, &CLOSINGS, closings.len(), ids!(closings: 0, 1), &ClosingRow::load_into),
    ];
    // All of them are waited for. Once one fails, those behind it fail because of it, and any of
    // them may be heard of first.
    let found = join_all(lookups).await;
    let errors = found.iter().filter_map(|found| found.as_ref().err());
    match errors.cloned().reduce(DbError::or_cause) {
        Some(error) => Err(error),
        None => found.into_iter().flatten().try_for_each(|found| found(ledger)),
    }
}

/// Puts the rows that were found into the ledger.
type Found<'a> = Box<dyn FnOnce(&mut Ledger) -> Result<(), DbError> + Send + 'a>;

/// Looks up the rows of so many keys; nothing is asked where there are none. `load` puts one of
/// them into the ledger.
fn find<'a, R>(
    conn: &'a AsyncPgConnection,
    text: &'static Text,
    keys: usize,
    arrays: Vec<Values<'a>>,
    load: &'a (dyn Fn(R, &mut Ledger) -> Result<(), DbError> + Sync),
) -> BoxFuture<'a, Result<Found<'a>, DbError>>
where
    R: QueryableByName<Pg> + Send + 'static,
{
    async move {
        let rows: Vec<R> = match keys {
            0 => Vec::new(),
            _ => Statement { text, arrays, last: None }.load(&mut &*conn).await?,
        };
        let found: Found<'_> =
            Box::new(move |ledger| rows.into_iter().try_for_each(|row| load(row, ledger)));
        Ok(found)
    }
    .boxed()
}
