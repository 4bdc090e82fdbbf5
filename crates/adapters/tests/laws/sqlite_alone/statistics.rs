//! The planner knows what it is to know, whatever others told it.

use diesel::connection::SimpleConnection;

use super::{lines, outsider};
use crate::subject::sqlite;

#[tokio::test]
async fn a_start_tells_the_planner_of_every_index_again() {
    let subject = sqlite().await;
    let mut outsider = outsider(&subject);
    let mut told = || {
        let told = "SELECT tbl || ' ' || idx || ' ' || stat AS line FROM sqlite_stat1 \
            WHERE tbl = 'time_entries' ORDER BY idx";
        lines(&mut outsider, told)
    };
    let first = told();
    let indexes = "SELECT 'time_entries ' || name || ' ' AS line \
        FROM pragma_index_list('time_entries') ORDER BY name";
    let indexes = lines(&mut super::outsider(&subject), indexes);
    let is_of = |(told, index): (&String, &String)| told.starts_with(index);
    assert!(first.len() == indexes.len() && first.iter().zip(&indexes).all(is_of), "{first:?}");
    for forgetting in [
        "DROP INDEX time_entries_by_work_date; \
         CREATE INDEX time_entries_by_work_date ON time_entries (organization_id, work_date, id)",
        "ANALYZE",
        "DELETE FROM sqlite_stat1",
    ] {
        super::outsider(&subject).batch_execute(forgetting).unwrap();
        assert_ne!(told(), first, "{forgetting}");
        subject.database().store.migrate().await.unwrap();
        assert_eq!(told(), first, "{forgetting}");
    }
}
