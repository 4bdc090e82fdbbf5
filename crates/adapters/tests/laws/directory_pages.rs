//! Laws of reading the directory.

use timelog_domain::*;

use crate::subject::Subject;
use crate::world::*;

/// The least and the greatest id there is, and one that differs from another in its last bit alone.
const NUMBERS: [u128; 5] = [0, 1, 0x7fff, 0x8000_0000_0000, u128::MAX];

fn uuid<T: std::str::FromStr<Err = InvalidId>>(number: u128) -> T {
    let digits = format!("{number:032x}");
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-").parse().unwrap()
}

pub(crate) async fn everything_is_read_as_it_was_put(subject: Subject) {
    let (directory, organization) = (&*subject.directory, id(ORGANIZATION));
    for (archived, name) in [(false, "A"), (true, "\u{10ffff} ü")] {
        let project = Project { name: text(name), ..project(60, archived) };
        let user = User { name: text(name), ..user(61, !archived) };
        let ticket = Ticket { title: text(name), ..ticket(62) };
        let release = Release { name: text(name), ..release(63) };
        // The first time it is created, the second time replaced.
        assert_eq!(directory.put_project(project.clone()).await, Ok(!archived));
        assert_eq!(directory.put_user(user.clone()).await, Ok(!archived));
        assert_eq!(directory.put_ticket(ticket.clone()).await, Ok(!archived));
        assert_eq!(directory.put_release(release.clone()).await, Ok(!archived));
        assert_eq!(directory.project(organization, id(60)).await, Ok(Some(project)));
        assert_eq!(directory.user(organization, id(61)).await, Ok(Some(user)));
        assert_eq!(directory.ticket(organization, id(PROJECT), id(62)).await, Ok(Some(ticket)));
        assert_eq!(directory.release(organization, id(PROJECT), id(63)).await, Ok(Some(release)));
    }
}

pub(crate) async fn pages_have_each_id_once_and_in_order(subject: Subject) {
    let (directory, organization) = (&*subject.directory, id(ORGANIZATION));
    for number in NUMBERS.into_iter().rev() {
        directory.put_project(Project { id: uuid(number), ..project(0, false) }).await.unwrap();
        directory.put_user(User { id: uuid(number), ..user(0, true) }).await.unwrap();
    }
    let mut projects: Vec<ProjectId> =
        NUMBERS.into_iter().chain([PROJECT, OTHER_PROJECT]).map(uuid).collect();
    let mut users: Vec<UserId> = NUMBERS.into_iter().chain([USER, OTHER_USER]).map(uuid).collect();
    projects.sort_unstable();
    users.sort_unstable();
    for limit in 1..=8_u32 {
        let (mut read, mut after) = (Vec::new(), None);
        for _ in 0..8 {
            let page = directory.projects(organization, after, limit).await.unwrap();
            assert!(page.items.len() == limit as usize || page.next.is_none());
            read.extend(page.items.iter().map(|project| project.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((&read, after), (&projects, None), "by {limit}");
        let (mut read, mut after) = (Vec::new(), None);
        for _ in 0..8 {
            let page = directory.users(organization, after, limit).await.unwrap();
            assert!(page.items.len() == limit as usize || page.next.is_none());
            read.extend(page.items.iter().map(|user| user.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((&read, after), (&users, None), "by {limit}");
    }
    // A page may begin after an id that nothing has.
    let page = directory.projects(organization, Some(uuid(2)), 1).await.unwrap();
    assert_eq!((page.items[0].id, page.next), (id(PROJECT), Some(id(PROJECT))));
    let behind = directory.users(organization, Some(uuid(u128::MAX)), 5).await;
    assert_eq!(behind, Ok(Page { items: vec![], next: None }));
}

pub(crate) async fn what_belongs_to_others_is_not_read(subject: Subject) {
    let (directory, stranger) = (&*subject.directory, id(OTHER_ORGANIZATION));
    directory.put_project(project(60, false)).await.unwrap();
    directory.put_user(user(61, true)).await.unwrap();
    directory.put_ticket(ticket(62)).await.unwrap();
    directory.put_release(release(63)).await.unwrap();
    assert_eq!(directory.project(stranger, id(60)).await, Ok(None));
    assert_eq!(directory.user(stranger, id(61)).await, Ok(None));
    for (organization, project) in [(OTHER_ORGANIZATION, PROJECT), (ORGANIZATION, OTHER_PROJECT)] {
        assert_eq!(directory.ticket(id(organization), id(project), id(62)).await, Ok(None));
        assert_eq!(directory.release(id(organization), id(project), id(63)).await, Ok(None));
    }
    let projects = directory.projects(stranger, None, 9).await.unwrap();
    assert!(projects.items.iter().all(|project| project.organization_id == stranger));
    assert_eq!(projects.items.len(), 2);
    let users = directory.users(stranger, None, 9).await.unwrap();
    assert!(users.items.iter().all(|user| user.organization_id == stranger));
    assert_eq!(users.items.len(), 2);
}
