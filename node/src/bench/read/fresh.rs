//! From an event to a read that sees it: appended on its own, then read back with the token of its place. Knows no load.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use featuregrid_protocol::ids::SourceId;
use featuregrid_protocol::wire::v1::Token;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::ask::Readers;
use super::latency::{Percentiles, median};
use super::now;
use super::pace::pace;
use crate::ingest::{Log, NewRecord};

/// Events each second: one is read back before the next is due, unless something is slow.
const RATE: f64 = 50.0;
/// One user beside those of the load.
const USER: &str = "probe";

/// One round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    events: usize,
    /// From the log's acknowledgement to the reply.
    visible: Percentiles,
    /// The log's part before that: from the append to its acknowledgement.
    append: Percentiles,
}

pub(super) async fn round(log: &Arc<dyn Log>, readers: &Arc<Readers>, lasts: Duration) -> anyhow::Result<Round> {
    let (log, readers, runtime) = (Arc::clone(log), Arc::clone(readers), Handle::current());
    let round = spawn_blocking(move || {
        let (mut visible, mut appended) = (Vec::new(), Vec::new());
        pace(RATE, lasts, |_| -> anyhow::Result<()> {
            let begin = Instant::now();
            let places = log.append(&[event()])?;
            let acknowledged = Instant::now();
            let at = places.first().context("the log did not say where the event stands")?;
            let token = Token { offsets: [(at.partition.0, at.offset + 1)].into() };
            runtime.block_on(readers.demand(USER, token))?;
            visible.push(acknowledged.elapsed());
            appended.push(acknowledged - begin);
            Ok(())
        })?;
        anyhow::Ok(Round {
            events: visible.len(),
            visible: Percentiles::of(visible),
            append: Percentiles::of(appended),
        })
    });
    round.await.context("events that are read back")?
}

fn event() -> NewRecord {
    let now = now();
    let payload = format!(
        "{{\"metadata\":{{\"timestamp\":\"{now}\"}},\"payload\":{{\"user_id\":\"{USER}\",\"event_type\":\"purchase\",\"properties\":{{\"amount\":1.25}}}}}}"
    );
    let key = Some(USER.as_bytes().to_vec());
    NewRecord { source: SourceId(0), key, timestamp: now, admit: false, payload: Some(payload.into_bytes()) }
}

pub(super) fn report(rounds: &[Round]) -> Value {
    let visible = median(&rounds.iter().map(|round| round.visible).collect::<Vec<_>>());
    let append = median(&rounds.iter().map(|round| round.append).collect::<Vec<_>>());
    json!({
        "from": "the log's acknowledgement of one event, at half of the maximum, to a reply that sees it",
        "p50_ms": visible.p50_ms, "p99_ms": visible.p99_ms,
        "append_p50_ms": append.p50_ms, "append_p99_ms": append.p99_ms,
        "events": rounds.iter().map(|round| round.events).sum::<usize>(),
    })
}
