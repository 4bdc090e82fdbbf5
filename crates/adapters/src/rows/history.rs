//! A row of `time_entry_history`.

use std::collections::HashMap;

use diesel::prelude::*;
use serde_json::{Value, json};
use timelog_domain::{FieldChange, FieldValue, HistoryRecord, Version};

use super::row::{Row, row};
use crate::error::DbError;
use crate::schema::time_entry_history;
use crate::types::{DocumentValue, IdValue, InstantValue};

row! {
    HistoryRow of time_entry_history {
        key {
            organization_id: IdValue,
            seq: i64,
        }
        once {
            time_entry_id: IdValue,
            project_id: IdValue,
            version: i64,
            event: String,
            at: InstantValue,
            key_id: IdValue,
            user_id: Option<IdValue>,
            reason: Option<String>,
            invoice_ref: Option<String>,
            from_status: Option<String>,
            to_status: Option<String>,
            changes: DocumentValue,
            left_project_id: Option<IdValue>,
            left_user_id: Option<IdValue>,
        }
        again {}
    }
}

/// The number of an organization's last change.
#[derive(Debug, QueryableByName)]
#[diesel(table_name = time_entry_history)]
pub(crate) struct FeedEndRow {
    pub(crate) organization_id: IdValue,
    pub(crate) seq: i64,
}

impl HistoryRow {
    /// The rows of new records. Those of each organization are numbered from 1 on, as if they were
    /// its first: what it has already is known only in the commit.
    pub(crate) fn numbered(records: Vec<HistoryRecord>) -> Vec<Self> {
        let mut last = HashMap::new();
        let number = |record: HistoryRecord| {
            let seq = last.entry(record.organization_id).or_insert(0);
            *seq += 1;
            Self::new(*seq, record)
        };
        records.into_iter().map(number).collect()
    }

    fn new(seq: i64, record: HistoryRecord) -> Self {
        Self {
            organization_id: record.organization_id.into(),
            seq,
            time_entry_id: record.time_entry_id.into(),
            project_id: record.project_id.into(),
            version: record.version.get(),
            event: record.event.as_str().to_owned(),
            at: record.at.into(),
            key_id: record.key_id.into(),
            user_id: record.user_id.map(Into::into),
            reason: record.reason.map(|reason| reason.as_str().to_owned()),
            invoice_ref: record.invoice_ref.map(|invoice| invoice.as_str().to_owned()),
            from_status: record.from.map(|status| status.as_str().to_owned()),
            to_status: record.to.map(|status| status.as_str().to_owned()),
            changes: DocumentValue(
                record.changes.into_iter().map(change).collect::<Value>().to_string(),
            ),
            left_project_id: record.left_project_id.map(Into::into),
            left_user_id: record.left_user_id.map(Into::into),
        }
    }
}

/// `{"field": "workDate", "old": "2025-01-15", "new": "2025-01-16"}`
fn change(change: FieldChange) -> Value {
    json!({ "field": change.field.as_str(), "old": value(change.old), "new": value(change.new) })
}

fn value(value: FieldValue) -> Value {
    match value {
        FieldValue::Null => Value::Null,
        FieldValue::Text(text) => text.into(),
        FieldValue::Integer(number) => number.into(),
        FieldValue::Boolean(boolean) => boolean.into(),
    }
}

impl TryFrom<HistoryRow> for HistoryRecord {
    type Error = DbError;

    fn try_from(row: HistoryRow) -> Result<Self, DbError> {
        let status = |column, status: Option<String>| {
            HistoryRow::known(column, status.map(|status| status.parse()).transpose())
        };
        let reason = row.reason.map(TryInto::try_into).transpose();
        let invoice_ref = row.invoice_ref.map(TryInto::try_into).transpose();
        Ok(Self {
            organization_id: row.organization_id.into(),
            time_entry_id: row.time_entry_id.into(),
            project_id: row.project_id.into(),
            left_project_id: row.left_project_id.map(Into::into),
            left_user_id: row.left_user_id.map(Into::into),
            version: Version::new(row.version),
            event: HistoryRow::known("event", row.event.parse())?,
            at: row.at.into(),
            key_id: row.key_id.into(),
            user_id: row.user_id.map(Into::into),
            reason: HistoryRow::known("reason", reason)?,
            invoice_ref: HistoryRow::known("invoice_ref", invoice_ref)?,
            from: status("from_status", row.from_status)?,
            to: status("to_status", row.to_status)?,
            changes: HistoryRow::known("changes", changes(&row.changes.0))?,
        })
    }
}

fn changes(document: &str) -> Result<Vec<FieldChange>, String> {
    let values: Vec<Value> = serde_json::from_str(document).map_err(|error| error.to_string())?;
    let change = |change: &Value| {
        let field = change["field"].as_str().and_then(|field| field.parse().ok());
        let (old, new) = (field_value(&change["old"]), field_value(&change["new"]));
        Some(FieldChange { field: field?, old: old?, new: new? })
    };
    values.iter().map(|value| change(value).ok_or_else(|| value.to_string())).collect()
}

fn field_value(value: &Value) -> Option<FieldValue> {
    match value {
        Value::Null => Some(FieldValue::Null),
        Value::String(text) => Some(FieldValue::Text(text.clone())),
        Value::Number(number) => number.as_u64()?.try_into().ok().map(FieldValue::Integer),
        Value::Bool(boolean) => Some(FieldValue::Boolean(*boolean)),
        Value::Array(_) | Value::Object(_) => None,
    }
}
