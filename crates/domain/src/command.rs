//! The commands: what a request can ask the domain to do.

use crate::access::Caller;
use crate::details::{Details, Patch};
use crate::external_ref::ExternalRef;
use crate::feed::Seq;
use crate::given::Given;
use crate::ids::{ProjectId, TimeEntryId, WebhookId};
use crate::query::Filter;
use crate::source::Source;
use crate::text::Reason;
use crate::time_entry::Version;
use crate::transition::{InvalidRemark, Transition, remark};
use crate::webhook::{Secret, WebhookDetails, WebhookPatch};
use crate::work_date::WorkDate;

/// The most entries that one command may log, or change by their ids. The edge refuses a request
/// with more.
pub const MOST_ITEMS: usize = 500;

/// A change of time entries, of closings, or of webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Log a time entry, or update the one that has the same external reference.
    Log(LogTimeEntry),
    /// Log many time entries on one project.
    LogMany(LogMany),
    /// Change the details of an entry.
    Edit(EditTimeEntry),
    /// Delete an entry.
    Delete(DeleteTimeEntry),
    /// Move an entry to another status.
    Apply(ApplyAction),
    /// Change many entries in the same way.
    ChangeMany(ChangeMany),
    /// Close the books, or open them. The edge lets only those ask that may.
    Close(CloseBooks),
    /// Change the webhooks of the organization. The edge lets only those ask that may.
    Webhook(WebhookCommand),
}

/// A change of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookCommand {
    /// Make one.
    Make(MakeWebhook),
    /// Change what it does.
    Edit {
        /// Which.
        id: WebhookId,
        /// What to change.
        patch: WebhookPatch,
    },
    /// Give it another secret.
    Rotate {
        /// Which.
        id: WebhookId,
        /// The secret. The caller makes it, as ids.
        secret: Secret,
    },
    /// Delete it.
    Delete {
        /// Which.
        id: WebhookId,
    },
    /// Note that an event was sent once more by hand.
    NoteSent {
        /// To which.
        id: WebhookId,
        /// The event that it had refused, and now takes; none where nothing of that kind has
        /// happened.
        taken: Option<Seq>,
    },
}

/// Asks to make a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeWebhook {
    /// Its id. The caller makes it.
    pub id: WebhookId,
    /// What it is to do.
    pub details: WebhookDetails,
    /// Its secret. The caller makes it.
    pub secret: Secret,
    /// The change after which to begin; none for the last one that there is.
    pub delivered_through: Option<Seq>,
}

impl WebhookCommand {
    /// The webhook.
    #[must_use]
    pub const fn id(&self) -> WebhookId {
        match self {
            Self::Make(MakeWebhook { id, .. })
            | Self::Edit { id, .. }
            | Self::Rotate { id, .. }
            | Self::Delete { id }
            | Self::NoteSent { id, .. } => *id,
        }
    }

    /// The project that it is to have.
    pub(crate) fn project_id(&self) -> Option<ProjectId> {
        match self {
            Self::Make(make) => make.details.project_id,
            Self::Edit { patch, .. } => patch.project_id.flatten(),
            Self::Rotate { .. } | Self::Delete { .. } | Self::NoteSent { .. } => None,
        }
    }
}

/// Asks to log a time entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTimeEntry {
    /// The id of the entry if it is new. The caller makes it, because the same decision must have
    /// the same result each time.
    pub id: TimeEntryId,
    /// The project to log on.
    pub project_id: ProjectId,
    /// The details of the entry.
    pub details: Details,
    /// Its name in another system.
    pub external_ref: Option<ExternalRef>,
    /// How the entry is created.
    pub source: Source,
}

/// Asks to log many time entries. Each is decided in order, after the changes of those before it.
/// Of two with the same external reference the later one wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogMany {
    /// The project to log on. An item for another project fails.
    pub project_id: ProjectId,
    /// The entries, at most [`MOST_ITEMS`]; none where the item of the request was not valid. Such
    /// an item fails.
    pub items: Vec<Option<LogTimeEntry>>,
    /// Whether nothing is logged if one item fails.
    pub atomic: bool,
}

/// Asks to change the details of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditTimeEntry {
    /// The entry.
    pub id: TimeEntryId,
    /// What to change.
    pub patch: Patch,
    /// Which versions may be changed.
    pub if_match: IfMatch,
}

/// Asks to delete an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteTimeEntry {
    /// The entry.
    pub id: TimeEntryId,
    /// Which versions may be deleted.
    pub if_match: IfMatch,
}

/// Asks to move an entry to another status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyAction {
    /// The entry.
    pub id: TimeEntryId,
    /// What to do with it.
    pub transition: Transition,
    /// Which versions may be moved.
    pub if_match: IfMatch,
}

/// Asks to change many entries in the same way. They are decided in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeMany {
    /// The entries.
    pub entries: Selection,
    /// What to do with each.
    pub change: EachChange,
    /// Whether nothing is changed if one entry fails.
    pub atomic: bool,
}

/// Which entries are to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// These, at most [`MOST_ITEMS`], in this order.
    Ids(Vec<TimeEntryId>),
    /// Those that the filter matches when the command is decided, at most
    /// [`MOST_FOUND`](crate::MOST_FOUND), in the order of their days and ids.
    Filter(Filter),
}

impl Selection {
    /// The same, of what the caller may see. What may not be seen is not found.
    #[must_use]
    pub fn seen_by(self, caller: &Caller) -> Self {
        match self {
            Self::Ids(ids) => Self::Ids(ids),
            Self::Filter(filter) => Self::Filter(Filter { visible_of: caller.sees_only, ..filter }),
        }
    }
}

/// What is to be done with each of many entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EachChange {
    /// Move it to another status.
    Apply(Transition),
    /// Change its details.
    Edit(Patch),
    /// Delete it.
    Delete,
}

/// Asks to close the books through a day, or to open them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseBooks {
    /// The only project to close; none for all of them.
    pub project_id: Option<ProjectId>,
    /// The last day that is closed then; none to open the books.
    pub through: Option<WorkDate>,
    /// The reason. It is needed where that day is earlier than before.
    pub reason: Option<Reason>,
}

impl CloseBooks {
    /// Reads a reason. A blank one is none.
    ///
    /// # Errors
    ///
    /// Why it is refused. An [unreadable](Given::Unreadable) one has no error.
    pub fn reason(given: Given<String>) -> Result<Option<Reason>, Option<InvalidRemark>> {
        remark(given, None, InvalidRemark::Reason)
    }
}

/// A condition on the version that an entry has when it is changed.
///
/// ```
/// use timelog_domain::{IfMatch, Version};
///
/// assert!(IfMatch::Any.allows(Version::new(7)));
/// assert!(IfMatch::AnyOf(vec![Version::new(6), Version::new(7)]).allows(Version::new(7)));
/// assert!(!IfMatch::AnyOf(vec![]).allows(Version::new(7)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum IfMatch {
    /// Any version.
    #[default]
    Any,
    /// One of these versions. Tags that are not versions are left out, so the list may be empty;
    /// then no version matches.
    AnyOf(Vec<Version>),
}

impl IfMatch {
    /// Whether an entry of that version may be changed.
    #[must_use]
    pub fn allows(&self, current: Version) -> bool {
        match self {
            Self::Any => true,
            Self::AnyOf(versions) => versions.contains(&current),
        }
    }
}

impl Command {
    /// The entries that the command names by their ids.
    pub(crate) fn time_entry_ids(&self) -> impl Iterator<Item = TimeEntryId> {
        let (one, many) = match self {
            Self::Edit(edit) => (Some(edit.id), &[][..]),
            Self::Delete(delete) => (Some(delete.id), &[][..]),
            Self::Apply(apply) => (Some(apply.id), &[][..]),
            Self::ChangeMany(ChangeMany { entries: Selection::Ids(ids), .. }) => (None, &ids[..]),
            Self::Log(_)
            | Self::LogMany(_)
            | Self::ChangeMany(_)
            | Self::Close(_)
            | Self::Webhook(_) => (None, &[][..]),
        };
        one.into_iter().chain(many.iter().copied())
    }

    /// How the command edits entries.
    pub(crate) const fn patch(&self) -> Option<&Patch> {
        match self {
            Self::Edit(EditTimeEntry { patch, .. })
            | Self::ChangeMany(ChangeMany { change: EachChange::Edit(patch), .. }) => Some(patch),
            _ => None,
        }
    }

    /// By what the command finds entries.
    pub(crate) const fn filter(&self) -> Option<&Filter> {
        match self {
            Self::ChangeMany(ChangeMany { entries: Selection::Filter(filter), .. }) => Some(filter),
            _ => None,
        }
    }

    /// The project that the command moves entries to, or closes.
    pub(crate) fn other_project(&self) -> Option<ProjectId> {
        match self {
            Self::Close(close) => close.project_id,
            _ => self.patch().and_then(|patch| patch.project_id),
        }
    }

    /// Every entry that the command logs.
    pub(crate) fn logs(&self) -> impl Iterator<Item = &LogTimeEntry> {
        let (one, many) = match self {
            Self::Log(log) => (Some(log), &[][..]),
            Self::LogMany(log) => (None, &log.items[..]),
            Self::Edit(_)
            | Self::Delete(_)
            | Self::Apply(_)
            | Self::ChangeMany(_)
            | Self::Close(_)
            | Self::Webhook(_) => (None, &[][..]),
        };
        one.into_iter().chain(many.iter().flatten())
    }
}
