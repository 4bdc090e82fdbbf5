//! `GET /health/live` and `GET /health/ready`, for whoever starts, stops and routes to instances.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::json;
use timelog_domain::ports::Readiness;
use utoipa::openapi::{RefOr, Schema};

use super::admission::Everybody;
use super::asked::Asked;
use crate::document::{About, Answer, Caching, Sample, Tag, problem_sets};
use crate::http::caching;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::wire::schema;
use crate::wire::{Answered, Described, Schemas, Sometimes, answer};

/// The process runs. It says nothing of the database, so that an outage there does not restart
/// every instance.
pub(super) async fn live(_: Asked<Everybody>) -> Result<HttpResponse, Problem> {
    Ok(now(&Live { status: LiveStatus::Live }))
}

/// An answer that is true now and says nothing of later.
fn now(body: &impl serde::Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header(caching::NEVER).json(body)
}

/// The database answers and has this program's schema. What its operator should know of it is told
/// too, and is no reason to send nothing here: every other instance would say the same.
pub(super) async fn ready(asked: Asked<Everybody>) -> Result<HttpResponse, Problem> {
    let unready = |detail: &str| {
        let (name, value) = caching::NEVER;
        Problem::new(Code::Unavailable, detail)
            .with_header(header::RETRY_AFTER, "1")
            .with_header(name, value)
    };
    match asked.state.ports.health.check().await {
        Ok(Readiness { current: true, warnings }) => {
            let detail = Some(warnings.join(" ")).filter(|detail| !detail.is_empty());
            Ok(now(&Ready { status: ReadyStatus::Ready, detail: Sometimes(detail.map(Detail)) }))
        }
        Ok(Readiness { current: false, .. }) => {
            Err(unready("The database schema is older than this program. Run \"timelog migrate\"."))
        }
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            Err(unready("The database does not answer."))
        }
    }
}

answer! {
    /// The process is alive.
    pub(super) struct Live = "Live" {
        status: LiveStatus,
    }
}

answer! {
    /// The process can serve.
    pub(super) struct Ready = "Ready" {
        status: ReadyStatus,
        /// What the operator of the database should know, in English. It is there only where there
        /// is something.
        detail: Sometimes<Detail>,
    }
}

/// A word that is always the same.
macro_rules! constants {
    ($($type:ident::$variant:ident = $word:literal;)+) => {$(
        #[derive(serde::Serialize)]
        pub(super) enum $type {
            #[serde(rename = $word)]
            $variant,
        }

        impl Described for $type {
            fn schema(_: &mut Schemas) -> RefOr<Schema> {
                schema::words("", [$word]).into()
            }
        }

        impl Answered for $type {}
    )+};
}

constants! {
    LiveStatus::Live = "live";
    ReadyStatus::Ready = "ready";
}

/// What the operator should know.
#[derive(serde::Serialize)]
pub(super) struct Detail(String);

impl Described for Detail {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::text("").min_length(Some(1)).into()
    }
}

impl Answered for Detail {}

pub(super) fn about_live() -> About {
    About::new(
        "checkLive",
        Tag::Operations,
        "Is the process alive?",
        "Answers as long as the process can answer at all. It does not look at the database, so \
         a database that is away is no reason to restart.",
    )
    .answer(Answer::json::<Live>(200, "It is alive.").example(json!({ "status": "live" })))
    .caching(Caching::Never)
}

pub(super) fn about_ready() -> About {
    About::new(
        "checkReady",
        Tag::Operations,
        "Can it serve?",
        "Send traffic only while this is 200: the database answers and has the schema that this \
         version needs. `detail` is there only where the database has settings with which it \
         may lose what was answered; tell its operator.",
    )
    .answer(
        Answer::json::<Ready>(200, "It can serve.")
            .sample(Sample::new("ready", "", json!({ "status": "ready" })))
            .sample(Sample::new(
                "warned",
                "",
                json!({
                    "status": "ready",
                    "detail": "The server runs with fsync = off, so what was answered may be lost \
                        or \
                     damaged when its machine fails.",
                }),
            )),
    )
    .problems(&problem_sets::NOT_READY)
    .caching(Caching::Never)
}
