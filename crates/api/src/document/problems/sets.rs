//! The sets of problems that operations answer with.

use super::{Problems, samples};
use crate::document::headers::{ALLOW, PREFERENCE_APPLIED, RETRY_AFTER, WWW_AUTHENTICATE};
use crate::http::code::Code;
use crate::http::problem::WholeProblem;
use crate::wire::Described;

/// Declares sets: their names in the document, their statuses, what is said of them, their codes,
/// headers and examples.
macro_rules! sets {
    ($($set:ident = $component:literal, $status:literal $(, $momentary:ident)?: $about:literal,
        codes [$($code:ident),+ $(,)?], headers [$($header:ident),* $(,)?],
        samples [$($sample:ident),+ $(,)?];)+) => {$(
        pub(crate) static $set: Problems = Problems {
            component: $component,
            status: $status,
            about: $about,
            codes: &[$(Code::$code),+],
            headers: &[$(&$header),*],
            schema: WholeProblem::schema,
            samples: || vec![$(samples::$sample()),+],
            is_momentary: sets!(@is $($momentary)?),
        };
    )+};
    (@is momentary) => { true };
    (@is) => { false };
}

sets! {
    LOG_CONFLICT = "LogConflict", 409:
        "The state of the entry or the project rules it out. Nothing was changed.",
        codes [EntryNotEditable, ExternalRefConflict, ProjectArchived, PeriodClosed],
        headers [PREFERENCE_APPLIED],
        samples [entry_not_editable, external_ref_conflict, project_archived, period_closed];
    INVALID_TRANSITION = "InvalidTransition", 409:
        "The status of the entry does not allow the action, or its day is closed, or it is not \
         billable and would be put on an invoice. Nothing was changed.",
        codes [InvalidTransition, NotBillable, PeriodClosed], headers [PREFERENCE_APPLIED],
        samples [invalid_transition, not_billable, period_closed];
    BAD_REQUEST = "BadRequest", 400:
        "The body, a header or the path is malformed or breaks a rule. Nothing was changed.",
        codes [MalformedJson, ValidationError, InvalidIdempotencyKey], headers [PREFERENCE_APPLIED],
        samples [
            malformed_json, validation_error, duration_out_of_range, unknown_reference,
            bad_path_id, invalid_idempotency_key,
        ];
    BAD_BODY = "BadBody", 400:
        "The body, a header or the path is malformed or breaks a rule. Nothing was changed.",
        codes [MalformedJson, ValidationError], headers [PREFERENCE_APPLIED],
        samples [malformed_json_bad_body, validation_error_bad_body, bad_path_id];
    BAD_PARAMETER = "BadParameter", 400:
        "A value in the path, the query or a header breaks a rule.",
        codes [ValidationError], headers [],
        samples [bad_path_id, bad_query, bad_cursor, bad_header];
    UNAUTHORIZED = "Unauthorized", 401:
        "There is no key, or it is malformed, unknown or revoked.",
        codes [Unauthorized, KeyRevoked], headers [WWW_AUTHENTICATE],
        samples [unauthorized, unknown, key_revoked];
    FORBIDDEN = "Forbidden", 403:
        "The key is valid and may not do this: it lacks the permission, is confined to another \
         project, or is bound to another user.",
        codes [Forbidden, ScopeViolation], headers [PREFERENCE_APPLIED],
        samples [forbidden, another_user, own_entry, scope_violation];
    NOT_FOUND = "NotFound", 404:
        "The key's organization has nothing by this id. Things of other organizations look just \
         the same.",
        codes [NotFound], headers [PREFERENCE_APPLIED],
        samples [project, time_entry];
    METHOD_NOT_ALLOWED = "MethodNotAllowed", 405:
        "What the path answers to a method that it does not take.",
        codes [MethodNotAllowed], headers [ALLOW],
        samples [method_not_allowed];
    REQUEST_TIMEOUT = "RequestTimeout", 408:
        "The body did not arrive whole in time. Nothing was done, and the connection ends.",
        codes [RequestTimeout], headers [],
        samples [request_timeout];
    PRECONDITION_FAILED = "PreconditionFailed", 412:
        "The entry is at none of the versions that `If-Match` names. Nothing was changed.",
        codes [PreconditionFailed], headers [PREFERENCE_APPLIED],
        samples [precondition_failed];
    CURSOR_GONE = "CursorGone", 410:
        "The cursor is of another feed, or of a state of this one that was given up when a backup \
         was put back. Read again from the start.",
        codes [CursorGone], headers [],
        samples [cursor_gone];
    EDIT_CONFLICT = "EditConflict", 409:
        "The status of the entry rules it out, or a day of it is closed, or a project that it \
         would leave or come to is archived. Nothing was changed.",
        codes [EntryNotEditable, ProjectArchived, PeriodClosed], headers [PREFERENCE_APPLIED],
        samples [entry_not_editable, project_archived, period_closed];
    NOT_EDITABLE = "NotEditable", 409:
        "The status of the entry rules it out, or its day is closed. Nothing was changed.",
        codes [EntryNotEditable, PeriodClosed], headers [PREFERENCE_APPLIED],
        samples [entry_not_editable, period_closed];
    PAYLOAD_TOO_LARGE = "PayloadTooLarge", 413:
        "The body has more bytes than are read. Where `Content-Length` says so, the answer does \
         not wait for the body, and the connection ends.",
        codes [PayloadTooLarge], headers [],
        samples [payload_too_large];
    UNSUPPORTED_MEDIA_TYPE = "UnsupportedMediaType", 415:
        "The `Content-Type` is missing or is not JSON, or the body is compressed.",
        codes [UnsupportedMediaType], headers [],
        samples [unsupported_media_type];
    IDEMPOTENCY_KEY_REUSED = "IdempotencyKeyReused", 422:
        "The idempotency key has already answered a different body. Only servers started with \
         `--idempotency-mismatch reject` say so; others replay.",
        codes [IdempotencyKeyReused], headers [PREFERENCE_APPLIED],
        samples [idempotency_key_reused];
    RATE_LIMITED = "RateLimited", 429:
        "More requests came with this key, or without a valid key from this address, than are \
         taken for the moment. This one was not looked at.",
        codes [RateLimited], headers [RETRY_AFTER],
        samples [rate_limited_address, rate_limited];
    INTERNAL = "Internal", 500:
        "A fault of the server. No request is meant to bring this about.",
        codes [Internal], headers [PREFERENCE_APPLIED],
        samples [internal];
    UNAVAILABLE = "Unavailable", 503:
        "The server is busy or its database is away. A repeat with the same idempotency key or \
         external reference is safe.",
        codes [Unavailable], headers [PREFERENCE_APPLIED, RETRY_AFTER],
        samples [database_away, busy];
    NOT_READY = "NotReady", 503, momentary:
        "Do not send traffic here yet.",
        codes [Unavailable], headers [RETRY_AFTER],
        samples [database_away_not_ready, schema_old];
}
