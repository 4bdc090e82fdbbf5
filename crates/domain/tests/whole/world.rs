//! A small directory to log time in, and short ways to ask for things.

use std::str::FromStr;
use std::sync::Arc;

use timelog_domain::*;

pub(crate) const ORGANIZATION: u128 = 1;
pub(crate) const PROJECT: u128 = 10;
pub(crate) const OTHER_PROJECT: u128 = 11;
pub(crate) const NO_PROJECT: u128 = 19;
pub(crate) const ANN: u128 = 20;
pub(crate) const BEN: u128 = 21;
pub(crate) const NOBODY: u128 = 29;
/// A ticket and a release of [`PROJECT`]; one more of each of [`OTHER_PROJECT`].
pub(crate) const TICKET: u128 = 30;
pub(crate) const OTHER_TICKET: u128 = 31;
pub(crate) const RELEASE: u128 = 40;
pub(crate) const OTHER_RELEASE: u128 = 41;

/// The id of that number, of whichever kind is asked for.
pub(crate) fn id<T: FromStr<Err = InvalidId>>(number: u128) -> T {
    format!("00000000-0000-0000-0000-{number:012x}").parse().unwrap()
}

pub(crate) fn text<T: FromStr<Err = InvalidText>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(crate) fn minutes(minutes: i64) -> WorkDuration {
    WorkDuration::from_minutes(minutes).unwrap()
}

pub(crate) fn reference(external_id: &str) -> ExternalRef {
    ExternalRef {
        provider: text("jira"),
        external_type: text("worklog"),
        external_id: text(external_id),
    }
}

pub(crate) fn details() -> Details {
    Details {
        description: Some(text("Login flow")),
        ticket_id: Some(id(TICKET)),
        release_id: Some(id(RELEASE)),
        ..Details::new(id(ANN), "2025-01-15".parse().unwrap(), minutes(150))
    }
}

/// Whoever has a key that is limited to nothing.
pub(crate) fn anyone() -> Caller {
    Caller { organization_id: id(ORGANIZATION), key_id: id(50), project_id: None, user_id: None }
}

/// Whoever has a key that is bound to that user.
pub(crate) fn bound_to(user: u128) -> Caller {
    Caller { user_id: Some(id(user)), ..anyone() }
}

/// Whoever has a key that is limited to that project.
pub(crate) fn limited_to(project: u128) -> Caller {
    Caller { project_id: Some(id(project)), ..anyone() }
}

/// Asks to log [`details`] on [`PROJECT`].
pub(crate) fn log(entry: u128) -> LogTimeEntry {
    LogTimeEntry {
        id: id(entry),
        project_id: id(PROJECT),
        details: details(),
        external_ref: None,
        source: Source::Api,
    }
}

/// Asks to log [`details`] under a reference.
pub(crate) fn log_as(entry: u128, external_id: &str) -> LogTimeEntry {
    LogTimeEntry { external_ref: Some(reference(external_id)), ..log(entry) }
}

pub(crate) fn edit(entry: u128, patch: Patch) -> Command {
    Command::Edit(EditTimeEntry { id: id(entry), patch, if_match: IfMatch::Any })
}

/// A patch of an entry with [`details`] that needs no reference.
pub(crate) fn shorter() -> Patch {
    Patch { duration: Some(minutes(90)), ..Patch::default() }
}

pub(crate) fn delete(entry: u128) -> Command {
    Command::Delete(DeleteTimeEntry { id: id(entry), if_match: IfMatch::Any })
}

pub(crate) fn apply(entry: u128, action: Action) -> Command {
    let transition = transition(action);
    Command::Apply(ApplyAction { id: id(entry), transition, if_match: IfMatch::Any })
}

pub(crate) fn apply_many(entries: &[u128], action: Action, atomic: bool) -> Command {
    let ids = entries.iter().map(|entry| id(*entry)).collect();
    Command::ApplyMany(ApplyMany { ids, transition: transition(action), atomic })
}

fn transition(action: Action) -> Transition {
    let said = |text: &str| Given::Is(text.to_owned());
    Transition::new(action, said("because"), said("2025-001")).unwrap()
}

/// The command under the condition that the entry has that version.
pub(crate) fn if_version(command: Command, version: i64) -> Command {
    let if_match = IfMatch::AnyOf(vec![Version::new(version)]);
    match command {
        Command::Edit(edit) => Command::Edit(EditTimeEntry { if_match, ..edit }),
        Command::Delete(delete) => Command::Delete(DeleteTimeEntry { if_match, ..delete }),
        Command::Apply(apply) => Command::Apply(ApplyAction { if_match, ..apply }),
        Command::Log(_) | Command::LogMany(_) | Command::ApplyMany(_) => {
            panic!("takes no condition")
        }
    }
}

/// A claim on a key, whose answer says how the outcome looks to a debugger.
pub(crate) fn claim(key: &str) -> Claim {
    Claim {
        scope: IdempotencyScope {
            organization_id: id(ORGANIZATION),
            key_id: anyone().key_id,
            operation: "POST".to_owned(),
            key: key.to_owned().try_into().unwrap(),
        },
        fingerprint: Fingerprint([0; 32]),
        on_mismatch: MismatchPolicy::Replay,
        render: Arc::new(|outcome| StoredAnswer {
            status: 200,
            location: None,
            etag: None,
            body: format!("{outcome:?}").into_bytes(),
        }),
    }
}

/// A ledger with a directory, and the time.
pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) now: Timestamp,
}

impl World {
    pub(crate) fn new() -> Self {
        let organization_id = id(ORGANIZATION);
        let mut ledger = Ledger::default();
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
        Self { ledger, now: Timestamp::from_unix_millis(1_736_928_000_000).unwrap() }
    }

    /// A world with [`details`] logged as entry 1 in that status, all of it as if loaded.
    pub(crate) fn with_entry_that_is(status: Status) -> Self {
        let mut world = Self::new();
        world.load(1, status, details());
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
            version: Version::new(7),
            created_at: self.now,
            updated_at: self.now,
        }));
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

    pub(crate) fn ask_as(&mut self, caller: Caller, command: Command) -> Result<Outcome, Refusal> {
        match handle(&Request { caller, command, claim: None }, &mut self.ledger, self.now)? {
            Reply::Done { outcome, .. } => Ok(outcome),
            Reply::Replayed { .. } => panic!("replayed without a claim"),
        }
    }

    pub(crate) fn ask(&mut self, command: Command) -> Result<Outcome, Refusal> {
        self.ask_as(anyone(), command)
    }

    pub(crate) fn stored(&self, entry: u128) -> Option<&TimeEntry> {
        self.ledger.time_entry(id(ORGANIZATION), id(entry))
    }

    pub(crate) fn named(&self, external_id: &str) -> Option<TimeEntryId> {
        self.ledger.time_entry_by_ref(id(ORGANIZATION), &reference(external_id)).map(TimeEntry::id)
    }

    /// Asserts that since it was loaded nothing has changed.
    pub(crate) fn assert_untouched(&mut self) {
        assert_eq!(self.ledger.take_changes(), Changes::default());
    }
}

/// Loads what the requests touch from another ledger, as an adapter does from a database.
pub(crate) fn load(stored: &Ledger, requests: &[Request]) -> Ledger {
    let mut ledger = Ledger::default();
    load_touched(stored, &Touches::from_iter(requests), &mut ledger);
    let following = Touches::following(requests, &ledger);
    load_touched(stored, &following, &mut ledger);
    ledger
}

fn load_touched(stored: &Ledger, touches: &Touches, ledger: &mut Ledger) {
    for (organization, id) in touches.projects.iter().copied() {
        stored
            .project(organization, id)
            .cloned()
            .into_iter()
            .for_each(|found| ledger.load_project(found));
    }
    for (organization, id) in touches.users.iter().copied() {
        stored
            .user(organization, id)
            .cloned()
            .into_iter()
            .for_each(|found| ledger.load_user(found));
    }
    for (organization_id, project_id, id) in touches.tickets.iter().copied() {
        if stored.has_ticket(organization_id, project_id, id) {
            ledger.load_ticket(&Ticket { organization_id, project_id, id, title: text("T") });
        }
    }
    for (organization_id, project_id, id) in touches.releases.iter().copied() {
        if stored.has_release(organization_id, project_id, id) {
            ledger.load_release(&Release { organization_id, project_id, id, name: text("R") });
        }
    }
    let by_id = touches
        .time_entries
        .iter()
        .filter_map(|(organization, id)| stored.time_entry(*organization, *id));
    let named = touches.external_refs.iter();
    let by_ref =
        named.filter_map(|(organization, name)| stored.time_entry_by_ref(*organization, name));
    by_id.chain(by_ref).cloned().for_each(|entry| ledger.load_time_entry(entry));
    let answers = touches
        .answers
        .iter()
        .filter_map(|scope| Some((scope.clone(), stored.answer(scope)?.clone())));
    answers.for_each(|(scope, answer)| ledger.load_answer(scope, answer));
}

/// The statuses in which an entry may be changed or deleted, said once more on purpose.
pub(crate) fn is_open(status: Status) -> bool {
    [Status::Draft, Status::Rejected].contains(&status)
}
