//! Tells those who wait that an organization has changed: of this program's commits at once, and of
//! those of others, which are looked for, soon after.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use timelog_domain::OrganizationId;
use timelog_domain::ports::{Notice, PortError};
use tokio::sync::watch;

use crate::database::{Database, on_database};
use crate::feed::last_change;
use crate::schema::organizations;
use crate::types::IdValue;

/// How often it is looked for commits of other programs, as long as somebody waits.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many organizations one statement looks at.
const MOST: usize = 500;

/// The organizations for which somebody waits. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Notices(Arc<Mutex<HashMap<OrganizationId, Watched>>>);

struct Watched {
    tell: watch::Sender<()>,
    /// The last change that was found when it was looked for.
    seen: Option<i64>,
}

impl Notices {
    /// Ends with the next change of the organization.
    pub(crate) fn of(&self, organization: OrganizationId) -> Notice {
        let mut watched = self.lock();
        let watched = watched
            .entry(organization)
            .or_insert_with(|| Watched { tell: watch::Sender::new(()), seen: None });
        let mut told = watched.tell.subscribe();
        Box::pin(async move { drop(told.changed().await) })
    }

    /// Tells that the organization has changed.
    pub(crate) fn tell(&self, organization: OrganizationId) {
        if let Some(watched) = self.lock().get(&organization) {
            watched.tell.send_replace(());
        }
    }

    /// Looks for commits of other programs, for ever.
    pub(crate) async fn look(self, database: Database) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            for organizations in self.waited_for().chunks(MOST) {
                match last_changes(&database, organizations).await {
                    Ok(last) => self.note(last),
                    Err(error) => {
                        tracing::debug!(%error, "changes of others could not be looked for");
                    }
                }
            }
        }
    }

    /// The organizations for which somebody waits. The others are forgotten.
    fn waited_for(&self) -> Vec<IdValue> {
        let mut watched = self.lock();
        watched.retain(|_, watched| watched.tell.receiver_count() > 0);
        watched.keys().copied().map(IdValue::from).collect()
    }

    /// Tells of those that have changed since they were looked at, and of those that are looked at
    /// for the first time: they may have changed since somebody began to wait.
    fn note(&self, last: Vec<(IdValue, i64)>) {
        let mut watched = self.lock();
        for (organization, last) in last {
            if let Some(watched) = watched.get_mut(&organization.into())
                && watched.seen.replace(last) != Some(last)
            {
                watched.tell.send_replace(());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OrganizationId, Watched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of the last change of each organization; 0 where it has none.
async fn last_changes(
    database: &Database,
    organizations: &[IdValue],
) -> Result<Vec<(IdValue, i64)>, PortError> {
    let last = organizations::table
        .filter(organizations::id.eq_any(organizations.to_vec()))
        .select((organizations::id, last_change()));
    let last = on_database!(database, look_up, |conn| last.load::<(_, Option<_>)>(conn).await);
    Ok(last.await?.into_iter().map(|(id, last)| (id, last.unwrap_or(0))).collect())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use uuid::Uuid;

    use super::*;

    fn organization(number: u128) -> OrganizationId {
        OrganizationId::new(Uuid::from_u128(number))
    }

    fn has_ended(notice: &mut Notice) -> bool {
        notice.now_or_never().is_some()
    }

    #[test]
    fn those_who_wait_are_told_of_their_own_organization_at_once() {
        let notices = Notices::default();
        let [mut one, mut also, mut other] =
            [1, 1, 2].map(|number| notices.of(organization(number)));
        assert!(!has_ended(&mut one));
        notices.tell(organization(1));
        assert!(has_ended(&mut one) && has_ended(&mut also) && !has_ended(&mut other));
        // Who begins to wait afterwards waits for the next change.
        assert!(!has_ended(&mut notices.of(organization(1))));
    }

    #[test]
    fn what_was_found_is_told_the_first_time_and_when_it_has_changed() {
        let notices = Notices::default();
        let one = organization(1);
        for (last, is_told) in [(7, true), (7, false), (8, true), (8, false)] {
            let mut notice = notices.of(one);
            notices.note(vec![(one.into(), last), (organization(2).into(), last)]);
            assert_eq!(has_ended(&mut notice), is_told, "{last}");
        }
    }

    #[test]
    fn where_nobody_waits_nothing_is_looked_for() {
        let notices = Notices::default();
        let waits = notices.of(organization(1));
        drop(notices.of(organization(2)));
        assert_eq!(notices.waited_for(), [organization(1).into()]);
        drop(waits);
        assert_eq!(notices.waited_for(), []);
    }
}
