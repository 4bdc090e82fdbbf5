//! What is wrong with the command line, told to the person who wrote it or set a variable for it.

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command, CommandFactory, Parser};

use super::Cli;

impl Cli {
    /// Reads the command line, and the variables that stand for flags.
    ///
    /// # Errors
    ///
    /// Where something in them is wrong, or help was asked for.
    pub fn read() -> Result<Self, clap::Error> {
        Self::try_parse().map_err(explain)
    }
}

/// Names the variable beside the flag, because the value may have come from either, and hides the password in a URL.
fn explain(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg)
        && let Some(variable) = variable_of(&Cli::command(), flag)
    {
        let both = format!("{flag} or {variable}");
        error.insert(ContextKind::InvalidArg, ContextValue::String(both));
    }
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) {
        let value = without_password(value);
        error.insert(ContextKind::InvalidValue, ContextValue::String(value));
    }
    error
}

/// The variable that stands for a flag such as `--workers <COUNT>`, in any of the commands.
fn variable_of(command: &Command, flag: &str) -> Option<String> {
    let name = flag.strip_prefix("--")?.split([' ', '=']).next();
    let here = command.get_arguments().find(|argument| argument.get_long() == name).and_then(Arg::get_env);
    let here = here.map(|variable| variable.to_string_lossy().into_owned());
    here.or_else(|| command.get_subcommands().find_map(|command| variable_of(command, flag)))
}

/// A URL without what may hold a password: what stands before its last `@`, and its parameters. Any other text as it is.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let hidden =
        |rest: &str| rest.split_once('?').map_or_else(|| rest.to_owned(), |(address, _)| format!("{address}?…"));
    match rest.rsplit_once('@') {
        // A ? before it leaves open which of the two is part of the password.
        Some((before, _)) if before.contains('?') => format!("{scheme}://…"),
        Some((_, rest)) => format!("{scheme}://…@{}", hidden(rest)),
        None => format!("{scheme}://{}", hidden(rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(arguments: &[&str]) -> String {
        explain(Cli::try_parse_from([&["timelog"], arguments].concat()).unwrap_err()).to_string()
    }

    #[test]
    fn a_value_that_is_refused_is_told_with_its_flag_and_its_variable() {
        for (arguments, expected) in [
            (["serve", "--workers=0"], "invalid value '0' for '--workers <COUNT> or TIMELOG_WORKERS': 0 is not in"),
            (
                ["migrate", "--lock-timeout=1"],
                "invalid value '1' for '--lock-timeout <DURATION> or TIMELOG_LOCK_TIMEOUT'",
            ),
            (["serve", "--log-format=xml"], "invalid value 'xml' for '--log-format <FORMAT> or TIMELOG_LOG_FORMAT'"),
        ] {
            let complaint = complaint(&arguments);
            assert!(complaint.contains(expected), "{complaint}");
        }
        // No variable stands for it.
        assert!(complaint(&["key", "revoke", "1"]).contains("invalid value '1' for '<KEY-ID>': "));
    }

    #[test]
    fn a_password_is_not_repeated() {
        let complaint = complaint(&["migrate", "--database-url=mysql://me:secret@db.example/timelog"]);
        assert!(complaint.contains("'mysql://…@db.example/timelog'") && !complaint.contains("secret"), "{complaint}");
        for (text, shown) in [
            ("postgres://db/x?password=s3cret&sslmode=nope", "postgres://db/x?…"),
            ("postgres://me:s3cret@db/x?sslmode=nope", "postgres://…@db/x?…"),
            ("postgres://me:s3?cret@db/x", "postgres://…"),
            ("postgres://db/x?password=s3@cret", "postgres://…"),
            ("sqlite:a@b?c", "sqlite:a@b?c"),
        ] {
            assert_eq!(without_password(text), shown);
        }
    }
}
