//! Closings on diesel.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use timelog_domain::ports::{Closings, PortFuture};
use timelog_domain::{Closing, ClosingKey};

use crate::database::on_database;
use crate::rows::ClosingRow;
use crate::schema::closings;
use crate::store::Store;
use crate::types::IdValue;

impl Closings for Store {
    fn closings(
        &self,
        (organization, project): ClosingKey,
        limit: u32,
    ) -> PortFuture<'_, Vec<Closing>> {
        Box::pin(async move {
            let newest_first = closings::table
                .filter(closings::organization_id.eq(IdValue::from(organization)))
                .order(closings::number.desc())
                .limit(limit.into());
            let rows = on_database!(self.database, read(organization), |conn| {
                let newest_first = newest_first.select(ClosingRow::as_select());
                match project.map(IdValue::from) {
                    Some(id) => newest_first.filter(closings::project_id.eq(id)).load(conn).await,
                    None => newest_first.filter(closings::project_id.is_null()).load(conn).await,
                }
            });
            Ok(rows.await?.into_iter().map(Closing::try_from).collect::<Result<_, _>>()?)
        })
    }
}
