//! A large database beside a small one.

use super::Place;
use super::reading::single;
use crate::bench::Bench;
use crate::filled::PROJECTS;
use crate::plan::{median, real};
use crate::report::{Figure, number};
use crate::requests;
use crate::wrk::{Load, Measured};

const SECTION: &str = "A large database beside a small one";
const CONNECTIONS: usize = 16;
/// A stall is an answer that takes longer than this, in milliseconds.
const STALL: f64 = 100.0;

pub(super) fn measure(bench: &mut Bench, few: &Place, many: &Place) -> anyhow::Result<()> {
    let kind = few.site.kind;
    let sizes =
        format!("{} ÷ {} entries", number(real(bench.plan.many)), number(real(bench.plan.few)));
    let mut figures = Vec::new();
    for (what, requests) in [
        ("logging", log as fn(&Place) -> Vec<String>),
        ("a page of a project", pages),
        ("one entry by its id", single),
        ("an upsert that changes", upserts),
    ] {
        bench.says(format!("{what} on {}, large and small", kind.name()));
        let [mut small, mut large] = [const { Vec::<Measured>::new() }; 2];
        for _ in 0..bench.plan.rounds {
            for (place, measured) in [(few, &mut small), (many, &mut large)] {
                let load = Load {
                    address: place.service.address,
                    requests: &requests(place),
                    connections: CONNECTIONS,
                    time: bench.plan.round,
                };
                measured.push(load.run()?);
            }
        }
        let rate = |all: &[Measured]| median(&all.iter().map(|one| one.rate).collect::<Vec<_>>());
        let (large_rate, small_rate) = (rate(&large), rate(&small));
        let ratio = Figure::ratio(format!("{what}, {sizes}"), kind, large_rate, small_rate);
        figures.push(ratio.at_least(0.9));
        let first = large.first().map_or(0.0, |first| first.max);
        let longest =
            Figure::new(format!("{what}, longest answer of the first round"), kind, first, " ms");
        figures.push(longest.at_most(STALL));
    }
    let memory = many.service.peak_memory()?;
    let what = format!("peak memory, {} entries", number(real(bench.plan.many)));
    figures.push(Figure::new(what, kind, memory, " MiB").at_most(64.0));
    bench.report.add(SECTION, figures);
    Ok(())
}

fn log(place: &Place) -> Vec<String> {
    vec![requests::log(&place.site)]
}

fn pages(place: &Place) -> Vec<String> {
    let page = |number| format!("/projects/{}/time-entries", place.filled.project(number));
    (0..PROJECTS).map(|number| requests::get(&place.site, &page(number))).collect()
}

fn upserts(place: &Place) -> Vec<String> {
    let upsert = |number| requests::upsert(&place.site, &place.filled, number);
    place.filled.some_drafts(500).into_iter().map(upsert).collect()
}
