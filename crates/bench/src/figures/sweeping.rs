//! Logging while expired idempotency keys are swept, beside logging without them.

use crate::bench::Bench;
use crate::plan::real;
use crate::report::{Figure, number};
use crate::service::Service;
use crate::site::Kind;
use crate::wrk::Load;
use crate::{curl, requests};

const SECTION: &str = "Sweeping expired keys";
const CONNECTIONS: usize = 16;
const SWEPT: &str = "timelog_idempotency_swept_total";

pub(super) fn measure(bench: &mut Bench, kind: Kind) -> anyhow::Result<()> {
    let site = bench.seeded(kind)?;
    let load = [requests::log(&site)];
    let time = bench.plan.round;
    bench.says(format!("Logging on {} without sweeping", kind.name()));
    let service = Service::start(&site, &["--sweep-interval", "24h"])?;
    let run = |service: &Service| {
        Load { address: service.address, requests: &load, connections: CONNECTIONS, time }.run()
    };
    let without = run(&service)?;
    service.stop()?;
    bench.fill_expired(&site, bench.plan.expired)?;
    bench.says(format!("Logging on {} while keys are swept", kind.name()));
    let service = Service::start(&site, &["--sweep-interval", "1s"])?;
    let during = run(&service)?;
    let swept = curl::metric(&site, service.address, SWEPT)?;
    service.stop()?;
    let ratio = |what: &str, with: f64, without: f64| {
        Figure::ratio(format!("logging while sweeping ÷ without, {what}"), kind, with, without)
    };
    let share = Figure::new("expired keys swept meanwhile", kind, swept, "").from(format!(
        "of {}, in {} s",
        number(real(bench.plan.expired)),
        time.as_secs()
    ));
    bench.report.add(
        SECTION,
        vec![
            ratio("rate", during.rate, without.rate),
            ratio("p50 in ms", during.p50, without.p50),
            ratio("p99 in ms", during.p99, without.p99),
            ratio("longest in ms", during.max, without.max),
            share,
        ],
    );
    bench.remove(&site)
}
