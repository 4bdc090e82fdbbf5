//! Laws of the directory.

use futures_util::future::join_all;
use timelog_domain::*;

use crate::subject::Subject;
use crate::world::*;

/// What becomes of a request that refers to everything.
async fn try_it(subject: &Subject, number: u128) -> Decision {
    let details = Details {
        ticket_id: Some(id(TICKET)),
        release_id: Some(id(RELEASE)),
        ..log(number).details
    };
    subject.time_entries.execute(logged(LogTimeEntry { details, ..log(number) })).await.unwrap()
}

pub(crate) async fn putting_again_changes_nothing(subject: Subject) {
    assert!(try_it(&subject, 1001).await.is_ok());
    for _ in 0..2 {
        populate(&*subject.directory).await;
    }
    let entry = subject.time_entries.find(id(ORGANIZATION), id(1001)).await.unwrap();
    assert!(entry.is_some());
    assert!(try_it(&subject, 1002).await.is_ok());
}

pub(crate) async fn names_are_those_of_what_entries_refer_to(subject: Subject) {
    let directory = &*subject.directory;
    // The other project has a ticket and a release of the same ids.
    let (there, name): (_, Name) = (id(OTHER_PROJECT), text("Another name"));
    let other = Ticket { project_id: there, title: name.clone(), ..ticket(TICKET) };
    directory.put_ticket(other).await.unwrap();
    let other = Release { project_id: there, name: name.clone(), ..release(RELEASE) };
    directory.put_release(other).await.unwrap();
    directory.put_user(User { name: name.clone(), ..user(OTHER_USER, false) }).await.unwrap();

    let [here, none] = [id(PROJECT), id(99)];
    let of = References {
        projects: [here, there, none].into(),
        users: [id(USER), id(OTHER_USER), id(99)].into(),
        tickets: [(here, id(TICKET)), (there, id(TICKET)), (here, id(99))].into(),
        releases: [(there, id(RELEASE)), (none, id(RELEASE))].into(),
    };
    let found = directory.names(id(ORGANIZATION), of).await.unwrap();
    let expected = Names {
        projects: [(here, text("Project")), (there, text("Project"))].into(),
        users: [(id(USER), text("User")), (id(OTHER_USER), name.clone())].into(),
        tickets: [((here, id(TICKET)), text("Ticket")), ((there, id(TICKET)), name.clone())].into(),
        releases: [((there, id(RELEASE)), name)].into(),
    };
    assert_eq!(found, expected);

    let nothing = directory.names(id(ORGANIZATION), References::default()).await.unwrap();
    assert_eq!(nothing, Names::default());
    let of = References { users: [id(OTHER_USER)].into(), ..References::default() };
    let elsewhere = directory.names(id(OTHER_ORGANIZATION), of).await.unwrap();
    assert_eq!(elsewhere.users, [(id(OTHER_USER), text("User"))].into());
}

pub(crate) async fn putting_replaces_what_was_there_and_is_seen_at_once(subject: Subject) {
    let directory = &*subject.directory;
    directory.put_project(project(PROJECT, true)).await.unwrap();
    assert_eq!(try_it(&subject, 1001).await, Err(Refusal::ProjectArchived));
    directory.put_project(project(PROJECT, false)).await.unwrap();
    directory.put_user(user(USER, false)).await.unwrap();
    assert_eq!(
        try_it(&subject, 1002).await,
        Err(Refusal::References(vec![InvalidReference::InactiveUser]))
    );
    directory.put_user(user(USER, true)).await.unwrap();
    directory.put_ticket(Ticket { title: text("Another title"), ..ticket(TICKET) }).await.unwrap();
    directory
        .put_release(Release { name: text("Another name"), ..release(RELEASE) })
        .await
        .unwrap();
    assert!(try_it(&subject, 1003).await.is_ok());
    // The other organization, whose ids are the same, was not touched.
    directory.put_project(project(PROJECT, true)).await.unwrap();
    let elsewhere = Request {
        caller: Caller { organization_id: id(OTHER_ORGANIZATION), ..caller() },
        ..logged(log(1004))
    };
    assert!(subject.time_entries.execute(elsewhere).await.unwrap().is_ok());
}

pub(crate) async fn of_many_that_put_one_thing_at_once_one_creates_it(subject: Subject) {
    let directory = &*subject.directory;
    for number in 60..64 {
        let name = |nth: usize| text(&format!("Project {nth}"));
        let puts = (0..8).map(|nth| {
            directory.put_project(Project { name: name(nth), ..project(number, false) })
        });
        let created =
            join_all(puts).await.into_iter().filter(|created| *created.as_ref().unwrap()).count();
        assert_eq!(created, 1);
        let stored = directory.project(id(ORGANIZATION), id(number)).await.unwrap().unwrap();
        assert!((0..8).any(|nth| stored.name == name(nth)), "{stored:?}");
    }
}
