//! `docs/examples/receiver.py` verifies what it receives, in the clear and with TLS.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::example::{EXAMPLES, Running, entries};
use crate::support::feed::read;
use crate::support::{Api, Bootstrapped, Database, Program, bootstrap, on_every_database, until};

on_every_database! {
    the_receiver_takes_what_is_signed_and_keeps_every_entry,
    a_receiver_with_a_certificate_is_known_by_it,
}

/// Runs the example with TLS.
const WITH_TLS: &str = "import ssl, sys; sys.path.insert(0, sys.argv[1]); import receiver; \
    server = receiver.make(sys.argv[2], 0, sys.argv[3]); \
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); \
    context.load_cert_chain(sys.argv[4]); \
    server.socket = context.wrap_socket(server.socket, server_side=True); \
    print(f'receiving on 127.0.0.1:{server.server_port}', flush=True); server.serve_forever()";

/// Starts a receiver, and returns the port that it listens on.
fn start(command: &mut Command) -> (Running, u16) {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = command.env("PYTHONDONTWRITEBYTECODE", "1").spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().rsplit(':').next().unwrap().parse().unwrap();
    (Running(process), port)
}

/// What the feed says that there is.
async fn expected(api: &Api) -> BTreeMap<String, Value> {
    let page = read(api, "/changes?limit=500").await;
    let changes = page["data"].as_array().unwrap().iter();
    let entries = changes.filter(|change| !change["entry"].is_null());
    entries
        .map(|change| (change["timeEntryId"].as_str().unwrap().to_owned(), change["entry"].clone()))
        .collect()
}

async fn some_life(api: &Api, of: &Bootstrapped) {
    for number in 0..10 {
        let logged = api.post(&of.path()).json(&of.body()).send().await.is(201).text("id");
        let entry = format!("/time-entries/{logged}");
        match number % 3 {
            0 => drop(api.delete(&entry).send().await.is(204)),
            1 => drop(api.patch(&entry).json(&json!({ "minutes": 7 })).send().await.is(200)),
            _ => drop(api.post(&format!("{entry}/submit")).send().await.is(200)),
        }
    }
}

/// Makes a webhook that begins at the beginning, to be given a destination later.
async fn webhook(api: &Api) -> (String, String) {
    let body = json!({
        "destinationUrl": "https://127.0.0.1:9/",
        "eventNames": ["*"],
        "enabled": false,
        "deliveredThrough": 0,
    });
    let made = api.post("/webhooks").json(&body).send().await.is(201);
    (format!("/webhooks/{}", made.text("id")), made.text("secret"))
}

async fn follows(api: &Api, of: &Bootstrapped, copy: &Path) {
    some_life(api, of).await;
    let expected = expected(api).await;
    until("what the receiver has", async || entries(copy) == expected).await;
}

async fn the_receiver_takes_what_is_signed_and_keeps_every_entry(database: Database) {
    let database = database.create();
    let of = bootstrap(&database.url());
    let program = Program::serve(&database.url(), &["--webhook-allow", "127.0.0.1"]);
    let api = program.api.with_key(&of.key);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("entries.db");
    let (path, secret) = webhook(&api).await;
    let script = format!("{EXAMPLES}/receiver.py");
    let (_receiver, port) = start(
        Command::new("python3")
            .args([&script, copy.to_str().unwrap(), "0"])
            .env("WEBHOOK_SECRET", &secret),
    );
    let url = format!("http://127.0.0.1:{port}/");
    let enable = json!({ "destinationUrl": url, "enabled": true });
    api.patch(&path).json(&enable).send().await.is(200);
    follows(&api, &of, &copy).await;
    // With another secret it changes over within a day, and nothing is believed meanwhile that is
    // signed with neither.
    api.post(&format!("{path}/rotate-secret")).send().await.is(200);
    follows(&api, &of, &copy).await;
    api.post(&format!("{path}/rotate-secret")).send().await.is(200);
    let test = api.post(&format!("{path}/test")).send().await.is(200).json();
    assert_eq!(test["status"], 401);
}

async fn a_receiver_with_a_certificate_is_known_by_it(database: Database) {
    let database = database.create();
    let of = bootstrap(&database.url());
    let folder = tempfile::tempdir().unwrap();
    let (copy, pem) = (folder.path().join("entries.db"), folder.path().join("server.pem"));
    let certify = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
        -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
        -addext basicConstraints=critical,CA:FALSE -keyout \"$1\" -out \"$1.crt\" && \
        cat \"$1.crt\" >> \"$1\"";
    let certified = Command::new("sh").args(["-c", certify, "sh"]).arg(&pem).output().unwrap();
    assert!(certified.status.success(), "{certified:?}");
    let certificate = format!("{}.crt", pem.display());
    let serve = |variables: &[(&str, String)]| {
        let arguments = ["--webhook-allow", "127.0.0.1,::1"];
        Program::begin_with(&database.url(), &arguments, variables).serving()
    };
    let program = serve(&[]);
    let api = program.api.with_key(&of.key);
    let (path, secret) = webhook(&api).await;
    let (_receiver, port) = start(
        Command::new("python3")
            .args(["-c", WITH_TLS, EXAMPLES, copy.to_str().unwrap(), &secret])
            .arg(&pem),
    );
    let url = format!("https://localhost:{port}/");
    let enable = json!({ "destinationUrl": url, "enabled": true });
    api.patch(&path).json(&enable).send().await.is(200);
    // Nobody whom this program trusts has signed the certificate.
    let test = api.post(&format!("{path}/test")).send().await.is(200).json();
    assert!(test["error"].as_str().unwrap().contains("certificate"), "{test}");
    drop(program);
    let program = serve(&[("SSL_CERT_FILE", certificate)]);
    let api = program.api.with_key(&of.key);
    let test = api.post(&format!("{path}/test")).send().await.is(200).json();
    assert_eq!(test["delivered"], true, "{test}");
    follows(&api, &of, &copy).await;
}
