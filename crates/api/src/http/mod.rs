//! What all routes share: credentials, headers, bodies, limits and problems.

pub(crate) mod anonymous;
pub(crate) mod arrival;
pub(crate) mod body;
pub(crate) mod caching;
pub(crate) mod code;
pub(crate) mod condition;
pub(crate) mod credentials;
pub(crate) mod cursor;
pub(crate) mod idempotency_key;
pub(crate) mod in_flight;
pub(crate) mod observe;
pub(crate) mod pattern;
pub(crate) mod prefer;
pub(crate) mod problem;
pub(crate) mod proxies;
pub(crate) mod rate_limit;
pub(crate) mod refusal;
pub(crate) mod request_id;
pub(crate) mod stored_answer;
pub(crate) mod waiting;
