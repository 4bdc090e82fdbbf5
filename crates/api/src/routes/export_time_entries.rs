//! `GET …/time-entries.csv` and `GET …/time-entries.xlsx`: every entry of a list, as a table for a
//! spreadsheet. The first is read page by page while it is sent; the second is sent once it is
//! complete.

use std::fs::File;
use std::io::{Read as _, Seek};

use actix_web::http::header;
use actix_web::web::{self, Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use futures_util::stream;
use serde_json::json;
use timelog_domain::{
    Filter, Names, OrganizationId, PageRequest, Position, ProjectId, References, Sort, TimeEntry,
};

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
use crate::wire::workbook::Workbook;

/// How many entries are read at a time.
const PAGE: u32 = 250;

/// The memory that a page takes at most, as rows and as text: descriptions have up to 8000 bytes.
const MEMORY: u64 = 4 << 20;

/// What a workbook counts for: it takes no more memory, but room for temporary files.
const MEMORY_OF_WORKBOOK: u64 = 8 * MEMORY;

/// How much of a workbook is sent at a time.
const CHUNK: usize = 64 << 10;

/// The media type of workbooks.
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

type ExportQuery = Asking<(EntryFilter, Order)>;

pub(super) async fn csv_of_project(
    asked: Asked<ToProject<Read>, ExportQuery>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input } = asked;
    export_csv(&request, state, by.key(), Some(by.id), input).await
}

pub(super) async fn csv_of_organization(
    asked: Asked<ToAllProjects<Read>, ExportQuery>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input } = asked;
    export_csv(&request, state, by.key(), None, input).await
}

pub(super) async fn workbook_of_project(
    asked: Asked<ToProject<Read>, ExportQuery>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input } = asked;
    export_workbook(&request, state, by.key(), Some(by.id), input).await
}

pub(super) async fn workbook_of_organization(
    asked: Asked<ToAllProjects<Read>, ExportQuery>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input } = asked;
    export_workbook(&request, state, by.key(), None, input).await
}

async fn export_csv(
    request: &HttpRequest,
    state: Data<AppState>,
    key: &Key,
    project: Option<ProjectId>,
    query: ExportQuery,
) -> Result<HttpResponse, Problem> {
    must_exist(&state, key, project).await?;
    let mut response = attachment("text/csv; charset=utf-8; header=present", "time-entries.csv");
    if is_head(request) {
        return Ok(response.streaming(stream::empty::<Result<Bytes, Problem>>()));
    }
    // The first page is read before anything is answered, so that a database which is away is still
    // answered 503.
    let export = Export::new(state, key, project, query, in_flight::hold(request, MEMORY)?);
    let (first, rest) = export.lines(csv::header()).await?;
    let rest = stream::try_unfold(rest, |export| async move {
        match export.next {
            Next::End => Ok::<_, Problem>(None),
            Next::Page(_) => export.lines(Vec::new()).await.map(Some),
        }
    });
    Ok(response.streaming(futures_util::StreamExt::chain(stream::iter([Ok(first)]), rest)))
}

async fn export_workbook(
    request: &HttpRequest,
    state: Data<AppState>,
    key: &Key,
    project: Option<ProjectId>,
    query: ExportQuery,
) -> Result<HttpResponse, Problem> {
    must_exist(&state, key, project).await?;
    let mut response = attachment(XLSX, "time-entries.xlsx");
    if is_head(request) {
        return Ok(response.streaming(stream::empty::<Result<Bytes, Problem>>()));
    }
    let held = in_flight::hold(request, MEMORY_OF_WORKBOOK)?;
    let mut export = Export::new(state, key, project, query, held);
    let mut workbook = blocking(|| Workbook::new().map_err(unwritten)).await?;
    while let Some((entries, names)) = export.read().await? {
        workbook = blocking(move || {
            entries
                .iter()
                .try_for_each(|entry| workbook.append(entry, &names))
                .map_err(unwritten)?;
            Ok(workbook)
        })
        .await?;
    }
    let file = blocking(move || {
        let mut file = tempfile::tempfile().map_err(unwritten)?;
        workbook.finish(&mut file).map_err(unwritten)?;
        file.rewind().map_err(unwritten)?;
        Ok(file)
    });
    let rest = stream::try_unfold((file.await?, export), |(file, export)| async move {
        let (chunk, file) = blocking(move || chunk(file).map_err(unwritten)).await?;
        Ok::<_, Problem>((!chunk.is_empty()).then_some((chunk, (file, export))))
    });
    Ok(response.streaming(rest))
}

fn attachment(kind: &str, name: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    let disposition = format!("attachment; filename=\"{name}\"");
    response.content_type(kind).insert_header((header::CONTENT_DISPOSITION, disposition));
    response
}

/// The next part of a file; empty at its end.
fn chunk(mut file: File) -> std::io::Result<(Bytes, File)> {
    let mut chunk = Vec::with_capacity(CHUNK);
    (&mut file).take(CHUNK as u64).read_to_end(&mut chunk)?;
    Ok((chunk.into(), file))
}

/// There is no room for temporary files, or something else is wrong with them.
fn unwritten(error: impl std::fmt::Display) -> Problem {
    tracing::warn!(%error, "a workbook cannot be written");
    let detail = "There is no room to make a workbook. Try again later, or ask for CSV.";
    Problem::new(Code::Unavailable, detail).with_header(header::RETRY_AFTER, "60")
}

/// Does work that is not for the thread that answers others.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    web::block(work).await.map_err(|error| Problem::new(Code::Internal, error.to_string()))?
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
    fn new(
        state: Data<AppState>,
        key: &Key,
        project: Option<ProjectId>,
        Asking((filter, order)): ExportQuery,
        held: Option<Held>,
    ) -> Self {
        Self {
            state,
            organization: key.organization_id,
            filter: filter.filter(project, key.reads_only()),
            sort: order.sort(),
            next: Next::Page(None),
            _held: held,
        }
    }

    /// Reads the next page, and the names of what its entries refer to.
    async fn read(&mut self) -> Result<Option<(Vec<TimeEntry>, Names)>, Problem> {
        let Next::Page(after) = self.next else { return Ok(None) };
        let request =
            PageRequest { filter: self.filter.clone(), sort: self.sort, after, limit: PAGE };
        let ports = &self.state.ports;
        let page = ports.queries.list(self.organization, request).await?;
        self.next = page.next.map_or(Next::End, |position| Next::Page(Some(position)));
        let names = if page.items.is_empty() {
            Names::default()
        } else {
            let references = page.items.iter().collect::<References>();
            ports.directory.names(self.organization, references).await?
        };
        Ok(Some((page.items, names)))
    }

    /// Reads the next page and adds its lines to `text`.
    async fn lines(mut self, mut text: Vec<u8>) -> Result<(Bytes, Self), Problem> {
        let Some((entries, names)) = self.read().await? else { return Ok((text.into(), self)) };
        let text = blocking(move || {
            for entry in &entries {
                csv::append(&mut text, entry, &names);
            }
            Ok(text)
        });
        Ok((text.await?.into(), self))
    }
}

pub(super) fn about_csv_of_project() -> About {
    let what = "Answers all entries of a project that the filters let through, in one table.";
    about("exportProjectTimeEntries", "Export the time entries of a project as CSV", what, CSV)
        .answer(table())
}

pub(super) fn about_csv_of_organization() -> About {
    let what = "Answers all entries of the organization that the filters let through, in one \
        table. The key must not be confined to a project.";
    about("exportTimeEntries", "Export the time entries of the organization as CSV", what, CSV)
        .answer(table())
}

pub(super) fn about_workbook_of_project() -> About {
    let what = "Answers all entries of a project that the filters let through, in one workbook.";
    let summary = "Export the time entries of a project as a workbook";
    about("exportProjectWorkbook", summary, what, WORKBOOK).answer(workbook())
}

pub(super) fn about_workbook_of_organization() -> About {
    let what = "Answers all entries of the organization that the filters let through, in one \
        workbook. The key must not be confined to a project.";
    let summary = "Export the time entries of the organization as a workbook";
    about("exportWorkbook", summary, what, WORKBOOK).answer(workbook())
}

const CSV: &str = "The first line names the columns, as in RFC 4180; the names of project, user, \
    ticket and release are at the end. The table is read while it is sent; if that fails midway, \
    the connection is cut, and the table is not complete. Texts that a spreadsheet would take for \
    a formula have an apostrophe before them, and so has what follows a `;`, a comma, a quote, a \
    tab or a line end inside a text, where a program might divide it. The key needs the \
    permission `read`.";

const WORKBOOK: &str = "It has the columns of the CSV. Days and instants (UTC) are dates, minutes \
    and hours are numbers, texts are texts, whatever they begin with, and the last row is the \
    total. A day before March 1900, which spreadsheets number differently, is a text. A sheet has up to \
    1048574 entries; then another one begins. The workbook is sent once it is complete. The key \
    needs the permission `read`.";

fn about(id: &'static str, summary: &'static str, what: &str, how: &str) -> About {
    About::new(id, Tag::Lists, summary, format!("{what} {how}"))
}

fn table() -> Answer {
    let columns = "id,projectId,userId,entryId,releaseId,workDate,hours,minutes,description,\
        billable,source,status,invoiced,externalRef.provider,externalRef.externalType,\
        externalRef.externalId,version,createdAt,updatedAt,projectName,userName,entryTitle,\
        releaseName";
    let row = "01946900-56c0-7c3e-9d24-51f6a7b8c9d0,9a8b7c6d-0000-0000-0000-000000000002,\
        9a8b7c6d-0000-0000-0000-000000000002,,,2025-01-15,0.75,45,Sprint review,true,api,draft,\
        false,jira,worklog,10042,1,2025-01-15T08:06:57.472Z,2025-01-15T08:06:57.472Z,Website,Ada,,";
    Answer::text(200, "The table.", "text/csv")
        .example(json!(format!("{columns}\r\n{row}\r\n")))
        .header(&headers::CONTENT_DISPOSITION)
}

fn workbook() -> Answer {
    Answer::text(200, "The workbook.", XLSX).header(&headers::CONTENT_DISPOSITION)
}
