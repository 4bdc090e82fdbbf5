//! PostgreSQL without the service: filling a database, and the statement that pgbench repeats.

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::process::Stdio;

use anyhow::{Context, bail};
use time::{Duration, OffsetDateTime};

use crate::cluster::Cluster;
use crate::columns::{Cell, Column, LAST_SEQUENCE, LOGGED, Template, Varies};
use crate::filled::{Filled, Values, id, show};

/// What stands between columns, and for a null, where psql prints rows.
const BETWEEN: char = '\u{1f}';
const NULL: &str = "\u{1e}";

/// Gives the rows of pgbench their numbers.
const SEQUENCE: &str = "bench_numbers";

/// The columns of a table and whether they are in its primary key.
const COLUMNS: &str = "
    SELECT attname, format_type(atttypid, NULL), coalesce(attnum = ANY (conkey), false)
    FROM pg_attribute
    LEFT JOIN pg_constraint ON conrelid = attrelid AND contype = 'p'
    WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ORDER BY attnum";

/// The one row of each table that the service stored.
pub(crate) fn templates(
    cluster: &Cluster,
    url: &str,
    tables: &[&'static str],
) -> anyhow::Result<Vec<Template>> {
    let mut shown_id = String::new();
    let mut found = Vec::new();
    for table in tables {
        let rows = rows(cluster, url, &COLUMNS.replace("{table}", table))?;
        let columns = rows.into_iter().map(|row| Column {
            name: row[0].clone(),
            type_name: row[1].clone(),
            in_key: row[2] == "t",
        });
        let columns: Vec<_> = columns.collect();
        let read: Vec<_> = columns.iter().map(readable).collect();
        let sql = format!("SELECT {} FROM {table} LIMIT 1", read.join(", "));
        let rows = self::rows(cluster, url, &sql)?;
        let row = rows.first().with_context(|| format!("{table} needs a row"))?;
        let cells = columns.iter().zip(row).map(|(column, text)| cell(column, text));
        let cells = cells.collect::<Result<Vec<_>, _>>()?;
        let template = Template::new(table, columns, cells, &shown_id);
        if *table == LOGGED[0] {
            shown_id = template.values()?.shown_id;
        }
        found.push(template);
    }
    Ok(found)
}

fn rows(cluster: &Cluster, url: &str, sql: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let mut psql = cluster.psql(url);
    psql.args(["-F", &BETWEEN.to_string(), "-P", &format!("null={NULL}"), "-c", sql]);
    let output = psql.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        bail!("{sql}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().map(|line| line.split(BETWEEN).map(str::to_owned).collect()).collect())
}

/// How a column is read, so that a number is what SQLite has too.
fn readable(column: &Column) -> String {
    let name = &column.name;
    match column.type_name.as_str() {
        "boolean" => format!("{name}::int"),
        "timestamp with time zone" => format!("(extract(epoch FROM {name}) * 1000)::bigint"),
        _ => name.clone(),
    }
}

fn cell(column: &Column, text: &str) -> anyhow::Result<Cell> {
    if text == NULL {
        return Ok(Cell::Null);
    }
    Ok(match column.type_name.as_str() {
        "uuid" => Cell::Bytes(id(text)?.to_vec()),
        "bytea" => {
            let digits = text.strip_prefix("\\x").context("bytes are in hexadecimal digits")?;
            let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16);
            Cell::Bytes((0..digits.len()).step_by(2).map(byte).collect::<Result<_, _>>()?)
        }
        "boolean" | "timestamp with time zone" | "integer" | "bigint" | "smallint" => {
            Cell::Number(text.parse()?)
        }
        _ => Cell::Text(text.to_owned()),
    })
}

/// A cell as COPY takes it, and in quotes as a statement does.
fn write(column: &Column, cell: &Cell, to: &mut String) -> anyhow::Result<()> {
    match (column.type_name.as_str(), cell) {
        (_, Cell::Null) => to.push_str("\\N"),
        ("uuid", Cell::Bytes(bytes)) => to.push_str(&show(bytes.as_slice().try_into()?)),
        (_, Cell::Bytes(bytes)) => {
            to.push_str("\\\\x");
            for byte in bytes {
                write!(to, "{byte:02x}")?;
            }
        }
        ("boolean", Cell::Number(number)) => to.push(if *number == 0 { 'f' } else { 't' }),
        ("timestamp with time zone", Cell::Number(at)) => {
            let at = OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(*at);
            write!(to, "{} ", at.date())?;
            let (hour, minute, second, millisecond) = at.to_hms_milli();
            write!(to, "{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")?;
        }
        (_, Cell::Number(number)) => write!(to, "{number}")?,
        // None of the texts has anything else that COPY would read in another way.
        (_, Cell::Text(text)) => to.push_str(&text.replace('\\', "\\\\")),
    }
    Ok(())
}

/// Copies rows into a table, without looking at what they refer to.
fn copy(
    cluster: &Cluster,
    url: &str,
    template: &Template,
    rows: impl Iterator<Item = Values>,
) -> anyhow::Result<()> {
    let mut psql = cluster
        .psql(url)
        .args(["-c", "SET session_replication_role = replica"])
        .args(["-c", &format!("COPY {} ({}) FROM STDIN", template.table, template.names())])
        .stdin(Stdio::piped())
        .spawn()?;
    let mut input = BufWriter::new(psql.stdin.take().context("its input is a pipe")?);
    let mut line = String::new();
    for values in rows {
        line.clear();
        for (at, (column, cell)) in template.columns.iter().zip(template.row(&values)).enumerate() {
            if at > 0 {
                line.push('\t');
            }
            write(column, &cell, &mut line)?;
        }
        line.push('\n');
        input.write_all(line.as_bytes())?;
    }
    drop(input);
    if !psql.wait()?.success() {
        bail!("psql cannot copy rows to {}", template.table);
    }
    Ok(())
}

/// Fills a database that has one entry of the service.
pub(crate) fn fill(
    cluster: &Cluster,
    url: &str,
    filled: &Filled,
    progress: &dyn Fn(u64),
) -> anyhow::Result<()> {
    for (table, values) in filled.directory() {
        let template = templates(cluster, url, &[table])?;
        copy(cluster, url, &template[0], std::iter::once(values))?;
    }
    let templates = templates(cluster, url, &LOGGED)?;
    for (at, template) in templates[..2].iter().enumerate() {
        let indexes = drop_indexes(cluster, url, template.table)?;
        let rows = (0..filled.entries).map(|number| {
            if number % 10_000 == 0 {
                progress(u64::midpoint(number, filled.entries * at as u64));
            }
            filled.values(number)
        });
        copy(cluster, url, template, rows)?;
        for sql in indexes {
            cluster.query(url, &sql)?;
        }
        cluster.query(url, &format!("VACUUM (FREEZE, ANALYZE) {}", template.table))?;
    }
    cluster.query(url, "CHECKPOINT")?;
    Ok(())
}

/// Adds idempotency keys that have expired.
pub(crate) fn fill_expired(cluster: &Cluster, url: &str, filled: &Filled) -> anyhow::Result<()> {
    let templates = templates(cluster, url, &LOGGED)?;
    let indexes = drop_indexes(cluster, url, templates[2].table)?;
    let rows = (0..filled.entries).map(|number| {
        let mut values = filled.values(number);
        values.expires = values.at - 86_400_000;
        values
    });
    copy(cluster, url, &templates[2], rows)?;
    for sql in indexes {
        cluster.query(url, &sql)?;
    }
    cluster.query(url, &format!("VACUUM (FREEZE, ANALYZE) {}", templates[2].table))?;
    cluster.query(url, "CHECKPOINT")?;
    Ok(())
}

/// Drops the indexes that are not constraints, and returns the statements that make them.
fn drop_indexes(cluster: &Cluster, url: &str, table: &str) -> anyhow::Result<Vec<String>> {
    let sql = format!(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = '{table}' AND NOT EXISTS
         (SELECT FROM pg_constraint WHERE conindid = (schemaname || '.' || indexname)::regclass)"
    );
    let mut made = Vec::new();
    for row in rows(cluster, url, &sql)? {
        cluster.query(url, &format!("DROP INDEX {}", row[0]))?;
        made.push(row[1].clone());
    }
    Ok(made)
}

/// One statement that inserts the three rows of an entry, for pgbench. The database has one entry
/// that the service logged.
pub(crate) fn statement(cluster: &Cluster, url: &str) -> anyhow::Result<String> {
    // An id in the order of time, like those of the service, and a text that no other entry has.
    let mut sql = "\\set random random(0, 1000000000000000)\nWITH made AS MATERIALIZED (\
        SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || \
        '70008' || lpad(to_hex(:random::bigint), 15, '0'))::uuid AS id, \
        lpad((:random::bigint)::text, 15, '0') AS key, clock_timestamp() AS at)"
        .to_owned();
    let last = cluster.query(url, LAST_SEQUENCE)?;
    let next = last.trim().parse::<i64>()? + 1;
    cluster.query(url, &format!("CREATE SEQUENCE {SEQUENCE} START {next}"))?;
    let templates = templates(cluster, url, &LOGGED)?;
    for (at, template) in templates.iter().enumerate() {
        let values: Vec<_> =
            (0..template.columns.len()).map(|at| expression(template, at)).collect();
        let values = values.into_iter().collect::<Result<Vec<_>, _>>()?.join(", ");
        let insert = format!("{} SELECT {values} FROM made", template.insert());
        if at + 1 < templates.len() {
            write!(sql, ", wrote_{at} AS ({insert})")?;
        } else {
            write!(sql, " {insert};")?;
        }
    }
    sql.push('\n');
    Ok(sql)
}

/// The value of a column in that statement.
fn expression(template: &Template, at: usize) -> anyhow::Result<String> {
    let (column, cell) = (&template.columns[at], &template.cells[at]);
    let literal = |cell: &Cell| -> anyhow::Result<String> {
        let mut text = String::new();
        write(column, cell, &mut text)?;
        let name = &column.type_name;
        Ok(match cell {
            Cell::Null => format!("NULL::{name}"),
            Cell::Bytes(bytes) if name == "bytea" => hexadecimal(bytes),
            // pgbench would take what follows a colon for a variable.
            Cell::Text(text) => {
                format!("convert_from({}, 'UTF8')::{name}", hexadecimal(text.as_bytes()))
            }
            _ => format!("'{text}'::{name}"),
        })
    };
    let id = "made.id".to_owned();
    Ok(match template.varies[at] {
        Some(Varies::Id) => id,
        Some(Varies::At) => "made.at".to_owned(),
        Some(Varies::Expires) => "made.at + interval '24 hours'".to_owned(),
        // Those of the service have no gaps. A plain sequence costs less.
        Some(Varies::Sequence) => format!("nextval('{SEQUENCE}')"),
        Some(Varies::Key) => "made.key".to_owned(),
        Some(Varies::KeyDigest) => "uuid_send(made.id)".to_owned(),
        Some(Varies::ShowsId) => match cell {
            Cell::Bytes(bytes) => {
                let text = String::from_utf8(bytes.clone())?;
                let (before, after) = text.split_once(&template.shown_id).context("it shows it")?;
                let [before, after] = [before, after].map(|part| hexadecimal(part.as_bytes()));
                format!("{before} || convert_to(made.id::text, 'UTF8') || {after}")
            }
            _ => format!("replace({}, '{}', made.id::text)", literal(cell)?, template.shown_id),
        },
        _ => literal(cell)?,
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"));
    format!("'\\x{digits}'::bytea")
}
