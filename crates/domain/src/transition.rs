//! An action with its reason and its invoice.

use crate::given::Given;
use crate::status::Action;
use crate::text::{InvalidText, InvoiceRef, Reason};

/// An action on an entry, its reason, and its invoice. It always has what its action needs.
///
/// ```
/// use timelog_domain::{Action, Given, InvalidRemark, Transition};
///
/// let reopen = |reason: Option<&str>| {
///     Transition::new(Action::Reopen, reason.map(str::to_owned).into(), Given::Absent)
/// };
/// assert_eq!(reopen(None), Err(vec![InvalidRemark::ReasonMissing]));
/// assert_eq!(reopen(Some("A day too many"))?.reason().unwrap().as_str(), "A day too many");
/// # Ok::<(), Vec<InvalidRemark>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    action: Action,
    reason: Option<Reason>,
    invoice_ref: Option<InvoiceRef>,
}

/// Why a reason or an invoice is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRemark {
    /// The action needs a reason, and none was given.
    #[error("is required")]
    ReasonMissing,
    /// The action needs the name of an invoice, and none was given.
    #[error("is required")]
    InvoiceRefMissing,
    /// The text is not a [`Reason`].
    #[error(transparent)]
    Reason(InvalidText),
    /// The text is not an [`InvoiceRef`].
    #[error(transparent)]
    InvoiceRef(InvalidText),
}

impl InvalidRemark {
    /// The member of the request that it is about, named as on the wire.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::ReasonMissing | Self::Reason(_) => "reason",
            Self::InvoiceRefMissing | Self::InvoiceRef(_) => "invoiceRef",
        }
    }
}

impl Transition {
    /// A transition. What the action needs must be given and not be blank. A blank text that it
    /// does not need is ignored.
    ///
    /// # Errors
    ///
    /// All errors. [Unreadable](Given::Unreadable) members have none, so the list may be empty.
    pub fn new(
        action: Action,
        reason: Given<String>,
        invoice_ref: Given<String>,
    ) -> Result<Self, Vec<InvalidRemark>> {
        let (reason, invoice_ref) = remarks(Some(action), reason, invoice_ref)?;
        Ok(Self { action, reason, invoice_ref })
    }

    /// Checks a reason and an invoice where the action is not known.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new) with an action that needs neither.
    pub fn check_without_action(
        reason: Given<String>,
        invoice_ref: Given<String>,
    ) -> Result<(), Vec<InvalidRemark>> {
        remarks(None, reason, invoice_ref).map(drop)
    }

    /// The action.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// The reason.
    #[must_use]
    pub const fn reason(&self) -> Option<&Reason> {
        self.reason.as_ref()
    }

    /// The invoice.
    #[must_use]
    pub const fn invoice_ref(&self) -> Option<&InvoiceRef> {
        self.invoice_ref.as_ref()
    }
}

fn remarks(
    action: Option<Action>,
    reason: Given<String>,
    invoice_ref: Given<String>,
) -> Result<(Option<Reason>, Option<InvoiceRef>), Vec<InvalidRemark>> {
    let needs = |need: fn(Action) -> bool| action.is_some_and(need);
    let needed = needs(Action::needs_reason).then_some(InvalidRemark::ReasonMissing);
    let reason = remark(reason, needed, InvalidRemark::Reason);
    let needed = needs(Action::needs_invoice_ref).then_some(InvalidRemark::InvoiceRefMissing);
    let invoice_ref = remark(invoice_ref, needed, InvalidRemark::InvoiceRef);
    match (reason, invoice_ref) {
        (Ok(reason), Ok(invoice_ref)) => Ok((reason, invoice_ref)),
        (reason, invoice_ref) => {
            Err([reason.err(), invoice_ref.err()].into_iter().flatten().flatten().collect())
        }
    }
}

/// Parses one of the two. `missing` is the error if it is needed and absent.
pub(crate) fn remark<T: TryFrom<String, Error = InvalidText>>(
    given: Given<String>,
    missing: Option<InvalidRemark>,
    invalid: fn(InvalidText) -> InvalidRemark,
) -> Result<Option<T>, Option<InvalidRemark>> {
    match given.map(T::try_from) {
        Given::Absent => missing.map_or(Ok(None), |missing| Err(Some(missing))),
        Given::Unreadable => Err(None),
        Given::Is(Err(InvalidText::Blank)) if missing.is_none() => Ok(None),
        Given::Is(text) => text.map(Some).map_err(|error| Some(invalid(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Given<String> {
        Given::Is(text.to_owned())
    }

    #[test]
    fn what_is_needed_must_be_given_and_not_blank() {
        let wrong =
            |action, reason, invoice_ref| Transition::new(action, reason, invoice_ref).unwrap_err();
        for action in Action::ALL.iter().copied().filter(|action| action.needs_reason()) {
            let none = wrong(action, Given::Absent, given("2025-001"));
            assert_eq!(none, [InvalidRemark::ReasonMissing], "{action}");
            let blank = wrong(action, given(" "), Given::Absent);
            assert_eq!(blank, [InvalidRemark::Reason(InvalidText::Blank)], "{action}");
        }
        let none = wrong(Action::Invoice, given("because"), Given::Absent);
        assert_eq!(none, [InvalidRemark::InvoiceRefMissing]);
        let both = wrong(Action::Invoice, given("\0"), given(""));
        let (reason, invoice_ref) = (
            InvalidRemark::Reason(InvalidText::Nul),
            InvalidRemark::InvoiceRef(InvalidText::Blank),
        );
        assert_eq!(both, [reason, invoice_ref]);
        let members: Vec<_> = both.into_iter().map(InvalidRemark::member).collect();
        assert_eq!(members, ["reason", "invoiceRef"]);
    }

    #[test]
    fn a_blank_text_that_is_not_needed_is_ignored() {
        let blank = Transition::new(Action::Submit, given("\t"), given("")).unwrap();
        assert_eq!(blank, Transition::new(Action::Submit, Given::Absent, Given::Absent).unwrap());
        let stated = Transition::new(Action::Submit, given("a"), given("b")).unwrap();
        assert_eq!(stated.reason().map(Reason::as_str), Some("a"));
        assert_eq!(stated.invoice_ref().map(InvoiceRef::as_str), Some("b"));
        let long = "x".repeat(Reason::MAX_CHARS + 1);
        let too_long = InvalidRemark::Reason(InvalidText::TooLong { limit: 2000 });
        assert_eq!(
            Transition::new(Action::Submit, given(&long), Given::Absent),
            Err(vec![too_long])
        );
        assert_eq!(Transition::check_without_action(given(&long), given("")), Err(vec![too_long]));
    }

    #[test]
    fn unreadable_members_are_refused_without_an_error_of_their_own() {
        for action in Action::ALL.iter().copied().filter(|action| !action.needs_invoice_ref()) {
            let refused = Transition::new(action, Given::Unreadable, Given::Absent);
            assert_eq!(refused, Err(Vec::new()), "{action}");
        }
        assert_eq!(
            Transition::check_without_action(Given::Absent, Given::Unreadable),
            Err(Vec::new())
        );
    }
}
