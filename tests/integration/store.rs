//! A node whose objects are in S3: it begins there, counts what it asks for, and begins again; a server that ignores
//! conditions is refused.

use serde_json::Value;

use crate::digest::free_address;
use crate::harness::{Careless, Program, Run, S3, Scratch};

const DEFINITIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/accept/fraud.yaml");

fn status(address: &str) -> Value {
    let digest = Run::of(&["state", "digest", "--address", address, "--wait", "60s"]);
    assert_eq!(digest.code, Some(0), "{}", digest.stderr);
    Run::of(&["status", "--address", address, "-o", "json"]).report()
}

#[test]
fn a_node_begins_and_begins_again_in_a_bucket() {
    let (s3, scratch, address) = (S3::start(), Scratch::new(), free_address());
    let trial = ["selftest", "store", "--store", "s3://grid/prod", "--writers", "8", "--rounds", "10"];
    let run = Run::within(&s3.environment(), &trial);
    let told = "absent: winners_per_round=1 (10/10)\netag: winners_per_round=1 (10/10)\n";
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), told), "{}", run.stderr);
    let data = scratch.at("data");
    let serve = [
        &["serve", "--definitions", DEFINITIONS, "--data", &data, "--store", "s3://grid/prod"][..],
        &["--listen", &address, "--feast", "off", "--metrics", "off"],
    ]
    .concat();
    for life in 1..=2 {
        let node = Program::within(&s3.environment(), &serve);
        let store = status(&address)["store"].clone();
        assert_eq!(store["place"], "s3://grid/prod");
        assert!(
            store["requests"]["put_done"].as_u64() > Some(0) && store["requests"]["put_unknown"].is_null(),
            "{store}"
        );
        assert!(store["dollars"].as_f64() > Some(0.0) && store["prices"] == "S3 Standard, us-east-1", "{store}");
        assert_eq!((s3.names("prod/control").len(), s3.names("prod/manifest").len()), (1, 256), "life {life}");
        assert_eq!(s3.names("prod/part"), [""; 0], "trials are removed");
        if life == 1 { node.kill_9() } else { assert_eq!(node.terminate(), Some(0)) }
    }
    assert!(!std::path::Path::new(&data).join("objects").exists(), "there is one object store");
}

#[test]
fn a_store_that_ignores_conditions_is_refused() {
    let (careless, scratch) = (Careless::start(), Scratch::new());
    let data = scratch.at("data");
    let serve = ["serve", "--definitions", DEFINITIONS, "--data", &data, "--store", "s3://grid"];
    let run = Run::within(&careless.environment(), &[&serve[..], &["--feast", "off", "--metrics", "off"]].concat());
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(
        run.stderr.contains("s3://grid ignores conditions: 4 of 4 writers that created one object"),
        "{}",
        run.stderr
    );
    let trial = ["selftest", "store", "--store", "s3://grid", "--writers", "4", "--rounds", "3", "--report", "json"];
    let run = Run::within(&careless.environment(), &trial);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let report = run.last_line();
    assert_eq!((&report["holds"], &report["absent"]["winners_per_round"]["most"]), (&Value::Bool(false), &4.into()));
}

#[test]
fn a_store_that_is_not_there_is_said_at_once() {
    let (s3, scratch) = (S3::start(), Scratch::new());
    let data = scratch.at("data");
    let serve = ["serve", "--definitions", DEFINITIONS, "--data", &data, "--store", "s3://elsewhere/x"];
    let run = Run::within(&s3.environment(), &serve);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("s3://elsewhere/x: there is no such bucket at http://127.0.0.1:"), "{}", run.stderr);
    let wrong = Run::of(&["selftest", "store", "--store", "gs://grid"]);
    assert!(
        wrong.code == Some(1) && wrong.stderr.contains("flag --store: store.url: `gs://grid` names no object store")
    );
}
