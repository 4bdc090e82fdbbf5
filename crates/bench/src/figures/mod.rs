//! What is measured. Each file has one kind of figure.

mod delivering;
mod filters;
mod logging;
mod mix;
mod reading;
mod size;
mod starting;
mod sweeping;
mod worst;

use clap::ValueEnum;

use crate::bench::Bench;
use crate::filled::Filled;
use crate::service::Service;
use crate::site::{Kind, Site};

/// A kind of figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// Logging beside its baselines, and what it takes.
    Logging,
    /// Pages and single reads beside the least that a server does.
    Reading,
    /// The worst answers.
    Worst,
    /// A mix of requests at a fixed rate.
    Mix,
    /// The start of the program.
    Starting,
    /// Events to webhooks.
    Delivering,
    /// A large database beside a small one.
    Size,
    /// Filters that find nothing in a large database.
    Filters,
    /// Logging while expired idempotency keys are swept.
    Sweeping,
}

/// A database, what it is filled with, and the service on it.
struct Place {
    site: Site,
    filled: Filled,
    service: Service,
}

impl Place {
    /// A service whose syncs can be delayed, on a database with entries.
    fn serve(bench: &Bench, (site, filled): (Site, Filled)) -> anyhow::Result<Self> {
        let service = Service::start_with(&site, &[], &bench.delay.variables())?;
        Ok(Self { site, filled, service })
    }

    fn end(self, bench: &Bench) -> anyhow::Result<()> {
        self.service.stop()?;
        bench.remove(&self.site)
    }
}

/// Measures the subjects that are wanted, on both databases.
pub(crate) fn measure(bench: &mut Bench, wanted: &[Subject]) -> anyhow::Result<()> {
    let wants = |subject| wanted.is_empty() || wanted.contains(&subject);
    for kind in Kind::ALL {
        if wants(Subject::Logging) {
            logging::measure(bench, kind)?;
        }
    }
    let small = [
        Subject::Reading,
        Subject::Worst,
        Subject::Mix,
        Subject::Starting,
        Subject::Delivering,
        Subject::Size,
    ];
    let large = [Subject::Size, Subject::Filters, Subject::Worst];
    for kind in Kind::ALL {
        if !small.into_iter().chain(large).any(wants) {
            break;
        }
        let few = bench.filled(kind, bench.plan.few)?;
        if wants(Subject::Starting) {
            starting::measure(bench, &few.0)?;
        }
        if wants(Subject::Delivering) {
            delivering::measure(bench, &few.0, &few.1)?;
        }
        let few = Place::serve(bench, few)?;
        if wants(Subject::Reading) {
            reading::measure(bench, &few)?;
        }
        if wants(Subject::Worst) {
            worst::measure(bench, &few, "few entries")?;
        }
        if wants(Subject::Mix) {
            mix::measure(bench, &few)?;
        }
        if large.into_iter().any(wants) {
            let many = bench.filled(kind, bench.plan.many)?;
            let many = Place::serve(bench, many)?;
            if wants(Subject::Size) {
                size::measure(bench, &few, &many)?;
            }
            if wants(Subject::Filters) {
                filters::measure(bench, &many)?;
            }
            if wants(Subject::Worst) {
                worst::measure(bench, &many, "many entries")?;
            }
            many.end(bench)?;
        }
        few.end(bench)?;
    }
    for kind in Kind::ALL {
        if wants(Subject::Sweeping) {
            sweeping::measure(bench, kind)?;
        }
    }
    Ok(())
}
