//! The query of a request, read parameter by parameter, so that everything that is wrong with it is
//! said at once.

use std::collections::HashSet;
use std::str::FromStr;

use actix_web::HttpRequest;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use timelog_domain::{Filter, ProjectId, Timestamp};

use super::problem::{Problem, Violation};
use crate::json::Fault;

/// The parameters of a request, and what is wrong with those that were read.
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    known: Vec<&'static str>,
    violations: Vec<Violation>,
}

impl Query {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        // Every text is a query: what is no escape stands for itself.
        let pairs = serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
        Self { pairs, known: Vec::new(), violations: Vec::new() }
    }

    /// The parameters, as they were sent.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// The value of a parameter that stands at most once.
    pub(crate) fn one<T: FromStr<Err: Fault>>(&mut self, name: &'static str) -> Option<T> {
        if self.pairs.iter().filter(|(known, _)| known == name).count() > 1 {
            self.known.push(name);
            self.add(name, "repeated", "must stand only once");
            return None;
        }
        self.all(name).pop()
    }

    /// The values of a parameter that may be repeated.
    pub(crate) fn all<T: FromStr<Err: Fault>>(&mut self, name: &'static str) -> Vec<T> {
        self.known.push(name);
        let values = self
            .pairs
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.parse::<T>());
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for value in values {
            match value {
                Ok(value) => good.push(value),
                Err(error) => {
                    bad.push(Violation::in_parameter(name, error.code(), error.to_string()))
                }
            }
        }
        self.violations.extend(bad);
        good
    }

    /// Notes something that is wrong.
    pub(crate) fn add(&mut self, name: &str, code: &'static str, message: &str) {
        self.violations.push(Violation::in_parameter(name, code, message));
    }

    /// Refuses the request if anything was wrong, or a parameter was never read.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        // Each once, in the order in which they first stand.
        let mut told = HashSet::new();
        for (name, _) in &self.pairs {
            if !self.known.contains(&name.as_str()) && told.insert(name) {
                let message = "is no parameter of this request";
                self.violations.push(Violation::in_parameter(name, "unknown_parameter", message));
            }
        }
        if self.violations.is_empty() { Ok(()) } else { Err(Problem::invalid(self.violations)) }
    }

    /// Which entries are asked for.
    pub(crate) fn filter(&mut self, project_id: Option<ProjectId>) -> Filter {
        let filter = Filter {
            project_id,
            user_id: self.one("userId"),
            ticket_id: self.one("entryId"),
            release_id: self.one("releaseId"),
            statuses: self.all("status").into_iter().collect(),
            billable: self.one::<Boolean>("billable").map(|Boolean(billable)| billable),
            source: self.one("source"),
            from: self.one("from"),
            to: self.one("to"),
            updated_since: self.one::<Instant>("updatedSince").map(|Instant(instant)| instant),
            external_provider: self.one("externalRef.provider"),
            external_type: self.one("externalRef.externalType"),
            external_id: self.one("externalRef.externalId"),
        };
        if let (Some(from), Some(to)) = (filter.from, filter.to)
            && from > to
        {
            self.add("from", "out_of_range", "must not be after the parameter to");
        }
        filter
    }
}

/// `true` or `false`.
pub(crate) struct Boolean(pub(crate) bool);

/// The text is neither `true` nor `false`.
#[derive(Debug, thiserror::Error)]
#[error("must be true or false")]
pub(crate) struct InvalidBoolean;

impl FromStr for Boolean {
    type Err = InvalidBoolean;

    fn from_str(text: &str) -> Result<Self, InvalidBoolean> {
        text.parse().map(Self).map_err(|_| InvalidBoolean)
    }
}

impl Fault for InvalidBoolean {
    fn code(&self) -> &'static str {
        "wrong_type"
    }
}

/// An RFC 3339 instant, in any zone and precision. What is finer than a millisecond is dropped, as
/// it is of what is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instant(pub(crate) Timestamp);

/// The text is no RFC 3339 instant.
#[derive(Debug, thiserror::Error)]
#[error("must be an RFC 3339 instant such as 2025-01-15T08:00:00.000Z")]
pub(crate) struct InvalidInstant;

impl FromStr for Instant {
    type Err = InvalidInstant;

    fn from_str(text: &str) -> Result<Self, InvalidInstant> {
        OffsetDateTime::parse(text, &Rfc3339)
            .map(|instant| Self(instant.into()))
            .map_err(|_| InvalidInstant)
    }
}

impl Fault for InvalidInstant {
    fn code(&self) -> &'static str {
        "invalid_instant"
    }
}

/// How many items a page has at most: 1 to 200.
pub(crate) struct Limit(pub(crate) u32);

impl Limit {
    /// Where nothing is asked for.
    pub(crate) const DEFAULT: Self = Self(50);
}

/// The text is no [`Limit`].
#[derive(Debug, thiserror::Error)]
#[error("must be a whole number from 1 to 200")]
pub(crate) struct InvalidLimit;

impl FromStr for Limit {
    type Err = InvalidLimit;

    fn from_str(text: &str) -> Result<Self, InvalidLimit> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|limit| digits && (1..=200).contains(limit))
            .map(Self)
            .ok_or(InvalidLimit)
    }
}

impl Fault for InvalidLimit {
    fn code(&self) -> &'static str {
        "out_of_range"
    }
}
