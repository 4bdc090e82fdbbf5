use std::any::TypeId;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroU32;
use std::time::Duration;

use clap::{Command, CommandFactory};

use super::*;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

/// Every argument of a command and of those below it, with the words that lead there.
fn arguments<'a>(command: &'a Command, words: &[&'a str]) -> Vec<(Vec<&'a str>, &'a Arg)> {
    let words = [words, &[command.get_name()]].concat();
    let below = command
        .get_subcommands()
        .flat_map(|command| arguments(command, &words))
        .collect::<Vec<_>>();
    command.get_arguments().map(|argument| (words.clone(), argument)).chain(below).collect()
}

/// What the program says to a value of an argument. One that every command has is tried on `serve`.
fn complaint(words: &[&str], argument: &Arg, value: &str) -> String {
    let flag = format!("--{}={value}", argument.get_long().unwrap());
    let words = if words.len() == 1 { &["timelog", "serve"] } else { words };
    Cli::try_parse_from([words, &[&flag]].concat()).map(drop).unwrap_err().to_string()
}

#[test]
fn every_duration_and_every_count_has_limits() {
    let durations = [TypeId::of::<Duration>()];
    let counts = [
        TypeId::of::<u16>(),
        TypeId::of::<u32>(),
        TypeId::of::<u64>(),
        TypeId::of::<i64>(),
        TypeId::of::<usize>(),
        TypeId::of::<NonZeroU32>(),
    ];
    let command = Cli::command();
    for (words, argument) in arguments(&command, &[]) {
        let is = |kinds: &[TypeId]| {
            kinds.iter().any(|kind| argument.get_value_parser().type_id() == *kind)
        };
        let nonsense: &[&str] = if is(&durations) {
            &["1ns", "10001us", "2161h", "9999999y", "30"]
        } else if is(&counts) {
            &["0", "-1", "1.5", "1000001", "99999999999999999999"]
        } else {
            continue;
        };
        let flag = format!("--{}", argument.get_long().unwrap());
        let values = argument.get_possible_values();
        let [limits] = values.as_slice() else { panic!("{flag} has no limits") };
        let (least, most) = limits.get_name().split_once('–').unwrap();
        for value in nonsense {
            assert!(complaint(&words, argument, value).contains(&flag), "{flag} {value}");
        }
        let complaint = |value| complaint(&words, argument, value);
        assert!(
            [format!("must be {least} to {most}"), format!("is not in {least}..={most}")]
                .iter()
                .any(|named| complaint(nonsense[0]).contains(named)),
            "{flag} is not refused with its limits"
        );
        // These can be nothing at all: do not wait, do not remember, do not keep.
        let may_be_zero = ["connect_timeout", "key_memory", "grace"];
        if is(&durations) && !may_be_zero.contains(&argument.get_id().as_str()) {
            assert!(complaint("0s").contains("must be"), "{flag}");
        }
    }
}

/// The settings: the arguments that have a variable.
fn settings(command: &Command) -> impl Iterator<Item = &Arg> {
    let serve = command.find_subcommand("serve").unwrap();
    command.get_arguments().chain(serve.get_arguments())
}

#[test]
fn every_setting_has_a_variable_and_a_help_text() {
    for argument in settings(&Cli::command()) {
        let flag = argument.get_long().unwrap();
        let variable = format!("TIMELOG_{}", flag.to_uppercase().replace('-', "_"));
        assert_eq!(argument.get_env(), Some(OsStr::new(&variable)), "--{flag}");
        assert!(argument.get_help().is_some(), "--{flag} has no help");
    }
}

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
const BEGIN: &str = "<!-- settings: UPDATE_DOCS=1 cargo test -p timelog-api --lib documented -->\n";
const END: &str = "<!-- end of settings -->\n";

/// The table of settings in `docs/operations.md`.
fn table(command: &Command) -> String {
    let mut table = "| flag | variable | default | values | what it does |\n\
                     |---|---|---|---|---|\n"
        .to_owned();
    for argument in settings(command) {
        let flag = argument.get_long().unwrap();
        let variable = argument.get_env().unwrap().display();
        let (default, values) = (default(argument), values(argument));
        let help = argument.get_help().unwrap();
        writeln!(table, "| `--{flag}` | `{variable}` | {default} | {values} | {help} |").unwrap();
    }
    table
}

fn default(argument: &Arg) -> String {
    let is_shown = argument.get_action().takes_values() && !argument.is_hide_default_value_set();
    match argument.get_default_values() {
        [default] if is_shown && !default.is_empty() => format!("`{}`", default.display()),
        _ => "none".to_owned(),
    }
}

/// The limits, or each of several values and what it means.
fn values(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let values = argument.get_possible_values().into_iter().map(|value| match value.get_help() {
        Some(help) => format!("`{}`: {help}.", value.get_name()),
        None => value.get_name().to_owned(),
    });
    values.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_settings_are_documented_as_they_are_declared() {
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (documented, after) = rest.split_once(END).unwrap();
    let declared = format!("\n{}\n", table(&Cli::command()));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(DOCUMENT, [before, BEGIN, &declared, END, after].concat()).unwrap();
    } else {
        assert_eq!(
            documented, declared,
            "docs/operations.md is behind; write it anew with the command in it: {BEGIN}"
        );
    }
}
