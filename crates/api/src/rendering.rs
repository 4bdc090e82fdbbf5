//! Answers as bytes, for those that measure how much work they are.

use timelog_domain::TimeEntry;

use crate::wire::include::Include;
use crate::wire::page::Page;
use crate::wire::time_entry::{self, TimeEntryBody};
use crate::wire::{Sometimes, bytes};

/// A time entry, as every answer shows it.
#[must_use]
pub fn time_entry(entry: &TimeEntry) -> Vec<u8> {
    time_entry::bytes(entry, Include::default())
}

/// A page of a list of time entries that goes on.
#[must_use]
pub fn page(entries: &[TimeEntry], next_cursor: String) -> Vec<u8> {
    let data: Vec<_> = entries.iter().map(TimeEntryBody::from).collect();
    bytes(&Page { data, next_cursor: Some(next_cursor), total: Sometimes(None) })
}
