//! Filters that find nothing in a large database, and what other readers see meanwhile.

use std::fmt::Write as _;
use std::time::Duration;

use super::Place;
use super::reading::single;
use crate::bench::Bench;
use crate::curl;
use crate::plan::median;
use crate::report::{Figure, number};
use crate::requests;
use crate::site::Kind;
use crate::wrk::{Load, Measured};

const SECTION: &str = "Filters that find nothing in a large database";
/// How long a request may take before it is given up, in seconds.
const MOST: f64 = 0.2;

const ORDERS: [&str; 6] =
    ["workDate", "-workDate", "createdAt", "-createdAt", "updatedAt", "-updatedAt"];

const NOBODY: &str = "01234567-89ab-7def-8123-456789abcdef";

pub(super) fn measure(bench: &mut Bench, many: &Place) -> anyhow::Result<()> {
    let kind = many.site.kind;
    bench.says(format!("Filters of {} that find nothing", kind.name()));
    let paths = paths(many);
    let address = many.service.address;
    // The first request of a connection waits for the connection.
    curl::time(&many.site, address, &paths[..1], MOST)?;
    let rounds: Vec<_> = (0..bench.plan.rounds)
        .map(|_| curl::time(&many.site, address, &paths, MOST))
        .collect::<Result<_, _>>()?;
    let of = |at: usize| rounds.iter().map(move |times| times[at]);
    let times: Vec<_> = (0..paths.len())
        .map(|at| median(&of(at).map(|(_, time)| time).collect::<Vec<_>>()))
        .collect();
    let slow = times.iter().filter(|time| **time >= 20.0).count();
    let is_failed = |at: &usize| of(*at).any(|(status, _)| status != Some(200));
    let failed = (0..paths.len()).filter(is_failed).count();
    let slowest = times.iter().zip(&paths).max_by(|one, other| one.0.total_cmp(other.0));
    let (slowest, path) = slowest.map_or((0.0, ""), |(time, path)| (*time, path.as_str()));
    let (_, query) = path.split_once('?').unwrap_or_default();
    let mut from = format!("`{query}`; {slow} of {} take 20 ms or more", times.len());
    if failed > 0 {
        write!(from, ", {failed} were given up after {} ms", number(MOST * 1e3))?;
    }
    let mut figures =
        vec![Figure::new("the slowest answer", kind, slowest, " ms").from(from).at_most(20.0)];
    figures.extend(beside(bench, many, path)?);
    bench.report.add(SECTION, figures);
    Ok(())
}

/// Every filter with a value that finds nothing, alone and with another, in every order.
fn paths(many: &Place) -> Vec<String> {
    let [from, to] = many.filled.month();
    let filters = [
        format!("userId={NOBODY}"),
        format!("entryId={NOBODY}"),
        format!("releaseId={NOBODY}"),
        "status=submitted".to_owned(),
        "billable=false".to_owned(),
        "source=ui".to_owned(),
        "from=2099-01-01&to=2099-12-31".to_owned(),
        "updatedSince=2099-01-01T00:00:00.000Z".to_owned(),
        "externalRef.provider=nobody".to_owned(),
        "externalRef.externalType=nothing".to_owned(),
        "externalRef.externalId=none".to_owned(),
        "externalRef.provider=jira&externalRef.externalType=worklog&externalRef.externalId=none"
            .to_owned(),
    ];
    let project = format!("/projects/{}/time-entries", many.filled.project(3));
    let others = [
        ("/time-entries", String::new()),
        (project.as_str(), String::new()),
        ("/time-entries", format!("&userId={}", many.filled.user(3))),
        ("/time-entries", format!("&from={from}&to={to}")),
    ];
    let mut paths = Vec::new();
    for filter in &filters {
        for (path, other) in &others {
            let name = other.trim_start_matches('&').split('=').next().unwrap_or("");
            // A parameter may come only once.
            if !name.is_empty() && filter.contains(&format!("{name}=")) {
                continue;
            }
            for order in ORDERS {
                paths.push(format!("{path}?{filter}{other}&sort={order}"));
            }
        }
    }
    paths
}

/// Single reads by one client: alone, beside requests with the slowest filter, and beside exports
/// and totals of everything.
fn beside(bench: &Bench, many: &Place, slowest: &str) -> anyhow::Result<Vec<Figure>> {
    let kind = many.site.kind;
    let address = many.service.address;
    let time = bench.plan.round;
    let one = single(many);
    let reader = Load { address, requests: &one, connections: 1, time };
    let alone = reader.run()?;
    let mut figures = Vec::new();
    let get = |path: &str| requests::get(&many.site, path);
    let disturbances = [
        ("four requests with the slowest filter", vec![get(slowest)], 4),
        (
            "four exports and four totals of everything",
            vec![get("/time-entries.csv"), get("/time-entries/summary?groupBy=user")],
            8,
        ),
    ];
    for (what, requests, connections) in disturbances {
        bench.says(format!("Reading from {} beside {what}", kind.name()));
        // It is ended when the reader is done.
        let lasting = time + Duration::from_secs(30);
        let disturbing =
            Load { address, requests: &requests, connections, time: lasting }.begin()?;
        std::thread::sleep(Duration::from_millis(300));
        let beside = reader.run()?;
        drop(disturbing);
        figures.push(disturbed(kind, what, &alone, &beside));
    }
    Ok(figures)
}

fn disturbed(kind: Kind, what: &str, alone: &Measured, beside: &Measured) -> Figure {
    let what = format!("single reads beside {what}, p99");
    if beside.requests < 1.0 {
        return Figure::new(what, kind, f64::INFINITY, "")
            .from("no read was answered in the round");
    }
    let from = format!(
        "p99 {} ÷ {} ms, longest {} ms",
        number(beside.p99),
        number(alone.p99),
        number(beside.max)
    );
    Figure::new(what, kind, beside.p99 / alone.p99, " times").from(from)
}
