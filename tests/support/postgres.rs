//! A private PostgreSQL for the tests of one process: started on first use, gone when the process
//! is, however it ends.
//!
//! A small shell script keeps each cluster. It holds the other end of a pipe that only this process
//! writes to, so even a SIGKILL here is an end of file there, upon which it stops the server and
//! removes its folder.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The URL of a new, empty database, on the shared cluster.
pub(crate) fn url_of_new_database() -> String {
    shared().url_of_new_database()
}

/// The cluster that all tests of this process share.
pub(crate) fn shared() -> &'static Arc<Cluster> {
    static SHARED: OnceLock<Arc<Cluster>> = OnceLock::new();
    SHARED.get_or_init(|| Arc::new(Cluster::start(&[])))
}

/// A PostgreSQL server with its own folder and port. Dropping it stops the server and removes the
/// folder.
pub(crate) struct Cluster {
    programs: PathBuf,
    port: u16,
    supervisor: Mutex<Supervisor>,
    databases: AtomicU32,
}

impl Cluster {
    /// Starts a server. Each of the settings becomes a line of its `postgresql.conf`, after those
    /// that make tests fast.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_with(settings, &[])
    }

    /// Likewise, with variables for every process of the server.
    pub(crate) fn start_with(settings: &[(&str, &str)], variables: &[(&str, String)]) -> Self {
        let programs = programs();
        let mut supervisor = Supervisor::spawn(&programs, settings, variables);
        // Somebody else may take a port between our finding it free and the server's listening on
        // it.
        for _ in 0..10 {
            let port = free_port();
            if supervisor.ask(&format!("listen {port}")) && supervisor.ask("start") {
                return Self {
                    programs,
                    port,
                    supervisor: Mutex::new(supervisor),
                    databases: AtomicU32::new(0),
                };
            }
        }
        panic!("PostgreSQL does not start; {}", supervisor.log());
    }

    /// The URL of a new, empty database.
    pub(crate) fn url_of_new_database(&self) -> String {
        let name = format!("timelog_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.query("postgres", &format!("CREATE DATABASE {name}"));
        format!("postgres://timelog:a-secret-password@127.0.0.1:{}/{name}", self.port)
    }

    /// Runs SQL on a database, named or given by its URL, and returns what psql prints: a line per
    /// row, `|` between columns.
    pub(crate) fn query(&self, database: &str, sql: &str) -> String {
        let output = self.psql(database).args(["-c", sql]).stdin(Stdio::null()).output();
        let output = output.expect("psql should be there, beside postgres");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// A psql on a database, named or given by its URL. It ends at the first error.
    pub(crate) fn psql(&self, database: &str) -> Command {
        let mut psql = Command::new(self.programs.join("psql"));
        let database = database.rsplit('/').next().unwrap_or(database);
        psql.args([
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
            "-U",
            "timelog",
            "-d",
            database,
        ]);
        psql.args(["-v", "ON_ERROR_STOP=1", "-XqAt"]);
        psql
    }

    /// The ids of the processes that serve the connections to a database.
    pub(crate) fn backends(&self, database: &str) -> Vec<String> {
        let name = database.rsplit('/').next().unwrap_or(database);
        let sql = format!(
            "SELECT pid FROM pg_stat_activity WHERE datname = '{name}' AND application_name = \
             'timelog'"
        );
        self.query("postgres", &sql).lines().map(str::to_owned).collect()
    }

    /// Runs a command of the shell as the server, in the folder of its data. It gets no row: one
    /// that it does not read would be a broken pipe.
    pub(crate) fn run(&self, command: &str) {
        self.query(
            "postgres",
            &format!("COPY (SELECT WHERE false) TO PROGRAM '{}'", command.replace('\'', "''")),
        );
    }

    /// The URL of a database as somebody else uses it.
    pub(crate) fn url_of(&self, user: &str, database: &str) -> String {
        format!(
            "postgres://{user}@127.0.0.1:{}/{}",
            self.port,
            database.rsplit('/').next().unwrap_or(database)
        )
    }

    /// Stops the server as a crash would: no connection ends well, and nothing is written but what
    /// already is.
    pub(crate) fn stop(&self) {
        assert!(self.ask("stop"), "PostgreSQL should stop");
    }

    /// Starts the stopped server again, on the port it had.
    pub(crate) fn start_again(&self) {
        let has_started = self.ask("start");
        let supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(has_started, "PostgreSQL should start again; {}", supervisor.log());
    }

    /// Cuts every connection to a database.
    pub(crate) fn kill_backends(&self, database: &str) {
        let name = database.rsplit('/').next().unwrap_or(database);
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        self.query("postgres", &sql);
    }

    /// The folder it lives in.
    pub(crate) fn folder(&self) -> PathBuf {
        self.supervisor.lock().unwrap_or_else(PoisonError::into_inner).folder.clone()
    }

    /// The port it listens on, of 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn ask(&self, command: &str) -> bool {
        self.supervisor.lock().unwrap_or_else(PoisonError::into_inner).ask(command)
    }
}

/// Supervises one cluster in a folder that it makes. It carries out the commands that it reads,
/// answers each with `yes` or `no`, and cleans up at the end of file. `pg_ctl` detaches the server,
/// so only this script must outlive the process.
const SUPERVISOR: &str = r#"
umask 077
trap '' INT TERM HUP PIPE
programs=$1; shift
folder=$(mktemp -d "${TMPDIR:-/tmp}/timelog-postgres-XXXXXX") && cd "$folder" || exit 1
echo "$folder"
exec 2>/dev/null
"$programs/initdb" -D data -U timelog -A trust -E UTF8 --locale=C --no-sync >log 2>&1 &&
    printf '%s\n' "$@" >>data/postgresql.conf
while read -r command value; do
    case $command in
        listen) echo "port = $value" >data/port.conf ;;
        start) "$programs/pg_ctl" -D data -l "$folder/log" -w -t 60 start >/dev/null 2>&1 ;;
        stop) "$programs/pg_ctl" -D data -m immediate -w -t 60 stop >/dev/null 2>&1 ;;
    esac && answer=yes || answer=no
    echo $answer
done
"$programs/pg_ctl" -D data -m immediate -w -t 60 stop >/dev/null 2>&1
cd / && rm -rf "$folder"
"#;

struct Supervisor {
    folder: PathBuf,
    /// None once the supervisor has been told to end.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    process: Child,
}

impl Supervisor {
    fn spawn(programs: &Path, settings: &[(&str, &str)], variables: &[(&str, String)]) -> Self {
        let mut process = unprivileged("sh")
            .args(["-c", SUPERVISOR, "sh"])
            .arg(programs)
            .args(FAST.iter().chain(settings).map(|(name, value)| format!("{name} = '{value}'")))
            .args(["unix_socket_directories = ''", "include_if_exists = 'port.conf'"])
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            // A signal to the foreground group, such as Ctrl-C, must not reach the supervisor.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("sh should start");
        let orders = process.stdin.take();
        let mut answers = BufReader::new(process.stdout.take().expect("its output is a pipe"));
        let mut folder = String::new();
        answers.read_line(&mut folder).expect("the supervisor should name its folder");
        assert!(
            !folder.is_empty(),
            "the user that PostgreSQL runs as needs to write to the folder of temporary files"
        );
        Self { folder: PathBuf::from(folder.trim_end()), orders, answers, process }
    }

    fn ask(&mut self, command: &str) -> bool {
        let orders = self.orders.as_mut().expect("the supervisor has not been told to end");
        writeln!(orders, "{command}").expect("the supervisor should live");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("the supervisor should answer");
        answer == "yes\n"
    }

    fn log(&self) -> String {
        let mut log = format!("its log, {}:\n", self.folder.join("log").display());
        let text = std::fs::read_to_string(self.folder.join("log"))
            .unwrap_or_else(|error| error.to_string());
        let _ = write!(log, "{text}");
        log
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.process.wait();
    }
}

/// Tests ask whether a commit is answered, not whether it survives a power cut.
const FAST: [(&str, &str); 7] = [
    ("listen_addresses", "127.0.0.1"),
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    ("max_connections", "200"),
    ("shared_buffers", "32MB"),
    ("timezone", "UTC"),
];

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port should be free");
    listener.local_addr().expect("it is bound").port()
}

/// PostgreSQL refuses to run as root, so root starts it as another user.
fn unprivileged(program: &str) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd should be there");
    let user = |name: &str| {
        let mut fields = users
            .lines()
            .map(|line| line.split(':'))
            .find(|fields| fields.clone().next() == Some(name))?;
        Some((fields.nth(2)?.to_owned(), fields.next()?.to_owned()))
    };
    let (user, group) = user("postgres")
        .or_else(|| user("nobody"))
        .expect("a user postgres or nobody should exist");
    let mut command = Command::new("setpriv");
    command
        .args([format!("--reuid={user}"), format!("--regid={group}")])
        .args(["--clear-groups", program]);
    command
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id should be there");
    output.stdout == b"0\n"
}

/// The folder of the newest PostgreSQL's programs.
fn programs() -> PathBuf {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    let found = PROGRAMS.get_or_init(|| {
        installed().expect(
            "the tests need PostgreSQL 15 or later: make setup installs it (package postgresql)",
        )
    });
    found.clone()
}

fn installed() -> Option<PathBuf> {
    let version = |folder: &PathBuf| folder.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut debian: Vec<_> = debian.flatten().map(|folder| folder.path().join("bin")).collect();
    debian.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    let path: OsString = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = debian.into_iter().chain(std::env::split_paths(&path));
    folders.find(|folder| {
        ["initdb", "pg_ctl", "postgres", "psql"].iter().all(|name| folder.join(name).exists())
    })
}
