//! Cursors: the position at which a page begins, which a client sends back unchanged. A cursor is
//! bound to its list, so a cursor of another list, filter or order is refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use timelog_domain::query::SortValue;
use timelog_domain::{
    FeedEpoch, OrganizationId, Position, ProjectId, Seq, Sort, TimeEntryId, Timestamp, WorkDate,
};
use uuid::Uuid;

use crate::wire::{CursorText, Pairs};

/// How many bytes of a digest bind a cursor to its list. They protect against mistakes only: a
/// forged cursor shows nothing that its caller may not read anyway.
const BINDING: usize = 8;
const ID: usize = 16;

/// Parameters that say nothing of which items a list has.
const PAGE_ALONE: [&str; 4] = ["cursor", "limit", "includeTotal", "include"];

/// Identifies a list: a digest of its organization, path and parameters.
pub(crate) struct Binding([u8; BINDING]);

impl Binding {
    /// For the list under `path`. Parameters that say nothing of which items it has, and in which
    /// order, are left out.
    pub(crate) fn new(organization: OrganizationId, path: &str, pairs: &Pairs) -> Self {
        let mut relevant: Vec<_> = pairs
            .as_slice()
            .iter()
            .filter(|(name, _)| !PAGE_ALONE.contains(&name.as_str()))
            .filter(|(name, value)| name != "sort" || *value != Sort::default().to_string())
            .collect();
        relevant.sort();
        // A value that stands twice asks nothing else.
        relevant.dedup();
        // Ids in the path may have letters of either case.
        let list = format!(
            "timelog cursor 1\n{organization}\n{}\n{}",
            path.to_ascii_lowercase(),
            text(&relevant)
        );
        Self::of(&list)
    }

    fn of(name: &str) -> Self {
        let mut binding = [0; BINDING];
        binding.iter_mut().zip(Sha256::digest(name)).for_each(|(byte, digest)| *byte = digest);
        Self(binding)
    }

    /// For the feed of an organization, or of one of its projects.
    pub(crate) fn of_feed(organization: OrganizationId, project: Option<ProjectId>) -> Self {
        let project = project.map(|project| project.to_string()).unwrap_or_default();
        Self::of(&format!("timelog feed 1\n{organization}\n{project}"))
    }

    /// The cursor that leads to what comes after a change, in that life of the feed.
    pub(crate) fn cursor_of_change(&self, epoch: FeedEpoch, seq: Seq) -> String {
        self.encode(&seq.get().to_be_bytes(), epoch.uuid())
    }

    /// The change that a cursor of this feed names, and the life of the feed.
    pub(crate) fn change(&self, cursor: &CursorText) -> Result<(FeedEpoch, Seq), NoChange> {
        let whole = URL_SAFE_NO_PAD.decode(&cursor.0).map_err(|_| NoChange::NoCursor)?;
        let whole: [u8; BINDING + ID + 8] = whole.try_into().map_err(|_| NoChange::NoCursor)?;
        let (binding, position) = whole.split_at(BINDING);
        if binding != self.0 {
            return Err(NoChange::OfAnotherFeed);
        }
        let (epoch, seq) = position.split_at(ID);
        let epoch = Uuid::from_slice(epoch).map_err(|_| NoChange::NoCursor)?;
        let seq = <[u8; 8]>::try_from(seq).map_or(0, i64::from_be_bytes);
        Ok((FeedEpoch::new(epoch), Seq::new(seq)))
    }

    /// The cursor of a page that begins after `position`.
    pub(crate) fn cursor(&self, position: &Position) -> String {
        match position.value {
            SortValue::Day(day) => self.encode(day.to_string().as_bytes(), position.id.uuid()),
            SortValue::Instant(instant) => {
                self.encode(instant.unix_millis().to_string().as_bytes(), position.id.uuid())
            }
        }
    }

    /// The cursor of a page that begins after an id.
    pub(crate) fn cursor_of_id(&self, id: Uuid) -> String {
        self.encode(b"", id)
    }

    /// The position in the order `sort` that a cursor of this list names.
    pub(crate) fn position(&self, cursor: &CursorText, sort: Sort) -> Option<Position> {
        let (value, id) = self.decode(cursor)?;
        let value = std::str::from_utf8(&value).ok()?;
        let value = match value.parse::<WorkDate>() {
            Ok(day) => SortValue::Day(day),
            Err(_) => SortValue::Instant(Timestamp::from_unix_millis(value.parse().ok()?).ok()?),
        };
        Some(Position { value, id: TimeEntryId::new(id) }).filter(|position| sort.has(position))
    }

    /// The id that a cursor of this list names.
    pub(crate) fn id(&self, cursor: &CursorText) -> Option<Uuid> {
        self.decode(cursor).map(|(_, id)| id)
    }

    /// Whether it is a cursor of this list in the order `sort`; without a `sort`, in the order of
    /// ids.
    pub(crate) fn has(&self, cursor: &CursorText, sort: Option<Sort>) -> bool {
        match sort {
            Some(sort) => self.position(cursor, sort).is_some(),
            None => self.id(cursor).is_some(),
        }
    }

    fn encode(&self, value: &[u8], id: Uuid) -> String {
        URL_SAFE_NO_PAD.encode([&self.0, id.as_bytes().as_slice(), value].concat())
    }

    fn decode(&self, cursor: &CursorText) -> Option<(Vec<u8>, Uuid)> {
        let cursor = URL_SAFE_NO_PAD.decode(&cursor.0).ok()?;
        let (id, value) = cursor.strip_prefix(&self.0)?.split_at_checked(ID)?;
        Some((value.to_vec(), Uuid::from_slice(id).ok()?))
    }
}

/// Why a cursor names no change of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoChange {
    /// It is no cursor of a feed.
    NoCursor,
    /// It is of another feed.
    OfAnotherFeed,
}

/// Parameters as one text, different for different parameters. It must never change, so that
/// cursors are still valid after an upgrade.
fn text(pairs: &[&(String, String)]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("({}, {})", quoted(name), quoted(value)))
        .collect();
    format!("[{}]", pairs.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(path: &str, pairs: &[(&str, &str)]) -> Binding {
        let pairs = Pairs::of(
            &form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish(),
        );
        Binding::new(OrganizationId::new(Uuid::nil()), path, &pairs)
    }

    #[test]
    fn a_cursor_is_read_as_the_position_it_was_made_of() {
        let list = binding("/time-entries", &[("status", "draft")]);
        let id = TimeEntryId::new(Uuid::now_v7());
        for (value, sort) in [
            (SortValue::Day("0001-01-01".parse().unwrap()), "workDate"),
            (SortValue::Instant(Timestamp::MIN), "-createdAt"),
            (SortValue::Instant(Timestamp::MAX), "updatedAt"),
        ] {
            let position = Position { value, id };
            let cursor = list.cursor(&position).parse().unwrap();
            assert_eq!(list.position(&cursor, sort.parse().unwrap()), Some(position));
        }
    }

    #[test]
    fn a_cursor_is_the_same_in_every_version() {
        let id: TimeEntryId = "01946900-56c0-7c3e-9d24-51f6a7b8c9d0".parse().unwrap();
        let position = Position { value: SortValue::Day("2025-01-15".parse().unwrap()), id };
        let awkward =
            [("status", "draft"), ("externalRef.provider", r#"é "q" \ 'x'"#), ("limit", "5")];
        for (pairs, cursor) in [
            ([].as_slice(), "iq2L3UFgoSIBlGkAVsB8Pp0kUfanuMnQMjAyNS0wMS0xNQ"),
            (&awkward, "FaWE1fxA4DoBlGkAVsB8Pp0kUfanuMnQMjAyNS0wMS0xNQ"),
        ] {
            let list = binding("/time-entries", pairs);
            assert_eq!(list.cursor(&position), cursor);
            assert_eq!(list.position(&cursor.parse().unwrap(), Sort::default()), Some(position));
        }
        assert_eq!(
            binding("/users", &[]).cursor_of_id(id.uuid()),
            "g6pp5qqI-YIBlGkAVsB8Pp0kUfanuMnQ"
        );
    }

    #[test]
    fn a_cursor_of_a_feed_is_the_same_in_every_version() {
        let organization = OrganizationId::new(Uuid::nil());
        let project: ProjectId = "9a8b7c6d-0000-0000-0000-000000000002".parse().unwrap();
        let epoch: FeedEpoch = "3fa85f64-5717-4562-b3fc-2c963f66afa6".parse().unwrap();
        for (project, seq, cursor) in [
            (None, 0, "l5dBXeWLDfU_qF9kVxdFYrP8LJY_Zq-mAAAAAAAAAAA"),
            (Some(project), i64::MAX, "tF2rzA23wBI_qF9kVxdFYrP8LJY_Zq-mf_________8"),
        ] {
            let feed = Binding::of_feed(organization, project);
            let position = (epoch, Seq::new(seq));
            assert_eq!(feed.cursor_of_change(position.0, position.1), cursor);
            assert_eq!(feed.change(&cursor.parse().unwrap()), Ok(position));
        }
    }

    #[test]
    fn a_cursor_of_another_feed_is_told_from_what_is_none() {
        let organization = OrganizationId::new(Uuid::nil());
        let feed = Binding::of_feed(organization, None);
        let of_project = Binding::of_feed(organization, Some(ProjectId::new(Uuid::nil())));
        let of_other = Binding::of_feed(OrganizationId::new(Uuid::max()), None);
        let epoch = FeedEpoch::new(Uuid::max());
        for other in [of_project, of_other] {
            let cursor = other.cursor_of_change(epoch, Seq::new(7)).parse().unwrap();
            assert_eq!(feed.change(&cursor), Err(NoChange::OfAnotherFeed));
        }
        let cursor = feed.cursor_of_change(epoch, Seq::new(7));
        for text in ["", "x", "not a cursor", &cursor[1..], &format!("{cursor}AA")] {
            assert_eq!(feed.change(&text.parse().unwrap()), Err(NoChange::NoCursor), "{text}");
        }
    }

    #[test]
    fn parameters_that_ask_the_same_are_the_same_list() {
        let twice = [("status", "draft"), ("sort", "-workDate"), ("status", "draft")];
        let once = [("status", "draft")];
        assert_eq!(binding("/time-entries", &twice).0, binding("/time-entries", &once).0);
        let ascending = [("status", "draft"), ("sort", "workDate")];
        assert_ne!(binding("/time-entries", &ascending).0, binding("/time-entries", &once).0);
    }

    #[test]
    fn different_parameters_are_a_different_list() {
        let lists = [
            [("a", "b"), ("c", "d")].as_slice(),
            &[("a", r#"b"), ("c", "d"#)],
            &[("a", r#"b\"), ("c", "d"#)],
            &[("a", r"b\"), ("c", "d")],
            &[("a", "b, c"), ("d", "")],
            &[("a", "b\nc")],
            &[("a", r"b\nc")],
        ];
        for (index, one) in lists.iter().enumerate() {
            for (other_index, other) in lists.iter().enumerate() {
                let same = binding("/time-entries", one).0 == binding("/time-entries", other).0;
                assert_eq!(same, index == other_index, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let list = binding("/time-entries", &[("status", "draft"), ("limit", "5")]);
        let position = Position {
            value: SortValue::Day("2025-01-15".parse().unwrap()),
            id: TimeEntryId::new(Uuid::now_v7()),
        };
        let cursor: CursorText = list.cursor(&position).parse().unwrap();
        let found = |list: Binding| list.position(&cursor, Sort::default());
        assert_eq!(
            found(binding("/time-entries", &[("limit", "9"), ("status", "draft")])),
            Some(position)
        );
        assert_eq!(found(binding("/time-entries", &[("status", "submitted")])), None);
        assert_eq!(found(binding("/projects/1/time-entries", &[("status", "draft")])), None);
        assert_eq!(list.position(&cursor, "createdAt".parse().unwrap()), None);
        assert!(!list.has(&"not a cursor".parse().unwrap(), None));
    }
}
