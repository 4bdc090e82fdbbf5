//! The feed on the wire.

use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;
use timelog_domain::{
    Change, Event, InvoiceRef, ProjectId, Reason, Seq, Status, TimeEntry, TimeEntryId, Timestamp,
    Version,
};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder};
use utoipa::openapi::{RefOr, Schema};

use super::cursor_text::CURSOR;
use super::history::{By, Changes};
use super::include::{Include, Included};
use super::page::Limit;
use super::query::ParameterValue;
use super::schema::{self, Described, Schemas};
use super::time_entry::TimeEntryBody;
use super::{Answered, CursorText, Fault, answer, query};

/// How many changes a page has at most.
pub(crate) type ChangeLimit = Limit<100, MOST_CHANGES>;

const MOST_CHANGES: u32 = 500;

query! {
    /// Which changes.
    pub(crate) struct ChangesQuery {
        /// Where to begin: the `nextCursor` of what was read before. Without it, with the first
        /// change ever. It belongs to this feed and does not expire.
        after: Option<CursorText> = "after";
        /// How many changes to answer at most.
        limit: Option<ChangeLimit> = "limit", example 500;
        /// How long to wait where there is no further change: seconds, such as `30s`, or
        /// milliseconds, such as `500ms`. A change that comes meanwhile is answered at once.
        wait: Option<Wait> = "wait", example "30s", default "0s";
    }
}

/// How long a reader waits at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wait(pub(crate) Duration);

/// The longest wait, in milliseconds.
const LONGEST_WAIT: u64 = 30_000;

/// The text is no [`Wait`].
#[derive(Debug, thiserror::Error)]
#[error("must be 0 to 30 seconds, such as 30s or 500ms")]
pub(crate) struct InvalidWait;

impl FromStr for Wait {
    type Err = InvalidWait;

    fn from_str(text: &str) -> Result<Self, InvalidWait> {
        let (number, unit) = match text.strip_suffix("ms") {
            Some(number) => (number, 1),
            None => (text.strip_suffix('s').unwrap_or(text), 1000),
        };
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse::<u64>().ok().filter(|_| is_number);
        let millis = number.and_then(|number| number.checked_mul(unit));
        let millis = millis.filter(|millis| *millis <= LONGEST_WAIT).ok_or(InvalidWait)?;
        Ok(Self(Duration::from_millis(millis)))
    }
}

impl Fault for InvalidWait {
    fn code(&self) -> &'static str {
        "out_of_range"
    }
}

impl ParameterValue for Wait {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        let (seconds, millis) = ("([0-9]|[12][0-9]|30)s?", "([0-9]{1,4}|[12][0-9]{4}|30000)ms");
        schema::text("").pattern(Some(format!("^({seconds}|{millis})$"))).into()
    }
}

answer! {
    /// Changes of a feed, oldest first.
    pub(crate) struct ChangesBody<'a> = "ChangePage" {
        data: ChangeBodies<'a>,
        /// Where to go on. It is always there: at the end of the feed it leads to what is changed
        /// from then on.
        next_cursor: NextCursor,
        /// Whether there are further changes by now. A page may have none and still not be the
        /// last, where many changes were of other projects.
        has_more: bool,
    }
}

/// At most as many as a page may have.
#[derive(Serialize)]
pub(crate) struct ChangeBodies<'a>(Vec<ChangeBody<'a>>);

impl Described for ChangeBodies<'_> {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let changes = ArrayBuilder::new().items(ChangeBody::schema(schemas));
        changes.max_items(Some(MOST_CHANGES as usize)).into()
    }
}

impl Answered for ChangeBodies<'_> {}

/// A cursor that is always there.
#[derive(Serialize)]
pub(crate) struct NextCursor(pub(crate) String);

impl Described for NextCursor {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::text("").pattern(Some(CURSOR)).into()
    }
}

impl Answered for NextCursor {}

answer! {
    /// One change of an entry, as the feed has it.
    pub(crate) struct ChangeBody<'a> = "Change" {
        /// Counts the changes of the organization: 1, 2, 3, …, without a gap, in the order in which
        /// they were stored. Whoever has seen a number never meets a smaller one later.
        seq: Seq,
        /// What has happened.
        event: FeedEvent,
        /// When.
        at: Timestamp,
        /// Whose key it was done with.
        by: By,
        /// The entry.
        time_entry_id: TimeEntryId,
        /// Its project.
        project_id: ProjectId,
        /// The version that the change made.
        version: Version,
        /// The status before; null when it was logged.
        from: Option<Status>,
        /// The status after; null when it was deleted.
        to: Option<Status>,
        /// Why, if that was said.
        reason: Option<&'a Reason>,
        /// The invoice, if one was named.
        invoice_ref: Option<&'a InvoiceRef>,
        /// The members whose values changed, as in the history of the entry.
        changes: Changes<'a>,
        /// The entry as it stands now, which may be after later changes; null if it is gone, or if
        /// you may no longer see it.
        entry: Option<FeedEntryBody<'a>>,
    }
}

impl<'a> ChangesBody<'a> {
    pub(crate) fn new(
        changes: &'a [Change],
        include: Include,
        next_cursor: String,
        has_more: bool,
    ) -> Self {
        let change = |change| ChangeBody::new(change, include);
        let data = ChangeBodies(changes.iter().map(change).collect());
        Self { data, next_cursor: NextCursor(next_cursor), has_more }
    }
}

impl<'a> ChangeBody<'a> {
    fn new(change: &'a Change, include: Include) -> Self {
        let record = &change.record;
        Self {
            seq: change.seq,
            event: FeedEvent(record.event),
            at: record.at,
            by: By { key_id: record.key_id, user_id: record.user_id },
            time_entry_id: record.time_entry_id,
            project_id: record.project_id,
            version: record.version,
            from: record.from,
            to: record.to,
            reason: record.reason.as_ref(),
            invoice_ref: record.invoice_ref.as_ref(),
            changes: Changes(&record.changes),
            entry: change.entry.as_ref().map(|entry| FeedEntryBody::new(entry, include)),
        }
    }
}

impl Described for Seq {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::whole(1).into()
    }
}

impl Answered for Seq {}

/// An event by its name in the feed.
pub(crate) struct FeedEvent(pub(crate) Event);

impl Serialize for FeedEvent {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.feed_name())
    }
}

impl Described for FeedEvent {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let about = "What has happened to an entry.";
        let make = |_: &mut _| schema::words(about, Event::all().map(Event::feed_name)).into();
        schemas.named("FeedEvent", make)
    }
}

impl Answered for FeedEvent {}

/// A time entry with what a copy of it needs beside its sixteen members.
#[derive(Serialize)]
pub(crate) struct FeedEntryBody<'a>(TimeEntryBody<'a>);

/// What a copy of an entry needs, whatever else is asked for.
const NEEDED: [&str; 2] = ["externalRef", "version"];

impl<'a> FeedEntryBody<'a> {
    pub(crate) fn new(entry: &'a TimeEntry, include: Include) -> Self {
        let needed = include.and(Included::ExternalRef).and(Included::Version);
        Self(TimeEntryBody::showing(entry, needed))
    }
}

impl Described for FeedEntryBody<'_> {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        schemas.named("FeedTimeEntry", |schemas| {
            let about = "A time entry with its external reference and its version, and with what \
                `include` asks for.";
            let entry = TimeEntryBody::declared(schemas).description(Some(about));
            schema::closed(NEEDED.into_iter().fold(entry, ObjectBuilder::required))
        })
    }
}

impl Answered for FeedEntryBody<'_> {}
