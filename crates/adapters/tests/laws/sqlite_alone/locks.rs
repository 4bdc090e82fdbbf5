//! Other programs on the same file.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use timelog_adapters::{DatabaseOptions, DatabaseUrl, QueueOptions, Store};
use timelog_domain::ports::{PortError, TimeEntryRepository};

use super::{counts, file, lines, outsider};
use crate::subject::{TestClock, is_current, sqlite};
use crate::world::*;

async fn open(url: &DatabaseUrl, lock_timeout: Duration) -> Result<Store, PortError> {
    let options = DatabaseOptions { lock_timeout, ..DatabaseOptions::default() };
    Store::open(url, &options, &QueueOptions::default(), Arc::new(TestClock::default())).await
}

/// Opens a file that others may be creating. While one of them puts it into write-ahead mode,
/// SQLite tells the others that it is locked without letting them wait; the program tries again,
/// and so does this.
async fn open_in_the_end(url: &DatabaseUrl) -> Store {
    for _ in 0..1000 {
        match open(url, Duration::from_mins(1)).await {
            Err(PortError::Unavailable(_)) => tokio::task::yield_now().await,
            opened => return opened.unwrap(),
        }
    }
    panic!("the file stays locked");
}

#[tokio::test]
async fn while_another_program_holds_the_write_lock_nothing_is_stored() {
    let subject = sqlite().await;
    let store = open(&subject.database().url, Duration::from_millis(20)).await.unwrap();
    let mut other = outsider(&subject);
    other.batch_execute("BEGIN IMMEDIATE").unwrap();

    let turned_away = store.execute(keyed(log(1001), "a")).await;
    assert!(matches!(turned_away, Err(PortError::Unavailable(_))), "{turned_away:?}");
    // Those who read are not held up.
    assert_eq!(TimeEntryRepository::find(&store, id(ORGANIZATION), id(1001)).await, Ok(None));
    assert_eq!(is_current(&store).await, Ok(true));

    other.batch_execute("ROLLBACK").unwrap();
    assert_eq!(counts(&mut other), [0, 0, 0]);
    done(store.execute(keyed(log(1001), "a")).await.unwrap());
    assert_eq!(counts(&mut other), [1, 1, 1]);
}

#[tokio::test]
async fn a_program_that_may_wait_gets_the_lock_once_it_is_free() {
    let subject = sqlite().await;
    let mut other = outsider(&subject);
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let entry = {
        let waiting = subject.time_entries.execute(logged(log(1001)));
        let release = tokio::task::spawn_blocking(move || other.batch_execute("ROLLBACK"));
        let (decision, released) = tokio::join!(waiting, release);
        released.unwrap().unwrap();
        done(decision.unwrap())
    };
    assert_eq!(subject.time_entries.find(id(ORGANIZATION), id(1001)).await, Ok(Some(entry)));
}

#[tokio::test]
async fn programs_that_start_at_once_on_a_new_file_migrate_it_once() {
    for _ in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let url: DatabaseUrl =
            format!("sqlite:{}", folder.path().join("timelog.db").display()).parse().unwrap();
        let start = || async {
            let store = open_in_the_end(&url).await;
            let applied = store.migrate().await.unwrap();
            (store, applied.len())
        };
        let started = tokio::join!(start(), start(), start());
        let mut applied = Vec::new();
        for (store, number) in [started.0, started.1, started.2] {
            assert_eq!(is_current(&store).await, Ok(true));
            applied.push(number);
        }
        applied.sort_unstable();
        assert_eq!(applied, [0, 0, migrations()]);
    }
}

/// How many migrations there are.
fn migrations() -> usize {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite");
    std::fs::read_dir(folder).unwrap().count()
}

#[tokio::test]
async fn a_database_that_was_not_migrated_is_not_current() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("timelog.db").display()).parse().unwrap();
    let store = open(&url, Duration::from_mins(1)).await.unwrap();
    assert_eq!(is_current(&store).await, Ok(false));
    assert_eq!(store.migrate().await.unwrap().len(), migrations());
    assert_eq!((is_current(&store).await, store.is_empty().await), (Ok(true), Ok(true)));
}

#[tokio::test]
async fn what_waiting_does_not_mend_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("read-only.db"), "").unwrap();
    let mut readable = std::fs::metadata(folder.path().join("read-only.db")).unwrap().permissions();
    readable.set_readonly(true);
    std::fs::set_permissions(folder.path().join("read-only.db"), readable).unwrap();
    for (path, why) in [
        ("missing/timelog.db", "does not exist"),
        ("", "is a folder"),
        ("read-only.db", "read-only"),
    ] {
        let url = format!("sqlite:{}", folder.path().join(path).display()).parse().unwrap();
        match open(&url, Duration::from_mins(1)).await.map(drop) {
            Err(PortError::Internal(reason)) => assert!(reason.contains(why), "{path}: {reason}"),
            opened => panic!("{path}: {opened:?}"),
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timelog.db");
    let text =
        "This is somebody's text, and it is longer than the header of a database. ".repeat(10);
    std::fs::write(&path, &text).unwrap();
    let url = format!("sqlite:{}", path.display()).parse().unwrap();
    let opened = open(&url, Duration::from_mins(1)).await.map(drop);
    assert!(
        matches!(&opened, Err(PortError::Internal(reason)) if reason.contains("no SQLite database")),
        "{opened:?}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn the_file_is_in_write_ahead_mode_and_checks_out() {
    let subject = sqlite().await;
    done(subject.time_entries.execute(keyed(log(1001), "a")).await.unwrap());
    let mut other = outsider(&subject);
    assert_eq!(lines(&mut other, "SELECT journal_mode AS line FROM pragma_journal_mode"), ["wal"]);
    assert_eq!(
        lines(&mut other, "SELECT integrity_check AS line FROM pragma_integrity_check"),
        ["ok"]
    );
    assert_eq!(
        lines(&mut other, "SELECT \"table\" AS line FROM pragma_foreign_key_check"),
        [""; 0]
    );
    assert!(file(&subject).with_extension("db-wal").exists());
}
