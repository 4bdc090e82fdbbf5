//! Reading the command line and the variables, and errors in them.
//!
//! A refused value is not repeated: it may be a URL with its password, or a key, in the wrong place
//! and in any spelling.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory, FromArgMatches};

use super::Cli;

/// Stands for a refused value.
const HIDDEN: &str = "…";

impl Cli {
    /// Reads the command line, and the variables that stand for flags.
    ///
    /// # Errors
    ///
    /// Where something in them is wrong, or help was asked for.
    pub fn read() -> Result<Self, clap::Error> {
        Self::read_from(std::env::args_os())
    }

    /// Reads these arguments, the first of which is the name of the program.
    pub(super) fn read_from(
        arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let read = command.try_get_matches_from_mut(arguments);
        let read = read.and_then(|matches| {
            Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
        });
        read.map_err(explain)
    }
}

/// Names the variable beside the flag, because the value may have come from either, and leaves out
/// the refused value.
fn explain(mut error: clap::Error) -> clap::Error {
    if let Some(argument) = text(&error, ContextKind::InvalidArg) {
        if error.kind() != ErrorKind::UnknownArgument {
            if let Some(variable) = variable_of(&Cli::command(), &argument) {
                put(&mut error, ContextKind::InvalidArg, &format!("{argument} or {variable}"));
            }
        } else if !is_flag(&argument) {
            put(&mut error, ContextKind::InvalidArg, HIDDEN);
            leave_out_suggestions(&mut error);
        }
    }
    if text(&error, ContextKind::InvalidSubcommand).is_some() {
        put(&mut error, ContextKind::InvalidSubcommand, HIDDEN);
        leave_out_suggestions(&mut error);
    }
    if let Some(value) = text(&error, ContextKind::InvalidValue)
        && !is_number(&value)
    {
        put(&mut error, ContextKind::InvalidValue, HIDDEN);
    }
    error
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    }
}

fn put(error: &mut clap::Error, kind: ContextKind, text: &str) {
    error.insert(kind, ContextValue::String(text.to_owned()));
}

/// Removes the suggestion that repeats the refused value: the one that tells how to pass it as a
/// value.
fn leave_out_suggestions(error: &mut clap::Error) {
    if let Some(ContextValue::StyledStrs(mut suggestions)) = error.remove(ContextKind::Suggested) {
        suggestions.retain(|suggestion| !suggestion.to_string().starts_with("to pass "));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(suggestions));
    }
}

/// Whether a text can only be a flag.
fn is_flag(text: &str) -> bool {
    let name = text.strip_prefix("--").unwrap_or_default();
    let in_name = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    (1..=24).contains(&name.len()) && name.bytes().all(in_name)
}

/// Whether a text is only a number, perhaps with a unit, or empty.
fn is_number(text: &str) -> bool {
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
    let in_number = |byte: u8| byte.is_ascii_digit() || b"+-.".contains(&byte);
    let has_digits = text.is_empty() || !number.is_empty();
    has_digits
        && text.len() <= 20
        && text.len() - number.len() <= 2
        && number.bytes().all(in_number)
}

/// The variable that stands for a flag such as `--workers <COUNT>`, in any of the commands.
fn variable_of(command: &Command, flag: &str) -> Option<String> {
    let name = flag.strip_prefix("--")?.split([' ', '=']).next();
    let here =
        command.get_arguments().find(|argument| argument.get_long() == name).and_then(Arg::get_env);
    let here = here.map(|variable| variable.to_string_lossy().into_owned());
    here.or_else(|| command.get_subcommands().find_map(|command| variable_of(command, flag)))
}

#[cfg(test)]
mod tests;
