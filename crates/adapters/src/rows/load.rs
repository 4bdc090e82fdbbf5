//! The rows that decisions are made on, put into the ledger.

use timelog_domain::{Ledger, Seq};

use super::closing::ClosingRow;
use super::directory::{ProjectRow, ReleaseRow, TicketRow, UserRow};
use super::history::FeedEndRow;
use super::time_entry::TimeEntryRow;
use super::webhook::WebhookRow;
use crate::error::DbError;

pub(crate) trait Load {
    fn load_into(self, ledger: &mut Ledger) -> Result<(), DbError>;
}

macro_rules! load {
    ($($row:ident: |$self:ident, $ledger:ident| $load:expr,)+) => {$(
        impl Load for $row {
            fn load_into(self, $ledger: &mut Ledger) -> Result<(), DbError> {
                let $self = self;
                $load;
                Ok(())
            }
        }
    )+};
}

load! {
    ProjectRow: |row, ledger| ledger.load_project(row.try_into()?),
    UserRow: |row, ledger| ledger.load_user(row.try_into()?),
    TicketRow: |row, ledger| ledger.load_ticket(&row.try_into()?),
    ReleaseRow: |row, ledger| ledger.load_release(&row.try_into()?),
    TimeEntryRow: |row, ledger| ledger.load_time_entry(row.try_into()?),
    ClosingRow: |row, ledger| ledger.load_closing(row.try_into()?),
    WebhookRow: |row, ledger| ledger.load_webhook(row.try_into()?),
    FeedEndRow: |row, ledger| ledger.load_feed_end(row.organization_id.into(), Seq::new(row.seq)),
}
