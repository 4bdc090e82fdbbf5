//! Actions on the wire: what moves an entry, or many, through their lives.

use timelog_domain::{Action, Filter, InvalidRemark, Selection, Transition};
use utoipa::openapi::{RefOr, Schema};

use super::selection::{Ids, selection};
use super::value::{Remark, not_blank};
use super::{Described, Reader, Schemas, body};

body! {
    /// The circumstances of an action. Other members are skipped unless `Prefer` asks to refuse
    /// them.
    pub(crate) struct ActionBody = "Circumstances" asks for Transition, knowing Action, or none sent {
        /// Why. It is kept in the history.
        reason: Optional<Remark>,
        /// The invoice. It is kept in the history.
        invoice_ref: Optional<Remark>,
    }
}

impl ActionBody {
    fn put_together(self, reader: &mut Reader, action: Action) -> Option<Transition> {
        told(reader, Transition::new(action, self.reason, self.invoice_ref))
    }

    /// The schema of the body of that action.
    pub(crate) fn schema_for(action: Action, schemas: &mut Schemas) -> RefOr<Schema> {
        let (name, needed) = match (action.needs_reason(), action.needs_invoice_ref()) {
            (true, _) => ("CircumstancesWithReason", "reason"),
            (_, true) => ("CircumstancesWithInvoice", "invoiceRef"),
            _ => return <Self as Described>::schema(schemas),
        };
        schemas.named(name, |schemas| {
            let mut object = Self::declared(schemas).build();
            if let (Some(RefOr::Ref(member)), RefOr::Ref(remark)) =
                (object.properties.get_mut(needed), needed_remark(schemas))
            {
                member.ref_location = remark.ref_location;
            }
            object.required.push(needed.to_owned());
            let about = "The circumstances of an action.";
            object.description = Some(format!(
                "{about} `{needed}` is needed. Other members are skipped unless `Prefer` asks to \
                 refuse them."
            ));
            Schema::Object(object).into()
        })
    }
}

fn needed_remark(schemas: &mut Schemas) -> RefOr<Schema> {
    schemas.named("NeededRemark", |_| not_blank("Text", timelog_domain::Reason::MAX_CHARS).into())
}

/// An action on many entries.
pub(crate) struct TransitionMany {
    pub(crate) transition: Transition,
    pub(crate) entries: Selection,
    pub(crate) atomic: bool,
}

body! {
    /// An action on many entries. Other members are skipped unless `Prefer` asks to refuse them.
    pub(crate) struct TransitionManyBody = "TransitionTimeEntries" asks for TransitionMany {
        action: Required<Action>,
        /// The entries, in the order in which they are to be moved. One that is there twice is
        /// moved twice.
        ids: Optional<Ids>,
        /// Which entries, in place of `ids`.
        filter: Optional<Filter>,
        /// Why. The actions reject, reopen, unlock and release-invoice need it.
        reason: Optional<Remark>,
        /// The invoice. The action invoice needs it.
        invoice_ref: Optional<Remark>,
        /// Whether all items succeed or none takes effect.
        atomic: Optional<bool> = false,
    }
}

impl TransitionManyBody {
    fn put_together(self, reader: &mut Reader, (): ()) -> Option<TransitionMany> {
        let Self { action, ids, filter, reason, invoice_ref, atomic } = self;
        let entries = selection(reader, ids, filter);
        let transition = match action.value() {
            Some(action) => told(reader, Transition::new(action, reason, invoice_ref)),
            None => told(reader, Transition::check_without_action(reason, invoice_ref)).and(None),
        };
        Some(TransitionMany { transition: transition?, entries: entries?, atomic: atomic.value()? })
    }
}

/// What was decided about what stands beside an action, or what is wrong with it, at its place.
fn told<T>(reader: &mut Reader, decided: Result<T, Vec<InvalidRemark>>) -> Option<T> {
    let add = |wrong: Vec<InvalidRemark>| {
        for remark in wrong {
            reader.check::<(), _>(remark.member(), Err(remark));
        }
    };
    decided.map_err(add).ok()
}
