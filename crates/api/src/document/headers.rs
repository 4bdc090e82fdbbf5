//! The headers of answers.

use serde_json::{Value, json};

/// A header of answers.
pub(crate) struct Header {
    pub(crate) name: &'static str,
    /// What it is called in the document.
    pub(super) component: &'static str,
    /// Whether every answer that may have it has it.
    is_required: bool,
    about: &'static str,
    /// What its value is like.
    schema: fn() -> Value,
    example: &'static str,
}

impl Header {
    pub(super) fn describe(&self) -> Value {
        let mut described = json!({ "description": self.about, "schema": (self.schema)() });
        if self.is_required {
            described["required"] = json!(true);
        }
        // A number is an example of a number.
        described["example"] =
            self.example.parse::<u64>().map_or(json!(self.example), |number| json!(number));
        described
    }
}

/// Declares headers: their names, and what an answer may have in them.
macro_rules! headers {
    ($($constant:ident = $name:literal as $component:literal $(, $optional:ident)?:
        $about:literal, $schema:tt, example $example:literal;)+) => {$(
        pub(crate) static $constant: Header = Header {
            name: $name,
            component: $component,
            is_required: headers!(@required $($optional)?),
            about: $about,
            schema: || json!($schema),
            example: $example,
        };
    )+};
    (@required optional) => { false };
    (@required) => { true };
}

headers! {
    CONTENT_DISPOSITION = "Content-Disposition" as "ContentDisposition":
        "The name of the file to save.",
        {"type": "string"},
        example "attachment; filename=\"time-entries.csv\"";
    CACHE_CONTROL = "Cache-Control" as "CacheControl":
        "The answer depends on who asks: only that client may keep it, and asks again before \
         each use.",
        {"type": "string", "const": "private, no-cache"},
        example "private, no-cache";
    VARY = "Vary" as "Vary":
        "The headers that say who asks. Another answer may come to a request that has others.",
        {"type": "string", "const": "Authorization, X-API-Key, Cookie"},
        example "Authorization, X-API-Key, Cookie";
    CACHED_FOR_EVERYBODY = "Cache-Control" as "CachedForEverybody":
        "The answer is the same for everybody and may be kept for five minutes.",
        {"type": "string", "const": "public, max-age=300"},
        example "public, max-age=300";
    NEVER_CACHED = "Cache-Control" as "NeverCached":
        "The answer is true at this moment only and is not kept.",
        {"type": "string", "const": "no-store"},
        example "no-store";
    X_REQUEST_ID = "X-Request-Id" as "XRequestId":
        "The name of the request: yours if it was usable, the server's otherwise. Problems \
         repeat it as `requestId`.",
        {"type": "string", "pattern": "^[!-~]{1,128}$"},
        example "01946900-56bf-7f21-b0c4-2d3e4f506172";
    LOCATION = "Location" as "Location":
        "Where the new entry can be read, base path included.",
        {
            "type": "string",
            "format": "uri-reference",
            "pattern": "^(/.+)?/time-entries/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
        },
        example "/time-entries/01946900-56c0-7c3e-9d24-51f6a7b8c9d0";
    WEBHOOK_LOCATION = "Location" as "WebhookLocation":
        "Where the new webhook can be read, base path included.",
        {
            "type": "string",
            "format": "uri-reference",
            "pattern": "^(/.+)?/webhooks/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
        },
        example "/webhooks/01946a11-7c00-7b52-8e1f-3c4d5e6f7081";
    DOCS_LOCATION = "Location" as "DocsLocation":
        "The address of the page, base path included.",
        {"type": "string", "pattern": "^(/.+)?/docs/$"},
        example "/docs/";
    ETAG = "ETag" as "ETag":
        "The version of the entry, in quotes: a number that begins at 1 and grows by 1 with \
         every change.",
        {"type": "string", "pattern": "^\"[1-9][0-9]*\"$"},
        example "\"1\"";
    IDEMPOTENT_REPLAYED = "Idempotent-Replayed" as "IdempotentReplayed", optional:
        "Present when the answer was kept from an earlier request with the same idempotency \
         key, absent otherwise.",
        {"type": "string", "const": "true"},
        example "true";
    PREFERENCE_APPLIED = "Preference-Applied" as "PreferenceApplied", optional:
        "Present when a body was read as `Prefer: handling=strict` asks for, absent otherwise.",
        {"type": "string", "const": "handling=strict"},
        example "handling=strict";
    RETRY_AFTER = "Retry-After" as "RetryAfter":
        "Seconds to wait before trying again.",
        {"type": "integer", "minimum": 1},
        example "2";
    WWW_AUTHENTICATE = "WWW-Authenticate" as "WWWAuthenticate":
        "How to authenticate.",
        {"type": "string", "pattern": "^Bearer( .+)?$"},
        example "Bearer";
    ALLOW = "Allow" as "Allow":
        "The methods that the path does take.",
        {"type": "string", "pattern": "^[A-Z]+(, ?[A-Z]+)*$"},
        example "GET, HEAD, POST";
    LINK = "Link" as "Link", optional:
        "The address of the next page, with `rel=\"next\"`. Absent on the last page.",
        {"type": "string", "pattern": "^<[^<>]+>; rel=\"next\"$"},
        example "</time-entries?limit=2&cursor=YFTvbzUTcScBlGkAVsB8Pp0kUfanuMnQMjAyNS0wMS0xNQ>; \
            rel=\"next\"";
}
