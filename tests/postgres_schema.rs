//! The tables on PostgreSQL.

use std::fs;
use std::path::PathBuf;

use crate::support::{Database, TestDatabase, postgres, run};

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");

/// The names of the migrations of a kind of database, in order.
fn migrations(kind: &str) -> Vec<String> {
    let folders = fs::read_dir(PathBuf::from(MIGRATIONS).join(kind)).unwrap();
    let mut names: Vec<_> =
        folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn migrated() -> TestDatabase {
    let database = Database::Postgres.create();
    let output = run(&["migrate", "--database-url", &database.url()]);
    assert!(output.status.success(), "{output:?}");
    database
}

/// Every table, column, constraint and index, as the catalogue writes them.
fn everything(database: &TestDatabase) -> String {
    let sql = "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable \
            FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE \
            '%diesel%' \
        UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint \
            WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE \
            '%diesel%' \
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT \
        LIKE '%diesel%' \
        ORDER BY 1";
    postgres::shared().query(&database.url(), sql)
}

#[test]
fn both_kinds_of_database_have_the_same_migrations() {
    assert_eq!(migrations("postgres"), migrations("sqlite"));
    assert!(!migrations("postgres").is_empty());
}

#[test]
fn reverted_migrations_leave_nothing_and_can_be_applied_again() {
    let database = migrated();
    let before = everything(&database);
    assert!(before.contains("time_entries_by_external_ref"), "{before}");
    for name in migrations("postgres").iter().rev() {
        database.execute(
            &fs::read_to_string(format!("{MIGRATIONS}/postgres/{name}/down.sql")).unwrap(),
        );
    }
    assert_eq!(everything(&database), "");
    database.execute("DELETE FROM __diesel_schema_migrations");
    let again = run(&["migrate", "--database-url", &database.url()]);
    assert!(again.status.success(), "{again:?}");
    assert_eq!(everything(&database), before);
}

#[test]
fn every_table_and_column_has_a_comment() {
    let database = migrated();
    let silent = "SELECT c.relname || coalesce('.' || a.attname, '') FROM pg_class c \
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE \
        '%diesel%' \
        AND (obj_description(c.oid, 'pg_class') IS NULL OR col_description(c.oid, a.attnum) IS \
        NULL) ORDER BY 1";
    assert_eq!(postgres::shared().query(&database.url(), silent), "");
}

/// An index takes about 2,700 bytes a row.
#[test]
fn every_text_in_an_index_is_bounded() {
    let database = migrated();
    let texts = "SELECT DISTINCT i.indrelid::regclass || '.' || a.attname FROM pg_index i \
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) \
        JOIN pg_class c ON c.oid = i.indrelid \
        WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE '%diesel%' \
        AND a.atttypid IN ('text'::regtype, 'bytea'::regtype, 'jsonb'::regtype) ORDER BY 1";
    let expected = [
        // 12 hexadecimal digits.
        "api_keys.prefix",
        "former_secrets.prefix",
        // 16 bytes each.
        "idempotency_keys.digest",
        "time_entries.external_id_digest",
        "time_entries.external_provider_digest",
        "time_entries.external_type_digest",
        "time_entries.invoice_digest",
        // One of a few words each.
        "time_entries.source",
        "time_entries.status",
    ];
    assert_eq!(
        postgres::shared().query(&database.url(), texts).lines().collect::<Vec<_>>(),
        expected
    );
}
