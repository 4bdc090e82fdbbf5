//! Closings of the books on the wire.

use serde_json::json;
use timelog_domain::{CloseBooks, Closing, InvalidRemark, ProjectId, Reason, Timestamp, WorkDate};

use super::history::By;
use super::value::{OrNull, Remark};
use super::{Reader, answer, body};

/// What a body asks to close.
pub(crate) struct AskedToClose {
    through: Option<WorkDate>,
    reason: Option<Reason>,
}

impl AskedToClose {
    /// The same of one project, or of all.
    pub(crate) fn of(self, project_id: Option<ProjectId>) -> CloseBooks {
        CloseBooks { project_id, through: self.through, reason: self.reason }
    }
}

body! {
    /// Up to which day the books are to be closed. Other members are skipped unless `Prefer` asks
    /// to refuse them.
    pub(crate) struct CloseBody = "CloseBooks" asks for AskedToClose {
        /// The last day that is to be closed; null to open the books.
        through: Required<OrNull<WorkDate>>,
        /// Why. It is needed where the day is earlier than before, or null.
        reason: Optional<Remark>,
    }
    examples [json!({ "through": "2025-01-31" })];
}

impl CloseBody {
    fn put_together(self, reader: &mut Reader, (): ()) -> Option<AskedToClose> {
        let reason = match CloseBooks::reason(self.reason) {
            Ok(reason) => reason,
            Err(wrong) => {
                let wrong: Option<InvalidRemark> = wrong;
                wrong.map(|wrong| reader.check::<(), _>(wrong.member(), Err(wrong)));
                return None;
            }
        };
        Some(AskedToClose { through: self.through.value()?, reason })
    }
}

answer! {
    /// Up to which day the books are closed.
    pub(crate) struct ClosingBody<'a> = "Closing" {
        /// The last day that is closed; null where the books are open.
        through: Option<WorkDate>,
        /// When that was said; null where it never was.
        at: Option<Timestamp>,
        /// Whose key it was said with.
        by: Option<By>,
        /// Why, if that was said.
        reason: Option<&'a Reason>,
        /// Every time that it was said, the newest first, at most 500.
        history: Vec<ClosedBody<'a>>,
    }
}

answer! {
    /// One time that the books were closed, or opened.
    pub(crate) struct ClosedBody<'a> = "ClosingRecord" {
        /// The last day that was closed then; null where the books were opened.
        through: Option<WorkDate>,
        /// When.
        at: Timestamp,
        /// Whose key it was done with.
        by: By,
        /// Why, if that was said.
        reason: Option<&'a Reason>,
    }
}

impl<'a> From<&'a Closing> for ClosedBody<'a> {
    fn from(closing: &'a Closing) -> Self {
        Self {
            through: closing.through,
            at: closing.at,
            by: By { key_id: closing.key_id, user_id: closing.user_id },
            reason: closing.reason.as_ref(),
        }
    }
}

impl<'a> ClosingBody<'a> {
    /// The closings, the newest first.
    pub(crate) fn new(closings: &'a [Closing]) -> Self {
        let history: Vec<_> = closings.iter().map(ClosedBody::from).collect();
        let last = closings.first().map(ClosedBody::from);
        Self {
            through: last.as_ref().and_then(|last| last.through),
            at: last.as_ref().map(|last| last.at),
            reason: last.as_ref().and_then(|last| last.reason),
            by: last.map(|last| last.by),
            history,
        }
    }
}
