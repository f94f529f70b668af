//! Routes and bounds of Feast's HTTP API. Knows how to ask the grid, and neither JSON nor definitions.
//!
//! A request waits for its turn, sends its body, is answered: all of it within one time. Its reply is of one instant, which
//! the header `featuregrid-instant` names: `featuregrid get --as-of` that instant answers the same values.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Router, http};
use featuregrid_actors::window::AsOf;
use featuregrid_protocol::limits::{FEAST_BODY_BYTES_MAX, FEAST_REQUEST_TIME_MAX, FEAST_REQUESTS_MAX};
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::value::Status;
use tokio::sync::Semaphore;
use tracing::{Instrument as _, field};

use super::super::traceparent;
use super::refusal::Refusal;
use super::reply;
use super::request::{Question, question};
use crate::assemble::Node;
use crate::clock;
use crate::grid::{Answer, Asked, GridRead};
use crate::telemetry::{Ended, Stage};

/// The instant of a reply.
const INSTANT: HeaderName = HeaderName::from_static("featuregrid-instant");
/// What every body is.
pub(super) const JSON: [(HeaderName, HeaderValue); 1] =
    [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
/// The grid gives up so long before the time is over, and says why.
const ON_THE_WAY: Duration = Duration::from_millis(100);

struct Shared {
    node: Arc<Node>,
    serving: Arc<AtomicBool>,
    turns: Semaphore,
}

/// The API over a node.
pub(super) fn router(node: Arc<Node>, serving: Arc<AtomicBool>) -> Router {
    let shared = Arc::new(Shared { node, serving, turns: Semaphore::new(FEAST_REQUESTS_MAX) });
    let push = "features are computed from events: push the event itself (`featuregrid push`, or Push over gRPC), or produce it to the source's topic";
    let live = "nothing has to be materialized: every feature is live as soon as its event is read";
    let vectors = "this server has no vector search";
    Router::new()
        .route("/get-online-features", post(get_online_features))
        .route("/health", get(health))
        .route("/push", post(async move || absent(push)))
        .route("/write-to-online-store", post(async move || absent(push)))
        .route("/materialize", post(async move || absent(live)))
        .route("/materialize-incremental", post(async move || absent(live)))
        .route("/search", post(async move || absent(vectors)))
        .route("/retrieve-online-documents", post(async move || absent(vectors)))
        .fallback(async |uri: http::Uri| {
            let known = "/get-online-features (POST) and /health (GET)";
            Refusal::new(StatusCode::NOT_FOUND, format!("no {}; there are: {known}", uri.path()))
        })
        .method_not_allowed_fallback(async |uri: http::Uri, method: http::Method| {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take {method}", uri.path()))
        })
        .layer(DefaultBodyLimit::max(FEAST_BODY_BYTES_MAX))
        .with_state(shared)
}

fn absent(instead: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_IMPLEMENTED, instead)
}

async fn health(State(shared): State<Arc<Shared>>) -> StatusCode {
    if shared.serving.load(Ordering::Relaxed) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn get_online_features(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let begin = clock::monotonic();
    let span = tracing::debug_span!(
        "read",
        api = "feast",
        entities = field::Empty,
        trace_id = field::Empty,
        parent_id = field::Empty
    );
    traceparent::note(&span, request.headers().get(traceparent::HEADER).map(HeaderValue::as_bytes));
    let response = within(&shared, request).instrument(span).await;
    let ended = match response.status() {
        StatusCode::OK => Ended::Ok,
        StatusCode::SERVICE_UNAVAILABLE => Ended::Unavailable,
        status if status.is_client_error() => Ended::Invalid,
        _ => Ended::Error,
    };
    shared.node.metrics.read("feast", ended, clock::monotonic() - begin);
    response
}

async fn within(shared: &Shared, request: Request) -> Response {
    let time = Duration::from_micros(FEAST_REQUEST_TIME_MAX.0.unsigned_abs());
    let deadline = Instant::now() + time;
    match tokio::time::timeout_at(deadline.into(), answer(shared, request, deadline)).await {
        Ok(Ok((instant, body))) => (JSON, [(INSTANT, reply::instant(instant))], body).into_response(),
        Ok(Err(refusal)) => refusal.into_response(),
        Err(_) => {
            let message =
                format!("not answered within {FEAST_REQUEST_TIME_MAX}: the node is busy, or the body was slow");
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message).into_response()
        }
    }
}

async fn answer(shared: &Shared, request: Request, deadline: Instant) -> Result<(Timestamp, String), Refusal> {
    // Before the body: what waits takes no memory.
    let turn = shared.turns.acquire().await;
    let _turn = turn.map_err(|_| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping"))?;
    let body = Bytes::from_request(request, &()).await;
    let body = body.map_err(|refused| match refused.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("a request is at most {FEAST_BODY_BYTES_MAX} bytes: ask for fewer entities");
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
        }
        status => Refusal::new(status, refused.body_text()),
    })?;
    let question = question(shared.node.grid.plan(), &body)?;
    let entities = question.groups.iter().map(|group| group.keys.len()).max().unwrap_or(0);
    tracing::Span::current().record("entities", entities);
    let (instant, answers) = ask(&shared.node, &question, deadline - ON_THE_WAY).await?;
    count(&shared.node, &question, &answers);
    Ok((instant, reply::encode(&question, &answers)))
}

/// Counts the statuses that the reply has.
fn count(node: &Node, question: &Question<'_>, answers: &[Vec<Vec<Answer>>]) {
    for (group, rows) in question.groups.iter().zip(answers) {
        for (column, selection) in group.selections.iter().enumerate() {
            let mut counts = [0; Status::ALL.len()];
            for reading in rows.iter().flat_map(|views| &views[column].0.readings) {
                counts[reading.status as usize] += 1;
            }
            node.metrics.answered(selection.view, counts);
        }
    }
}

/// The answers of each group, all of one instant. That is the clock, but where an entity has seen an event that is ahead of
/// it and counts (as a read at "now" says), one microsecond after the furthest.
async fn ask(
    node: &Node,
    question: &Question<'_>,
    deadline: Instant,
) -> Result<(Timestamp, Vec<Vec<Vec<Answer>>>), Refusal> {
    let clock = clock::wall();
    let answers = read(node, question, AsOf::Now { clock }, deadline).await?;
    let instants = answers.iter().flatten().flatten().map(|(reading, _)| reading.instant);
    match instants.max().filter(|furthest| *furthest > clock) {
        None => Ok((clock, answers)),
        Some(furthest) => Ok((furthest, read(node, question, AsOf::At(furthest), deadline).await?)),
    }
}

async fn read(
    node: &Node,
    question: &Question<'_>,
    as_of: AsOf,
    deadline: Instant,
) -> Result<Vec<Vec<Vec<Answer>>>, Refusal> {
    let mut answers = Vec::with_capacity(question.groups.len());
    for group in &question.groups {
        let entities = group.keys.iter().map(|key| Asked { key: Arc::clone(key), as_of }).collect();
        let (sent, at_least) = (group.sent.as_slice().into(), OffsetVector::default());
        let asked = clock::monotonic();
        answers.push(
            node.grid
                .read(GridRead { selections: group.selections.as_slice().into(), sent, entities, at_least, deadline })
                .await?,
        );
        node.metrics.spent(Stage::Read, clock::monotonic() - asked);
    }
    Ok(answers)
}
