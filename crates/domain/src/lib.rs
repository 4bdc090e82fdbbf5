#![doc = include_str!("../README.md")]

pub mod access;
pub mod changes;
pub mod closing;
pub mod command;
pub mod delivery;
pub mod details;
pub mod directory;
pub mod duration;
pub mod external_ref;
pub mod feed;
pub mod found;
pub mod given;
mod handle;
pub mod history;
pub mod idempotency;
pub mod ids;
pub mod ledger;
#[cfg(any(test, feature = "test-support"))]
pub mod memory;
mod named;
pub mod outcome;
pub mod permission;
pub mod ports;
pub mod query;
pub mod request;
pub mod source;
pub mod status;
pub mod summary;
pub mod text;
mod text_form;
pub mod time_entry;
pub mod timestamp;
pub mod touches;
pub mod transition;
pub mod webhook;
pub mod work_date;

pub use access::{ApiKey, Caller};
pub use changes::{Changes, TimeEntryChange, TimeEntryDeletion, WebhookChange};
pub use closing::{Books, Closing, ClosingKey, PeriodClosed};
pub use command::{
    ApplyAction, ChangeMany, CloseBooks, Command, DeleteTimeEntry, EachChange, EditTimeEntry,
    IfMatch, LogMany, LogTimeEntry, MOST_ITEMS, MakeWebhook, Selection, WebhookCommand,
};
pub use delivery::{Delivery, DeliveryFailure};
pub use details::{Details, Field, FieldChange, FieldValue, Patch};
pub use directory::{Names, Project, References, Release, Ticket, User};
pub use duration::{InvalidDuration, WorkDuration, hours_of_minutes};
pub use external_ref::ExternalRef;
pub use feed::{Change, FeedPage, FeedRequest, Seq};
pub use found::{FoundTooMany, MOST_FOUND};
pub use given::Given;
pub use handle::{handle, replay};
pub use history::{Event, HistoryRecord, UnknownEvent};
pub use idempotency::{
    Claim, Fingerprint, IdempotencyKey, IdempotencyRecord, IdempotencyScope, MismatchPolicy,
    StoredAnswer,
};
pub use ids::{
    EventId, FeedEpoch, InvalidId, KeyId, LeaseHolder, OrganizationId, ProjectId, ReleaseId,
    TicketId, TimeEntryId, UserId, WebhookId, WebhookKey,
};
pub use ledger::Ledger;
pub use named::UnknownName;
pub use outcome::{Changed, InvalidReference, InvalidWebhook, ItemOutcome, Outcome, Refusal};
pub use permission::{InvalidPermissions, Permission, Permissions};
pub use query::{
    Direction, Filter, InvalidSort, Page, PageRequest, Position, Sort, SortKey, SortValue,
};
pub use request::{Decision, Reply, Request};
pub use source::Source;
pub use status::{Action, Status};
pub use summary::{
    GroupBy, GroupKey, GroupValue, InvalidGroupBy, MOST_GROUPS, Summary, SummaryRow, TooManyGroups,
    Totals,
};
pub use text::{
    Description, DestinationUrl, ExternalRefPart, InvalidText, InvoiceRef, Name, Reason,
};
pub use time_entry::{
    ImpossibleAction, InvalidTransition, NotEditable, Record, TimeEntry, Version,
};
pub use timestamp::Timestamp;
pub use touches::Touches;
pub use transition::{InvalidRemark, Transition};
pub use webhook::{
    EventName, Secret, Secrets, UnknownEventName, Webhook, WebhookDetails, WebhookPatch,
    WebhookState,
};
pub use work_date::{InvalidWorkDate, Month, Week, WorkDate};
