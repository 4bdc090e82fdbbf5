//! What was found, and as a table.

use std::fmt::Write as _;

use crate::site::Kind;

/// What a figure must reach.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

/// One figure of one database.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) kind: Kind,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// What it was made of.
    pub(crate) from: String,
    pub(crate) goal: Option<Goal>,
}

/// All that was found, in sections.
#[derive(Debug, Default)]
pub(crate) struct Report {
    sections: Vec<(&'static str, Vec<Figure>)>,
}

impl Figure {
    pub(crate) fn new(what: impl Into<String>, kind: Kind, value: f64, unit: &'static str) -> Self {
        Self { what: what.into(), kind, value, unit, from: String::new(), goal: None }
    }

    /// One rate divided by another.
    pub(crate) fn ratio(what: impl Into<String>, kind: Kind, above: f64, below: f64) -> Self {
        Self::new(what, kind, above / below, "").from(format!(
            "{} ÷ {}",
            number(above),
            number(below)
        ))
    }

    pub(crate) fn from(mut self, from: impl Into<String>) -> Self {
        self.from = from.into();
        self
    }

    pub(crate) fn at_least(mut self, least: f64) -> Self {
        self.goal = Some(Goal::AtLeast(least));
        self
    }

    pub(crate) fn at_most(mut self, most: f64) -> Self {
        self.goal = Some(Goal::AtMost(most));
        self
    }

    /// How much of its goal it reaches: 1 is just enough. None without a goal.
    pub(crate) fn reached(&self) -> Option<f64> {
        Some(match self.goal? {
            Goal::AtLeast(least) => self.value / least,
            Goal::AtMost(most) => most / self.value.max(f64::MIN_POSITIVE),
        })
    }

    /// The value with its unit.
    pub(crate) fn shown(&self) -> String {
        format!("{}{}", number(self.value), self.unit)
    }

    /// The goal in words.
    fn goal(&self) -> String {
        match self.goal {
            None => String::new(),
            Some(Goal::AtLeast(least)) => format!("≥ {}{}", number(least), self.unit),
            Some(Goal::AtMost(most)) => format!("≤ {}{}", number(most), self.unit),
        }
    }
}

impl Report {
    /// Adds figures to a section.
    pub(crate) fn add(&mut self, section: &'static str, figures: Vec<Figure>) {
        match self.sections.iter_mut().find(|(name, _)| *name == section) {
            Some((_, all)) => all.extend(figures),
            None => self.sections.push((section, figures)),
        }
    }

    /// The figures that have a goal.
    pub(crate) fn with_goals(&self) -> impl Iterator<Item = &Figure> {
        self.sections.iter().flat_map(|(_, figures)| figures).filter(|figure| figure.goal.is_some())
    }

    /// A table for each section.
    pub(crate) fn tables(&self) -> String {
        let mut text = String::new();
        for (section, figures) in &self.sections {
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "### {section}\n\n| figure | database | measured | from | must reach | |\n\
                 |---|---|--:|---|--:|---|\n"
            );
            for figure in figures {
                let mark = match figure.reached() {
                    None => "",
                    Some(reached) if reached >= 1.0 => "reached",
                    Some(_) => "missed",
                };
                let Figure { what, kind, from, .. } = figure;
                let (shown, goal) = (figure.shown(), figure.goal());
                let _ = writeln!(
                    text,
                    "| {what} | {} | {shown} | {from} | {goal} | {mark} |",
                    kind.name()
                );
            }
            text.push('\n');
        }
        text
    }
}

/// A number with three digits that count, or whole with commas.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    if value.abs() < 1000.0 {
        let decimals = match value.abs() {
            small if small < 1.0 => 3,
            small if small < 10.0 => 2,
            small if small < 100.0 => 1,
            _ => 0,
        };
        return format!("{value:.decimals$}");
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_have_three_digits_or_are_whole() {
        assert_eq!(
            [0.2149, 1.456, 17.04, 812.3, 16_304.2, 1_234_567.0].map(number),
            ["0.215", "1.46", "17.0", "812", "16,304", "1,234,567"]
        );
    }
}
