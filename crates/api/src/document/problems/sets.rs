//! The sets of problems that operations answer with.

use super::Problems;
use super::samples;
use crate::document::headers::{ALLOW, PREFERENCE_APPLIED, RETRY_AFTER, WWW_AUTHENTICATE};
use crate::http::code::Code;
use crate::http::problem::WholeProblem;
use crate::wire::Described;

pub(crate) static LOG_CONFLICT: Problems = Problems {
    component: "LogConflict",
    status: 409,
    about: "The state of the entry or the project rules it out. Nothing was changed.",
    codes: &[Code::EntryNotEditable, Code::ExternalRefConflict, Code::ProjectArchived],
    headers: &[&PREFERENCE_APPLIED],
    schema: WholeProblem::schema,
    samples: || {
        vec![
            samples::entry_not_editable(),
            samples::external_ref_conflict(),
            samples::project_archived(),
        ]
    },
    is_momentary: false,
};

pub(crate) static INVALID_TRANSITION: Problems = Problems {
    component: "InvalidTransition",
    status: 409,
    about: "The status of the entry does not allow the action, or the entry is not billable and \
         would be put on an invoice. Nothing was changed.",
    codes: &[Code::InvalidTransition, Code::NotBillable],
    headers: &[&PREFERENCE_APPLIED],
    schema: WholeProblem::schema,
    samples: || vec![samples::invalid_transition(), samples::not_billable()],
    is_momentary: false,
};

pub(crate) static BAD_REQUEST: Problems = Problems {
    component: "BadRequest",
    status: 400,
    about: "The body, a header or the path is malformed or breaks a rule. Nothing was changed.",
    codes: &[Code::MalformedJson, Code::ValidationError, Code::InvalidIdempotencyKey],
    headers: &[&PREFERENCE_APPLIED],
    schema: WholeProblem::schema,
    samples: || {
        vec![
            samples::malformed_json(),
            samples::validation_error(),
            samples::duration_out_of_range(),
            samples::unknown_reference(),
            samples::bad_path_id(),
            samples::invalid_idempotency_key(),
        ]
    },
    is_momentary: false,
};

pub(crate) static BAD_BODY: Problems = Problems {
    component: "BadBody",
    status: 400,
    about: "The body, a header or the path is malformed or breaks a rule. Nothing was changed.",
    codes: &[Code::MalformedJson, Code::ValidationError],
    headers: &[&PREFERENCE_APPLIED],
    schema: WholeProblem::schema,
    samples: || {
        vec![
            samples::malformed_json_bad_body(),
            samples::validation_error_bad_body(),
            samples::bad_path_id(),
        ]
    },
    is_momentary: false,
};

pub(crate) static BAD_PARAMETER: Problems = Problems {
    component: "BadParameter",
    status: 400,
    about: "A value in the path, the query or a header breaks a rule.",
    codes: &[Code::ValidationError],
    headers: &[],
    schema: WholeProblem::schema,
    samples: || {
        vec![
            samples::bad_path_id(),
            samples::bad_query(),
            samples::bad_cursor(),
            samples::bad_header(),
        ]
    },
    is_momentary: false,
};

pub(crate) static UNAUTHORIZED: Problems = Problems {
    component: "Unauthorized",
    status: 401,
    about: "There is no key, or it is malformed, unknown or revoked.",
    codes: &[Code::Unauthorized, Code::KeyRevoked],
    headers: &[&WWW_AUTHENTICATE],
    schema: WholeProblem::schema,
    samples: || vec![samples::unauthorized(), samples::unknown(), samples::key_revoked()],
    is_momentary: false,
};

pub(crate) static FORBIDDEN: Problems = Problems {
    component: "Forbidden",
    status: 403,
    about: "The key is valid and may not do this: it lacks the permission, is confined to another \
         project, or is bound to another user.",
    codes: &[Code::Forbidden, Code::ScopeViolation],
    headers: &[&PREFERENCE_APPLIED],
    schema: WholeProblem::schema,
    samples: || {
        vec![
            samples::forbidden(),
            samples::another_user(),
            samples::own_entry(),
            samples::scope_violation(),
        ]
    },
    is_momentary: false,
};

pub(crate) static NOT_FOUND: Problems = Problems {
    component: "NotFound",
    status: 404,
    about: "The key's organization has nothing by this id. Things of other organizations look just \
         the same.",
    codes: &[Code::NotFound],
    headers: &[&PREFERENCE_APPLIED],
    schema: WholeProblem::schema,
    samples: || vec![samples::project(), samples::time_entry()],
    is_momentary: false,
};

pub(crate) static METHOD_NOT_ALLOWED: Problems = Problems {
    component: "MethodNotAllowed",
    status: 405,
    about: "What the path answers to a method that it does not take.",
    codes: &[Code::MethodNotAllowed],
    headers: &[&ALLOW],
    schema: WholeProblem::schema,
    samples: || vec![samples::method_not_allowed()],
    is_momentary: false,
};

pub(crate) static REQUEST_TIMEOUT: Problems = Problems {
    component: "RequestTimeout",
    status: 408,
    about: "The body did not arrive whole in time. Nothing was done, and the connection ends.",
    codes: &[Code::RequestTimeout],
    headers: &[],
    schema: WholeProblem::schema,
    samples: || vec![samples::request_timeout()],
    is_momentary: false,
};

pub(crate) static PRECONDITION_FAILED: Problems = Problems {
    component: "PreconditionFailed",
    status: 412,
    about: "The entry is at none of the versions that `If-Match` names. Nothing was changed.",
    codes: &[Code::PreconditionFailed],
    headers: &[&PREFERENCE_APPLIED],
    schema: WholeProblem::schema,
    samples: || vec![samples::precondition_failed()],
    is_momentary: false,
};

pub(crate) static NOT_EDITABLE: Problems = Problems {
    component: "NotEditable",
    status: 409,
    about: "The status of the entry rules it out. Nothing was changed.",
    codes: &[Code::EntryNotEditable],
    headers: &[&PREFERENCE_APPLIED],
    schema: WholeProblem::schema,
    samples: || vec![samples::entry_not_editable()],
    is_momentary: false,
};

pub(crate) static PAYLOAD_TOO_LARGE: Problems = Problems {
    component: "PayloadTooLarge",
    status: 413,
    about: "The body has more bytes than are read. Where `Content-Length` says so, the answer does \
         not wait for the body, and the connection ends.",
    codes: &[Code::PayloadTooLarge],
    headers: &[],
    schema: WholeProblem::schema,
    samples: || vec![samples::payload_too_large()],
    is_momentary: false,
};

pub(crate) static UNSUPPORTED_MEDIA_TYPE: Problems = Problems {
    component: "UnsupportedMediaType",
    status: 415,
    about: "The `Content-Type` is missing or is not JSON, or the body is compressed.",
    codes: &[Code::UnsupportedMediaType],
    headers: &[],
    schema: WholeProblem::schema,
    samples: || vec![samples::unsupported_media_type()],
    is_momentary: false,
};

pub(crate) static IDEMPOTENCY_KEY_REUSED: Problems = Problems {
    component: "IdempotencyKeyReused",
    status: 422,
    about: "The idempotency key has already answered a different body. Only servers started with \
         `--idempotency-mismatch reject` say so; others replay.",
    codes: &[Code::IdempotencyKeyReused],
    headers: &[&PREFERENCE_APPLIED],
    schema: WholeProblem::schema,
    samples: || vec![samples::idempotency_key_reused()],
    is_momentary: false,
};

pub(crate) static RATE_LIMITED: Problems = Problems {
    component: "RateLimited",
    status: 429,
    about: "More requests came with this key, or without a valid key from this address, than are \
         taken for the moment. This one was not looked at.",
    codes: &[Code::RateLimited],
    headers: &[&RETRY_AFTER],
    schema: WholeProblem::schema,
    samples: || vec![samples::rate_limited_address(), samples::rate_limited()],
    is_momentary: false,
};

pub(crate) static INTERNAL: Problems = Problems {
    component: "Internal",
    status: 500,
    about: "A fault of the server. No request is meant to bring this about.",
    codes: &[Code::Internal],
    headers: &[&PREFERENCE_APPLIED],
    schema: WholeProblem::schema,
    samples: || vec![samples::internal()],
    is_momentary: false,
};

pub(crate) static UNAVAILABLE: Problems = Problems {
    component: "Unavailable",
    status: 503,
    about: "The server is busy or its database is away. A repeat with the same idempotency key or \
         external reference is safe.",
    codes: &[Code::Unavailable],
    headers: &[&PREFERENCE_APPLIED, &RETRY_AFTER],
    schema: WholeProblem::schema,
    samples: || vec![samples::database_away(), samples::busy()],
    is_momentary: false,
};

pub(crate) static NOT_READY: Problems = Problems {
    component: "NotReady",
    status: 503,
    about: "Do not send traffic here yet.",
    codes: &[Code::Unavailable],
    headers: &[&RETRY_AFTER],
    schema: WholeProblem::schema,
    samples: || vec![samples::database_away_not_ready(), samples::schema_old()],
    is_momentary: true,
};
