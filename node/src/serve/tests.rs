//! The calls as a client makes them.

mod on_demand;

use std::time::Duration;

use featuregrid_protocol::ids::SourceId;
use featuregrid_protocol::value::Value;
use featuregrid_protocol::wire::v1::admin_client::AdminClient;
use featuregrid_protocol::wire::v1::feature_grid_client::FeatureGridClient;
use featuregrid_protocol::wire::v1::{
    DeadLetterFilter, EntityKey, FeatureColumn, GetActorRequest, GetDigestRequest, GetFeaturesRequest,
    GetFeaturesResponse, GetStatusRequest, GetStatusResponse, ListDeadLettersRequest, PushRequest, PushResponse,
    ReplayDeadLettersRequest, Status, Token,
};
use tonic::{Code, Request};

use super::*;
use crate::assemble::{SNAPSHOT_INTERVAL, Settings};
use crate::ingest::embedded::EmbeddedLog;
use crate::ingest::{Log as _, NewRecord};
use crate::store::DataDir;

pub(super) const DEFINITIONS: &str = "
project: edge
entities:
  user: { join_keys: [user_id] }
sources:
  payments:
    kafka: { topic: payments }
    format: json
    fields: { user_id: user_id, amount: { path: amount, type: decimal(2) } }
    event_timestamp: ts
    event_id: id
feature_views:
  spend:
    entity: user
    source: payments
    features:
      count: { count: true, windows: [5m] }
      total: { sum: amount, windows: [1h] }
      mean: { mean: amount, windows: [1h] }
    derived: { per_event: total_1h / count_5m }
feature_services:
  model: [spend:per_event, spend:count_5m]
";
const AT: i64 = 1_767_268_800_000_000; // 2026-01-01T12:00:00Z

fn request(users: &[&str]) -> GetFeaturesRequest {
    GetFeaturesRequest {
        entities: users.iter().map(|user| EntityKey { parts: vec![(*user).to_owned()], as_of_micros: None }).collect(),
        views: vec!["spend".to_owned()],
        as_of_micros: Some(AT + 1),
        ..GetFeaturesRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_gets_columns_statuses_and_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let data = Arc::new(DataDir::open(folder.path()).unwrap());
    let log = EmbeddedLog::open(&data.log(), 1).unwrap();
    let payment = |amount: &str| NewRecord {
        admit: false,
        source: SourceId(0),
        key: Some(b"u1".to_vec()),
        timestamp: featuregrid_protocol::time::Timestamp(AT),
        payload: Some(
            format!("{{\"user_id\":\"u1\",\"amount\":{amount},\"ts\":\"2026-01-01T12:00:00Z\"}}").into_bytes(),
        ),
    };
    log.append(&[payment("12.50"), payment("0.25")]).unwrap();
    let settings = Settings {
        definitions: DEFINITIONS.to_owned(),
        file: "edge.yaml".to_owned(),
        log: log.clone().for_plans(),
        data,
        ranges: 16,
        memory_budget: usize::MAX,
        one_after_the_other: false,
        objects: None,
        dead_letters: None,
        snapshot_interval: SNAPSHOT_INTERVAL,
    };
    let node = Arc::new(Node::start(settings).await.unwrap());
    let server = Server::start(Arc::clone(&node), "127.0.0.1:0").await.unwrap();
    let mut client = FeatureGridClient::connect(format!("http://{}", server.address())).await.unwrap();

    let reply = client.get_features(request(&["u1", "u2"])).await.unwrap().into_inner();
    let names: Vec<&str> = reply.features.iter().map(|column| column.feature.as_str()).collect();
    assert_eq!(names, ["count_5m", "total_1h", "mean_1h", "per_event"]);
    let values: Vec<_> = reply.features.iter().map(|column| column.value(0)).collect();
    let mean = Value::Float(6.375);
    assert_eq!(values, [Value::Int(2), Value::Decimal { unscaled: 1275, scale: 2 }, mean.clone(), mean]);
    for column in &reply.features {
        assert_eq!([column.status(0), column.status(1)], [Status::Present, Status::NotFound]);
        assert_eq!((column.value(1), &column.flags), (Value::Null, &vec![0, FeatureColumn::NO_VALUE]));
    }
    let view = &reply.views[0];
    assert_eq!((view.effective_instants_micros[0], view.newest_events_micros[0]), (AT + 1, AT));
    assert_eq!((view.newest_events_micros[1], view.epochs[0], reply.control_index), (i64::MIN, 1, 0));
    assert_eq!(reply.tokens[view.tokens[0] as usize].offsets.values().sum::<u64>(), 2);

    let mut admin = AdminClient::connect(format!("http://{}", server.address())).await.unwrap();
    let actor = |view: &str, keys: &[(&str, &str)]| GetActorRequest {
        view: view.to_owned(),
        keys: keys.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    };
    let shown = admin.get_actor(actor("", &[("user_id", "u1")])).await.unwrap().into_inner();
    let [view] = &shown.views[..] else { panic!("{shown:?}") };
    assert_eq!((view.view.as_str(), view.resident, view.newest_event_micros), ("spend", true, Some(AT)));
    let last = &view.ladders[0].positions[0];
    assert_eq!((last.source.as_str(), last.offset, last.newest_event_micros), ("payments", 1, AT));
    assert_eq!((view.ladders[0].raw_rows, shown.epoch), (2, 1));
    let nobody = admin.get_actor(actor("spend", &[("user_id", "nobody")])).await.unwrap().into_inner();
    assert_eq!((nobody.views[0].resident, nobody.views[0].bytes), (false, 0));
    for (wrong, code) in [
        (actor("", &[("card", "7")]), Code::NotFound),
        (actor("spendd", &[("user_id", "u1")]), Code::NotFound),
        (actor("spend", &[("user", "u1")]), Code::InvalidArgument),
    ] {
        assert_eq!(admin.get_actor(wrong).await.map_err(|status| status.code()).err(), Some(code));
    }

    // Read your writes: the token of an append is reached, one of the future is not.
    log.append(&[payment("1")]).unwrap();
    let offsets = log.ends().0.into_iter().map(|(partition, next)| (partition.0, next)).collect();
    let mut demanding = GetFeaturesRequest { at_least: Some(Token { offsets }), ..request(&["u1"]) };
    demanding.views.clear();
    demanding.service = "model".to_owned();
    let reply = client.get_features(demanding.clone()).await.unwrap().into_inner();
    let names: Vec<&str> = reply.features.iter().map(|column| column.feature.as_str()).collect();
    assert_eq!(names, ["per_event", "count_5m"]);
    assert_eq!(reply.features[1].value(0), Value::Int(3));
    let ahead = demanding.at_least.as_mut().unwrap().offsets.values_mut().next().unwrap();
    *ahead += 1_000;
    let mut patient = Request::new(demanding);
    patient.set_timeout(Duration::from_secs(2));
    assert_eq!(client.get_features(patient).await.unwrap_err().code(), Code::DeadlineExceeded);

    let unknown = GetFeaturesRequest { views: vec!["spent".to_owned()], ..request(&["u1"]) };
    let refused = client.get_features(unknown).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::NotFound, "no feature view `spent`; there are: spend"));
    let two_parts = EntityKey { parts: vec!["u1".to_owned(), "x".to_owned()], as_of_micros: None };
    let wrong = GetFeaturesRequest { entities: vec![two_parts], ..request(&[]) };
    assert_eq!(client.get_features(wrong).await.unwrap_err().code(), Code::InvalidArgument);

    let mut operator = AdminClient::connect(format!("http://{}", server.address())).await.unwrap();
    let status = operator.get_status(GetStatusRequest {}).await.unwrap().into_inner();
    assert!(status.accounting_holds);
    assert_eq!((status.views[0].rows, status.views[0].applied, status.keys), (3, 3, 1));
    let digest = operator.get_digest(GetDigestRequest { at_log_end: true }).await.unwrap().into_inner();
    assert_eq!((digest.sha256.len(), digest.pages), (64, 1));
    server.stop().await;
}

/// A node over a new file.
pub(super) async fn node(folder: &tempfile::TempDir, definitions: &str) -> Arc<Node> {
    let data = Arc::new(DataDir::open(folder.path()).unwrap());
    let settings = Settings {
        definitions: definitions.to_owned(),
        file: "edge.yaml".to_owned(),
        log: EmbeddedLog::open(&data.log(), 1).unwrap().for_plans(),
        data,
        ranges: 16,
        memory_budget: usize::MAX,
        one_after_the_other: false,
        objects: None,
        dead_letters: None,
        snapshot_interval: SNAPSHOT_INTERVAL,
    };
    Arc::new(Node::start(settings).await.unwrap())
}

/// That, and clients of it.
async fn served(
    folder: &tempfile::TempDir,
) -> (Arc<Node>, Server, FeatureGridClient<tonic::transport::Channel>, AdminClient<tonic::transport::Channel>) {
    served_with(folder, DEFINITIONS).await
}

/// The same with other definitions.
async fn served_with(
    folder: &tempfile::TempDir,
    definitions: &str,
) -> (Arc<Node>, Server, FeatureGridClient<tonic::transport::Channel>, AdminClient<tonic::transport::Channel>) {
    let node = node(folder, definitions).await;
    let server = Server::start(Arc::clone(&node), "127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", server.address());
    let client = FeatureGridClient::connect(address.clone()).await.unwrap();
    (node, server, client, AdminClient::connect(address).await.unwrap())
}

fn event(time: &str) -> PushRequest {
    PushRequest {
        source: "payments".to_owned(),
        payload: format!("{{\"user_id\":\"u1\",\"amount\":2,\"ts\":\"2026-01-01T{time}Z\"}}").into_bytes(),
        views: vec!["spend".to_owned()],
        ..PushRequest::default()
    }
}

/// The status once every shard has applied all that the log holds: they need not show a frame at the same moment.
async fn settled(operator: &mut AdminClient<tonic::transport::Channel>) -> GetStatusResponse {
    operator.get_digest(GetDigestRequest { at_log_end: true }).await.unwrap();
    operator.get_status(GetStatusRequest {}).await.unwrap().into_inner()
}

/// `count_5m` before and after.
fn counts(reply: &PushResponse) -> (Value, Value) {
    let count = |reply: &Option<GetFeaturesResponse>| reply.as_ref().unwrap().features[0].value(0);
    (count(&reply.before), count(&reply.after))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_shows_its_entity_before_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let (_node, server, mut client, mut operator) = served(&folder).await;
    let int = Value::Int;
    for (time, expected) in [
        ("12:00:00.2", (Value::Null, int(1))), // nothing yet: NOT_FOUND
        ("12:00:00.4", (int(1), int(2))),
        ("12:00:00.7", (int(2), int(3))),
        ("12:00:00.5", (int(2), int(3))), // out of order: only what was before it
    ] {
        let reply = client.push(event(time)).await.unwrap().into_inner();
        assert_eq!(counts(&reply), expected, "{time}");
    }
    let status = settled(&mut operator).await;
    assert_eq!((status.views[0].rows, status.accounting_holds), (4, true));

    // What could not be taken is refused with its reason, and not appended.
    let broken = PushRequest { payload: b"{".to_vec(), ..event("12:00:01") };
    let refused = client.push(broken).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("undecodable"), "{}", refused.message());
    let unknown = PushRequest { source: "payment".to_owned(), ..event("12:00:01") };
    assert_eq!(client.push(unknown).await.unwrap_err().message(), "`payment` is no source; they are: payments");
    let records = |status: &GetStatusResponse| status.partitions.iter().map(|at| at.records).sum::<u64>();
    assert_eq!(records(&operator.get_status(GetStatusRequest {}).await.unwrap().into_inner()), 4);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_counted_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let (_node, server, mut client, mut operator) = served(&folder).await;
    let payload = b"{\"user_id\":\"u1\",\"amount\":2,\"id\":\"a\",\"ts\":\"2026-01-01T12:00:00Z\"}".to_vec();
    for _ in 0..2 {
        let reply =
            client.push(PushRequest { payload: payload.clone(), ..event("12:00:00") }).await.unwrap().into_inner();
        assert_eq!(counts(&reply), (Value::Null, Value::Int(1)));
    }
    let status = settled(&mut operator).await;
    let view = &status.views[0];
    assert_eq!((view.rows, view.applied, view.duplicate, status.accounting_holds), (2, 1, 1, true));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_listed_and_replayed_once() {
    let folder = tempfile::tempdir().unwrap();
    let (_node, server, mut client, mut operator) = served(&folder).await;
    client.push(event("12:00:00")).await.unwrap();
    let late = client.push(event("11:50:00")).await.unwrap().into_inner();

    let listed = |operator: &mut AdminClient<tonic::transport::Channel>| {
        let mut operator = operator.clone();
        async move {
            let mut stream = operator.list_dead_letters(ListDeadLettersRequest::default()).await.unwrap().into_inner();
            let mut letters = Vec::new();
            while let Some(letter) = stream.message().await.unwrap() {
                letters.push(letter);
            }
            letters
        }
    };
    let letters = listed(&mut operator).await;
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!((letter.offset, letter.reason.as_str(), letter.replayed), (late.offset, "late", false));
    assert_eq!((letter.key.as_deref(), letter.payload.clone()), (Some(&b"u1"[..]), Some(event("11:50:00").payload)));

    let mut replay = async |dry_run, reason: &str| {
        let filter = DeadLetterFilter { reason: Some(reason.to_owned()), ..DeadLetterFilter::default() };
        let request = ReplayDeadLettersRequest { filter: Some(filter), dry_run };
        let reply = operator.replay_dead_letters(request).await.unwrap().into_inner();
        (reply.matched, reply.replayed)
    };
    assert_eq!(replay(true, "late").await, (1, 0));
    assert_eq!(replay(false, "future").await, (0, 0));
    assert_eq!(replay(false, "late").await, (1, 1));
    assert_eq!(replay(false, "late").await, (0, 0), "once");
    // The record counts now, in spite of its lateness, and the accounting knows all three.
    let end = operator.get_digest(GetDigestRequest { at_log_end: true }).await.unwrap().into_inner();
    assert_eq!(end.token.unwrap().offsets.values().sum::<u64>(), 3);
    let status = settled(&mut operator).await;
    assert_eq!((status.views[0].applied, status.accounting_holds), (2, true));
    assert!(listed(&mut operator).await[0].replayed);
    server.stop().await;
}
