//! The domain stays pure: what it depends on, what it calls, and who depends on whom.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crates that do I/O, run futures, speak HTTP or SQL, or format for a wire.
const IMPURE: [&str; 22] = [
    "actix",
    "async-std",
    "diesel",
    "futures",
    "getrandom",
    "hyper",
    "libsqlite3-sys",
    "log",
    "metrics",
    "mio",
    "postgres",
    "rand",
    "reqwest",
    "rusqlite",
    "serde",
    "serde_json",
    "smol",
    "socket2",
    "sqlx",
    "tokio",
    "tracing",
    "ureq",
];

/// What reads the clock, the environment or chance, or does anything beside computing.
const IMPURE_CALLS: [&str; 12] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "now_utc",
    "now_local",
    "now_v7",
    "new_v4",
];

/// The names of the packages that one depends on, as cargo resolves them.
fn dependencies(package: &str, options: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--offline", "--all-features", "--prefix", "none", "--format", "{p}"])
        .args(["--package", package])
        .args(options)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert!(names.contains(package), "{tree}");
    names
}

fn is_impure(name: &str) -> bool {
    IMPURE.iter().any(|impure| name == *impure || name.strip_prefix(impure).is_some_and(|rest| rest.starts_with('-')))
}

#[test]
fn the_domain_depends_on_nothing_that_does_io() {
    let dependencies = dependencies("timelog-domain", &["--edges", "normal,build"]);
    let impure: Vec<_> = dependencies.iter().filter(|name| is_impure(name)).collect();
    assert!(impure.is_empty(), "{impure:?}");
}

#[test]
fn the_list_of_impure_crates_finds_them_where_they_are() {
    let dependencies = dependencies("timelog-adapters", &["--edges", "normal"]);
    for name in ["diesel", "diesel-async", "serde_json", "tokio", "tokio-postgres"] {
        assert!(dependencies.contains(name) && is_impure(name), "{name}");
    }
}

#[test]
fn the_crates_depend_on_each_other_in_one_direction() {
    let ours = |package, edges| {
        let names = dependencies(package, &["--edges", edges, "--depth", "1"]);
        names.into_iter().filter(|name| name.starts_with("timelog-") && name != package).collect::<Vec<_>>()
    };
    for edges in ["normal,build", "normal,build,dev"] {
        assert_eq!(ours("timelog-domain", edges), [""; 0], "{edges}");
        assert_eq!(ours("timelog-adapters", edges), ["timelog-domain"], "{edges}");
        assert_eq!(ours("timelog-api", edges), ["timelog-adapters", "timelog-domain"], "{edges}");
    }
}

/// Every source file under the folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The impure calls in a source text, also where several modules are imported at once.
fn impure_calls(source: &str) -> Vec<&'static str> {
    let grouped: BTreeSet<String> = source
        .split("std::{")
        .skip(1)
        .filter_map(|group| group.split(';').next())
        .flat_map(|group| group.split(|character: char| !character.is_alphanumeric() && character != '_'))
        .map(|module| format!("std::{module}"))
        .collect();
    IMPURE_CALLS.into_iter().filter(|call| source.contains(call) || grouped.contains(*call)).collect()
}

#[test]
fn the_source_of_the_domain_calls_nothing_but_itself() {
    let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(files.len() > 10, "{files:?}");
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        assert_eq!(impure_calls(&source), [""; 0], "{}", file.display());
        assert!(!source.contains(".await"), "{}: deciding never waits", file.display());
    }
}

#[test]
fn a_call_that_is_not_pure_is_noticed_however_it_is_imported() {
    assert_eq!(impure_calls("use std::fs::read;"), ["std::fs"]);
    assert_eq!(impure_calls("use std::{fmt, net::{Ipv4Addr, TcpStream}};"), ["std::net"]);
    assert_eq!(impure_calls("let now = std::time::SystemTime::now();"), ["SystemTime"]);
    assert_eq!(impure_calls("use std::{fmt, str::FromStr};"), [""; 0]);
}
