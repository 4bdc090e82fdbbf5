//! The worst answers beside the usual ones, with a disk as it is and with one whose syncs take
//! two milliseconds longer.

use super::Place;
use crate::bench::Bench;
use crate::report::{Figure, number};
use crate::requests;
use crate::wrk::{Load, Measured};

const SECTION: &str = "Worst answers";

pub(super) fn measure(bench: &mut Bench, place: &Place, size: &str) -> anyhow::Result<()> {
    let kind = place.site.kind;
    let mut figures = Vec::new();
    for slow in [false, true] {
        bench.delay.set(slow)?;
        let disk = if slow { ", sync takes 2 ms longer" } else { "" };
        for connections in [64, 1] {
            bench.says(format!("Worst answers of {}, {size}{disk}", kind.name()));
            let load = Load {
                address: place.service.address,
                requests: &[requests::log(&place.site)],
                connections,
                time: bench.plan.round,
            };
            let measured = load.run()?;
            figures.push(figure(place, connections, &measured, &format!("{size}{disk}")));
        }
    }
    bench.delay.set(false)?;
    bench.report.add(SECTION, figures);
    Ok(())
}

fn figure(place: &Place, connections: usize, measured: &Measured, where_: &str) -> Figure {
    let Measured { p50, p99, p999, max, .. } = *measured;
    let from = format!(
        "p50 {}, p99 {}, p99.9 {}, longest {} ms",
        number(p50),
        number(p99),
        number(p999),
        number(max)
    );
    let kind = place.site.kind;
    if connections == 1 {
        let what = format!("one connection, p99 ÷ p50, {where_}");
        Figure::new(what, kind, p99 / p50, "").from(from).at_most(10.0)
    } else {
        let what = format!("{connections} connections, p99.9 ÷ p50, {where_}");
        Figure::new(what, kind, p999 / p50, "").from(from).at_most(5.0)
    }
}
