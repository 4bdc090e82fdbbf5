//! Sessions on a PostgreSQL server that stay open, and backends that are stopped.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::postgres::Cluster;

/// A session that stays open, such as one that holds a lock. Dropping it ends it, and with it what
/// it holds.
pub(crate) struct Session {
    process: Child,
    /// None once the session has been told to end.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Session {
    pub(crate) fn open(cluster: &Cluster, database: &str) -> Self {
        let mut process = cluster
            .psql(database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("psql starts");
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().expect("its output is a pipe"));
        Self { process, input, output }
    }

    /// Runs SQL and waits until it is done.
    pub(crate) fn run(&mut self, sql: &str) {
        let input = self.input.as_mut().expect("the session has not been told to end");
        writeln!(input, "{sql};\n\\echo done").expect("psql reads");
        let mut line = String::new();
        while line != "done\n" {
            line.clear();
            assert!(self.output.read_line(&mut line).expect("psql writes") > 0, "{sql} failed");
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

/// Backends that are stopped, so that they answer nothing until this is dropped.
pub(crate) struct FrozenBackends(Vec<String>);

impl FrozenBackends {
    /// Stops backends by the ids of their processes.
    pub(crate) fn new(backends: &[String]) -> Self {
        let frozen = Self(backends.to_vec());
        frozen.signal("-STOP");
        frozen
    }

    fn signal(&self, signal: &str) {
        // A backend that has ended needs no signal.
        let _ = Command::new("kill").arg(signal).args(&self.0).stderr(Stdio::null()).status();
    }
}

impl Drop for FrozenBackends {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}
