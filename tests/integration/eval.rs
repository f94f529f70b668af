//! `featuregrid eval`: the window's edges, exact decimals, and mistakes with their place.

use serde_json::Value;

use crate::harness::{Run, Scratch};

const EDGE: &str = "project: edge
entities:
  user: { join_keys: [user_id] }
sources:
  payments:
    kafka: { topic: payments }
    format: json
    fields: { user_id: user_id, amount: { path: amount, type: decimal(2) } }
    event_timestamp: ts
feature_views:
  spend:
    entity: user
    source: payments
    features:
      count: { count: true, windows: [5m, 1h] }
      total: { sum: amount, windows: [1h] }
      mean: { mean: amount, windows: [5m] }
";

fn eval(definitions: &str, events: &str, spine: &str) -> Run {
    let scratch = Scratch::new();
    let definitions = scratch.write("definitions.yaml", definitions);
    let events = scratch.write("events.jsonl", events);
    let spine = scratch.write("spine.jsonl", spine);
    Run::of(&["eval", &definitions, "--events", &events, "--spine", &spine])
}

fn rows(run: &Run) -> Vec<Value> {
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run.stdout.lines().map(|line| serde_json::from_str(line).expect("one JSON object per line")).collect()
}

fn spine(user: &str, instants: &[&str]) -> String {
    instants.iter().map(|at| format!("{{\"user_id\":\"{user}\",\"as_of\":\"2026-01-01T{at}\"}}\n")).collect()
}

#[test]
fn a_window_opens_after_its_event_and_closes_at_a_hop() {
    let instants = ["12:00:00Z", "12:00:00.000001Z", "12:05:00Z", "12:05:04.999999Z", "12:05:05Z"];
    let event = "{\"user_id\":\"u1\",\"amount\":10,\"ts\":\"2026-01-01T12:00:00Z\"}\n";
    let rows = rows(&eval(EDGE, event, &spine("u1", &instants)));
    let status: Vec<_> = rows.iter().map(|row| row["status"]["count_5m"].as_str().unwrap_or_default()).collect();
    assert_eq!(status, ["NOT_FOUND", "PRESENT", "PRESENT", "PRESENT", "PRESENT"]);
    let counts: Vec<_> = rows.iter().map(|row| row["features"]["count_5m"].as_i64()).collect();
    assert_eq!(counts, [None, Some(1), Some(1), Some(1), Some(0)]);
    assert_eq!(rows[4]["status"]["mean_5m"], "NULL_VALUE");
    assert_eq!(rows[4]["features"]["total_1h"], 10);
}

#[test]
fn ten_tenths_are_one() {
    let events: String = (0..10)
        .map(|second| format!("{{\"user_id\":\"u2\",\"amount\":0.1,\"ts\":\"2026-01-01T12:00:0{second}Z\"}}\n"))
        .collect();
    let run = eval(EDGE, &events, &spine("u2", &["12:01:00Z"]));
    assert!(run.stdout.contains("\"total_1h\":1,") || run.stdout.contains("\"total_1h\":1}"), "{}", run.stdout);
    assert_eq!(rows(&run)[0]["features"]["mean_5m"].as_f64(), Some(0.1));
}

/// 2420.9 / 55, whose last bit a reader of JSON that does not round correctly loses.
#[test]
fn a_mean_is_read_as_it_was_printed() {
    let event = |second: usize, amount: &str| {
        format!("{{\"user_id\":\"u3\",\"amount\":{amount},\"ts\":\"2026-01-01T12:00:{second:02}Z\"}}\n")
    };
    let events: String = (0..55).map(|second| event(second, if second == 7 { "2420.9" } else { "0" })).collect();
    let rows = rows(&eval(EDGE, &events, &spine("u3", &["12:01:00Z"])));
    assert_eq!(rows[0]["features"]["mean_5m"].as_f64(), Some(24_209.0 / 550.0));
}

/// The first line of an id counts, though another happened before it.
#[test]
fn an_event_id_counts_once() {
    let event = |id: &str, second: u32, amount: u32| {
        format!("{{\"user_id\":\"u4\",\"id\":{id},\"amount\":{amount},\"ts\":\"2026-01-01T12:00:{second:02}Z\"}}\n")
    };
    let events = [event("\"a\"", 9, 1), event("\"a\"", 3, 2), event("null", 9, 4), event("null", 9, 8)].concat();
    let definitions = EDGE.replace("timestamp: ts\n", "timestamp: ts\n    event_id: id\n");
    let run = eval(&definitions, &events, &spine("u4", &["12:00:05Z", "12:01:00Z"]));
    let rows = rows(&run);
    assert_eq!(rows[0]["status"]["total_1h"], "NOT_FOUND");
    assert_eq!(rows[1]["features"]["total_1h"], 13);
    assert!(run.stderr.contains("rows 4 = applied 3 + duplicate 1 + rejected 0"), "{}", run.stderr);
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let wrong = EDGE
        .replace("format: json", "format: jsonn")
        .replace("decimal(2)", "decimal(99)")
        .replace("entity: user\n", "entity: usr\n")
        .replace("windows: [1h]", "windows: [5q]")
        .replace("mean: amount,", "mean: amount, where: amount >> 3,");
    let run = eval(&wrong, "", "");
    assert_eq!(run.code, Some(1), "stdout: {} stderr: {}", run.stdout, run.stderr);
    for place in ["yaml:7:13", "yaml:8:63", "yaml:12:13", "yaml:16:39", "yaml:17:43"] {
        assert!(run.stderr.contains(place), "{place} is missing in\n{}", run.stderr);
    }
}
