//! Plans, logs and frames for tests. Knows nothing of how a shard answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use featuregrid_protocol::expression::Expression;
use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::ids::{
    ColumnId, ControlIndex, Generation, LeaderEpoch, Offset, PartitionId, SourceId, TopicId, ViewId,
};
use featuregrid_protocol::key::{self, KeyHash};
use featuregrid_protocol::limits::ID_OFFSETS_MAX;
use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{
    Argument, Calendar, Column, Decay, Feature, Items, Keeps, Key, LadderPlan, LatePolicy, LatenessClock, Level,
    Measure, Operator, Plan, Session, Shift, SourcePlan, Spread, Unit, ViewPlan, Window,
};
use featuregrid_protocol::position::{PartitionCounters, PartitionPosition, Positions, ViewCounters};
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::row::{EventId, RowBatch, RowHead, TextBuffer, text_word};
use featuregrid_protocol::time::{Span, Timestamp};
use proptest::prelude::*;

use crate::shard::{RowCounts, Shard};

pub(super) const VIEW: ViewId = ViewId(77);
pub(super) const SECOND: i64 = 1_000_000;

/// An event of a partition, in order of offset.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) partition: u32,
    pub(super) offset: Offset,
    pub(super) ts: Timestamp,
    /// `None`: a record of no key, which still moves T.
    pub(super) key: Option<u8>,
    /// By measure; bit 0 always.
    pub(super) present: u64,
    pub(super) bad: u64,
    /// By measure, whether present or not.
    pub(super) numbers: [i64; 6],
    /// Event id.
    pub(super) id: Option<u8>,
}

/// Of every source here.
const ALLOWED_LATENESS: Span = Span::seconds(1);

pub(super) fn key_bytes(name: u8) -> Vec<u8> {
    let mut out = Vec::new();
    key::encode([format!("user-{name}").as_str()], &mut out);
    out
}

/// Measure 0 rows, 1 only counts, 2 decimal(2), 3 whole numbers, 4 texts, 5 truths.
pub(super) fn measures() -> Vec<Measure> {
    let value = |items: Items| Some((Expression::input(0, items.into()), items));
    let numbers = [Domain::Decimal(2), Domain::Int].map(|domain| value(Items::Numbers(domain)));
    let values = [[None, None], numbers, [value(Items::Texts), value(Items::Truths)]].into_iter().flatten();
    values.zip(100..).map(|(value, id)| Measure { id: ColumnId(id), filter: None, value, rank: None }).collect()
}

pub(super) fn source(slack: Span, max_skew: Span) -> SourcePlan {
    SourcePlan {
        name: "events".into(),
        topic: "events".into(),
        fields: Vec::new(),
        event_timestamp: vec!["ts".into()],
        event_id: None,
        allowed_lateness: ALLOWED_LATENESS,
        max_skew,
        slack,
        lateness_clock: LatenessClock::default(),
        late_policy: LatePolicy::default(),
    }
}

pub(super) fn columns(measures: impl IntoIterator<Item = usize>) -> Vec<Column> {
    measures.into_iter().map(|measure| Column { measure, keeps: Keeps::ALL, since: ControlIndex(0) }).collect()
}

/// The text that an event's number stands for, where its measure has texts.
pub(super) fn text_of(number: i64) -> String {
    format!("category {number}")
}

/// Whether an operator can read these.
pub(super) fn reads(operator: Operator, items: Option<Items>) -> bool {
    match (operator.argument(), items) {
        (Argument::Rows, _) | (Argument::Any, Some(_)) => true,
        (Argument::Number, Some(Items::Numbers(_))) | (Argument::Truth, Some(Items::Truths)) => true,
        (Argument::Number | Argument::Truth | Argument::Any, _) => false,
    }
}

/// Every operator over every column of every ladder, in each of its windows.
pub(super) fn view(ladders: Vec<LadderPlan>, windows: &[Vec<(Span, Span)>], measures: Vec<Measure>) -> ViewPlan {
    let mut features = Vec::new();
    for (ladder, plan) in ladders.iter().enumerate() {
        let rolling = windows[ladder].iter().map(|(span, hop)| match plan.exact {
            true => Window::Exact { span: *span, hop: *hop },
            false => Window::Rolling { span: *span, hop: *hop },
        });
        let windows: Vec<Window> = rolling.chain(plan.lifetime.then_some(Window::Lifetime)).collect();
        for (column, kept) in plan.columns.iter().enumerate() {
            let items = measures[kept.measure].value.as_ref().map(|(_, items)| *items);
            let decay = kept.keeps.decay();
            let fits = |operator: &Operator| {
                let has_baseline = operator.baseline().is_some();
                reads(*operator, items) && (has_baseline || operator.is_decayed() == decay.is_some())
            };
            let features_of = |operator: Operator| -> Vec<(Operator, Window)> {
                if operator.baseline().is_none() {
                    let own = decay.map_or_else(|| windows.clone(), |decay| vec![Window::Decay(decay)]);
                    return own.into_iter().map(|window| (operator, window)).collect();
                }
                // Beside the next window, or beside what decays.
                let next = windows.iter().cycle().skip(1).copied();
                let baselines = next.map(|window| decay.map_or(window, Window::Decay));
                windows.iter().zip(baselines).map(|(window, baseline)| (operator.against(baseline), *window)).collect()
            };
            for (operator, window) in Operator::ALL.into_iter().filter(fits).flat_map(features_of) {
                let name = format!("l{ladder}_c{column}_{operator:?}_{window:?}");
                features.push(Feature { name, operator, ladder, column, window, shift: Shift::Nothing, default: None });
            }
        }
    }
    ViewPlan {
        id: VIEW,
        name: "view".into(),
        entity: "user".into(),
        source: SourceId(0),
        keys: vec![("user_id".into(), Key::Field(0))],
        filter: None,
        measures,
        max_age: None,
        derived: Vec::new(),
        request: Vec::new(),
        ladders,
        features,
    }
}

/// Windows of a rolling one's hop that its ladder answers, too: under way, complete, and as long as the rolling one.
fn stepping(span: Span, hop: Span) -> Vec<Window> {
    let hops = span.0 / hop.0;
    let series = (0..hops.min(3)).map(|nth| Window::Complete { span: hop, every: hop, ago: Span(nth * hop.0) });
    let hopping = Window::Complete { span: Span(hops * hop.0), every: hop, ago: Span(0) };
    let half = Window::Complete { span: Span(hops / 2 * hop.0), every: hop, ago: Span((hops + 1) / 2 * hop.0) };
    let long = [hopping, half].into_iter().filter(|window| window.span() > Some(hop));
    series.chain(long).chain([Window::Tumbling { span: hop }]).collect()
}

/// Counts, largest numbers, times and lists over stepping windows.
fn with_stepping(mut view: ViewPlan) -> ViewPlan {
    let of = [(Operator::Count, 0), (Operator::Max, 1), (Operator::TimeSinceLast, 0), (Operator::LastN(3), 1)];
    let again = view.features.iter().filter(|feature| of.contains(&(feature.operator, feature.column)));
    let more = again.flat_map(|feature| {
        let windows = match feature.window {
            Window::Rolling { span, hop } => stepping(span, hop),
            _ => Vec::new(),
        };
        windows.into_iter().map(|window| Feature { window, ..feature.clone() })
    });
    let more: Vec<Feature> = more.collect();
    view.features.extend(more);
    view
}

/// The same over sessions as far back as rolling windows reach, of a gap as long as a tile and of a longer one.
fn with_sessions(mut view: ViewPlan) -> ViewPlan {
    let of = [(Operator::Count, 0), (Operator::Max, 1), (Operator::TimeSinceFirst, 0), (Operator::LastN(3), 1)];
    let again = view.features.iter().filter(|feature| of.contains(&(feature.operator, feature.column)));
    let more = again.flat_map(|feature| {
        let gaps = match feature.window {
            Window::Rolling { span, hop } => vec![(hop, span, hop), (Span(hop.0 + hop.0 / 3), span, hop)],
            _ => Vec::new(),
        };
        let sessions = gaps.into_iter().flat_map(|(gap, within, hop)| {
            [false, true].map(|is_last| Window::Session { session: Session { gap, within, hop }, is_last })
        });
        sessions.map(|window| Feature { name: format!("{} {window:?}", feature.name), window, ..feature.clone() })
    });
    let more: Vec<Feature> = more.collect();
    view.features.extend(more);
    view
}

/// Few words and collections over so many last rows, as far back as lifetime or a rolling window reaches.
fn with_last_n(mut view: ViewPlan) -> ViewPlan {
    let spread = Operator::Variance(Spread::Population);
    let of_rows = [Operator::Count, Operator::MeanGap, Operator::TimeSinceFirst].map(|operator| (operator, 0));
    let of_values = [spread, Operator::First, Operator::Last, Operator::Median, Operator::Mode, Operator::LastN(3)];
    let of: Vec<(Operator, usize)> =
        of_rows.into_iter().chain(of_values.into_iter().map(|operator| (operator, 1))).collect();
    let again = view.features.iter().filter(|feature| of.contains(&(feature.operator, feature.column)));
    let more = again.flat_map(|feature| {
        let within = match feature.window {
            Window::Rolling { span, hop } => Some(Some(Level { hop, span })),
            Window::Lifetime => Some(None),
            _ => None,
        };
        let windows = within.into_iter().flat_map(|within| [1, 4].map(|n| Window::LastN { n, within }));
        windows.map(|window| Feature { name: format!("{} {window:?}", feature.name), window, ..feature.clone() })
    });
    let more: Vec<Feature> = more.collect();
    view.features.extend(more);
    view
}

/// The same over a unit of the calendar, in ladders with a level that it can be told from.
fn with_calendar(mut view: ViewPlan, windows: &[Option<Window>]) -> ViewPlan {
    let of = [(Operator::Count, 0), (Operator::Max, 1), (Operator::TimeSinceLast, 0)];
    for (ladder, plan) in view.ladders.iter().enumerate() {
        let window = windows[ladder].filter(|window| plan.answers(*window, Shift::Nothing));
        for ((operator, column), window) in of.into_iter().flat_map(|of| window.map(|window| (of, window))) {
            let name = format!("l{ladder}_c{column}_{operator:?}_{window:?}");
            view.features.push(Feature {
                name,
                operator,
                ladder,
                column,
                window,
                shift: Shift::Nothing,
                default: None,
            });
        }
    }
    view
}

/// Units of places that have kept their clocks as they were long before 1970: naive arithmetic finds them.
fn calendars() -> impl Strategy<Value = Option<Window>> {
    let place = prop::sample::select(&["UTC", "Asia/Tokyo"][..]);
    let window = (prop::sample::select(&Unit::ALL[..]), place, any::<bool>()).prop_map(|(unit, place, is_complete)| {
        Window::Calendar { calendar: Calendar::new(unit, place).unwrap(), is_complete }
    });
    prop::option::weighted(0.3, window)
}

/// Some of its features again, without the current event, and back in time as far as their ladder reaches.
fn with_shifted(mut view: ViewPlan) -> ViewPlan {
    // One of each window is enough to count rows, and one with values.
    let is_enough = |feature: &&Feature| {
        let counts = feature.column == 0 && feature.operator == Operator::Count;
        let is_compared = matches!(feature.operator, Operator::AnomalyRate(_));
        counts || is_compared || [Operator::Max, Operator::DecayedSum].contains(&feature.operator)
    };
    let again = view.features.iter().filter(is_enough);
    let shifted = again.flat_map(|feature| {
        let current = Feature { shift: Shift::Current, ..feature.clone() };
        let back = match feature.window {
            // Its baseline reaches as far as the ladder does.
            _ if feature.operator.baseline().is_some() => None,
            Window::Rolling { span, hop } if span.0 > 1 => {
                let back = Span(span.0 / 2);
                let window = Window::Rolling { span: Span(span.0 - back.0), hop };
                Some(Feature { window, shift: Shift::Back(back), ..feature.clone() })
            }
            // Half a hop further back than it is: of the same series, and never seen from the same place.
            Window::Complete { span, every, ago } if ago.0 > 0 => {
                let window = Window::Complete { span, every, ago: Span(ago.0 - every.0) };
                Some(Feature { window, shift: Shift::Back(Span(every.0 / 2)), ..feature.clone() })
            }
            _ => None,
        };
        [Some(current), back].into_iter().flatten()
    });
    let shifted: Vec<Feature> = shifted.collect();
    view.features.extend(shifted);
    view
}

pub(super) fn plan(index: u64, source: SourcePlan, views: Vec<ViewPlan>) -> Arc<Plan> {
    Arc::new(Plan {
        index: ControlIndex(index),
        project: "test".into(),
        sources: vec![source],
        views,
        services: Vec::new(),
    })
}

/// Windows of seconds: small hops, two or three levels, with or without lifetime and rows, one or two ladders.
pub(super) fn plans() -> impl Strategy<Value = Arc<Plan>> {
    let coarser = prop::collection::vec((1i64..4, 0i64..6), 0..3);
    let half_life = prop::option::weighted(0.5, 1i64..4);
    let ladder = (0usize..3, 0i64..4, coarser, any::<[bool; 3]>(), (calendars(), half_life));
    (prop::collection::vec(ladder, 1..3), 0i64..20, 0i64..20).prop_map(|(ladders, slack, skew)| {
        let (mut windows, mut calendars) = (Vec::new(), Vec::new());
        let plans = ladders.into_iter().enumerate().map(
            |(index, (finest, span, coarser, [lifetime, narrower, exact], (calendar, half_life)))| {
                let hop = [SECOND / 2, SECOND, 5 * SECOND][finest];
                let mut levels = vec![Level { hop: Span(hop), span: Span(hop * span) }];
                for (times, more) in coarser {
                    let last = levels[levels.len() - 1];
                    let hop = last.hop.0 * times;
                    // No exact window is shorter than its hop.
                    let more = more.max(i64::from(exact));
                    levels.push(Level { hop: Span(hop), span: Span(last.span.0 + hop * more) });
                }
                let serving = levels.iter().filter(|level| level.span.0 > 0);
                let mut of_ladder: Vec<(Span, Span)> = serving.map(|level| (level.span, level.hop)).collect();
                if let (true, Some((span, hop))) = (narrower, of_ladder.last().copied())
                    && span.0 > 2 * hop.0
                {
                    of_ladder.push((Span(span.0 - hop.0 - 1), hop));
                }
                // As the compiler plans: a window with a coarser hop is told by a finer level that is longer by the difference.
                let coarser = levels.iter().filter(|level| level.span.0 >= 3 * level.hop.0);
                of_ladder.extend(coarser.map(|level| (Span(level.span.0 - level.hop.0), Span(2 * level.hop.0))));
                windows.push(of_ladder);
                let last = levels[levels.len() - 1];
                let calendar = calendar.and_then(|window| Some((window, window.tail()?)));
                let calendar = calendar.filter(|(_, tail)| tail.hop.0 % last.hop.0 == 0 && !exact);
                levels.extend(calendar.map(|(_, tail)| Level { span: tail.span.max(last.span), ..tail }));
                calendars.push(calendar.map(|(window, _)| window));
                let hop = levels[levels.len() - 1].hop;
                let decay =
                    half_life.filter(|_| calendar.is_none()).map(|times| Decay { half_life: Span(hop.0 * times) });
                let tail = decay.and_then(|decay| Window::Decay(decay).tail());
                levels.extend(tail.map(|tail| Level { span: tail.span.max(last.span), ..tail }));
                let mut kept = if index == 0 { columns([0, 2, 1, 4, 3]) } else { columns([0, 3, 4, 5]) };
                let weighted = Keeps::WEIGHTS.and(Keeps::WEIGHTED).and(Keeps::WEIGHTED_SQUARES);
                let weighted = weighted.and(Keeps::QUANTILES).decaying(decay);
                let decayed = decay.into_iter().flat_map(|_| columns([0, 3]));
                kept.extend(decayed.map(|column| Column { keeps: weighted, ..column }));
                let lifetime = lifetime || levels[levels.len() - 1].span.0 == 0;
                LadderPlan { levels, lifetime, exact, columns: kept }
            },
        );
        let ladders: Vec<LadderPlan> = plans.collect();
        plan(
            0,
            source(Span(slack * SECOND), Span(skew * SECOND)),
            vec![with_shifted(with_calendar(
                with_last_n(with_sessions(with_stepping(view(ladders, &windows, measures())))),
                &calendars,
            ))],
        )
    })
}

/// Events of three partitions, each with its own clock, out of order within two seconds; partition 0 is far ahead of 2.
pub(super) fn events() -> impl Strategy<Value = Vec<Event>> {
    // Half of the logs hold numbers at the ends of their type.
    let number = prop_oneof![8 => -1000i64..1000, 1 => any::<i64>(), 1 => Just(i64::MAX)];
    let one = (
        0u32..3,
        prop_oneof![6 => 0i64..400_000, 2 => 0i64..4 * SECOND, 1 => 0i64..60 * SECOND],
        prop_oneof![2 => Just(0i64), 1 => 0i64..2 * SECOND],
        prop_oneof![8 => (0u8..3).prop_map(Some), 1 => Just(None)],
        any::<u8>(),
        prop::array::uniform2(number),
        prop_oneof![80 => 1u64..3, 1 => ID_OFFSETS_MAX - 12..ID_OFFSETS_MAX + 2],
        prop_oneof![2 => Just(None), 3 => (0u8..9).prop_map(Some)],
    );
    (prop::collection::vec(one, 1..400), 0i64..100, any::<bool>()).prop_map(|(list, apart, extreme)| {
        let mut clocks = [0i64, -apart * SECOND / 10, -apart * SECOND];
        let mut offsets = [0; 3];
        let event = |(partition, step, back, key, bits, numbers, gap, id): (u32, i64, i64, _, u8, [i64; 2], u64, _)| {
            let at = partition as usize;
            clocks[at] += step;
            let offset = offsets[at];
            offsets[at] += gap;
            let taken = u64::from(bits) | u64::from(bits.rotate_left(3)) << 2 & 0b110000;
            let (present, bad) =
                (1 | taken & 0b111110, u64::from(bits >> 4 & bits & 0b1100) | taken & taken >> 1 & 0b10000);
            let bad = bad & present;
            // Whole seconds now and then, so that edges are met.
            let ts = clocks[at] - back;
            let ts = Timestamp(if bits >> 6 == 0 { ts - ts.rem_euclid(SECOND) } else { ts });
            let numbers = numbers.map(|number| if extreme { number } else { number % 1000 });
            let numbers = [0, 0, numbers[0], numbers[1], numbers[0].rem_euclid(90), numbers[1] & 1];
            Event { partition, offset, ts, key, present, bad, numbers, id }
        };
        list.into_iter().map(event).collect()
    })
}

/// A log: what frames are cut from.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) partitions: BTreeMap<u32, Vec<Event>>,
    /// (partition, offset) of what repeats an id.
    duplicates: BTreeSet<(u32, Offset)>,
}

impl Log {
    pub(super) fn new(events: &[Event]) -> Self {
        let mut partitions: BTreeMap<u32, Vec<Event>> = BTreeMap::new();
        for event in events {
            partitions.entry(event.partition).or_default().push(event.clone());
        }
        let duplicates = partitions.values().flat_map(|events| duplicates(events)).collect();
        Self { partitions, duplicates }
    }

    /// Whether an event repeats the id of another of its key and partition.
    pub(super) fn is_duplicate(&self, event: &Event) -> bool {
        self.duplicates.contains(&(event.partition, event.offset))
    }

    /// What a view does with everything.
    pub(super) fn rows(&self) -> RowCounts {
        let rows = self.partitions.values().flatten().filter(|event| event.key.is_some()).count() as u64;
        let duplicate = self.duplicates.len() as u64;
        RowCounts { applied: rows - duplicate, duplicate }
    }

    pub(super) fn max_before(&self, partition: u32, offset: Offset) -> Timestamp {
        let events = self.partitions.get(&partition).map_or(&[][..], Vec::as_slice);
        events.iter().filter(|event| event.offset < offset).map(|event| event.ts).max().unwrap_or(Timestamp::MIN)
    }

    /// The frame `[from, to)`, with rows for the measures `of` (old measure of each new one).
    pub(super) fn frame(&self, plan: &Plan, partition: u32, from: Offset, to: Offset) -> Frame {
        let mut rows = RowBatch::default();
        let mut deltas = PartitionCounters::default();
        let events = self.partitions.get(&partition).map_or(&[][..], Vec::as_slice);
        for event in events.iter().filter(|event| (from..to).contains(&event.offset)) {
            deltas.records += 1;
            let Some(key) = event.key else {
                deltas.unmatched += 1;
                continue;
            };
            deltas.routed += 1;
            let views = plan.views.iter().enumerate();
            for (view, plan) in views {
                deltas.views.entry(plan.id).or_insert(ViewCounters::default()).rows += 1;
                push(&mut rows, view, plan, event, key);
                if let Some(id) = event.id {
                    rows.identify(EventId::of(&id.to_string(), self.max_before(partition, event.offset)));
                }
            }
        }
        Frame {
            topic: TopicId::default(),
            partition: PartitionId(partition),
            leader_epoch: LeaderEpoch(0),
            index: plan.index,
            generation: Generation::default(),
            from,
            to,
            max_before: self.max_before(partition, from),
            max_after: self.max_before(partition, to),
            deltas,
            rows,
        }
    }
}

/// The first of an id counts, until the prefix max has passed it by more than the allowed lateness, or offsets by more
/// than ids are known for.
fn duplicates(events: &[Event]) -> Vec<(u32, Offset)> {
    let (mut applied, mut duplicates): (Vec<&Event>, Vec<_>) = Default::default();
    let mut max = Timestamp::MIN;
    for event in events {
        let same = |first: &&Event| {
            let is_known = max <= first.ts + ALLOWED_LATENESS && event.offset - first.offset <= ID_OFFSETS_MAX;
            (first.key, first.id) == (event.key, event.id) && is_known
        };
        if event.key.is_some() && event.id.is_some() && applied.iter().any(same) {
            duplicates.push((event.partition, event.offset));
        } else {
            applied.push(event);
        }
        max = max.max(event.ts);
    }
    duplicates
}

/// A plan's measure is the event's measure `id - 100`, wherever the plan lists it.
fn push(rows: &mut RowBatch, view: usize, plan: &ViewPlan, event: &Event, key: u8) {
    let (mut present, mut bad, mut numbers, mut texts) = (0, 0, Vec::new(), TextBuffer::default());
    for (at, measure) in plan.measures.iter().enumerate() {
        let original = measure.id.0 - 100;
        let takes = event.present >> original & 1;
        let is_bad = takes & event.bad >> original & u64::from(measure.value.is_some());
        present |= takes << at;
        bad |= is_bad << at;
        if takes == 1 && is_bad == 0 && measure.value.is_some() {
            let number = event.numbers[original as usize];
            if measure.items() == Items::Texts {
                texts.push(&text_of(number));
                numbers.push(text_word(&text_of(number)));
            } else {
                numbers.push(number);
            }
        }
    }
    let bytes = key_bytes(key);
    let head = RowHead {
        hash: KeyHash::of(&bytes),
        ts: event.ts,
        offset: event.offset,
        present,
        bad,
        view: view as u16,
        key_len: 0,
        number_len: 0,
    };
    rows.push(head, &bytes, &numbers);
    rows.tell(texts.texts());
}

/// Cuts a log into frames in some interleaving: (partition, how many events).
#[derive(Clone, Debug)]
pub(super) struct Schedule(pub(super) Vec<(u32, usize)>);

pub(super) fn schedules() -> impl Strategy<Value = Schedule> {
    prop::collection::vec((0u32..3, 0usize..60), 1..40).prop_map(Schedule)
}

impl Schedule {
    /// Frames until the log is used up: (partition, from, to).
    pub(super) fn cuts(&self, log: &Log) -> Vec<(u32, Offset, Offset)> {
        let mut next: BTreeMap<u32, Offset> = BTreeMap::new();
        let mut cuts = Vec::new();
        let rest = (0..3).map(|partition| (partition, usize::MAX));
        for (partition, count) in self.0.iter().copied().chain(rest) {
            let from = next.get(&partition).copied().unwrap_or(0);
            let events = log.partitions.get(&partition).map_or(&[][..], Vec::as_slice);
            let left = events.iter().filter(|event| event.offset >= from);
            let to = left.take(count).last().map_or(from, |event| event.offset + 1);
            next.insert(partition, to);
            cuts.push((partition, from, to));
        }
        cuts
    }
}

pub(super) fn start() -> Positions {
    (0..3).map(|partition| (PartitionId(partition), PartitionPosition::start(0))).collect()
}

/// A shard with the whole space in `count` ranges.
pub(super) fn shard(plan: &Arc<Plan>, count: u32) -> (Shard, RangeSet) {
    let mut shard = Shard::new(Arc::clone(plan));
    let ranges = RangeId::split_evenly(count);
    ranges.iter().for_each(|range| shard.add_range(*range, start()));
    (shard, ranges.into_iter().collect())
}

/// Hops of 1 s and 5 s, windows of 10 s and 60 s, lifetime, slack 10 s; columns rows, decimal(2) and whole numbers.
pub(super) fn two_level_plan(index: u64) -> Arc<Plan> {
    let levels = vec![
        Level { hop: Span::seconds(1), span: Span::seconds(10) },
        Level { hop: Span::seconds(5), span: Span::seconds(60) },
    ];
    let windows = levels.iter().map(|level| (level.span, level.hop)).collect();
    let ladder = LadderPlan { levels, lifetime: true, exact: false, columns: columns([0, 2, 3]) };
    plan(index, source(Span::seconds(10), Span::seconds(5)), vec![view(vec![ladder], &[windows], measures())])
}

/// Two keys over two minutes: something is raw, something in each level, something only in lifetime.
pub(super) fn six_events() -> Vec<Event> {
    let event = |partition, offset, seconds: i64, key, number: i64| Event {
        partition,
        offset,
        ts: Timestamp(seconds * SECOND),
        key: Some(key),
        present: 0b1101,
        bad: if number < 0 { 0b1000 } else { 0 },
        numbers: [0, 0, number, number, 0, 0],
        id: None,
    };
    vec![
        event(0, 0, 1, 1, 10),
        event(0, 1, 70, 1, 20),
        event(0, 2, 72, 1, -5),
        event(0, 4, 110, 1, 30),
        event(1, 0, 125, 1, 40),
        event(1, 1, 126, 2, 50),
    ]
}

/// Their pages in order of key hash, as release 0.1 wrote them: state outlives releases, so these never change.
pub(super) const SIX_EVENTS_PAGES: [&str; 2] = [
    "010180def36802000480def368010080e59a770003030032092802013c1428011c0202001e092801012801dc010101003c01003c0180e59a77010007005050",
    "010001010180ee947800000000000000000180ee9478010107006464",
];
/// The same without lifetime, with rows beside tiles.
pub(super) const SIX_EVENTS_PAGES_WITH_ROWS: [&str; 2] = [
    "010180def36802000480def368010080e59a7700011c0202001e092801012880f6e04200010700282880897a000207040901dc010101003c01003c80def368000407003c3c0180e59a77010007005050",
    "010001010180ee94780000000180ee9478010107006464",
];
