//! Pages and single reads, beside the least that the server does for a request.

use super::Place;
use crate::bench::Bench;
use crate::filled::show;
use crate::plan::median;
use crate::report::Figure;
use crate::requests;
use crate::wrk::Load;

const SECTION: &str = "Reading";
const CONNECTIONS: usize = 16;

pub(super) fn measure(bench: &mut Bench, few: &Place) -> anyhow::Result<()> {
    let kind = few.site.kind;
    bench.says(format!("Reading from {}", kind.name()));
    let loads =
        [vec![requests::live()], vec![requests::get(&few.site, "/time-entries")], single(few)];
    let mut rates = [const { Vec::new() }; 3];
    for _ in 0..bench.plan.rounds {
        for (requests, rates) in loads.iter().zip(&mut rates) {
            let address = few.service.address;
            let load = Load { address, requests, connections: CONNECTIONS, time: bench.plan.round };
            rates.push(load.run()?.rate);
        }
    }
    let [live, page, one] = rates.map(|rates| median(&rates));
    let figures = vec![
        Figure::ratio("a page of 50 entries ÷ /health/live", kind, page, live).at_least(0.11),
        Figure::ratio("one entry by its id ÷ /health/live", kind, one, live).at_least(0.5),
    ];
    bench.report.add(SECTION, figures);
    Ok(())
}

/// Requests for single entries, evenly over all.
pub(super) fn single(place: &Place) -> Vec<String> {
    let request = |number| {
        let id = show(&place.filled.values(number).id);
        requests::get(&place.site, &format!("/time-entries/{id}"))
    };
    place.filled.some(500).map(request).collect()
}
