//! A mix of requests at half of the rate that the service can do, without coordinated omission:
//! latency counts from when a request should have been sent.

use super::Place;
use super::reading::single;
use crate::bench::Bench;
use crate::plan::median;
use crate::report::{Figure, number};
use crate::wrk::Load;
use crate::{curl, requests};

const SECTION: &str = "A mix of requests at a fixed rate";
const CONNECTIONS: usize = 64;
/// How many answers there are to replay.
const REPLAYED: u64 = 20;

pub(super) fn measure(bench: &mut Bench, few: &Place) -> anyhow::Result<()> {
    let kind = few.site.kind;
    bench.says(format!("A mix of requests to {}", kind.name()));
    let requests = mix(few)?;
    let address = few.service.address;
    let load =
        Load { address, requests: &requests, connections: CONNECTIONS, time: bench.plan.round };
    let mut rates = Vec::new();
    for _ in 0..bench.plan.rounds {
        rates.push(load.run()?.rate);
    }
    let most = median(&rates);
    let wanted = (most / 2.0).floor();
    let measured = Load { time: 2 * bench.plan.round, ..load }.run_at(wanted)?;
    let from = format!("at {} of {} requests/s", number(measured.rate), number(most));
    let figure = |what: &str, value| Figure::new(what, kind, value, " ms");
    bench.report.add(
        SECTION,
        vec![
            figure("half of its answers take at most", measured.p50).from(from),
            figure("99 % take at most", measured.p99),
            figure("99.9 % take at most", measured.p999),
            figure("the longest", measured.max),
        ],
    );
    Ok(())
}

/// Of ten requests seven log, one is a replay, one an upsert, and one reads.
fn mix(few: &Place) -> anyhow::Result<Vec<String>> {
    let (site, filled) = (&few.site, &few.filled);
    for number in 0..REPLAYED {
        curl::log(site, few.service.address, &format!("replayed-{number}"))?;
    }
    let drafts = filled.some_drafts(REPLAYED);
    let reads = single(few);
    let mut all = Vec::new();
    for ((number, draft), read) in (0..REPLAYED).zip(drafts).zip(reads) {
        let mut ten = vec![requests::log(site); 10];
        ten[2] = requests::log_under(site, &format!("replayed-{number}"));
        ten[5] = requests::upsert(site, filled, draft);
        ten[8] = read;
        all.extend(ten);
    }
    Ok(all)
}
