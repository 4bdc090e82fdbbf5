//! A row of `closings`.

use diesel::prelude::*;
use timelog_domain::{Books, Closing, Ledger, Version};

use super::row::{Row, row};
use crate::error::DbError;
use crate::schema::closings;
use crate::types::{DayValue, IdValue, InstantValue};

row! {
    ClosingRow of closings {
        key {
            organization_id: IdValue,
            number: i64,
        }
        once {
            project_id: Option<IdValue>,
            closed_through: Option<DayValue>,
            at: InstantValue,
            key_id: IdValue,
            user_id: Option<IdValue>,
            reason: Option<String>,
        }
        again {}
    }
}

/// Puts one of the rows into the ledger from which the books of an organization are known: its last
/// closing, the last one of all its projects together, and any one of a single project.
pub(crate) fn load_books(row: ClosingRow, ledger: &mut Ledger) -> Result<(), DbError> {
    let closing = Closing::try_from(row)?;
    let Books { version, by_project } = ledger.books(closing.organization_id);
    let books = Books {
        version: version.max(closing.number),
        by_project: by_project || closing.project_id.is_some(),
    };
    ledger.load_books(closing.organization_id, books);
    // Which one of a single project counts is asked for later, so that it is not an older one than
    // the version tells of.
    if closing.project_id.is_none() {
        ledger.load_closing(closing);
    }
    Ok(())
}

impl From<Closing> for ClosingRow {
    fn from(closing: Closing) -> Self {
        Self {
            organization_id: closing.organization_id.into(),
            number: closing.number.get(),
            project_id: closing.project_id.map(Into::into),
            closed_through: closing.through.map(Into::into),
            at: closing.at.into(),
            key_id: closing.key_id.into(),
            user_id: closing.user_id.map(Into::into),
            reason: closing.reason.map(|reason| reason.as_str().to_owned()),
        }
    }
}

impl TryFrom<ClosingRow> for Closing {
    type Error = DbError;

    fn try_from(row: ClosingRow) -> Result<Self, DbError> {
        let reason = row.reason.map(TryInto::try_into).transpose();
        Ok(Self {
            organization_id: row.organization_id.into(),
            number: Version::new(row.number),
            project_id: row.project_id.map(Into::into),
            through: row.closed_through.map(Into::into),
            at: row.at.into(),
            key_id: row.key_id.into(),
            user_id: row.user_id.map(Into::into),
            reason: ClosingRow::known("reason", reason)?,
        })
    }
}
