//! The chart: how much of its goal each figure reaches.

use std::fmt::Write as _;

use crate::report::Figure;

const WIDTH: f64 = 960.0;
const ROW: f64 = 24.0;
const TOP: f64 = 36.0;
/// Where bars begin, and where they reach their goal.
const LEFT: f64 = 560.0;
const GOAL: f64 = 730.0;
/// A bar does not become longer.
const MOST: f64 = 1.7;

/// Its colours are of the reader's scheme, light or dark, and it has no background of its own.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#24292f}\
    .reached{fill:#2a7d4f}.missed{fill:#b35900}.goal{stroke:#57606a;stroke-dasharray:4 3}\
    @media(prefers-color-scheme:dark){text{fill:#d0d7de}.reached{fill:#46b980}\
    .missed{fill:#e8964a}.goal{stroke:#8b949e}}";

/// Draws a bar for each figure that has a goal.
pub(crate) fn draw<'a>(figures: impl Iterator<Item = &'a Figure>) -> String {
    let (mut rows, mut bottom) = (String::new(), TOP);
    for figure in figures {
        let reached = figure.reached().unwrap_or(0.0);
        let class = if reached >= 1.0 { "reached" } else { "missed" };
        let length = (GOAL - LEFT) * reached.clamp(0.01, MOST);
        let base = bottom + 16.0;
        // Writing to a String cannot fail.
        let _ = writeln!(
            rows,
            "<text x=\"{:.0}\" y=\"{base:.0}\" text-anchor=\"end\">{}, {}</text>\n\
             <rect class=\"{class}\" x=\"{LEFT:.0}\" y=\"{:.0}\" width=\"{length:.1}\" \
             height=\"16\" rx=\"2\"/>\n\
             <text x=\"{:.1}\" y=\"{base:.0}\">{}</text>",
            LEFT - 8.0,
            escaped(&figure.what),
            figure.kind.name(),
            bottom + 3.0,
            LEFT + length + 6.0,
            escaped(&figure.shown()),
        );
        bottom += ROW;
    }
    let height = bottom + 8.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" \
         width=\"{WIDTH:.0}\" height=\"{height:.0}\" role=\"img\">\n\
         <title>How much of its goal each figure reaches</title>\n<style>{STYLE}</style>\n{rows}\
         <line class=\"goal\" x1=\"{GOAL:.0}\" y1=\"24\" x2=\"{GOAL:.0}\" y2=\"{bottom:.0}\"/>\n\
         <text x=\"{GOAL:.0}\" y=\"16\" text-anchor=\"middle\">goal</text>\n</svg>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Kind;

    #[test]
    fn a_bar_is_as_long_as_its_figure_reaches() {
        let figure = |value| Figure::new("a < b", Kind::Sqlite, value, " ms").at_most(20.0);
        let figures = [figure(20.0), figure(40.0), figure(1e9), figure(0.001)];
        let chart = draw(figures.iter());
        for expected in [
            "<rect class=\"reached\" x=\"560\" y=\"39\" width=\"170.0\"",
            "<rect class=\"missed\" x=\"560\" y=\"63\" width=\"85.0\"",
            "width=\"1.7\"",
            "width=\"289.0\"",
            "a &lt; b, SQLite",
        ] {
            assert!(chart.contains(expected), "{chart}");
        }
    }
}
