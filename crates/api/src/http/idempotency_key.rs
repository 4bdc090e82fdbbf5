//! The `Idempotency-Key` header.

use actix_web::http::header::{HeaderMap, HeaderName};
use timelog_domain::IdempotencyKey;

use super::code::Code;
use super::problem::Problem;
use crate::wire::Violation;

const NAME: &str = "Idempotency-Key";

/// Marks a replayed answer.
pub(crate) const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The idempotency key of a request, if it has one. It is plain text or a structured-field string
/// (RFC 8941, section 3.3.3): `k` and `"k"` are the same key.
pub(crate) fn of(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let mut values = headers.get_all(NAME);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(invalid("must be sent on one header line"));
    }
    parse(value.as_bytes()).map(Some)
}

fn parse(value: &[u8]) -> Result<IdempotencyKey, Problem> {
    let text = if value.first() == Some(&b'"') {
        unquote(value).ok_or_else(|| invalid("begins with a quote but is not a quoted string"))?
    } else if value.contains(&b' ') {
        return Err(invalid("may contain spaces only inside quotes"));
    } else {
        String::from_utf8_lossy(value).into_owned()
    };
    text.try_into().map_err(|error: timelog_domain::idempotency::InvalidIdempotencyKey| {
        invalid(&error.to_string())
    })
}

/// The text of a structured-field string: printable ASCII in quotes, where only `"` and `\` are
/// escaped.
fn unquote(value: &[u8]) -> Option<String> {
    let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut text = String::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => {
                text.push(char::from(*bytes.next().filter(|next| matches!(next, b'"' | b'\\'))?));
            }
            b'"' => return None,
            b' '..=b'~' => text.push(char::from(byte)),
            _ => return None,
        }
    }
    Some(text)
}

fn invalid(message: &str) -> Problem {
    Problem::new(Code::InvalidIdempotencyKey, format!("The header {NAME} {message}."))
        .with_violation(Violation::in_parameter(NAME, "invalid_header", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(value: &str) -> Option<String> {
        parse(value.as_bytes()).ok().map(|key| key.as_str().to_owned())
    }

    #[test]
    fn a_key_is_plain_text_or_a_quoted_string() {
        let plain = |text: &str| Some(text.to_owned());
        assert_eq!(key("k"), plain("k"));
        assert_eq!(key("\"k\""), plain("k"));
        assert_eq!(key(r#""a\"b\\c""#), plain(r#"a"b\c"#));
        assert_eq!(key("\"a b\""), plain("a b"));
        assert_eq!(key("a\"b"), plain("a\"b"));
        assert_eq!(key(&"k".repeat(255)), plain(&"k".repeat(255)));
    }

    #[test]
    fn everything_else_is_refused() {
        for value in [
            "",
            "\"",
            "\"\"",
            "\"k",
            "\"k\\\"",
            "\"k\"x",
            "\"k\";p=1",
            "\"\\k\"",
            "\"k\"\"",
            "a b",
            "a\tb",
            "é",
            "\"é\"",
        ] {
            assert_eq!(key(value), None, "{value:?}");
        }
        assert_eq!(key(&"k".repeat(256)), None);
        assert_eq!(key(&format!("\"{}\"", "k".repeat(256))), None);
    }
}
