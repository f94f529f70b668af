//! What a served node says about itself: `/metrics` agrees with `featuregrid status`, log lines are JSON, spans have
//! their fields.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::digest::free_address;
use crate::harness::{Program, Run, Scratch};

const DEFINITIONS: &str = "project: shop
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
      total: { sum: amount, windows: [1h] }
";

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// A read of one user over Feast's API, by a caller that is traced.
fn read_as_feast(address: &str) -> String {
    let body = r#"{"features":["spend:total_1h"],"entities":{"user_id":["u1"]}}"#;
    let mut stream = TcpStream::connect(address).expect("the node listens");
    write!(
        stream,
        "POST /get-online-features HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         traceparent: 00-{TRACE}-b7ad6b7169203331-01\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("it reads");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("it answers");
    reply
}

/// The page of metrics.
pub(crate) fn scrape(address: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the node listens");
    write!(stream, "GET /metrics HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").expect("it reads");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("it answers");
    assert!(reply.starts_with("HTTP/1.1 200") && reply.ends_with("# EOF\n"), "{reply}");
    reply
}

/// All series that begin like this, together.
pub(crate) fn sum(reply: &str, series: &str) -> u64 {
    let value = |line: &str| line.rsplit_once(' ').and_then(|(_, value)| value.parse::<f64>().ok());
    reply.lines().filter(|line| line.starts_with(series)).filter_map(value).sum::<f64>() as u64
}

/// The spans that ended, by name: the fields of the last of each.
fn spans(file: &str) -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(file).expect("the log is a file");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}")));
    let ended = lines.filter(|line| line["message"] == "close");
    ended.map(|line| (line["span"]["name"].as_str().unwrap_or_default().to_owned(), line["span"].clone())).collect()
}

#[test]
fn metrics_agree_with_the_status_and_spans_are_lines() {
    let scratch = Scratch::new();
    let (address, metrics, feast) = (&free_address(), &free_address(), &free_address());
    let data = scratch.at("data");
    let serve = |definitions: &str, log: &str| {
        let definitions = scratch.write("definitions.yaml", definitions);
        let arguments = [
            "serve",
            "--definitions",
            &definitions,
            "--data",
            &data,
            "--listen",
            address,
            "--metrics",
            metrics,
            "--feast",
            feast,
        ];
        let program = Program::logged(&arguments, "warn,featuregrid=debug", &scratch.at(log));
        Run::of(&["state", "digest", "--address", address, "--wait", "60s", "--report", "json"]).report();
        program
    };
    let first = serve(DEFINITIONS, "first.jsonl");
    for amount in 1..=3 {
        let event = format!("{{\"user_id\":\"u1\",\"amount\":{amount},\"ts\":\"2026-01-01T12:00:0{amount}Z\"}}");
        let push = Run::of(&["push", "payments", &event, "--features", "spend", "--address", address, "-o", "json"]);
        assert_eq!(push.code, Some(0), "{}", push.stderr);
    }
    assert_eq!(Run::of(&["get", "spend", "user_id=u1", "--address", address]).code, Some(0));
    let read = read_as_feast(feast);
    assert!(read.starts_with("HTTP/1.1 200") && read.contains("total_1h"), "{read}");
    let status = Run::of(&["status", "--address", address, "-o", "json"]).report();
    let reply = scrape(metrics);
    let records: u64 = status["partitions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|partition| partition["records"].as_u64())
        .sum();
    assert_eq!((records, sum(&reply, "featuregrid_events_ingested_total")), (3, 3));
    assert_eq!(
        status["views"][0]["applied"],
        sum(&reply, "featuregrid_view_rows_total{view=\"spend\",outcome=\"applied\"}")
    );
    assert_eq!(sum(&reply, "featuregrid_read_seconds_count{api=\"grpc\""), 1);
    assert_eq!(sum(&reply, "featuregrid_read_seconds_count{api=\"feast\",outcome=\"ok\""), 1);
    assert_eq!(sum(&reply, "featuregrid_push_seconds_count"), 3);
    assert_eq!(first.terminate(), Some(0));
    let spans_of_first = spans(&scratch.at("first.jsonl"));
    let has = |span: &str, fields: &[&str]| {
        let found = spans_of_first.get(span).unwrap_or_else(|| panic!("no span `{span}` in {spans_of_first:?}"));
        assert!(fields.iter().all(|field| !found[field].is_null()), "{found}");
    };
    has("ingest", &["partition", "from", "to", "records"]);
    has("apply", &["partition", "from", "to", "rows"]);
    has("read", &["api", "entities"]);
    let read = &spans_of_first["read"];
    assert_eq!((read["api"].as_str(), read["trace_id"].as_str()), (Some("feast"), Some(TRACE)), "the last read");
    assert!(spans_of_first["push"]["trace_id"].is_null(), "the command line traces nothing");
    has("push", &["source", "bytes"]);
    assert!(!spans_of_first.contains_key("activation"));

    let changed = format!("{DEFINITIONS}      count: {{ count: true, windows: [5m] }}\n");
    let second = serve(&changed, "second.jsonl");
    assert_eq!(sum(&scrape(metrics), "featuregrid_control_index"), 1);
    assert_eq!(second.terminate(), Some(0));
    let spans_of_second = spans(&scratch.at("second.jsonl"));
    assert_eq!(spans_of_second.get("activation").map(|span| span["index"].clone()), Some("k1".into()));
}
