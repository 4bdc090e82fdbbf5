//! Time entries as CSV (RFC 4180), for spreadsheets.

use timelog_domain::TimeEntry;

const COLUMNS: [&str; 19] = [
    "id",
    "projectId",
    "userId",
    "entryId",
    "releaseId",
    "workDate",
    "hours",
    "minutes",
    "description",
    "billable",
    "source",
    "status",
    "invoiced",
    "externalRef.provider",
    "externalRef.externalType",
    "externalRef.externalId",
    "version",
    "createdAt",
    "updatedAt",
];

/// The line that names the columns.
pub(crate) fn header() -> Vec<u8> {
    let mut text = Vec::new();
    write(&mut text, &COLUMNS);
    text
}

/// Appends the line of an entry.
pub(crate) fn append(text: &mut Vec<u8>, entry: &TimeEntry) {
    let details = entry.details();
    let optional = |value: Option<String>| value.unwrap_or_default();
    let reference = entry.external_ref();
    let fields: [String; COLUMNS.len()] = [
        entry.id().to_string(),
        entry.project_id().to_string(),
        details.user_id.to_string(),
        optional(details.entry_id.map(|id| id.to_string())),
        optional(details.release_id.map(|id| id.to_string())),
        details.work_date.to_string(),
        details.duration.hours(),
        details.duration.minutes().to_string(),
        optional(details.description.as_ref().map(|text| inert(text.as_str()))),
        details.billable.to_string(),
        entry.source().to_string(),
        entry.status().to_string(),
        entry.invoiced().to_string(),
        optional(reference.map(|reference| inert(reference.provider.as_str()))),
        optional(reference.map(|reference| inert(reference.external_type.as_str()))),
        optional(reference.map(|reference| inert(reference.external_id.as_str()))),
        entry.version().to_string(),
        entry.created_at().to_string(),
        entry.updated_at().to_string(),
    ];
    write(text, &fields);
}

fn write(text: &mut Vec<u8>, fields: &[impl AsRef<[u8]>]) {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(text);
    // Writing to memory cannot fail, and every line has as many fields.
    drop(writer.write_record(fields));
    drop(writer.flush());
}

/// A text that a spreadsheet does not take for a formula. What begins like one gets an apostrophe before it
/// (<https://owasp.org/www-community/attacks/CSV_Injection>). So does what would then be taken for such a text itself, and the
/// empty text, which is not the same as none. [`read`] gives back exactly what was there.
fn inert(text: &str) -> String {
    if is_guarded(text) { format!("'{text}") } else { text.to_owned() }
}

/// What a cell that was written here says: the text that was written, or none where the cell is empty.
pub(crate) fn read(cell: &str) -> Option<&str> {
    match cell.strip_prefix('\'') {
        Some(text) if is_guarded(text) => Some(text),
        _ => Some(cell).filter(|cell| !cell.is_empty()),
    }
}

/// Whether a text gets an apostrophe before it.
fn is_guarded(text: &str) -> bool {
    let text = text.trim_start_matches('\'');
    text.is_empty() || text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_text_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "'=1", "''", ""] {
            assert_eq!(inert(text), format!("'{text}"));
        }
        for text in ["1+1", " =1", "a=b", "'tis"] {
            assert_eq!(inert(text), text);
        }
    }

    #[test]
    fn an_apostrophe_that_was_not_put_there_stays() {
        assert_eq!(read("'tis"), Some("'tis"));
        assert_eq!(read("'=1"), Some("=1"));
        assert_eq!(read("''=1"), Some("'=1"));
        assert_eq!(read("'"), Some(""));
        assert_eq!(read(""), None);
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back(text in prop_oneof![".*", "['=+@\\-\t\r\n＝a]{0,6}"]) {
            let cell = inert(&text);
            prop_assert_eq!(read(&cell), Some(text.as_str()));
        }
    }
}
