//! `GET /time-entries/{timeEntryId}/history`: every change of an entry, also after it was deleted.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Map, Value, json};
use timelog_domain::{FieldChange, FieldValue, HistoryRecord, Permission, Status};

use super::admission::admit_to_time_entry;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::json::bytes;
use crate::state::AppState;

#[derive(Serialize)]
struct Body<'a> {
    data: Vec<Change<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change<'a> {
    version: i64,
    action: &'a str,
    at: String,
    by: By,
    reason: Option<&'a str>,
    invoice_ref: Option<&'a str>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    /// `{"minutes": {"old": 90, "new": 105}}`
    changes: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct By {
    key_id: String,
    user_id: Option<String>,
}

impl<'a> From<&'a HistoryRecord> for Change<'a> {
    fn from(record: &'a HistoryRecord) -> Self {
        Self {
            version: record.version.get(),
            action: record.event.as_str(),
            at: record.at.to_string(),
            by: By {
                key_id: record.key_id.to_string(),
                user_id: record.user_id.map(|id| id.to_string()),
            },
            reason: record.reason.as_ref().map(timelog_domain::Reason::as_str),
            invoice_ref: record.invoice_ref.as_ref().map(timelog_domain::InvoiceRef::as_str),
            from: record.from.map(Status::as_str),
            to: record.to.map(Status::as_str),
            changes: record.changes.iter().map(change).collect(),
        }
    }
}

fn change(change: &FieldChange) -> (String, Value) {
    (change.field.to_string(), json!({ "old": value(&change.old), "new": value(&change.new) }))
}

fn value(value: &FieldValue) -> Value {
    match value {
        FieldValue::Null => Value::Null,
        FieldValue::Text(text) => json!(text),
        FieldValue::Integer(number) => json!(number),
        FieldValue::Boolean(boolean) => json!(boolean),
    }
}

pub(super) async fn history(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, id) = admit_to_time_entry(&request, &state, Permission::Read).await?;
    let records = state.ports.queries.history(key.organization_id, id).await?;
    let first = records
        .first()
        .ok_or_else(|| Problem::new(Code::NotFound, "There never was such a time entry."))?;
    key.check_scope(first.project_id)?;
    let body = Body { data: records.iter().map(Change::from).collect() };
    Ok(HttpResponse::Ok().content_type(mime::APPLICATION_JSON).body(bytes(&body)))
}
