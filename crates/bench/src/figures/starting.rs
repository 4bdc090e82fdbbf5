//! The start of the program, on a database that is there.

use crate::bench::Bench;
use crate::plan::median;
use crate::report::{Figure, number};
use crate::service::Service;
use crate::site::Site;

const SECTION: &str = "Starting";

pub(super) fn measure(bench: &mut Bench, site: &Site) -> anyhow::Result<()> {
    let kind = site.kind;
    bench.says(format!("Starting on {}", kind.name()));
    let mut times = Vec::new();
    for _ in 0..bench.plan.starts {
        let service = Service::start(site, &[])?;
        times.push(service.started_in.as_secs_f64() * 1e3);
        service.stop()?;
    }
    let longest = times.iter().copied().fold(0.0, f64::max);
    let figure = Figure::new("start to the first answer", kind, median(&times), " ms")
        .from(format!("the middle of {}, longest {} ms", times.len(), number(longest)))
        .at_most(50.0);
    bench.report.add(SECTION, vec![figure]);
    Ok(())
}
