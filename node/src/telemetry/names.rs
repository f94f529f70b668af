//! Every metric name, in one place: what dashboards and alerts may rely on. Knows no value.
//!
//! Labels come from definitions (sources, views, topics and their partitions) or from the closed lists named here; no
//! label ever holds an entity's key. `METRICS.md` is written from this file, and a test compares the two.

/// What a metric is, in OpenMetrics' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only rises, from 0 at the start of the process.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Counts by bucket.
    Histogram,
    /// Constant, told by its labels.
    Info,
}

impl Kind {
    /// As OpenMetrics writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// In full, with unit and suffix.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// The unit, where the name ends with one.
    pub unit: Option<&'static str>,
    /// Label names.
    pub labels: &'static [&'static str],
    /// One sentence, without its full stop.
    pub help: &'static str,
}

impl Name {
    /// The name without what OpenMetrics appends: kind and unit.
    #[must_use]
    pub fn stem(&self) -> &'static str {
        let suffix = match self.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        let stem = self.name.strip_suffix(suffix).unwrap_or(self.name);
        let unit = self.unit.and_then(|unit| stem.strip_suffix(unit)?.strip_suffix('_'));
        unit.unwrap_or(stem)
    }
}

const SECONDS: Option<&str> = Some("seconds");
const BYTES: Option<&str> = Some("bytes");

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Name {
    Name { name, kind: Kind::Counter, unit: None, labels, help }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Name {
    Name { name, kind: Kind::Gauge, unit: None, labels, help }
}

const fn seconds(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Name {
    Name { name, kind: Kind::Histogram, unit: SECONDS, labels, help }
}

/// See its help, as for all of them.
pub const EVENTS_INGESTED: Name = counter(
    "featuregrid_events_ingested_total",
    &["source", "outcome"],
    "Records read by what became of them: routed, unmatched, tombstone, late or dead_lettered; a record that is read \
     again counts once",
);
/// Why records are dead.
pub const EVENTS_REJECTED: Name = counter(
    "featuregrid_events_rejected_total",
    &["source", "reason"],
    "Records that are dead letters, by reason: too_large, undecodable, no_timestamp, future or rejected",
);
/// What became of late records.
pub const EVENTS_LATE: Name = counter(
    "featuregrid_events_late_total",
    &["source", "action"],
    "Late records by their source's late_policy: dead_letter, side_output or drop",
);
/// What was kept.
pub const DEAD_LETTERS_WRITTEN: Name = counter(
    "featuregrid_dead_letters_written_total",
    &["source", "reason"],
    "Dead letters and late records written to their topic or file; one that is written again after a crash counts again",
);
/// A view's books.
pub const VIEW_ROWS: Name =
    counter("featuregrid_view_rows_total", &["view", "outcome"], "Rows of a view: applied, duplicate or rejected");
/// Freshness.
pub const EVENT_TO_FEATURE: Name = seconds(
    "featuregrid_event_to_feature_seconds",
    &[],
    "From event time to visible in every shard, per event, once the history was read",
);
/// Where time goes on the way.
pub const STAGE: Name = seconds(
    "featuregrid_stage_seconds",
    &["stage"],
    "Time of one batch in a stage: queue (log timestamp to poll), decode, route (frames to all shards), fold (one \
     frame in one shard), visible (handed over to folded everywhere), read (shards answer), snapshot \
     (one slice of it in one shard)",
);
/// Reads.
pub const READ: Name = seconds(
    "featuregrid_read_seconds",
    &["api", "outcome"],
    "Time of a read request by api (grpc or feast) and outcome: ok, invalid, deadline, unavailable or error",
);
/// Pushes.
pub const PUSH: Name =
    seconds("featuregrid_push_seconds", &["outcome"], "Time from a push to its visible event, by outcome as of reads");
/// What readers got.
pub const FEATURE_STATUS: Name =
    counter("featuregrid_feature_status_total", &["view", "status"], "Values answered, by view and status");
/// Age of a view's newest event.
pub const FEATURE_FRESHNESS: Name = Name {
    unit: SECONDS,
    ..gauge(
        "featuregrid_feature_freshness_seconds",
        &["view"],
        "Age of the newest event time that the view's source has shown",
    )
};
/// Lag.
pub const CONSUMER_LAG: Name = gauge(
    "featuregrid_consumer_lag_records",
    &["topic", "partition"],
    "Offsets between the end of the log and the next record to be folded",
);
/// Partitions that stand.
pub const PARTITIONS_HALTED: Name = gauge(
    "featuregrid_partitions_halted",
    &[],
    "Partitions that cannot go on; the log and `featuregrid status` say why",
);
/// Waiting.
pub const BACKPRESSURE: Name = Name {
    unit: SECONDS,
    ..counter(
        "featuregrid_backpressure_seconds_total",
        &["cause"],
        "Time that reading stood still because of shards, dead_letters or memory, over all reading threads",
    )
};
/// Whether memory stops reading.
pub const CONSUMPTION_PAUSED: Name =
    gauge("featuregrid_consumption_paused", &[], "1 while reading pauses at the memory budget");
/// Memory.
pub const STATE_BYTES: Name =
    Name { unit: BYTES, ..gauge("featuregrid_state_bytes", &["tier"], "Bytes of entity state, by tier: memory") };
/// Its bound.
pub const MEMORY_BUDGET: Name = Name {
    unit: BYTES,
    ..gauge("featuregrid_memory_budget_bytes", &[], "Bytes of entity state at which reading pauses")
};
/// Entities.
pub const ACTORS: Name =
    gauge("featuregrid_actors", &["state"], "Entities by state: resident; counted once for each view that holds them");
/// Ranges.
pub const RANGES: Name = gauge("featuregrid_ranges", &["state"], "Key ranges of this node by state: owned");
/// Epochs.
pub const RANGE_EPOCH: Name =
    gauge("featuregrid_range_epoch", &[], "Largest epoch of the ranges owned: rises with each change of owner");
/// The lease.
pub const LEASE_VALID: Name =
    gauge("featuregrid_lease_valid", &[], "1 while the node's lease allows it to act; 0 asks for a restart");
/// Definitions in force.
pub const CONTROL_INDEX: Name = gauge("featuregrid_control_index", &[], "Control entry that reads are answered under");
/// Questions to the object store.
pub const STORE_REQUESTS: Name = counter(
    "featuregrid_store_requests_total",
    &["request", "outcome"],
    "Requests to the object store by kind and outcome: get found, absent or unavailable; list listed or unavailable; put \
     done, lost, retry or unknown; delete done or unknown",
);
/// What they carried.
pub const STORE_BYTES: Name = Name {
    unit: BYTES,
    ..counter(
        "featuregrid_store_bytes_total",
        &["direction"],
        "Bytes of objects from and to the object store: read or written, landed or not",
    )
};
/// What they are on a bill.
pub const STORE_BILLED: Name = counter(
    "featuregrid_store_billed_requests_total",
    &["class"],
    "Requests to S3 as a bill has them, repeated ones and pieces of large objects included: write (PUT, POST, LIST) or read \
     (GET, HEAD)",
);
/// How far back a crash goes.
pub const SNAPSHOT_AGE: Name = gauge(
    "featuregrid_snapshot_age_seconds",
    &[],
    "Age of the state that a crash would go back to, of the range that is furthest behind",
);
/// What was made durable.
pub const SNAPSHOTS: Name = counter(
    "featuregrid_snapshots_total",
    &["kind"],
    "Times a range was made durable: base, delta, quiet (its manifest moved on alone), or failed (and is tried again)",
);
/// How much that was.
pub const SNAPSHOT_BYTES: Name = counter("featuregrid_snapshot_bytes_total", &[], "Bytes of bases and deltas");
/// What waits for the store.
pub const SNAPSHOT_DEBT: Name =
    gauge("featuregrid_snapshot_debt_bytes", &[], "Bytes of parts that are encoded and wait for the object store");
/// The books.
pub const ACCOUNTING_HOLDS: Name =
    gauge("featuregrid_accounting_holds", &[], "1 while every equation of the accounting holds; 0 asks for a human");
/// The process.
pub const START_TIME: Name =
    Name { unit: SECONDS, ..gauge("featuregrid_start_time_seconds", &[], "When the process began, since 1970") };
/// The build.
pub const BUILD_INFO: Name =
    Name { name: "featuregrid_build_info", kind: Kind::Info, unit: None, labels: &["version"], help: "What runs" };

/// All of them, in the order of the page.
pub const ALL: [&Name; 32] = [
    &EVENTS_INGESTED,
    &EVENTS_REJECTED,
    &EVENTS_LATE,
    &DEAD_LETTERS_WRITTEN,
    &VIEW_ROWS,
    &EVENT_TO_FEATURE,
    &STAGE,
    &READ,
    &PUSH,
    &FEATURE_STATUS,
    &FEATURE_FRESHNESS,
    &CONSUMER_LAG,
    &PARTITIONS_HALTED,
    &BACKPRESSURE,
    &CONSUMPTION_PAUSED,
    &STATE_BYTES,
    &MEMORY_BUDGET,
    &ACTORS,
    &RANGES,
    &RANGE_EPOCH,
    &LEASE_VALID,
    &CONTROL_INDEX,
    &STORE_REQUESTS,
    &STORE_BYTES,
    &STORE_BILLED,
    &SNAPSHOT_AGE,
    &SNAPSHOTS,
    &SNAPSHOT_BYTES,
    &SNAPSHOT_DEBT,
    &ACCOUNTING_HOLDS,
    &START_TIME,
    &BUILD_INFO,
];

#[cfg(test)]
mod tests;
