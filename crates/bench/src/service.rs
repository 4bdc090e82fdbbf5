//! Servers as processes: `timelog serve`, and the baseline that decides and stores nothing.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::process;
use crate::site::Site;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server. It is killed when this is dropped.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first answer.
    pub(crate) started_in: Duration,
    process: Child,
}

impl Service {
    /// Starts the program on a database.
    pub(crate) fn start(site: &Site, arguments: &[&str]) -> anyhow::Result<Self> {
        Self::start_with(site, arguments, &[])
    }

    /// Likewise, with variables.
    pub(crate) fn start_with(
        site: &Site,
        arguments: &[&str],
        variables: &[(&str, String)],
    ) -> anyhow::Result<Self> {
        let mut command = site.program("serve");
        command.args(["--no-demo"]).args(arguments);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        Self::spawn(command)
    }

    /// Starts the baseline on the keys and the directory of a database.
    pub(crate) fn start_deciding(site: &Site) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["deciding", "--database-url", &site.url]);
        command.args(["--organization", &site.organization]);
        command.args(["--project", &site.project, "--user", &site.user]);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> anyhow::Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        command.args(["--listen", &address.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let begun = Instant::now();
        let process = command.spawn().context("the server does not start")?;
        let mut service = Self { address, started_in: Duration::ZERO, process };
        while !is_ready(address) {
            if let Some(status) = service.process.try_wait()? {
                bail!("the server ended at its start: {status}");
            }
            if begun.elapsed() > PATIENCE {
                bail!("the server does not answer");
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        service.started_in = begun.elapsed();
        Ok(service)
    }

    /// The most memory that it has had, in MiB.
    pub(crate) fn peak_memory(&self) -> anyhow::Result<f64> {
        process::peak_memory(self.process.id())
    }

    /// The processor time that it has used, in seconds.
    pub(crate) fn cpu(&self) -> anyhow::Result<f64> {
        process::cpu(self.process.id())
    }

    /// Stops it as an operator does, so that an SQLite database is one file afterwards.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let id = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        kill_process(id.context("a process has an id")?, Signal::TERM)?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether a server answers that it is ready. curl would take longer to start than the server.
fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(status.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}
