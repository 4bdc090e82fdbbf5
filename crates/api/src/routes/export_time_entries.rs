//! `GET …/time-entries.csv`: every entry of a list, as a table for a spreadsheet. It is read page
//! by page while it is sent.

use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use timelog_domain::{Filter, OrganizationId, PageRequest, Permission, Position, ProjectId, Sort};

use super::admission::{Key, admit_to_all_projects, admit_to_project};
use super::is_head;
use super::list_time_entries::must_exist;
use crate::csv;
use crate::http::in_flight::{self, Held};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::state::AppState;

/// How many entries are read at a time.
const PAGE: u32 = 250;

/// The memory that a page takes at most, as rows and as text: descriptions have up to 8000 bytes.
const MEMORY: u64 = 4 << 20;

pub(super) async fn export_of_project(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, project) = admit_to_project(&request, &state, Permission::Read).await?;
    export(&request, state, &key, Some(project)).await
}

pub(super) async fn export_of_organization(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let key = admit_to_all_projects(&request, &state, Permission::Read).await?;
    export(&request, state, &key, None).await
}

async fn export(
    request: &HttpRequest,
    state: Data<AppState>,
    key: &Key,
    project: Option<ProjectId>,
) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(request);
    let filter = query.filter(project);
    let sort: Sort = query.one("sort").unwrap_or_default();
    query.finish()?;
    must_exist(&state, key, project).await?;
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/csv; charset=utf-8; header=present")
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"time-entries.csv\""));
    if is_head(request) {
        return Ok(response.streaming(stream::empty::<Result<Bytes, Problem>>()));
    }
    let held = in_flight::hold(request, MEMORY)?;
    // The first page is read before anything is answered, so that a database which is away is still
    // answered 503.
    let start = Export {
        state,
        organization: key.organization_id,
        filter,
        sort,
        next: Next::Page(None),
        _held: held,
    };
    let (first, rest) = start.page(csv::header()).await?;
    let rest = stream::try_unfold(rest, |export| async move {
        match export.next {
            Next::End => Ok::<_, Problem>(None),
            Next::Page(_) => export.page(Vec::new()).await.map(Some),
        }
    });
    Ok(response.streaming(futures_util::StreamExt::chain(stream::iter([Ok(first)]), rest)))
}

/// Where an export is.
struct Export {
    state: Data<AppState>,
    organization: OrganizationId,
    filter: Filter,
    sort: Sort,
    next: Next,
    _held: Option<Held>,
}

enum Next {
    /// The page after this position.
    Page(Option<Position>),
    /// There is none.
    End,
}

impl Export {
    /// Reads the next page and adds its rows to `text`.
    async fn page(mut self, mut text: Vec<u8>) -> Result<(Bytes, Self), Problem> {
        let after = match self.next {
            Next::Page(after) => after,
            Next::End => return Ok((text.into(), self)),
        };
        let request =
            PageRequest { filter: self.filter.clone(), sort: self.sort, after, limit: PAGE };
        let page = self.state.ports.queries.list(self.organization, request).await?;
        page.items.iter().for_each(|entry| csv::append(&mut text, entry));
        self.next = page.next.map_or(Next::End, |position| Next::Page(Some(position)));
        Ok((text.into(), self))
    }
}
