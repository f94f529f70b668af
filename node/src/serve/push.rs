//! Push: an event into its source's log, and features before and after it. Knows no rule of the reader: it lets the
//! reader's own decisions look at the event first, so that what could not be taken is refused and not appended.

use std::sync::Arc;
use std::time::Instant;

use featuregrid_actors::reader::{DeadReason, Interpreter, Outcome, Record};
use featuregrid_actors::shard::Selection;
use featuregrid_actors::window::AsOf;
use featuregrid_protocol::ids::{PartitionId, SourceId};
use featuregrid_protocol::key;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::{OffsetVector, PartitionPosition};
use featuregrid_protocol::request::SentColumns;
use featuregrid_protocol::row::Position;
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::wire::v1;
use tonic::Status;

use super::encode;
use super::response::response;
use super::service::{refused, sent};
use super::wanted::Wanted;
use crate::assemble::Node;
use crate::clock;
use crate::grid::{Asked, GridRead};
use crate::ingest::NewRecord;
use crate::store::dead_letters::topic::explain;

/// What is read of a view, and what was sent for it.
struct Selected {
    selection: Selection,
    sent: SentColumns,
}

/// What the reader sees in an event.
struct Seen {
    ts: Timestamp,
    /// Canonical key bytes by view that takes it.
    keys: Vec<(usize, Arc<[u8]>)>,
}

pub(super) async fn push(
    node: &Arc<Node>,
    request: v1::PushRequest,
    deadline: Instant,
) -> Result<v1::PushResponse, Status> {
    let plan = Arc::clone(node.grid.plan());
    let source = find_source(&plan, &request.source)?;
    let wanted = match (request.views.is_empty(), request.service.is_empty()) {
        (true, true) => Wanted::default(),
        _ => Wanted::of(&plan, &request.views, &request.service)?,
    };
    let selections = wanted.selections();
    let sent = sent(&plan, &selections, 1, &request.request)?;
    let selected = selections.into_iter().enumerate().map(|(at, selection)| Selected {
        selection,
        // For the event's entity before it and after it.
        sent: sent.get(at).map(|sent| sent.repeated(2)).unwrap_or_default(),
    });
    let selected: Vec<Selected> = selected.collect();
    let now = clock::wall();
    let seen = look(&plan, source, now, &request.payload)?;
    let key = request.key.or_else(|| producer_key(&seen));
    let record = NewRecord { source, key, timestamp: now, admit: false, payload: Some(request.payload) };
    let at = append(node, record).await?;

    let token = OffsetVector([(at.partition, at.offset + 1)].into());
    let (before, after) = read(node, &wanted, selected, &seen, &token, deadline).await?;
    Ok(v1::PushResponse {
        partition: at.partition.number(),
        offset: at.offset,
        token: Some(encode::token(&token)),
        event_micros: seen.ts.0,
        before: Some(before),
        after: Some(after),
    })
}

fn find_source(plan: &Plan, name: &str) -> Result<SourceId, Status> {
    plan.source_id(name)
        .ok_or_else(|| Status::not_found(format!("`{name}` is no source; they are: {}", plan.source_names())))
}

/// What a reader at the beginning of a partition makes of the event: everything but lateness, which is the partition's
/// to decide when the event is there.
fn look(plan: &Arc<Plan>, source: SourceId, now: Timestamp, payload: &[u8]) -> Result<Seen, Status> {
    let partition = PartitionId::of(source, 0).unwrap_or_default();
    let mut reader = Interpreter::new(Arc::clone(plan), partition, PartitionPosition::start(0));
    let record = Record { offset: 0, log_timestamp: now, admit: true, payload: Some(payload) };
    let outcome = reader.record(&record);
    if let Some(Outcome::Dead(reason)) = outcome {
        return Err(dead(reason));
    }
    let rows = reader.cut().map(|chunk| (chunk.max_after, chunk.rows));
    let Some((ts, rows)) = rows else { return Err(Status::internal("an event without an interval")) };
    let keys = rows.iter().map(|row| (usize::from(row.head.view), Arc::from(row.key))).collect();
    Ok(Seen { ts, keys })
}

fn dead(reason: DeadReason) -> Status {
    let (_, why) = explain(reason.name());
    Status::invalid_argument(format!(
        "the event was not appended, because it would be a dead letter ({}): {why}",
        reason.name()
    ))
}

/// The join key as producers write it: the text of its only part, or the canonical bytes of several.
fn producer_key(seen: &Seen) -> Option<Vec<u8>> {
    let (_, key) = seen.keys.first()?;
    match key::parts(key).as_slice() {
        [only] => Some(only.as_bytes().to_vec()),
        _ => Some(key.to_vec()),
    }
}

async fn append(node: &Arc<Node>, record: NewRecord) -> Result<Position, Status> {
    let log = Arc::clone(&node.log);
    let appended = tokio::task::spawn_blocking(move || log.append(&[record])).await;
    let places = appended.map_err(|_| Status::internal("the append ended by a panic"))?;
    let places = places.map_err(|error| Status::unavailable(error.to_string()))?;
    places.first().copied().ok_or_else(|| Status::internal("the log did not say where the event stands"))
}

/// The event's entity in every wanted view, at the event's time and one tick later, in one turn.
async fn read(
    node: &Arc<Node>,
    wanted: &Wanted,
    selected: Vec<Selected>,
    seen: &Seen,
    token: &OffsetVector,
    deadline: Instant,
) -> Result<(v1::GetFeaturesResponse, v1::GetFeaturesResponse), Status> {
    // Views with one key are read together, so that they are of one state.
    let mut groups: Vec<(&Arc<[u8]>, Vec<Selected>)> = Vec::new();
    for selected in selected {
        // A view that does not take the event has no entity to show.
        let Some((_, key)) = seen.keys.iter().find(|(of, _)| *of == selected.selection.view) else { continue };
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(selected),
            None => groups.push((key, vec![selected])),
        }
    }
    let (mut selections, mut befores, mut afters) = (Vec::new(), Vec::new(), Vec::new());
    for (key, group) in groups {
        let asked = |at| Asked { key: Arc::clone(key), as_of: AsOf::At(at) };
        let (group, sent): (Vec<Selection>, Vec<SentColumns>) =
            group.into_iter().map(|Selected { selection, sent }| (selection, sent)).unzip();
        let read = GridRead {
            selections: group.as_slice().into(),
            sent: sent.into(),
            entities: vec![asked(seen.ts), asked(seen.ts + Span::TICK)],
            at_least: token.clone(),
            deadline,
        };
        let mut answers = node.grid.read(read).await.map_err(refused)?.into_iter();
        selections.extend(group);
        befores.extend(answers.next().unwrap_or_default());
        afters.extend(answers.next().unwrap_or_default());
    }
    if selections.is_empty() {
        // Nothing to read: visible all the same before the reply leaves.
        if !node.reaches(token, deadline).await {
            return Err(Status::deadline_exceeded("the event was appended, and is not visible yet"));
        }
    }
    Ok((response(node, wanted, &selections, &[befores]), response(node, wanted, &selections, &[afters])))
}
