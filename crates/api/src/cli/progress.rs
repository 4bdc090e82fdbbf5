//! Progress bars for long work. Only a terminal shows them.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error that counts `what`.
pub(super) fn bar(total: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let template = format!("{{msg:20}} {{wide_bar}} {{human_pos}}/{{human_len}} {what} {{eta}}");
    bar.with_style(
        ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    )
}
