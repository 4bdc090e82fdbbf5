//! Examples of problems, each once.

use crate::document::sample::Sample;
use crate::document::samples::problem;
use crate::http::code::Code;

/// A request that was refused, with the values that were.
fn refused(
    name: &'static str,
    summary: &'static str,
    code: Code,
    detail: &str,
    violations: &[(&str, &'static str, &str)],
) -> Sample {
    Sample::new(name, summary, problem(code, detail, violations))
}

pub(super) fn entry_not_editable() -> Sample {
    refused(
        "entry_not_editable",
        "The time entry can no longer be edited",
        Code::EntryNotEditable,
        "An entry that is approved cannot be changed or deleted, only one that is draft or \
         rejected.",
        &[],
    )
}

pub(super) fn external_ref_conflict() -> Sample {
    refused(
        "external_ref_conflict",
        "The external reference is taken",
        Code::ExternalRefConflict,
        "The external reference already names an entry of another project.",
        &[],
    )
}

pub(crate) fn project_archived() -> Sample {
    refused(
        "project_archived",
        "The project is archived",
        Code::ProjectArchived,
        "The project is archived and takes no more time.",
        &[],
    )
}

pub(super) fn invalid_transition() -> Sample {
    refused(
        "invalid_transition",
        "Not from this status",
        Code::InvalidTransition,
        "An entry that is draft cannot take the action approve. Possible now: submit.",
        &[],
    )
}

pub(super) fn not_billable() -> Sample {
    refused(
        "not_billable",
        "Nobody pays for it",
        Code::NotBillable,
        "An entry that is not billable cannot be put on an invoice.",
        &[],
    )
}

pub(super) fn malformed_json() -> Sample {
    refused(
        "malformed_json",
        "The body is not readable JSON",
        Code::MalformedJson,
        "The body cannot be read: duplicate field `minutes` at line 1 column 98.",
        &[],
    )
}

pub(super) fn validation_error() -> Sample {
    refused(
        "validation_error",
        "Several values break a rule",
        Code::ValidationError,
        "3 values are not valid.",
        &[
            ("/userId", "required", "is required"),
            (
                "/workDate",
                "invalid_date",
                "must be a calendar day written YYYY-MM-DD, in the years 0001 to 9999",
            ),
            ("/description", "too_long", "must have at most 2000 characters"),
        ],
    )
}

pub(super) fn duration_out_of_range() -> Sample {
    refused(
        "duration_out_of_range",
        "Hours that are well formed and too many",
        Code::ValidationError,
        "One value is not valid.",
        &[(
            "/hours",
            "out_of_range",
            "must come to 1 to 1440 minutes (about 0.01 to 24 hours) when rounded half up to a \
              whole minute",
        )],
    )
}

pub(super) fn unknown_reference() -> Sample {
    refused(
        "unknown_reference",
        "A user the organization does not have",
        Code::ValidationError,
        "One value is not valid.",
        &[("/userId", "unknown_reference", "must name a user of the organization")],
    )
}

pub(super) fn bad_path_id() -> Sample {
    refused(
        "bad_path_id",
        "An id in the path without its hyphens",
        Code::ValidationError,
        "One value is not valid.",
        &[(
            "projectId",
            "invalid_id",
            "must be a hyphenated UUID such as 3fa85f64-5717-4562-b3fc-2c963f66afa6",
        )],
    )
}

pub(super) fn invalid_idempotency_key() -> Sample {
    refused(
        "invalid_idempotency_key",
        "The Idempotency-Key header is unusable",
        Code::InvalidIdempotencyKey,
        "The header Idempotency-Key must have 1 to 255 visible ASCII characters.",
        &[("Idempotency-Key", "invalid_header", "must have 1 to 255 visible ASCII characters")],
    )
}

pub(super) fn malformed_json_bad_body() -> Sample {
    refused(
        "malformed_json",
        "The body is not readable JSON",
        Code::MalformedJson,
        "The body cannot be read: expected value at line 1 column 11.",
        &[],
    )
}

pub(super) fn validation_error_bad_body() -> Sample {
    refused(
        "validation_error",
        "A value is null that may not be",
        Code::ValidationError,
        "One value is not valid.",
        &[("/workDate", "wrong_type", "must be a string")],
    )
}

pub(super) fn bad_query() -> Sample {
    refused(
        "bad_query",
        "Filters that cannot be",
        Code::ValidationError,
        "3 values are not valid.",
        &[
            (
                "status",
                "unknown_value",
                "must be one of draft, submitted, approved, rejected, locked, invoiced",
            ),
            ("from", "out_of_range", "must not be after the parameter to"),
            ("state", "unknown_parameter", "is no parameter of this request"),
        ],
    )
}

pub(super) fn bad_cursor() -> Sample {
    refused(
        "bad_cursor",
        "A cursor of another list",
        Code::ValidationError,
        "One value is not valid.",
        &[(
            "cursor",
            "invalid_cursor",
            "must be the nextCursor of a page of the same list, with the same filters and order",
        )],
    )
}

pub(super) fn bad_header() -> Sample {
    refused(
        "bad_header",
        "A condition that is not ASCII",
        Code::ValidationError,
        "One value is not valid.",
        &[("If-None-Match", "invalid_header", "must be * or a list of entity tags such as \"1\"")],
    )
}

pub(super) fn unauthorized() -> Sample {
    refused(
        "unauthorized",
        "No key",
        Code::Unauthorized,
        "Send an API key as \"Authorization: Bearer <key>\" or as \"X-API-Key: <key>\".",
        &[],
    )
}

pub(super) fn unknown() -> Sample {
    refused(
        "unknown",
        "A key that is not known",
        Code::Unauthorized,
        "The API key is not known.",
        &[],
    )
}

pub(super) fn key_revoked() -> Sample {
    refused(
        "key_revoked",
        "A key that was revoked",
        Code::KeyRevoked,
        "This API key was revoked and cannot be used again.",
        &[],
    )
}

pub(super) fn forbidden() -> Sample {
    refused(
        "forbidden",
        "A permission is missing",
        Code::Forbidden,
        "This API key lacks the permission \"write\".",
        &[],
    )
}

pub(super) fn another_user() -> Sample {
    refused(
        "another_user",
        "Another user's entry",
        Code::Forbidden,
        "This key may change only the entries of its own user.",
        &[],
    )
}

pub(super) fn own_entry() -> Sample {
    refused(
        "own_entry",
        "One's own entry",
        Code::Forbidden,
        "This key may not approve, reject or reopen the entries of its own user.",
        &[],
    )
}

pub(super) fn scope_violation() -> Sample {
    refused(
        "scope_violation",
        "Another project",
        Code::ScopeViolation,
        "This API key is limited to one project, and this is another.",
        &[],
    )
}

pub(super) fn project() -> Sample {
    refused("project", "No such project", Code::NotFound, "There is no such project.", &[])
}

pub(super) fn time_entry() -> Sample {
    refused("time_entry", "No such time entry", Code::NotFound, "There is no such time entry.", &[])
}

pub(super) fn method_not_allowed() -> Sample {
    refused(
        "method_not_allowed",
        "The path does not take this method",
        Code::MethodNotAllowed,
        "This path allows GET, HEAD, POST.",
        &[],
    )
}

pub(super) fn request_timeout() -> Sample {
    refused(
        "request_timeout",
        "The request did not arrive in time",
        Code::RequestTimeout,
        "The body did not arrive whole within 30s.",
        &[],
    )
}

pub(super) fn precondition_failed() -> Sample {
    refused(
        "precondition_failed",
        "Somebody was faster",
        Code::PreconditionFailed,
        "The entry has changed, and its version is none of those that If-Match names.",
        &[],
    )
}

pub(super) fn payload_too_large() -> Sample {
    refused(
        "payload_too_large",
        "The body is too large",
        Code::PayloadTooLarge,
        "The body may have at most 65536 bytes.",
        &[],
    )
}

pub(super) fn unsupported_media_type() -> Sample {
    refused(
        "unsupported_media_type",
        "The body is not declared as JSON",
        Code::UnsupportedMediaType,
        "The Content-Type must be application/json or application/…+json.",
        &[],
    )
}

pub(super) fn idempotency_key_reused() -> Sample {
    refused(
        "idempotency_key_reused",
        "The idempotency key belongs to another body",
        Code::IdempotencyKeyReused,
        "The idempotency key was used before with another body.",
        &[],
    )
}

pub(super) fn rate_limited_address() -> Sample {
    refused(
        "rate_limited_address",
        "Too many requests without a valid key",
        Code::RateLimited,
        "Too many requests without a valid key came from this address. Try again shortly.",
        &[],
    )
}

pub(super) fn rate_limited() -> Sample {
    refused(
        "rate_limited",
        "Too many requests with one key",
        Code::RateLimited,
        "This key has made too many requests. Try again shortly.",
        &[],
    )
}

pub(super) fn internal() -> Sample {
    refused(
        "internal",
        "The server made a mistake",
        Code::Internal,
        "The request could not be carried out. The request id finds it in the log.",
        &[],
    )
}

pub(super) fn database_away() -> Sample {
    refused(
        "database_away",
        "The database is away",
        Code::Unavailable,
        "The database is not available. Try again shortly.",
        &[],
    )
}

pub(super) fn busy() -> Sample {
    refused(
        "busy",
        "The queue is full",
        Code::Unavailable,
        "Too many requests are waiting. Try again shortly.",
        &[],
    )
}

pub(super) fn database_away_not_ready() -> Sample {
    refused(
        "database_away",
        "The database is away",
        Code::Unavailable,
        "The database does not answer.",
        &[],
    )
}

pub(super) fn schema_old() -> Sample {
    refused(
        "schema_old",
        "A migration is due",
        Code::Unavailable,
        "The database schema is older than this program. Run \"timelog migrate\".",
        &[],
    )
}
