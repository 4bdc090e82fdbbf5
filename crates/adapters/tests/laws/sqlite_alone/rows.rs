//! What stands in the rows, for whoever queries the database.

use timelog_domain::ports::{ApiKeys, Clock, NewApiKey};
use timelog_domain::*;

use super::{file, lines, outsider};
use crate::subject::sqlite;
use crate::world::*;

#[tokio::test]
async fn a_life_is_written_down_row_by_row() {
    let subject = sqlite().await;
    let bound = Caller { user_id: Some(id(USER)), key_id: id(51), ..caller() };
    let not_billable = Details { billable: false, ..log(1001).details };
    let first = LogTimeEntry { details: not_billable, ..log_as(1001, "1") };
    let logged_by_user = Request { caller: bound, ..logged(first) };
    subject.time_entries.execute(logged_by_user).await.unwrap().unwrap();
    let described = Details { description: Some(text("ü")), ..log(1001).details };
    let updated = lasting(90, LogTimeEntry { details: described, ..log_as(1002, "1") });
    subject.time_entries.execute(logged(updated)).await.unwrap().unwrap();
    for action in [Action::Submit, Action::Reject, Action::Submit, Action::Approve, Action::Invoice]
    {
        subject.clock.advance(std::time::Duration::from_millis(1));
        subject.time_entries.execute(apply(1001, action)).await.unwrap().unwrap();
    }
    let query = "SELECT concat_ws(' ', version, event, at - 1736928000000, hex(substr(key_id, \
        16)), \
        hex(substr(user_id, 16)), ifnull(from_status, 'nothing'), to_status, reason, invoice_ref, \
        changes) AS line \
        FROM time_entry_history ORDER BY version";
    let expected = [
        "1 log 0 33 14 nothing draft []",
        "2 edit 0 32  draft draft [{\"field\":\"minutes\",\"old\":60,\"new\":90},\
            {\"field\":\"description\",\"old\":null,\"new\":\"ü\"},\
            {\"field\":\"billable\",\"old\":false,\"new\":true}]",
        "3 submit 1 32  draft submitted []",
        "4 reject 2 32  submitted rejected because []",
        "5 submit 3 32  rejected submitted []",
        "6 approve 4 32  submitted approved []",
        "7 invoice 5 32  approved invoiced 2025-001 []",
    ];
    assert_eq!(lines(&mut outsider(&subject), query), expected);
}

#[tokio::test]
async fn only_a_digest_of_a_key_reaches_the_file() {
    let subject = sqlite().await;
    let new = NewApiKey {
        id: id(501),
        organization_id: id(ORGANIZATION),
        project_id: None,
        user_id: None,
        permissions: Permissions::all(),
        created_at: subject.clock.now(),
    };
    let issued = subject.database().store.create(new).await.unwrap();
    let secret = issued.text.rsplit('_').next().unwrap();
    let raw: Vec<u8> = (0..secret.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&secret[at..at + 2], 16).unwrap())
        .collect();

    let path = file(&subject);
    let mut stored = std::fs::read(&path).unwrap();
    stored.extend(std::fs::read(path.with_extension("db-wal")).unwrap());
    let contains = |bytes: &[u8]| stored.windows(bytes.len()).any(|window| window == bytes);
    assert!(contains(issued.key.prefix.as_bytes()), "the row is not in the files that were read");
    assert!(contains(&timelog_adapters::digest_key(&issued.text)));
    assert!(!contains(secret.as_bytes()) && !contains(&raw));
}
