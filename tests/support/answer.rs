//! The answers of a service.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer, with the request line it answers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(super) async fn read(
        method: &Method,
        path: &str,
        response: reqwest::Response,
    ) -> reqwest::Result<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await?.to_vec();
        Ok(Self { method: method.clone(), path: path.to_owned(), status, headers, body })
    }

    /// The value of a header that is there once or not at all.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        assert!(values.next().is_none(), "{name} is there twice: {self:?}");
        Some(value.to_str().expect("a header is ASCII"))
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.describe()))
    }

    /// A member of the body, as text.
    #[track_caller]
    pub(crate) fn text(&self, member: &str) -> String {
        self.json()[member]
            .as_str()
            .unwrap_or_else(|| panic!("no text {member}: {}", self.describe()))
            .to_owned()
    }

    /// Whether it is a replay.
    #[track_caller]
    pub(crate) fn is_replayed(&self) -> bool {
        self.header("idempotent-replayed").is_some()
    }

    /// The answer has this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.describe());
        self
    }

    /// The answer is a problem with this status and code.
    #[track_caller]
    pub(crate) fn fails_with(self, status: u16, code: &str) -> Self {
        let answer = self.is(status);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{}",
            answer.describe()
        );
        assert_eq!(answer.text("code"), code, "{}", answer.describe());
        answer
    }

    /// The answer refuses exactly these values, each as `/pointer code` or `parameter code`.
    #[track_caller]
    pub(crate) fn refuses(self, expected: &[&str]) -> Self {
        let answer = self.fails_with(400, "validation_error");
        let mut expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
        let mut found = answer.violations();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{}", answer.describe());
        answer
    }

    /// What the answer refuses, each as `/pointer code` or `parameter code`.
    #[track_caller]
    pub(crate) fn violations(&self) -> Vec<String> {
        let problem = self.json();
        let violations = problem["errors"].as_array().into_iter().flatten();
        let place = |violation: &Value| {
            violation["pointer"].as_str().or(violation["parameter"].as_str()).map(str::to_owned)
        };
        violations
            .map(|violation| {
                format!(
                    "{} {}",
                    place(violation).unwrap_or_default(),
                    violation["code"].as_str().unwrap_or_default()
                )
            })
            .collect()
    }

    pub(crate) fn describe(&self) -> String {
        let Self { method, path, status, headers, body } = self;
        format!("{method} {path}: {status} {headers:?} {}", String::from_utf8_lossy(body))
    }
}
