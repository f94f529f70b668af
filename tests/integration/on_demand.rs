//! Values sent with a read: typed on the command line, sent by a Feast client, standing in a spine.

use std::io::{Read as _, Write as _};

use serde_json::{Value, json};

use crate::harness::{Program, Run, Scratch};

const DEFINITIONS: &str = "project: risk
entities:
  user: { join_keys: [user_id] }
sources:
  payments:
    kafka: { topic: payments }
    format: json
    fields: { user_id: user_id, amount: { path: amount, type: decimal(2) } }
    event_timestamp: ts
feature_views:
  risk:
    entity: user
    source: payments
    features:
      mean: { mean: amount, windows: [24h] }
      stddev: { stddev: amount, windows: [24h] }
    request: { amount: decimal(2), country: text }
    derived:
      z: (request.amount - mean_24h) / stddev_24h
      german: one_hot(request.country, \"DE\")
";

/// The reply's body to a request of Feast's API.
fn feast(address: &str, body: &Value) -> Value {
    let mut stream = std::net::TcpStream::connect(address).expect("the Feast port is open");
    let body = body.to_string();
    let head = "POST /get-online-features HTTP/1.1\r\nhost: grid\r\nconnection: close";
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).expect("the request is taken");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("the reply is text");
    let (_, body) = reply.split_once("\r\n\r\n").expect("a head and a body");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {reply}"))
}

#[test]
fn a_score_is_the_same_wherever_its_values_come_from() {
    let scratch = Scratch::new();
    let definitions = scratch.write("definitions.yaml", DEFINITIONS);
    let (data, address, port) = (scratch.at("data"), crate::digest::free_address(), crate::digest::free_address());
    let serve = ["serve", "--definitions", &definitions, "--data", &data, "--listen", &address, "--feast", &port];
    let program = Program::start(&[&serve[..], &["--metrics", "off"]].concat());
    Run::of(&["state", "digest", "--address", &address, "--wait", "60s", "-o", "json"]).report();

    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is later than 1970");
    let event = |amount: u32| format!("{{\"user_id\":\"u1\",\"amount\":{amount},\"ts\":{}}}", now.as_millis());
    for amount in [10, 30] {
        Run::of(&["push", "payments", &event(amount), "--address", &address, "-o", "json"]).report();
    }
    let get = ["get", "risk", "user_id=u1", "--address", &address, "-o", "json"];
    let scored = Run::of(&[&get[..], &["--request", "amount=35.00", "--request", "country=DE"]].concat()).report();
    assert_eq!(scored["features"]["z"], json!(1.5), "{scored}");
    assert_eq!(scored["features"]["german"], json!(1), "{scored}");
    let without = Run::of(&get).report();
    assert_eq!(
        (&without["status"]["z"], &without["features"]["german"]),
        (&json!("NULL_VALUE"), &json!(0)),
        "{without}"
    );
    let wrong = Run::of(&[&get[..], &["--request", "amount=much"]].concat());
    assert!(wrong.stderr.contains("request value `amount` of row 0 is \"much\""), "{}", wrong.stderr);

    let features = ["risk:z", "risk:german"];
    let entities = json!({ "user_id": ["u1", "nobody"], "amount": [35.0, 35.0], "country": ["DE", "FR"] });
    let reply = feast(&port, &json!({ "entities": entities, "features": features }));
    assert_eq!(reply["results"][1]["values"], json!([1.5, null]), "{reply}");
    assert_eq!(reply["results"][2]["values"], json!([1, 0]), "{reply}");

    let events = scratch.write("events.jsonl", &[event(10), event(30)].join("\n"));
    let row = format!("{{\"user_id\":\"u1\",\"as_of\":{},\"amount\":35.00,\"country\":\"DE\"}}", now.as_millis() + 1);
    let spine = scratch.write("spine.jsonl", &row);
    let row = Run::of(&["eval", &definitions, "--events", &events, "--spine", &spine]).report();
    assert_eq!((&row["features"]["z"], &row["features"]["german"]), (&json!(1.5), &json!(1)), "{row}");
    assert_eq!(program.terminate(), Some(0));
}
