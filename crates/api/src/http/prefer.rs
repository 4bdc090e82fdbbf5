//! The preference `handling` of the `Prefer` header (RFC 7240).

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::wire::Handling;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Marks a request whose body was parsed strictly, so that its answer says so.
pub(crate) struct StrictlyRead;

impl StrictlyRead {
    /// The header of the answer.
    pub(crate) const HEADER: (HeaderName, HeaderValue) =
        (PREFERENCE_APPLIED, HeaderValue::from_static("handling=strict"));
}

/// How a request wants its body to be parsed. The first of several `handling` preferences counts;
/// malformed preferences are ignored.
pub(crate) fn handling(headers: &HeaderMap) -> Handling {
    let lines = headers.get_all(PREFER).map(|line| String::from_utf8_lossy(line.as_bytes()));
    for line in lines {
        let preferences = split(&line, ',').into_iter().filter_map(preference);
        for (name, value) in preferences {
            if name.eq_ignore_ascii_case("handling") {
                return if value == "strict" { Handling::Strict } else { Handling::Lenient };
            }
        }
    }
    Handling::Lenient
}

/// The name and the value of a preference. Its parameters are ignored.
fn preference(text: &str) -> Option<(&str, String)> {
    let text = split(text, ';').into_iter().next()?;
    let (name, value) =
        text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    let name = name.trim_matches(SPACE);
    let value = value.map_or(Some(String::new()), |value| unquoted(value.trim_matches(SPACE)))?;
    is_token(name).then_some((name, value))
}

const SPACE: [char; 2] = [' ', '\t'];

/// Splits a text at separators that are not in quotes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(|letter| {
        let separates = letter == separator && !quoted;
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        separates
    })
    .collect()
}

/// The text of a token or of a quoted string (RFC 9110, section 5.6).
fn unquoted(text: &str) -> Option<String> {
    let Some(rest) = text.strip_prefix('"') else {
        return (text.is_empty() || is_token(text)).then(|| text.to_owned());
    };
    let inner = rest.strip_suffix('"')?;
    let mut value = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => value.push(letters.next()?),
            '"' => return None,
            letter => value.push(letter),
        }
    }
    Some(value)
}

fn is_token(text: &str) -> bool {
    let in_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(in_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_strict(lines: &[&[u8]]) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(PREFER, HeaderValue::from_bytes(line).unwrap());
        }
        handling(&headers) == Handling::Strict
    }

    #[test]
    fn strict_handling_is_found_at_any_place() {
        for line in [
            "handling=strict",
            "Handling=strict",
            "handling = strict",
            "handling=\"strict\"",
            "handling=\"st\\rict\"",
            "handling=strict; a=b; c",
            "handling=strict;handling=lenient",
            "respond-async, wait=10, handling=strict",
            "respond-async,,\thandling=strict ,",
            "return=\"a, handling=lenient\", handling=strict",
            "return=\"a\\\", handling=lenient\", handling=strict",
            "x; y=\"a, handling=lenient; \", handling=strict",
            "handling=strict, handling=lenient",
            "a b, =, handling==lenient, handling=\"lenient\"x, handling=le nient, handling=strict",
        ] {
            assert!(is_strict(&[line.as_bytes()]), "{line}");
        }
        assert!(is_strict(&[b"respond-async", b"wait=1, handling=strict", b"handling=lenient"]));
        assert!(is_strict(&[b"x=\"\xff\", handling=strict"]));
    }

    #[test]
    fn everything_else_is_lenient() {
        for line in [
            "",
            "handling",
            "handling=",
            "handling=\"\"",
            "handling=lenient",
            "handling=strictly",
            "handling=\"strict",
            "handling=strict\"",
            "handling=\"strict\\\"",
            "strict",
            "x=handling=strict",
            "x; handling=strict",
            "x=\", handling=strict",
            "x=\"handling=strict\"",
            "handling=lenient, handling=strict",
            "handling, handling=strict",
            "handlings=strict",
        ] {
            assert!(!is_strict(&[line.as_bytes()]), "{line}");
        }
        assert!(!is_strict(&[b"handling=lenient", b"handling=strict"]));
        assert!(!is_strict(&[]));
    }
}
