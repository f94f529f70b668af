//! Every key and feature of a node against the oracle, at several instants, and the accounting against the oracle's and
//! the generator's own. Knows no log but through its trait.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use featuregrid_actors::shard::Selection;
use featuregrid_actors::window::AsOf;
use featuregrid_oracle::{AsOf as OracleAsOf, Oracle, Record};
use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::key;
use featuregrid_protocol::position::{OffsetVector, PartitionCounters};
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::Reading;
use featuregrid_simulations::workload::Expected;
use serde::Serialize;

use crate::assemble::Node;
use crate::grid::{Asked, GridRead};
use crate::ingest::LogEvent;
use crate::status::Status;

/// Keys read at once.
const BATCH: usize = 512;
/// Mismatches kept for people.
pub const SHOWN_MAX: usize = 20;
/// How long one batch may wait for the state.
const PATIENCE: Duration = Duration::from_secs(30);

/// One value that is not what it must be.
#[derive(Clone, Debug, Serialize)]
pub struct Mismatch {
    /// Feature view.
    pub view: String,
    /// Key parts, joined by commas.
    pub key: String,
    /// Feature, or `instant` where the effective instant differs.
    pub feature: String,
    /// The instant asked for.
    pub as_of: String,
    /// The oracle's.
    pub want: String,
    /// The node's.
    pub got: String,
}

/// What was compared.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Distinct keys.
    pub keys: u64,
    /// Values compared.
    pub compared: u64,
    /// Values that differ.
    pub differing: u64,
    /// The first of them.
    pub shown: Vec<Mismatch>,
}

/// Reads a whole log into an oracle, up to `v`.
///
/// # Errors
/// When the log does not deliver.
pub fn read_oracle(node: &Node, v: &OffsetVector) -> anyhow::Result<Oracle> {
    let mut oracle = Oracle::new();
    for activation in node.history.iter() {
        oracle.activate(activation.index, activation.at.clone(), Arc::clone(&activation.plan));
    }
    let mut from: BTreeMap<PartitionId, u64> = BTreeMap::new();
    for partition in node.partitions() {
        from.insert(partition, node.log.bounds(partition)?.earliest);
    }
    let mut reader = node.log.open(&from.iter().map(|(partition, next)| (*partition, *next)).collect::<Vec<_>>())?;
    let late = Instant::now() + Duration::from_secs(300);
    let mut wrong = None;
    while from.iter().any(|(partition, next)| *next < v.get(*partition)) {
        reader.poll(Duration::from_millis(100), &mut |event| match event {
            LogEvent::Record(partition, record, _) => {
                from.insert(partition, record.offset + 1);
                let payload = record.payload.map(<[u8]>::to_vec);
                let (offset, log_timestamp, admit) = (record.offset, record.log_timestamp, record.admit);
                if let Err(error) = oracle.push(partition, Record { offset, log_timestamp, admit, payload }) {
                    wrong = Some(error);
                }
            }
            LogEvent::End(partition, end) => {
                from.insert(partition, end);
            }
        })?;
        if let Some(error) = wrong {
            return Err(error).context("reading the log for the oracle");
        }
        if Instant::now() >= late {
            bail!("the log did not deliver its records within five minutes");
        }
    }
    Ok(oracle)
}

/// The instants compared, around T: beside the newest event, inside the slack, and after windows have begun to empty.
fn instants(t_max: Timestamp) -> Vec<Timestamp> {
    vec![
        t_max + Span::TICK,
        t_max,
        t_max - Span(7_500_001),
        t_max - Span::seconds(120),
        t_max + Span::seconds(3661),
        t_max + Span::seconds(86_400 + 1800),
    ]
}

/// Compares everything at `v`, where the node stands.
///
/// # Errors
/// When the node does not answer, or the oracle does not know what the node has.
pub async fn compare(node: &Node, oracle: &mut Oracle, v: &OffsetVector) -> anyhow::Result<Comparison> {
    let index = node.history.latest().index;
    let cut = oracle.cut(index, v)?;
    let plan = Arc::clone(cut.plan());
    let mut comparison = Comparison::default();
    for (at, view) in plan.views.iter().enumerate() {
        let mut keys: Vec<Arc<[u8]>> = cut.keys(&view.name)?.map(Arc::from).collect();
        comparison.keys += keys.len() as u64;
        let mut nobody = Vec::new();
        key::encode(view.keys.iter().map(|_| "nobody has this key"), &mut nobody);
        keys.push(nobody.into());
        for as_of in instants(cut.t_max(view.source)) {
            let asked = |key: &Arc<[u8]>| Asked { key: Arc::clone(key), as_of: AsOf::At(as_of) };
            for keys in keys.chunks(BATCH) {
                let read = GridRead {
                    selections: [Selection::whole(&plan, at)].into(),
                    sent: Arc::default(),
                    entities: keys.iter().map(asked).collect(),
                    at_least: v.clone(),
                    deadline: Instant::now() + PATIENCE,
                };
                let answers = node.grid.read(read).await?;
                for (key, answer) in keys.iter().zip(&answers) {
                    let [(got, token)] = answer.as_slice() else { bail!("one view was asked for") };
                    if **token != *v {
                        bail!("the node moved on to {token:?} while {v:?} was compared: records arrive meanwhile");
                    }
                    let want = cut.read(&view.name, key, OracleAsOf::At(as_of))?;
                    let mut check = Check { view: &view.name, key, as_of, comparison: &mut comparison };
                    check.value(
                        "instant",
                        &shown_instant(want.instant, want.edge),
                        &shown_instant(got.instant, got.edge),
                    );
                    for ((result, want), got) in view.results().zip(&want.readings).zip(&got.readings) {
                        check.reading(result, want, got);
                    }
                }
            }
        }
    }
    Ok(comparison)
}

fn shown_instant(at: Timestamp, edge: featuregrid_protocol::value::Edge) -> String {
    format!("{at} {edge:?}")
}

struct Check<'a> {
    view: &'a str,
    key: &'a [u8],
    as_of: Timestamp,
    comparison: &'a mut Comparison,
}

impl Check<'_> {
    fn reading(&mut self, feature: &str, want: &Reading, got: &Reading) {
        self.comparison.compared += 1;
        // Bit for bit: 0.0 is not -0.0, and a value is nothing without its status and flags.
        let same = shown(want) == shown(got) && want.status == got.status;
        if !same {
            self.differs(feature, shown(want), shown(got));
        }
    }

    fn value(&mut self, feature: &str, want: &str, got: &str) {
        if want != got {
            self.differs(feature, want.to_owned(), got.to_owned());
        }
    }

    fn differs(&mut self, feature: &str, want: String, got: String) {
        self.comparison.differing += 1;
        if self.comparison.shown.len() < SHOWN_MAX {
            self.comparison.shown.push(Mismatch {
                view: self.view.to_owned(),
                key: key::parts(self.key).join(","),
                feature: feature.to_owned(),
                as_of: self.as_of.to_string(),
                want,
                got,
            });
        }
    }
}

fn shown(reading: &Reading) -> String {
    let bits = match &reading.value {
        featuregrid_protocol::value::Value::Float(float) => format!("/{:016x}", float.to_bits()),
        _ => String::new(),
    };
    let flag = |on: bool, name: &'static str| if on { name } else { "" };
    format!(
        "{}{bits}({}{}{}{})",
        reading.value,
        reading.status.name(),
        flag(reading.inexact_input, " INEXACT_INPUT"),
        flag(reading.partial_coverage, " PARTIAL_COVERAGE"),
        flag(reading.rounded, " ROUNDED"),
    )
}

/// Whether the node's accounting holds, and equals the oracle's and the generator's; else what does not.
///
/// # Errors
/// When the oracle does not know the view.
pub fn accounting(
    status: &Status,
    oracle: &mut Oracle,
    node: &Node,
    v: &OffsetVector,
    expected: Option<Expected>,
) -> anyhow::Result<Result<(), String>> {
    let cut = oracle.cut(node.history.latest().index, v)?;
    let totals = cut.totals();
    if !status.accounting_holds {
        return Ok(Err(format!("the node's equations: {:?} {:?}", status.totals, status.views)));
    }
    if let Some(wrong) = differ("the oracle", &status.totals, &totals) {
        return Ok(Err(wrong));
    }
    for view in &status.views {
        let want = (cut.applied(&view.name)?, cut.duplicates(&view.name)?);
        let got = (view.applied, view.duplicate);
        if got != want {
            return Ok(Err(format!("{}: (applied, duplicate) is {want:?} for the oracle, {got:?} here", view.name)));
        }
    }
    let Some(expected) = expected else { return Ok(Ok(())) };
    let generated = PartitionCounters {
        records: expected.records,
        late: expected.late,
        dead_lettered: expected.dead_lettered,
        tombstones: expected.tombstones,
        unmatched: expected.unmatched,
        routed: expected.routed,
        views: totals.views.clone(),
    };
    Ok(differ("the generator", &status.totals, &generated).map_or(Ok(()), Err))
}

fn differ(who: &str, got: &PartitionCounters, want: &PartitionCounters) -> Option<String> {
    (got != want).then(|| format!("{who} counts {want:?}, the node {got:?}"))
}
