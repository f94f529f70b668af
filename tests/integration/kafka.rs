//! A real topic and what befalls it: settings, new partitions, re-creation, retention, a shard that stalls, codecs,
//! transactions, large records. Every test has topics of its own on the shared broker.

#![expect(clippy::disallowed_methods, reason = "real processes run in real time")]

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::digest::free_address;
use crate::harness::{Line, Program, Run, Scratch, Topic, brokers};
use crate::telemetry;

const BASE_MS: i64 = 1_767_225_600_000; // 2026-01-01T00:00:00Z
const PATIENCE: Duration = Duration::from_secs(120);

fn definitions(topic: &str) -> String {
    format!(
        "project: real
entities:
  user: {{ join_keys: [user_id] }}
sources:
  payments:
    kafka: {{ topic: {topic} }}
    format: json
    fields: {{ user_id: user_id, amount: {{ path: amount, type: int }} }}
    event_timestamp: ts
    allowed_lateness: 1h
feature_views:
  spend:
    entity: user
    source: payments
    features:
      spend: {{ sum: amount, windows: [1h, lifetime] }}
"
    )
}

fn payload(user: usize, at: i64) -> Vec<u8> {
    format!("{{\"user_id\":\"u{user}\",\"amount\":1,\"ts\":{at}}}").into_bytes()
}

/// One second apart, round robin over `partitions`.
fn fill(topic: &Topic, count: usize, partitions: std::ops::Range<i32>, settings: &[(&str, &str)]) {
    let width = partitions.len();
    let values: Vec<_> = (0..count).map(|at| payload(at % 7, BASE_MS + 10 * at as i64)).collect();
    let lines: Vec<Line<'_>> = values
        .iter()
        .enumerate()
        .map(|(at, value)| {
            (partitions.start + (at % width) as i32, BASE_MS + 10 * at as i64, None, Some(value.as_slice()))
        })
        .collect();
    topic.produce(&lines, settings);
}

/// A served topic.
struct Served {
    scratch: Scratch,
    definitions: String,
    address: String,
    program: Option<Program>,
}

impl Served {
    fn start(topic: &str, more: &[&str]) -> Self {
        Self::with(&definitions(topic), more)
    }

    fn with(definitions: &str, more: &[&str]) -> Self {
        let scratch = Scratch::new();
        let definitions = scratch.write("definitions.yaml", definitions);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address").to_string();
        drop(listener);
        let mut served = Self { scratch, definitions, address, program: None };
        served.start_again(more);
        served
    }

    fn start_again(&mut self, more: &[&str]) {
        let (data, log) = (self.scratch.at("data"), self.scratch.at("log.txt"));
        let base = ["serve", "--definitions", &self.definitions, "--brokers", brokers(), "--data", &data];
        let arguments = [&base[..], &["--listen", &self.address, "--feast", "off"], more].concat();
        self.program = Some(Program::logged(&arguments, "warn,featuregrid=info", &log));
    }

    fn stop(&mut self) {
        let program = self.program.take().expect("it runs");
        assert_eq!(program.terminate(), Some(0), "{}", self.log());
        // librdkafka's own form is `%7|...`: its lines are to be ours.
        assert!(!self.log().lines().any(|line| line.starts_with('%')), "{}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.at("log.txt")).unwrap_or_default()
    }

    /// The status, once it is as wished.
    fn status(&self, wish: &str, is: impl Fn(&Value) -> bool) -> Value {
        let late = Instant::now() + PATIENCE;
        loop {
            let run = Run::of(&["status", "--address", &self.address, "-o", "json"]);
            let status = serde_json::from_str(run.stdout.lines().last().unwrap_or_default()).unwrap_or(Value::Null);
            if is(&status) {
                return status;
            }
            assert!(Instant::now() < late, "no {wish} in {status}\n{}{}", run.stderr, self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn has(&self, records: u64) -> Value {
        self.status(&format!("{records} records"), |status| sum(status, "records") == records)
    }

    fn halted(&self, by: &str) -> Value {
        self.status(by, |status| status["partitions"][0]["halted"].as_str().is_some_and(|halted| halted.contains(by)))
    }
}

fn sum(status: &Value, counter: &str) -> u64 {
    let partitions = status["partitions"].as_array().into_iter().flatten();
    partitions.filter_map(|partition| partition[counter].as_u64()).sum()
}

#[test]
fn settings_of_librdkafka_are_taken_or_refused_before_anything_starts() {
    let scratch = Scratch::new();
    let file = scratch.write("definitions.yaml", &definitions("nobody-asks"));
    let serve = |setting: &str| {
        let data = scratch.at("data");
        let base = ["serve", "--definitions", &file, "--brokers", "127.0.0.1:1", "--data", &data];
        let run = Run::of(&[&base[..], &["--kafka-setting", setting]].concat());
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(!std::path::Path::new(&data).exists(), "nothing was started");
        run.stderr
    };
    assert!(serve("security.protocal=SSL").contains("did you mean `security.protocol`?"));
    assert!(serve("auto.offset.reset=earliest").contains("halts a partition rather than reset it"));
    assert!(serve("fetch.wait.max.ms=soon").contains("fetch.wait.max.ms"));

    let topic = Topic::create("settings", 1, &[("message.timestamp.after.max.ms", "9223372036854775807")]);
    fill(&topic, 10, 0..1, &[]);
    let taken = ["--kafka-setting", "client.id=my-grid", "--kafka-setting", "fetch.max.bytes=2000000"];
    let mut served = Served::start("settings", &taken);
    served.has(10);
    assert!(served.log().contains("message.timestamp.after.max.ms"), "{}", served.log());
    served.stop();
}

#[test]
fn lateness_by_append_time_needs_brokers_that_date_the_records() {
    let by_append = |topic: &str| {
        let clock = "allowed_lateness: 1h\n    lateness_clock: append_time\n    max_skew: 2h\n";
        definitions(topic).replace("allowed_lateness: 1h\n", clock)
    };
    Topic::create("dated-by-producers", 1, &[]);
    let scratch = Scratch::new();
    let file = scratch.write("definitions.yaml", &by_append("dated-by-producers"));
    let run = Run::of(&["serve", "--definitions", &file, "--brokers", brokers(), "--data", &scratch.at("data")]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("(message.timestamp.type=CreateTime)"), "{}", run.stderr);

    let topic = Topic::create("dated-by-brokers", 1, &[("message.timestamp.type", "LogAppendTime")]);
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
    let minutes = |minutes: i64| payload(1, since.as_millis() as i64 + 60_000 * minutes);
    // By event time the first would make both others late; producers' own timestamps are of no account.
    let values = [minutes(90), minutes(-50), minutes(-70)];
    let lines: Vec<Line<'_>> = values.iter().map(|value| (0, BASE_MS, None, Some(value.as_slice()))).collect();
    topic.produce(&lines, &[]);
    let mut served = Served::with(&by_append("dated-by-brokers"), &[]);
    let status = served.has(3);
    assert_eq!((sum(&status, "late"), sum(&status, "routed")), (1, 2), "{status}");
    served.stop();
}

#[test]
fn new_partitions_are_found_and_read_from_their_beginning() {
    let topic = Topic::create("growing", 2, &[]);
    fill(&topic, 100, 0..2, &[]);
    let mut served = Served::start("growing", &[]);
    served.has(100);
    topic.grow(4);
    fill(&topic, 60, 2..4, &[]);
    let status = served.has(160);
    assert_eq!(status["partitions"].as_array().map(Vec::len), Some(4));
    assert_eq!(status["accounting"], "holds");
    assert!(served.log().contains("new partition"), "{}", served.log());
    served.stop();
    served.start_again(&[]);
    served.has(160);
    served.stop();
}

#[test]
fn a_new_partition_begins_where_its_log_does_when_it_is_found() {
    let topic = Topic::create("growing-cut", 1, &[]);
    fill(&topic, 30, 0..1, &[]);
    let mut served = Served::start("growing-cut", &[]);
    served.has(30);
    served.stop();
    topic.grow(2);
    fill(&topic, 20, 1..2, &[]);
    topic.cut(1, 5);
    served.start_again(&[]);
    let status = served.has(45);
    assert_eq!(status["partitions"][1]["halted"], "", "{status}");
    served.stop();
    served.start_again(&[]);
    served.has(45);
    served.stop();

    topic.cut(1, 8);
    served.start_again(&[]);
    let by = "offset 5 is needed, the earliest kept is 8";
    served.status(by, |status| {
        status["partitions"][1]["halted"].as_str().is_some_and(|halted| halted.contains(by))
            && sum(status, "records") == 30
    });
    served.stop();
}

/// The features of a read.
fn features(read: &Value) -> &Value {
    &read["features"]
}

/// Beside `payments` a source and a view of another topic.
fn with_visits(topic: &str, visits: &str) -> String {
    let source = format!(
        "  visits:
    kafka: {{ topic: {visits} }}
    format: json
    fields: {{ user_id: user_id }}
    event_timestamp: ts
feature_views:
  visiting:
    entity: user
    source: visits
    features:
      visits: {{ count: true, windows: [lifetime] }}
"
    );
    definitions(topic).replacen("feature_views:\n", &source, 1)
}

#[test]
fn a_halted_partition_keeps_nobody_from_the_rest() {
    let (payments, visits) = (Topic::create("halts", 1, &[]), Topic::create("goes-on", 1, &[]));
    fill(&payments, 21, 0..1, &[]);
    fill(&visits, 7, 0..1, &[]);
    let mut served = Served::with(&with_visits("halts", "goes-on"), &[]);
    served.has(28);
    let read = |served: &Served, view: &str| {
        let run = Run::of(&["get", view, "user_id=u1", "--address", &served.address, "-o", "json"]);
        assert_eq!(run.code, Some(0), "{}{}", run.stderr, served.log());
        run.last_line()
    };
    let (spend, visiting) = (read(&served, "spend"), read(&served, "visiting"));
    payments.delete();
    let payments = Topic::create("halts", 1, &[]);
    served.halted("deleted and created again");
    assert_eq!(features(&read(&served, "spend")), features(&spend), "what it has");
    assert_eq!(features(&read(&served, "visiting")), features(&visiting));
    served.stop();

    fill(&payments, 50, 0..1, &[]);
    served.start_again(&[]);
    served.halted("deleted and created again");
    assert_eq!(features(&read(&served, "visiting")), features(&visiting));
    assert_ne!(features(&read(&served, "spend")), features(&spend), "its topic is gone: it has nothing");
    fill(&visits, 7, 0..1, &[]);
    served.status("7 more", |status| status["partitions"][1]["records"] == 14);
    assert_ne!(features(&read(&served, "visiting")), features(&visiting), "the other topic is read on");
    served.stop();
}

#[test]
fn a_topic_may_be_created_after_the_start() {
    let mut served = Served::start("comes-later", &[]);
    std::thread::sleep(Duration::from_secs(1));
    let topic = Topic::create("comes-later", 1, &[]);
    fill(&topic, 30, 0..1, &[]);
    served.has(30);
    assert!(served.log().contains("waiting for topics"), "{}", served.log());
    served.stop();
}

#[test]
fn a_re_created_topic_halts_its_partitions_and_stays_halted() {
    let topic = Topic::create("recreated", 1, &[]);
    fill(&topic, 20, 0..1, &[]);
    let mut served = Served::start("recreated", &[]);
    served.has(20);
    topic.delete();
    let topic = Topic::create("recreated", 1, &[]);
    // More than before: the client itself notices nothing.
    fill(&topic, 50, 0..1, &[]);
    let status = served.halted("deleted and created again");
    assert_eq!(sum(&status, "records"), 20, "nothing of the new topic is read: {status}");
    let digest = Run::of(&["state", "digest", "--address", &served.address, "--wait", "5s"]);
    assert_eq!(digest.code, Some(1));
    assert!(digest.stderr.contains("start over with a new --data"), "{}", digest.stderr);
    served.stop();

    served.start_again(&[]);
    let status = served.halted("deleted and created again");
    assert_eq!(sum(&status, "records"), 0, "nothing of the new topic is read: {status}");
    served.stop();
}

#[test]
fn a_topic_re_created_while_the_node_was_away_is_recognised() {
    let topic = Topic::create("recreated-away", 2, &[]);
    fill(&topic, 20, 0..2, &[]);
    let mut served = Served::start("recreated-away", &[]);
    served.has(20);
    served.stop();
    topic.delete();
    fill(&Topic::create("recreated-away", 2, &[]), 50, 0..2, &[]);
    served.start_again(&[]);
    let status = served.halted("deleted and created again");
    assert_eq!(sum(&status, "records"), 0, "{status}");
    served.stop();
}

#[test]
fn records_that_retention_took_are_missed_by_name() {
    let topic = Topic::create("cut", 2, &[]);
    fill(&topic, 40, 0..2, &[]);
    let mut served = Served::start("cut", &[]);
    served.has(40);
    served.stop();
    topic.cut(0, 5);
    served.start_again(&[]);
    let status = served.halted("offset 0 is needed, the earliest kept is 5");
    let other = status["partitions"][1]["halted"].as_str();
    assert_eq!(other, Some(""), "the other partition goes on: {status}");
    served.stop();
}

#[test]
fn a_stalled_shard_pauses_consumption_and_loses_nothing() {
    let topic = Topic::create("stalled", 4, &[]);
    let mut served = Served::start("stalled", &["--plant", "stalled_shard"]);
    for _ in 0..10 {
        fill(&topic, 20_000, 0..4, &[]);
        std::thread::sleep(Duration::from_millis(50));
    }
    let status = served.has(200_000);
    assert_eq!(status["accounting"], "holds");
    let log = served.log();
    assert!(log.contains("consumption paused"), "{log}");
    assert!(log.contains("consumption resumed"), "{log}");
    served.stop();
}

#[test]
fn full_memory_pauses_consumption_and_says_for_how_long() {
    const BUDGET: u64 = 2 << 20;
    let (topic, metrics) = (Topic::create("full", 1, &[]), free_address());
    let more = ["--memory-budget", "2MiB", "--metrics", &metrics];
    fill(&topic, 7, 0..1, &[]);
    let mut served = Served::start("full", &more);
    // What the log held at the start was promised; the rest was not.
    served.has(7);
    let values: Vec<_> = (0..50_000).map(|at| payload(at, BASE_MS)).collect();
    let lines: Vec<Line<'_>> = values.iter().map(|value| (0, BASE_MS, None, Some(value.as_slice()))).collect();
    topic.produce(&lines, &[]);
    served.status("pause", |status| status["paused"] == true);
    let waited = |page: &str| telemetry::sum(page, "featuregrid_backpressure_seconds_total{cause=\"memory\"}");
    let late = Instant::now() + PATIENCE;
    let page = loop {
        let page = telemetry::scrape(&metrics);
        if waited(&page) >= 2 {
            break page;
        }
        assert!(Instant::now() < late, "{page}");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(telemetry::sum(&page, "featuregrid_consumption_paused"), 1);
    let bytes = telemetry::sum(&page, "featuregrid_state_bytes");
    assert!((BUDGET * 9 / 10..2 * BUDGET).contains(&bytes), "{bytes} bytes of {BUDGET}");
    let read = telemetry::sum(&page, "featuregrid_events_ingested_total");
    assert!(read < 50_007, "{read} records were read");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(telemetry::sum(&telemetry::scrape(&metrics), "featuregrid_events_ingested_total"), read, "it pauses");
    let run = Run::of(&["get", "spend", "user_id=u1", "--address", &served.address]);
    assert_eq!(run.code, Some(0), "reads go on: {}", run.stderr);
    assert!(served.log().contains("entity state reached the memory budget"), "{}", served.log());
    served.stop();

    served.start_again(&[]);
    served.has(50_007);
    served.stop();
}

#[test]
fn every_codec_transactions_tombstones_and_large_records_are_read() {
    let topic = Topic::create("mixed", 2, &[("max.message.bytes", "12000000")]);
    let codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    for codec in codecs {
        fill(&topic, 100, 0..2, &[("compression.type", codec)]);
    }
    // 100 committed, 100 aborted, 100 committed: markers and aborted records are holes.
    let producer = topic.producer(&[("transactional.id", "mixed"), ("compression.type", "lz4")]);
    transactions(&topic, &producer);
    let keyed = payload(1, BASE_MS);
    let mut large = payload(2, BASE_MS);
    large.pop();
    large.extend_from_slice(b",\"pad\":\"");
    large.resize((10 << 20) - 2, b'x');
    large.extend_from_slice(b"\"}");
    let mut too_large = large.clone();
    too_large.truncate(large.len() - 2);
    too_large.resize((10 << 20) + 100, b'x');
    too_large.extend_from_slice(b"\"}");
    let lines: [Line<'_>; 5] = [
        (0, BASE_MS, Some("k"), None),
        (1, BASE_MS, None, None),
        (0, BASE_MS, Some("k"), Some(&keyed)),
        (1, BASE_MS, None, Some(&large)),
        (1, BASE_MS, None, Some(&too_large)),
    ];
    topic.produce(&lines, &[]);

    let mut served = Served::start("mixed", &[]);
    let status = served.has(705);
    assert_eq!(sum(&status, "tombstones"), 2, "{status}");
    assert_eq!(sum(&status, "dead_lettered"), 1, "{status}");
    assert_eq!(sum(&status, "routed"), 702, "{status}");
    assert_eq!(status["accounting"], "holds");
    served.stop();
}

fn transactions(topic: &Topic, producer: &rdkafka::producer::BaseProducer) {
    use rdkafka::producer::Producer as _;
    let values: Vec<_> = (0..100).map(|at| payload(at % 7, BASE_MS)).collect();
    let lines: Vec<Line<'_>> =
        values.iter().enumerate().map(|(at, value)| (at as i32 % 2, BASE_MS, None, Some(value.as_slice()))).collect();
    producer.init_transactions(PATIENCE).expect("the broker keeps transactions");
    for commit in [true, false, true] {
        producer.begin_transaction().expect("none is open");
        topic.send(producer, &lines);
        let end = if commit { producer.commit_transaction(PATIENCE) } else { producer.abort_transaction(PATIENCE) };
        end.expect("the broker ends it");
    }
}
