//! The codes of all problems, in one table. They never change, because clients depend on them.

use actix_web::http::StatusCode;
use serde::{Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};

use crate::wire::{Answered, Described, Schemas, schema};

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal, $status:ident, $title:literal;)+) => {
        /// What went wrong, for programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $($(#[$doc])* $code,)+
        }

        impl Code {
            /// Every code, in the order of their statuses.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$code),+];

            /// The name on the wire.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$code => $name,)+ }
            }

            /// The HTTP status.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$code => StatusCode::$status,)+ }
            }

            /// A short sentence that is the same for every occurrence.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$code => $title,)+ }
            }
        }
    };
}

codes! {
    MalformedJson = "malformed_json", BAD_REQUEST, "The body is not readable JSON";
    ValidationError = "validation_error", BAD_REQUEST, "The request breaks a rule";
    InvalidIdempotencyKey = "invalid_idempotency_key", BAD_REQUEST, "The Idempotency-Key header \
        is unusable";
    Unauthorized = "unauthorized", UNAUTHORIZED, "A valid API key is needed";
    KeyRevoked = "key_revoked", UNAUTHORIZED, "The API key has been revoked";
    Forbidden = "forbidden", FORBIDDEN, "The API key may not do this";
    ScopeViolation = "scope_violation", FORBIDDEN, "The API key is confined to another project";
    NotFound = "not_found", NOT_FOUND, "There is no such thing here";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The path does not take this \
        method";
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "The request did not arrive in time";
    EntryNotEditable = "entry_not_editable", CONFLICT, "The time entry can no longer be edited";
    InvalidTransition = "invalid_transition", CONFLICT, "The status does not allow the action";
    NotBillable = "not_billable", CONFLICT, "The time entry is not billable";
    ExternalRefConflict = "external_ref_conflict", CONFLICT, "The external reference is taken";
    ProjectArchived = "project_archived", CONFLICT, "The project is archived";
    PeriodClosed = "period_closed", CONFLICT, "The books are closed on that day";
    BatchFailed = "batch_failed", CONFLICT, "An item failed, so none took effect";
    CursorGone = "cursor_gone", GONE, "The cursor leads nowhere any more";
    PreconditionFailed = "precondition_failed", PRECONDITION_FAILED, "The time entry has another \
        version";
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body is not \
        declared as JSON";
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The idempotency key \
        belongs to another body";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests";
    Internal = "internal", INTERNAL_SERVER_ERROR, "The server made a mistake";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The service cannot answer right now";
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl Described for Code {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let about = "The kind of problem, for programs. It never changes its meaning.";
        let codes = Self::ALL.iter().map(|code| code.as_str());
        schemas.named("ProblemCode", |_| schema::words(about, codes).into())
    }
}

impl Answered for Code {}
