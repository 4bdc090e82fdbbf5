//! What is wrong with a request, as it is told.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::json;
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat};
use utoipa::openapi::{RefOr, Schema};

use super::schema::{self, Described, Schemas};

/// How many violations are told of one request. The others are counted, so that no request gets an
/// answer that is many times its size.
pub(crate) const MOST_TOLD: usize = 100;

/// How much is repeated of a name that the sender chose: so many characters, which take so many
/// bytes in JSON.
const LONGEST_NAME: usize = 100;
const WIDEST_NAME: usize = 300;

/// One value that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Violation {
    #[serde(flatten)]
    place: Place,
    code: &'static str,
    message: String,
}

/// Where it is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    /// A JSON pointer into the body.
    Pointer(String),
    /// The name of a header, a path parameter or a query parameter.
    Parameter(String),
}

impl Violation {
    /// At a place of the body.
    pub(crate) fn at(
        pointer: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { place: Place::Pointer(pointer.into()), code, message: message.into() }
    }

    /// In a header, path or query parameter.
    pub(crate) fn in_parameter(name: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self { place: Place::Parameter(cut(name).into_owned()), code, message: message.into() }
    }

    /// Whether it is in that parameter.
    pub(crate) fn is_in(&self, parameter: &str) -> bool {
        self.place == Place::Parameter(cut(parameter).into_owned())
    }

    /// Its place, for people who see no JSON, and what is wrong there.
    pub(crate) fn reason(&self) -> (String, String) {
        let (Place::Pointer(place) | Place::Parameter(place)) = &self.place;
        (place.trim_start_matches('/').replace('/', "."), self.message.clone())
    }
}

/// The codes of violations, and what is the matter with such a value.
const CODES: &[(&str, &str)] = &[
    ("required", "is missing"),
    (
        "wrong_type",
        "has another type, or is null where that is not allowed, or is not a whole number",
    ),
    ("invalid_id", "is not a hyphenated UUID"),
    ("invalid_date", "is not a real day written YYYY-MM-DD"),
    ("invalid_instant", "is not an RFC 3339 instant"),
    ("invalid_hours", "is not written as decimal hours"),
    ("out_of_range", "is too small, too large or too many"),
    ("too_long", "has too many characters"),
    ("blank", "is empty or only white space"),
    ("invalid_character", "contains U+0000, or is not UTF-8"),
    ("unknown_value", "is none of the words that are possible"),
    ("unknown_reference", "names what the organization or project does not have"),
    ("inactive_user", "names a user for whom no time can be logged any more"),
    ("invalid_header", "is a header that cannot be read"),
    ("invalid_cursor", "is no cursor of this list"),
    ("unknown_parameter", "is no parameter of this request"),
    ("unknown_member", "is no member of its object, and the request prefers strict handling"),
    ("repeated", "stands more than once"),
];

impl Described for Violation {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let cut = "Of a name that is longer than 100 characters the beginning is told, and a `…`.";
        let table: Vec<_> =
            CODES.iter().map(|(code, value)| format!("| `{code}` | {value} |")).collect();
        let codes = format!(
            "The rule, for programs. More of them may come.\n\n| code | the value \
             |\n|---|---|\n{}",
            table.join("\n")
        );
        let about = "One value that was refused, and the rule it breaks. It is found by \
            `pointer` in the body, or by `parameter` outside it.";
        let pointer = format!(
            "Where in the body, as a JSON pointer (RFC 6901). Empty for the body as a whole. {cut}"
        );
        let parameter = format!(
            "Which path, query or header parameter. Empty for a query parameter without a name. \
             {cut}"
        );
        let pointer = schema::text(&pointer)
            .format(Some(SchemaFormat::Custom("json-pointer".to_owned())))
            .pattern(Some("^(/([^~/]|~[01])*)*$"))
            .examples([json!("/externalRef/provider")]);
        let parameter = schema::text(&parameter).examples([json!("projectId")]);
        let code = schema::text(&codes).pattern(Some("^[a-z][a-z0-9_]*$")).examples([
            "required",
            "out_of_range",
            "too_long",
            "unknown_reference",
        ]);
        let message = schema::text("The rule, for people, with the limit where there is one.")
            .min_length(Some(1));
        schemas.named("Violation", |_| {
            let violation = ObjectBuilder::new()
                .description(Some(about))
                .property("pointer", pointer)
                .property("parameter", parameter)
                .property("code", code)
                .required("code")
                .property("message", message)
                .required("message")
                .examples([
                    json!({
                        "pointer": "/minutes",
                        "code": "out_of_range",
                        "message": "must be a whole number of minutes from 1 to 1440",
                    }),
                    json!({
                        "parameter": "projectId",
                        "code": "invalid_id",
                        "message": "must be a hyphenated UUID such as \
                            3fa85f64-5717-4562-b3fc-2c963f66afa6",
                    }),
                ]);
            schema::closed(violation)
        })
    }
}

/// Why a body cannot be taken.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It is no JSON, or an object in it has a member twice. Says why.
    Malformed(String),
    /// It breaks rules.
    Invalid {
        /// The first violations.
        violations: Vec<Violation>,
        /// How many more there are.
        more: usize,
    },
}

impl Unreadable {
    /// One violation.
    pub(crate) fn invalid(violation: Violation) -> Self {
        Self::Invalid { violations: vec![violation], more: 0 }
    }

    /// What is wrong, for people who see no JSON.
    pub(crate) fn reasons(&self) -> Vec<(String, String)> {
        match self {
            Self::Malformed(detail) => vec![(String::new(), detail.clone())],
            Self::Invalid { violations, .. } => violations.iter().map(Violation::reason).collect(),
        }
    }
}

/// The beginning of a name that the sender chose.
pub(super) fn cut(name: &str) -> Cow<'_, str> {
    let mut width = 0;
    let mut letters = name.char_indices().enumerate();
    let too_much = letters.find(|(count, (_, letter))| {
        width += match letter {
            '\0'..='\u{1f}' => 6,
            '"' | '\\' => 2,
            letter => letter.len_utf8(),
        };
        *count == LONGEST_NAME || width > WIDEST_NAME
    });
    match too_much {
        Some((_, (end, _))) => Cow::Owned(format!("{}…", &name[..end])),
        None => Cow::Borrowed(name),
    }
}
