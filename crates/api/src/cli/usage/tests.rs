use clap::Arg;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use timelog_adapters::shown;

use super::*;

/// What the program says to a command line that it refuses.
fn complaint(arguments: &[&str]) -> String {
    let refused = Cli::read_from([&["timelog"], arguments].concat()).unwrap_err();
    shown::message(&refused.render().to_string())
}

#[test]
fn a_value_that_is_refused_is_told_with_its_flag_and_its_variable() {
    for (arguments, expected) in [
        (
            ["serve", "--workers=0"],
            "invalid value '0' for '--workers <COUNT> or TIMELOG_WORKERS': 0 is not in",
        ),
        (
            ["migrate", "--lock-timeout=1"],
            "invalid value '1' for '--lock-timeout <DURATION> or TIMELOG_LOCK_TIMEOUT'",
        ),
        (
            ["serve", "--log-format=xml"],
            "invalid value '…' for '--log-format <FORMAT> or TIMELOG_LOG_FORMAT'",
        ),
    ] {
        let complaint = complaint(&arguments);
        assert!(complaint.contains(expected), "{complaint}");
    }
    // No variable stands for it.
    assert!(complaint(&["key", "revoke", "1"]).contains("invalid value '1' for '<KEY-ID>': "));
}

#[test]
fn a_flag_that_is_misspelt_is_told_and_so_is_the_one_that_may_be_meant() {
    let complaint = |arguments: &[&str], expected: &[&str]| {
        let complaint = complaint(arguments);
        assert!(expected.iter().all(|text| complaint.contains(text)), "{complaint}");
    };
    complaint(&["serve", "--worker=1"], &["unexpected argument '--worker' found", "'--workers'"]);
    complaint(&["srve"], &["unrecognized subcommand '…'", "'serve'"]);
    complaint(&["--workers=1", "serve"], &["'--workers'", "'serve --workers'"]);
}

/// It looks like the name of a flag in no part.
const MARK: &str = "QuEtZaLcOaTl";
const SECRET: &str = "5ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2";

/// Whether a text has a part of a secret in it that is worth something.
fn tells(text: &str) -> bool {
    let part = |secret: &str, length| {
        (0..=secret.len() - length).any(|at| text.contains(&secret[at..at + length]))
    };
    part(MARK, 5) || part(SECRET, 8)
}

/// A text with a password or a key in it, in any spelling, cut at any place.
fn secret_text() -> impl Strategy<Value = String> {
    let schemes = [
        "",
        "postgres://",
        "postgresql://",
        "postgres:",
        "postgres//",
        "mysql://",
        "sqlite:",
        "--",
        "-",
    ];
    let places = [
        "me:{}@db/x",
        "{}",
        "db/x?password={}",
        "db/x?password=a&{}=b",
        "db/x?sslmode={}",
        "{}={}",
        "host=db password={}",
    ];
    let around = || "[&?#@:/% é\u{1b}=;'\"-]{0,4}";
    let key = Just(format!("tlk_0123456789ab_{SECRET}"));
    let url = (select(schemes.to_vec()), select(places.to_vec()), around(), around()).prop_map(
        |(scheme, place, before, after)| {
            format!("{scheme}{}", place.replace("{}", &format!("{before}{MARK}{after}")))
        },
    );
    (prop_oneof![4 => url, 1 => key], any::<Index>(), any::<Index>()).prop_map(
        |(text, one, other)| {
            let places: Vec<_> =
                (0..=text.len()).filter(|place| text.is_char_boundary(*place)).collect();
            let (one, other) = (*one.get(&places), *other.get(&places));
            // One time in many nothing is cut off.
            if one.abs_diff(other) < text.len() / 4 {
                text
            } else {
                text[one.min(other)..one.max(other)].to_owned()
            }
        },
    )
}

/// The words that lead to a command, and each of its arguments.
fn arguments(command: &Command, words: &[String]) -> Vec<(Vec<String>, Option<Arg>)> {
    let below = command.get_subcommands().flat_map(|command| {
        let words = [words, &[command.get_name().to_owned()]].concat();
        arguments(command, &words)
    });
    let here = command.get_arguments().map(|argument| (words.to_vec(), Some(argument.clone())));
    here.chain([(words.to_vec(), None)]).chain(below).collect()
}

/// Ways to give a text in the place of an argument, and in places where there is none.
fn command_lines(words: &[String], argument: Option<&Arg>, text: &str) -> Vec<Vec<String>> {
    let mut given: Vec<Vec<String>> = vec![
        vec![text.to_owned()],
        vec!["--".to_owned(), text.to_owned()],
        vec![format!("--{text}")],
        vec![format!("-{text}")],
        vec!["x".to_owned(), text.to_owned(), text.to_owned()],
    ];
    if let Some(flag) = argument.and_then(Arg::get_long) {
        given.push(vec![format!("--{flag}={text}")]);
        given.push(vec![format!("--{flag}"), text.to_owned()]);
        given.push(vec![format!("--{flag}{text}")]);
        given.push(vec![format!("--{}={text}", &flag[..flag.len() - 1])]);
    }
    given.into_iter().map(|given| [words, &given].concat()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_secret_is_repeated_wherever_it_was_given(text in secret_text(), place in any::<Index>()) {
        let command = Cli::command();
        let places = arguments(&command, &["timelog".to_owned()]);
        let (words, argument) = place.get(&places);
        for line in command_lines(words, argument.as_ref(), &text) {
            if let Err(refused) = Cli::read_from(&line) {
                let told = format!("{} {refused}", shown::message(&refused.render().to_string()));
                prop_assert!(!tells(&told), "{:?}: {}", line, told);
            }
        }
    }
}

#[test]
fn a_database_url_is_told_without_its_password_in_whatever_place() {
    let url = format!("postgres://me:{MARK}@db/x");
    for arguments in [
        vec!["serve", &url],
        vec!["serve", "--listen", &url],
        vec!["serve", "--database-ur", &url],
        vec![url.as_str()],
        vec!["migrate", "--database-url", &url[..10]],
        vec!["copy", "--from", "sqlite:a", "--to", &url[..24]],
        vec!["key", "revoke", &url],
        vec!["key", "list", "--organization", &url],
        vec!["bootstrap", "--json=", &url],
    ] {
        let complaint = complaint(&arguments);
        assert!(!tells(&complaint), "{complaint}");
    }
    // One that is read is shown without it, too.
    let read = Cli::read_from(["timelog", "migrate", "--database-url", &url]).unwrap();
    assert!(!tells(&format!("{read:?}")), "{read:?}");
}
