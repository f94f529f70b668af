//! `featuregrid demo --verify`: every value against the oracle, over the embedded log and over a real topic.

use serde_json::Value;

use crate::harness::{Run, brokers};

fn check(report: &Value, events: u64) {
    assert_eq!(report["differing"], 0, "{report}");
    assert_eq!(report["accounting"], "holds", "{report}");
    assert_eq!(report["records"], events, "{report}");
    for counter in ["late", "dead_lettered", "routed", "compared", "keys"] {
        assert!(report[counter].as_u64() > Some(0), "{counter} in {report}");
    }
    let sum: u64 = ["late", "dead_lettered", "tombstones", "unmatched", "routed"]
        .iter()
        .filter_map(|counter| report[counter].as_u64())
        .sum();
    assert_eq!(sum, events, "{report}");
}

#[test]
fn the_embedded_log_gives_the_oracles_values() {
    let run = Run::of(&["demo", "fraud", "--events", "50000", "--seed", "3", "--verify", "--report", "json"]);
    check(&run.report(), 50_000);
}

#[test]
fn a_real_topic_gives_the_oracles_values() {
    let topic = ["--brokers", brokers(), "--topic", "demo-verify"];
    let run = ["demo", "fraud", "--events", "100000", "--seed", "4", "--verify", "--report", "json"];
    check(&Run::of(&[&run[..], &topic[..]].concat()).report(), 100_000);
}

#[test]
fn sensors_and_a_shop_give_the_oracles_values() {
    for demo in ["iot", "reco"] {
        let run = Run::of(&["demo", demo, "--events", "8000", "--seed", "3", "--verify", "-o", "json"]);
        let report = run.report();
        assert_eq!(report["differing"], 0, "{demo}: {report}");
        assert_eq!(report["accounting"], "holds", "{demo}: {report}");
        assert_eq!(report["routed"], 8000, "{demo}: {report}");
    }
}

#[test]
fn a_live_demo_prints_json_lines_into_a_pipe() {
    let run = Run::of(&["demo", "fraud", "--events", "2000", "--for", "2s"]);
    let line = run.report();
    assert!(line["features"]["u1"]["spend_1h"].is_number(), "{line}");
    assert!(line["freshness_ms"]["p99"].is_number(), "{line}");
    assert!(run.stderr.contains("featuregrid get user_spend user_id=u1"), "{}", run.stderr);
}

#[test]
fn a_wrong_window_is_noticed_and_shown() {
    let run = Run::of(&["demo", "fraud", "--events", "20000", "--seed", "3", "--verify", "--plant", "tail_off_by_one"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stdout.contains("view key feature as_of want got"), "{}", run.stdout);
}
