//! Bytes of an entity are bounded by its windows, not by its events.

use std::sync::Arc;

use featuregrid_protocol::ids::{ColumnId, ControlIndex};
use featuregrid_protocol::limits::{EXACT_ROWS_MAX, RAW_ROWS_MAX};
use featuregrid_protocol::plan::{
    Calendar, Column, Decay, Keeps, LadderPlan, Level, Measure, Operator, Plan, Unit, Window, default_hop,
};
use featuregrid_protocol::time::{Span, Timestamp};
use proptest::prelude::*;

use super::support::{Event, Log, SECOND, columns, key_bytes, measures, plan, shard, source, view};
use crate::aggregate::Form;
use crate::entity::{TileRows, initial_words};
use crate::window::{AsOf, Shape};

/// The shape of workload W1: 5 minutes, an hour, a day over all events and over purchases.
pub(super) fn w1() -> Arc<Plan> {
    let levels: Vec<Level> = [300, 3600, 86_400]
        .into_iter()
        .map(|seconds| Level { hop: default_hop(Span::seconds(seconds)), span: Span::seconds(seconds) })
        .collect();
    let windows = levels.iter().map(|level| (level.span, level.hop)).collect();
    let mut two_amounts = measures();
    two_amounts[3].value = two_amounts[2].value.clone();
    // What W1's features ask for: count, sum, mean, min, max.
    let numbers = Keeps::SUM.and(Keeps::MIN).and(Keeps::MAX);
    let columns = columns([0, 1, 2, 3]).into_iter().map(|column| Column { keeps: numbers, ..column }).collect();
    let ladder = LadderPlan { levels, lifetime: false, exact: false, columns };
    plan(0, source(Span::seconds(300), Span::seconds(300)), vec![view(vec![ladder], &[windows], two_amounts)])
}

/// One key, one event every 2.592 s over 30 days as in a tenth of `bench memory`: the page at its fullest.
#[test]
fn one_hot_key_over_thirty_days() {
    let plan = w1();
    let (mut shard, set) = shard(&plan, 256);
    let count = 200_000u64;
    let step = 30 * 86_400 * SECOND / 1_000_000;
    let start = 1_767_268_800 * SECOND;
    let mut most = 0;
    for from in (0..count).step_by(500) {
        let list: Vec<Event> = (from..from + 500)
            .map(|offset| Event {
                partition: 0,
                offset,
                ts: Timestamp(start + offset as i64 * step - (offset as i64 * 7919) % (2 * SECOND)),
                key: Some(1),
                present: if offset % 3 == 0 { 0b1111 } else { 0b0101 },
                bad: 0,
                numbers: [0, 0, offset as i64 % 100_000, offset as i64 % 100_000, 0, 0],
                id: None,
            })
            .collect();
        shard.apply(&Log::new(&list).frame(&plan, 0, from, from + 500), &set);
        most = most.max(shard.bytes_per_entity());
    }
    assert!(most <= 24_576, "{most} bytes");
    // Known before any event is there: not less than that, and not so much more that it says nothing.
    let bound = plan.largest_entity(&plan.views[0]).bytes() as usize;
    assert!(most <= bound && bound <= most * 3 / 2, "{most} of {bound} bytes");
    shard.digest();
    assert!(shard.bytes_per_entity() <= most);
}

/// One key, an event every 20 minutes over 70 days of a month and the one before: a tile of every hour.
#[test]
fn the_last_month_of_a_place_is_a_tile_of_every_hour() {
    let calendar = Calendar::new(Unit::Month, "Europe/Berlin").unwrap();
    let last_month = Window::Calendar { calendar, is_complete: true };
    let tail = last_month.tail().unwrap();
    let levels = vec![Level { hop: Span::seconds(5), span: Span(0) }, tail];
    let numbers = Keeps::SUM.and(Keeps::SQUARES).and(Keeps::MIN).and(Keeps::MAX).and(Keeps::LAST_ROW);
    let columns = columns([0, 3]).into_iter().map(|column| Column { keeps: numbers, ..column }).collect();
    let ladder = LadderPlan { levels, lifetime: false, exact: false, columns };
    let mut one = view(vec![ladder], &[vec![(tail.span, tail.hop)]], measures());
    one.features.iter_mut().for_each(|feature| feature.window = last_month);
    let plan = plan(0, source(Span::seconds(300), Span::seconds(300)), vec![one]);
    let (mut shard, set) = shard(&plan, 1);
    let count = 70 * 24 * 3;
    let event = |offset: u64| Event {
        partition: 0,
        offset,
        ts: Timestamp((1_767_268_800 + offset as i64 * 1_200) * SECOND),
        key: Some(1),
        present: 0b1111,
        bad: 0,
        numbers: [0, 0, i64::MAX, i64::MAX, 0, 0],
        id: None,
    };
    let mut most = 0;
    for from in (0..count).step_by(240) {
        let list: Vec<Event> = (from..from + 240).map(event).collect();
        shard.apply(&Log::new(&list).frame(&plan, 0, from, from + 240), &set);
        most = most.max(shard.bytes_per_entity());
    }
    let tiles: i64 = plan.views[0].ladders[0].tiles_max(Span::seconds(300)).sum();
    assert_eq!(tiles, 2 * (31 * 24 + 3) - 1 + 2 + 63, "hours of two months, one at each end, and the slack");
    let bound = plan.largest_entity(&plan.views[0]).bytes() as usize;
    // A slot wastes at most an eighth.
    assert!(most <= bound * 9 / 8 && bound <= most * 3 / 2, "{most} of {bound} bytes");
}

/// One key, a hundred events a second for twenty minutes, texts among them: every tile has nearly as many rows as are kept.
#[test]
fn tiles_that_keep_their_rows() {
    let levels = vec![
        Level { hop: Span::seconds(1), span: Span::seconds(60) },
        Level { hop: Span::seconds(2), span: Span::seconds(300) },
    ];
    let numbers = Keeps::SUM.and(Keeps::MAX);
    let columns = columns([0, 3, 4]).into_iter().zip([Keeps::NOTHING, numbers, Keeps::NOTHING]);
    let columns = columns.map(|(column, keeps)| Column { keeps, ..column }).collect();
    let windows = vec![levels.iter().map(|level| (level.span, level.hop)).collect()];
    let ladder = LadderPlan { levels, lifetime: false, exact: true, columns };
    let mut one = view(vec![ladder], &windows, measures());
    one.features.retain(|feature| feature.operator == Operator::Count);
    let plan = plan(0, source(Span::seconds(60), Span::seconds(60)), vec![one]);
    let (mut shard, set) = shard(&plan, 1);
    let event = |offset: u64| Event {
        partition: 0,
        offset,
        ts: Timestamp(1_767_268_800 * SECOND + offset as i64 * SECOND / 100),
        key: Some(1),
        present: 0b11111,
        bad: 0,
        // No text is longer than a hundred bytes here.
        numbers: [0, 0, 0, offset as i64, i64::MIN, 0],
        id: None,
    };
    let mut most = 0;
    for from in (0..120_000).step_by(500) {
        let list: Vec<Event> = (from..from + 500).map(event).collect();
        shard.apply(&Log::new(&list).frame(&plan, 0, from, from + 500), &set);
        most = most.max(shard.bytes_per_entity());
    }
    let bound = plan.largest_entity(&plan.views[0]).bytes() as usize;
    // Half of the tiles hold a hundred rows, and texts are much shorter than they may be.
    assert!(most <= bound && bound <= most * 6, "{most} of {bound} bytes");
    // Some five minutes of rows: neither fewer nor those that are over.
    assert!(most > 30_000 * 56, "{most} bytes");
    shard.digest();
    assert!(shard.bytes_per_entity() <= most);
    let read = shard.read(0, &key_bytes(1), AsOf::At(event(120_000).ts)).unwrap();
    assert!(read.readings.iter().all(|reading| !reading.rounded));
    let counts: Vec<String> = read.readings.iter().take(2).map(|reading| reading.value.to_string()).collect();
    assert_eq!(counts, ["6000", "30000"]);
}

fn keeps() -> impl Strategy<Value = Keeps> {
    let all = [Keeps::SUM, Keeps::SQUARES, Keeps::MIN, Keeps::MAX, Keeps::FIRST, Keeps::LAST];
    let all = [&all[..], &[Keeps::FIRST_ROW, Keeps::LAST_ROW]].concat();
    let weighted = Keeps::WEIGHTS.and(Keeps::WEIGHTED);
    let weights = vec![Keeps::NOTHING, Keeps::WEIGHTS, weighted, weighted.and(Keeps::WEIGHTED_SQUARES)];
    let weights = prop::sample::select(weights);
    (prop::sample::subsequence(all, 0..=8), weights).prop_map(|(some, weights)| {
        let decay = (weights != Keeps::NOTHING).then_some(Decay { half_life: Span::seconds(1) });
        some.into_iter().fold(weights.decaying(decay), Keeps::and)
    })
}

proptest! {
    /// What a plan says of pages is what pages are.
    #[test]
    fn the_largest_entity_is_that_of_the_layout(
        kept in prop::collection::vec((any::<bool>(), keeps()), 1..40), levels in 1usize..9,
        lifetime: bool, exact: bool,
    ) {
        let number = measures().remove(3);
        let measure = |((has_value, _), id): (&(bool, Keeps), u64)| {
            let value = number.value.clone().filter(|_| *has_value);
            Measure { id: ColumnId(id), filter: None, value, rank: None }
        };
        let measures: Vec<Measure> = kept.iter().zip(0..).map(measure).collect();
        let column = |(measure, (_, keeps)): (usize, &(bool, Keeps))| Column { measure, keeps: *keeps, since: ControlIndex(0) };
        let columns = kept.iter().enumerate().map(column).collect();
        let levels = (0..levels).map(|at| Level { hop: Span::seconds(1 << at), span: Span::seconds(8 << at) }).collect();
        let ladder = LadderPlan { levels, lifetime, exact, columns };
        let plan = plan(0, source(Span::seconds(300), Span::seconds(300)), vec![view(vec![ladder], &[vec![]], measures)]);
        let (source, view) = (&plan.sources[0], &plan.views[0]);

        let shape = Shape::new(source, view, 0);
        let wide = shape.cells.words(Form::Wide);
        let wider = if lifetime { wide - shape.cells.words(Form::Narrow) } else { 0 };
        // A new page has room for two rows.
        let page = initial_words(&shape, &[0; 16]) + wider + (RAW_ROWS_MAX - 2) * shape.row_words();
        let tiles: i64 = view.ladders[0].tiles_max(source.slack).sum();
        let rows = if exact { size_of::<TileRows>() / 8 + EXACT_ROWS_MAX * shape.row_words() } else { 0 };
        prop_assert_eq!(plan.largest_entity(view).bytes(), 8 * (page as u64 + tiles as u64 * (1 + wide + rows) as u64));
    }
}
