//! Text as it is shown to people and written to logs: without secrets, and without characters that
//! do something to a terminal.
//!
//! The text may be anything: somebody may give a URL with its password where a file is meant, or a
//! key where an id is. So a secret is known by how it looks, and hidden where that is doubtful.

use std::borrow::Cow;
use std::path::Path;

/// Stands for what is not shown.
const HIDDEN: char = '…';

/// How an API key begins.
const KEY: &str = "tlk_";

/// The most characters of a key's prefix, which is no secret.
const LONGEST_PREFIX: usize = 12;

/// This many hexadecimal digits in a row are taken for a part of a key's secret, which has 64. An
/// id has at most 32.
const SECRET_DIGITS: usize = 40;

/// One value, such as a path or a name, for a message about it. All of it is taken for one thing,
/// so that a password may have spaces in it.
#[must_use]
pub fn value(text: &str) -> String {
    let text = without_password(text);
    let text = without_keys(&text);
    escaped(&text, |_| false).into_owned()
}

/// A path, for a message about it.
#[must_use]
pub fn path(path: &Path) -> String {
    value(&path.to_string_lossy())
}

/// A whole message. Its line ends stay, and it is looked through word by word.
#[must_use]
pub fn message(text: &str) -> String {
    escaped(&without_secrets(text), |letter| letter == '\n').into_owned()
}

/// A message without passwords and the secrets of API keys.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        shown.push_str(&without_password_in_word(word));
    }
    without_keys(&shown).into_owned()
}

/// The beginning of a text, and a mark if that is not all of it.
#[must_use]
pub fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}{HIDDEN}", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// A value or a message without the secrets of API keys.
#[must_use]
pub fn without_keys(text: &str) -> Cow<'_, str> {
    if !may_have_key(text) {
        return Cow::Borrowed(text);
    }
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut shown = String::new();
    let mut rest = text;
    let mut kept = text;
    while let Some(start) = rest.find(is_part) {
        let run = &rest[start..];
        let run = &run[..run.find(|letter| !is_part(letter)).unwrap_or(run.len())];
        let end = start + run.len();
        if let Some(hidden) = hidden_key(run) {
            let before = kept.len() - rest.len() + start;
            shown.push_str(&kept[..before]);
            shown.push_str(&hidden);
            kept = &rest[end..];
        }
        rest = &rest[end..];
    }
    if kept.len() == text.len() {
        return Cow::Borrowed(text);
    }
    shown.push_str(kept);
    Cow::Owned(shown)
}

/// Whether a text has anything that [`hidden_key`] hides. Almost none has, and this is much faster.
fn may_have_key(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |at: &usize| bytes[*at].is_ascii_hexdigit();
    // So many digits in a row have one at one of these places.
    let mut places = (SECRET_DIGITS - 1..bytes.len()).step_by(SECRET_DIGITS);
    let has_digits = places.any(|place| {
        let before = (0..=place).rev().take_while(is_digit).count();
        let after = (place + 1..bytes.len()).take_while(is_digit).count();
        before > 0 && before + after >= SECRET_DIGITS
    });
    let ends_a_beginning = |at: usize| {
        let begin = bytes[..=at].last_chunk::<{ KEY.len() }>();
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(KEY.as_bytes()))
    };
    has_digits || text.match_indices('_').any(|(at, _)| ends_a_beginning(at))
}

/// What is shown of a run of letters, digits and underscores that has a secret in it.
fn hidden_key(run: &str) -> Option<String> {
    let start = run
        .as_bytes()
        .windows(KEY.len())
        .position(|begin| begin.eq_ignore_ascii_case(KEY.as_bytes()));
    if let Some(start) = start {
        let (begin, key) = run.split_at(start + KEY.len());
        let prefix = key.split('_').next().unwrap_or_default();
        // A text as short as a prefix with nothing behind it is only that.
        return match (prefix.len() <= LONGEST_PREFIX, key.len() > prefix.len()) {
            (true, false) => None,
            (true, true) => Some(format!("{begin}{prefix}_{HIDDEN}")),
            (false, _) => Some(format!("{begin}{HIDDEN}")),
        };
    }
    let mut parts = run.split(|letter: char| !letter.is_ascii_hexdigit());
    parts.any(|digits| digits.len() >= SECRET_DIGITS).then(|| HIDDEN.to_string())
}

/// A value without what may be a password: between the first colon and the last `@`, and in the
/// parameters of a URL.
fn without_password(text: &str) -> Cow<'_, str> {
    let scheme = text.find("://");
    let is_url = scheme.is_some() || begins_like_a_url(text);
    if let Some(at) = text.rfind('@')
        && let Some(colon) = text[..at].find(':')
    {
        // The colon of a scheme does not begin the password, unless there is no other.
        let own = scheme.filter(|scheme| *scheme == colon).map_or(colon, |scheme| {
            let after = scheme + "://".len();
            text.get(after..at)
                .and_then(|user| user.find(':'))
                .map_or(after - 1, |colon| after + colon)
        });
        // Our own example of a URL.
        if &text[own + 1..at] == "PASSWORD" {
            return Cow::Borrowed(text);
        }
        let rest = &text[at..];
        let rest = rest
            .split_once('?')
            .map_or(rest.to_owned(), |(address, _)| format!("{address}?{HIDDEN}"));
        return Cow::Owned(format!("{}{HIDDEN}{rest}", &text[..=own]));
    }
    if is_url {
        // It may be cut off, so that the @ after the password is missing.
        let end = scheme.map_or_else(
            || text.find(':').map_or(0, |colon| colon + 1),
            |scheme| scheme + "://".len(),
        );
        return Cow::Owned(format!("{}{HIDDEN}", &text[..end]));
    }
    match after_password_name(text) {
        Some(end) => Cow::Owned(format!("{}{HIDDEN}", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

fn begins_like_a_url(text: &str) -> bool {
    ["postgres:", "postgresql:"].iter().any(|scheme| {
        text.as_bytes()
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
    })
}

/// Where the value of something called a password begins.
fn after_password_name(text: &str) -> Option<usize> {
    const NAME: &str = "password=";
    text.to_ascii_lowercase().find(NAME).map(|start| start + NAME.len())
}

/// Likewise one word of a message, which may be a URL that is shown on purpose.
fn without_password_in_word(word: &str) -> Cow<'_, str> {
    let is_plain = !word.contains('@') && after_password_name(word).is_none();
    let user = word.split_once("://").map_or(word, |(_, rest)| rest);
    let has_password = user.rfind('@').is_some_and(|at| user[..at].contains(':'));
    if is_plain || !(has_password || after_password_name(word).is_some()) {
        return Cow::Borrowed(word);
    }
    let end = word.trim_end_matches(char::is_whitespace);
    let mut shown = without_password(end).into_owned();
    shown.push_str(&word[end.len()..]);
    Cow::Owned(shown)
}

/// A text in which the characters that act on a terminal are written as `\u{1b}`.
pub fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    escaped_as(text, stays, |letter| format!("\\u{{{letter:x}}}"))
}

/// Likewise, written in another way.
pub fn escaped_as(
    text: &str,
    stays: impl Fn(char) -> bool,
    write: impl Fn(u32) -> String,
) -> Cow<'_, str> {
    let acts = |letter: char| acts_on_a_terminal(letter) && !stays(letter);
    // Most texts have only printable ASCII, where nothing acts.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if acts(letter) {
            shown.push_str(&write(letter.into()));
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

/// Control characters, and those that turn the direction of writing and so show another text.
#[must_use]
pub const fn acts_on_a_terminal(letter: char) -> bool {
    matches!(letter, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn a_value_has_no_password_however_it_is_written() {
        for (text, shown) in [
            ("postgres://me:s3cret@db/x", "postgres://me:…@db/x"),
            ("postgres:me:s3cret@db", "postgres:…@db"),
            ("me:s3cret@db/x", "me:…@db/x"),
            ("postgres//me:s3cret@db", "postgres//me:…@db"),
            ("postgres://me:s3 cret@x@db/x?password=s3cret", "postgres://me:…@db/x?…"),
            ("postgres://me:a://s3cret@db", "postgres://me:…@db"),
            ("me://s3cret@db", "me://…@db"),
            ("postgres://me:s3cret", "postgres://…"),
            ("POSTGRES:me:s3cret", "POSTGRES:…"),
            ("host=db PassWord=s3cret", "host=db PassWord=…"),
            ("/var/lib/timelog.db", "/var/lib/timelog.db"),
            ("backup-2025-01-15T10:00:00.db", "backup-2025-01-15T10:00:00.db"),
            ("ann@example.com", "ann@example.com"),
        ] {
            assert_eq!(value(text), shown, "{text}");
        }
    }

    #[test]
    fn a_message_keeps_its_words_and_loses_its_secrets() {
        for (text, shown) in [
            ("cannot open a:s3cret@db: no file", "cannot open a:…@db: no file"),
            ("line 3: “ann@example.com” is nobody", "line 3: “ann@example.com” is nobody"),
            ("at postgres://clerk@db:5432/x: away", "at postgres://clerk@db:5432/x: away"),
            ("at postgres://clerk:s3cret@db/x", "at postgres://clerk:…@db/x"),
            ("see http://127.0.0.1:8080/docs/", "see http://127.0.0.1:8080/docs/"),
            (
                "or postgres://USER:PASSWORD@HOST:PORT/NAME, as",
                "or postgres://USER:PASSWORD@HOST:PORT/NAME, as",
            ),
            ("one\ntwo\rthree", "one\ntwo\\u{d}three"),
        ] {
            assert_eq!(message(text), shown);
        }
    }

    #[test]
    fn the_secret_of_a_key_is_never_shown() {
        for (text, shown) in [
            (format!("tlk_0123456789ab_{SECRET}"), "tlk_0123456789ab_…"),
            (format!("/projects/TLK_0123456789ab_{SECRET}/x"), "/projects/TLK_0123456789ab_…/x"),
            (
                format!("a tlk_0123456789ab_{SECRET}, and tlk_0123456789ab_12"),
                "a tlk_0123456789ab_…, and tlk_0123456789ab_…",
            ),
            (format!("tlk_{SECRET}"), "tlk_…"),
            (format!("x{SECRET}"), "…"),
            (format!("ab_{SECRET}"), "…"),
            ("tlk_0123456789ab".to_owned(), "tlk_0123456789ab"),
            (
                "01946900-56c0-7c3e-9d24-51f6a7b8c9d0".to_owned(),
                "01946900-56c0-7c3e-9d24-51f6a7b8c9d0",
            ),
        ] {
            assert_eq!(value(&text), shown);
            assert_eq!(message(&text), shown);
        }
    }

    #[test]
    fn what_would_act_on_a_terminal_is_written_out() {
        assert_eq!(
            value("a\u{1b}[2Jb\nc\u{9b}d\u{202e}e\u{2066}é\u{7f}"),
            "a\\u{1b}[2Jb\\u{a}c\\u{9b}d\\u{202e}e\\u{2066}é\\u{7f}"
        );
    }

    proptest! {
        #[test]
        fn no_password_between_a_colon_and_an_at_is_shown(
            before in "[a-z:/?#& ]{0,8}", inside in "\\PC{0,8}", after in "[a-z:/?#&]{0,8}",
        ) {
            let text = format!("{before}:{inside}Quetzalcoatl{inside}@{after}");
            prop_assert!(!value(&text).contains("Quetzalcoatl"), "{}", value(&text));
        }

        #[test]
        fn what_cannot_have_a_key_has_nothing_to_hide(
            text in "([0-9a-fA-F]{38,42}|[tT][lL][kK]_?|[x_ -]){0,6}",
        ) {
            let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            let mut runs = text.split(|letter| !is_part(letter));
            prop_assert!(may_have_key(&text) || runs.all(|run| hidden_key(run).is_none()));
        }

        #[test]
        fn nothing_that_is_shown_acts_on_a_terminal(text in ".*") {
            prop_assert!(!value(&text).contains(acts_on_a_terminal));
            prop_assert!(!message(&text).contains(|letter| letter != '\n' && acts_on_a_terminal(letter)));
        }
    }
}
