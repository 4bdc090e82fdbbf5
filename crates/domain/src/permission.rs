//! The permissions of a key.

use std::fmt;

use crate::ids::UserId;
use crate::named::{UnknownName, named};

named! {
    /// One permission of a key.
    pub enum Permission {
        /// Read everything.
        Read = "read",
        /// Read the entries of the key's own user, and the directory. What the user may not see
        /// is as if it did not exist.
        ReadOwn = "read-own",
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
    /// Everything that a key may do: every permission but [`ReadOwn`](Permission::ReadOwn), which is
    /// less than [`Read`](Permission::Read).
    #[must_use]
    pub fn all() -> Self {
        let but_own = |permission: &Permission| *permission != Permission::ReadOwn;
        Permission::ALL.iter().copied().filter(but_own).collect()
    }

    /// Checks that a key may have these, with that user.
    ///
    /// # Errors
    ///
    /// [`InvalidPermissions`] where it may not.
    pub fn check(self, user: Option<UserId>) -> Result<(), InvalidPermissions> {
        if !self.contains(Permission::ReadOwn) {
            return Ok(());
        }
        if self.contains(Permission::Read) {
            return Err(InvalidPermissions::ReadTwice);
        }
        user.map(drop).ok_or(InvalidPermissions::ReadOwnOfNobody)
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

/// A key cannot have these permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPermissions {
    /// It would have both ways to read.
    #[error("a key has one of read and read-own at most")]
    ReadTwice,
    /// It would read a user's entries, but is bound to no user.
    #[error("read-own needs a user that the key is bound to")]
    ReadOwnOfNobody,
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
            let names = "must be one of read, read-own, write, approve, bill, admin";
            assert_eq!(error, names, "{wrong:?}");
        }
    }

    #[test]
    fn a_key_reads_in_one_way_and_its_own_user_alone_with_one() {
        let (read, own) = (Permission::Read, Permission::ReadOwn);
        let user = "3fa85f64-5717-4562-b3fc-2c963f66afa6".parse().ok();
        let check = |permissions: &[Permission], user| {
            permissions.iter().copied().collect::<Permissions>().check(user)
        };
        assert_eq!((check(&[read], None), check(&[own], user)), (Ok(()), Ok(())));
        assert_eq!(check(&[], None), Ok(()));
        assert_eq!(check(&[own, read], user), Err(InvalidPermissions::ReadTwice));
        assert_eq!(check(&[own], None), Err(InvalidPermissions::ReadOwnOfNobody));
        assert_eq!(Permissions::all().check(None), Ok(()));
    }
}
