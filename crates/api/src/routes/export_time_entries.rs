//! `GET …/time-entries.csv`: every entry of a list, as a table for a spreadsheet. It is read page
//! by page while it is sent.

use actix_web::http::header;
use actix_web::web::{self, Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use serde_json::json;
use timelog_domain::{Filter, OrganizationId, PageRequest, Position, ProjectId, Sort};

use super::admission::{HasKey, Key, Read, ToAllProjects, ToProject};
use super::answer::is_head;
use super::asked::{Asked, Asking};
use super::list_time_entries::must_exist;
use crate::document::{About, Answer, Tag, headers};
use crate::http::code::Code;
use crate::http::in_flight::{self, Held};
use crate::http::problem::Problem;
use crate::state::AppState;
use crate::wire::csv;
use crate::wire::filter::{EntryFilter, Order};

/// How many entries are read at a time.
const PAGE: u32 = 250;

/// The memory that a page takes at most, as rows and as text: descriptions have up to 8000 bytes.
const MEMORY: u64 = 4 << 20;

type ExportQuery = Asking<(EntryFilter, Order)>;

pub(super) async fn export_of_project(
    asked: Asked<ToProject<Read>, ExportQuery>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input } = asked;
    export(&request, state, by.key(), Some(by.id), input).await
}

pub(super) async fn export_of_organization(
    asked: Asked<ToAllProjects<Read>, ExportQuery>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input } = asked;
    export(&request, state, by.key(), None, input).await
}

async fn export(
    request: &HttpRequest,
    state: Data<AppState>,
    key: &Key,
    project: Option<ProjectId>,
    Asking((filter, order)): ExportQuery,
) -> Result<HttpResponse, Problem> {
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
        filter: filter.filter(project, key.reads_only()),
        sort: order.sort(),
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
        self.next = page.next.map_or(Next::End, |position| Next::Page(Some(position)));
        // Not on the thread that answers others.
        let rows = web::block(move || {
            page.items.iter().for_each(|entry| csv::append(&mut text, entry));
            text
        });
        let text = rows.await.map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
        Ok((text.into(), self))
    }
}

pub(super) fn about_of_project() -> About {
    About::new(
        "exportProjectTimeEntries",
        Tag::Lists,
        "Export the time entries of a project as CSV",
        "Answers all entries of a project that the filters let through, in one table (RFC 4180) \
         whose first line names the columns. It is read while it is sent; if that fails midway, \
         the connection is cut, and the table is not complete. Texts that a spreadsheet would \
         take for a formula have an apostrophe before them, and so has what follows a `;`, a \
         comma, a quote, a tab or a line end inside a text, where a program might divide it. \
         The key needs the permission `read`.",
    )
    .answer(
        Answer::text(200, "The table.", "text/csv")
            .example(json!("id,projectId,userId,entryId,releaseId,workDate,hours,minutes,description,billable,source,status,invoiced,externalRef.provider,externalRef.externalType,externalRef.externalId,version,createdAt,updatedAt\r\n01946900-56c0-7c3e-9d24-51f6a7b8c9d0,9a8b7c6d-0000-0000-0000-000000000002,9a8b7c6d-0000-0000-0000-000000000002,,,2025-01-15,0.75,45,Sprint \
             review,true,api,draft,false,jira,worklog,10042,1,2025-01-15T08:06:57.472Z,2025-01-15T08:06:57.472Z\r\n"))
            .header(&headers::CONTENT_DISPOSITION),
    )
}

pub(super) fn about_of_organization() -> About {
    About::new(
        "exportTimeEntries",
        Tag::Lists,
        "Export the time entries of the organization as CSV",
        "Answers all entries of the organization that the filters let through, in one table \
         (RFC 4180) whose first line names the columns. It is read while it is sent; if that \
         fails midway, the connection is cut, and the table is not complete. Texts that a \
         spreadsheet would take for a formula have an apostrophe before them, and so has what \
         follows a `;`, a comma, a quote, a tab or a line end inside a text, where a program \
         might divide it. The key needs the permission `read`, and must not be confined to a \
         project.",
    )
    .answer(
        Answer::text(200, "The table.", "text/csv")
            .example(json!("id,projectId,userId,entryId,releaseId,workDate,hours,minutes,description,billable,source,status,invoiced,externalRef.provider,externalRef.externalType,externalRef.externalId,version,createdAt,updatedAt\r\n01946900-56c0-7c3e-9d24-51f6a7b8c9d0,9a8b7c6d-0000-0000-0000-000000000002,9a8b7c6d-0000-0000-0000-000000000002,,,2025-01-15,0.75,45,Sprint \
             review,true,api,draft,false,jira,worklog,10042,1,2025-01-15T08:06:57.472Z,2025-01-15T08:06:57.472Z\r\n"))
            .header(&headers::CONTENT_DISPOSITION),
    )
}
