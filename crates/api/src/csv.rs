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
/// (<https://owasp.org/www-community/attacks/CSV_Injection>).
fn inert(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        return format!("'{text}");
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert_eq!(inert(text), format!("'{text}"));
        }
        for text in ["", "1+1", " =1", "a=b", "'=1"] {
            assert_eq!(inert(text), text);
        }
    }
}
