//! What a scrape looks up: the figures of `featuregrid status`, so that the two never disagree. Knows no HTTP.

use std::sync::Arc;

use featuregrid_protocol::position::{Positions, t_max};
use featuregrid_protocol::time::Timestamp;

use super::metrics::{Sampled, labels, raise, seconds};
use super::names;
use crate::assemble::Node;
use crate::clock;
use crate::ingest::LogError;
use crate::snapshots::DurabilityFacts;
use crate::status::{Status, status};

/// Asks the log where it ends, and the shards what they hold.
pub(super) async fn sample(node: &Node) {
    // The brokers' answer is of use to the lag alone: without it, the lag is that to the end last seen.
    if let Err(error) = look_at_ends(node).await {
        tracing::debug!(%error, "the log does not say where it ends");
    }
    let state = status(node).await;
    node.metrics.sampled.set(node, &state);
}

async fn look_at_ends(node: &Node) -> Result<(), LogError> {
    let (log, progress, partitions) = (Arc::clone(&node.log), Arc::clone(&node.progress), node.partitions());
    let asked = tokio::task::spawn_blocking(move || {
        for partition in partitions {
            progress.set_log_end(partition, log.bounds(partition)?.end);
        }
        Ok(())
    });
    // A panic there is in the log already.
    asked.await.unwrap_or(Ok(()))
}

impl Sampled {
    fn set(&self, node: &Node, state: &Status) {
        let plan = node.grid.plan();
        for (counters, view) in self.rows.iter().zip(&state.views) {
            for (counter, rows) in counters.iter().zip([view.applied, view.duplicate, view.rejected]) {
                raise(counter, rows);
            }
        }
        let positions: Positions =
            state.partitions.iter().map(|partition| (partition.partition, partition.position.clone())).collect();
        let now = clock::wall();
        for view in &plan.views {
            let newest = t_max(&positions, view.source);
            if newest > Timestamp::MIN {
                let labels = labels(&names::FEATURE_FRESHNESS, &[&view.name]);
                self.freshness.get_or_create(&labels).set(seconds(now - newest));
            }
        }
        for partition in &state.partitions {
            let topic = plan.source(partition.partition.source()).map_or("", |source| source.topic.as_str());
            let number = partition.partition.number().to_string();
            let lag = partition.log_end.saturating_sub(partition.position.next);
            self.lag.get_or_create(&labels(&names::CONSUMER_LAG, &[topic, &number])).set(lag);
        }
        self.halted.set(state.partitions.iter().filter(|partition| partition.halted.is_some()).count() as u64);
        self.paused.set(u64::from(state.paused));
        self.state.set(state.bytes);
        self.budget.set(state.memory_budget);
        self.actors.set(state.keys);
        self.ranges.set(node.epochs.len() as u64);
        self.epoch.set(node.epochs.values().map(|epoch| epoch.0).max().unwrap_or(0));
        self.lease.set(u64::from(node.is_leased()));
        self.control_index.set(state.index.0);
        let used = &state.store.used;
        for (counter, count) in self.store.iter().zip(used.answers) {
            raise(counter, count);
        }
        for (counter, bytes) in self.store_bytes.iter().zip([used.bytes_read, used.bytes_written]) {
            raise(counter, bytes);
        }
        let DurabilityFacts { bases, deltas, quiet, failed, bytes, debt, oldest, .. } = state.durability;
        self.snapshot_age.set(seconds(oldest));
        for (counter, count) in self.snapshots.iter().zip([bases, deltas, quiet, failed]) {
            raise(counter, count);
        }
        raise(&self.snapshot_bytes, bytes);
        self.snapshot_debt.set(debt);
        for (counter, billed) in self.store_billed.iter().zip([used.total.billed_writes, used.total.billed_reads]) {
            raise(counter, billed);
        }
        self.accounting.set(u64::from(state.accounting_holds));
    }
}
