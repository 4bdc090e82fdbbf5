//! The rows of a logged entry, made after one that the service itself stored. This is the one place
//! that names columns: what it does not name is copied, so that a new column needs no change here.

use std::cell::Cell as Mutable;

use timelog_adapters::digest_external_ref_part;

use crate::filled::{Values, show, show_day};

/// The tables of which a logged entry gets a row each, in the order of writing.
pub(crate) const LOGGED: [&str; 3] = ["time_entries", "time_entry_history", "idempotency_keys"];

/// How many entries there are.
pub(crate) const COUNT_ENTRIES: &str = "SELECT count(*) FROM time_entries";

/// The greatest number that a row has within its organization.
pub(crate) const LAST_SEQUENCE: &str = "SELECT max(seq) FROM time_entry_history";

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// What the database calls its type.
    pub(crate) type_name: String,
    /// Whether it is a part of the primary key.
    pub(crate) in_key: bool,
}

/// A row that the service stored.
pub(crate) struct Template {
    pub(crate) table: &'static str,
    pub(crate) columns: Vec<Column>,
    pub(crate) cells: Vec<Cell>,
    pub(crate) varies: Vec<Option<Varies>>,
    /// The id of its entry, as texts show it.
    pub(crate) shown_id: String,
}

/// What a column says that differs from row to row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Varies {
    Id,
    Project,
    User,
    Ticket,
    Release,
    Day,
    Minutes,
    Status,
    Reference(Part),
    Digest(Part),
    At,
    Expires,
    /// The text of the idempotency key.
    Key,
    /// Sixteen bytes that stand for the idempotency key.
    KeyDigest,
    /// A number of the row within its organization.
    Sequence,
    /// A text or bytes in which the id of the entry is shown.
    ShowsId,
}

/// A part of an external reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Provider,
    Type,
    Id,
}

/// The provider and the type of every external reference.
pub(crate) const PROVIDER: &str = "jira";
pub(crate) const TYPE: &str = "worklog";

impl Template {
    /// Finds out what varies in a stored row.
    pub(crate) fn new(
        table: &'static str,
        columns: Vec<Column>,
        cells: Vec<Cell>,
        shown_id: &str,
    ) -> Self {
        let varies = columns.iter().zip(&cells);
        let varies =
            varies.map(|(column, cell)| varies_in(table, column, cell, shown_id)).collect();
        Self { table, columns, cells, varies, shown_id: shown_id.to_owned() }
    }

    /// `INSERT INTO table (columns)`, without what is inserted.
    pub(crate) fn insert(&self) -> String {
        format!("INSERT INTO {} ({})", self.table, self.names())
    }

    /// The names of the columns, with commas.
    pub(crate) fn names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| column.name.as_str()).collect();
        names.join(", ")
    }

    /// The cells of another row.
    pub(crate) fn row<'a>(&'a self, values: &'a Values) -> impl Iterator<Item = Cell> + 'a {
        self.cells.iter().zip(&self.varies).map(|(cell, varies)| match varies {
            None => cell.clone(),
            Some(varies) => self.varied(*varies, cell, values),
        })
    }

    /// What this row says, of that which varies and which a new row may keep.
    pub(crate) fn values(&self) -> anyhow::Result<Values> {
        let mut values = Values::default();
        for (varies, cell) in self.varies.iter().zip(&self.cells) {
            match (varies, cell) {
                (Some(Varies::Id), Cell::Bytes(id)) => {
                    values.id = id.as_slice().try_into()?;
                    values.shown_id = show(&values.id);
                }
                (Some(Varies::Project), Cell::Bytes(id)) => {
                    values.project = id.as_slice().try_into()?;
                }
                (Some(Varies::User), Cell::Bytes(id)) => values.user = id.as_slice().try_into()?,
                (Some(Varies::Day), Cell::Number(day)) => values.day = *day,
                (Some(Varies::Minutes), Cell::Number(minutes)) => values.minutes = *minutes,
                (Some(Varies::Status), Cell::Text(_)) => values.status = "draft",
                _ => {}
            }
        }
        Ok(values)
    }

    fn varied(&self, varies: Varies, cell: &Cell, values: &Values) -> Cell {
        let id = |id: &[u8; 16]| Cell::Bytes(id.to_vec());
        let optional = |found: &Option<[u8; 16]>| found.as_ref().map_or(Cell::Null, id);
        match varies {
            Varies::Id => id(&values.id),
            Varies::Project => id(&values.project),
            Varies::User => id(&values.user),
            Varies::Ticket => optional(&values.ticket),
            Varies::Release => optional(&values.release),
            Varies::Day => match cell {
                Cell::Number(_) => Cell::Number(values.day),
                _ => Cell::Text(show_day(values.day)),
            },
            Varies::Minutes => Cell::Number(values.minutes),
            Varies::Status => Cell::Text(values.status.to_owned()),
            Varies::Reference(part) => part_of(values, part).map_or(Cell::Null, Cell::Text),
            Varies::Digest(part) => part_of(values, part).map_or(Cell::Null, |text| digest(&text)),
            Varies::At => Cell::Number(values.at),
            Varies::Expires => Cell::Number(values.expires),
            Varies::Key => Cell::Text(values.key.clone()),
            Varies::KeyDigest => Cell::Bytes(values.key_digest.to_vec()),
            Varies::Sequence => Cell::Number(values.sequence),
            Varies::ShowsId => shown(cell, &self.shown_id, &values.shown_id),
        }
    }
}

fn varies_in(table: &str, column: &Column, cell: &Cell, shown_id: &str) -> Option<Varies> {
    let is_entry = table == "time_entries";
    let is_key = table == "idempotency_keys";
    let of_project = !is_key && table != "projects" && table != "users";
    Some(match column.name.as_str() {
        "id" | "time_entry_id" if !is_key => Varies::Id,
        "project_id" if of_project => Varies::Project,
        "user_id" if is_entry => Varies::User,
        "entry_id" if is_entry => Varies::Ticket,
        "release_id" if is_entry => Varies::Release,
        "work_date" if is_entry => Varies::Day,
        "minutes" if is_entry => Varies::Minutes,
        "status" if is_entry => Varies::Status,
        "external_provider" => Varies::Reference(Part::Provider),
        "external_type" => Varies::Reference(Part::Type),
        "external_id" => Varies::Reference(Part::Id),
        "external_provider_digest" => Varies::Digest(Part::Provider),
        "external_type_digest" => Varies::Digest(Part::Type),
        "external_id_digest" => Varies::Digest(Part::Id),
        "created_at" | "updated_at" | "at" => Varies::At,
        "expires_at" => Varies::Expires,
        "seq" => Varies::Sequence,
        "organization_id" | "key_id" | "operation" => return None,
        _ if is_key && column.in_key => match cell {
            Cell::Text(_) => Varies::Key,
            _ => Varies::KeyDigest,
        },
        _ if shows(cell, shown_id) => Varies::ShowsId,
        _ => return None,
    })
}

fn part_of(values: &Values, part: Part) -> Option<String> {
    let id = values.reference.as_ref()?;
    Some(match part {
        Part::Provider => PROVIDER.to_owned(),
        Part::Type => TYPE.to_owned(),
        Part::Id => id.clone(),
    })
}

fn digest(text: &str) -> Cell {
    thread_local! {
        // Of a reference of millions of rows, two parts are always the same.
        static KNOWN: Mutable<Option<[[u8; 16]; 2]>> = const { Mutable::new(None) };
    }
    let known = KNOWN.get().unwrap_or_else(|| [PROVIDER, TYPE].map(digest_external_ref_part));
    KNOWN.set(Some(known));
    let digest = match text {
        PROVIDER => known[0],
        TYPE => known[1],
        other => digest_external_ref_part(other),
    };
    Cell::Bytes(digest.to_vec())
}

fn bytes(cell: &Cell) -> &[u8] {
    match cell {
        Cell::Text(text) => text.as_bytes(),
        Cell::Bytes(bytes) => bytes,
        Cell::Null | Cell::Number(_) => &[],
    }
}

fn position(cell: &Cell, id: &str) -> Option<usize> {
    // The first of the tables is read before the id is known.
    let length = id.len().max(1);
    bytes(cell).windows(length).position(|window| window == id.as_bytes())
}

fn shows(cell: &Cell, id: &str) -> bool {
    position(cell, id).is_some()
}

/// The cell, with the id of another entry.
fn shown(cell: &Cell, old: &str, new: &str) -> Cell {
    match (cell, position(cell, old)) {
        (Cell::Text(text), Some(_)) => Cell::Text(text.replacen(old, new, 1)),
        (Cell::Bytes(bytes), Some(at)) => {
            let mut bytes = bytes.clone();
            bytes[at..at + old.len()].copy_from_slice(new.as_bytes());
            Cell::Bytes(bytes)
        }
        _ => cell.clone(),
    }
}
