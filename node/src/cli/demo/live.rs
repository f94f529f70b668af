//! The live demo: history, then records as they happen, and the features they make, each second.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use featuregrid_actors::shard::Selection;
use featuregrid_actors::window::AsOf;
use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::key;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::time::Span;
use featuregrid_protocol::value::{Status, Value};

use super::screen::{Screen, Second};
use super::{Arguments, READ_MAX, is_empty, start};
use crate::assemble::Node;
use crate::cli::output::Output;
use crate::cli::style::{Style, thousands};
use crate::cli::{ADDRESS, stopped};
use crate::clock;
use crate::demo::append;
use crate::demo::play::{Pace, Player};
use crate::demo::workload::{Play, Shown, WITHOUT_END, Workload};
use crate::grid::{Asked, GridRead};
use crate::ingest::Log;
use crate::ingest::embedded::PARTITIONS;
use crate::serve::Server;
use crate::status::status;
use crate::store::DataDir;

/// Records a second: lively for people, idle for a machine.
const RATE: u64 = 200;
/// Records of history.
const HISTORY: u64 = 20_000;
/// Entities that are shown.
const ENTITIES: u32 = 8;

pub(super) async fn run(arguments: &Arguments, data: Arc<DataDir>, log: Arc<dyn Log>) -> anyhow::Result<ExitCode> {
    let workload = arguments.workload.workload();
    let style = Style::stdout();
    let lines = match arguments.output {
        Some(output) => output == Output::Json,
        None => !style.redraws,
    };
    let mut stop = std::pin::pin!(stopped());
    let begun = tokio::select! {
        begun = begin(arguments, workload, data, Arc::clone(&log), (style, lines)) => begun?,
        () = &mut stop => return Ok(ExitCode::SUCCESS),
    };
    let (node, server) = begun;
    let shown = workload.shown();
    let mut query = format!("featuregrid get {} {}={}1", shown.view, shown.key, shown.letter);
    if server.address().to_string() != ADDRESS {
        query.push_str(&format!(" --address {}", server.address()));
    }
    let mut screen = Screen::new(shown, style, lines, query);
    let present =
        Play { disorder: Span(0), ..Play::present(arguments.seed + 1, WITHOUT_END, PARTITIONS, clock::wall(), RATE) };
    let player = Player::start(workload.messy(present), Pace::InTime, log)?;
    let until = arguments.lasts.map(|lasts| Instant::now() + lasts);
    let mut before = 0;
    loop {
        let next = tokio::time::Instant::now() + Duration::from_secs(1);
        tokio::select! {
            () = &mut stop => break,
            () = tokio::time::sleep_until(next) => {}
        }
        let appended = player.records();
        screen.show(&second(&node, &shown, appended - before).await?);
        before = appended;
        if until.is_some_and(|until| Instant::now() >= until) || player.is_done() {
            break;
        }
    }
    player.stop().done?;
    server.stop().await;
    if let Ok(node) = Arc::try_unwrap(node) {
        node.stop().await;
    }
    Ok(ExitCode::SUCCESS)
}

/// A node that has read the history and answers.
async fn begin(
    arguments: &Arguments,
    workload: Workload,
    data: Arc<DataDir>,
    log: Arc<dyn Log>,
    (style, lines): (Style, bool),
) -> anyhow::Result<(Arc<Node>, Server)> {
    let begin = Instant::now();
    let (records, place) = (workload.shown().records, log.name(PartitionId(0)).to_owned());
    let fresh = is_empty(&*log)?;
    if fresh {
        let events = arguments.events.unwrap_or(HISTORY);
        let history = workload.messy(Play::history(arguments.seed, events, PARTITIONS, clock::wall()));
        let filled = Arc::clone(&log);
        tokio::task::spawn_blocking(move || append(&*filled, &mut { history })).await.context("filling the log")??;
    }
    let node = start(workload, data, log).await?;
    let ends = node.log_ends()?;
    if !node.reaches(&ends, begin + READ_MAX).await {
        bail!("the node did not read the log: {}", node.progress.any_halted().unwrap_or_else(|| "too slow".to_owned()));
    }
    let read: u64 = status(&node).await.totals.records;
    let history = if fresh { "of the last two days" } else { "that were there" };
    let took = begin.elapsed().as_secs_f64();
    let told = format!("{} {records} {history}, read in {took:.1} s; now {RATE} a second", thousands(read));
    if lines {
        eprintln!("{told}; the log is {place}");
    } else {
        eprintln!("{}  {told}", style.bold("featuregrid demo"));
    }
    node.freshness.reset();
    let server = match Server::start(Arc::clone(&node), ADDRESS).await {
        Ok(server) => server,
        Err(_) => Server::start(Arc::clone(&node), "127.0.0.1:0").await?,
    };
    server.set_serving().await;
    if lines {
        let shown = workload.shown();
        let (view, key, letter, address) = (shown.view, shown.key, shown.letter, server.address());
        eprintln!("ask it: featuregrid get {view} {key}={letter}1 --address {address}");
    }
    Ok((node, server))
}

async fn second(node: &Node, shown: &Shown, rate: u64) -> anyhow::Result<Second> {
    let as_of = AsOf::Now { clock: clock::wall() };
    let names: Vec<String> = (1..=ENTITIES).map(|number| format!("{}{number}", shown.letter)).collect();
    let entities = names.iter().map(|name| {
        let mut bytes = Vec::new();
        key::encode([name.as_str()], &mut bytes);
        Asked { key: bytes.into(), as_of }
    });
    let plan = node.grid.plan();
    let view = plan.view_index(shown.view).context("the demo has its view")?;
    let read = GridRead {
        selections: [Selection::whole(plan, view)].into(),
        sent: Arc::default(),
        entities: entities.collect(),
        at_least: OffsetVector::default(),
        deadline: Instant::now() + Duration::from_secs(5),
    };
    let answers = node.grid.read(read).await?;
    let columns: Vec<Option<usize>> =
        shown.features.iter().map(|feature| plan.views[view].result_index(feature)).collect();
    let values = |readings: &[featuregrid_protocol::value::Reading]| -> Vec<Option<Value>> {
        let value = |column: &Option<usize>| {
            let reading = readings.get((*column)?)?;
            (reading.status != Status::NotFound).then(|| reading.value.clone())
        };
        columns.iter().map(value).collect()
    };
    let rows = names.into_iter().zip(&answers).map(|(name, views)| {
        let readings = views.first().map_or(&[][..], |(reading, _)| &reading.readings);
        (name, values(readings))
    });
    let state = status(node).await;
    let millis = |percent| node.freshness.percentile(percent).map(|age: Span| age.0 as f64 / 1000.0);
    Ok(Second {
        rows: rows.collect(),
        rate,
        records: state.totals.records,
        late: state.totals.late,
        dead_lettered: state.totals.dead_lettered,
        keys: state.keys,
        state_bytes: state.bytes,
        accounting_holds: state.accounting_holds,
        freshness: millis(50).zip(millis(99)),
    })
}
