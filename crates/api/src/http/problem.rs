//! Problems: RFC 9457 `application/problem+json`.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use timelog_domain::ports::PortError;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaFormat};
use utoipa::openapi::{RefOr, Schema};

use super::code::Code;
use super::request_id::{RequestId, X_REQUEST_ID};
use crate::wire::schema;
use crate::wire::{
    Answered, Described, MOST_TOLD, Schemas, Sometimes, Unreadable, Violation, answer, bytes,
};

/// Why a request failed.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    code: Code,
    detail: String,
    violations: Vec<Violation>,
    results: Option<Box<RawValue>>,
    headers: Vec<(header::HeaderName, String)>,
    /// The failure of a port, if that is the reason.
    pub(super) failure: Option<Box<PortError>>,
}

/// For a problem inside another answer. It has no request id, because that answer has one or is
/// stored.
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
            failure: None,
        }
    }

    /// The problem of a well-formed request that is not valid, with all its violations.
    pub(crate) fn invalid(violations: Vec<Violation>) -> Self {
        Self::invalid_with_more(violations, 0)
    }

    /// Likewise, where `more` violations were only counted.
    fn invalid_with_more(mut violations: Vec<Violation>, more: usize) -> Self {
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

    /// Adds the result of each item of a batch.
    pub(crate) fn with_results(mut self, results: Option<Box<RawValue>>) -> Self {
        self.results = results;
        self
    }

    /// Adds the failure that is the reason.
    pub(super) fn with_failure(mut self, failure: PortError) -> Self {
        self.failure = Some(Box::new(failure));
        self
    }

    pub(super) const fn code(&self) -> Code {
        self.code
    }

    /// Each violation as its place (possibly empty) and a message, for readers who see no JSON.
    pub(crate) fn reasons(&self) -> Vec<(String, String)> {
        if self.violations.is_empty() {
            return vec![(String::new(), self.detail.clone())];
        }
        self.violations.iter().map(Violation::reason).collect()
    }

    /// As JSON, for the examples of the OpenAPI document.
    pub(crate) fn shown(&self, request_id: Option<&str>) -> Value {
        serde_json::to_value(self.body(request_id)).unwrap_or_default()
    }

    /// The HTTP response, with the id of its request.
    pub(crate) fn response(&self, request_id: &RequestId) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.code.status());
        response.content_type("application/problem+json");
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.as_str()));
        }
        response.body(bytes(&self.body(Some(request_id.as_str()))))
    }

    /// The raw HTTP answer to a request that could not be parsed. The connection closes after it.
    pub(crate) fn message(&self) -> Vec<u8> {
        let id = RequestId::of(&header::HeaderMap::new());
        let body = bytes(&self.body(Some(id.as_str())));
        let head = format!(
            "HTTP/1.1 {}\r\ncontent-type: application/problem+json\r\ncontent-length: \
             {}\r\n{X_REQUEST_ID}: {id}\r\n\
             cache-control: no-store\r\nconnection: close\r\n\r\n",
            self.code.status(),
            body.len()
        );
        [head.into_bytes(), body].concat()
    }

    fn body<'a>(&'a self, request_id: Option<&'a str>) -> Body<'a> {
        Body {
            r#type: Urn(format!("urn:timelog:problem:{}", self.code.as_str())),
            title: Words(self.code.title()),
            status: Status(self.code.status().as_u16()),
            detail: Words(&self.detail),
            code: self.code,
            request_id: Sometimes(request_id.map(Id)),
            errors: Sometimes(Some(Violations(&self.violations)).filter(|told| !told.0.is_empty())),
            results: Sometimes(self.results.as_deref().map(Results)),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl std::error::Error for Problem {}

/// Handlers return problems as errors; [`observe`](super::observe::observe), which has the request
/// id, turns them into responses.
impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl From<Unreadable> for Problem {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Malformed(detail) => Self::new(Code::MalformedJson, detail),
            Unreadable::Invalid { violations, more } => Self::invalid_with_more(violations, more),
        }
    }
}

impl Problem {
    /// The members of a problem, for the OpenAPI document.
    pub(crate) fn declared(schemas: &mut Schemas) -> ObjectBuilder {
        let mut declared = Body::declared(schemas).build();
        declared.properties.shift_remove("results");
        ObjectBuilder::from(declared).required("requestId")
    }
}

/// A problem that is a whole answer.
pub(crate) struct WholeProblem;

impl Described for WholeProblem {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let table: Vec<_> = Code::ALL
            .iter()
            .map(|code| {
                format!("| {} | `{}` | {} |", code.status().as_u16(), code.as_str(), code.title())
            })
            .collect();
        let about = format!(
            "Why a request failed, in the form of RFC 9457.\n\n| status | code | title \
             |\n|---|---|---|\n{}",
            table.join("\n")
        );
        let example = Self::example();
        schemas.named("Problem", |schemas| {
            let declared = Problem::declared(schemas).description(Some(about));
            schema::closed(declared.examples([example]))
        })
    }
}

impl WholeProblem {
    fn example() -> Value {
        let id = "01946900-56bf-7f21-b0c4-2d3e4f506172";
        Problem::new(Code::NotFound, "There is no such time entry.").shown(Some(id))
    }
}

/// For a problem inside another answer.
impl Described for Problem {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let about = "Why one item of many failed. As `Problem`, without a `requestId`: the answer \
            that it stands in has one for all. Pointers are relative to the item.";
        schemas.named("ItemProblem", |schemas| {
            let mut declared = Body::declared(schemas).build();
            declared.properties.shift_remove("results");
            declared.properties.shift_remove("requestId");
            let detail = "This key may change only the entries of its own user.";
            let example = Self::new(Code::Forbidden, detail).shown(None);
            let declared = ObjectBuilder::from(declared).description(Some(about));
            schema::closed(declared.examples([example]))
        })
    }
}

impl Answered for Problem {}

answer! {
    /// A problem.
    struct Body<'a> = "ProblemBody" {
        /// The kind of problem as a URI: `urn:timelog:problem:` and the code.
        r#type: Urn,
        /// The kind of problem in words. It is the same every time.
        title: Words<'a>,
        /// The HTTP status once more.
        status: Status,
        /// What went wrong this time, for people.
        detail: Words<'a>,
        code: Code,
        /// The value of `X-Request-Id`.
        request_id: Sometimes<Id<'a>>,
        /// Every value that was refused, up to 100 of them; `detail` tells how many there are.
        /// Always there when the code is `validation_error`.
        errors: Sometimes<Violations<'a>>,
        /// What each of many items came to.
        results: Sometimes<Results<'a>>,
    }
}

/// The types of a problem's members, each with its schema.
macro_rules! parts {
    ($($part:ident $(<$life:lifetime>)? ($type:ty) = |$schemas:pat_param| $schema:expr;)+) => {$(
        #[derive(Serialize)]
        struct $part $(<$life>)? ($type);

        impl $(<$life>)? Described for $part $(<$life>)? {
            fn schema($schemas: &mut Schemas) -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl $(<$life>)? Answered for $part $(<$life>)? {}
    )+};
}

parts! {
    Urn(String) = |_| schema::text("")
        .format(Some(SchemaFormat::Custom("uri".to_owned())))
        .pattern(Some("^urn:timelog:problem:[a-z]+(_[a-z]+)*$"))
        .examples([json!("urn:timelog:problem:not_found")]);
    Words<'a>(&'a str) = |_| schema::text("").min_length(Some(1));
    Status(u16) = |_| schema::whole(400).maximum(Some(599));
    Id<'a>(&'a str) = |_| schema::text("").pattern(Some("^[!-~]{1,128}$"));
    Violations<'a>(&'a [Violation]) = |schemas| ArrayBuilder::new()
        .items(Violation::schema(schemas))
        .min_items(Some(1))
        .max_items(Some(MOST_TOLD));
    Results<'a>(&'a RawValue) = |_| ArrayBuilder::new();
}
