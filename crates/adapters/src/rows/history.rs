//! A row of `time_entry_history`.

use diesel::prelude::*;
use serde_json::{Value, json};
use timelog_domain::{Event, FieldChange, FieldValue, HistoryRecord};

use crate::schema::time_entry_history;
use crate::types::{DocumentValue, IdValue, InstantValue};

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = time_entry_history, treat_none_as_default_value = false)]
pub(crate) struct HistoryRow {
    pub(crate) organization_id: IdValue,
    pub(crate) time_entry_id: IdValue,
    pub(crate) version: i64,
    pub(crate) event: String,
    pub(crate) at: InstantValue,
    pub(crate) key_id: IdValue,
    pub(crate) user_id: Option<IdValue>,
    pub(crate) reason: Option<String>,
    pub(crate) invoice_ref: Option<String>,
    pub(crate) from_status: Option<String>,
    pub(crate) to_status: Option<String>,
    pub(crate) changes: DocumentValue,
}

impl From<HistoryRecord> for HistoryRow {
    fn from(record: HistoryRecord) -> Self {
        Self {
            organization_id: record.organization_id.into(),
            time_entry_id: record.time_entry_id.into(),
            version: record.version.get(),
            event: match record.event {
                Event::Log => "log",
                Event::Amend => "amend",
                Event::Action(action) => action.as_str(),
            }
            .to_owned(),
            at: record.at.into(),
            key_id: record.key_id.into(),
            user_id: record.user_id.map(Into::into),
            reason: record.reason.map(|reason| reason.as_str().to_owned()),
            invoice_ref: record.invoice_ref.map(|invoice| invoice.as_str().to_owned()),
            from_status: record.from.map(|status| status.as_str().to_owned()),
            to_status: record.to.map(|status| status.as_str().to_owned()),
            changes: DocumentValue(record.changes.into_iter().map(change).collect::<Value>().to_string()),
        }
    }
}

/// `{"field": "workDate", "old": "2025-01-15", "new": "2025-01-16"}`
fn change(change: FieldChange) -> Value {
    json!({ "field": change.field, "old": value(change.old), "new": value(change.new) })
}

fn value(value: FieldValue) -> Value {
    match value {
        FieldValue::Null => Value::Null,
        FieldValue::Text(text) => text.into(),
        FieldValue::Integer(number) => number.into(),
        FieldValue::Boolean(boolean) => boolean.into(),
    }
}
