//! Examples of problems, each once.

use crate::document::sample::Sample;
use crate::document::samples::problem;
use crate::http::code::Code;

/// Declares examples: the code of each, its name and its summary in the document, its detail, and
/// the violations that it tells.
macro_rules! samples {
    ($($sample:ident: $code:ident as $name:literal, $summary:literal, $detail:literal
        $(, [$($violation:expr),+ $(,)?])?;)+) => {$(
        pub(crate) fn $sample() -> Sample {
            let violations: &[(&str, &str, &str)] = &[$($($violation),+)?];
            Sample::new($name, $summary, problem(Code::$code, $detail, violations))
        }
    )+};
}

samples! {
    entry_not_editable: EntryNotEditable as "entry_not_editable",
        "The time entry can no longer be edited",
        "An entry that is approved cannot be changed or deleted, only one that is draft or \
         rejected.";
    external_ref_conflict: ExternalRefConflict as "external_ref_conflict",
        "The external reference is taken",
        "The external reference already names an entry of another project.";
    project_archived: ProjectArchived as "project_archived", "The project is archived",
        "The project is archived and takes no more time.";
    period_closed: PeriodClosed as "period_closed", "The books are closed on that day",
        "The books of the project are closed through 2025-01-31, and 2025-01-15 is not after that.";
    invalid_transition: InvalidTransition as "invalid_transition", "Not from this status",
        "An entry that is draft cannot take the action approve. Possible now: submit.";
    not_billable: NotBillable as "not_billable", "Nobody pays for it",
        "An entry that is not billable cannot be put on an invoice.";
    malformed_json: MalformedJson as "malformed_json", "The body is not readable JSON",
        "The body cannot be read: duplicate field `minutes` at line 1 column 98.";
    validation_error: ValidationError as "validation_error", "Several values break a rule",
        "3 values are not valid.", [
            ("/userId", "required", "is required"),
            (
                "/workDate",
                "invalid_date",
                "must be a calendar day written YYYY-MM-DD, in the years 0001 to 9999",
            ),
            ("/description", "too_long", "must have at most 2000 characters"),
        ];
    duration_out_of_range: ValidationError as "duration_out_of_range",
        "Hours that are well formed and too many",
        "One value is not valid.", [
            (
                "/hours",
                "out_of_range",
                "must come to 1 to 1440 minutes (about 0.01 to 24 hours) when rounded half up \
                 to a whole minute",
            ),
        ];
    unknown_reference: ValidationError as "unknown_reference",
        "A user the organization does not have",
        "One value is not valid.", [
            ("/userId", "unknown_reference", "must name a user of the organization"),
        ];
    bad_path_id: ValidationError as "bad_path_id", "An id in the path without its hyphens",
        "One value is not valid.", [
            (
                "projectId",
                "invalid_id",
                "must be a hyphenated UUID such as 3fa85f64-5717-4562-b3fc-2c963f66afa6",
            ),
        ];
    invalid_idempotency_key: InvalidIdempotencyKey as "invalid_idempotency_key",
        "The Idempotency-Key header is unusable",
        "The header Idempotency-Key must have 1 to 255 visible ASCII characters.", [
            ("Idempotency-Key", "invalid_header", "must have 1 to 255 visible ASCII characters"),
        ];
    malformed_json_bad_body: MalformedJson as "malformed_json", "The body is not readable JSON",
        "The body cannot be read: expected value at line 1 column 11.";
    validation_error_bad_body: ValidationError as "validation_error",
        "A value is null that may not be",
        "One value is not valid.", [
            ("/workDate", "wrong_type", "must be a string"),
        ];
    bad_query: ValidationError as "bad_query", "Filters that cannot be",
        "3 values are not valid.", [
            (
                "status",
                "unknown_value",
                "must be one of draft, submitted, approved, rejected, locked, invoiced",
            ),
            ("from", "out_of_range", "must not be after the parameter to"),
            ("state", "unknown_parameter", "is no parameter of this request"),
        ];
    bad_cursor: ValidationError as "bad_cursor", "A cursor of another list",
        "One value is not valid.", [
            (
                "cursor",
                "invalid_cursor",
                "must be the nextCursor of a page of the same list, with the same filters and \
                 order",
            ),
        ];
    bad_header: ValidationError as "bad_header", "A condition that is not ASCII",
        "One value is not valid.", [
            (
                "If-None-Match",
                "invalid_header",
                "must be * or a list of entity tags such as \"1\"",
            ),
        ];
    unauthorized: Unauthorized as "unauthorized", "No key",
        "Send an API key as \"Authorization: Bearer <key>\" or as \"X-API-Key: <key>\".";
    unknown: Unauthorized as "unknown", "A key that is not known",
        "The API key is not known.";
    key_revoked: KeyRevoked as "key_revoked", "A key that was revoked",
        "This API key was revoked and cannot be used again.";
    forbidden: Forbidden as "forbidden", "A permission is missing",
        "This API key lacks the permission \"write\".";
    another_user: Forbidden as "another_user", "Another user's entry",
        "This key may change only the entries of its own user.";
    own_entry: Forbidden as "own_entry", "One's own entry",
        "This key may not approve, reject or reopen the entries of its own user.";
    scope_violation: ScopeViolation as "scope_violation", "Another project",
        "This API key is limited to one project, and this is another.";
    project: NotFound as "project", "No such project",
        "There is no such project.";
    time_entry: NotFound as "time_entry", "No such time entry",
        "There is no such time entry.";
    method_not_allowed: MethodNotAllowed as "method_not_allowed",
        "The path does not take this method",
        "This path allows GET, HEAD, POST.";
    request_timeout: RequestTimeout as "request_timeout", "The request did not arrive in time",
        "The body did not arrive whole within 30s.";
    cursor_gone: CursorGone as "cursor_gone", "A cursor from before a backup was put back",
        "The cursor is not of this feed as it is now. Read again from the start, without it.";
    precondition_failed: PreconditionFailed as "precondition_failed", "Somebody was faster",
        "The entry has changed, and its version is none of those that If-Match names.";
    payload_too_large: PayloadTooLarge as "payload_too_large", "The body is too large",
        "The body may have at most 65536 bytes.";
    unsupported_media_type: UnsupportedMediaType as "unsupported_media_type",
        "The body is not declared as JSON",
        "The Content-Type must be application/json or application/…+json.";
    idempotency_key_reused: IdempotencyKeyReused as "idempotency_key_reused",
        "The idempotency key belongs to another body",
        "The idempotency key was used before with another body.";
    rate_limited_address: RateLimited as "rate_limited_address",
        "Too many requests without a valid key",
        "Too many requests without a valid key came from this address. Try again shortly.";
    rate_limited: RateLimited as "rate_limited", "Too many requests with one key",
        "This key has made too many requests. Try again shortly.";
    internal: Internal as "internal", "The server made a mistake",
        "The request could not be carried out. The request id finds it in the log.";
    database_away: Unavailable as "database_away", "The database is away",
        "The database is not available. Try again shortly.";
    busy: Unavailable as "busy", "The queue is full",
        "Too many requests are waiting. Try again shortly.";
    database_away_not_ready: Unavailable as "database_away", "The database is away",
        "The database does not answer.";
    schema_old: Unavailable as "schema_old", "A migration is due",
        "The database schema is older than this program. Run \"timelog migrate\".";
}
