//! A row of `time_entries`.

use diesel::prelude::*;
use timelog_domain::{
    Details, ExternalRef, ExternalRefPart, Record, TimeEntry, Version, WorkDuration,
};

use super::row::{Row, row};
use crate::digests;
use crate::error::DbError;
use crate::schema::time_entries;
use crate::types::{DayValue, DigestValue, IdValue, InstantValue, SourceValue, StatusValue};

row! {
    #[derive(AsChangeset)]
    #[diesel(primary_key(organization_id, id), treat_none_as_null = true)]
    TimeEntryRow of time_entries {
        key {
            organization_id: IdValue,
            id: IdValue,
        }
        once {
            source: SourceValue,
            external_provider: Option<String>,
            external_type: Option<String>,
            external_id: Option<String>,
            created_at: InstantValue,
            external_provider_digest: Option<DigestValue>,
            external_type_digest: Option<DigestValue>,
            external_id_digest: Option<DigestValue>,
        }
        again {
            project_id: IdValue,
            user_id: IdValue,
            entry_id: Option<IdValue>,
            release_id: Option<IdValue>,
            work_date: DayValue,
            minutes: i32,
            description: Option<String>,
            billable: bool,
            status: StatusValue,
            version: i64,
            updated_at: InstantValue,
            reason: Option<String>,
            invoice_ref: Option<String>,
            invoice_digest: Option<DigestValue>,
        }
    }
}

impl From<&TimeEntry> for TimeEntryRow {
    fn from(entry: &TimeEntry) -> Self {
        let Record {
            id,
            organization_id,
            project_id,
            details,
            external_ref,
            source,
            status,
            reason,
            invoice_ref,
            version,
            created_at,
            updated_at,
        } = entry.record();
        let part = |part: fn(&ExternalRef) -> &ExternalRefPart| {
            external_ref.as_ref().map(|reference| part(reference).as_str().to_owned())
        };
        let digest = |part: fn(&ExternalRef) -> &ExternalRefPart| {
            external_ref.as_ref().map(|reference| digests::of_part(part(reference)))
        };
        Self {
            organization_id: (*organization_id).into(),
            id: (*id).into(),
            project_id: (*project_id).into(),
            user_id: details.user_id.into(),
            entry_id: details.ticket_id.map(Into::into),
            release_id: details.release_id.map(Into::into),
            work_date: details.work_date.into(),
            minutes: details.duration.minutes().into(),
            description: details.description.as_ref().map(|text| text.as_str().to_owned()),
            billable: details.billable,
            source: (*source).into(),
            status: (*status).into(),
            external_provider: part(|reference| &reference.provider),
            external_type: part(|reference| &reference.external_type),
            external_id: part(|reference| &reference.external_id),
            version: version.get(),
            created_at: (*created_at).into(),
            updated_at: (*updated_at).into(),
            external_provider_digest: digest(|reference| &reference.provider),
            external_type_digest: digest(|reference| &reference.external_type),
            external_id_digest: digest(|reference| &reference.external_id),
            reason: reason.as_ref().map(|reason| reason.as_str().to_owned()),
            invoice_ref: invoice_ref.as_ref().map(|invoice| invoice.as_str().to_owned()),
            invoice_digest: invoice_ref.as_ref().map(digests::of_invoice),
        }
    }
}

impl TryFrom<TimeEntryRow> for TimeEntry {
    type Error = DbError;

    fn try_from(row: TimeEntryRow) -> Result<Self, DbError> {
        let part = |column, text: String| TimeEntryRow::known(column, text.try_into());
        let external_ref = match (row.external_provider, row.external_type, row.external_id) {
            (Some(provider), Some(external_type), Some(external_id)) => Some(ExternalRef {
                provider: part("external_provider", provider)?,
                external_type: part("external_type", external_type)?,
                external_id: part("external_id", external_id)?,
            }),
            _ => None,
        };
        let reason = row.reason.map(TryInto::try_into).transpose();
        let invoice_ref = row.invoice_ref.map(TryInto::try_into).transpose();
        let minutes = WorkDuration::from_minutes(row.minutes.into());
        let description = row.description.map(TryInto::try_into).transpose();
        let details = Details {
            user_id: row.user_id.into(),
            work_date: row.work_date.into(),
            duration: TimeEntryRow::known("minutes", minutes)?,
            description: TimeEntryRow::known("description", description)?,
            billable: row.billable,
            ticket_id: row.entry_id.map(Into::into),
            release_id: row.release_id.map(Into::into),
        };
        Ok(Self::restore(Record {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            project_id: row.project_id.into(),
            details,
            external_ref,
            source: row.source.into(),
            status: row.status.into(),
            reason: TimeEntryRow::known("reason", reason)?,
            invoice_ref: TimeEntryRow::known("invoice_ref", invoice_ref)?,
            version: Version::new(row.version),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }))
    }
}
