//! Examples of bodies.

use serde_json::Value;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::{Content, ContentBuilder, RefOr, Schema};

/// An example.
#[derive(Clone)]
pub(crate) struct Sample {
    name: &'static str,
    summary: &'static str,
    about: &'static str,
    value: Value,
}

impl Sample {
    pub(crate) fn new(name: &'static str, summary: &'static str, value: Value) -> Self {
        Self { name, summary, about: "", value }
    }

    pub(crate) fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }
}

/// The content of a body, with its examples.
pub(super) fn content(schema: RefOr<Schema>, samples: Vec<Sample>) -> Content {
    let examples = samples.into_iter().map(|sample| {
        let Sample { name, summary, about, value } = sample;
        let example =
            ExampleBuilder::new().summary(summary).description(about).value(Some(value)).build();
        (name, example)
    });
    ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples).build()
}
