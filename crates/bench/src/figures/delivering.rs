//! Delivering events to webhooks: to one receiver, and to many at once.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::json;

use crate::bench::Bench;
use crate::curl;
use crate::filled::Filled;
use crate::plan::real;
use crate::report::Figure;
use crate::service::Service;
use crate::site::Site;

const SECTION: &str = "Delivering to webhooks";

/// How many webhooks deliver at once, where there are many.
const MANY: u64 = 20;

/// How long all of it may take.
const MOST: Duration = Duration::from_mins(5);

pub(super) fn measure(bench: &mut Bench, site: &Site, filled: &Filled) -> anyhow::Result<()> {
    let kind = site.kind;
    bench.says(format!("Delivering to webhooks from {}", kind.name()));
    // The entry of the service was the first.
    let events = filled.entries + 1;
    let service = Service::start(site, &["--webhook-allow", "127.0.0.1"])?;
    let bare = round_trips(events.min(2000))?;
    let one = deliver(site, &service, 1, events)?;
    let many = deliver(site, &service, MANY, events)?;
    service.stop()?;
    let figures = vec![
        Figure::new("events a second to one webhook", kind, one, ""),
        Figure::ratio("that ÷ requests that do nothing else, one by one", kind, one, bare),
        Figure::new(format!("events a second to {MANY} webhooks"), kind, many, ""),
        Figure::ratio(format!("{MANY} webhooks ÷ one"), kind, many, one),
    ];
    bench.report.add(SECTION, figures);
    Ok(())
}

/// Has every event delivered to so many webhooks, and returns how many a second that were.
fn deliver(site: &Site, service: &Service, webhooks: u64, events: u64) -> anyhow::Result<f64> {
    let receiver = Receiver::start()?;
    let body = json!({
        "destinationUrl": format!("http://{}/", receiver.address),
        "eventNames": ["*"],
        "deliveredThrough": 0,
    });
    let mut paths = Vec::new();
    let begun = Instant::now();
    for _ in 0..webhooks {
        let made = curl::post(site, service.address, "/webhooks", &body, None)?;
        let made: serde_json::Value = serde_json::from_str(&made)?;
        paths.push(format!("/webhooks/{}", made["id"].as_str().context("it has an id")?));
    }
    let all = webhooks * events;
    while receiver.received() < all {
        ensure!(begun.elapsed() < MOST, "{} of {all} events arrived", receiver.received());
        thread::sleep(Duration::from_millis(1));
    }
    let rate = real(all) / begun.elapsed().as_secs_f64();
    for path in paths {
        curl::delete(site, service.address, &path)?;
    }
    Ok(rate)
}

/// How many requests a second one connection makes, that waits for each answer.
fn round_trips(requests: u64) -> anyhow::Result<f64> {
    let receiver = Receiver::start()?;
    let body = vec![b'x'; 900];
    let mut stream = BufReader::new(TcpStream::connect(receiver.address)?);
    stream.get_ref().set_nodelay(true)?;
    let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    let request = [head.as_bytes(), &body].concat();
    let begun = Instant::now();
    for _ in 0..requests {
        stream.get_mut().write_all(&request)?;
        while read_line(&mut stream)?.is_some_and(|line| !line.is_empty()) {}
    }
    Ok(real(requests) / begun.elapsed().as_secs_f64())
}

/// A receiver that takes everything, with a thread for each connection.
struct Receiver {
    address: SocketAddr,
    received: Arc<AtomicU64>,
}

impl Receiver {
    fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let received = Arc::new(AtomicU64::new(0));
        let counter = received.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counter = counter.clone();
                thread::spawn(move || take(stream, &counter));
            }
        });
        Ok(Self { address, received })
    }

    fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

/// Answers requests until the connection ends.
fn take(stream: TcpStream, received: &AtomicU64) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let mut body = Vec::new();
    loop {
        let mut length = 0;
        loop {
            let Some(line) = read_line(&mut stream)? else { return Ok(()) };
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            }
        }
        body.resize(length, 0);
        stream.read_exact(&mut body)?;
        stream.get_mut().write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
        received.fetch_add(1, Ordering::Relaxed);
    }
}

/// A line of a head, without its end; none where the connection has ended.
fn read_line(stream: &mut BufReader<TcpStream>) -> anyhow::Result<Option<String>> {
    let mut line = String::new();
    let read = stream.read_line(&mut line)?;
    Ok((read > 0).then(|| line.trim_end().to_owned()))
}
