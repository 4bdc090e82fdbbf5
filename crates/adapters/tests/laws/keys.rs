//! Laws of API keys.

use std::collections::HashSet;

use timelog_adapters::Store;
use timelog_domain::ports::{ApiKeys, Clock, NewApiKey, PortError};
use timelog_domain::*;

use crate::subject::Subject;
use crate::world::*;

fn new(number: u128, subject: &Subject) -> NewApiKey {
    NewApiKey {
        id: id(number),
        organization_id: id(ORGANIZATION),
        project_id: None,
        user_id: None,
        permissions: Permissions::all(),
        created_at: subject.clock.now(),
    }
}

fn store(subject: &Subject) -> &Store {
    &subject.database().store
}

async fn find(subject: &Subject, text: &str) -> Result<Option<ApiKey>, PortError> {
    store(subject).find(text, subject.clock.now()).await
}

/// The same text with another character at that place, which a key could have there too.
fn altered(text: &str, place: usize) -> String {
    let other = if text.as_bytes()[place] == b'0' { "1" } else { "0" };
    format!("{}{other}{}", &text[..place], &text[place + 1..])
}

pub(crate) async fn a_key_is_found_by_its_whole_text_and_nothing_else(subject: Subject) {
    let keys = store(&subject);
    let narrow = NewApiKey {
        project_id: Some(id(PROJECT)),
        user_id: Some(id(USER)),
        permissions: [Permission::Read, Permission::Bill].into_iter().collect(),
        ..new(501, &subject)
    };
    for new in [narrow, new(502, &subject)] {
        let issued = keys.create(new.clone()).await.unwrap();
        let expected = ApiKey {
            id: new.id,
            organization_id: new.organization_id,
            project_id: new.project_id,
            user_id: new.user_id,
            permissions: new.permissions,
            prefix: issued.key.prefix.clone(),
            created_at: new.created_at,
            revoked_at: None,
        };
        assert_eq!(issued.key, expected);
        assert!(
            issued.text.starts_with(&format!("tlk_{}_", expected.prefix)),
            "the text begins with the prefix"
        );
        assert_eq!(find(&subject, &issued.text).await, Ok(Some(expected)));

        // The prefix alone finds nothing: every character of the secret counts.
        let secret_begins = "tlk_".len() + issued.key.prefix.len() + 1;
        for place in [secret_begins, secret_begins + 1, issued.text.len() - 1] {
            assert_eq!(find(&subject, &altered(&issued.text, place)).await, Ok(None));
        }
        let without_end = &issued.text[..issued.text.len() - 1];
        for text in
            ["", "tlk_", without_end, &format!("{}0", issued.text), &issued.text.to_uppercase()]
        {
            assert_eq!(find(&subject, text).await, Ok(None));
        }
    }
}

pub(crate) async fn a_revoked_key_is_found_as_revoked_since_the_first_time(subject: Subject) {
    let keys = store(&subject);
    let issued = keys.create(new(501, &subject)).await.unwrap();
    let untouched = keys.create(new(502, &subject)).await.unwrap();
    let at = Timestamp::from_unix_millis(1_800_000_000_001).unwrap();
    let later = Timestamp::from_unix_millis(1_800_000_000_002).unwrap();
    assert_eq!(keys.revoke(id(404), at).await, Ok(false));
    assert_eq!(keys.revoke(id(501), at).await, Ok(true));
    assert_eq!(keys.revoke(id(501), later).await, Ok(true));
    let found = find(&subject, &issued.text).await.unwrap().unwrap();
    assert_eq!(found.revoked_at, Some(at));
    assert_eq!(find(&subject, &untouched.text).await, Ok(Some(untouched.key)));
}

pub(crate) async fn keys_are_listed_oldest_first_and_by_organization(subject: Subject) {
    let keys = store(&subject);
    let mut expected = Vec::new();
    // Their ids say nothing of their age.
    for number in [503, 501, 502] {
        expected.push(keys.create(new(number, &subject)).await.unwrap().key);
        subject.clock.advance(std::time::Duration::from_millis(1));
    }
    let elsewhere = NewApiKey { organization_id: id(OTHER_ORGANIZATION), ..new(504, &subject) };
    let elsewhere = keys.create(elsewhere).await.unwrap().key;
    assert_eq!(keys.list(id(ORGANIZATION)).await, Ok(expected));
    assert_eq!(keys.list(id(OTHER_ORGANIZATION)).await, Ok(vec![elsewhere]));
    assert_eq!(keys.list(id(99)).await, Ok(Vec::new()));
}

pub(crate) async fn a_key_cannot_refer_to_what_does_not_exist(subject: Subject) {
    let keys = store(&subject);
    for new in [
        NewApiKey { organization_id: id(99), ..new(501, &subject) },
        NewApiKey { project_id: Some(id(99)), ..new(502, &subject) },
        NewApiKey { user_id: Some(id(99)), ..new(503, &subject) },
    ] {
        assert_eq!(keys.create(new).await.unwrap_err(), PortError::UnknownReference);
    }
    assert_eq!(keys.list(id(ORGANIZATION)).await, Ok(Vec::new()));
}

pub(crate) async fn no_two_keys_share_a_text(subject: Subject) {
    let keys = store(&subject);
    let mut texts = HashSet::new();
    for number in 501..=532 {
        let issued = keys.create(new(number, &subject)).await.unwrap();
        assert!(
            !format!("{issued:?}").contains(&issued.text[17..]),
            "the secret shows when it is logged"
        );
        assert!(texts.insert(issued.text));
    }
}

pub(crate) async fn a_key_with_a_new_secret_is_the_same_key(subject: Subject) {
    let keys = store(&subject);
    let issued = keys.create(new(501, &subject)).await.unwrap();
    let untouched = keys.create(new(502, &subject)).await.unwrap();
    let now = subject.clock.now();
    let rotated = keys.rotate(id(501), now, now).await.unwrap().unwrap();
    assert_ne!(rotated.text, issued.text);
    assert_eq!(rotated.key, ApiKey { prefix: rotated.key.prefix.clone(), ..issued.key.clone() });
    assert_eq!(find(&subject, &rotated.text).await, Ok(Some(rotated.key.clone())));
    // Without a grace the secret before is no key's.
    assert_eq!(find(&subject, &issued.text).await, Ok(None));
    assert_eq!(find(&subject, &untouched.text).await, Ok(Some(untouched.key.clone())));
    assert_eq!(keys.list(id(ORGANIZATION)).await, Ok(vec![rotated.key, untouched.key]));
    assert_eq!(keys.rotate(id(404), now, now).await.unwrap().map(|key| key.text), None);
}

pub(crate) async fn a_former_secret_works_until_its_grace_is_over(subject: Subject) {
    let keys = store(&subject);
    let first = keys.create(new(501, &subject)).await.unwrap();
    let begin = subject.clock.now();
    let after = |millis| Timestamp::from_unix_millis(begin.unix_millis() + millis).unwrap();
    let second = keys.rotate(id(501), begin, after(10)).await.unwrap().unwrap();
    // Another change of secrets leaves the time of the first as it is.
    let third = keys.rotate(id(501), after(1), after(5)).await.unwrap().unwrap();
    for (at, working) in [
        (1, [true, true, true]),
        (4, [true, true, true]),
        (5, [true, false, true]),
        (9, [true, false, true]),
        (10, [false, false, true]),
    ] {
        for (issued, works) in [&first, &second, &third].into_iter().zip(working) {
            let found = keys.find(&issued.text, after(at)).await.unwrap();
            assert_eq!(
                found,
                works.then(|| third.key.clone()),
                "{} after {at} ms",
                issued.key.prefix
            );
        }
    }
    for place in [first.text.len() - 1, "tlk_".len() + first.key.prefix.len() + 1] {
        assert_eq!(keys.find(&altered(&first.text, place), after(1)).await, Ok(None));
    }
}

pub(crate) async fn a_revoked_key_gets_no_new_secret_and_none_of_its_secrets_works(
    subject: Subject,
) {
    let keys = store(&subject);
    let first = keys.create(new(501, &subject)).await.unwrap();
    let now = subject.clock.now();
    let second = keys.rotate(id(501), now, Timestamp::MAX).await.unwrap().unwrap();
    assert_eq!(keys.revoke(id(501), now).await, Ok(true));
    for issued in [&first, &second] {
        assert_eq!(find(&subject, &issued.text).await.unwrap().unwrap().revoked_at, Some(now));
    }
    assert_eq!(keys.rotate(id(501), now, Timestamp::MAX).await.unwrap().map(|key| key.text), None);
}

pub(crate) async fn of_new_secrets_given_at_once_each_was_the_one_for_a_while(subject: Subject) {
    let keys = store(&subject);
    let first = keys.create(new(501, &subject)).await.unwrap();
    let now = subject.clock.now();
    let (one, other) = tokio::join!(
        keys.rotate(id(501), now, Timestamp::MAX),
        keys.rotate(id(501), now, Timestamp::MAX)
    );
    for text in [first.text, one.unwrap().unwrap().text, other.unwrap().unwrap().text] {
        let found = find(&subject, &text).await.unwrap();
        assert_eq!(found.map(|key| key.id), Some(id(501)));
    }
}
