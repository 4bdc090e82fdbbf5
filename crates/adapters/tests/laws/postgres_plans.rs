//! How PostgreSQL reads, also for an organization that its statistics do not know.

use crate::filled_in::filled_in;
use crate::pairs;
use crate::plans::{RECORDS, check, insertion, put_directory, reads, recording};
use crate::subject;

#[test]
fn postgres_reads_by_an_index() {
    recording(|statements| async move {
        let subject = subject::postgres().await;
        put_directory(&subject).await;
        let url = subject.database().url.to_string();
        let (client, connection) =
            tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let insertion = insertion(
            "gen_random_uuid()",
            |number| format!("lpad(to_hex({number}), 32, '0')::uuid"),
            "date '2023-01-01' + i * 7919 % 730",
            |seconds| format!("to_timestamp(1700000000 + {seconds})"),
        );
        // The statistics know another organization alone.
        let entries = format!("{insertion}; {RECORDS}");
        client.batch_execute(&entries).await.unwrap();
        client.batch_execute(&given_away()).await.unwrap();
        client.batch_execute("ANALYZE; SET enable_seqscan = off").await.unwrap();
        client.batch_execute(&entries).await.unwrap();
        for read in reads(&subject, &statements).await {
            let plan = postgres_plan(&client, &read.statement).await;
            check(&read, &plan, ["Seq Scan", "Sort", "Index Cond: "]);
            // What is left to a filter was read in vain.
            assert!(!read.ordered || !plan.contains("Filter:"), "{}: {plan}", read.name);
        }
        for statement in pairs::read(&subject, &statements).await {
            let plan = postgres_plan(&client, &statement).await;
            check_postgres(&plan, &statement);
        }
    });
}

/// Holds what looks at all of an organization, but for a total, to the order of an index up to a
/// limit, and what looks for ids to be carried out once.
fn check_postgres(plan: &str, statement: &str) {
    assert!(!plan.contains("Seq Scan") && !plan.contains("Semi Join"), "{plan}\n{statement}");
    let lines: Vec<_> = plan.lines().collect();
    let depth = |index: usize| lines[index].len() - lines[index].trim_start().len();
    let above = |of: usize| (0..of).rev().find(|index| depth(*index) < depth(of)).unwrap();
    for (index, line) in lines.iter().enumerate() {
        if line.contains("Index Cond: (organization_id = ") {
            let scan = above(index);
            let is_walk = lines[scan].contains("Index") && lines[above(scan)].contains("Limit");
            let is_total = statement.starts_with("SELECT count(*) FROM time_entries");
            assert!(is_walk || is_total, "{plan}\n{statement}");
        }
    }
}

/// How PostgreSQL carries a statement out.
async fn postgres_plan(client: &tokio_postgres::Client, statement: &str) -> String {
    let explain = format!("EXPLAIN (COSTS OFF) {}", filled_in(statement));
    let rows = client.query(&explain, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect::<Vec<String>>().join("\n")
}

/// Gives all entries to another organization, which gets the same directory.
fn given_away() -> String {
    let other = "'00000000-0000-0000-0000-0000000000ff'::uuid";
    let own = "WHERE organization_id = '00000000-0000-0000-0000-000000000001'";
    format!(
        "ALTER TABLE time_entries SET (autovacuum_enabled = off); \
         ALTER TABLE time_entry_history SET (autovacuum_enabled = off); \
         INSERT INTO organizations (id, name) VALUES ({other}, 'Known'); \
         INSERT INTO projects SELECT {other}, id, name, archived FROM projects {own}; \
         INSERT INTO users SELECT {other}, id, name, active FROM users {own}; \
         INSERT INTO project_entries \
         SELECT {other}, project_id, id, title FROM project_entries {own}; \
         INSERT INTO project_releases \
         SELECT {other}, project_id, id, name FROM project_releases {own}; \
         UPDATE time_entries SET organization_id = {other} {own}; \
         UPDATE time_entry_history SET organization_id = {other} {own}"
    )
}
