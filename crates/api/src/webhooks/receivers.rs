//! The client that sends events. It connects only to addresses that are permitted, whatever a name
//! leads to at that moment.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::http::header::HttpDate;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use timelog_domain::delivery::Attempt;
use timelog_domain::{DestinationUrl, Secrets, Timestamp};
use tokio::time::timeout;
use url::Host;

use super::addresses::Addresses;
use super::message::{ID, Message, SIGNATURE, TIMESTAMP, seconds};
use super::names::Names;
use crate::limits::text;
use crate::settings::Settings;

/// How much of an answer is read. Nobody looks at it; but a connection can be used again only when
/// its answer was read to the end.
const MOST_READ: usize = 64 << 10;
const READ_TIME: Duration = Duration::from_secs(1);

/// How long it may take to find the addresses of a destination when a webhook is made.
const CHECK_TIME: Duration = Duration::from_secs(2);

/// How many characters of an error are told.
const MOST_TOLD: usize = 300;

/// Where events are sent.
pub(crate) struct Receivers {
    names: Arc<dyn Names>,
    addresses: Addresses,
    /// How long a receiver may take to answer.
    time: Duration,
    plain: OnceLock<Result<Client, String>>,
    secure: OnceLock<Result<Client, String>>,
}

/// What came of sending.
pub(crate) struct Answer {
    pub(crate) attempt: Attempt,
    /// The status, if there was an answer.
    pub(crate) status: Option<u16>,
    /// What was wrong, for people; empty where nothing was.
    pub(crate) error: String,
}

impl Receivers {
    pub(crate) fn new(names: Arc<dyn Names>, settings: &Settings) -> Self {
        Self {
            names,
            addresses: Addresses::allowing(&settings.webhook_allow),
            time: settings.webhook_timeout,
            plain: OnceLock::new(),
            secure: OnceLock::new(),
        }
    }

    /// Whether events may be sent there, as far as that can be told now; or why not. A name that
    /// leads nowhere yet may do so later.
    pub(crate) async fn check(&self, destination: &DestinationUrl) -> Result<(), String> {
        let url = destination.as_str().parse::<Url>().map_err(|error| error.to_string())?;
        let is_plain = url.scheme() != "https";
        let addresses = if let Some(address) = address_of(&url) {
            vec![address]
        } else {
            let name = url.domain().unwrap_or_default().to_owned();
            let found = timeout(CHECK_TIME, self.names.addresses(name)).await;
            found.ok().and_then(Result::ok).unwrap_or_default()
        };
        let is_permitted = |address: &IpAddr| self.addresses.permit(*address, is_plain);
        if addresses.iter().any(is_permitted) || (addresses.is_empty() && !is_plain) {
            return Ok(());
        }
        Err(forbidden(&addresses, is_plain))
    }

    /// Sends an event and tells what came back.
    pub(crate) async fn send(
        &self,
        destination: &DestinationUrl,
        message: Message,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Answer {
        let away = |error| Answer {
            attempt: Attempt::Away { retry_after: None },
            status: None,
            error: cut(error),
        };
        let url = match destination.as_str().parse::<Url>() {
            Ok(url) => url,
            Err(error) => return away(error.to_string()),
        };
        let is_plain = url.scheme() != "https";
        // A name is checked when it is looked up; an address is not.
        if let Some(address) = address_of(&url)
            && !self.addresses.permit(address, is_plain)
        {
            return away(forbidden(&[address], is_plain));
        }
        let client = match self.client(is_plain) {
            Ok(client) => client,
            Err(error) => return away(error.clone()),
        };
        let request = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("timelog/", env!("CARGO_PKG_VERSION")))
            .header(ID, message.id.to_string())
            .header(TIMESTAMP, seconds(now).to_string())
            .header(SIGNATURE, message.signatures(secrets, now))
            .body(message.body);
        match timeout(self.time, request.send()).await {
            Err(_) => away(format!("it did not answer within {}", text(self.time))),
            Ok(Err(error)) => away(reason(&error)),
            Ok(Ok(response)) => {
                let status = response.status().as_u16();
                let attempt = Attempt::answered(status, retry_after(response.headers(), now));
                let is_delivered = attempt == Attempt::Delivered;
                let error =
                    if is_delivered { String::new() } else { format!("it answered {status}") };
                drop(timeout(READ_TIME, read(response)).await);
                Answer { attempt, status: Some(status), error }
            }
        }
    }

    fn client(&self, is_plain: bool) -> &Result<Client, String> {
        let client = if is_plain { &self.plain } else { &self.secure };
        client.get_or_init(|| self.make_client(is_plain).map_err(|error| error.to_string()))
    }

    fn make_client(&self, is_plain: bool) -> Result<Client, Box<dyn Error>> {
        let mut authorities = RootCertStore::empty();
        if !is_plain {
            // Certificates of the system that cannot be read are left out.
            authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(authorities)
            .with_no_client_auth();
        let guard =
            Guard { names: self.names.clone(), addresses: self.addresses.clone(), is_plain };
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(guard);
        Ok(client.build()?)
    }
}

/// The address in a URL, where that names one itself.
fn address_of(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

/// Looks names up and leaves out the addresses that are not permitted.
struct Guard {
    names: Arc<dyn Names>,
    addresses: Addresses,
    is_plain: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.names.addresses(name.as_str().to_owned());
        let (addresses, is_plain) = (self.addresses.clone(), self.is_plain);
        Box::pin(async move {
            let found = found.await?;
            let permitted: Vec<_> = found
                .iter()
                .filter(|address| addresses.permit(**address, is_plain))
                .map(|address| SocketAddr::new(*address, 0))
                .collect();
            if permitted.is_empty() {
                return Err(forbidden(&found, is_plain).into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

/// Why events are not sent to any of those addresses.
fn forbidden(addresses: &[IpAddr], is_plain: bool) -> String {
    match addresses.first() {
        None if is_plain => "must begin with https, because its name has no address that \
            --webhook-allow names"
            .to_owned(),
        None => "its name has no address".to_owned(),
        Some(address) if is_plain => {
            format!("must begin with https: http to {address} is not allowed")
        }
        Some(address) => format!("must not lead to {address}, which is not of the public internet"),
    }
}

/// Reads an answer, so that the connection can be used again.
async fn read(mut response: Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        if read > MOST_READ {
            return;
        }
    }
}

/// How long the receiver asks to be left alone: seconds, or until a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until: std::time::SystemTime = value.parse::<HttpDate>().ok()?.into();
    let until = until.duration_since(std::time::UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(now.unix_millis().try_into().ok()?);
    Some(until.saturating_sub(now))
}

/// The innermost reason, which is the one that tells something.
fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let what = if error.is_connect() { "no connection" } else { "no answer" };
    format!("{what}: {innermost}")
}

/// The beginning of an error. A receiver may choose the names in its certificate.
fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MOST_TOLD) {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_error_is_cut_between_characters() {
        assert_eq!(cut("é".repeat(MOST_TOLD)), "é".repeat(MOST_TOLD));
        assert_eq!(cut("é".repeat(MOST_TOLD + 1)), "é".repeat(MOST_TOLD));
    }
}
