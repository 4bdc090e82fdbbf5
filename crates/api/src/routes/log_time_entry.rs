//! `POST /projects/{projectId}/time-entries`: the request this service exists for.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use timelog_domain::{
    Caller, Claim, Command, Details, ExternalRef, Fingerprint, IdempotencyScope, InvalidDuration, LogTimeEntry,
    Permission, ProjectId, Reply, Request, Source, TimeEntryId, WorkDuration,
};
use uuid::Uuid;

use super::path_id;
use crate::answer;
use crate::http::problem::Problem;
use crate::http::{body, credentials, idempotency_key};
use crate::json::{self, Members, Raw, present};
use crate::state::AppState;

/// The body, each member still as its text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    user_id: Raw<'a>,
    #[serde(borrow, default, deserialize_with = "present")]
    work_date: Raw<'a>,
    #[serde(borrow, default, deserialize_with = "present")]
    minutes: Raw<'a>,
    #[serde(borrow, default, deserialize_with = "present")]
    hours: Raw<'a>,
    #[serde(borrow, default, deserialize_with = "present")]
    description: Raw<'a>,
    #[serde(borrow, default, deserialize_with = "present")]
    billable: Raw<'a>,
    #[serde(borrow, default, deserialize_with = "present")]
    entry_id: Raw<'a>,
    #[serde(borrow, default, deserialize_with = "present")]
    release_id: Raw<'a>,
    #[serde(borrow, default, deserialize_with = "present")]
    external_ref: Raw<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRefBody<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    provider: Raw<'a>,
    #[serde(borrow, default, deserialize_with = "present")]
    external_type: Raw<'a>,
    #[serde(borrow, default, deserialize_with = "present")]
    external_id: Raw<'a>,
}

pub(super) async fn log_time_entry(
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, project_id) = match admit(&request, &state).await {
        Ok(admitted) => admitted,
        Err(problem) => {
            body::discard(payload).await;
            return Err(problem);
        }
    };
    let body = body::read(&request, payload, body::ONE_ENTRY).await?;
    let idempotency_key = idempotency_key::of(request.headers())?;
    let (details, external_ref) = parse(&body)?;
    let caller = Caller::from(&*key);
    let claim = idempotency_key.map(|key| Claim {
        scope: IdempotencyScope {
            organization_id: caller.organization_id,
            user_id: caller.user_id,
            operation: format!("POST /projects/{project_id}/time-entries"),
            key,
        },
        fingerprint: Fingerprint(Sha256::digest(&body).into()),
        on_mismatch: state.on_mismatch,
        render: answer::renderer(&state.base_path),
    });
    let id = TimeEntryId::new(Uuid::now_v7());
    let command = Command::Log(LogTimeEntry { id, project_id, details, external_ref, source: Source::Api });
    match state.execute(Request { caller, command, claim }).await?? {
        Reply::Done { answer: Some(answer), .. } => Ok(answer::response(answer)),
        Reply::Done { outcome, answer: None } => Ok(answer::response(answer::render(&outcome, &state.base_path))),
        Reply::Replayed { answer, same_body } => Ok(answer::replay(answer, same_body)),
    }
}

/// Lets the request in, before its body is read.
async fn admit(
    request: &HttpRequest,
    state: &AppState,
) -> Result<(std::sync::Arc<timelog_domain::ApiKey>, ProjectId), Problem> {
    let key = state.authenticate(request).await?;
    credentials::require(&key, Permission::Write)?;
    let project_id = path_id(request, "projectId")?;
    credentials::require_scope(&key, project_id)?;
    Ok((key, project_id))
}

fn parse(body: &[u8]) -> Result<(Details, Option<ExternalRef>), Problem> {
    let body: Body<'_> = json::object(body)?;
    let mut members = Members::default();
    members.require(&[("userId", body.user_id), ("workDate", body.work_date)]);
    let user_id = members.parsed("userId", body.user_id);
    let work_date = members.parsed("workDate", body.work_date);
    let duration = duration(&mut members, body.minutes, body.hours);
    let description = members.nullable("description", body.description);
    let billable = members.boolean("billable", body.billable).unwrap_or(true);
    let entry_id = members.nullable("entryId", body.entry_id);
    let release_id = members.nullable("releaseId", body.release_id);
    let external_ref = members.object("externalRef", body.external_ref, |members, body| external_ref(members, &body));
    let details = || {
        Some(Details {
            user_id: user_id?,
            work_date: work_date?,
            duration: duration?,
            description,
            billable,
            entry_id,
            release_id,
        })
    };
    Ok((members.finish(details())?, external_ref))
}

/// Minutes win, but hours beside them must be well formed.
fn duration(members: &mut Members, minutes: Raw<'_>, hours: Raw<'_>) -> Option<WorkDuration> {
    if minutes.is_none() && hours.is_none() {
        members.check::<(), _>("minutes", Err(InvalidDuration::Missing));
    }
    let of_minutes = members.whole_number("minutes", minutes);
    let of_minutes = of_minutes.and_then(|number| members.check("minutes", WorkDuration::from_minutes(number)));
    let of_hours = members.text("hours", hours).and_then(|text| match WorkDuration::from_hours(&text) {
        Err(InvalidDuration::HoursOutOfRange) if minutes.is_some() => None,
        duration => members.check("hours", duration),
    });
    of_minutes.or(of_hours)
}

fn external_ref(members: &mut Members, body: &ExternalRefBody<'_>) -> Option<ExternalRef> {
    members.require(&[
        ("provider", body.provider),
        ("externalType", body.external_type),
        ("externalId", body.external_id),
    ]);
    let provider = members.parsed("provider", body.provider);
    let external_type = members.parsed("externalType", body.external_type);
    let external_id = members.parsed("externalId", body.external_id);
    Some(ExternalRef { provider: provider?, external_type: external_type?, external_id: external_id? })
}
