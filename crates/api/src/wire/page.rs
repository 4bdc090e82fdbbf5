//! Pages of lists.

use std::str::FromStr;

use serde::Serialize;
use timelog_domain::Sort;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder};
use utoipa::openapi::{RefOr, Schema};

use super::cursor_text::{CURSOR, CursorText};
use super::fault::Fault;
use super::query::{Boolean, ParameterValue};
use super::schema::{self, Described, Member, Schemas};
use super::{Answered, Parameters, Sometimes, query};

query! {
    /// Which page.
    pub(crate) struct PageQuery {
        /// How many items a page has at most.
        limit: Option<ListLimit> = "limit", example 100;
        /// Where the page begins: the `nextCursor` of the page before. It belongs to that list,
        /// with its filters and its order; `limit` may change. It does not expire.
        cursor: Option<CursorText> = "cursor";
    }
}

query! {
    /// Whether all pages are counted.
    pub(crate) struct TotalQuery {
        /// Whether to count all items that the filters let through.
        include_total: Option<Boolean> = "includeTotal", example true, default false;
    }
}

/// Parameters with a cursor among them.
pub(crate) trait Paged: Parameters {
    fn cursor(&self) -> Option<&CursorText>;

    /// The order of the list; none where that is the order of ids.
    fn sort(&self) -> Option<Sort>;
}

impl Paged for PageQuery {
    fn cursor(&self) -> Option<&CursorText> {
        self.cursor.as_ref()
    }

    fn sort(&self) -> Option<Sort> {
        None
    }
}

impl PageQuery {
    /// How many items to answer.
    pub(crate) fn limit(&self) -> u32 {
        self.limit.unwrap_or_default().get()
    }
}

impl TotalQuery {
    pub(crate) fn is_wanted(&self) -> bool {
        self.include_total.is_some_and(|Boolean(include)| include)
    }
}

/// How many items a page has at most: the number where none is asked for, and the largest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit<const DEFAULT: u32, const MOST: u32>(u32);

/// That of lists.
type ListLimit = Limit<50, MOST_ITEMS>;

const MOST_ITEMS: u32 = 200;

impl<const DEFAULT: u32, const MOST: u32> Default for Limit<DEFAULT, MOST> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl<const DEFAULT: u32, const MOST: u32> Limit<DEFAULT, MOST> {
    pub(crate) const fn get(self) -> u32 {
        self.0
    }
}

/// The text is no [`Limit`] of that most.
#[derive(Debug, thiserror::Error)]
#[error("must be a whole number from 1 to {MOST}")]
pub(crate) struct InvalidLimit<const MOST: u32>;

impl<const DEFAULT: u32, const MOST: u32> FromStr for Limit<DEFAULT, MOST> {
    type Err = InvalidLimit<MOST>;

    fn from_str(text: &str) -> Result<Self, InvalidLimit<MOST>> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let limit = text.parse().ok().filter(|limit| digits && (1..=MOST).contains(limit));
        limit.map(Self).ok_or(InvalidLimit)
    }
}

impl<const MOST: u32> Fault for InvalidLimit<MOST> {
    fn code(&self) -> &'static str {
        "out_of_range"
    }
}

impl<const DEFAULT: u32, const MOST: u32> ParameterValue for Limit<DEFAULT, MOST> {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::whole(1).maximum(Some(MOST)).default(Some(serde_json::json!(DEFAULT))).into()
    }
}

/// A page of a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    pub(crate) next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Answered::is_absent")]
    pub(crate) total: Sometimes<u64>,
}

/// An item that lists have.
pub(crate) trait Listed: Answered {
    /// What a page of them is called in the document.
    const PAGE: &'static str;
    /// What the document says of the items of a page.
    const ABOUT: &'static str;
    /// Whether a total can be asked for.
    const HAS_TOTAL: bool = false;
}

impl<T: Listed> Described for Page<T> {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let member = |name, about: &'static [&'static str], is_required, schema| Member {
            name,
            about,
            is_required,
            default: None,
            schema,
        };
        schemas.named(T::PAGE, |schemas| {
            let data = ArrayBuilder::new()
                .description(Some(T::ABOUT))
                .items(T::schema(schemas))
                .max_items(Some(MOST_ITEMS as usize));
            let about =
                &["Where the next page begins; null on the last one. A page may have fewer \
                items than `limit`, or none, and still not be the last."];
            let cursor = schema::nullable(schema::text("").pattern(Some(CURSOR)).into());
            let mut members = vec![
                member("data", &[], true, data.into()),
                member("nextCursor", about, true, cursor),
            ];
            if T::HAS_TOTAL {
                let about = &["How many items there are on all pages. There exactly when \
                    `includeTotal` was asked for."];
                members.push(member("total", about, false, u64::schema(schemas)));
            }
            let page: ObjectBuilder = schema::object(&["A page of a list."], members);
            schema::closed(page)
        })
    }
}
