//! One entity for people who look at it: where it lives, and what is kept of it. Knows no feature's value.

use std::sync::Arc;

use featuregrid_actors::shard::{ActorFacts, PageFacts};
use featuregrid_protocol::ids::Epoch;
use featuregrid_protocol::key;
use featuregrid_protocol::limits::KEY_PART_BYTES_MAX;
use featuregrid_protocol::plan::{Plan, ViewPlan};
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::wire::v1;
use tonic::Status;

use super::encode;
use super::service::{event, refused};
use super::wanted::find_view;
use crate::assemble::Node;

pub(super) async fn show(node: &Node, request: &v1::GetActorRequest) -> Result<v1::GetActorResponse, Status> {
    let plan = node.grid.plan();
    if let Some(long) = request.keys.values().find(|value| value.len() > KEY_PART_BYTES_MAX) {
        let length = long.len();
        return Err(Status::invalid_argument(format!(
            "a key of {length} bytes; keys have at most {KEY_PART_BYTES_MAX}"
        )));
    }
    let mut reply = v1::GetActorResponse { node: node.me.node.0.into(), boot: node.me.boot, ..Default::default() };
    for view in views(plan, request)? {
        let named = &plan.views[view];
        let mut bytes = Vec::new();
        key::encode(named.keys.iter().filter_map(|(name, _)| request.keys.get(name)).map(String::as_str), &mut bytes);
        let facts = node.grid.inspect(view, Arc::from(bytes)).await.map_err(refused)?;
        reply.views.push(of_view(plan, named, &facts));
        reply.range = facts.range.to_string();
        reply.epoch = node.epochs.get(&facts.range).copied().unwrap_or(Epoch(0)).0;
        reply.control_index = facts.index.0;
        reply.token = Some(encode::token(&facts.v));
    }
    Ok(reply)
}

/// The view that is named, or all that have exactly these join keys.
fn views(plan: &Plan, request: &v1::GetActorRequest) -> Result<Vec<usize>, Status> {
    let fits = |view: &ViewPlan| {
        view.keys.len() == request.keys.len() && view.keys.iter().all(|(name, _)| request.keys.contains_key(name))
    };
    let keys = |view: &ViewPlan| view.keys.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    if !request.view.is_empty() {
        let view = find_view(plan, &request.view)?;
        let (name, keys) = (&request.view, keys(&plan.views[view]));
        let wrong = || Status::invalid_argument(format!("the join keys of `{name}` are: {keys}"));
        return if fits(&plan.views[view]) { Ok(vec![view]) } else { Err(wrong()) };
    }
    let found: Vec<usize> = (0..plan.views.len()).filter(|view| fits(&plan.views[*view])).collect();
    if found.is_empty() {
        let known = plan.views.iter().map(|view| format!("{} ({})", view.name, keys(view)));
        let known = known.collect::<Vec<_>>().join(", ");
        return Err(Status::not_found(format!("no feature view has exactly these join keys; there are: {known}")));
    }
    Ok(found)
}

fn of_view(plan: &Plan, view: &ViewPlan, facts: &ActorFacts) -> v1::ActorView {
    let pages = || facts.ladders.iter().flatten();
    let newest = pages().map(|page| page.newest).max().unwrap_or(Timestamp::MIN);
    v1::ActorView {
        view: view.name.clone(),
        entity: view.entity.clone(),
        resident: pages().next().is_some(),
        bytes: pages().map(|page| page.bytes as u64).sum(),
        newest_event_micros: event(newest),
        ladders: pages().map(|page| of_page(plan, page)).collect(),
    }
}

fn of_page(plan: &Plan, page: &PageFacts) -> v1::ActorLadder {
    let levels = page.levels.iter().map(|level| v1::ActorLevel {
        hop_micros: level.hop.0,
        span_micros: level.span.0,
        tiles: level.tiles as u32,
    });
    let positions = page.positions.iter().map(|last| {
        let partition = last.position.partition;
        v1::ActorPosition {
            source: plan.source(partition.source()).map_or_else(String::new, |source| source.name.clone()),
            partition: partition.number(),
            offset: last.position.offset,
            newest_event_micros: last.newest.0,
        }
    });
    v1::ActorLadder {
        bytes: page.bytes as u64,
        raw_rows: page.raw_rows as u32,
        levels: levels.collect(),
        lifetime: page.lifetime,
        positions: positions.collect(),
    }
}
