//! Control characters of files, names and arguments are escaped where commands print them.

use std::fs;
use std::process::Output;

use crate::program::{on, printed};
use crate::support::{Database, bootstrap, on_every_database};

on_every_database![control_characters_of_a_file_are_printed_as_escapes,];

/// Clears the screen, sets a title, rings the bell, changes the writing direction, and begins a new
/// line.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\u{2066}\u{7f}\rfake";

#[track_caller]
fn is_plain(output: &Output) {
    for told in [&output.stdout, &output.stderr] {
        let told = String::from_utf8(told.clone()).unwrap();
        let acts = |letter: char| {
            letter != '\n' && letter.is_control()
                || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!told.contains(acts), "{told:?}");
    }
}

async fn control_characters_of_a_file_are_printed_as_escapes(database: Database) {
    let database = database.create();
    let made = bootstrap(&database.url());
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let write = |name: &str, text: &str| {
        fs::write(path(name), text).unwrap();
        path(name)
    };
    let (user, project) = (made.id("userId"), made.id("projectId"));
    let rows = write(
        &format!("{HOSTILE}.csv"),
        &format!(
            "userId,workDate,minutes,billable\n{HOSTILE},2025-01-15,1,true\n{user},{HOSTILE},1,true\n{user},2025-01-15,1,{HOSTILE}\n"
        ),
    );
    let columns = write("columns.csv", &format!("a,{HOSTILE}\n1,2\n"));
    let twice = write("twice.csv", &format!("workDate,minutes,{HOSTILE},{HOSTILE}\n"));
    let json = write("rows.ndjson", &format!("{{\"userId\":\"{}\"}}\n", "\\u001b[2J"));
    let users = write("users.csv", &format!("{HOSTILE},x\ny,z\n"));
    let missing = path(&format!("{HOSTILE}-missing"));
    let hostile_mapping = format!("workDate={HOSTILE}");
    let hostile_filter = format!("{HOSTILE}=x");
    let refused = path("refused.csv");
    for arguments in [
        &["import", &rows, "--project", project][..],
        &["import", &rows, "--project", project, "--refused", &refused],
        &["import", &columns, "--project", project],
        &["import", &twice, "--project", project, "--where", &hostile_filter],
        &["import", &rows, "--project", project, "--map", &hostile_mapping],
        &["import", &json, "--project", project],
        &["import", &rows, "--project", project, "--users", &users],
        &["import", &missing, "--project", project],
        &["export", "--out", &format!("{missing}/x")],
        &["export", HOSTILE],
        &["export", "--source", HOSTILE],
        &["key", "revoke", HOSTILE],
        &[HOSTILE],
        &["export", &format!("--{HOSTILE}")],
        &["export", "--database-url", &format!("sqlite:{missing}")],
    ] {
        let output = if arguments.contains(&"--database-url") {
            crate::support::run(arguments)
        } else {
            on(&database, arguments)
        };
        assert!(!output.status.success() && !output.stderr.is_empty(), "{arguments:?} {output:?}");
        is_plain(&output);
    }
    // The file of refused rows may be shown on a terminal as well.
    let told = fs::read_to_string(&refused).unwrap();
    assert!(told.contains("\\u{1b}") && !told.contains('\u{1b}'), "{told:?}");
    // An export has the text unchanged.
    let kept = write(
        "kept.csv",
        &format!("userId,workDate,minutes,description\n{user},2025-01-15,1,\"{HOSTILE}\"\n"),
    );
    is_plain(&on(&database, &["import", &kept, "--project", project]));
    assert!(printed(&on(&database, &["export"])).contains(HOSTILE));
}
