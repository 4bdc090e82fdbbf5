//! Laws of storing and finding time entries.

use timelog_domain::*;

use crate::subject::Subject;
use crate::world::*;

async fn find(subject: &Subject, number: u128) -> Option<TimeEntry> {
    subject.time_entries.find(id(ORGANIZATION), id(number)).await.unwrap()
}

pub(crate) async fn a_new_entry_is_found_as_it_was_answered(subject: Subject) {
    assert_eq!(find(&subject, 1001).await, None);
    let details = Details {
        description: Some(text("Überstunden 🕰")),
        ticket_id: Some(id(TICKET)),
        release_id: Some(id(RELEASE)),
        billable: false,
        ..log(1001).details
    };
    let command = LogTimeEntry { details, source: Source::Import, ..log_as(1001, "1") };
    let entry = done(subject.time_entries.execute(logged(command.clone())).await.unwrap());
    assert_eq!(entry.details(), &command.details);
    assert_eq!(find(&subject, 1001).await, Some(entry));
}

pub(crate) async fn an_entry_that_is_logged_again_is_found_as_it_was_answered(subject: Subject) {
    let full =
        Details { description: Some(text("x")), ticket_id: Some(id(TICKET)), ..log(1001).details };
    let first = LogTimeEntry { details: full, ..log_as(1001, "1") };
    let created = done(subject.time_entries.execute(logged(first)).await.unwrap());
    // What had a value has none afterwards.
    let updated =
        done(subject.time_entries.execute(logged(lasting(90, log_as(1002, "1")))).await.unwrap());
    assert_eq!((updated.id(), updated.version().get()), (created.id(), 2));
    assert_eq!((&updated.details().description, updated.details().ticket_id), (&None, None));
    assert_eq!(find(&subject, 1001).await, Some(updated));
    assert_eq!(find(&subject, 1002).await, None);
}

pub(crate) async fn every_step_of_a_life_is_stored(subject: Subject) {
    subject.time_entries.execute(logged(log(1001))).await.unwrap().unwrap();
    for action in [
        Action::Submit,
        Action::Reject,
        Action::Submit,
        Action::Approve,
        Action::Lock,
        Action::Invoice,
    ] {
        subject.clock.advance(std::time::Duration::from_millis(1));
        let entry = done(subject.time_entries.execute(apply(1001, action)).await.unwrap());
        assert_eq!(find(&subject, 1001).await, Some(entry), "{action}");
    }
    assert!(find(&subject, 1001).await.unwrap().invoiced());
}

pub(crate) async fn the_ends_of_every_range_survive_unchanged(subject: Subject) {
    let longest = "\u{10ffff}".repeat(Description::MAX_CHARS);
    let descriptions = [
        None,
        Some(""),
        Some(" \r\n\t"),
        Some("e\u{301} \u{e9}"),
        Some("'; --"),
        Some(longest.as_str()),
    ];
    let days = ["0001-01-01", "1582-10-10", "1969-12-31", "2024-02-29", "9999-12-31"];
    let mut number = 1000;
    for (index, description) in descriptions.into_iter().enumerate() {
        for day in days {
            number += 1;
            let details = Details {
                work_date: day.parse().unwrap(),
                duration: if index % 2 == 0 { WorkDuration::MIN } else { WorkDuration::MAX },
                description: description.map(text),
                ..log(number).details
            };
            let name = "\u{10ffff}".repeat(ExternalRefPart::MAX_CHARS - 4) + &number.to_string();
            let command =
                LogTimeEntry { details, source: Source::ALL[index % 3], ..log_as(number, &name) };
            let entry = done(subject.time_entries.execute(logged(command.clone())).await.unwrap());
            assert_eq!(entry.details(), &command.details);
            assert_eq!(find(&subject, number).await, Some(entry));
        }
    }
}

pub(crate) async fn references_are_told_apart_byte_for_byte(subject: Subject) {
    // Case, white space, width, and two forms of one letter: what a collation may take for the
    // same.
    let spellings = ["a", "A", "a ", " a", "ａ", "\u{e9}", "e\u{301}", "ß", "ss", "i", "ı", "İ"];
    let x = || text("x");
    let references: Vec<_> = spellings
        .into_iter()
        .flat_map(|spelling| {
            [
                ExternalRef { provider: text(spelling), external_type: x(), external_id: x() },
                ExternalRef { provider: x(), external_type: text(spelling), external_id: x() },
                ExternalRef { provider: x(), external_type: x(), external_id: text(spelling) },
            ]
        })
        .collect();
    let under = |number, reference: &ExternalRef| {
        logged(LogTimeEntry { external_ref: Some(reference.clone()), ..log(number) })
    };
    for (number, reference) in (1001..).zip(&references) {
        let entry = done(subject.time_entries.execute(under(number, reference)).await.unwrap());
        assert_eq!(entry.id(), id(number), "{reference:?}");
    }
    for (number, reference) in (1001..).zip(&references) {
        let again = subject.time_entries.execute(under(number + 100, reference)).await.unwrap();
        let Ok(Reply::Done { outcome: Outcome::Unchanged(entry), .. }) = again else {
            panic!("{again:?}")
        };
        assert_eq!(entry.id(), id(number), "{reference:?}");
    }
}

/// References of three parts of as many bytes as there can be, which differ in the last character
/// of one part.
fn longest_references() -> Vec<ExternalRef> {
    let long = |last: char| {
        text(&("\u{10ffff}".repeat(ExternalRefPart::MAX_CHARS - 1) + &last.to_string()))
    };
    let reference = |ends: [char; 3]| ExternalRef {
        provider: long(ends[0]),
        external_type: long(ends[1]),
        external_id: long(ends[2]),
    };
    let (one, other) = ('\u{10fffe}', '\u{10ffff}');
    [[one, one, one], [other, one, one], [one, other, one], [one, one, other]].map(reference).into()
}

pub(crate) async fn the_longest_references_are_told_apart_and_found(subject: Subject) {
    let references = longest_references();
    let under = |number, reference: &ExternalRef| LogTimeEntry {
        external_ref: Some(reference.clone()),
        ..log(number)
    };
    let items = (1001..)
        .zip(&references)
        .map(|(number, reference)| Some(under(number, reference)))
        .collect();
    let logged_many = subject.time_entries.execute(log_many(items, true)).await.unwrap().unwrap();
    let Reply::Done { outcome: Outcome::Many(items), .. } = logged_many else {
        panic!("{logged_many:?}")
    };
    assert!(items.iter().all(|item| matches!(item, ItemOutcome::Created(_))), "{items:?}");
    for (number, reference) in (1001..).zip(&references) {
        let updated = done(
            subject.time_entries.execute(logged(lasting(90, under(9, reference)))).await.unwrap(),
        );
        assert_eq!((updated.id(), updated.version().get()), (id(number), 2));
    }
    let found = async |filter: Filter| {
        let page = PageRequest { filter, sort: Sort::default(), after: None, limit: 10 };
        let mut ids: Vec<_> = subject.queries.list(id(ORGANIZATION), page).await.unwrap().items;
        ids.sort_by_key(TimeEntry::id);
        ids.iter().map(|entry| entry.external_ref().cloned().unwrap()).collect::<Vec<_>>()
    };
    let ExternalRef { provider, external_type, external_id } = references[0].clone();
    let (provider, external_type) = (Some(provider), Some(external_type));
    let of_provider = Filter { external_provider: provider, ..Filter::default() };
    let of_type = Filter { external_type, ..of_provider.clone() };
    let whole = Filter { external_id: Some(external_id), ..of_type.clone() };
    assert_eq!(found(whole).await, references[..1]);
    assert_eq!(found(of_type).await, [&references[..1], &references[3..]].concat());
    assert_eq!(found(of_provider).await, [&references[..1], &references[2..]].concat());
}

pub(crate) async fn organizations_do_not_see_each_other(subject: Subject) {
    let stranger = Caller { organization_id: id(OTHER_ORGANIZATION), ..caller() };
    let ours = done(subject.time_entries.execute(logged(log_as(1001, "1"))).await.unwrap());
    assert_eq!(subject.time_entries.find(id(OTHER_ORGANIZATION), id(1001)).await, Ok(None));
    let submit = Request { caller: stranger, ..apply(1001, Action::Submit) };
    assert_eq!(subject.time_entries.execute(submit).await, Ok(Err(Refusal::TimeEntryNotFound)));

    // They may even use the same ids and references.
    let command = Request { caller: stranger, ..logged(lasting(90, log_as(1001, "1"))) };
    let theirs = done(subject.time_entries.execute(command).await.unwrap());
    assert_eq!(theirs.organization_id(), id(OTHER_ORGANIZATION));
    assert_eq!(find(&subject, 1001).await, Some(ours.clone()));
    assert_eq!(
        subject.time_entries.find(id(OTHER_ORGANIZATION), id(1001)).await,
        Ok(Some(theirs.clone()))
    );
    for entry in [ours, theirs] {
        let minutes = entry.details().duration.minutes().into();
        let caller = Caller { organization_id: entry.organization_id(), ..caller() };
        let again = Request { caller, ..logged(lasting(minutes, log_as(1002, "1"))) };
        let unchanged = Reply::Done { outcome: Outcome::Unchanged(entry), answer: None };
        assert_eq!(subject.time_entries.execute(again).await, Ok(Ok(unchanged)));
    }
}

pub(crate) async fn a_refused_request_changes_nothing(subject: Subject) {
    let entry = done(subject.time_entries.execute(logged(log_as(1001, "1"))).await.unwrap());
    subject.time_entries.execute(apply(1001, Action::Submit)).await.unwrap().unwrap();
    let before = find(&subject, 1001).await;
    assert_ne!(before, Some(entry));
    let bound = Caller { user_id: Some(id(OTHER_USER)), ..caller() };
    let refused = [
        keyed(LogTimeEntry { project_id: id(99), ..log(1002) }, "a"),
        keyed(LogTimeEntry { project_id: id(OTHER_PROJECT), ..log_as(1003, "1") }, "b"),
        keyed(lasting(90, log_as(1004, "1")), "c"),
        keyed(
            LogTimeEntry { details: Details { user_id: id(99), ..log(1005).details }, ..log(1005) },
            "d",
        ),
        Request { caller: bound, ..keyed(log(1006), "e") },
        Request { claim: Some(claim("f")), ..apply(1001, Action::Lock) },
    ];
    for (request, key) in refused.into_iter().zip(["a", "b", "c", "d", "e", "f"]) {
        let decision = subject.time_entries.execute(request).await.unwrap();
        assert!(decision.is_err(), "{decision:?}");
        assert_eq!(
            subject.answers.find(&scope(key), subject.clock.time()).await,
            Ok(None),
            "{key}"
        );
    }
    assert_eq!(find(&subject, 1001).await, before);
    for number in 1002..=1006 {
        assert_eq!(find(&subject, number).await, None);
    }
}
