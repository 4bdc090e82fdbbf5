//! The limits of the settings of `timelog serve`.

use clap::CommandFactory;
use timelog_api::cli::Cli;

use crate::support::{Database, Program, bootstrap, on_every_database};

on_every_database![
    the_service_works_with_every_setting_at_its_minimum,
    the_service_works_with_every_setting_at_its_maximum,
    an_available_database_is_opened_with_a_connect_timeout_of_0,
];

/// Every setting with limits, its least value and its most, as the program declares them.
fn limits() -> Vec<[String; 3]> {
    let command = Cli::command();
    let serve = command.find_subcommand("serve").unwrap();
    let arguments = command.get_arguments().chain(serve.get_arguments());
    let limits = arguments.filter_map(|argument| {
        let values = argument.get_possible_values();
        let (least, most) = values.first()?.get_name().split_once('–')?;
        Some([format!("--{}", argument.get_long()?), least.to_owned(), most.to_owned()])
    });
    limits.collect()
}

/// Logs, reads and adds up with these settings, and is stopped.
async fn works_with(database: Database, settings: &[[String; 2]]) {
    let database = database.create();
    let made = bootstrap(&database.url());
    let flags: Vec<_> = settings.iter().flatten().map(String::as_str).collect();
    let program = Program::serve(&database.url(), &flags);
    let api = program.api.with_key(&made.key);
    // On a busy machine the minimum time-outs may be over before anything is done.
    let call = api.post(&made.path()).json(&made.body()).idempotency_key("k");
    let mut answer = call.clone().send().await;
    for _ in 0..1000 {
        if ![429, 503].contains(&answer.status) {
            break;
        }
        answer = call.clone().send().await;
    }
    answer.is(201);
    assert_eq!(database.count("time_entries"), 1);
    assert!(program.stop().status.success());
}

async fn the_service_works_with_every_setting_at_its_minimum(database: Database) {
    let least = limits().into_iter().map(|[flag, least, _]| [flag, least]);
    // On a machine that is busy, the least time for a connection may be over at the first attempt.
    // So that one has its own test.
    let least: Vec<_> = least.filter(|[flag, _]| flag != "--connect-timeout").collect();
    assert!(!least.is_empty());
    works_with(database, &least).await;
}

async fn an_available_database_is_opened_with_a_connect_timeout_of_0(database: Database) {
    works_with(database, &[["--connect-timeout", "0s"].map(str::to_owned)]).await;
}

async fn the_service_works_with_every_setting_at_its_maximum(database: Database) {
    let most: Vec<_> = limits().into_iter().map(|[flag, _, most]| [flag, most]).collect();
    works_with(database, &most).await;
}
