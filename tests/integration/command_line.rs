//! What people type around a node: settings and where they come from, simulated records, answers when nobody is there.

use std::time::{Duration, Instant};

use crate::harness::{Program, Run, Scratch, brokers};

const IOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../node/src/demo/iot.yaml");

#[test]
fn a_port_that_is_named_must_be_free_and_a_default_one_need_not() {
    // Taken by us, or by somebody else already.
    let _held = ["127.0.0.1:6566", "127.0.0.1:9464"].map(std::net::TcpListener::bind);
    let scratch = Scratch::new();
    let definitions = concat!(env!("CARGO_MANIFEST_DIR"), "/accept/prefix.yaml");
    let (data, log, address) = (scratch.at("data"), scratch.at("log.jsonl"), crate::digest::free_address());
    let serve = ["serve", "--definitions", definitions, "--data", &data, "--listen", &address];
    let program = Program::logged(&serve, "warn", &log);
    let digest = Run::of(&["state", "digest", "--address", &address, "--wait", "60s"]);
    assert_eq!(digest.code, Some(0), "{}", digest.stderr);
    assert_eq!(program.terminate(), Some(0));
    let log = std::fs::read_to_string(log).expect("it was written");
    for advice in ["choose another --feast, or --feast off", "choose another --metrics, or `--metrics off`"] {
        assert!(log.contains(advice), "{log}");
    }
    for (flag, address) in [("--feast", "127.0.0.1:6566"), ("--metrics", "127.0.0.1:9464")] {
        let refused = Run::of(&[&serve[..], &[flag, address]].concat());
        assert_eq!(refused.code, Some(1), "{}", refused.stderr);
        assert!(refused.stderr.contains(&format!("choose another {flag}")), "{}", refused.stderr);
    }
}

#[test]
fn every_setting_says_where_it_comes_from() {
    let scratch = Scratch::new();
    let file = scratch.write("grid.yaml", "node:\n  ranges: 64\nserve:\n  listen: 127.0.0.1:7999\n");
    let show = ["config", "show", "--effective", "--config", &file];
    let report = Run::of(&[&show[..], &["--listen", "127.0.0.1:0", "-o", "json"]].concat()).report();
    assert_eq!(report["node.ranges"]["value"], "64", "{report}");
    assert_eq!(report["node.ranges"]["from"], format!("{file}:2"), "{report}");
    assert_eq!(report["serve.listen"]["from"], "flag --listen", "{report}");
    assert_eq!(report["node.memory_budget"]["from"], "default", "{report}");

    // What is printed without --effective is a configuration file, and says what is so already.
    let reference = Run::of(&["config", "show"]);
    let file = scratch.write("reference.yaml", &reference.stdout);
    let run = Run::of(&["config", "show", "--effective", "--config", &file, "-o", "json"]).report();
    assert_eq!(run["serve.listen"]["value"], "127.0.0.1:7450", "{run}");
}

#[test]
fn a_wrong_setting_is_named_with_its_place() {
    let scratch = Scratch::new();
    let file = scratch.write("grid.yaml", "node:\n  rangs: 64\n");
    let run = Run::of(&["serve", "--config", &file]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(
        run.stderr.contains("grid.yaml:2:3: `node.rangs` is no setting; did you mean `node.ranges`?"),
        "{}",
        run.stderr
    );
}

#[test]
fn nobody_there_is_said_with_a_way_out() {
    for command in [&["get", "v", "k=1"][..], &["status"], &["actor", "show", "k=1"], &["dlq", "ls"]] {
        let run = Run::of(&[command, &["--address", "127.0.0.1:9"]].concat());
        assert_eq!(run.code, Some(1), "{command:?}");
        assert!(run.stderr.contains("featuregrid serve"), "{command:?}: {}", run.stderr);
    }
}

#[test]
fn shells_learn_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let run = Run::of(&["completions", shell]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stdout.contains("produce") && run.stdout.contains("completions"), "{shell}");
    }
}

#[test]
fn simulated_readings_are_counted_and_read() {
    let topic = ["--brokers", brokers(), "--topic", "raw_readings"];
    let produce = ["produce", "sensors", "--count", "3000", "--create", "3", "-o", "json"];
    let report = Run::of(&[&produce[..], &topic].concat()).report();
    assert_eq!(report["records"], 3000, "{report}");
    assert_eq!(report["topic"], "raw_readings", "{report}");
    assert!(
        report["bytes"].as_u64() > Some(3000 * 100) && report["records_per_second"].as_f64() > Some(0.0),
        "{report}"
    );

    let digest = ["state", "digest", "-o", "json", "--definitions", IOT, "--brokers", brokers()];
    let digest = Run::of(&digest).report();
    let read: u64 = digest["v"].as_object().into_iter().flatten().filter_map(|(_, next)| next.as_u64()).sum();
    assert_eq!(read, 3000, "{digest}");
    assert!(digest["pages"].as_u64() > Some(50), "{digest}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "real processes run in real time")]
fn a_rate_is_kept_until_told_to_stop() {
    let topic = ["--brokers", brokers(), "--topic", "paced", "--create", "1"];
    let begin = Instant::now();
    let report =
        Run::of(&[&["produce", "clicks", "--rate", "200/s", "--duration", "2s", "-o", "json"][..], &topic].concat());
    assert_eq!(report.report()["records"], 400);
    assert!(begin.elapsed() >= Duration::from_millis(1900));

    let endless = Program::start(&[&["produce", "payments", "--rate", "50/s"][..], &topic].concat());
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(endless.terminate(), Some(0));
}
