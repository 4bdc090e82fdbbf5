//! The domain is pure: its dependencies and its calls. And the crates depend on each other one way.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crates that do I/O, run futures, use HTTP or SQL, or write a format such as JSON. `serde` alone
/// writes no format.
const IMPURE: [&str; 21] = [
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
    "serde_json",
    "smol",
    "socket2",
    "sqlx",
    "tokio",
    "tracing",
    "ureq",
];

/// Names of what does I/O or reads the clock, the environment or random numbers.
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

/// The folder of this crate.
fn domain() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The names of all packages that the domain depends on, as cargo resolves them.
fn dependencies() -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--offline", "--package", "timelog-domain", "--all-features"])
        .args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .current_dir(domain())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// Whether a package is one of those or begins with its name: `tokio-util` belongs to `tokio`.
fn is_impure(name: &str) -> bool {
    IMPURE.iter().any(|impure| {
        name == *impure || name.strip_prefix(impure).is_some_and(|rest| rest.starts_with('-'))
    })
}

#[test]
fn the_domain_depends_on_nothing_that_does_io() {
    let dependencies = dependencies();
    for expected in ["timelog-domain", "bigdecimal", "time", "uuid"] {
        assert!(dependencies.contains(expected), "{dependencies:?}");
    }
    let impure: Vec<_> = dependencies.iter().filter(|name| is_impure(name)).collect();
    assert!(impure.is_empty(), "{impure:?}");
}

#[test]
fn the_list_of_impure_crates_knows_those_that_the_service_uses() {
    let lock = std::fs::read_to_string(domain().join("../../Cargo.lock")).unwrap();
    for name in
        ["actix-web", "diesel", "diesel-async", "libsqlite3-sys", "serde_json", "tokio", "tracing"]
    {
        assert!(lock.contains(&format!("name = \"{name}\"")) && is_impure(name), "{name}");
    }
}

#[test]
fn the_crates_depend_on_each_other_in_one_direction() {
    let ours = |krate: &str| {
        let manifest =
            std::fs::read_to_string(domain().join("..").join(krate).join("Cargo.toml")).unwrap();
        let (_, dependencies) = manifest.split_once("[dependencies]").unwrap();
        let names = dependencies.lines().filter_map(|line| line.split([' ', '.', '=']).next());
        let own = format!("timelog-{krate}");
        let ours: BTreeSet<_> =
            names.filter(|name| name.starts_with("timelog-") && **name != own).collect();
        ours.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(ours("domain"), [""; 0]);
    assert_eq!(ours("adapters"), ["timelog-domain"]);
    assert_eq!(ours("api"), ["timelog-adapters", "timelog-domain"]);
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

/// The impure calls in a source text, also in an import of several modules.
fn impure_calls(source: &str) -> Vec<&'static str> {
    let grouped: BTreeSet<String> = source
        .split("std::{")
        .skip(1)
        .filter_map(|group| group.split(';').next())
        .flat_map(|group| {
            group.split(|character: char| !character.is_alphanumeric() && character != '_')
        })
        .map(|module| format!("std::{module}"))
        .collect();
    IMPURE_CALLS
        .into_iter()
        .filter(|call| source.contains(call) || grouped.contains(*call))
        .collect()
}

#[test]
fn the_source_of_the_domain_has_no_impure_calls() {
    let files = sources(&domain().join("src"));
    assert!(files.len() > 10, "{files:?}");
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        assert_eq!(impure_calls(&source), [""; 0], "{}", file.display());
        assert!(!source.contains(".await"), "{}: deciding never waits", file.display());
    }
}

#[test]
fn impure_calls_are_found_in_every_kind_of_import() {
    assert_eq!(impure_calls("use std::fs::read;"), ["std::fs"]);
    assert_eq!(impure_calls("use std::{fmt, net::{Ipv4Addr, TcpStream}};"), ["std::net"]);
    assert_eq!(impure_calls("let now = std::time::SystemTime::now();"), ["SystemTime"]);
    assert_eq!(impure_calls("use std::{fmt, str::FromStr};"), [""; 0]);
}
