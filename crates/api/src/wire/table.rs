//! Time entries as a table: its columns, and what an entry has in them. Every format of an export is
//! made of it.

use serde_json::{Map, Value};
use timelog_domain::{ExternalRef, ExternalRefPart, Name, Names, TimeEntry};

use super::Schemas;
use super::time_entry::TimeEntryBody;

/// The member that a file of one organization does without.
const LEFT_OUT: &str = "organizationId";

/// The columns that are no members of an answer, and the member before which they stand.
const ADDED: [&str; 4] =
    ["externalRef.provider", "externalRef.externalType", "externalRef.externalId", "version"];
const ADDED_BEFORE: &str = "createdAt";

/// The columns at the end, for people: what the ids stand for.
const NAMES: [&str; 4] = ["projectName", "userName", "entryTitle", "releaseName"];

/// The names of the columns: the members that an answer always has, and some more.
pub(crate) fn columns() -> Vec<String> {
    let members = TimeEntryBody::declared(&mut Schemas::default()).build().required;
    let members = members.into_iter().map(|name| (name.clone(), name));
    arranged(members, ADDED.map(str::to_owned), NAMES.map(str::to_owned))
}

/// What an entry has in the columns.
pub(crate) fn row(entry: &TimeEntry, names: &Names) -> Vec<Value> {
    let part = |part: fn(&ExternalRef) -> &ExternalRefPart| {
        entry.external_ref().map_or(Value::Null, |reference| part(reference).as_str().into())
    };
    let added = [
        part(|reference| &reference.provider),
        part(|reference| &reference.external_type),
        part(|reference| &reference.external_id),
        entry.version().get().into(),
    ];
    let name = |name: Option<&Name>| name.map_or(Value::Null, |name| name.as_str().into());
    // An entry always serializes to an object.
    let members = match serde_json::to_value(TimeEntryBody::from(entry)) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    arranged(members.into_iter(), added, names.of(entry).map(name))
}

/// In the order of the columns.
fn arranged<T>(
    members: impl Iterator<Item = (String, T)>,
    added: [T; ADDED.len()],
    names: [T; NAMES.len()],
) -> Vec<T> {
    let mut cells = Vec::with_capacity(24);
    let mut added = Some(added);
    for (name, cell) in members.filter(|(name, _)| name != LEFT_OUT) {
        if name == ADDED_BEFORE {
            cells.extend(added.take().into_iter().flatten());
        }
        cells.push(cell);
    }
    cells.extend(names);
    cells
}
