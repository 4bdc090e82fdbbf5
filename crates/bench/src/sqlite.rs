//! SQLite without the service: filling a database, and the loop that writes the rows of entries.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Statement, ToSql, params_from_iter};

use crate::columns::{Cell, Column, LAST_SEQUENCE, LOGGED, Template};
use crate::filled::{Filled, Values, now, ordered_id, show, spread};
use crate::plan::real;

/// How many entries of the loop one transaction takes: as many as those of the service.
const BATCH: u64 = 32;

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Number(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Opens a database as the service does: each commit is synced, and references are checked.
pub(crate) fn open(file: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA busy_timeout = 5000;",
    )?;
    Ok(connection)
}

/// A number that a query answers.
pub(crate) fn number(file: &Path, sql: &str) -> anyhow::Result<f64> {
    let count: i64 = Connection::open(file)?.query_row(sql, [], |row| row.get(0))?;
    Ok(real(u64::try_from(count)?))
}

/// The one row of each table that the service stored.
fn templates(connection: &Connection, tables: &[&'static str]) -> anyhow::Result<Vec<Template>> {
    let mut shown_id = String::new();
    let mut found = Vec::new();
    for table in tables {
        let columns = columns(connection, table)?;
        let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        let sql = format!("SELECT {} FROM {table} LIMIT 1", names.join(", "));
        let cells = connection
            .query_row(&sql, [], |row| {
                (0..names.len()).map(|at| Ok(cell(row.get(at)?))).collect::<Result<Vec<_>, _>>()
            })
            .with_context(|| format!("{table} needs a row"))?;
        let template = Template::new(table, columns, cells, &shown_id);
        if *table == LOGGED[0] {
            shown_id = template.values()?.shown_id;
        }
        found.push(template);
    }
    Ok(found)
}

fn columns(connection: &Connection, table: &str) -> anyhow::Result<Vec<Column>> {
    let mut statement = connection.prepare("SELECT name, type, pk FROM pragma_table_info(?1)")?;
    let columns = statement.query_map([table], |row| {
        let in_key = row.get::<_, i64>(2)? > 0;
        Ok(Column { name: row.get(0)?, type_name: row.get(1)?, in_key })
    })?;
    Ok(columns.collect::<Result<_, _>>()?)
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Null | Value::Real(_) => Cell::Null,
        Value::Integer(number) => Cell::Number(number),
        Value::Text(text) => Cell::Text(text),
        Value::Blob(bytes) => Cell::Bytes(bytes),
    }
}

/// A statement that is prepared once, and the row that its rows are made after.
struct Insert<'a> {
    statement: Statement<'a>,
    template: &'a Template,
}

impl Insert<'_> {
    fn write(&mut self, values: &Values) -> anyhow::Result<()> {
        self.statement.execute(params_from_iter(self.template.row(values)))?;
        Ok(())
    }
}

fn inserts<'a>(
    connection: &'a Connection,
    templates: &'a [Template],
) -> anyhow::Result<Vec<Insert<'a>>> {
    let insert = |template: &'a Template| {
        let places = vec!["?"; template.columns.len()].join(", ");
        let sql = format!("{} VALUES ({places})", template.insert());
        Ok(Insert { statement: connection.prepare(&sql)?, template })
    };
    templates.iter().map(insert).collect()
}

/// Writes the three rows of each entry in a loop, in transactions as large as those of the service.
/// Returns how many entries it wrote in a second. The database has one entry that the service
/// logged.
pub(crate) fn loop_for(file: &Path, time: Duration) -> anyhow::Result<f64> {
    let connection = open(file)?;
    let templates = templates(&connection, &LOGGED)?;
    let mut inserts = inserts(&connection, &templates)?;
    let mut values = templates[0].values()?;
    values.sequence = connection.query_row(LAST_SEQUENCE, [], |row| row.get(0))?;
    let (begun, start) = (Instant::now(), now());
    // Of each run, so that no run repeats a key of another.
    let mut number = u64::try_from(start)? << 16;
    let mut written = 0;
    while begun.elapsed() < time {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for _ in 0..BATCH {
            number += 1;
            values.at = now();
            values.expires = values.at + 86_400_000;
            values.id = ordered_id(values.at, number);
            values.shown_id = show(&values.id);
            values.key = format!("{number:015}");
            values.key_digest = spread(number);
            values.sequence += 1;
            for insert in &mut inserts {
                insert.write(&values)?;
            }
        }
        connection.execute_batch("COMMIT")?;
        written += BATCH;
    }
    Ok(real(written) / begun.elapsed().as_secs_f64())
}

/// Fills a database that has one entry of the service.
pub(crate) fn fill(file: &Path, filled: &Filled, progress: &dyn Fn(u64)) -> anyhow::Result<()> {
    let connection = open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;
         PRAGMA cache_size = -262144; BEGIN",
    )?;
    for (table, values) in filled.directory() {
        let template = templates(&connection, &[table])?;
        for insert in &mut inserts(&connection, &template)? {
            insert.write(&values)?;
        }
    }
    let indexes = drop_indexes(&connection, &LOGGED[..2])?;
    let templates = templates(&connection, &LOGGED[..2])?;
    // A table after the other, so that each is written from its beginning to its end.
    for (at, insert) in inserts(&connection, &templates)?.iter_mut().enumerate() {
        for number in 0..filled.entries {
            insert.write(&filled.values(number))?;
            if number % 10_000 == 0 {
                progress(u64::midpoint(number, filled.entries * at as u64));
            }
        }
    }
    indexes.make_again(&connection)?;
    connection.execute_batch("COMMIT; PRAGMA journal_mode = WAL;")?;
    sync(file)
}

/// Adds idempotency keys that have expired.
pub(crate) fn fill_expired(file: &Path, filled: &Filled) -> anyhow::Result<()> {
    let connection = open(file)?;
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -262144; BEGIN")?;
    let indexes = drop_indexes(&connection, &LOGGED[2..])?;
    let templates = templates(&connection, &LOGGED)?;
    let mut insert = inserts(&connection, &templates[2..])?;
    for number in 0..filled.entries {
        let mut values = filled.values(number);
        values.expires = values.at - 86_400_000;
        insert[0].write(&values)?;
    }
    indexes.make_again(&connection)?;
    connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?;
    sync(file)
}

/// Waits until a database is on the disk. Else the first sync of the service would write what was
/// filled in here.
fn sync(file: &Path) -> anyhow::Result<()> {
    Ok(std::fs::File::open(file)?.sync_all()?)
}

/// Indexes that were dropped.
struct Dropped {
    /// The statements that make them.
    statements: Vec<String>,
    /// What the migrations told the planner of them: table, index, numbers.
    statistics: Vec<[String; 3]>,
}

/// Drops the indexes that are not part of their tables.
fn drop_indexes(connection: &Connection, tables: &[&str]) -> anyhow::Result<Dropped> {
    let mut dropped = Dropped { statements: Vec::new(), statistics: Vec::new() };
    for table in tables {
        let mut told =
            connection.prepare("SELECT tbl, idx, stat FROM sqlite_stat1 WHERE tbl = ?1")?;
        let told = told.query_map([table], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
        dropped.statistics.extend(told.collect::<Result<Vec<_>, _>>()?);
        let mut statement = connection.prepare(
            "SELECT name, sql FROM sqlite_schema
             WHERE type = 'index' AND tbl_name = ?1 AND sql IS NOT NULL",
        )?;
        let indexes = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for index in indexes.collect::<Result<Vec<(String, String)>, _>>()? {
            connection.execute_batch(&format!("DROP INDEX {}", index.0))?;
            dropped.statements.push(index.1);
        }
    }
    Ok(dropped)
}

impl Dropped {
    fn make_again(self, connection: &Connection) -> anyhow::Result<()> {
        for sql in self.statements {
            connection.execute_batch(&sql)?;
        }
        for [table, index, numbers] in self.statistics {
            connection.execute("DELETE FROM sqlite_stat1 WHERE idx = ?1", [&index])?;
            connection.execute(
                "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?1, ?2, ?3)",
                [table, index, numbers],
            )?;
        }
        connection.execute_batch("ANALYZE sqlite_schema")?;
        Ok(())
    }
}
