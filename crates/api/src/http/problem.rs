//! Problems: RFC 9457 `application/problem+json`.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::code::Code;
use super::request_id::{RequestId, X_REQUEST_ID};

/// How many things that are wrong are told of one request. The others are counted, so that no
/// request gets an answer that is many times its size.
pub(crate) const MOST_TOLD: usize = 100;

/// How much is repeated of a name that the sender chose: so many characters, which take so many
/// bytes in JSON.
const LONGEST_NAME: usize = 100;
const WIDEST_NAME: usize = 300;

/// Why a request is not answered with what it asked for.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    code: Code,
    detail: String,
    violations: Vec<Violation>,
    results: Option<Box<RawValue>>,
    headers: Vec<(header::HeaderName, String)>,
}

/// One thing that is wrong with a request.
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
}

/// The beginning of a name that the sender chose.
pub(crate) fn cut(name: &str) -> Cow<'_, str> {
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Violation],
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<&'a RawValue>,
}

/// As part of a larger answer, which names its request itself, or is kept and outlives it.
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.body(None).serialize(serializer)
    }
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            violations: Vec::new(),
            results: None,
            headers: Vec::new(),
        }
    }

    /// A request that is well formed but not valid, with everything that is wrong with it.
    pub(crate) fn invalid(violations: Vec<Violation>) -> Self {
        Self::invalid_with_more(violations, 0)
    }

    /// Likewise, where some of what is wrong was only counted.
    pub(crate) fn invalid_with_more(mut violations: Vec<Violation>, more: usize) -> Self {
        let detail = match violations.len() + more {
            1 => "One value is not valid.".to_owned(),
            count if count <= MOST_TOLD => format!("{count} values are not valid."),
            count => format!("{count} values are not valid. The first {MOST_TOLD} are told."),
        };
        violations.truncate(MOST_TOLD);
        Self { violations, ..Self::new(Code::ValidationError, detail) }
    }

    pub(crate) fn with_violation(mut self, violation: Violation) -> Self {
        self.violations.push(violation);
        self
    }

    pub(crate) fn with_header(
        mut self,
        name: header::HeaderName,
        value: impl Into<String>,
    ) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Says what each of many items came to.
    pub(crate) fn with_results(mut self, results: Option<Box<RawValue>>) -> Self {
        self.results = results;
        self
    }

    /// What is wrong, for people who see no JSON: each place, if there is one, and what is wrong
    /// there.
    pub(crate) fn reasons(&self) -> Vec<(String, String)> {
        let reason =
            |Violation {
                 place: Place::Pointer(place) | Place::Parameter(place), message, ..
             }: &Violation| {
                (place.trim_start_matches('/').replace('/', "."), message.clone())
            };
        if self.violations.is_empty() {
            return vec![(String::new(), self.detail.clone())];
        }
        self.violations.iter().map(reason).collect()
    }

    /// The answer, which names the request it answers.
    pub(crate) fn response(&self, request_id: &RequestId) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.code.status());
        response.content_type("application/problem+json");
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.as_str()));
        }
        response.body(crate::json::bytes(&self.body(Some(request_id))))
    }

    /// The whole answer to a request that could not be read, after which the connection closes.
    pub(crate) fn message(&self) -> Vec<u8> {
        let id = RequestId::of(&header::HeaderMap::new());
        let body = crate::json::bytes(&self.body(Some(&id)));
        let head = format!(
            "HTTP/1.1 {}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n{X_REQUEST_ID}: {id}\r\n\
             cache-control: no-store\r\nconnection: close\r\n\r\n",
            self.code.status(),
            body.len()
        );
        [head.into_bytes(), body].concat()
    }

    fn body<'a>(&'a self, request_id: Option<&'a RequestId>) -> Body<'a> {
        Body {
            r#type: format!("urn:timelog:problem:{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            code: self.code.as_str(),
            request_id: request_id.map(RequestId::as_str),
            errors: &self.violations,
            results: self.results.as_deref(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl std::error::Error for Problem {}

/// Handlers return problems as errors; [`observe`](super::observe::observe) turns each into its
/// answer, because only there the request's id is at hand.
impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}
