//! `GET /me`: what the caller's key is and may do.

use actix_web::HttpResponse;
use serde_json::json;

use super::admission::{AnyKey, HasKey};
use super::answer::answer_json;
use super::asked::Asked;
use crate::document::samples::with;
use crate::document::{About, Answer, Sample, Tag};
use crate::http::problem::Problem;
use crate::wire::key::{KeyBody, example};

pub(super) async fn me(asked: Asked<AnyKey>) -> Result<HttpResponse, Problem> {
    Ok(answer_json(&KeyBody::from(&**asked.by.key())))
}

pub(super) fn about() -> About {
    About::new(
        "describeKey",
        Tag::Keys,
        "Describe the calling key",
        "Tells which organization the key belongs to, how it is narrowed and what it may do. No \
         permission is needed, only a key that is valid.",
    )
    .answer(
        Answer::json::<KeyBody<'_>>(200, "The key, without its secret.")
            .sample(Sample::new(
                "wide",
                "For the whole organization, with every permission",
                example(),
            ))
            .sample(Sample::new(
                "narrow",
                "For one project and one user",
                with(
                    example(),
                    json!({
                        "projectId": "9a8b7c6d-0000-0000-0000-000000000002",
                        "userId": "9a8b7c6d-0000-0000-0000-000000000002",
                        "permissions": ["read", "write"],
                    }),
                ),
            )),
    )
}
