//! Parameters of requests that stand in the path or in a header.

use serde_json::{Value, json};
use utoipa::openapi::{Ref, RefOr, path};

use super::samples::with;

/// A parameter of requests.
pub(crate) struct Parameter {
    name: &'static str,
    /// What it is called in the document.
    pub(super) component: &'static str,
    place: &'static str,
    about: &'static str,
    /// What its value is like.
    schema: fn() -> Value,
    examples: fn() -> Value,
}

impl Parameter {
    pub(super) fn describe(&self) -> Value {
        let described = json!({
            "name": self.name,
            "in": self.place,
            "required": self.place == "path",
            "description": self.about,
            "schema": (self.schema)(),
        });
        with(described, (self.examples)())
    }
}

/// Refers to a parameter.
pub(super) fn refer(component: &str) -> RefOr<path::Parameter> {
    RefOr::Ref(Ref::new(format!("#/components/parameters/{component}")))
}

/// What a parameter of queries is called in the document: `UserIdQuery` for `userId`.
pub(super) fn component_of_query(name: &str) -> String {
    let upper = |part: &str| {
        let mut letters = part.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        first + letters.as_str()
    };
    name.split('.').map(upper).collect::<String>() + "Query"
}

/// Declares parameters: their names, where they stand, and what they may be.
macro_rules! parameters {
    ($($constant:ident = $name:literal as $component:literal in $place:ident:
        $about:literal, $schema:tt, $examples:tt;)+) => {$(
        pub(crate) static $constant: Parameter = Parameter {
            name: $name,
            component: $component,
            place: stringify!($place),
            about: $about,
            schema: || json!($schema),
            examples: || json!($examples),
        };
    )+};
}

parameters! {
    ENTRY_ID = "entryId" as "EntryId" in path:
        "The ticket.",
        { "$ref": "#/components/schemas/IdInput" },
        { "example": "0194683a-2c3b-7d4e-8a5f-6b7c8d9e0f10" };
    RELEASE_ID = "releaseId" as "ReleaseId" in path:
        "The release.",
        { "$ref": "#/components/schemas/IdInput" },
        { "example": "0194683a-2c3b-7a01-9b02-0c3d4e5f6071" };
    USER_ID = "userId" as "UserId" in path:
        "The user.",
        { "$ref": "#/components/schemas/IdInput" },
        { "example": "9a8b7c6d-0000-0000-0000-000000000002" };
    WEBHOOK_ID = "webhookId" as "WebhookId" in path:
        "The webhook.",
        { "$ref": "#/components/schemas/IdInput" },
        { "example": "01946a11-7c00-7b52-8e1f-3c4d5e6f7081" };
    SEQ = "seq" as "Seq" in path:
        "The number of the change.",
        { "type": "integer", "minimum": 1 },
        { "example": 1041 };
    X_REQUEST_ID = "X-Request-Id" as "XRequestId" in header:
        "Your name for the request, to find it in the logs of both sides. It is sent back if it \
         has 1 to 128 visible ASCII characters; anything else is no error, the server then \
         makes up a name itself.",
        { "type": "string" },
        { "example": "01946900-56bf-7f21-b0c4-2d3e4f506172" };
    IDEMPOTENCY_KEY = "Idempotency-Key" as "IdempotencyKey" in header:
        "A name of your choice for this one request, best a fresh UUID. For 24 hours after the \
         request has succeeded, sending the same key to the same path gets the first answer \
         again instead of a second effect.\n\nWrite it bare (1 to 255 visible ASCII characters, \
         the first of them no quote) or as a quoted string of RFC 8941, in which spaces are \
         welcome and `\\\"` and `\\\\` stand for a quote and a backslash. The quotes and \
         escapes are only notation: `\"retry-7\"` and `retry-7` are one key, and the limit of \
         255 counts what they stand for. Send the header on one line only.\n\nKeys that come \
         with different API keys or to different paths never meet; an API key that gets a new \
         secret keeps them. Answers other than 2xx are not kept. A body that differs from the \
         first one is not looked at, unless the server was told to answer 422 then.",
        {
            "type": "string",
            "pattern": "^([!#-~][!-~]{0,254}|\"([ !#-\\[\\]-~]|\\\\[\"\\\\]){1,255}\")$",
        },
        {
            "examples": {
                "bare": { "summary": "Bare", "value": "5e0b8a52-6c0e-4d0f-9a53-0d7f6b1f2c11" },
                "quoted": {
                    "summary": "Quoted, with spaces",
                    "value": "\"worklog 10042, try 1\"",
                },
                "escaped": {
                    "summary": "Quoted, with escapes",
                    "value": "\"say \\\"hi\\\" \\\\ bye\"",
                },
            },
        };
    PREFER = "Prefer" as "Prefer" in header:
        "With `handling=strict` (RFC 7240) members of the body that this document does not list \
         are refused, each at its place with the code `unknown_member`. Otherwise they are \
         skipped. Other preferences mean nothing here.",
        { "type": "string" },
        {
            "examples": {
                "strict": { "summary": "Refuse unknown members", "value": "handling=strict" },
            },
        };
    IF_MATCH = "If-Match" as "IfMatch" in header:
        "The `ETag` of the version you mean to change, several of them separated by commas, or \
         `*`. If the entry is at none of them by now, the answer is 412 and nothing changes. A \
         tag with a leading `W/` is never current here, and what is no tag is passed over.",
        { "type": "string", "pattern": "^[\\t -~]*$" },
        {
            "examples": {
                "one": { "summary": "One version", "value": "\"1\"" },
                "several": { "summary": "Several versions", "value": "\"1\", \"3\"" },
                "any": { "summary": "Any version", "value": "*" },
            },
        };
    IF_NONE_MATCH = "If-None-Match" as "IfNoneMatch" in header:
        "The `ETag` of the copy you have, several of them separated by commas, or `*`. If the \
         entry is still at one of them, the answer is 304. A leading `W/` makes no difference, \
         and what is no tag is passed over.",
        { "type": "string", "pattern": "^[\\t -~]*$" },
        {
            "examples": {
                "one": { "summary": "One version", "value": "\"1\"" },
                "several": { "summary": "Several versions", "value": "\"1\", W/\"3\"" },
                "any": { "summary": "Any version", "value": "*" },
            },
        };
    PROJECT_ID = "projectId" as "ProjectId" in path:
        "The project.",
        { "$ref": "#/components/schemas/IdInput" },
        { "example": "9a8b7c6d-0000-0000-0000-000000000002" };
    TIME_ENTRY_ID = "timeEntryId" as "TimeEntryId" in path:
        "The time entry.",
        { "$ref": "#/components/schemas/IdInput" },
        { "example": "01946900-56c0-7c3e-9d24-51f6a7b8c9d0" };
}
