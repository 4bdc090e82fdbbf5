//! The users of the rows of a file.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, bail};
use timelog_adapters::shown;
use timelog_domain::UserId;

use super::fault::{Fault, quoted};

/// Which user each row belongs to.
#[derive(Debug, Default)]
pub(super) struct Users {
    all: Option<UserId>,
    by_name: HashMap<String, UserId>,
}

impl Users {
    /// This user, for every row.
    pub(super) fn one(user: UserId) -> Self {
        Self { all: Some(user), ..Self::default() }
    }

    /// Reads a file with a name on each line, as the rows have it, and the id of its user.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let cannot_read = || format!("cannot read the users in {}", shown::path(path));
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_path(path)
            .with_context(cannot_read)?;
        let mut users = Self::default();
        for (index, line) in reader.records().enumerate() {
            let line = line.with_context(cannot_read)?;
            let (name, id) = (line.get(0).unwrap_or_default(), line.get(1).unwrap_or_default());
            let id = match id.parse::<UserId>() {
                Ok(id) => id,
                // The first line may name the columns.
                Err(_) if index == 0 && line.len() > 1 => continue,
                Err(error) => bail!("{}: the id of {} {error}", shown::path(path), quoted(name)),
            };
            if users.by_name.insert(name.to_lowercase(), id).is_some_and(|other| other != id) {
                bail!("{}: {} stands for two users", shown::path(path), quoted(name));
            }
        }
        Ok(users)
    }

    /// Whether rows can name users only by their ids.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_none() && self.by_name.is_empty()
    }

    /// The user of a row, by the names in the row.
    pub(super) fn find(&self, names: &[String]) -> Result<UserId, Fault> {
        let known = names.iter().find_map(|name| self.by_name.get(&name.to_lowercase()).copied());
        let id = || names.iter().find_map(|name| name.parse().ok());
        self.all.or(known).or_else(id).ok_or_else(|| match names {
            [] => Fault::new("userId", "the row names no user"),
            [name, ..] => Fault::new(
                "userId",
                format!("{} is no id of a user and nobody that --users names", quoted(name)),
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: &str = "01941a2e-5c00-7000-8000-000000000001";
    const BOB: &str = "01941a2e-5c00-7000-8000-000000000002";

    fn users(text: &str) -> anyhow::Result<Users> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Users::read(file.path())
    }

    fn find(users: &Users, names: &[&str]) -> Option<String> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        users.find(&names).ok().map(|id| id.to_string())
    }

    #[test]
    fn users_are_found_by_any_of_their_names_or_by_their_id() {
        let users =
            users(&format!("name,userId\r\nAnn@Example.com, {ANN}\r\n\"Smith, Bob\",{BOB}\r\n"))
                .unwrap();
        assert_eq!(find(&users, &["ann@example.COM", "whoever"]).as_deref(), Some(ANN));
        assert_eq!(find(&users, &["bob@example.com", "smith, bob"]).as_deref(), Some(BOB));
        assert_eq!(find(&users, &[BOB]).as_deref(), Some(BOB));
        assert_eq!(find(&users, &["carol@example.com"]), None);
        assert_eq!(find(&users, &[]), None);
    }

    #[test]
    fn one_user_can_be_that_of_every_row() {
        let users = Users::one(ANN.parse().unwrap());
        assert_eq!(find(&users, &[BOB]).as_deref(), Some(ANN));
        assert_eq!(find(&users, &[]).as_deref(), Some(ANN));
    }

    #[test]
    fn a_file_of_users_that_is_wrong_is_refused() {
        assert!(users(&format!("ann,{ANN}\nbob,7\n")).is_err());
        assert!(users(&format!("ann,{ANN}\nANN,{BOB}\n")).is_err());
        assert!(users("ann\n").is_err());
        assert!(users("/").is_err());
        assert!(Users::read(Path::new("/nowhere/at/all")).is_err());
    }
}
