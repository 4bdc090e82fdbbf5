//! Schemathesis sends what the OpenAPI document allows, and what it does not allow.
//!
//! `scripts/setup soak` installs it into a folder of its own. Further checks are in
//! `tests/schemathesis`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::deployment::Deployment;
use super::results::Results;
use super::trial::Trial;

/// The number of cases for each operation and phase.
const EXAMPLES: &str = "25";

/// Sabotage: the document says that an entry lasts ten minutes at most.
pub(super) async fn run(mut trial: Trial) -> Results {
    let program = installed();
    let mut results = Results::default();
    for _ in 0..trial.cycles {
        let mut deployment = Deployment::new(trial.database);
        deployment.start();
        let root = format!("http://{}", deployment.program().address);
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let document = folder.path().join("openapi.json");
        fs::write(&document, document_of(&root, trial.sabotage).await.to_string())
            .expect("it can be written");
        let seed = trial.random.below(1 << 32).to_string();
        let mut command = Command::new(&program);
        // All checks are on, except where the settings say otherwise.
        command.arg("--config-file").arg(here().join("schemathesis.toml"));
        command.arg("run").arg(&document).args(["--url", &root, "--seed", &seed]);
        command.args(["--header", &format!("Authorization: Bearer {}", deployment.made.key)]);
        command.args(["--max-examples", EXAMPLES, "--generation-database", "none", "--no-color"]);
        command.env("SCHEMATHESIS_HOOKS", here().join("hooks.py")).current_dir(folder.path());
        let output =
            tokio::task::spawn_blocking(move || command.output()).await.expect("it does not panic");
        let output = output.expect("Schemathesis starts");
        count(&mut results, &root).await;
        if !output.status.success() {
            results.fault(failures(&output));
        }
        if !deployment.stop() {
            results.fault("the service did not end well".to_owned());
        }
        results.cycles += 1;
    }
    if results.server_errors > 0 {
        results.fault(format!("{} times 5xx", results.server_errors));
    }
    results
}

async fn text_of(url: &str) -> String {
    let http = crate::support::client().build().expect("a client can be made");
    let answer = http.get(url).send().await.expect("the service answers");
    answer.text().await.expect("the answer is whole")
}

async fn document_of(root: &str, is_narrowed: bool) -> Value {
    let text = text_of(&format!("{root}/openapi.json")).await;
    let mut document: Value = serde_json::from_str(&text).expect("the document is JSON");
    if is_narrowed {
        let minutes = document.pointer_mut("/components/schemas/TimeEntry/properties/minutes");
        minutes.expect("the document says how long an entry lasts")["maximum"] = json!(10);
    }
    document
}

/// Counts by the metrics of the service.
async fn count(results: &mut Results, root: &str) {
    let metrics = text_of(&format!("{root}/metrics")).await;
    for line in metrics.lines().filter(|line| line.starts_with("timelog_http_requests_total{")) {
        let number = line.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        results.requests += number;
        if line.contains("status=\"5") {
            results.server_errors += number;
        }
        if line.contains("status=\"2") {
            results.acknowledged += number;
        }
    }
}

/// Its failures, shortened. A file keeps all of its output.
fn failures(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let file = folder().join(format!("schemathesis-{}.log", std::process::id()));
    fs::write(&file, &text).expect("what it says can be kept");
    let short = text.find("Failures:").map_or(text.as_str(), |place| &text[place..]);
    format!(
        "{}, of which all is in {}",
        short.lines().take(8).collect::<Vec<_>>().join(" "),
        file.display()
    )
}

/// The folder of what is installed, and kept, for the soak alone.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("soak")
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/schemathesis")
}

/// The program of Schemathesis.
fn installed() -> PathBuf {
    let program = folder().join("venv/bin/schemathesis");
    assert!(
        program.exists(),
        "{} is missing: make soak and make schemathesis install it",
        program.display()
    );
    program
}
