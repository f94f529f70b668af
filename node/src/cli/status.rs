//! `featuregrid status`: what a running node has read and holds, and whether its accounting holds.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::wire::v1::{GetStatusRequest, GetStatusResponse};
use serde_json::json;

use super::client;
use super::output::{Output, say, table};

/// `featuregrid status`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The node.
    #[arg(long, default_value = super::ADDRESS)]
    address: String,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,
}

/// Exit code 0 only if the accounting holds and nothing stands still.
pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut client = client::admin(&arguments.address, Duration::ZERO).await?;
    let state = match client.get_status(GetStatusRequest {}).await {
        Ok(reply) => reply.into_inner(),
        Err(status) => bail!("{}: {}", arguments.address, status.message()),
    };
    match arguments.output {
        Output::Json => say!("{}", as_json(&state)),
        Output::Table => show(&state),
    }
    let stands = state.partitions.iter().any(|partition| !partition.halted.is_empty());
    Ok(if state.accounting_holds && !stands { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn accounting(state: &GetStatusResponse) -> &'static str {
    if state.accounting_holds { "holds" } else { "broken" }
}

fn as_json(state: &GetStatusResponse) -> serde_json::Value {
    let partitions = state.partitions.iter().map(|partition| {
        json!({
            "source": partition.source, "partition": partition.partition, "next": partition.next,
            "log_end": partition.log_end, "lag": partition.log_end.saturating_sub(partition.next),
            "max_event": partition.max_event_micros.map(|at| Timestamp(at).to_string()),
            "records": partition.records, "late": partition.late, "dead_lettered": partition.dead_lettered,
            "tombstones": partition.tombstones, "unmatched": partition.unmatched, "routed": partition.routed,
            "halted": partition.halted,
        })
    });
    let views = state.views.iter().map(|view| {
        json!({
            "name": view.name, "rows": view.rows, "applied": view.applied, "duplicate": view.duplicate,
            "rejected": view.rejected,
        })
    });
    json!({
        "project": state.project, "control_index": state.control_index, "accounting": accounting(state),
        "partitions": partitions.collect::<Vec<_>>(), "views": views.collect::<Vec<_>>(), "ranges": state.ranges,
        "keys": state.keys, "state_bytes": state.state_bytes, "memory_budget_bytes": state.memory_budget_bytes,
        "paused": state.paused,
        "freshness_micros": { "p50": state.freshness_micros_p50, "p99": state.freshness_micros_p99 },
    })
}

fn show(state: &GetStatusResponse) {
    let of_budget = 100.0 * state.state_bytes as f64 / state.memory_budget_bytes.max(1) as f64;
    say!("project {}, control index {}, accounting {}", state.project, state.control_index, accounting(state));
    say!(
        "{} keys in {} ranges, {:.1} MiB of state ({of_budget:.1} % of the budget){}",
        state.keys,
        state.ranges,
        state.state_bytes as f64 / f64::from(1 << 20),
        if state.paused { ", consumption paused" } else { "" }
    );
    if let (Some(p50), Some(p99)) = (state.freshness_micros_p50, state.freshness_micros_p99) {
        say!("freshness p50 {:.1} ms, p99 {:.1} ms", p50 as f64 / 1000.0, p99 as f64 / 1000.0);
    }
    say!("");
    let heading =
        ["partition", "next", "lag", "records", "late", "dead", "tombstones", "unmatched", "routed", "newest event"];
    let row = |partition: &featuregrid_protocol::wire::v1::PartitionStatus| {
        let newest = partition.max_event_micros.map_or_else(|| "-".to_owned(), |at| Timestamp(at).to_string());
        let lag = partition.log_end.saturating_sub(partition.next);
        let numbers = [
            partition.next,
            lag,
            partition.records,
            partition.late,
            partition.dead_lettered,
            partition.tombstones,
            partition.unmatched,
            partition.routed,
        ];
        let mut row = vec![format!("{} {}", partition.source, partition.partition)];
        row.extend(numbers.iter().map(u64::to_string));
        row.push(newest);
        row
    };
    table(&heading, &state.partitions.iter().map(row).collect::<Vec<_>>());
    for partition in state.partitions.iter().filter(|partition| !partition.halted.is_empty()) {
        say!("{} {} stands still: {}", partition.source, partition.partition, partition.halted);
    }
    say!("");
    let row = |view: &featuregrid_protocol::wire::v1::ViewStatus| {
        let numbers = [view.rows, view.applied, view.duplicate, view.rejected];
        [view.name.clone()].into_iter().chain(numbers.iter().map(u64::to_string)).collect()
    };
    table(
        &["view", "rows", "applied", "duplicate", "rejected"],
        &state.views.iter().map(row).collect::<Vec<Vec<String>>>(),
    );
}
