//! What is said of an operation beside what its types say.

use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};

use super::caching::Caching;
use super::headers::Header;
use super::problems::Problems;
use super::sample::Sample;
use crate::wire::{Described, Schemas, schema};

/// A group of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    TimeEntries,
    Life,
    Lists,
    Closing,
    Feed,
    Webhooks,
    Directory,
    Keys,
    Operations,
}

impl Tag {
    pub(super) const ALL: [Self; 9] = [
        Self::TimeEntries,
        Self::Life,
        Self::Lists,
        Self::Closing,
        Self::Feed,
        Self::Webhooks,
        Self::Directory,
        Self::Keys,
        Self::Operations,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::TimeEntries => "Time entries",
            Self::Life => "Life of an entry",
            Self::Lists => "Lists and totals",
            Self::Closing => "Closing",
            Self::Feed => "Feed of changes",
            Self::Webhooks => "Webhooks",
            Self::Directory => "Directory",
            Self::Keys => "Keys",
            Self::Operations => "Operations",
        }
    }

    pub(super) const fn about(self) -> &'static str {
        match self {
            Self::TimeEntries => "Log time, read it, change it.",
            Self::Life => "From draft to invoice, one entry at a time or many.",
            Self::Lists => "Many entries at once: page by page, summed up, or as a table.",
            Self::Closing => "Up to which day nothing changes any more that says what was worked.",
            Self::Feed => "Every change, once and in order: for whoever keeps a copy.",
            Self::Webhooks => "The same feed, sent to where you say.",
            Self::Directory => {
                "What entries refer to: projects, users, and a project's tickets and releases. It \
                 is kept in step by the system that owns it."
            }
            Self::Keys => "What the calling key is and may do.",
            Self::Operations => "For load balancers, monitoring and tools. No key is needed.",
        }
    }
}

/// Makes the schema of a body.
type MakeSchema = Box<dyn FnOnce(&mut Schemas) -> RefOr<Schema>>;

/// What is said of an operation.
pub(crate) struct About {
    pub(super) id: String,
    pub(super) tag: Tag,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) sent: Option<(String, Vec<Sample>)>,
    pub(super) sent_as: Option<(MakeSchema, bool)>,
    pub(super) also_sent_as: Option<&'static str>,
    pub(super) answers: Vec<Answer>,
    pub(super) problems: Vec<&'static Problems>,
    pub(super) never: Vec<u16>,
    pub(super) caching: Caching,
}

impl About {
    pub(crate) fn new(
        id: impl Into<String>,
        tag: Tag,
        summary: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            tag,
            summary: summary.into(),
            description: description.into(),
            sent: None,
            sent_as: None,
            also_sent_as: None,
            answers: Vec::new(),
            problems: Vec::new(),
            never: Vec::new(),
            caching: Caching::ForWhoAsks,
        }
    }

    /// What is said of its body.
    pub(crate) fn sent(mut self, about: impl Into<String>, samples: Vec<Sample>) -> Self {
        self.sent = Some((about.into(), samples));
        self
    }

    /// What its body is like, where its type does not say it all.
    pub(crate) fn sent_as(
        mut self,
        schema: impl FnOnce(&mut Schemas) -> RefOr<Schema> + 'static,
        is_required: bool,
    ) -> Self {
        self.sent_as = Some((Box::new(schema), is_required));
        self
    }

    /// Another media type of its body.
    pub(crate) fn also_sent_as(mut self, media_type: &'static str) -> Self {
        self.also_sent_as = Some(media_type);
        self
    }

    /// An answer when all went well.
    pub(crate) fn answer(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }

    /// Problems that only it has.
    pub(crate) fn problems(mut self, problems: &'static Problems) -> Self {
        self.problems.push(problems);
        self
    }

    /// What caches are told of its answers.
    pub(crate) fn caching(self, caching: Caching) -> Self {
        Self { caching, ..self }
    }

    /// A status that it never answers, though its types say so.
    pub(crate) fn never(mut self, status: u16) -> Self {
        self.never.push(status);
        self
    }
}

/// An answer when all went well.
pub(crate) struct Answer {
    pub(super) status: u16,
    pub(super) about: String,
    pub(super) headers: Vec<&'static Header>,
    pub(super) media_type: Option<&'static str>,
    pub(super) schema: fn(&mut Schemas) -> RefOr<Schema>,
    pub(super) samples: Vec<Sample>,
    pub(super) shows_time_entry: bool,
    pub(super) example: Option<Value>,
}

impl Answer {
    /// With a body of that type.
    pub(crate) fn json<T: Described>(status: u16, about: &str) -> Self {
        Self { schema: T::schema, ..Self::text(status, about, "application/json") }
    }

    /// With a text of that media type.
    pub(crate) fn text(status: u16, about: &str, media_type: &'static str) -> Self {
        Self { media_type: Some(media_type), ..Self::empty(status, about) }
    }

    /// Without a body.
    pub(crate) fn empty(status: u16, about: &str) -> Self {
        Self {
            status,
            about: about.to_owned(),
            headers: Vec::new(),
            media_type: None,
            schema: |_| schema::text("").into(),
            samples: Vec::new(),
            shows_time_entry: false,
            example: None,
        }
    }

    pub(crate) fn header(mut self, header: &'static Header) -> Self {
        self.headers.push(header);
        self
    }

    pub(crate) fn sample(mut self, sample: Sample) -> Self {
        self.samples.push(sample);
        self
    }

    /// What it is like, where one example says it.
    pub(crate) fn example(mut self, example: Value) -> Self {
        self.example = Some(example);
        self
    }

    /// From it leads a link to the time entry that it shows.
    pub(crate) fn with_link(mut self) -> Self {
        self.shows_time_entry = true;
        self
    }
}
