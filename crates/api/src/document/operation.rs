//! An operation as it is put together: by what its types say, and by what is said of it.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::path::{self, OperationBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::{ResponseBuilder, ResponsesBuilder};
use utoipa::openapi::{Ref, RefOr, Required, Response, Schema, SecurityRequirement, link};

use super::about::{About, Answer};
use super::caching::Caching;
use super::headers::{Header, IDEMPOTENT_REPLAYED, PREFERENCE_APPLIED, X_REQUEST_ID};
use super::parameters::{self, Parameter};
use super::problems::Problems;
use super::problems::sets::{
    BAD_BODY, BAD_PARAMETER, BAD_REQUEST, FORBIDDEN, IDEMPOTENCY_KEY_REUSED, INTERNAL,
    METHOD_NOT_ALLOWED, NOT_FOUND, PAYLOAD_TOO_LARGE, PRECONDITION_FAILED, RATE_LIMITED,
    REQUEST_TIMEOUT, UNAUTHORIZED, UNAVAILABLE, UNSUPPORTED_MEDIA_TYPE,
};
use super::sample::content;
use crate::wire::{Parameters, Schemas};

/// What operations refer to.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) schemas: Schemas,
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) headers: BTreeMap<&'static str, Value>,
    pub(super) responses: BTreeMap<&'static str, Response>,
}

/// The body of an operation.
struct SentBody {
    schema: RefOr<Schema>,
    is_required: bool,
    /// The most bytes that it may have.
    most: usize,
}

/// An operation, as far as its types describe it.
pub(crate) struct Operation<'p> {
    parts: &'p mut Parts,
    parameters: Vec<RefOr<path::Parameter>>,
    problems: BTreeMap<u16, &'static Problems>,
    body: Option<SentBody>,
    /// What its successful answers have.
    headers: Vec<&'static Header>,
    has_key: bool,
}

impl<'p> Operation<'p> {
    pub(super) fn new(parts: &'p mut Parts) -> Self {
        let mut operation = Self {
            parts,
            parameters: Vec::new(),
            problems: BTreeMap::new(),
            body: None,
            headers: Vec::new(),
            has_key: false,
        };
        operation.takes(&parameters::X_REQUEST_ID);
        operation.fails(&METHOD_NOT_ALLOWED);
        operation
    }

    /// It may be asked too often.
    pub(crate) fn is_limited(&mut self) {
        self.fails(&RATE_LIMITED);
    }

    /// It needs a key.
    pub(crate) fn needs_key(&mut self) {
        self.has_key = true;
        self.is_limited();
        // It refuses what it does not know in its query.
        self.has_parameters();
        for problems in [&UNAUTHORIZED, &INTERNAL, &UNAVAILABLE] {
            self.fails(problems);
        }
    }

    /// Not every key will do.
    pub(crate) fn needs_permission(&mut self) {
        self.needs_key();
        self.fails(&FORBIDDEN);
    }

    /// It concerns a thing whose id is in the path.
    pub(crate) fn concerns(&mut self, parameter: &'static Parameter) {
        self.takes(parameter);
        self.has_parameters();
        self.fails(&NOT_FOUND);
    }

    /// It has an idempotency key.
    pub(crate) fn is_keyed(&mut self) {
        self.takes(&parameters::IDEMPOTENCY_KEY);
        self.headers.push(&IDEMPOTENT_REPLAYED);
        self.fails(&BAD_REQUEST);
        self.fails(&IDEMPOTENCY_KEY_REUSED);
    }

    /// It may be for some versions of an entry only.
    pub(crate) fn is_conditional(&mut self) {
        self.takes(&parameters::IF_MATCH);
        self.has_parameters();
        self.fails(&PRECONDITION_FAILED);
    }

    /// It answers only whom it knows nothing newer of.
    pub(crate) fn may_be_unchanged(&mut self) {
        self.takes(&parameters::IF_NONE_MATCH);
    }

    /// It has a body of at most that many bytes.
    pub(crate) fn sends(
        &mut self,
        schema: impl FnOnce(&mut Schemas) -> RefOr<Schema>,
        is_required: bool,
        most: usize,
    ) {
        self.takes(&parameters::PREFER);
        let schema = schema(&mut self.parts.schemas);
        self.body = Some(SentBody { schema, is_required, most });
        self.headers.push(&PREFERENCE_APPLIED);
        self.fails(&BAD_BODY);
        for problems in [&REQUEST_TIMEOUT, &PAYLOAD_TOO_LARGE, &UNSUPPORTED_MEDIA_TYPE] {
            self.fails(problems);
        }
    }

    /// It has a query.
    pub(crate) fn asks<Q: Parameters>(&mut self) {
        for parameter in Q::describe(&mut self.parts.schemas) {
            let name = parameters::component_of_query(&parameter.name);
            let described = serde_json::to_value(&parameter).unwrap_or_default();
            let known = self.parts.parameters.entry(name.clone()).or_insert(described.clone());
            // Another operation may mean something else by the name.
            let is_same = *known == described;
            let parameter = if is_same { parameters::refer(&name) } else { parameter.into() };
            self.parameters.push(parameter);
        }
        self.has_parameters();
    }

    fn has_parameters(&mut self) {
        self.fails(&BAD_PARAMETER);
    }

    fn takes(&mut self, parameter: &'static Parameter) {
        self.parameters.push(parameters::refer(parameter.component));
        self.parts.parameters.insert(parameter.component.to_owned(), parameter.describe());
    }

    /// Of two sets with one status the larger one holds the other.
    fn fails(&mut self, problems: &'static Problems) {
        let known = self.problems.entry(problems.status).or_insert(problems);
        if known.codes.len() < problems.codes.len() {
            *known = problems;
        }
    }

    /// The whole operation.
    pub(super) fn finish(mut self, about: About) -> path::Operation {
        let About {
            id,
            tag,
            summary,
            description,
            sent,
            sent_as,
            also_sent_as,
            answers,
            problems,
            never,
            caching,
        } = about;
        if let (Some(body), Some((schema, is_required))) = (&mut self.body, sent_as) {
            body.schema = schema(&mut self.parts.schemas);
            body.is_required = is_required;
        }
        for own in problems {
            self.problems.insert(own.status, own);
        }
        self.problems.retain(|status, _| !never.contains(status));
        let mut responses = ResponsesBuilder::new();
        for answer in answers {
            let status = answer.status.to_string();
            let response = self.answer(answer, caching);
            responses = responses.response(status, response);
        }
        for problems in std::mem::take(&mut self.problems).into_values() {
            self.describe(problems);
            let status = problems.status.to_string();
            responses = responses.response(status, Ref::from_response_name(problems.component));
        }
        let mut operation = OperationBuilder::new()
            .tag(tag.name())
            .operation_id(Some(id))
            .summary(Some(summary))
            .description(Some(description))
            .responses(responses.build());
        if let Some(SentBody { schema, is_required, most }) = self.body {
            let (about, samples) = sent.unwrap_or_default();
            let form = format!(
                "At most {most} bytes of UTF-8. Media types that end in `+json` are read like \
                 `application/json`."
            );
            let content = content(schema, samples);
            let mut body = RequestBodyBuilder::new()
                .description(Some([about, form].join(" ").trim_start()))
                .required(Some(if is_required { Required::True } else { Required::False }))
                .content("application/json", content.clone());
            if let Some(media_type) = also_sent_as {
                body = body.content(media_type, content);
            }
            operation = operation.request_body(Some(body.build()));
        }
        if !self.has_key {
            operation = operation.securities(Some(Vec::<SecurityRequirement>::new()));
        }
        let mut operation = operation.build();
        operation.parameters = Some(self.parameters);
        operation
    }

    fn answer(&mut self, answer: Answer, caching: Caching) -> Response {
        let Answer {
            about, headers, media_type, schema, samples, shows_time_entry, example, ..
        } = answer;
        let mut response = ResponseBuilder::new().description(about);
        let own = self.headers.clone();
        for header in headers.into_iter().chain(own).chain(caching.headers()).chain([&X_REQUEST_ID])
        {
            response = self.with(response, header);
        }
        if let Some(media_type) = media_type {
            let schema = schema(&mut self.parts.schemas);
            let mut content = content(schema, samples);
            content.example = example;
            response = response.content(media_type, content);
        }
        if shows_time_entry {
            let reference = Ref::new("#/components/links/TimeEntry");
            response = response.link("TimeEntry", RefOr::<link::Link>::Ref(reference));
        }
        response.build()
    }

    /// Puts a set of problems among the parts.
    fn describe(&mut self, problems: &'static Problems) {
        if self.parts.responses.contains_key(problems.component) {
            return;
        }
        let caching = if problems.is_momentary { Caching::Never } else { Caching::ForWhoAsks };
        let mut response = problems.describe(&mut self.parts.schemas);
        for header in
            problems.headers.iter().copied().chain(caching.headers()).chain([&X_REQUEST_ID])
        {
            response = self.with(response, header);
        }
        self.parts.responses.insert(problems.component, response.build());
    }

    fn with(&mut self, response: ResponseBuilder, header: &'static Header) -> ResponseBuilder {
        self.parts.headers.insert(header.component, header.describe());
        response
            .header_ref(header.name, Ref::new(format!("#/components/headers/{}", header.component)))
    }
}
