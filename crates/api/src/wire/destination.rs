//! Where events are sent, on the wire.

use serde_json::json;
use serde_json::value::RawValue;
use timelog_domain::{DestinationUrl, InvalidText};
use url::Url;
use utoipa::openapi::schema::SchemaFormat;
use utoipa::openapi::{RefOr, Schema};

use super::schema::{self, Described, Schemas};
use super::value::Value;
use super::{Answered, Fault, Reader};

impl Described for DestinationUrl {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        schemas.named("DestinationUrl", |_| {
            let about = "An absolute URL that begins with https, without a user, a password or a \
                fragment. It must lead to the public internet. Operators can allow other \
                networks, and http to them.";
            schema::text(about)
                .format(Some(SchemaFormat::Custom("uri".to_owned())))
                .min_length(Some(1))
                .max_length(Some(Self::MAX_CHARS))
                .examples([json!("https://example.com/timelog")])
                .into()
        })
    }
}

impl Answered for DestinationUrl {}

impl Value for DestinationUrl {
    type Read = Self;

    fn read(reader: &mut Reader, name: &str, raw: &RawValue) -> Option<Self> {
        let text = reader.text(name, raw)?;
        let destination = destination(text);
        reader.check(name, destination)
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        <Self as Described>::schema(schemas)
    }
}

/// Why a text is no destination.
#[derive(Debug, thiserror::Error)]
enum InvalidDestination {
    #[error(transparent)]
    Text(#[from] InvalidText),
    #[error("must be an absolute URL such as https://example.com/timelog")]
    NoUrl,
    #[error("must not have a user, a password or a fragment")]
    TooMuch,
}

impl Fault for InvalidDestination {
    fn code(&self) -> &'static str {
        match self {
            Self::Text(text) => text.code(),
            Self::NoUrl | Self::TooMuch => "invalid_url",
        }
    }
}

fn destination(text: String) -> Result<DestinationUrl, InvalidDestination> {
    let destination = DestinationUrl::try_from(text)?;
    let text = destination.as_str();
    let url = Url::parse(text).map_err(|_| InvalidDestination::NoUrl)?;
    // The parser also takes what only resembles a URL: without slashes, or with spaces around it.
    let begins = text.get(..url.scheme().len() + 3).unwrap_or_default().to_ascii_lowercase();
    let is_whole = begins == format!("{}://", url.scheme());
    let is_clean = !text.contains(|letter: char| letter.is_whitespace() || letter.is_control());
    let is_known = ["https", "http"].contains(&url.scheme()) && url.has_host();
    if !(is_whole && is_clean && is_known) {
        return Err(InvalidDestination::NoUrl);
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(InvalidDestination::TooMuch);
    }
    Ok(destination)
}
