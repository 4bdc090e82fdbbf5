//! A small directory to log time in, and short ways to ask for things.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use timelog_domain::*;

/// Two organizations with the same ids inside, so that whatever crosses from one to the other is
/// noticed.
pub(crate) const ORGANIZATION: u128 = 1;
pub(crate) const OTHER_ORGANIZATION: u128 = 2;

pub(crate) const PROJECT: u128 = 10;
pub(crate) const OTHER_PROJECT: u128 = 11;
pub(crate) const NO_PROJECT: u128 = 19;

pub(crate) const ANN: u128 = 20;
pub(crate) const BEN: u128 = 21;
pub(crate) const NOBODY: u128 = 29;

/// A ticket and a release of [`PROJECT`], and of [`OTHER_PROJECT`].
pub(crate) const TICKET: u128 = 30;
pub(crate) const OTHER_TICKET: u128 = 31;
pub(crate) const RELEASE: u128 = 40;
pub(crate) const OTHER_RELEASE: u128 = 41;

const KEY: u128 = 50;
const FIRST_TIME_ENTRY: u128 = 1000;

/// The id of that number, of whichever kind is asked for.
pub(crate) fn id<T: FromStr<Err = InvalidId>>(number: u128) -> T {
    format!("00000000-0000-0000-0000-{number:012x}").parse().unwrap()
}

pub(crate) fn text<T: FromStr<Err = InvalidText>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(crate) fn reference(external_id: &str) -> ExternalRef {
    ExternalRef {
        provider: text("jira"),
        external_type: text("worklog"),
        external_id: text(external_id),
    }
}

pub(crate) fn minutes(minutes: i64) -> WorkDuration {
    WorkDuration::from_minutes(minutes).unwrap()
}

/// Two and a half hours of Ann's.
pub(crate) fn details() -> Details {
    Details {
        description: Some(text("Implemented login flow.")),
        ..Details::new(id(ANN), "2025-01-15".parse().unwrap(), minutes(150))
    }
}

/// What the details may become: each differs from [`details`] in one member.
pub(crate) fn other_details() -> Vec<(&'static str, Details)> {
    vec![
        ("userId", Details { user_id: id(BEN), ..details() }),
        ("workDate", Details { work_date: "2025-01-16".parse().unwrap(), ..details() }),
        ("minutes", Details { duration: minutes(151), ..details() }),
        ("description", Details { description: None, ..details() }),
        (
            "description",
            Details { description: Some(text("implemented login flow.")), ..details() },
        ),
        ("billable", Details { billable: false, ..details() }),
        ("entryId", Details { ticket_id: Some(id(TICKET)), ..details() }),
        ("releaseId", Details { release_id: Some(id(RELEASE)), ..details() }),
    ]
}

/// Whoever has a key of the organization that is bound to no user.
pub(crate) fn anyone() -> Caller {
    Caller { organization_id: id(ORGANIZATION), key_id: id(KEY), project_id: None, user_id: None }
}

/// Whoever has a key that is bound to that user.
pub(crate) fn bound_to(user: u128) -> Caller {
    Caller { user_id: Some(id(user)), key_id: id(KEY + user), ..anyone() }
}

/// Whoever has a key of the other organization.
pub(crate) fn stranger() -> Caller {
    Caller { organization_id: id(OTHER_ORGANIZATION), ..anyone() }
}

/// A ledger with a directory, and the time.
pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) now: Timestamp,
    minted: u128,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut ledger = Ledger::default();
        for organization in [ORGANIZATION, OTHER_ORGANIZATION] {
            let organization_id = id(organization);
            for user in [ANN, BEN] {
                ledger.load_user(User {
                    organization_id,
                    id: id(user),
                    name: text("User"),
                    active: true,
                });
            }
            for (project, ticket, release) in
                [(PROJECT, TICKET, RELEASE), (OTHER_PROJECT, OTHER_TICKET, OTHER_RELEASE)]
            {
                let project_id = id(project);
                ledger.load_project(Project {
                    organization_id,
                    id: project_id,
                    name: text("P"),
                    archived: false,
                });
                ledger.load_ticket(&Ticket {
                    organization_id,
                    project_id,
                    id: id(ticket),
                    title: text("T"),
                });
                ledger.load_release(&Release {
                    organization_id,
                    project_id,
                    id: id(release),
                    name: text("R"),
                });
            }
        }
        Self {
            ledger,
            now: Timestamp::from_unix_millis(1_736_928_000_000).unwrap(),
            minted: FIRST_TIME_ENTRY,
        }
    }

    /// Lets time pass and returns the time that it is then.
    pub(crate) fn wait(&mut self, duration: Duration) -> Timestamp {
        self.now = self.now.saturating_add(duration);
        self.now
    }

    pub(crate) fn archive(&mut self, project: u128) {
        let organization_id = id(ORGANIZATION);
        self.ledger.load_project(Project {
            organization_id,
            id: id(project),
            name: text("P"),
            archived: true,
        });
    }

    pub(crate) fn deactivate(&mut self, user: u128) {
        let organization_id = id(ORGANIZATION);
        self.ledger.load_user(User {
            organization_id,
            id: id(user),
            name: text("User"),
            active: false,
        });
    }

    /// Asks to log [`details`], with a fresh id and no external reference.
    pub(crate) fn entry(&mut self) -> LogTimeEntry {
        self.minted += 1;
        LogTimeEntry {
            id: id(self.minted),
            project_id: id(PROJECT),
            details: details(),
            external_ref: None,
            source: Source::Api,
        }
    }

    pub(crate) fn ask(&mut self, request: &Request) -> Decision {
        handle(request, &mut self.ledger, self.now)
    }

    pub(crate) fn log(
        &mut self,
        caller: Caller,
        command: LogTimeEntry,
    ) -> Result<Outcome, Refusal> {
        self.ask(&Request { caller, command: Command::Log(command), claim: None }).map(outcome)
    }

    pub(crate) fn apply(
        &mut self,
        caller: Caller,
        entry: TimeEntryId,
        action: Action,
    ) -> Result<Outcome, Refusal> {
        let command = Command::Apply(apply(entry, action));
        self.ask(&Request { caller, command, claim: None }).map(outcome)
    }

    /// A new entry under that reference, moved to that status. None of it counts as a change any
    /// more.
    pub(crate) fn entry_that_is(&mut self, status: Status, external_id: &str) -> TimeEntry {
        let command = LogTimeEntry { external_ref: Some(reference(external_id)), ..self.entry() };
        let entry = self.log(anyone(), command).unwrap();
        let mut entry = entry.time_entry().unwrap().clone();
        for action in way_to(status) {
            entry =
                self.apply(anyone(), entry.id(), *action).unwrap().time_entry().unwrap().clone();
        }
        assert_eq!(entry.status(), status);
        self.ledger.take_changes();
        entry
    }

    pub(crate) fn stored(&self, entry: TimeEntryId) -> Option<&TimeEntry> {
        self.ledger.time_entry(id(ORGANIZATION), entry)
    }

    /// What can be read in the ledger of these entries, references and answers.
    pub(crate) fn observe(
        &self,
        entries: &[TimeEntryId],
        references: &[ExternalRef],
        scopes: &[IdempotencyScope],
    ) -> Observed {
        let organization = id(ORGANIZATION);
        Observed {
            entries: entries
                .iter()
                .map(|id| self.ledger.time_entry(organization, *id).cloned())
                .collect(),
            named: references
                .iter()
                .map(|reference| self.ledger.time_entry_by_ref(organization, reference).cloned())
                .collect(),
            answers: scopes.iter().map(|scope| self.ledger.answer(scope).cloned()).collect(),
        }
    }
}

/// What a ledger says when it is asked.
#[derive(Debug, PartialEq)]
pub(crate) struct Observed {
    entries: Vec<Option<TimeEntry>>,
    named: Vec<Option<TimeEntry>>,
    answers: Vec<Option<IdempotencyRecord>>,
}

/// Asks for an action, with the reason and the invoice that some of them need.
pub(crate) fn apply(entry: TimeEntryId, action: Action) -> ApplyAction {
    ApplyAction { id: entry, transition: transition(action), if_match: IfMatch::Any }
}

pub(crate) fn transition(action: Action) -> Transition {
    let reason = action.needs_reason().then(|| "because".to_owned());
    let invoice_ref = action.needs_invoice_ref().then(|| "2025-001".to_owned());
    Transition::new(action, reason.into(), invoice_ref.into()).unwrap()
}

/// The actions that lead a draft to that status.
fn way_to(status: Status) -> &'static [Action] {
    match status {
        Status::Draft => &[],
        Status::Submitted => &[Action::Submit],
        Status::Approved => &[Action::Submit, Action::Approve],
        Status::Rejected => &[Action::Submit, Action::Reject],
        Status::Locked => &[Action::Submit, Action::Approve, Action::Lock],
        Status::Invoiced => &[Action::Submit, Action::Approve, Action::Invoice],
    }
}

/// The outcome of a request that was carried out now.
pub(crate) fn outcome(reply: Reply) -> Outcome {
    match reply {
        Reply::Done { outcome, .. } => outcome,
        Reply::Replayed { .. } => panic!("replayed without a claim"),
    }
}

/// Every change that the ledger hands over, by the entry it befell: the record of it, oldest first.
pub(crate) fn history_of(changes: &Changes) -> BTreeMap<TimeEntryId, Vec<&HistoryRecord>> {
    let mut history: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for record in &changes.history {
        history.entry(record.time_entry_id).or_default().push(record);
    }
    history
}
