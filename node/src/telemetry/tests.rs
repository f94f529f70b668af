//! A live node, scraped: every name has a value, and the accounting holds in the metrics as it does in the status.
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use featuregrid_protocol::ids::SourceId;
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::wire::v1::feature_grid_client::FeatureGridClient;
use featuregrid_protocol::wire::v1::{EntityKey, GetFeaturesRequest, PushRequest};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::http::MetricsServer;
use super::names::{ALL, Kind};
use super::*;
use crate::assemble::{Node, SNAPSHOT_INTERVAL, Settings};
use crate::clock;
use crate::ingest::embedded::EmbeddedLog;
use crate::ingest::{Log as _, NewRecord};
use crate::serve::Server;
use crate::status::{Status, status};
use crate::store::DataDir;
use std::sync::Arc;

const DEFINITIONS: &str = "
project: edge
entities:
  user: { join_keys: [user_id] }
sources:
  payments:
    kafka: { topic: paid }
    format: json
    fields: { user_id: user_id, type: type, amount: { path: amount, type: decimal(2) } }
    event_timestamp: ts
feature_views:
  spend:
    entity: user
    source: payments
    where: type == \"paid\"
    features:
      count: { count: true, windows: [5m] }
      mean: { mean: amount, windows: [1h] }
";

/// `name{labels}` and values, as a scrape has them.
type Samples = BTreeMap<String, f64>;

async fn get(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

/// Parses as strictly as a test can: metadata before samples, one family after the other, `# EOF` last.
fn parse(reply: &str) -> Samples {
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("application/openmetrics-text"), "{head}");
    assert!(body.ends_with("# EOF\n") && body.matches("# EOF").count() == 1, "{body}");
    let (mut family, mut kind, mut seen) = (String::new(), String::new(), BTreeSet::new());
    let mut samples = Samples::new();
    for line in body.lines().filter(|line| *line != "# EOF") {
        if let Some(metadata) = line.strip_prefix("# ") {
            let mut words = metadata.splitn(3, ' ');
            let (what, name, rest) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            match what {
                "HELP" => {
                    name.clone_into(&mut family);
                    assert!(seen.insert(family.clone()), "{family} comes twice");
                }
                "TYPE" => rest.clone_into(&mut kind),
                "UNIT" => assert!(family.ends_with(rest), "{line}"),
                _ => panic!("{line}"),
            }
            assert_eq!(name, family, "{line}");
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let suffix = series.split('{').next().unwrap().strip_prefix(&family).unwrap_or_else(|| panic!("{line}"));
        let allowed: &[&str] = match kind.as_str() {
            "counter" => &["_total"],
            "gauge" => &[""],
            "info" => &["_info"],
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => panic!("{kind}"),
        };
        assert!(allowed.contains(&suffix), "{line} in a {kind}");
        assert!(samples.insert(series.to_owned(), value.parse().unwrap()).is_none(), "{series} comes twice");
    }
    samples
}

fn sum(samples: &Samples, name: &str, labels: &[&str]) -> f64 {
    let own = samples.iter().filter(|(series, _)| {
        series.split('{').next() == Some(name) && labels.iter().all(|label| series.contains(label))
    });
    own.map(|(_, value)| value).sum()
}

fn record(at: Timestamp, payload: Option<&str>) -> NewRecord {
    let payload = payload.map(|payload| payload.as_bytes().to_vec());
    NewRecord { source: SourceId(0), key: Some(b"u1".to_vec()), timestamp: at, admit: false, payload }
}

fn event(at: Timestamp, kind: &str) -> NewRecord {
    let payload = format!("{{\"user_id\":\"u1\",\"type\":\"{kind}\",\"amount\":1.5,\"ts\":{}}}", at.0 / 1000);
    record(at, Some(&payload))
}

fn settings(data: DataDir, log: &EmbeddedLog) -> Settings {
    Settings {
        definitions: DEFINITIONS.to_owned(),
        file: "edge.yaml".to_owned(),
        log: log.clone().for_plans(),
        data: Arc::new(data),
        ranges: 16,
        memory_budget: 1 << 30,
        one_after_the_other: false,
        objects: None,
        dead_letters: None,
        snapshot_interval: SNAPSHOT_INTERVAL,
    }
}

/// One record of each fate, and some more that are routed.
fn mess(now: Timestamp) -> Vec<NewRecord> {
    let back = |seconds| now - featuregrid_protocol::time::Span::seconds(seconds);
    let dateless = r#"{"user_id":"u1","type":"paid"}"#;
    let keyless = format!("{{\"type\":\"paid\",\"ts\":{}}}", now.0 / 1000);
    let ahead = format!("{{\"user_id\":\"u1\",\"type\":\"paid\",\"ts\":{}}}", now.0 / 1000 + 3_600_000);
    vec![
        event(back(3), "paid"),
        event(back(2), "paid"),
        event(back(600), "paid"),
        event(back(1), "seen"),
        record(now, None),
        record(now, Some("no json")),
        record(now, Some(dateless)),
        record(now, Some(&keyless)),
        record(now, Some(&ahead)),
    ]
}

async fn read(client: &mut FeatureGridClient<tonic::transport::Channel>, views: &[&str]) -> bool {
    let entities = vec![EntityKey { parts: vec!["u1".to_owned()], as_of_micros: None }];
    let views = views.iter().map(|view| (*view).to_owned()).collect();
    let request = GetFeaturesRequest { entities, views, ..GetFeaturesRequest::default() };
    client.get_features(request).await.is_ok()
}

fn books(samples: &Samples, state: &Status) {
    let ingested = |outcome: &str| sum(samples, "featuregrid_events_ingested_total", &["payments", outcome]) as u64;
    let totals = &state.totals;
    let outcomes = ["routed", "unmatched", "tombstone", "\"late\"", "dead_lettered"].map(ingested);
    let want = [totals.routed, totals.unmatched, totals.tombstones, totals.late, totals.dead_lettered];
    assert_eq!(outcomes, want);
    assert_eq!(outcomes.iter().sum::<u64>(), totals.records);
    assert_eq!(sum(samples, "featuregrid_events_rejected_total", &[]) as u64, totals.dead_lettered);
    assert_eq!(sum(samples, "featuregrid_events_late_total", &["dead_letter"]) as u64, totals.late);
    assert_eq!(
        sum(samples, "featuregrid_dead_letters_written_total", &["payments"]) as u64,
        totals.dead_lettered + totals.late
    );
    let rows = |outcome: &str| sum(samples, "featuregrid_view_rows_total", &["spend", outcome]) as u64;
    let view = &state.views[0];
    assert_eq!(["applied", "duplicate", "rejected"].map(rows), [view.applied, view.duplicate, view.rejected]);
    assert_eq!(rows("outcome="), view.rows);
    assert!(state.accounting_holds && samples["featuregrid_accounting_holds"] == 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_name_is_on_the_page_of_a_live_node() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::open(folder.path()).unwrap();
    let log = EmbeddedLog::open(&data.log(), 1).unwrap();
    let node = Arc::new(Node::start(settings(data, &log)).await.unwrap());
    node.freshness.reset();
    let metrics = MetricsServer::start(Arc::clone(&node), "127.0.0.1:0").await.unwrap();
    let server = Server::start(Arc::clone(&node), "127.0.0.1:0").await.unwrap();
    let mut client = FeatureGridClient::connect(format!("http://{}", server.address())).await.unwrap();

    log.append(&mess(clock::wall())).unwrap();
    let push = PushRequest {
        source: "payments".to_owned(),
        payload: event(clock::wall(), "paid").payload.unwrap(),
        views: vec!["spend".to_owned()],
        ..PushRequest::default()
    };
    client.push(push).await.unwrap();
    assert!(node.reaches(&log.ends(), Instant::now() + Duration::from_secs(60)).await);
    assert!(read(&mut client, &["spend"]).await && !read(&mut client, &["spent"]).await);
    node.snapshots.reach(&log.ends()).await;
    // A pause as the memory budget causes it.
    node.metrics.waited(Cause::Memory, featuregrid_protocol::time::Span::millis(250));

    let samples = parse(&get(metrics.address(), "/metrics").await);
    for name in ALL {
        let family = match name.kind {
            Kind::Histogram => format!("{}_count", name.name),
            Kind::Counter | Kind::Gauge | Kind::Info => name.name.to_owned(),
        };
        let series: Vec<_> = samples.keys().filter(|series| series.split('{').next() == Some(&*family)).collect();
        assert!(!series.is_empty(), "{} has no series", name.name);
        for series in series {
            for label in name.labels {
                assert!(series.contains(&format!("{label}=\"")), "{series} lacks {label}");
            }
        }
        // Whatever can have happened here has been counted; nothing halts, pauses or waits for the store in this test, and a
        // folder costs nothing.
        let quiet =
            ["featuregrid_partitions_halted", "featuregrid_consumption_paused", "featuregrid_snapshot_debt_bytes"];
        let quiet = quiet.contains(&name.name)
            || ["featuregrid_consumer_lag_records", "featuregrid_control_index"].contains(&name.name)
            || name.name == names::STORE_BILLED.name;
        assert_eq!(sum(&samples, &family, &[]) > 0.0, !quiet, "{}", name.name);
    }
    let families: BTreeSet<&str> = ALL.iter().map(|name| name.name).collect();
    for series in samples.keys() {
        let name = series.split('{').next().unwrap();
        let known = ["_bucket", "_sum", "_count"]
            .iter()
            .any(|suffix| name.strip_suffix(suffix).is_some_and(|family| families.contains(family)));
        assert!(known || families.contains(name), "{series} is not in names.rs");
    }
    books(&samples, &status(&node).await);
    for reason in ["undecodable", "no_timestamp", "future", "\"rejected\""] {
        assert_eq!(sum(&samples, "featuregrid_events_rejected_total", &[reason]), 1.0, "{reason}");
    }
    for stage in ["queue", "decode", "route", "fold", "visible", "read"] {
        assert!(sum(&samples, "featuregrid_stage_seconds_count", &[stage]) > 0.0, "{stage}");
    }
    assert_eq!(sum(&samples, "featuregrid_event_to_feature_seconds_count", &[]), 3.0);
    assert_eq!(sum(&samples, "featuregrid_read_seconds_count", &["grpc", "\"ok\""]), 1.0);
    assert_eq!(sum(&samples, "featuregrid_read_seconds_count", &["grpc", "invalid"]), 1.0);
    assert_eq!(sum(&samples, "featuregrid_push_seconds_count", &["\"ok\""]), 1.0);
    assert!(sum(&samples, "featuregrid_feature_status_total", &["spend", "PRESENT"]) >= 2.0);
    assert!(get(metrics.address(), "/").await.starts_with("HTTP/1.1 404"));

    // A shard that dies is built again from the log: nothing is counted twice, and nothing falls.
    node.grid.handles()[0].cell().kill();
    log.append(&mess(clock::wall())).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(node.reaches(&log.ends(), Instant::now() + Duration::from_secs(60)).await);
    let later = parse(&get(metrics.address(), "/metrics").await);
    let state = status(&node).await;
    let read = sum(&later, "featuregrid_events_ingested_total", &[]) as u64;
    assert_eq!(read, state.totals.records);
    for (series, before) in samples.iter().filter(|(series, _)| series.contains("_total")) {
        assert!(later[series] >= *before, "{series} fell");
    }
    server.stop().await;
    metrics.stop().await;
}
