//! What a database is filled with: entries of one organization, evenly over projects, users and
//! three years, in the order in which they were made.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use time::{Duration, OffsetDateTime};

use crate::site::Site;

pub(crate) const PROJECTS: u64 = 20;
pub(crate) const USERS: u64 = 50;

const DAY: i64 = 86_400_000;
const DAYS: i64 = 3 * 365;

/// No entry is submitted, so that this status finds nothing.
const STATUSES: [&str; 8] =
    ["draft", "draft", "draft", "approved", "approved", "locked", "invoiced", "rejected"];

/// What differs from one logged entry to the next.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    pub(crate) id: [u8; 16],
    pub(crate) shown_id: String,
    pub(crate) project: [u8; 16],
    pub(crate) user: [u8; 16],
    pub(crate) ticket: Option<[u8; 16]>,
    pub(crate) release: Option<[u8; 16]>,
    /// Days since 1970.
    pub(crate) day: i64,
    pub(crate) minutes: i64,
    pub(crate) status: &'static str,
    /// The id within its external reference.
    pub(crate) reference: Option<String>,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    pub(crate) expires: i64,
    pub(crate) key: String,
    pub(crate) key_digest: [u8; 16],
    pub(crate) sequence: i64,
}

/// A directory and entries that can be made again by their numbers.
#[derive(Debug, Clone)]
pub(crate) struct Filled {
    pub(crate) entries: u64,
    project: [u8; 16],
    user: [u8; 16],
    /// The ids of the ticket and of the release that the directory has.
    pub(crate) ticket: [u8; 16],
    pub(crate) release: [u8; 16],
    begins: i64,
}

impl Filled {
    /// So many entries, up to now.
    pub(crate) fn new(
        site: &Site,
        [ticket, release]: [&str; 2],
        entries: u64,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            entries,
            project: id(&site.project)?,
            user: id(&site.user)?,
            ticket: id(ticket)?,
            release: id(release)?,
            begins: now() - DAYS * DAY,
        })
    }

    /// The entry of a number, which is below the number of entries.
    pub(crate) fn values(&self, number: u64) -> Values {
        let random = scatter(number);
        let span = i64::try_from(
            u128::from(number) * (DAYS * DAY) as u128 / u128::from(self.entries.max(1)),
        );
        let at = self.begins + span.unwrap_or(0);
        let project = random % PROJECTS;
        let id = ordered_id(at, number);
        Values {
            id,
            shown_id: show(&id),
            project: variant(self.project, project),
            user: variant(self.user, (random >> 8) % USERS),
            ticket: number.is_multiple_of(33).then(|| variant(self.ticket, project)),
            release: number.is_multiple_of(40).then(|| variant(self.release, project)),
            day: day(at),
            minutes: 15 + i64::try_from((random >> 24) % 32).unwrap_or(0) * 15,
            status: status(random),
            reference: number.is_multiple_of(2).then(|| self.reference(number)),
            at,
            expires: at + DAY,
            key: format!("{number:015}"),
            key_digest: spread(number),
            // The entry of the service was the first.
            sequence: i64::try_from(number).unwrap_or(0) + 2,
        }
    }

    /// The rows of the directory: the values of a row of each of its tables.
    pub(crate) fn directory(&self) -> Vec<(&'static str, Values)> {
        let row = |id, project| Values { id, project, ..Values::default() };
        let users = (1..USERS).map(|number| ("users", row(variant(self.user, number), [0; 16])));
        let projects = (1..PROJECTS).flat_map(|number| {
            let project = variant(self.project, number);
            [
                ("projects", row(project, project)),
                ("project_entries", row(variant(self.ticket, number), project)),
                ("project_releases", row(variant(self.release, number), project)),
            ]
        });
        users.chain(projects).collect()
    }

    /// The id within the external reference of an entry.
    #[expect(clippy::unused_self, reason = "it belongs to what is filled in")]
    pub(crate) fn reference(&self, number: u64) -> String {
        format!("worklog-{number}")
    }

    /// The project of an entry.
    pub(crate) fn project_of(&self, number: u64) -> String {
        show(&variant(self.project, scatter(number) % PROJECTS))
    }

    /// A project, by its number.
    pub(crate) fn project(&self, number: u64) -> String {
        show(&variant(self.project, number))
    }

    /// A user, by its number.
    pub(crate) fn user(&self, number: u64) -> String {
        show(&variant(self.user, number))
    }

    /// So many numbers of entries, evenly over all.
    pub(crate) fn some(&self, how_many: u64) -> impl Iterator<Item = u64> {
        let step = (self.entries / how_many).max(1);
        (0..how_many.min(self.entries)).map(move |number| number * step)
    }

    /// Numbers of drafts with a reference, which logging again changes.
    pub(crate) fn some_drafts(&self, how_many: u64) -> Vec<u64> {
        let near = |number: u64| {
            (number..self.entries)
                .find(|number| number.is_multiple_of(2) && status(scatter(*number)) == "draft")
        };
        self.some(how_many).filter_map(near).collect()
    }

    /// A month in the middle: its first and its last day.
    pub(crate) fn month(&self) -> [String; 2] {
        [500, 530].map(|days| show_day(day(self.begins) + days))
    }
}

fn status(random: u64) -> &'static str {
    STATUSES[usize::try_from((random >> 40) % 8).unwrap_or(0)]
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A version 7 UUID. Those of ascending numbers are in ascending order within a millisecond.
pub(crate) fn ordered_id(at: i64, number: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..6].copy_from_slice(&at.to_be_bytes()[2..]);
    let low = u16::try_from(number & 0xfff).unwrap_or(0);
    id[6..8].copy_from_slice(&(0x7000 | low).to_be_bytes());
    id[8..].copy_from_slice(&(scatter(number) >> 2 | 1 << 63).to_be_bytes());
    id
}

/// Sixteen bytes that look random, and are others for each number.
pub(crate) fn spread(number: u64) -> [u8; 16] {
    let halves = [scatter(number), scatter(!number)].map(u64::to_be_bytes);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&halves[0]);
    bytes[8..].copy_from_slice(&halves[1]);
    bytes
}

/// What ends a step of `SplitMix64`: it gives each number another that looks random.
fn scatter(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Another id of the same kind; number 0 is the id itself.
fn variant(mut id: [u8; 16], number: u64) -> [u8; 16] {
    id[15] ^= u8::try_from(number).unwrap_or(0);
    id
}

/// An id as texts show it.
pub(crate) fn show(id: &[u8; 16]) -> String {
    let number = u128::from_be_bytes(*id);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        number >> 96,
        number >> 80 & 0xffff,
        number >> 64 & 0xffff,
        number >> 48 & 0xffff,
        number & 0xffff_ffff_ffff
    )
}

/// The bytes of an id.
pub(crate) fn id(shown: &str) -> anyhow::Result<[u8; 16]> {
    let number = u128::from_str_radix(&shown.replace('-', ""), 16).context("an id is a UUID")?;
    Ok(number.to_be_bytes())
}

fn day(at: i64) -> i64 {
    at.div_euclid(DAY)
}

/// A number of days since 1970, as texts show the day.
pub(crate) fn show_day(days: i64) -> String {
    (OffsetDateTime::UNIX_EPOCH + Duration::days(days)).date().to_string()
}
