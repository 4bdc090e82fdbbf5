//! The migrations, and the description of what they make.

use std::collections::BTreeMap;

use diesel::declare_sql_function;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Text};
use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::lines;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
#[declare_sql_function]
extern "SQL" {
    /// What the program brings for a migration.
    fn external_digest(part: Text) -> Binary;

    /// As above.
    fn idempotency_digest(key_id: Binary, operation: Text, key: Text) -> Binary;
}

const DESCRIPTION: &str = include_str!("../../../src/schema.rs");

/// Everything that is in the database, as it was written down.
fn everything(conn: &mut SqliteConnection) -> Vec<String> {
    let query = "SELECT sql AS line FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE \
        '%diesel%' \
         AND name NOT LIKE 'sqlite_%' ORDER BY name";
    lines(conn, query)
}

/// The tables that `schema.rs` describes: each with its primary key and its columns as SQLite
/// should have them.
fn described() -> BTreeMap<String, Vec<String>> {
    let mut tables = BTreeMap::new();
    for table in DESCRIPTION.split("diesel::table! {").skip(1) {
        let lines: Vec<_> = table
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("use "))
            .collect();
        let (name, key) = lines[0].trim_end_matches(") {").split_once(" (").unwrap();
        let key: Vec<_> = key.split(", ").collect();
        let columns =
            lines[1..].iter().map_while(|line| line.trim_end_matches(',').split_once(" -> "));
        let columns = columns.map(|(column, type_name)| {
            let required =
                type_name.strip_prefix("Nullable<").map(|inner| inner.trim_end_matches('>'));
            let stored = match required.unwrap_or(type_name) {
                "Id" | "Binary" => "BLOB",
                "Text" | "Document" => "TEXT",
                "Day" | "Instant" | "BigInt" | "Integer" | "Bool" => "INTEGER",
                other => panic!("{other} has no counterpart on SQLite"),
            };
            let place = key.iter().position(|part| *part == column).map_or(0, |index| index + 1);
            format!(
                "{column} {stored} {} {place}",
                if required.is_some() { "null" } else { "not null" }
            )
        });
        tables.insert(name.to_owned(), columns.collect());
    }
    tables
}

/// The tables that there are, written likewise.
fn existing(conn: &mut SqliteConnection) -> BTreeMap<String, Vec<String>> {
    let tables = "SELECT name AS line FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE \
        '%diesel%' \
         AND name NOT LIKE 'sqlite_%'";
    let tables = lines(conn, tables);
    tables
        .into_iter()
        .map(|table| {
            let query = format!(
                "SELECT name || ' ' || type || iif(\"notnull\", ' not null ', ' null ') || pk AS \
                 line \
                 FROM pragma_table_info('{table}') ORDER BY cid"
            );
            let columns = lines(conn, &query);
            (table, columns)
        })
        .collect()
}

fn migrated() -> SqliteConnection {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    // There is nothing to digest.
    external_digest_utils::register_impl(&mut conn, |_: String| Vec::<u8>::new()).unwrap();
    let digest = |_: Vec<u8>, _: String, _: String| Vec::<u8>::new();
    idempotency_digest_utils::register_impl(&mut conn, digest).unwrap();
    conn.run_pending_migrations(MIGRATIONS).unwrap();
    conn
}

#[test]
fn the_migrations_make_the_tables_that_the_schema_describes() {
    let described = described();
    assert_eq!(described.len(), 13);
    assert_eq!(existing(&mut migrated()), described);
}

#[test]
fn every_table_and_every_unique_index_leads_with_the_organization() {
    let mut conn = migrated();
    let tables = existing(&mut conn);
    for (table, columns) in &tables {
        let first = columns.iter().find(|column| column.ends_with(" 1")).unwrap();
        let leading = if table == "organizations" { "id " } else { "organization_id " };
        assert!(first.starts_with(leading), "{table}: {first}");
    }
    let query = "SELECT (SELECT name FROM pragma_index_info(list.name) WHERE seqno = 0) AS line \
        FROM sqlite_schema AS tables, pragma_index_list(tables.name) AS list \
        WHERE tables.type = 'table' AND list.\"unique\" AND tables.name NOT LIKE '%diesel%' \
        AND tables.name != 'organizations'";
    let leading = lines(&mut conn, query);
    assert!(leading.len() >= tables.len() - 1);
    assert!(leading.iter().all(|column| column == "organization_id"), "{leading:?}");
}

#[test]
fn every_migration_can_be_taken_back_and_applied_again() {
    let mut conn = migrated();
    let before = everything(&mut conn);
    assert!(before.len() > 9);
    conn.revert_all_migrations(MIGRATIONS).unwrap();
    assert_eq!(everything(&mut conn), [""; 0]);
    conn.run_pending_migrations(MIGRATIONS).unwrap();
    assert_eq!(everything(&mut conn), before);
}
