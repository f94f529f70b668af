//! A node serves every cell over gRPC: with late events, in the middle of its log and at its end, before and after a
//! restart; every value is compared with the oracle's. Knows no operator.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use featuregrid_oracle::{AsOf, Oracle};
use featuregrid_protocol::ids::SourceId;
use featuregrid_protocol::key;
use featuregrid_protocol::plan::Operator;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::{Edge, Reading};
use featuregrid_protocol::wire::v1::feature_grid_client::FeatureGridClient;
use featuregrid_protocol::wire::v1::{EntityKey, FeatureColumn, GetFeaturesRequest};
use featuregrid_simulations::workload::w1::{Parameters, W1};
use tonic::transport::Channel;

use super::catalogue::{definitions, features};
use crate::assemble::{Node, SNAPSHOT_INTERVAL, Settings};
use crate::demo::{append, verify::read_oracle};
use crate::ingest::Log;
use crate::ingest::embedded::EmbeddedLog;
use crate::serve::{Server, encode};
use crate::store::{DataDir, Folder};

/// The time the events are spread over: longer than every window but lifetime and those of the calendar.
const SPAN: Span = Span::seconds(40 * 60);
/// When they begin, 2026-05-31T21:30:00Z: in the middle of them an hour, a day, a week and a month end in Berlin.
const START: Timestamp = Timestamp(1_780_263_000_000_000);
/// How far events lie behind their neighbours: most of what is still not late.
const DISORDER: Span = Span::seconds(50);
/// Of 100,000 events, how many are late.
const LATE: u32 = 3000;
const USERS: u32 = 200;
/// Entities of one request.
const BATCH: usize = 100;
/// Mismatches that are told.
const SHOWN_MAX: usize = 20;
/// How long the node may take to show what is in the log.
const VISIBLE_MAX: Duration = Duration::from_secs(300);
/// Ranges of the node.
const RANGES: u32 = 16;

/// What was compared.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Cells of which some value was present.
    pub tested: usize,
    /// Values compared.
    pub compared: u64,
    /// Values that differ.
    pub differing: u64,
    /// Late events in the log.
    pub late: u64,
    /// Restarts of the node.
    pub restarts: u64,
    /// The first values that differ, for people.
    pub shown: Vec<String>,
}

/// Serves and compares.
///
/// # Errors
/// When the node does not answer.
pub async fn verify(seed: u64, events: u64) -> anyhow::Result<Verified> {
    let folder = Folder::open(None)?;
    let data = Arc::new(DataDir::open(folder.path())?);
    let log: Arc<dyn Log> = Arc::new(EmbeddedLog::open(&data.log(), 1)?);
    let parameters = Parameters {
        users: USERS,
        start: START,
        span: SPAN,
        disorder: DISORDER,
        late: LATE,
        ..Parameters::new(seed, events)
    };
    let mut records = W1::new(parameters);
    let mut verified = Verified::default();
    let mut present = BTreeMap::new();
    for part in 0..2 {
        append(&*log, &mut records.by_ref().take((events / 2) as usize))?;
        let node = start(&data, &log).await?;
        let server = Server::start(Arc::clone(&node), "127.0.0.1:0").await?;
        compare(&node, &server, &mut verified, &mut present).await?;
        server.stop().await;
        if let Ok(node) = Arc::try_unwrap(node) {
            node.stop().await;
        }
        verified.restarts = part;
    }
    // A series has several results for its one cell.
    let names = Operator::ALL.into_iter().flat_map(features);
    verified.tested =
        names.filter(|name| present.keys().any(|result: &String| result == name || is_of(result, name))).count();
    Ok(verified)
}

fn is_of(result: &str, feature: &str) -> bool {
    result.strip_prefix(feature).is_some_and(|rest| rest.starts_with('_'))
}

async fn start(data: &Arc<DataDir>, log: &Arc<dyn Log>) -> anyhow::Result<Arc<Node>> {
    let log = Arc::clone(log);
    let settings = Settings {
        definitions: definitions(),
        file: "every operator over every window".to_owned(),
        log: Box::new(move |_| Ok(Arc::clone(&log))),
        data: Arc::clone(data),
        ranges: RANGES,
        memory_budget: usize::MAX,
        one_after_the_other: false,
        objects: None,
        dead_letters: None,
        snapshot_interval: SNAPSHOT_INTERVAL,
    };
    Ok(Arc::new(Node::start(settings).await?))
}

/// Every key at instants around T: beside the newest event, inside the slack, and after windows have begun to empty.
fn instants(t_max: Timestamp) -> [Timestamp; 5] {
    [t_max + Span::TICK, t_max, t_max - Span(7_500_001), t_max + Span::seconds(61), t_max + Span::seconds(400)]
}

async fn compare(
    node: &Node,
    server: &Server,
    verified: &mut Verified,
    present: &mut BTreeMap<String, u64>,
) -> anyhow::Result<()> {
    let v = node.log_ends()?;
    if !node.reaches(&v, Instant::now() + VISIBLE_MAX).await {
        bail!("the node did not read its log: {}", node.progress.any_halted().unwrap_or_else(|| "too slow".to_owned()));
    }
    let mut client = FeatureGridClient::connect(format!("http://{}", server.address())).await?;
    let mut oracle: Oracle = read_oracle(node, &v)?;
    let cut = oracle.cut(node.history.latest().index, &v)?;
    verified.late = cut.totals().late;
    for view in Operator::ALL.map(Operator::name) {
        let keys: Vec<Vec<u8>> = cut.keys(view)?.map(<[u8]>::to_vec).collect();
        for as_of in instants(cut.t_max(SourceId(0))) {
            for keys in keys.chunks(BATCH) {
                let columns = read(&mut client, view, keys, as_of, &v).await?;
                for (at, key) in keys.iter().enumerate() {
                    let want = cut.read(view, key, AsOf::At(as_of))?;
                    let edge = want.edge;
                    for (column, want) in columns.iter().zip(&want.readings) {
                        *present.entry(column.feature.clone()).or_default() +=
                            u64::from(want.value.to_string() != "null");
                        verified.compare(key, (column, at), (want, edge), as_of);
                    }
                }
            }
        }
    }
    present.retain(|_, count| *count > 0);
    Ok(())
}

impl Verified {
    fn compare(
        &mut self,
        key: &[u8],
        (column, entity): (&FeatureColumn, usize),
        (want, edge): (&Reading, Edge),
        as_of: Timestamp,
    ) {
        self.compared += 1;
        let (shown, wanted) = (shown(column, entity), told(want, edge));
        if shown == wanted {
            return;
        }
        self.differing += 1;
        if self.shown.len() < SHOWN_MAX {
            let key = key::parts(key).join(",");
            self.shown.push(format!("{key} {} {as_of}: want {wanted}, got {shown}", column.feature));
        }
    }
}

async fn read(
    client: &mut FeatureGridClient<Channel>,
    view: &str,
    keys: &[Vec<u8>],
    as_of: Timestamp,
    v: &OffsetVector,
) -> anyhow::Result<Vec<FeatureColumn>> {
    let entity = |key: &Vec<u8>| {
        let parts = key::parts(key).into_iter().map(|part| part.to_string()).collect();
        EntityKey { parts, as_of_micros: None }
    };
    let offsets = v.0.iter().map(|(partition, next)| (partition.0, *next)).collect();
    let request = GetFeaturesRequest {
        entities: keys.iter().map(entity).collect(),
        views: vec![view.to_owned()],
        as_of_micros: Some(as_of.0),
        at_least: Some(featuregrid_protocol::wire::v1::Token { offsets }),
        ..GetFeaturesRequest::default()
    };
    Ok(client.get_features(request).await.context("reading a view")?.into_inner().features)
}

/// What is said of a value beside its status: how exact it is.
const FLAGS: u32 = FeatureColumn::INEXACT_INPUT | FeatureColumn::ROUNDED;

fn shown(column: &FeatureColumn, entity: usize) -> String {
    let flags = column.flags_of(entity) & FLAGS;
    format!("{} {} {flags}", column.value(entity), column.status(entity).as_str_name())
}

fn told(reading: &Reading, edge: Edge) -> String {
    let flags = encode::flags(reading, edge) & FLAGS;
    format!("{} {} {flags}", reading.value, reading.status.name())
}
