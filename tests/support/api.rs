//! Calling a service.

use std::net::SocketAddr;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::answer::Answer;
use super::client::client;
use super::conformance;

/// Calls one service, with one key or none.
#[derive(Clone)]
pub(crate) struct Api {
    client: reqwest::Client,
    root: String,
    base_path: String,
    key: Option<String>,
}

impl Api {
    pub(crate) fn new(address: SocketAddr, base_path: &str) -> Self {
        let client = client().redirect(reqwest::redirect::Policy::none()).build();
        let client = client.expect("a client can be made");
        Self {
            client,
            root: format!("http://{address}"),
            base_path: base_path.to_owned(),
            key: None,
        }
    }

    /// The same service with another key.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }

    /// The same service without a key.
    pub(crate) fn without_key(&self) -> Self {
        Self { key: None, ..self.clone() }
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    pub(crate) fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    pub(crate) fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    pub(crate) fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// The value of a metric with these labels, if anything was counted.
    pub(crate) async fn metric(&self, name: &str) -> Option<u64> {
        let metrics = self.get("/metrics").send().await.is(200).body;
        let metrics = String::from_utf8(metrics).expect("metrics are text");
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        Some(value.parse().expect("the value is a whole number"))
    }

    /// A call to a path under the service's base path.
    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        let call = Call {
            api: self.clone(),
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: None,
        };
        match &self.key {
            Some(key) => call.header("authorization", format!("Bearer {key}")),
            None => call,
        }
    }
}

/// A call that has not been made yet.
#[derive(Clone)]
pub(crate) struct Call {
    api: Api,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Call {
    /// The same call by another method.
    pub(crate) fn with_method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// Sets a header.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.insert(header_name(name), header_value(value.as_ref()));
        self
    }

    /// Adds a header line beside those of the same name.
    pub(crate) fn another_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.append(header_name(name), header_value(value.as_ref()));
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub(crate) fn idempotency_key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    /// Sets the body, with the content type JSON unless one is set.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.headers.entry("content-type").or_insert(HeaderValue::from_static("application/json"));
        self
    }

    /// The call as a cache on the way sees it.
    pub(crate) fn as_request(&self) -> http::Request<()> {
        let uri = format!("{}{}{}", self.api.root, self.api.base_path, self.path);
        let mut request = http::Request::builder()
            .method(self.method.clone())
            .uri(uri)
            .body(())
            .expect("it is a request");
        *request.headers_mut() = self.headers.clone();
        request
    }

    /// Makes the call. Whatever the answer is, it must be one that the OpenAPI document describes.
    pub(crate) async fn send(self) -> Answer {
        let line = format!("{} {}", self.method, self.path);
        self.try_send().await.unwrap_or_else(|error| panic!("{line} is not answered: {error:?}"))
    }

    /// Makes a call that may fail without an answer.
    pub(crate) async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let Self { api, method, path, headers, body } = self;
        let url = format!("{}{}{path}", api.root, api.base_path);
        let mut request = api.client.request(method.clone(), url).headers(headers.clone());
        if let Some(body) = &body {
            request = request.body(body.clone());
        }
        let response = request.send().await?;
        let answer = Answer::read(&method, &path, response).await?;
        conformance::check(&answer, &headers, body.as_deref());
        Ok(answer)
    }
}

fn header_name(name: &str) -> HeaderName {
    name.parse().expect("it is the name of a header")
}

fn header_value(value: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(value).expect("it can stand in a header")
}
