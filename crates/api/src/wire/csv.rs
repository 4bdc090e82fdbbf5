//! Time entries as CSV (RFC 4180), for spreadsheets.

use std::borrow::Cow;

use serde_json::Value;
use timelog_domain::{Names, TimeEntry};

use super::table;

/// The line that names the columns.
pub(crate) fn header() -> Vec<u8> {
    let mut text = Vec::new();
    write(&mut text, table::columns());
    text
}

/// Appends the line of an entry.
pub(crate) fn append(text: &mut Vec<u8>, entry: &TimeEntry, names: &Names) {
    write(text, table::row(entry, names).into_iter().map(cell).collect());
}

/// What stands in a cell: nothing where there is no value.
fn cell(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => inert(&text),
        value => value.to_string(),
    }
}

fn write(text: &mut Vec<u8>, cells: Vec<String>) {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(text);
    // Writing to memory cannot fail, and every line has as many cells.
    drop(writer.write_record(cells));
    drop(writer.flush());
}

/// A text that a spreadsheet does not take for a formula, nor any part of it that becomes a cell
/// where the file is divided at something else than it was meant to be. What begins like a formula
/// gets an apostrophe before it (<https://owasp.org/www-community/attacks/CSV_Injection>). So does
/// what would then be taken for such a text itself, and the empty text, which is not the same as
/// none. [`read`] gives back exactly what was there.
fn inert(text: &str) -> String {
    let mut cell = String::with_capacity(text.len() + 1);
    let mut begin = 0;
    for start in starts(text) {
        cell.push_str(&text[begin..start]);
        if is_guarded(&text[start..], start) {
            cell.push('\'');
        }
        begin = start;
    }
    cell.push_str(&text[begin..]);
    cell
}

/// What a cell that was written here says: the text that was written, or none where the cell is
/// empty.
pub(crate) fn read(cell: &str) -> Option<Cow<'_, str>> {
    if cell.is_empty() {
        return None;
    }
    let is_guard = |start: &usize| {
        cell[*start..].strip_prefix('\'').is_some_and(|text| is_guarded(text, *start))
    };
    let guards: Vec<_> = starts(cell).filter(is_guard).collect();
    if guards.is_empty() {
        return Some(Cow::Borrowed(cell));
    }
    let mut text = String::with_capacity(cell.len());
    let mut begin = 0;
    for guard in guards {
        text.push_str(&cell[begin..guard]);
        begin = guard + 1;
    }
    text.push_str(&cell[begin..]);
    Some(Cow::Owned(text))
}

/// Where a cell begins, or might: at the beginning, and after whatever programs divide a file or a
/// line by.
fn starts(text: &str) -> impl Iterator<Item = usize> {
    let after = text
        .match_indices([',', ';', '\t', '\r', '\n', '"'])
        .map(|(at, separator)| at + separator.len());
    std::iter::once(0).chain(after)
}

/// Whether what begins there gets an apostrophe before it. At the very beginning some programs pass
/// over white space, and a text of nothing but apostrophes stands for itself.
fn is_guarded(text: &str, start: usize) -> bool {
    let text = text.trim_start_matches('\'');
    let first = start == 0 && (text.is_empty() || text.starts_with(['\t', '\r', '\n']));
    first || text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_text_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t1", "\r1", "＝1", "'=1", "''", ""] {
            assert_eq!(inert(text), format!("'{text}"));
        }
        for text in ["1+1", " =1", "a=b", "'tis", "a - b", "a; b", "a;b=c", ";'", "a\n"] {
            assert_eq!(inert(text), text);
        }
    }

    #[test]
    fn no_part_of_a_text_is_a_formula_wherever_a_program_divides_it() {
        for (text, cell) in [
            ("a;=1", "a;'=1"),
            ("a\t=1", "a\t'=1"),
            ("a\r\n=1", "a\r\n'=1"),
            ("a,+1", "a,'+1"),
            ("a\"@x", "a\"'@x"),
            (";-1;'-2;''-3", ";'-1;''-2;'''-3"),
            ("\t=1", "'\t'=1"),
            ("=1;=2", "'=1;'=2"),
            ("a;＝1", "a;'＝1"),
        ] {
            assert_eq!(inert(text), cell);
        }
    }

    #[test]
    fn an_apostrophe_that_was_not_put_there_stays() {
        for (cell, text) in [
            ("'tis", "'tis"),
            ("'=1", "=1"),
            ("''=1", "'=1"),
            ("'", ""),
            ("a;'b", "a;'b"),
            ("a;=1", "a;=1"),
        ] {
            assert_eq!(read(cell).as_deref(), Some(text));
        }
        assert_eq!(read(""), None);
    }

    /// Whether a program takes a text for a formula.
    fn is_formula(text: &str) -> bool {
        text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back(text in prop_oneof![".*", "['=+@\\-\t\r\n＝a;,\"]{0,12}"]) {
            let cell = inert(&text);
            let again = read(&cell);
            prop_assert_eq!(again.as_deref(), Some(text.as_str()));
            let mut parts = cell.split([',', ';', '\t', '\r', '\n', '"']);
            prop_assert!(!parts.any(is_formula), "{:?}", cell);
        }
    }
}
