//! The permissions of a key.

use std::fmt;

use crate::named::{UnknownName, named};

named! {
    /// One permission of a key.
    pub enum Permission {
        /// Read entries and the directory.
        Read = "read",
        /// Log, edit, delete, submit and recall entries.
        Write = "write",
        /// Approve, reject, reopen, lock and unlock entries.
        Approve = "approve",
        /// Put entries on an invoice and remove them from it.
        Bill = "bill",
        /// Maintain the directory.
        Admin = "admin",
    }
}

/// A set of permissions.
///
/// ```
/// use timelog_domain::{Permission, Permissions};
///
/// let permissions: Permissions = [Permission::Write, Permission::Read].into_iter().collect();
/// assert!(permissions.contains(Permission::Read));
/// assert_eq!(permissions.to_string(), "read,write");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Permissions(u8);

impl Permissions {
    /// Every permission there is.
    #[must_use]
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// Whether the permission is in the set.
    #[must_use]
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & Self::bit(permission) != 0
    }

    /// The permissions in the set, in the order of [`Permission::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.contains(*permission))
    }

    const fn bit(permission: Permission) -> u8 {
        1 << permission as u8
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | Self::bit(permission)))
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Permissions {
    /// A list of names.
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter())
    }
}

impl fmt::Display for Permissions {
    /// Comma-separated names, as [`FromStr`](std::str::FromStr) reads them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, permission) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{permission}")?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Permissions {
    type Err = UnknownName;

    /// Reads comma-separated names. A repeated name counts once; an empty name is an error.
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        text.split(',').map(|name| name.trim().parse::<Permission>()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_parsed_from_their_text() {
        assert_eq!(Permissions::all().to_string(), "read,write,approve,bill,admin");
        assert_eq!("write, read".parse::<Permissions>().unwrap().to_string(), "read,write");
        for wrong in ["", "read,", "root", "READ"] {
            let error = wrong.parse::<Permissions>().unwrap_err().to_string();
            assert_eq!(error, "must be one of read, write, approve, bill, admin", "{wrong:?}");
        }
    }
}
