//! The calls of `featuregrid.v1.Admin`: what operators ask. Knows no feature.

use std::pin::Pin;
use std::sync::Arc;

use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::wire::v1;
use featuregrid_protocol::wire::v1::admin_server::Admin;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::service::{deadline, event, refused};
use super::{actor, encode};
use crate::assemble::Node;
use crate::digest::digest;
use crate::grid::ReadError;
use crate::ingest::NewRecord;
use crate::snapshots::DurabilityFacts;
use crate::status::{StoreStatus, status};
use crate::store::dead_letters::{DeadLetter, DeadLetterError};
use crate::store::meter::ANSWERS;

/// Letters on their way to a client that reads slowly.
const LETTERS_AHEAD: usize = 16;
/// Letters appended at once.
const REPLAY_RECORDS: usize = 256;

pub(super) struct AdminService {
    node: Arc<Node>,
}

impl AdminService {
    pub(super) fn new(node: Arc<Node>) -> Self {
        Self { node }
    }
}

/// What the object store was asked for, and what that costs.
fn store(StoreStatus { place, used }: StoreStatus) -> v1::StoreStatus {
    let counted = ANSWERS.iter().zip(used.answers).filter(|(_, count)| *count > 0);
    let requests = counted.map(|((request, outcome), count)| v1::StoreRequests {
        request: (*request).to_owned(),
        outcome: (*outcome).to_owned(),
        count,
    });
    v1::StoreStatus {
        place,
        seconds: used.total.time.as_secs_f64(),
        requests: requests.collect(),
        bytes_read: used.bytes_read,
        bytes_written: used.bytes_written,
        billed_writes: used.total.billed_writes,
        billed_reads: used.total.billed_reads,
        requests_per_minute: used.recent.per_minute(used.recent.requests),
        bytes_per_minute: used.recent.per_minute(used.recent.bytes),
        dollars: used.prices.map(|prices| prices.dollars(&used.total)),
        dollars_per_month: used.prices.and_then(|prices| prices.monthly(&used)),
        prices: used.prices.map_or_else(String::new, |prices| prices.name().to_owned()),
    }
}

fn durability(facts: DurabilityFacts, (restored_ranges, restored_bytes): (u64, u64)) -> v1::DurabilityStatus {
    let DurabilityFacts { bases, deltas, quiet, failed, bytes, debt, oldest, alarm } = facts;
    v1::DurabilityStatus {
        oldest_micros: oldest.0,
        alarm,
        debt_bytes: debt,
        bases,
        deltas,
        quiet,
        failed,
        bytes,
        restored_ranges,
        restored_bytes,
    }
}

#[tonic::async_trait]
impl Admin for AdminService {
    async fn get_status(&self, _: Request<v1::GetStatusRequest>) -> Result<Response<v1::GetStatusResponse>, Status> {
        let state = status(&self.node).await;
        let plan = self.node.grid.plan();
        let name = |partition: PartitionId| {
            plan.source(partition.source()).map_or_else(String::new, |source| source.name.clone())
        };
        let micros = |percent| self.node.freshness.percentile(percent).map(|age| age.0.unsigned_abs());
        let partitions = state.partitions.into_iter().map(|partition| {
            let counters = &partition.position.counters;
            v1::PartitionStatus {
                id: partition.partition.0,
                source: name(partition.partition),
                partition: partition.partition.number(),
                next: partition.position.next,
                log_end: partition.log_end,
                max_event_micros: event(partition.position.max),
                records: counters.records,
                late: counters.late,
                dead_lettered: counters.dead_lettered,
                tombstones: counters.tombstones,
                unmatched: counters.unmatched,
                routed: counters.routed,
                halted: partition.halted.unwrap_or_default(),
            }
        });
        let views = state.views.into_iter().map(|view| {
            let crate::status::ViewStatus { name, rows, applied, duplicate, rejected } = view;
            v1::ViewStatus { name, rows, applied, duplicate, rejected }
        });
        Ok(Response::new(v1::GetStatusResponse {
            project: state.project,
            control_index: state.index.0,
            partitions: partitions.collect(),
            views: views.collect(),
            ranges: state.ranges,
            keys: state.keys,
            state_bytes: state.bytes,
            memory_budget_bytes: state.memory_budget,
            paused: state.paused,
            accounting_holds: state.accounting_holds,
            freshness_micros_p50: micros(50),
            freshness_micros_p99: micros(99),
            store: Some(store(state.store)),
            durability: Some(durability(state.durability, state.restored)),
        }))
    }

    async fn get_digest(
        &self,
        request: Request<v1::GetDigestRequest>,
    ) -> Result<Response<v1::GetDigestResponse>, Status> {
        let deadline = deadline(&request);
        if request.into_inner().at_log_end {
            let ends = self.node.log_ends().map_err(|error| Status::unavailable(error.to_string()))?;
            let reached = self.node.reaches(&ends, deadline).await;
            // The end of another topic's log may have been reached, too.
            if let Some(why) = self.node.progress.any_halted() {
                return Err(Status::failed_precondition(why));
            }
            if !reached {
                return Err(refused(ReadError::Behind));
            }
        }
        let digest = digest(&self.node, deadline).await.map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(Response::new(v1::GetDigestResponse {
            sha256: digest.sha256,
            pages: digest.pages,
            token: Some(encode::token(&digest.v)),
            control_index: self.node.grid.plan().index.0,
        }))
    }

    async fn get_actor(&self, request: Request<v1::GetActorRequest>) -> Result<Response<v1::GetActorResponse>, Status> {
        actor::show(&self.node, &request.into_inner()).await.map(Response::new)
    }

    type ListDeadLettersStream = Pin<Box<dyn Stream<Item = Result<v1::DeadLetter, Status>> + Send>>;

    async fn list_dead_letters(
        &self,
        request: Request<v1::ListDeadLettersRequest>,
    ) -> Result<Response<Self::ListDeadLettersStream>, Status> {
        let v1::ListDeadLettersRequest { filter, limit } = request.into_inner();
        let (filter, node) = (filter.unwrap_or_default(), Arc::clone(&self.node));
        let (sender, receiver) = tokio::sync::mpsc::channel(LETTERS_AHEAD);
        tokio::task::spawn_blocking(move || {
            let mut shown = 0;
            let listed = node.letters.each(&mut |letter| {
                if !matches(&node, &filter, &letter) {
                    return true;
                }
                shown += 1;
                let wire = wire(&node, letter).map_err(unavailable);
                sender.blocking_send(wire).is_ok() && (limit == 0 || shown < limit)
            });
            if let Err(error) = listed {
                // A client that left does not hear it.
                let _ = sender.blocking_send(Err(unavailable(error)));
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn replay_dead_letters(
        &self,
        request: Request<v1::ReplayDeadLettersRequest>,
    ) -> Result<Response<v1::ReplayDeadLettersResponse>, Status> {
        let v1::ReplayDeadLettersRequest { filter, dry_run } = request.into_inner();
        let (filter, node) = (filter.unwrap_or_default(), Arc::clone(&self.node));
        let done = tokio::task::spawn_blocking(move || replay(&node, &filter, dry_run)).await;
        done.map_err(|_| Status::internal("the replay ended by a panic"))?.map(Response::new).map_err(unavailable)
    }
}

/// Appends what matches and was not replayed; each batch is remembered after it was appended, so that a crash between
/// the two replays at most one batch twice.
fn replay(
    node: &Node,
    filter: &v1::DeadLetterFilter,
    dry_run: bool,
) -> Result<v1::ReplayDeadLettersResponse, DeadLetterError> {
    let (mut matched, mut replayed) = (0, 0);
    let mut batch = Vec::new();
    let mut failed = None;
    let mut flush = |batch: &mut Vec<DeadLetter>| -> Result<(), DeadLetterError> {
        let places: Vec<_> = batch.iter().map(|letter| (letter.partition, letter.offset)).collect();
        let record = |letter: DeadLetter| NewRecord {
            source: letter.partition.source(),
            key: letter.key,
            timestamp: letter.timestamp,
            admit: true,
            payload: letter.payload,
        };
        let records: Vec<NewRecord> = batch.drain(..).map(record).collect();
        node.log.append(&records)?;
        replayed += places.len() as u64;
        node.letter_file.set_replayed(&places)
    };
    node.letters.each(&mut |letter| {
        let fresh = node.letter_file.is_replayed(letter.partition, letter.offset).map(|replayed| !replayed);
        let step = || -> Result<(), DeadLetterError> {
            if letter.payload.is_none() || !matches(node, filter, &letter) || !fresh? {
                return Ok(());
            }
            matched += 1;
            if !dry_run {
                batch.push(letter);
                if batch.len() >= REPLAY_RECORDS {
                    flush(&mut batch)?;
                }
            }
            Ok(())
        };
        failed = step().err();
        failed.is_none()
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    if !batch.is_empty() {
        flush(&mut batch)?;
    }
    Ok(v1::ReplayDeadLettersResponse { matched, replayed })
}

fn source_name(node: &Node, partition: PartitionId) -> String {
    node.grid.plan().source(partition.source()).map_or_else(String::new, |source| source.name.clone())
}

fn matches(node: &Node, filter: &v1::DeadLetterFilter, letter: &DeadLetter) -> bool {
    filter.source.as_ref().is_none_or(|source| *source == source_name(node, letter.partition))
        && filter.reason.as_ref().is_none_or(|reason| *reason == letter.reason)
        && filter.partition.is_none_or(|number| number == letter.partition.number())
        && filter.offset.is_none_or(|offset| offset == letter.offset)
}

fn wire(node: &Node, letter: DeadLetter) -> Result<v1::DeadLetter, DeadLetterError> {
    Ok(v1::DeadLetter {
        source: source_name(node, letter.partition),
        partition: letter.partition.number(),
        offset: letter.offset,
        reason: letter.reason.into_owned(),
        timestamp_micros: letter.timestamp.0,
        key: letter.key,
        payload: letter.payload,
        replayed: node.letter_file.is_replayed(letter.partition, letter.offset)?,
    })
}

fn unavailable(error: DeadLetterError) -> Status {
    Status::unavailable(error.to_string())
}
