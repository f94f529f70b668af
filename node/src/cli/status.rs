//! `featuregrid status`: what a running node has read and holds, and whether its accounting holds.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::wire::v1::{DurabilityStatus, GetStatusRequest, GetStatusResponse, StoreStatus};
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
        "durability": state.durability.as_ref().map(durability_as_json),
        "paused": state.paused, "store": state.store.as_ref().map(store_as_json),
        "freshness_micros": { "p50": state.freshness_micros_p50, "p99": state.freshness_micros_p99 },
    })
}

fn store_as_json(store: &StoreStatus) -> serde_json::Value {
    let requests = store.requests.iter().map(|it| (format!("{}_{}", it.request, it.outcome), json!(it.count)));
    json!({
        "place": store.place, "seconds": store.seconds, "requests": serde_json::Map::from_iter(requests),
        "requests_per_minute": store.requests_per_minute, "bytes_read": store.bytes_read,
        "bytes_written": store.bytes_written,
        "bytes_per_minute": store.bytes_per_minute,
        "billed": { "writes": store.billed_writes, "reads": store.billed_reads },
        "dollars": store.dollars, "dollars_per_month": store.dollars_per_month,
        "prices": (!store.prices.is_empty()).then_some(&store.prices),
    })
}

fn durability_as_json(durability: &DurabilityStatus) -> serde_json::Value {
    json!({
        "oldest_ms": durability.oldest_micros / 1000, "alarm": durability.alarm, "debt_bytes": durability.debt_bytes,
        "bases": durability.bases, "deltas": durability.deltas, "quiet": durability.quiet, "failed": durability.failed,
        "bytes": durability.bytes,
        "restored": { "ranges": durability.restored_ranges, "bytes": durability.restored_bytes },
    })
}

/// What of the state a crash would not lose.
fn durable(durability: &DurabilityStatus) -> String {
    let mut line = format!(
        "durable up to {:.1} s ago: {} bases, {} deltas, {} without news, {} failed; {:.2} MiB",
        durability.oldest_micros as f64 / 1e6,
        durability.bases,
        durability.deltas,
        durability.quiet,
        durability.failed,
        durability.bytes as f64 / f64::from(1 << 20),
    );
    if durability.alarm {
        line += "; ALARM: state does not become durable, look at the object store";
    }
    line
}

/// What the object store was asked for, and what that costs.
fn cost(store: &StoreStatus) -> String {
    let requests: u64 = store.requests.iter().map(|it| it.count).sum();
    let mib = |bytes: f64| bytes / f64::from(1 << 20);
    let mut line = format!(
        "object store {}: {requests} requests ({:.1} a minute), {:.2} MiB read and {:.2} MiB written ({:.3} MiB a minute)",
        store.place,
        store.requests_per_minute,
        mib(store.bytes_read as f64),
        mib(store.bytes_written as f64),
        mib(store.bytes_per_minute),
    );
    if let Some(dollars) = store.dollars {
        line += &format!("; ${dollars:.4} so far");
        if let Some(monthly) = store.dollars_per_month {
            line += &format!(", ${monthly:.2} a month like this");
        }
        line += &format!(" for {} writes and {} reads ({})", store.billed_writes, store.billed_reads, store.prices);
    }
    line
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
    if let Some(store) = &state.store {
        say!("{}", cost(store));
    }
    if let Some(durability) = &state.durability {
        say!("{}", durable(durability));
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

#[cfg(test)]
mod tests {
    //! The line of the object store.
    use featuregrid_protocol::wire::v1::StoreRequests;

    use super::*;

    #[test]
    fn the_object_store_has_a_line_with_its_price() {
        let request =
            |outcome: &str, count| StoreRequests { request: "put".to_owned(), outcome: outcome.to_owned(), count };
        let folder = StoreStatus {
            place: "file:///data/objects".to_owned(),
            seconds: 120.0,
            requests_per_minute: 121.5,
            bytes_per_minute: f64::from(2 << 20),
            requests: vec![request("done", 240), request("lost", 3)],
            bytes_read: 1 << 20,
            bytes_written: 3 << 20,
            ..StoreStatus::default()
        };
        let line = "object store file:///data/objects: 243 requests (121.5 a minute), 1.00 MiB read and 3.00 MiB written (2.000 MiB a minute)";
        assert_eq!(cost(&folder), line);
        let bucket = StoreStatus {
            billed_writes: 243,
            billed_reads: 5,
            dollars: Some(0.001217),
            dollars_per_month: Some(26.288),
            prices: "S3 Standard, us-east-1".to_owned(),
            ..folder
        };
        let price = "; $0.0012 so far, $26.29 a month like this for 243 writes and 5 reads (S3 Standard, us-east-1)";
        assert_eq!(cost(&bucket), format!("{line}{price}"));
        assert_eq!(store_as_json(&bucket)["requests"]["put_done"], 240);
    }
}
