//! The `timelog` program, run as its users run it.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use super::api::Api;

/// The program without the settings of this process: the one that was built with the tests, or
/// `TIMELOG_TEST_PROGRAM`.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let path = std::env::var_os("TIMELOG_TEST_PROGRAM")
        .unwrap_or_else(|| env!("CARGO_BIN_EXE_timelog").into());
    let mut command = Command::new(path);
    let own = std::env::vars_os()
        .filter(|(name, _)| name.to_str().is_some_and(|name| name.starts_with("TIMELOG_")));
    for (name, _) in own {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    run_with(arguments, &[])
}

/// Runs a command to its end, with variables.
pub(crate) fn run_with(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    program(arguments).envs(variables.iter().copied()).output().expect("the program starts")
}

/// What `timelog bootstrap` made.
pub(crate) struct Bootstrapped {
    ids: Value,
    pub(crate) key: String,
}

/// Makes an organization with the program.
pub(crate) fn bootstrap(database_url: &str) -> Bootstrapped {
    let output = run(&["bootstrap", "--json", "--database-url", database_url]);
    let ids: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let key = ids["apiKey"].as_str().expect("it prints a key").to_owned();
    Bootstrapped { ids, key }
}

impl Bootstrapped {
    /// One of the ids that were printed, such as `organizationId`.
    pub(crate) fn id(&self, name: &str) -> &str {
        self.ids[name].as_str().expect("it prints the id")
    }

    /// Where time is logged.
    pub(crate) fn path(&self) -> String {
        format!("/projects/{}/time-entries", self.id("projectId"))
    }

    /// A minimal valid body.
    pub(crate) fn body(&self) -> Value {
        json!({ "userId": self.ids["userId"], "workDate": "2025-01-15", "minutes": 150 })
    }
}

/// A running `timelog serve`. It is killed when this is dropped.
pub(crate) struct Program {
    pub(crate) api: Api,
    pub(crate) address: SocketAddr,
    base_path: String,
    process: Child,
    stdout: Lines,
    log: Lines,
}

/// The lines that a program writes. They are read as they come, so that it never blocks on a full
/// pipe.
struct Lines {
    coming: Receiver<String>,
    read: Vec<String>,
}

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let (send, coming) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines() {
                if send.send(line.expect("a program writes UTF-8")).is_err() {
                    return;
                }
            }
        });
        Self { coming, read: Vec::new() }
    }

    fn wait_for(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let line = self
                .coming
                .recv()
                .unwrap_or_else(|_| panic!("the program ended: {:#?}", self.read));
            self.read.push(line.clone());
            if wanted(&line) {
                return line;
            }
        }
    }

    /// All lines, once the program has ended.
    fn rest(&mut self) -> Vec<String> {
        self.read.extend(self.coming.iter());
        std::mem::take(&mut self.read)
    }
}

/// The exit status of a program, and all its output.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) log: Vec<String>,
}

impl Program {
    /// Starts the service on a free port and waits until it serves.
    pub(crate) fn serve(database_url: &str, arguments: &[&str]) -> Self {
        Self::begin(database_url, arguments).serving()
    }

    /// Starts the service on a free port. It has no address before it [serves](Self::serving).
    pub(crate) fn begin(database_url: &str, arguments: &[&str]) -> Self {
        Self::begin_with(database_url, arguments, &[])
    }

    /// Likewise, with variables.
    pub(crate) fn begin_with(
        database_url: &str,
        arguments: &[&str],
        variables: &[(&str, String)],
    ) -> Self {
        Self::spawn(program(&[]), database_url, arguments, variables)
    }

    /// Likewise; it ends with the thread that starts it, even if that is killed.
    pub(crate) fn begin_bound(
        database_url: &str,
        arguments: &[&str],
        variables: &[(&str, String)],
    ) -> Self {
        let alone = program(&[]);
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(alone.get_program()).stdin(Stdio::null());
        for (name, _) in alone.get_envs() {
            command.env_remove(name);
        }
        Self::spawn(command, database_url, arguments, variables)
    }

    fn spawn(
        mut command: Command,
        database_url: &str,
        arguments: &[&str],
        variables: &[(&str, String)],
    ) -> Self {
        let base_path = arguments
            .iter()
            .skip_while(|argument| **argument != "--base-path")
            .nth(1)
            .unwrap_or(&"");
        command.args(["serve", "--listen", "127.0.0.1:0", "--database-url", database_url]);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let mut process = command.spawn().expect("the program starts");
        let stdout = Lines::of(process.stdout.take().expect("its output is a pipe"));
        let log = Lines::of(process.stderr.take().expect("its log is a pipe"));
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            api: Api::new(address, base_path),
            base_path: (*base_path).to_owned(),
            address,
            process,
            stdout,
            log,
        }
    }

    /// Waits until the service serves.
    pub(crate) fn serving(mut self) -> Self {
        let serving = self.wait_for_log(|line| line["message"] == "serving");
        self.address =
            serving["address"].as_str().and_then(|text| text.parse().ok()).expect("it says where");
        self.api = Api::new(self.address, &self.base_path);
        self
    }

    /// Waits for a log line, which must come.
    pub(crate) fn wait_for_log(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let parse = |line: &str| {
            serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{error} in the log line {line}"))
        };
        parse(&self.log.wait_for(|line| wanted(&parse(line))))
    }

    /// Waits for a log line that is not JSON.
    pub(crate) fn wait_for_text(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        self.log.wait_for(wanted)
    }

    /// Waits for a line of output.
    pub(crate) fn wait_for_line(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        self.stdout.wait_for(wanted)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let status =
            Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status();
        assert!(status.expect("kill is there").success());
    }

    /// Waits until the program has ended.
    pub(crate) fn end(mut self) -> Ended {
        let status = self.process.wait().expect("the program can be waited for");
        let stdout = self.stdout.rest().join("\n");
        Ended { status, stdout, log: self.log.rest() }
    }

    /// Stops the program as an operator does.
    pub(crate) fn stop(self) -> Ended {
        self.signal("TERM");
        self.end()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
