//! Identifiers. Each kind has its own type, so a project id cannot be used as a user id.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::timestamp::Timestamp;

/// The text is not a hyphenated UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a hyphenated UUID such as 3fa85f64-5717-4562-b3fc-2c963f66afa6")]
pub struct InvalidId;

/// The length of `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. No other form that the `uuid` crate parses
/// has this length.
const HYPHENATED_LENGTH: usize = 36;

fn parse_hyphenated(text: &str) -> Result<Uuid, InvalidId> {
    if text.len() != HYPHENATED_LENGTH {
        return Err(InvalidId);
    }
    Uuid::try_parse(text).map_err(|_| InvalidId)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// Parses from a hyphenated UUID in any case; displays in lower case.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID.
            #[must_use]
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse_hyphenated(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        crate::text_form::serialize!(
            $name: |id| id.0.as_hyphenated().encode_lower(&mut [0; HYPHENATED_LENGTH])
        );

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.as_hyphenated())
            }
        }
    )*};
}

ids! {
    /// Names an organization: the tenant that everything else belongs to.
    OrganizationId;
    /// Names a project.
    ProjectId;
    /// Names a user, the person whose time is logged.
    UserId;
    /// Names a ticket of a project, which time can be logged on. On the wire it is `entryId`.
    TicketId;
    /// Names a release of a project.
    ReleaseId;
    /// Names a time entry.
    TimeEntryId;
    /// Names an API key, the credential a change was made with.
    KeyId;
    /// Names a webhook.
    WebhookId;
    /// Names an event that webhooks deliver.
    EventId;
    /// Names a program that delivers to webhooks.
    LeaseHolder;
    /// Names one life of an organization's [feed](crate::feed). It is made at random, and made anew
    /// where the database was put back to an earlier state: from then on the same numbers may be of
    /// other changes, so positions of another epoch mean nothing.
    FeedEpoch;
}

/// Where the time ends and chance begins in a UUIDv7, counted from its end.
const CHANCE_BITS: u32 = 80;

impl TimeEntryId {
    /// This id with another time, if it is a UUIDv7: those begin with the milliseconds since
    /// 1970-01-01T00:00:00Z ([RFC 9562]). Any other id stays as it is.
    ///
    /// [RFC 9562]: https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
    ///
    /// ```
    /// use timelog_domain::{TimeEntryId, Timestamp};
    ///
    /// let id: TimeEntryId = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f".parse()?;
    /// let now = Timestamp::from_unix_millis(1_700_000_000_000)?;
    /// assert_eq!(id.made_at(now).to_string(), "018bcfe5-6800-7cc3-98c4-dc0c0c07398f");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn made_at(self, now: Timestamp) -> Self {
        const UNIX_TIME: usize = 7;
        if self.0.get_version_num() != UNIX_TIME {
            return self;
        }
        let time = u128::from(now.unix_millis().max(0).unsigned_abs()) << CHANCE_BITS;
        let chance = self.0.as_u128() & ((1 << CHANCE_BITS) - 1);
        Self(Uuid::from_u128(time | chance))
    }
}

/// Identifies a time entry in the store. It has the organization, so no look-up can find another
/// organization's entry.
pub type TimeEntryKey = (OrganizationId, TimeEntryId);

/// Identifies a webhook in the store, likewise.
pub type WebhookKey = (OrganizationId, WebhookId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let id: UserId = "3FA85F64-5717-4562-b3fc-2c963f66afa6".parse().unwrap();
        assert_eq!(id.to_string(), "3fa85f64-5717-4562-b3fc-2c963f66afa6");
        for text in [
            "",
            "3fa85f6457174562b3fc2c963f66afa6",
            "{3fa85f64-5717-4562-b3fc-2c963f66afa6}",
            "urn:uuid:3fa85f64-5717-4562-b3fc-2c963f66afa6",
            "3fa85f64-5717-4562-b3fc-2c963f66afg6",
            "3fa85f645717-4562-b3fc-2c963f66afa6--",
            " 3fa85f64-5717-4562-b3fc-2c963f66afa",
        ] {
            assert_eq!(text.parse::<UserId>(), Err(InvalidId), "{text:?}");
        }
    }
}
