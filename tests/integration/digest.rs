//! `featuregrid state digest`: one hash, whatever the number of ranges, the order of consumption and the crashes.

use std::time::Duration;

use crate::harness::{Program, Run, Scratch, brokers};

const DEFINITIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/accept/fraud.yaml");

fn fill(topic: &str) {
    let run = ["demo", "fraud", "--events", "60000", "--seed", "5", "--verify", "--report", "json"];
    Run::of(&[&run[..], &["--brokers", brokers(), "--topic", topic]].concat()).report();
}

fn digest(arguments: &[&str]) -> (String, String) {
    let report = Run::of(&[&["state", "digest", "--report", "json"], arguments].concat()).report();
    (report["sha256"].as_str().unwrap_or_default().to_owned(), report["v"].to_string())
}

/// An address nobody listens on just now.
pub(crate) fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").to_string()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "real processes run in real time")]
fn ranges_order_and_a_kill_change_nothing() {
    fill("payments");
    let scratch = Scratch::new();
    let topic = ["--definitions", DEFINITIONS, "--brokers", brokers()];
    let rebuilt = |data: &str, more: &[&str]| digest(&[&topic[..], &["--data", &scratch.at(data)], more].concat());
    let few = rebuilt("few", &["--ranges", "64"]);
    assert_eq!(few.0.len(), 64, "a sha256 in hex");
    assert_eq!(rebuilt("many", &["--ranges", "256"]), few);
    assert_eq!(rebuilt("serial", &["--ranges", "256", "--one-partition-after-the-other"]), few);

    let address = &free_address();
    let data = scratch.at("served");
    let serve = [&["serve"], &topic[..], &["--data", &data, "--listen", address, "--feast", "off"]].concat();
    let first = Program::start(&serve);
    std::thread::sleep(Duration::from_millis(700)); // somewhere in the middle; anywhere must do
    first.kill_9();
    let second = Program::start(&serve);
    assert_eq!(digest(&["--address", address, "--wait", "60s"]), few);
    assert_eq!(second.terminate(), Some(0));
}
