//! The record path of the product (reader, frames, shard) against the oracle, on payloads of every odd shape, under
//! changing definitions. Knows no network and no faults: the simulation adds those.
//!
//! Every record's fate, every partition's accounting and every value must be equal, at tokens in the middle of the log
//! and under every control index. A failure names its seed.

#![expect(clippy::expect_used, reason = "what cannot happen in this test fails it")]

mod boundaries;
mod expressions;
mod payloads;
mod plans;
mod product;
mod training;

use std::collections::BTreeMap;
use std::fmt::Debug;

use featuregrid_oracle::{Answer, AsOf, Oracle, Record};
use featuregrid_protocol::ids::{ControlIndex, PartitionId, SourceId};
use featuregrid_protocol::limits::{BUCKETS_MAX, DISTINCT_EXACT_MAX, ID_OFFSETS_MAX};
use featuregrid_protocol::plan::{Items, Measure, Operator, Plan, ViewPlan};
use featuregrid_protocol::position::{OffsetVector, PartitionCounters};
use featuregrid_protocol::request::{Sent, SentColumns};
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::{Edge, Status, Value};
use featuregrid_simulations::random::Random;

use payloads::{Payloads, Variety};
use product::{Fates, Product};

/// Of the first source; others have one.
const PARTITIONS: u32 = 3;
const SEEDS: u64 = 200;

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

/// How long a log is and how often it is looked at.
struct Extent {
    variety: Variety,
    records: u64,
    /// Of the time from one record to the next, at most.
    leaps: [i64; 3],
    /// Of 1000 records, how many are another's copy, and after how many all is compared.
    copies: u32,
    looks: u32,
}

impl Extent {
    /// A short log that is looked at often.
    const FEW: Self =
        Self { variety: Variety::Few, records: 160, leaps: [2_000, 900_000, 20_000_000], copies: 250, looks: 300 };
    /// A log with so many values of one key within seconds that not all of them are told apart.
    const MANY: Self =
        Self { variety: Variety::Many, records: 3000, leaps: [1_000, 10_000, 20_000], copies: 50, looks: 5 };

    fn of(seed: u64) -> Self {
        if seed % 5 == 4 { Self::MANY } else { Self::FEW }
    }
}

/// One step of a log: a record of a partition.
struct Step {
    partition: PartitionId,
    record: Record,
}

/// Every partition of every source.
fn partitions(plan: &Plan) -> Vec<PartitionId> {
    let numbers = |source: u16| if source == 0 { 0..PARTITIONS } else { 0..1 };
    let sources = 0..plan.sources.len() as u16;
    sources
        .flat_map(|source| numbers(source).filter_map(move |number| PartitionId::of(SourceId(source), number)))
        .collect()
}

/// Records with a clock that jumps, holes between offsets, and payloads of every shape.
fn steps(seed: u64, extent: &Extent, partitions: &[PartitionId]) -> Vec<Step> {
    let root = Random::new(seed);
    let (mut random, mut leaps) = (root.fork("log"), root.fork("leaps"));
    let mut payloads = Payloads::new(root.fork("payloads"), extent.variety);
    let begins = BEGINS[root.fork("begin").below(BEGINS.len() as u64) as usize];
    let mut clock = Timestamp::parse(begins).expect("an instant");
    let mut next = vec![0u64; partitions.len()];
    let mut sent: Vec<(usize, Option<Vec<u8>>)> = Vec::new();
    let step = |_| {
        let leap = extent.leaps[random.below(3) as usize];
        clock = clock + Span(random.between(0, leap));
        let mut partition = random.below(partitions.len() as u64) as usize;
        let mut payload = payloads.draw(clock);
        if let Some((first, copy)) =
            sent.iter().rev().nth(random.below(8) as usize).filter(|_| random.chance(extent.copies))
        {
            // Sent again, mostly to the same partition; sometimes after its horizon.
            partition = if random.chance(700) { *first } else { partition };
            payload = copy.clone();
        }
        sent.push((partition, payload.clone()));
        let leap = if leaps.chance(25) { ID_OFFSETS_MAX - leaps.below(8) } else { 0 };
        let offset = next[partition] + leap + if random.chance(50) { 3 } else { 0 };
        next[partition] = offset + 1;
        let admit = random.chance(50);
        let record = Record { offset, log_timestamp: clock, admit, payload };
        Step { partition: partitions[partition], record }
    };
    (0..extent.records).map(step).collect()
}

/// What a run compared, so that agreement about nothing is not taken for agreement.
#[derive(Debug, Default)]
struct Tally {
    fates: PartitionCounters,
    duplicates: u64,
    present: u64,
    null: u64,
    defaulted: u64,
    outside_max_age: u64,
    not_found: u64,
    out_of_range: u64,
    rounded: u64,
    overflow: u64,
    inexact_input: u64,
    partial_coverage: u64,
    sent: u64,
    /// More different numbers than are told apart: counts of them, and percentiles.
    estimated: u64,
    bucketed: u64,
    /// Operator, what it read, status.
    drawn: BTreeMap<(&'static str, &'static str, &'static str), u64>,
}

/// What a measure's values are.
fn read_by(measure: &Measure) -> &'static str {
    match measure.value {
        None => "rows",
        Some((_, Items::Numbers(_))) => "numbers",
        Some((_, Items::Truths)) => "truths",
        Some((_, Items::Texts)) => "texts",
    }
}

impl Tally {
    fn add(&mut self, view: &ViewPlan, answer: &Answer) {
        self.rounded += u64::from(answer.edge == Edge::Rounded);
        for reading in &answer.readings {
            *match reading.status {
                Status::Present => &mut self.present,
                Status::NullValue => &mut self.null,
                Status::Defaulted => &mut self.defaulted,
                Status::OutsideMaxAge => &mut self.outside_max_age,
                Status::NotFound => &mut self.not_found,
                Status::OutOfRange => &mut self.out_of_range,
                Status::Overflow => &mut self.overflow,
            } += 1;
            self.inexact_input += u64::from(reading.inexact_input);
            self.partial_coverage += u64::from(reading.partial_coverage);
        }
        let mut many = Vec::new();
        for (feature, reading) in view.features.iter().zip(&answer.readings) {
            let column = view.ladders[feature.ladder].columns[feature.column];
            let reads = read_by(&view.measures[column.measure]);
            *self.drawn.entry((feature.operator.name(), reads, reading.status.name())).or_default() += 1;
            if let (Operator::DistinctCount, Value::Int(different)) = (feature.operator, &reading.value) {
                self.estimated += u64::from(*different > DISTINCT_EXACT_MAX as i128);
                // An estimate: so many more that there certainly are more.
                let certain = BUCKETS_MAX + BUCKETS_MAX / 4;
                many.extend((*different > certain as i128).then_some((column.measure, feature.window)));
            }
        }
        let percentiles = view.features.iter().filter(|feature| {
            let measure = view.ladders[feature.ladder].columns[feature.column].measure;
            let is_percentile = matches!(feature.operator, Operator::Percentile(_) | Operator::Median);
            is_percentile && many.contains(&(measure, feature.window))
        });
        self.bucketed += percentiles.count() as u64;
    }

    /// How often every operator was compared over what it reads: (that, in all, with a value).
    fn operators(&self) -> Vec<(String, u64, u64)> {
        let mut operators: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for ((operator, reads, status), times) in &self.drawn {
            let (all, present) = operators.entry(format!("{operator} of {reads}")).or_default();
            *all += times;
            *present += if *status == Status::Present.name() { *times } else { 0 };
        }
        operators.into_iter().map(|(operator, (all, present))| (operator, all, present)).collect()
    }
}

/// What the product says must be what the oracle says.
fn agree<T: PartialEq + Debug>(got: T, want: T, context: impl FnOnce() -> String) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{}\n  got {got:?}\n want {want:?}", context())) }
}

fn check(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let (root, extent) = (Random::new(seed), Extent::of(seed));
    let mut random = root.fork("reads");
    let plans = plans::draw(&mut root.fork("plans"));
    let mut oracle = Oracle::new();
    oracle.activate(ControlIndex(0), OffsetVector::default(), plans[0].clone());
    let partitions = partitions(&plans[0]);
    let mut product = Product::new(plans[0].clone(), &partitions);
    let mut index = 0;
    let switch_every = extent.records / plans.len() as u64 + 1;
    for (at, step) in (1..).zip(steps(seed, &extent, &partitions)) {
        let context = |what: &str| {
            let text = String::from_utf8_lossy(step.record.payload.as_deref().unwrap_or(b"(tombstone)")).into_owned();
            format!("seed {seed}, record {at} ({} {}), {what}: {text}", step.partition, step.record.offset)
        };
        oracle.push(step.partition, step.record.clone()).expect("offsets rise");
        product.record(step.partition, &step.record);
        if random.chance(300) {
            product.cut(step.partition);
        }
        if at % switch_every == 0 {
            index += 1;
            let v = product.switch(plans[index].clone());
            oracle.activate(ControlIndex(index as u64), v, plans[index].clone());
        }
        let k = ControlIndex(index as u64);
        let ahead = oracle.cut(k, &product.read_to()).expect("the index is active").totals();
        agree(product.outcomes(), Fates::from(&ahead), || context("fate"))?;
        if at == extent.records {
            tally.fates += &ahead;
        }
        if !random.chance(extent.looks) {
            continue;
        }
        let v = product.token();
        let cut = oracle.cut(k, &v).expect("the index is active");
        let mut accounting = cut.accounting();
        accounting.retain(|_, counters| counters.records > 0);
        agree(product.accounting(), accounting, || context("accounting"))?;
        for (view, plan) in plans[index].views.iter().enumerate() {
            let name = &plan.name;
            let want = cut.applied(name).and_then(|applied| Ok((applied, cut.duplicates(name)?)));
            agree(Ok(product.rows(plan.id)), want, || context("(applied, duplicate)"))?;
            tally.duplicates += product.rows(plan.id).1;
            let keys: Vec<&[u8]> = cut.keys(&plan.name).expect("the view is planned").collect();
            for key in keys.into_iter().chain([&b"\x01\0?"[..]]) {
                let t = cut.t_max(plan.source) + Span(random.between(-25_000_000, 2_000_000));
                let edge = cut.t_max(plan.source) - Span(random.between(0, 12) * 1_000_000);
                for as_of in [AsOf::At(t), AsOf::Now(t), AsOf::At(edge), AsOf::At(cut.t_max(plan.source) + Span::TICK)]
                {
                    let sent = plans::send(plan, &mut random);
                    let columns = SentColumns::of_one(sent.clone());
                    let want = cut.read_with(&plan.name, key, as_of, &sent).expect("the view is planned");
                    tally.add(plan, &want);
                    tally.sent += sent.iter().filter(|value| **value != Sent::Null).count() as u64;
                    agree(product.read(view, key, as_of, columns.row(0)), want, || {
                        context(&format!("{} {key:?} {as_of:?} {sent:?} at {k} {v:?}", plan.name))
                    })?;
                }
            }
        }
    }
    Ok(())
}

fn check_all() -> Result<Tally, String> {
    let mut tally = Tally::default();
    (0..SEEDS).try_for_each(|seed| check(seed, &mut tally))?;
    Ok(tally)
}

/// One test, because a plant is chosen for the whole process.
#[test]
fn the_product_and_the_oracle_agree() {
    let mut tally = check_all().unwrap_or_else(|difference| panic!("{difference}"));
    let compared = boundaries::check_all().unwrap_or_else(|difference| panic!("{difference}"));
    assert!(compared > 400_000, "{compared} values beside boundaries of the calendar");
    let PartitionCounters { late, dead_lettered, tombstones, unmatched, routed, .. } = tally.fates;
    let Tally { present, null, not_found, out_of_range, rounded, inexact_input, partial_coverage, .. } = tally;
    let Tally { defaulted, outside_max_age, overflow, estimated, bucketed, .. } = tally;
    let operators = tally.operators();
    tally.drawn.clear();
    println!("{tally:#?}");
    operators.iter().for_each(|(operator, all, present)| println!("{operator}: {all} compared, {present} present"));
    let reached =
        [late, dead_lettered, tombstones, unmatched, routed, null, defaulted, outside_max_age, rounded, inexact_input];
    assert!(reached.into_iter().all(|reached| reached > 50), "{tally:?}");
    assert!([overflow, estimated, bucketed].into_iter().all(|crossed| crossed > 100), "{tally:?}");
    // Those that read rows over all, numbers, truths and texts; ten over numbers, two over truths, fourteen over any of the
    // three; but different texts are counted as numbers.
    assert_eq!(operators.len(), 4 * 4 + 10 + 2 + 14 * 3 - 1, "{operators:?}");
    assert!(operators.iter().all(|(_, _, present)| *present > 1_000), "{operators:?}");
    assert!([present, not_found, out_of_range, partial_coverage].into_iter().all(|many| many > 10_000), "{tally:?}");
    assert!(tally.duplicates > 1_000 && tally.sent > 10_000, "{tally:?}");
    let mut tally = training::Tally::default();
    (0..SEEDS)
        .try_for_each(|seed| training::check(seed, &mut tally))
        .unwrap_or_else(|difference| panic!("{difference}"));
    let training::Tally { known, happened, differ, out_of_range, rounded } = tally;
    assert!(known > 20_000 && happened == known, "{tally:?}");
    assert!(differ > 500 && out_of_range > 500 && rounded > 20, "{tally:?}");

    #[cfg(feature = "plants")]
    for plant in plants::CAUGHT {
        featuregrid_protocol::plants::choose(Some(*plant));
        let missed = check_all();
        featuregrid_protocol::plants::choose(None);
        assert!(missed.is_err(), "{} was not caught", plant.name());
    }
}

#[cfg(feature = "plants")]
mod plants {
    //! Wrong rules of the record path, each of which must make the two differ.
    use featuregrid_protocol::plants::Plant;

    pub(crate) const CAUGHT: &[Plant] = &[
        Plant::IdKeptTooShort,
        Plant::IdKeptByArrival,
        Plant::TailOffByOne,
        Plant::TFromWallClock,
        Plant::LateMovesPrefix,
        Plant::FoldWrongHop,
        Plant::HeadInclusive,
        Plant::CurrentIncluded,
        Plant::RawByArrival,
        Plant::RoundHalfUp,
    ];
}
