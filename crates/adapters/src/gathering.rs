//! Single entries, read together. While an organization's read is on its way to a connection,
//! others of it join it, so that many cost little more than one. Those that come while it reads are
//! the next to be read.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use timelog_domain::ports::PortError;
use timelog_domain::{OrganizationId, TimeEntry, TimeEntryId};
use tokio::sync::oneshot;

use crate::database::{Database, on_database};
use crate::queries::sql::asked;
use crate::rows::TimeEntryRow;
use crate::schema::time_entries;
use crate::sqlite::AsyncSqlite;
use crate::types::IdValue;

/// The most that are read at once.
const MOST: usize = 64;

type Found = Result<Option<TimeEntry>, PortError>;

/// The reads of each organization that has any. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Gathering(Arc<Mutex<HashMap<OrganizationId, Line>>>);

/// The reads of one organization. Somebody carries them out as long as it is there.
#[derive(Default)]
struct Line {
    waiting: VecDeque<Asked>,
    /// What is being read.
    reading: Vec<Asked>,
}

struct Asked {
    id: TimeEntryId,
    reply: oneshot::Sender<Found>,
}

impl Gathering {
    /// Reads an entry, if there is one.
    pub(crate) async fn find(
        &self,
        database: &Database,
        organization: OrganizationId,
        id: TimeEntryId,
    ) -> Found {
        let (answer, is_first) = self.enter(organization, id);
        if is_first {
            let turn = Turn { gathering: self.clone(), organization, is_over: false };
            tokio::spawn(turn.read(database.clone()));
        }
        answer.await.unwrap_or_else(|_| {
            Err(PortError::Internal("a read of an entry ended without an answer".to_owned()))
        })
    }

    /// Where the answer comes, and whether somebody has to carry out the organization's reads.
    fn enter(
        &self,
        organization: OrganizationId,
        id: TimeEntryId,
    ) -> (oneshot::Receiver<Found>, bool) {
        let (reply, answer) = oneshot::channel();
        let mut is_first = false;
        let mut lines = self.lock();
        let line = lines.entry(organization).or_insert_with(|| {
            is_first = true;
            Line::default()
        });
        line.waiting.push_back(Asked { id, reply });
        drop(lines);
        (answer, is_first)
    }

    /// The next that are to be read.
    fn begin(&self, organization: OrganizationId) -> Vec<TimeEntryId> {
        let mut lines = self.lock();
        let line = lines.entry(organization).or_default();
        let most = line.waiting.len().min(MOST);
        line.reading.extend(line.waiting.drain(..most));
        line.reading.iter().map(|asked| asked.id).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OrganizationId, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Carries out an organization's reads until there are none.
struct Turn {
    gathering: Gathering,
    organization: OrganizationId,
    is_over: bool,
}

impl Turn {
    async fn read(mut self, database: Database) {
        while !self.is_over {
            let organization = self.organization;
            let gathering = self.gathering.clone();
            let rows = on_database!(database, find(organization), |conn| {
                conn.entries(organization, gathering.begin(organization)).await
            });
            self.end(rows.await);
        }
    }

    /// Answers those that were read, or all where nothing could be.
    fn end(&mut self, rows: Result<Vec<TimeEntryRow>, PortError>) {
        let mut lines = self.gathering.lock();
        let line = lines.entry(self.organization).or_default();
        let mut asked = std::mem::take(&mut line.reading);
        if rows.is_err() {
            asked.extend(line.waiting.drain(..));
        }
        self.is_over = line.waiting.is_empty();
        if self.is_over {
            lines.remove(&self.organization);
        }
        drop(lines);
        match rows {
            Ok(rows) => answer(asked, rows),
            Err(error) => asked.into_iter().for_each(|asked| asked.answer(Err(error.clone()))),
        }
    }
}

/// However a turn ends, nobody may wait for it after that.
impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_over {
            self.gathering.lock().remove(&self.organization);
        }
    }
}

impl Asked {
    fn answer(self, found: Found) {
        // Its caller may have stopped waiting.
        drop(self.reply.send(found));
    }
}

fn answer(asked: Vec<Asked>, rows: Vec<TimeEntryRow>) {
    let found = |row: TimeEntryRow| (row.id.into(), TimeEntry::try_from(row));
    let entries: HashMap<TimeEntryId, _> = rows.into_iter().map(found).collect();
    for asked in asked {
        let found = entries.get(&asked.id).cloned().transpose();
        asked.answer(found.map_err(PortError::from));
    }
}

/// Reads entries on a connection of either kind.
pub(crate) trait Entries {
    /// Those of an organization that have one of these ids.
    fn entries(
        &mut self,
        organization: OrganizationId,
        ids: Vec<TimeEntryId>,
    ) -> impl Future<Output = QueryResult<Vec<TimeEntryRow>>> + Send;
}

impl Entries for AsyncSqlite {
    fn entries(
        &mut self,
        organization: OrganizationId,
        ids: Vec<TimeEntryId>,
    ) -> impl Future<Output = QueryResult<Vec<TimeEntryRow>>> + Send {
        let entry = move |conn: &mut SqliteConnection, id: TimeEntryId| {
            let query = time_entries::table.find((IdValue::from(organization), IdValue::from(id)));
            let query = query.select(TimeEntryRow::as_select());
            diesel::RunQueryDsl::get_result(query, conn).optional()
        };
        self.spawn_blocking(move |conn| {
            ids.into_iter().filter_map(|id| entry(conn, id).transpose()).collect()
        })
    }
}

impl Entries for AsyncPgConnection {
    async fn entries(
        &mut self,
        organization: OrganizationId,
        ids: Vec<TimeEntryId>,
    ) -> QueryResult<Vec<TimeEntryRow>> {
        let ids: Vec<_> = ids.into_iter().map(IdValue::from).collect();
        time_entries::table
            .filter(time_entries::organization_id.eq(asked(organization)))
            .filter(time_entries::id.eq_any(ids))
            .select(TimeEntryRow::as_select())
            .load(self)
            .await
    }
}
