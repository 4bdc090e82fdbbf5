//! Power cuts after any write: answered changes are on the disk.
//!
//! The program, or the PostgreSQL server, reports each write, sync, truncation and renaming of its
//! files, and each answer, in order. From that the files are rebuilt as they would be after each of
//! them: synced data is there, and some random sectors of unsynced data. An unsynced write changes
//! nothing of what is guaranteed, so the files without unsynced data are checked where a sync
//! begins, with all earlier answers; the files with some of it are checked after each write.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::audit::audit;
use super::deployment::{Deployment, SOUND};
use super::outbox::{Outbox, RetryPolicy};
use super::results::Results;
use super::trial::Trial;
use crate::support::postgres::Cluster;
use crate::support::{
    Database, DiskEvent, Fault, Program, SimulatedDisk, WatchedDisk, on_every_database, texts_of,
};

on_every_database![
    answered_changes_survive_a_power_cut_at_any_write,
    a_disk_that_ignores_syncs_is_reported,
];

/// How much is checked in a cycle.
struct Measure {
    clients: usize,
    requests: usize,
    /// How many power cuts are checked.
    cuts: usize,
}

/// Sabotage: the disk ignores every sync.
pub(super) async fn run(trial: Trial) -> Results {
    let measure = match trial.database {
        Database::Sqlite => Measure { clients: 8, requests: 25, cuts: usize::MAX },
        Database::Postgres => Measure { clients: 8, requests: 25, cuts: 16 },
    };
    run_with(trial, &measure).await
}

async fn run_with(mut trial: Trial, measure: &Measure) -> Results {
    let (mut results, mut writes, mut cuts) = (Results::default(), 0, 0);
    for cycle in 0..trial.cycles {
        let run = match trial.database {
            Database::Sqlite => Run::of_file(&mut trial, measure, cycle % 2 == 1).await,
            Database::Postgres => Run::of_server(&mut trial, measure).await,
        };
        writes += run.events.iter().filter(|event| is_write(event)).count();
        let found = run.cut(&mut trial, measure.cuts).await;
        cuts += found.cuts;
        let mut cycle = run.results;
        cycle.cycles = 1;
        cycle.lost += found.lost.len();
        found.faults.into_iter().for_each(|fault| cycle.fault(fault));
        results.add(cycle);
    }
    results.measured = format!("{cuts} power cuts among {writes} writes");
    results
}

fn is_write(event: &DiskEvent) -> bool {
    matches!(event, DiskEvent::Write { .. } | DiskEvent::Truncate { .. })
}

/// The file operations while clients were served, and the answers.
struct Run {
    deployment: Deployment,
    outbox: Arc<Outbox>,
    before: SimulatedDisk,
    events: Vec<DiskEvent>,
    results: Results,
    /// The server's files from before, which are combined with those of its log.
    base: Option<TempDir>,
}

impl Run {
    async fn of_file(trial: &mut Trial, measure: &Measure, syncs_fail: bool) -> Self {
        let mut deployment = Deployment::new(trial.database);
        let folder = deployment.database.path().parent().expect("a file is in a folder").to_owned();
        let disk = WatchedDisk::new(folder.to_str().expect("a path is text"));
        let before = SimulatedDisk::of(&folder);
        deployment.variables = disk.watching();
        deployment.start();
        if syncs_fail {
            let (work, fail) = (trial.random.below(40), 1 + trial.random.below(3));
            let files = folder.display().to_string();
            disk.break_down(&Fault { of_syncs: true, error: Fault::BROKEN, work, fail, files });
        }
        Self::serve(trial, measure, deployment, &disk, before, None).await
    }

    async fn of_server(trial: &mut Trial, measure: &Measure) -> Self {
        let disk = WatchedDisk::new("/pg_wal");
        // After the last checkpoint only the log is written, so the earlier files and the log are
        // complete.
        let quiet = [("autovacuum", "off"), ("checkpoint_timeout", "1d"), ("max_wal_size", "10GB")];
        let idle = [("bgwriter_lru_maxpages", "0")];
        let settings = [&SOUND[..], &quiet, &idle].concat();
        let cluster = Arc::new(Cluster::start_with(&settings, &disk.watching()));
        let mut deployment = Deployment::on_server(cluster.clone());
        cluster.query("postgres", "CHECKPOINT");
        disk.take_events();
        let base = tempfile::tempdir().expect("a temporary folder can be made");
        copy(&cluster.folder().join("data"), &base.path().join("data"));
        fs::remove_file(base.path().join("data/postmaster.pid"))
            .expect("a server that runs says so");
        // These reads need no sync.
        let mut settings = fs::read_to_string(base.path().join("data/postgresql.conf"))
            .expect("there are settings");
        settings.push_str("fsync = off\n");
        fs::write(base.path().join("data/postgresql.conf"), settings)
            .expect("settings can be written");
        let before = SimulatedDisk::of(&cluster.folder().join("data/pg_wal"));
        deployment.variables = disk.watching();
        deployment.start();
        Self::serve(trial, measure, deployment, &disk, before, Some(base)).await
    }

    async fn serve(
        trial: &mut Trial,
        measure: &Measure,
        mut deployment: Deployment,
        disk: &WatchedDisk,
        mut before: SimulatedDisk,
        base: Option<TempDir>,
    ) -> Self {
        let outbox = Outbox::new(
            &deployment.made,
            deployment.address(),
            Duration::from_secs(20),
            RetryPolicy::Careful,
        );
        outbox.send(measure.clients, measure.requests, &mut trial.random).await;
        let mut results = Results::default();
        audit(&mut results, &outbox, &deployment).await;
        deployment.kill();
        before.ignores_syncs = trial.sabotage;
        Self { deployment, outbox, before, events: disk.take_events(), results, base }
    }

    /// Checks that many power cuts.
    async fn cut(&self, trial: &mut Trial, most: usize) -> Found {
        let mut found = Found::default();
        let mut disk = self.before.clone();
        let mut answered = BTreeSet::new();
        let moments = self.events.iter().filter(|event| is_write(event) || is_sync(event)).count();
        let one_of = moments.div_ceil(most).max(1);
        for event in &self.events {
            // Answers up to here must be in the data synced up to here.
            if is_sync(event) && trial.random.below(one_of) == 0 {
                self.look(&disk.after_power_cut(None), &answered, &mut found);
            }
            disk.follow(event);
            if let DiskEvent::Answer(text) = event {
                answered.extend(ids(text));
            }
            if is_write(event) && trial.random.below(one_of) == 0 {
                self.look(&disk.after_power_cut(Some(&mut trial.random)), &answered, &mut found);
            }
        }
        self.look(&disk.after_power_cut(None), &answered, &mut found);
        if self.base.is_none() {
            self.repeat(&disk.after_power_cut(Some(&mut trial.random)), &mut found).await;
        }
        found
    }

    fn look(&self, files: &[(PathBuf, Vec<u8>)], answered: &BTreeSet<String>, found: &mut Found) {
        found.cuts += 1;
        let there = match &self.base {
            None => look_into_file(files),
            Some(base) => self.look_into_server(base, files),
        };
        match there {
            Err(error) => found.faults.push(format!("what is there cannot be read: {error}")),
            Ok(there) => {
                found.faults.extend(there.iter().filter(|line| line.contains(' ')).cloned());
                let there: BTreeSet<_> = there.into_iter().collect();
                found.lost.extend(answered.difference(&there).cloned());
            }
        }
    }

    fn look_into_server(
        &self,
        base: &TempDir,
        files: &[(PathBuf, Vec<u8>)],
    ) -> Result<Vec<String>, String> {
        let cluster = self.deployment.cluster().expect("it has a server");
        cluster.stop();
        let data = cluster.folder().join("data");
        fs::remove_dir_all(&data).map_err(|error| error.to_string())?;
        copy(&base.path().join("data"), &data);
        let log = data.join("pg_wal");
        for file in fs::read_dir(&log).into_iter().flatten().flatten() {
            if file.path().is_file() && !files.iter().any(|(name, _)| *name == file.path()) {
                fs::remove_file(file.path()).map_err(|error| error.to_string())?;
            }
        }
        for (name, bytes) in files {
            fs::write(name, bytes).map_err(|error| error.to_string())?;
        }
        let mut own = Command::new("chown");
        own.arg("-R").arg(format!("--reference={}", data.join("PG_VERSION").display())).arg(&log);
        own.status().map_err(|error| error.to_string())?;
        cluster.start_again();
        Ok(self
            .deployment
            .database
            .texts(&what_is_there("CAST(id AS text)", "split_part(description, '.', 1)")))
    }

    /// Opens the files of an SQLite database with the program, and repeats what was answered.
    async fn repeat(&self, files: &[(PathBuf, Vec<u8>)], found: &mut Found) {
        let folder = put(files);
        let url = format!("sqlite:{}", folder.path().join("timelog.db").display());
        let program = Program::serve(&url, &["--no-demo"]);
        for page in self.outbox.journal.read() {
            let Some(answer) = &page.answer else { continue };
            if let Err(told) = self.outbox.repeat(program.address, &page).await {
                found.faults.push(format!("{} was answered {answer} and then {told}", page.name));
            }
        }
    }
}

fn is_sync(event: &DiskEvent) -> bool {
    matches!(event, DiskEvent::Synced { .. })
}

#[derive(Default)]
struct Found {
    cuts: usize,
    /// Entries that were answered and missing after some cut.
    lost: BTreeSet<String>,
    faults: Vec<String>,
}

/// The entries of an answer.
fn ids(answer: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(answer);
    text.split("\"id\":\"").skip(1).filter_map(|rest| Some(rest.get(..36)?.to_owned())).collect()
}

/// Selects the ids of the entries, and sentences about rows without the rows they need.
fn what_is_there(id: &str, name: &str) -> String {
    format!(
        "SELECT {id} AS text FROM time_entries UNION ALL \
         SELECT 'an entry without its history: ' || {id} FROM time_entries e WHERE NOT EXISTS \
         (SELECT 1 FROM time_entry_history h \
         WHERE h.organization_id = e.organization_id AND h.time_entry_id = e.id AND h.version = \
         e.version) UNION ALL \
         SELECT 'an entry without its kept answer' WHERE \
         (SELECT count(DISTINCT {name}) FROM time_entries WHERE description LIKE 'named%') > \
         (SELECT count(*) FROM idempotency_keys)"
    )
}

fn look_into_file(files: &[(PathBuf, Vec<u8>)]) -> Result<Vec<String>, String> {
    let folder = put(files);
    let hex = "lower(hex(id))";
    let id = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)]
        .map(|(at, length)| format!("substr({hex}, {at}, {length})"));
    let name = "substr(description, 1, instr(description || '.', '.') - 1)";
    let sql = what_is_there(&id.join(" || '-' || "), name);
    let check = "SELECT 'the file is damaged: ' || integrity_check FROM pragma_integrity_check \
        WHERE integrity_check <> 'ok'";
    texts_of(&folder.path().join("timelog.db"), &format!("{sql} UNION ALL {check}"))
        .map_err(|error| error.to_string())
}

/// Puts files into a new folder, in memory where that is possible.
fn put(files: &[(PathBuf, Vec<u8>)]) -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a temporary folder can be made");
    for (name, bytes) in files {
        let name = name.file_name().expect("a file has a name");
        fs::write(folder.path().join(name), bytes).expect("a file can be written");
    }
    folder
}

/// Copies a folder as it is, owners and all.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.is_ok_and(|status| status.success()), "{} cannot be copied", from.display());
}

/// The quick form.
const LITTLE: [Measure; 2] =
    [Measure { clients: 4, requests: 6, cuts: 80 }, Measure { clients: 4, requests: 6, cuts: 3 }];

async fn answered_changes_survive_a_power_cut_at_any_write(database: Database) {
    let results = run_with(Trial::quick(database, 1), &LITTLE[database as usize]).await;
    assert!(results.is_sound(), "{results:?}");
}

async fn a_disk_that_ignores_syncs_is_reported(database: Database) {
    let results = run_with(Trial::sabotage(database, 1), &LITTLE[database as usize]).await;
    assert!(results.lost > 0, "{results:?}");
}
