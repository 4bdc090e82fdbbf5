//! The rules as tables that other programs can use too: `tests/vectors` of the repository.

use serde_json::Value;
use timelog_domain::*;

const DURATIONS: &str = include_str!("../../../../tests/vectors/duration.json");
const LIFECYCLE: &str = include_str!("../../../../tests/vectors/lifecycle.json");

fn cases(vectors: &str, member: &str) -> Vec<Value> {
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let cases = vectors[member].as_array().unwrap().clone();
    assert!(!cases.is_empty(), "{member}");
    cases
}

/// The duration of a case, unless one of its members has a wrong JSON type.
fn duration(case: &Value) -> Option<Result<WorkDuration, Vec<InvalidDuration>>> {
    let (minutes, hours) = (case["in"].get("minutes"), case["in"].get("hours"));
    let minutes = minutes.map(|minutes| whole(minutes).ok_or(())).transpose().ok()?;
    let hours = hours.map(|hours| hours.as_str().ok_or(())).transpose().ok()?;
    Some(WorkDuration::to_log(minutes.into(), hours.into()))
}

/// A JSON number as a whole number; 150.0 is 150.
fn whole(number: &Value) -> Option<i64> {
    number.as_i64().or_else(|| format!("{}", number.as_f64()?).parse().ok())
}

#[test]
fn every_accepted_duration_has_its_minutes_and_hours() {
    for case in cases(DURATIONS, "accepted") {
        let duration = duration(&case).unwrap().unwrap_or_else(|error| panic!("{case}: {error:?}"));
        assert_eq!(Value::from(duration.minutes()), case["minutes"], "{case}");
        assert_eq!(Value::from(duration.hours()), case["hours"], "{case}");
    }
}

#[test]
fn every_refused_duration_is_refused_by_the_domain_or_by_its_json_type() {
    let mut refused_by_type = Vec::new();
    for case in cases(DURATIONS, "refused") {
        match duration(&case) {
            Some(duration) => assert!(duration.is_err(), "{case}"),
            None => refused_by_type.push(case["why"].as_str().unwrap().to_owned()),
        }
    }
    assert_eq!(refused_by_type, ["not whole", "a string", "null", "a number, not a string"]);
}

#[test]
fn the_statuses_and_actions_are_those_of_the_table() {
    let statuses: Vec<_> = Status::ALL.iter().map(|status| Value::from(status.as_str())).collect();
    assert_eq!(statuses, cases(LIFECYCLE, "statuses"));
    let actions: Vec<_> = Action::ALL.iter().map(|action| Value::from(action.as_str())).collect();
    let table: Vec<_> =
        cases(LIFECYCLE, "actions").iter().map(|row| row["action"].clone()).collect();
    assert_eq!(actions, table);
}

#[test]
fn exactly_the_editable_statuses_of_the_table_are_editable() {
    let editable: Vec<_> = Status::ALL
        .iter()
        .filter(|status| status.is_editable())
        .map(|status| Value::from(status.as_str()))
        .collect();
    assert_eq!(editable, cases(LIFECYCLE, "editable"));
}

#[test]
fn each_action_needs_the_permission_and_the_members_of_the_table() {
    for row in cases(LIFECYCLE, "actions") {
        let action: Action = row["action"].as_str().unwrap().parse().unwrap();
        assert_eq!(action.permission().as_str(), row["permission"], "{action}");
        let needs: Vec<_> =
            [("reason", action.needs_reason()), ("invoiceRef", action.needs_invoice_ref())]
                .into_iter()
                .filter_map(|(member, needed)| needed.then_some(Value::from(member)))
                .collect();
        assert_eq!(Value::from(needs), row["needs"], "{action}");
    }
}

/// The status after an action, by the table.
pub(crate) fn after(status: Status, action: Action) -> Option<Status> {
    let rows = cases(LIFECYCLE, "actions");
    let row = rows.iter().find(|row| row["action"] == action.as_str()).unwrap();
    let transitions = row["transitions"].as_object().unwrap();
    assert_eq!(transitions.len(), Status::ALL.len(), "{action}");
    transitions[status.as_str()].as_str().map(|to| to.parse().unwrap())
}

#[test]
fn every_action_in_every_status_leads_to_the_status_of_the_table() {
    for status in Status::ALL {
        for action in Action::ALL {
            assert_eq!(status.after(*action), after(*status, *action), "{action} of {status}");
        }
        let possible: Vec<_> = status.possible_actions().collect();
        let expected: Vec<_> = Action::ALL
            .iter()
            .copied()
            .filter(|action| after(*status, *action).is_some())
            .collect();
        assert_eq!(possible, expected, "{status}");
    }
}
