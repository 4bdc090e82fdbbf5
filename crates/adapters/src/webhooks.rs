//! Webhooks on diesel: reading them, and who delivers to which.

use std::time::Duration;

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Nullable;
use diesel_async::{AsyncConnection, RunQueryDsl};
use timelog_domain::ports::{
    Backlog, Deliveries, DeliveryProgress, LEASE, PortError, PortFuture, Webhooks,
};
use timelog_domain::{
    DeliveryFailure, LeaseHolder, OrganizationId, Page, Seq, Timestamp, Webhook, WebhookId,
    WebhookKey, WebhookState,
};

use crate::database::{Database, on_database};
use crate::error::DbError;
use crate::feed::last_change;
use crate::rows::{DeliveryRow, FailureRow, WebhookRow};
use crate::schema::{organizations, time_entry_history, webhook_failures, webhooks};
use crate::store::Store;
use crate::types::{IdValue, Instant, InstantValue};

/// Whether a webhook delivers.
#[diesel::dsl::auto_type(no_type_alias)]
fn is_enabled() -> _ {
    webhooks::enabled.eq(true).and(webhooks::disabled_reason.is_null())
}

/// Whether there are changes that it did not get to yet.
macro_rules! is_behind {
    () => {
        last_change().gt(webhooks::delivered_through.nullable())
    };
}

/// When the first of them happened.
#[diesel::dsl::auto_type(no_type_alias)]
fn first_undelivered() -> _ {
    time_entry_history::table
        .filter(time_entry_history::organization_id.eq(webhooks::organization_id))
        .filter(time_entry_history::seq.gt(webhooks::delivered_through))
        .order(time_entry_history::seq)
        .select(time_entry_history::at)
        .single_value()
}

#[diesel::dsl::auto_type(no_type_alias)]
fn with_organizations() -> _ {
    webhooks::table
        .inner_join(organizations::table.on(organizations::id.eq(webhooks::organization_id)))
}

fn state((row, end): (WebhookRow, Option<i64>)) -> Result<WebhookState, DbError> {
    Ok(WebhookState { webhook: row.try_into()?, end: Seq::new(end.unwrap_or(0)) })
}

impl Webhooks for Store {
    fn webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
    ) -> PortFuture<'_, Option<WebhookState>> {
        Box::pin(async move {
            let query = with_organizations()
                .filter(webhooks::organization_id.eq(IdValue::from(organization)))
                .filter(webhooks::id.eq(IdValue::from(id)));
            let found = on_database!(self.database, read(organization), |conn| {
                query.select((WebhookRow::as_select(), last_change())).first(conn).await.optional()
            });
            Ok(found.await?.map(state).transpose()?)
        })
    }

    fn webhooks(
        &self,
        organization: OrganizationId,
        after: Option<WebhookId>,
        limit: u32,
    ) -> PortFuture<'_, Page<WebhookState, WebhookId>> {
        Box::pin(async move {
            let query = with_organizations()
                .filter(webhooks::organization_id.eq(IdValue::from(organization)))
                // Ids are minted here, and none is the least one there is.
                .filter(webhooks::id.gt(after.map_or(IdValue::NIL, IdValue::from)))
                .order(webhooks::id)
                .limit(i64::from(limit) + 1);
            let rows = on_database!(self.database, read(organization), |conn| {
                query.select((WebhookRow::as_select(), last_change())).load(conn).await
            });
            let items = rows.await?.into_iter().map(state);
            Ok(Page::of(items.collect::<Result<_, _>>()?, limit, |last| last.webhook.id))
        })
    }

    fn failures(
        &self,
        (organization, webhook): WebhookKey,
        after: Seq,
        limit: u32,
    ) -> PortFuture<'_, Page<DeliveryFailure, Seq>> {
        Box::pin(async move {
            let query = webhook_failures::table
                .filter(webhook_failures::organization_id.eq(IdValue::from(organization)))
                .filter(webhook_failures::webhook_id.eq(IdValue::from(webhook)))
                .filter(webhook_failures::seq.gt(after.get()))
                .order(webhook_failures::seq)
                .limit(i64::from(limit) + 1);
            let rows = on_database!(self.database, read(organization), |conn| {
                query.select(FailureRow::as_select()).load(conn).await
            });
            let items = rows.await?.into_iter().map(DeliveryFailure::try_from);
            Ok(Page::of(items.collect::<Result<_, _>>()?, limit, |last| last.seq))
        })
    }
}

impl Deliveries for Store {
    fn lease(
        &self,
        holder: LeaseHolder,
        now: Timestamp,
        limit: u32,
    ) -> PortFuture<'_, Vec<Webhook>> {
        Box::pin(async move {
            let due = with_organizations()
                .filter(is_enabled())
                .filter(
                    webhooks::next_attempt_at
                        .is_null()
                        .or(webhooks::next_attempt_at.le(InstantValue::from(now))),
                )
                .filter(
                    webhooks::lease_until
                        .is_null()
                        .or(webhooks::lease_until.le(self.database_time(Duration::ZERO))),
                )
                .filter(is_behind!())
                .order((webhooks::next_attempt_at, webhooks::delivered_through))
                .limit(limit.into())
                .select((webhooks::organization_id, webhooks::id));
            let due = on_database!(self.database, look_up, |conn| due.load(conn).await);
            let due: Vec<(IdValue, IdValue)> = due.await?;
            let mut leased = Vec::new();
            for key in due {
                leased.extend(self.lease_one(holder, key).await?);
            }
            Ok(leased)
        })
    }

    fn note(
        &self,
        holder: LeaseHolder,
        progress: DeliveryProgress,
        release: bool,
    ) -> PortFuture<'_, bool> {
        Box::pin(async move {
            let DeliveryProgress { webhook, version, delivery, put_aside } = progress;
            let (organization, id) = (IdValue::from(webhook.0), IdValue::from(webhook.1));
            let permit = self.permit_to_put(webhook.0).await?;
            let failure = put_aside.map(|failure| FailureRow::new(webhook, failure));
            let until = if release { sql("NULL") } else { self.database_time(LEASE) };
            let held = || {
                webhooks::table
                    .find((organization, id))
                    .filter(webhooks::lease_holder.eq(IdValue::from(holder)))
            };
            let give_back = diesel::update(held()).set((
                webhooks::lease_holder.eq(None::<IdValue>),
                webhooks::lease_until.eq(None::<InstantValue>),
            ));
            let update = diesel::update(held().filter(webhooks::version.eq(version.get()))).set((
                DeliveryRow::from(&delivery),
                webhooks::lease_holder.eq((!release).then(|| IdValue::from(holder))),
                webhooks::lease_until.eq(until),
            ));
            on_database!(self.database, write, |conn| {
                let work = async |conn: &mut _| {
                    // The first statement writes, so on SQLite the transaction has the lock before
                    // it has read anything.
                    let is_noted = update.execute(conn).await? == 1;
                    if let Some(failure) = failure.as_ref().filter(|_| is_noted) {
                        diesel::insert_into(webhook_failures::table)
                            .values(failure)
                            .on_conflict(webhook_failures::table.primary_key())
                            .do_update()
                            .set(failure)
                            .execute(conn)
                            .await?;
                    }
                    if !is_noted {
                        give_back.execute(conn).await?;
                    }
                    QueryResult::Ok(is_noted)
                };
                let noted = conn.transaction(work).await;
                drop(permit);
                noted
            })
            .await
        })
    }

    fn watched(&self) -> PortFuture<'_, Vec<OrganizationId>> {
        Box::pin(async move {
            let query =
                webhooks::table.filter(is_enabled()).select(webhooks::organization_id).distinct();
            let watched =
                on_database!(self.database, look_up, |conn| { query.load::<IdValue>(conn).await });
            Ok(watched.await?.into_iter().map(Into::into).collect())
        })
    }

    fn backlog(&self) -> PortFuture<'_, Backlog> {
        Box::pin(async move {
            let given_up = webhooks::table.filter(webhooks::disabled_reason.is_not_null()).count();
            let behind = with_organizations().filter(is_enabled()).filter(is_behind!()).select((
                webhooks::delivered_through,
                last_change(),
                first_undelivered(),
            ));
            let read = on_database!(self.database, look_up, |conn| {
                async {
                    let behind: Vec<(i64, Option<i64>, Option<InstantValue>)> =
                        behind.load(conn).await?;
                    let given_up: i64 = given_up.get_result(conn).await?;
                    QueryResult::Ok((behind, given_up))
                }
                .await
            });
            let (behind, given_up) = read.await?;
            let changes = behind.iter().map(|(through, end, _)| end.unwrap_or(0) - through);
            let oldest = behind.iter().filter_map(|(_, _, at)| at.map(Timestamp::from)).min();
            let (behind, given_up) = (changes.sum::<i64>().unsigned_abs(), given_up.unsigned_abs());
            Ok(Backlog { behind, oldest, given_up })
        })
    }
}

impl Store {
    /// The time of the database now, or that long after it. Leases have no other clock, because
    /// those of two programs may differ.
    fn database_time(&self, after: Duration) -> SqlLiteral<Nullable<Instant>> {
        let millis = after.as_millis();
        sql(&match self.database {
            Database::Sqlite(_) => {
                format!("CAST(unixepoch('subsec') * 1000 AS INTEGER) + {millis}")
            }
            Database::Postgres(_) => {
                format!("clock_timestamp() + interval '{millis} milliseconds'")
            }
        })
    }

    /// Leases a webhook, unless somebody else was faster.
    async fn lease_one(
        &self,
        holder: LeaseHolder,
        key: (IdValue, IdValue),
    ) -> Result<Option<Webhook>, PortError> {
        let permit = self.permit_to_put(key.0.into()).await?;
        let (until, now) = (self.database_time(LEASE), self.database_time(Duration::ZERO));
        let update = diesel::update(webhooks::table.find(key))
            .filter(webhooks::lease_until.is_null().or(webhooks::lease_until.le(now)))
            .set((
                webhooks::lease_holder.eq(Some(IdValue::from(holder))),
                webhooks::lease_until.eq(until),
            ));
        let row = on_database!(self.database, write, |conn| {
            let returning = update.returning(WebhookRow::as_returning());
            let leased = returning.get_result(conn).await.optional();
            drop(permit);
            leased
        });
        Ok(row.await?.map(Webhook::try_from).transpose()?)
    }
}
