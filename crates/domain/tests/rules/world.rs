//! A ledger with a small directory, and short ways to make requests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use timelog_domain::*;

pub(crate) use crate::values::*;

/// Two organizations with the same ids inside, so that a mix-up of the two is noticed.
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

pub(crate) fn minutes(minutes: i64) -> WorkDuration {
    WorkDuration::from_minutes(minutes).unwrap()
}

/// 150 minutes of Ann's.
pub(crate) fn details() -> Details {
    Details {
        description: Some(text("Login flow")),
        ..Details::new(id(ANN), "2025-01-15".parse().unwrap(), minutes(150))
    }
}

/// The same, with a ticket and a release.
pub(crate) fn full_details() -> Details {
    Details { ticket_id: Some(id(TICKET)), release_id: Some(id(RELEASE)), ..details() }
}

/// Other details: each differs from [`details`] in one member.
pub(crate) fn other_details() -> Vec<(&'static str, Details)> {
    vec![
        ("userId", Details { user_id: id(BEN), ..details() }),
        ("workDate", Details { work_date: "2025-01-16".parse().unwrap(), ..details() }),
        ("minutes", Details { duration: minutes(151), ..details() }),
        ("description", Details { description: None, ..details() }),
        ("description", Details { description: Some(text("login flow")), ..details() }),
        ("billable", Details { billable: false, ..details() }),
        ("entryId", Details { ticket_id: Some(id(TICKET)), ..details() }),
        ("releaseId", Details { release_id: Some(id(RELEASE)), ..details() }),
    ]
}

/// A caller whose key has no limits.
pub(crate) fn anyone() -> Caller {
    Caller::new(id(ORGANIZATION), id(KEY))
}

/// A caller whose key is bound to that user.
pub(crate) fn bound_to(user: u128) -> Caller {
    Caller { user_id: Some(id(user)), key_id: id(KEY + user), ..anyone() }
}

/// Likewise, which sees that user's entries alone.
pub(crate) fn seeing_only(user: u128) -> Caller {
    Caller { sees_only: Some(id(user)), ..bound_to(user) }
}

/// A caller whose key is limited to that project.
pub(crate) fn limited_to(project: u128) -> Caller {
    Caller { project_id: Some(id(project)), ..anyone() }
}

/// A caller of the other organization.
pub(crate) fn outsider() -> Caller {
    Caller { organization_id: id(OTHER_ORGANIZATION), ..anyone() }
}

/// A ledger with a directory, and a clock.
pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) now: Timestamp,
    last_id: u128,
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
            last_id: FIRST_TIME_ENTRY,
        }
    }

    /// A world in which entry 1, with [`full_details`] and that status, is loaded.
    pub(crate) fn with_entry_that_is(status: Status) -> Self {
        let mut world = Self::new();
        world.load(1, status, full_details());
        world
    }

    /// Loads an entry of [`PROJECT`]. Its reference is its number, its version 7.
    pub(crate) fn load(&mut self, entry: u128, status: Status, details: Details) {
        self.ledger.load_time_entry(TimeEntry::restore(Record {
            id: id(entry),
            organization_id: id(ORGANIZATION),
            project_id: id(PROJECT),
            details,
            external_ref: Some(reference(&entry.to_string())),
            source: Source::Api,
            status,
            reason: None,
            invoice_ref: (status == Status::Invoiced).then(|| text("2025-001")),
            version: Version::new(7),
            created_at: self.now,
            updated_at: self.now,
        }));
    }

    /// Moves the clock forwards and returns its time.
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

    /// A command to log [`details`], with a new id and no external reference.
    pub(crate) fn entry(&mut self) -> LogTimeEntry {
        self.last_id += 1;
        LogTimeEntry { details: details(), ..log(self.last_id) }
    }

    pub(crate) fn decide(&mut self, request: &Request) -> Decision {
        handle(request, &mut self.ledger, self.now)
    }

    pub(crate) fn ask_as(&mut self, caller: Caller, command: Command) -> Result<Outcome, Refusal> {
        self.decide(&Request { caller, command, claim: None }).map(outcome)
    }

    pub(crate) fn ask(&mut self, command: Command) -> Result<Outcome, Refusal> {
        self.ask_as(anyone(), command)
    }

    pub(crate) fn log(
        &mut self,
        caller: Caller,
        command: LogTimeEntry,
    ) -> Result<Outcome, Refusal> {
        self.ask_as(caller, Command::Log(command))
    }

    pub(crate) fn apply(
        &mut self,
        caller: Caller,
        entry: TimeEntryId,
        action: Action,
    ) -> Result<Outcome, Refusal> {
        self.ask_as(caller, apply_to(entry, action))
    }

    /// A new entry with that reference, moved to that status. Its changes count as stored.
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

    pub(crate) fn named(&self, external_id: &str) -> Option<TimeEntryId> {
        self.ledger.time_entry_by_ref(id(ORGANIZATION), &reference(external_id)).map(TimeEntry::id)
    }

    /// Asserts that nothing has changed since the last changes were taken.
    pub(crate) fn assert_untouched(&mut self) {
        assert_eq!(self.ledger.take_changes(), Changes::default());
    }

    /// What the ledger has under these ids, references and scopes.
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

/// What a ledger has.
#[derive(Debug, PartialEq)]
pub(crate) struct Observed {
    entries: Vec<Option<TimeEntry>>,
    named: Vec<Option<TimeEntry>>,
    answers: Vec<Option<IdempotencyRecord>>,
}

/// A command to log [`full_details`] on [`PROJECT`].
pub(crate) fn log(entry: u128) -> LogTimeEntry {
    LogTimeEntry {
        id: id(entry),
        project_id: id(PROJECT),
        details: full_details(),
        external_ref: None,
        source: Source::Api,
    }
}

/// The same, with a reference.
pub(crate) fn log_as(entry: u128, external_id: &str) -> LogTimeEntry {
    LogTimeEntry { external_ref: Some(reference(external_id)), ..log(entry) }
}

pub(crate) fn edit(entry: u128, patch: Patch) -> Command {
    Command::Edit(EditTimeEntry { id: id(entry), patch, if_match: IfMatch::Any })
}

/// A patch of [`full_details`] that refers to nothing.
pub(crate) fn shorter() -> Patch {
    Patch { duration: Some(minutes(90)), ..Patch::default() }
}

pub(crate) fn delete(entry: u128) -> Command {
    Command::Delete(DeleteTimeEntry { id: id(entry), if_match: IfMatch::Any })
}

pub(crate) fn apply(entry: u128, action: Action) -> Command {
    apply_to(id(entry), action)
}

pub(crate) fn apply_to(id: TimeEntryId, action: Action) -> Command {
    let transition = transition(action);
    Command::Apply(ApplyAction { id, transition, if_match: IfMatch::Any })
}

pub(crate) fn apply_many(entries: &[u128], action: Action, atomic: bool) -> Command {
    change_many(entries, EachChange::Apply(transition(action)), atomic)
}

pub(crate) fn change_many(entries: &[u128], change: EachChange, atomic: bool) -> Command {
    let entries = Selection::Ids(entries.iter().map(|entry| id(*entry)).collect());
    Command::ChangeMany(ChangeMany { entries, change, atomic })
}

/// The command with the condition that the entry has that version.
pub(crate) fn if_version(command: Command, version: i64) -> Command {
    let if_match = IfMatch::AnyOf(vec![Version::new(version)]);
    match command {
        Command::Edit(edit) => Command::Edit(EditTimeEntry { if_match, ..edit }),
        Command::Delete(delete) => Command::Delete(DeleteTimeEntry { if_match, ..delete }),
        Command::Apply(apply) => Command::Apply(ApplyAction { if_match, ..apply }),
        Command::Log(_)
        | Command::LogMany(_)
        | Command::ChangeMany(_)
        | Command::Close(_)
        | Command::Webhook(_) => {
            panic!("takes no condition")
        }
    }
}

/// A claim on a key, whose answer is the outcome's debug form.
pub(crate) fn claim(key: &str) -> Claim {
    Claim {
        scope: IdempotencyScope {
            organization_id: id(ORGANIZATION),
            key_id: anyone().key_id,
            operation: "POST".to_owned(),
            key: key.to_owned().try_into().unwrap(),
        },
        fingerprint: Fingerprint([0; 16]),
        on_mismatch: MismatchPolicy::Replay,
        render: Arc::new(|outcome| StoredAnswer {
            status: 200,
            location: None,
            etag: None,
            body: format!("{outcome:?}").into_bytes(),
        }),
    }
}

/// The outcome of a request that was carried out now.
pub(crate) fn outcome(reply: Reply) -> Outcome {
    match reply {
        Reply::Done { outcome, .. } => outcome,
        Reply::Replayed { .. } => panic!("replayed without a claim"),
    }
}

/// The records of each entry, oldest first.
pub(crate) fn history_of(changes: &Changes) -> BTreeMap<TimeEntryId, Vec<&HistoryRecord>> {
    let mut history: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for record in &changes.history {
        history.entry(record.time_entry_id).or_default().push(record);
    }
    history
}

/// Whether an entry with this status may be edited or deleted. It repeats the rule on purpose.
pub(crate) fn is_editable(status: Status) -> bool {
    [Status::Draft, Status::Rejected].contains(&status)
}
