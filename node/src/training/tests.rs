//! Over files: what was served is reproduced, whatever the format, and mistakes say where they are.
use std::path::PathBuf;

use featuregrid_protocol::definition;
use featuregrid_protocol::ids::ControlIndex;
use featuregrid_simulations::served;

use super::*;
use crate::training::compare::compare;

const DEFINITIONS: &str = "project: p
entities:
  user: { join_keys: [user_id] }
sources:
  payments:
    kafka: { topic: payments }
    format: json
    fields: { user_id: user_id, amount: { path: amount, type: decimal(2) }, items: { path: items, type: int } }
    event_timestamp: ts
feature_views:
  spend:
    entity: user
    source: payments
    features:
      spend: { sum: amount, windows: [5m, lifetime] }
      units: { sum: items, window: lifetime }
      mean:  { mean: amount, window: 5m }
";

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

fn plan() -> Arc<Plan> {
    Arc::new(definition::compile(DEFINITIONS, "definitions", None, ControlIndex(0)).unwrap())
}

fn all(known: Known) -> Asked {
    Asked { known, memory: usize::MAX }
}

fn built(spine: &Path, events: &Path, known: Known) -> anyhow::Result<TrainingSet> {
    let plan = plan();
    let spine = Spine::read(spine, &plan, usize::MAX)?;
    build(&plan, spine, &[events.display().to_string()], all(known))
}

const EVENTS: &str = r#"{"user_id":"u1","amount":10,"ts":"2026-01-01T12:00:00Z","items":1}
{"user_id":"u2","amount":2.5,"ts":"2026-01-01T12:00:20Z"}
{"user_id":"u1","amount":1e400,"ts":"2026-01-01T12:00:30Z","items":2}
{"user_id":"u1","amount":0.25,"ts":"2026-01-01T11:59:50Z","items":4}
"#;
const SPINE: &str = r#"{"user_id":"u1","as_of":"2026-01-01T12:10:00Z","label":true}
{"user_id":"u1","as_of":"2026-01-01T12:00:00Z","label":false}
{"user_id":"u3","as_of":1767268860000}
"#;
const LINES: [&str; 3] = [
    r#"{"as_of":"2026-01-01T12:10:00Z","label":true,"user_id":"u1","features":{"spend_5m":0,"spend_lifetime":10.25,"units":7,"mean":null},"status":{"spend_5m":"PRESENT","spend_lifetime":"PRESENT","units":"PRESENT","mean":"NULL_VALUE"},"flags":{"spend_lifetime":["inexact_input"]}}"#,
    r#"{"as_of":"2026-01-01T12:00:00Z","label":false,"user_id":"u1","features":{"spend_5m":0.25,"spend_lifetime":0.25,"units":4,"mean":0.25},"status":{"spend_5m":"PRESENT","spend_lifetime":"PRESENT","units":"PRESENT","mean":"PRESENT"}}"#,
    r#"{"as_of":1767268860000,"label":null,"user_id":"u3","features":{"spend_5m":null,"spend_lifetime":null,"units":null,"mean":null},"status":{"spend_5m":"NOT_FOUND","spend_lifetime":"NOT_FOUND","units":"NOT_FOUND","mean":"NOT_FOUND"}}"#,
];

#[test]
fn rows_keep_their_order_and_their_columns() {
    let files = Files::new();
    let set =
        built(&files.write("spine.jsonl", SPINE), &files.write("events.jsonl", EVENTS), Known::AsHappened).unwrap();
    table::write(&set, &files.path("out.jsonl")).unwrap();
    assert_eq!(files.text("out.jsonl").lines().collect::<Vec<_>>(), LINES);
    assert_eq!(compare(&set, &files.path("out.jsonl")).unwrap().differing, 0);
    let other = files.text("out.jsonl").replace("10.25", "10.5").replace(r#""units":4"#, r#""units":5"#);
    let found = compare(&set, &files.write("other.jsonl", &other)).unwrap();
    assert_eq!((found.compared, found.differing), (12, 2), "{:?}", found.shown);
}

#[test]
fn events_in_columns_are_events_in_payloads() {
    let files = Files::new();
    let spine = files.write("spine.jsonl", &SPINE.replace("1767268860000", "\"2026-01-01T12:01:00Z\""));
    let want = built(&spine, &files.write("events.jsonl", EVENTS), Known::AsHappened).unwrap();
    // Written as a table, a spine in Parquet is the same spine; and a table of events is the same events.
    table::write(&want, &files.path("spine.parquet")).unwrap();
    let columns = EVENTS.replace("\"ts\"", "\"event_timestamp\"").replace("1e400", "\"1e400\"");
    let plan = plan();
    let columns =
        columns.lines().map(|line| line.replace('}', ",\"as_of\":\"2026-01-01T12:00:00Z\"}")).collect::<Vec<_>>();
    let columns = Spine::read(&files.write("columns.jsonl", &columns.join("\n")), &plan, usize::MAX).unwrap();
    let mut answers = Answers::new(&plan, &columns);
    answers.arrange();
    let counters = PartitionCounters::default();
    let table = TrainingSet { spine: columns, answers, counters, applied: 0, duplicate: 0, parts: 1 };
    table::write(&table, &files.path("events.parquet")).unwrap();
    let got = built(&files.path("spine.parquet"), &files.path("events.parquet"), Known::AsHappened).unwrap();
    table::write(&want, &files.path("want.jsonl")).unwrap();
    assert_eq!(compare(&got, &files.path("want.jsonl")).unwrap().differing, 0);
    assert_eq!(got.counters, want.counters);
}

#[test]
fn a_node_that_crashes_served_what_training_reproduces() {
    let run = served::run(11).unwrap();
    let files = Files::new();
    super::served::write(&run, files.0.path()).unwrap();
    for (known, name) in [(Known::AsKnown, "as-known.jsonl"), (Known::AsHappened, "as-happened.jsonl")] {
        let spine = || Spine::read(&files.path("spine.jsonl"), &run.plan, usize::MAX).unwrap();
        let events = [files.path("events.parquet").display().to_string()];
        let whole = build(&run.plan, spine(), &events, all(known)).unwrap();
        let found = compare(&whole, &files.path(name)).unwrap();
        assert_eq!((whole.answers.rows(), found.differing), (run.asked.len(), 0), "{:?}", found.shown);
        assert!(found.compared > 50_000);
        // In less memory, the events are read part by part.
        let held = spine().bytes() + Answers::bytes(&run.plan, &whole.spine);
        let memory = |left| Asked { known, memory: held + left };
        let parts = build(&run.plan, spine(), &events, memory(600_000)).unwrap();
        assert!(parts.parts > 1, "{}", parts.parts);
        assert_eq!(compare(&parts, &files.path(name)).unwrap().differing, 0);
        assert_eq!((parts.counters, parts.applied), (whole.counters, whole.applied));
        assert_eq!(parts.duplicate, whole.duplicate);
        let too_little = format!("{:#}", build(&run.plan, spine(), &events, memory(1000)).unwrap_err());
        assert!(too_little.contains("events.parquet") && too_little.contains("1000 bytes"), "{too_little}");
        let too_large = format!("{:#}", build(&run.plan, spine(), &events, Asked { known, memory: held }).unwrap_err());
        assert!(too_large.contains("spine.jsonl") && too_large.contains("--memory"), "{too_large}");
    }
}

#[test]
fn mistakes_say_where_they_are() {
    let files = Files::new();
    let events = files.write("events.jsonl", EVENTS);
    let mistake = |spine: &str, events: &Path, known| {
        built(&files.write("spine.jsonl", spine), events, known).map(|_| ()).unwrap_err().root_cause().to_string()
            + &format!(" {:#}", built(&files.path("spine.jsonl"), events, known).map(|_| ()).unwrap_err())
    };
    let says = |text: String, wanted: &[&str]| assert!(wanted.iter().all(|part| text.contains(part)), "{text}");
    let happened = |spine: &str| mistake(spine, &events, Known::AsHappened);
    says(happened(r#"{"user_id":"u1"}"#), &["add `as_of`"]);
    says(
        happened("{\"user_id\":\"u1\",\"as_of\":1}\n\n{\"user_id\":\"u1\",\"as_of\":\"noon\"}"),
        &["spine.jsonl:3", "as_of", "noon"],
    );
    says(happened(r#"{"user":"u1","as_of":1}"#), &["the join keys of no view", "user_id"]);
    says(happened(r#"{"user_id":null,"as_of":1}"#), &["spine.jsonl:1", "no view"]);
    says(happened(r#"{"user_id":true,"as_of":1}"#), &["spine.jsonl:1", "user_id", "text or a number"]);
    let known = |spine: &str| mistake(spine, &events, Known::AsKnown);
    says(known(r#"{"user_id":"u1","as_of":1}"#), &["events.jsonl:1", "applied_at"]);
    says(known(r#"{"user_id":"u1","as_of":1,"token":{"clicks":{"0":1}}}"#), &["spine.jsonl:1", "token", "clicks"]);
    says(known(r#"{"user_id":"u1","as_of":1,"token":{"payments":{"3":1}}}"#), &["p3", "none of it"]);
    let log = files.write("log.jsonl", "{\"offset\":4,\"payload\":null}\n{\"offset\":4,\"payload\":null}");
    says(mistake(SPINE, &log, Known::AsHappened), &["log.jsonl:2", "offset 4"]);
    for (column, out) in [("mean", "out.parquet"), ("units__status", "out.parquet"), ("flags", "out.jsonl")] {
        let clash = files.write("clash.jsonl", &SPINE.replace("label", column));
        let clash = Spine::read(&clash, &plan(), usize::MAX).unwrap();
        let refused = table::check(&plan(), &clash, &files.path(out)).unwrap_err().to_string();
        says(refused, &["clash.jsonl", &format!("`{column}`"), out]);
    }
    says(mistake(SPINE, &files.write("events.parquet", "no"), Known::AsHappened), &["events.parquet"]);
}

/// What a row sends is read as the view declares it; what is none of that says which row it is.
#[test]
fn request_values_are_columns_of_the_spine() {
    let files = Files::new();
    let asked = "    request: { amount: decimal(2), country: text }
    derived:
      over: request.amount / spend_lifetime
      foreign: 1 - one_hot(request.country, 'DE')
";
    let text = format!("{DEFINITIONS}{asked}");
    let plan = Arc::new(definition::compile(&text, "definitions", None, ControlIndex(0)).unwrap());
    let events = files.write("events.jsonl", EVENTS);
    let build = |spine: &str| {
        let path = files.write("spine.jsonl", spine);
        build(&plan, Spine::read(&path, &plan, usize::MAX)?, &[events.display().to_string()], all(Known::AsHappened))
    };
    let set = build(
        r#"{"user_id":"u2","as_of":"2026-01-01T12:01:00Z","amount":5.00,"country":"FR"}
{"user_id":"u2","as_of":"2026-01-01T12:01:00Z","amount":null,"country":"DE"}
{"user_id":"u9","as_of":"2026-01-01T12:01:00Z","amount":"1"}
"#,
    );
    let set = set.unwrap();
    let of = |name: &str| {
        let column = set.answers.columns.iter().find(|column| column.name == name).unwrap();
        (0..3).map(|row| column.value(row).to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        (of("over"), of("foreign")),
        (["2.0", "null", "null"].map(str::to_owned).to_vec(), ["1", "0", "1"].map(str::to_owned).to_vec(),)
    );
    let wrong = build("{\"user_id\":\"u2\",\"as_of\":1,\"amount\":true}\n").unwrap_err();
    assert!(format!("{wrong:#}").contains("spine.jsonl:1: request value `amount`"), "{wrong:#}");
}
