//! The log of one case: records of partitions that lag behind one another, a clock that leaps, events as late as windows
//! are long. Knows neither what is right nor who reads it.

use featuregrid_oracle::Record;
use featuregrid_protocol::ids::{PartitionId, SourceId};
use featuregrid_protocol::limits::ID_OFFSETS_MAX;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::time::{Span, Timestamp};

use super::payloads::{Payloads, Variety};
use crate::random::Random;

/// Of the first source; others have one.
const PARTITIONS: u32 = 3;

/// Shortly before days begin somewhere: that follow one of 23 or 25 hours, a leap day, or the end of 1969.
const BEGINS: [&str; 8] = [
    "2026-01-01T12:00:00Z",
    "2026-03-29T21:57:00Z",
    "2026-10-25T22:57:00Z",
    "2026-11-02T04:57:00Z",
    "2024-02-29T22:57:00Z",
    "2025-12-31T18:27:00Z",
    "2026-01-31T18:12:00Z",
    "1969-12-31T23:57:00Z",
];

/// How long the windows of a case are at most, by name, and how far its clock leaps, in microseconds.
const SCALES: [(&str, Span, [i64; 3]); 4] = [
    ("seconds", Span::seconds(60), [2_000, 900_000, 20_000_000]),
    ("minutes", Span::seconds(2 * 3_600), [2_000, 5_000_000, 300_000_000]),
    ("hours", Span::seconds(48 * 3_600), [2_000, 60_000_000, 4 * 3_600_000_000]),
    ("days", Span::seconds(64 * 86_400), [900_000, 3_600_000_000, 5 * 86_400_000_000]),
];

/// How long a log is, in records and in time, and how often it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// How many different values there are.
    pub variety: Variety,
    /// What its windows and leaps are counted in.
    pub scale: &'static str,
    /// No window is longer, but those of a calendar and lifetime.
    pub longest: Span,
    /// How many records there are.
    pub records: u64,
    /// Of the time from one record to the next, at most.
    pub leaps: [i64; 3],
    /// How far behind the clock events lie, at most.
    pub behind: Span,
    /// How far behind the others a partition's clock is, at most.
    pub lag: Span,
    /// Of 1000 records, how many are another's copy.
    pub copies: u32,
    /// After how many of 1000 records values are compared.
    pub looks: u32,
    /// Of how many entities of a view.
    pub keys: usize,
    /// After how many of 1000 records state goes through its bytes.
    pub restores: u32,
}

impl Extent {
    /// A short log.
    pub const FEW: Self = Self {
        variety: Variety::Few,
        scale: SCALES[0].0,
        longest: SCALES[0].1,
        records: 160,
        leaps: SCALES[0].2,
        behind: Span::seconds(12),
        lag: Span(0),
        copies: 250,
        looks: 10,
        keys: 1,
        restores: 8,
    };
    /// A log with so many values of one key within seconds that not all of them are told apart.
    const MANY: Self = Self {
        variety: Variety::Many,
        records: 2_000,
        leaps: [1_000, 10_000, 20_000],
        copies: 50,
        looks: 2,
        keys: 8,
        restores: 2,
        ..Self::FEW
    };

    /// Any.
    #[must_use]
    pub fn draw(random: &mut Random) -> Self {
        if random.chance(80) {
            return Self { records: 1_500 + random.below(2_500), ..Self::MANY };
        }
        let (scale, longest, leaps) = SCALES[random.below(4) as usize];
        let twice = Span(longest.0 * 2);
        let most =
            [Self::FEW.behind, Span(random.between(0, longest.0)), Span(random.between(longest.0, twice.0)), twice];
        let behind = most[random.below(4) as usize];
        let hours = Span(random.between(0, 12 * 3_600_000_000));
        let lag = [Span(0), longest, hours][random.below(3) as usize];
        Self { scale, longest, leaps, behind, lag, records: 40 + random.below(200), ..Self::FEW }
    }
}

/// One step of a log: a record of a partition.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its partition.
    pub partition: PartitionId,
    /// What the log keeps.
    pub record: Record,
    /// The event time that was drawn for it, whatever its payload made of it.
    pub drawn: Timestamp,
}

/// Every partition of every source.
#[must_use]
pub fn partitions(plan: &Plan) -> Vec<PartitionId> {
    let numbers = |source: u16| if source == 0 { 0..PARTITIONS } else { 0..1 };
    let sources = 0..plan.sources.len() as u16;
    sources
        .flat_map(|source| numbers(source).filter_map(move |number| PartitionId::of(SourceId(source), number)))
        .collect()
}

/// Records with a clock that leaps, holes between offsets, and payloads of every shape.
#[must_use]
pub fn steps(root: &Random, extent: &Extent, partitions: &[PartitionId]) -> Vec<Step> {
    let (mut random, mut holes, mut lags) = (root.fork("log"), root.fork("holes"), root.fork("lags"));
    let mut payloads = Payloads::new(root.fork("payloads"), extent.variety, extent.behind);
    let begin = root.fork("begin").pick(&BEGINS).and_then(|begin| Timestamp::parse(begin).ok());
    let mut clock = begin.unwrap_or(Timestamp(0));
    let lag = |_| if lags.chance(500) { Span(lags.between(0, extent.lag.0)) } else { Span(0) };
    let lags: Vec<Span> = partitions.iter().map(lag).collect();
    let mut next = vec![0u64; partitions.len()];
    let mut sent: Vec<(usize, Option<Vec<u8>>, Timestamp)> = Vec::new();
    let step = |_| {
        let leap = extent.leaps[random.below(3) as usize];
        clock = clock + Span(random.between(0, leap));
        let mut partition = random.below(partitions.len() as u64) as usize;
        let mut payload = payloads.draw(clock - lags[partition]);
        let mut drawn = payloads.last;
        if let Some((first, copy, of)) =
            sent.iter().rev().nth(random.below(8) as usize).filter(|_| random.chance(extent.copies))
        {
            // Sent again, mostly to the same partition; sometimes after its horizon.
            partition = if extent.lag > Span(0) || random.chance(700) { *first } else { partition };
            (payload, drawn) = (copy.clone(), *of);
        }
        sent.push((partition, payload.clone(), drawn));
        let hole = if holes.chance(25) { ID_OFFSETS_MAX - holes.below(8) } else { 0 };
        let offset = next[partition] + hole + if random.chance(120) { 3 } else { 0 };
        next[partition] = offset + 1;
        let admit = random.chance(50);
        let record = Record { offset, log_timestamp: clock, admit, payload };
        Step { partition: partitions[partition], record, drawn }
    };
    (0..extent.records).map(step).collect()
}
