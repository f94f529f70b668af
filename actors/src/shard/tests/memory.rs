//! Bytes of an entity are bounded by its windows, not by its events.

use std::sync::Arc;

use featuregrid_protocol::plan::{Column, Keeps, LadderPlan, Level, Plan, default_hop};
use featuregrid_protocol::time::{Span, Timestamp};

use super::support::{Event, Log, SECOND, columns, measures, plan, shard, source, view};
use crate::shard::largest_entity_bytes;

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
    let ladder = LadderPlan { levels, lifetime: false, columns };
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
    let bound = largest_entity_bytes(&plan, &plan.views[0]) as usize;
    assert!(most <= bound && bound <= most * 3 / 2, "{most} of {bound} bytes");
    shard.digest();
    assert!(shard.bytes_per_entity() <= most);
}
