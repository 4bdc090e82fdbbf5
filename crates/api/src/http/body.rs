//! Reading the body of a request.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{HttpMessage, HttpRequest, dev};
use futures_util::StreamExt;

use super::arrival::declared_length;
use super::code::Code;
use super::in_flight::{self, Held};
use super::prefer::{self, StrictlyRead};
use super::problem::Problem;
use crate::wire::{Handling, Json};

/// The most bytes that one entry's body may have.
pub(crate) const ONE_ENTRY: usize = 64 * 1024;

/// The most bytes that the body of a request for many may have.
pub(crate) const MANY: usize = 4 * 1024 * 1024;

/// A JSON body that was read, and how strictly its client wants it to be parsed.
pub(crate) struct Sent {
    bytes: Bytes,
    handling: Handling,
    held: Arc<Vec<Held>>,
}

/// The memory that a large body takes, until the last clone is dropped.
pub(crate) type Memory = Option<Arc<Vec<Held>>>;

impl Sent {
    fn new(request: &HttpRequest, bytes: Bytes, held: Vec<Held>) -> Self {
        let handling = prefer::handling(request.headers());
        if handling == Handling::Strict && !bytes.is_empty() {
            request.extensions_mut().insert(StrictlyRead);
        }
        Self { bytes, handling, held: Arc::new(held) }
    }

    /// The memory that it takes, if it is large. What was parsed from it may outlive the request.
    pub(crate) fn memory(&self) -> Memory {
        (self.bytes.len() > ONE_ENTRY).then(|| self.held.clone())
    }

    /// The body as it was sent.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The body, for parsing.
    pub(crate) fn json(&self) -> Json<'_> {
        Json::new(&self.bytes, self.handling)
    }
}

/// A JSON body of at most `limit` bytes. A body that may be missing and is missing reads as an
/// empty object. [`Arrival`](super::arrival::Arrival) handles late bodies and those not read to
/// their end.
pub(crate) async fn read(
    request: &HttpRequest,
    mut payload: dev::Payload,
    limit: usize,
    may_be_missing: bool,
) -> Result<Sent, Problem> {
    let is_declared = request.headers().contains_key(header::CONTENT_TYPE);
    if may_be_missing && !is_declared && payload.next().await.is_none() {
        return Ok(Sent::new(request, Bytes::new(), Vec::new()));
    }
    // A body without a Content-Type is refused here.
    check_media_type(request)?;
    let too_large =
        || Problem::new(Code::PayloadTooLarge, format!("The body may have at most {limit} bytes."));
    let declared = declared_length(request.headers());
    if declared.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let (mut held, mut bytes_held) = (Vec::new(), 0);
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        // The connection broke or its bytes are not HTTP, so no client can read this answer.
        let chunk = chunk.map_err(|error| {
            Problem::new(Code::MalformedJson, format!("The body broke off: {error}."))
        })?;
        let length = body.len() + chunk.len();
        if length > limit {
            return Err(too_large());
        }
        if length > bytes_held {
            // The declared length is held at once, so that a body that began to arrive is not
            // refused halfway.
            let needed = declared
                .map_or(length - bytes_held, |declared| usize::try_from(declared).unwrap_or(limit));
            held.extend(in_flight::hold(request, needed as u64)?);
            bytes_held += needed;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Sent::new(request, body.freeze(), held))
}

fn check_media_type(request: &HttpRequest) -> Result<(), Problem> {
    let unsupported = |detail: &str| Err(Problem::new(Code::UnsupportedMediaType, detail));
    let headers = request.headers();
    if headers
        .get_all(header::CONTENT_ENCODING)
        .any(|name| !name.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return unsupported("The body must be sent without a Content-Encoding.");
    }
    let mut types = headers.get_all(header::CONTENT_TYPE);
    let media_type = match (types.next(), types.next()) {
        (Some(value), None) => value.to_str().ok().and_then(|text| text.parse::<mime::Mime>().ok()),
        _ => None,
    };
    let Some(media_type) = media_type else {
        return unsupported("Send one header \"Content-Type: application/json\".");
    };
    if !is_json(&media_type) {
        return unsupported("The Content-Type must be application/json or application/…+json.");
    }
    if media_type.get_param(mime::CHARSET).is_some_and(|charset| charset != mime::UTF_8) {
        return unsupported("JSON must be UTF-8.");
    }
    Ok(())
}

/// Whether a media type is `application/json` or `application/…+json`. `application/json+xml` is
/// not.
fn is_json(media_type: &mime::Mime) -> bool {
    let subtype = media_type.essence_str().strip_prefix("application/");
    subtype.is_some_and(|subtype| {
        subtype == "json" || subtype.strip_suffix("+json").is_some_and(|name| !name.is_empty())
    })
}
