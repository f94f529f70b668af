//! TLS and SASL SCRAM against a real listener; only in a build with the feature `tls`, which `.ci/tls` makes.

use serde_json::Value;

use crate::harness::{Run, Scratch, Topic, secure_brokers};

const DEFINITIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/accept/prefix.yaml");

/// Reads a topic of three records over the secured listener, as a node of its own.
fn read(password: &str, ca: &str) -> Run {
    let (address, own_ca) = secure_brokers();
    let scratch = Scratch::new();
    let ca = format!("ssl.ca.location={}", if ca.is_empty() { own_ca } else { ca });
    let password = format!("sasl.password={password}");
    let settings = ["security.protocol=SASL_SSL", "sasl.mechanism=SCRAM-SHA-512", "sasl.username=grid", &password, &ca];
    let data = scratch.at("data");
    let mut arguments = vec!["state", "digest", "--definitions", DEFINITIONS, "--brokers", address, "--data", &data];
    arguments.extend(["--report", "json", "--wait", "60s"]);
    arguments.extend(settings.iter().flat_map(|setting| ["--kafka-setting", setting]));
    Run::of(&arguments)
}

#[test]
fn a_password_and_a_certificate_are_needed_and_enough() {
    let topic = Topic::create("prefix", 1, &[]);
    let value = br#"{"user_id":"u1","amount":1,"ts":1767225600000}"#.as_slice();
    topic.produce(&[(0, 1_767_225_600_000, None, Some(value)); 3], &[]);

    let read_well = read("grid-secret", "").report();
    assert_eq!(read_well["v"], serde_json::json!({"0": 3}), "{read_well}");
    assert_ne!(read_well["pages"], Value::from(0));

    let wrong = read("guessed", "");
    assert_eq!(wrong.code, Some(1));
    assert!(!wrong.stderr.contains("guessed"), "a password is shown: {}", wrong.stderr);
    let unknown = Scratch::new();
    let foreign = unknown.write("ca.pem", "");
    assert_eq!(read("grid-secret", &foreign).code, Some(1));
}
