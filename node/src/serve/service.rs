//! The calls of `featuregrid.v1`. Knows how to ask and how to say no.

use std::sync::Arc;
use std::time::{Duration, Instant};

use featuregrid_actors::shard::Selection;
use featuregrid_actors::window::AsOf;
use featuregrid_protocol::key;
use featuregrid_protocol::limits::{KEY_PART_BYTES_MAX, READ_ENTITIES_MAX};
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::request::{self, SentColumns};
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::wire::v1;
use featuregrid_protocol::wire::v1::feature_grid_server::FeatureGrid;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};
use tracing::{Instrument as _, field};

use super::response::response;
use super::wanted::Wanted;
use super::{encode, push, traceparent};
use crate::assemble::Node;
use crate::clock;
use crate::grid::{Asked, GridRead, ReadError};
use crate::telemetry::{Ended, Stage};

/// A call without a deadline ends after this long.
const DEADLINE: Duration = Duration::from_secs(5);
/// No call waits longer, whatever its deadline says.
const DEADLINE_MAX: Duration = Duration::from_secs(600);
/// The answer leaves a twentieth of the time before the client stops listening, within these bounds: whoever is patient
/// hears why there is none also from a busy machine, and whoever is not gives away little.
const ON_THE_WAY: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

pub(super) struct Service {
    node: Arc<Node>,
}

impl Service {
    pub(super) fn new(node: Arc<Node>) -> Self {
        Self { node }
    }
}

#[tonic::async_trait]
impl FeatureGrid for Service {
    async fn get_features(
        &self,
        request: Request<v1::GetFeaturesRequest>,
    ) -> Result<Response<v1::GetFeaturesResponse>, Status> {
        let begin = clock::monotonic();
        let deadline = deadline(&request);
        let (metadata, _, request) = request.into_parts();
        let entities = request.entities.len();
        let span =
            tracing::debug_span!("read", api = "grpc", entities, trace_id = field::Empty, parent_id = field::Empty);
        traceparent::note(&span, caller(&metadata));
        let answer = self.get(request, deadline).instrument(span).await;
        self.node.metrics.read("grpc", ended(&answer), clock::monotonic() - begin);
        answer.map(Response::new)
    }

    async fn push(&self, request: Request<v1::PushRequest>) -> Result<Response<v1::PushResponse>, Status> {
        let begin = clock::monotonic();
        let deadline = deadline(&request);
        let (metadata, _, request) = request.into_parts();
        let (source, bytes) = (&request.source, request.payload.len());
        let span = tracing::debug_span!("push", source, bytes, trace_id = field::Empty, parent_id = field::Empty);
        traceparent::note(&span, caller(&metadata));
        let answer = push::push(&self.node, request, deadline).instrument(span).await;
        self.node.metrics.pushed(ended(&answer), clock::monotonic() - begin);
        answer.map(Response::new)
    }
}

impl Service {
    async fn get(&self, request: v1::GetFeaturesRequest, deadline: Instant) -> Result<v1::GetFeaturesResponse, Status> {
        let plan = self.node.grid.plan();
        let wanted = Wanted::of(plan, &request.views, &request.service)?;
        let selections: Arc<[Selection]> = wanted.selections().into();
        let clock = clock::wall();
        let keys = keys(plan, &selections, &request.entities)?;
        let sent = sent(plan, &selections, request.entities.len(), &request.request)?;
        let entities = keys.into_iter().zip(&request.entities).map(|(key, entity)| {
            let at = entity.as_of_micros.or(request.as_of_micros);
            Asked { key, as_of: at.map_or(AsOf::Now { clock }, |micros| AsOf::At(Timestamp(micros))) }
        });
        let entities = entities.collect();
        let at_least = encode::offsets(request.at_least);
        let read = GridRead { selections: Arc::clone(&selections), sent, entities, at_least, deadline };
        let asked = clock::monotonic();
        let answers = self.node.grid.read(read).await.map_err(|error| refused_by(&self.node, error))?;
        self.node.metrics.spent(Stage::Read, clock::monotonic() - asked);
        Ok(response(&self.node, &wanted, &selections, &answers))
    }
}

fn caller(metadata: &MetadataMap) -> Option<&[u8]> {
    metadata.get(traceparent::HEADER).map(|value| value.as_bytes())
}

/// How a call ended, as metrics tell it.
fn ended<T>(answer: &Result<T, Status>) -> Ended {
    match answer.as_ref().map_err(Status::code) {
        Ok(_) => Ended::Ok,
        Err(Code::InvalidArgument | Code::NotFound) => Ended::Invalid,
        Err(Code::DeadlineExceeded) => Ended::Deadline,
        Err(Code::Unavailable) => Ended::Unavailable,
        Err(_) => Ended::Error,
    }
}

/// Canonical key bytes of the entities asked for.
fn keys(plan: &Plan, selections: &[Selection], entities: &[v1::EntityKey]) -> Result<Vec<Arc<[u8]>>, Status> {
    if entities.len() > READ_ENTITIES_MAX {
        let message = format!("{} entities; one call takes {READ_ENTITIES_MAX}: split it", entities.len());
        return Err(Status::invalid_argument(message));
    }
    for pair in selections.windows(2) {
        let [one, other] = [&plan.views[pair[0].view], &plan.views[pair[1].view]];
        if one.entity != other.entity {
            let message = format!(
                "`{}` is keyed by {} and `{}` by {}: ask for views of one entity",
                one.name, one.entity, other.name, other.entity
            );
            return Err(Status::invalid_argument(message));
        }
    }
    let view = selections.first().map(|selection| &plan.views[selection.view]);
    let names: Vec<&str> = view.map_or_else(Vec::new, |view| view.keys.iter().map(|(name, _)| name.as_str()).collect());
    let encode = |entity: &v1::EntityKey| {
        if entity.parts.len() != names.len() || entity.parts.iter().any(|part| part.len() > KEY_PART_BYTES_MAX) {
            let keys = names.join(", ");
            let message = format!("an entity is named by ({keys}), each of at most {KEY_PART_BYTES_MAX} bytes");
            return Err(Status::invalid_argument(message));
        }
        let mut bytes = Vec::new();
        key::encode(entity.parts.iter().map(String::as_str), &mut bytes);
        Ok(bytes.into())
    };
    entities.iter().map(encode).collect()
}

/// What was sent with a call, for each of the selections.
pub(super) fn sent(
    plan: &Plan,
    selections: &[Selection],
    entities: usize,
    columns: &[v1::RequestColumn],
) -> Result<Arc<[SentColumns]>, Status> {
    if columns.is_empty() {
        return Ok(Arc::default());
    }
    let views: Vec<usize> = selections.iter().map(|selection| selection.view).collect();
    let values = || {
        request::check_count(columns.len(), entities)?;
        let columns = columns.iter().map(|column| column.written(entities)).collect::<Result<Vec<_>, _>>()?;
        request::values(plan, &views, entities, &columns)
    };
    Ok(values().map_err(|refused| Status::invalid_argument(refused.to_string()))?.into())
}

pub(super) fn refused(error: ReadError) -> Status {
    match error {
        ReadError::Behind => Status::deadline_exceeded(error.to_string()),
        ReadError::Rebuilding | ReadError::Elsewhere => Status::unavailable(error.to_string()),
    }
}

/// The same, with the reason why the state gets no further where a partition has halted.
fn refused_by(node: &Node, error: ReadError) -> Status {
    let status = refused(error);
    match node.progress.any_halted() {
        Some(why) => Status::new(status.code(), format!("{}: {why}", status.message())),
        None => status,
    }
}

pub(super) fn event(ts: Timestamp) -> Option<i64> {
    (ts > Timestamp::MIN).then_some(ts.0)
}

/// When the client stops listening.
pub(super) fn deadline<T>(request: &Request<T>) -> Instant {
    let header = request.metadata().get("grpc-timeout").and_then(|value| value.to_str().ok());
    let asked = header.and_then(timeout).unwrap_or(DEADLINE).min(DEADLINE_MAX);
    Instant::now() + asked.saturating_sub((asked / 20).clamp(ON_THE_WAY.0, ON_THE_WAY.1))
}

/// gRPC's own notation: at most eight digits and a unit.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let count: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    //! Deadlines are read as gRPC writes them.
    use super::*;

    #[test]
    fn timeouts_have_units() {
        assert_eq!(timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(timeout("99999999S"), Some(Duration::from_secs(99_999_999)));
        assert_eq!([timeout(""), timeout("m"), timeout("5x"), timeout("123456789S")], [None; 4]);
    }
}
