//! Ranges come and go, readers change and fall silent.

use super::*;
use crate::feed::messages::{Included, Refusal, Refused, ToReceiver};

#[test]
fn ranges_at_one_position_are_one_group() {
    let mut receiver = Receiver::new(life(1, 1), TOPIC, PARTITION);
    let mut out = Vec::new();
    receiver.add_ranges(at(0), &quarters([0, 1]), position(10), &mut out);
    assert_eq!(out, [], "nobody to ask yet");
    receiver.on_reader(at(0), NodeId(0), &mut out);
    assert_eq!(short(std::mem::take(&mut out)), ["n0 subscribe #1 2 ranges at 10"]);
    receiver.add_range(at(0), quarters([2]).iter().next().unwrap(), position(10), &mut out);
    assert_eq!(short(out), ["n0 subscribe #3 3 ranges at 10", "n0 unsubscribe #1", "n0 unsubscribe #2"]);
    assert_eq!(groups(&receiver), [(3, 3, 10)]);
}

#[test]
fn a_range_that_is_behind_has_a_group_of_its_own() {
    let mut receiver = receiver([(quarters([0]), 9_000), (quarters([1]), 10)]);
    assert_eq!(groups(&receiver), [(1, 1, 9_000), (2, 1, 10)]);
    assert_eq!(receiver.frontier(), Some(&position(9_000)));
    assert_eq!(takes(&mut receiver, 1, &frame(2, 10, 20)).0, apply(&quarters([1])));
    assert_eq!(groups(&receiver), [(1, 1, 9_000), (2, 1, 20)]);
}

#[test]
fn dropping_a_range_renames_the_rest() {
    let mut receiver = receiver([(quarters([0, 1, 2]), 10)]);
    let mut out = Vec::new();
    receiver.drop_ranges(at(1), &quarters([1, 3]), &mut out);
    assert_eq!(short(std::mem::take(&mut out)), ["n0 subscribe #2 2 ranges at 10", "n0 unsubscribe #1"]);
    assert_eq!(takes(&mut receiver, 1, &frame(1, 10, 20)).0, Verdict::Dropped(Dropped::StaleGeneration));
    assert_eq!(takes(&mut receiver, 1, &frame(2, 10, 20)).0, apply(&quarters([0, 2])));
    receiver.drop_ranges(at(2), &quarters([0, 2]), &mut out);
    assert_eq!(short(out), ["n0 unsubscribe #2"]);
    assert_eq!((receiver.frontier(), receiver.next_offset()), (None, 0));
}

#[test]
fn the_frontier_passes_to_the_largest_group() {
    let mut receiver = receiver([(quarters([0]), 50_000), (quarters([1]), 20_000), (quarters([2, 3]), 10)]);
    receiver.drop_range(at(1), quarters([0]).iter().next().unwrap(), &mut Vec::new());
    assert_eq!(receiver.frontier(), Some(&position(10)));
}

#[test]
fn a_range_that_is_here_can_begin_again() {
    let mut receiver = receiver([(quarters([0, 1]), 9_000)]);
    let mut out = Vec::new();
    receiver.add_ranges(at(1), &quarters([1]), position(10), &mut out);
    let expected = ["n0 subscribe #2 1 ranges at 9000", "n0 unsubscribe #1", "n0 subscribe #3 1 ranges at 10"];
    assert_eq!(short(out), expected);
    assert_eq!(groups(&receiver), [(2, 1, 9_000), (3, 1, 10)]);
}

#[test]
fn a_new_reader_is_told_where_everything_stands() {
    let mut receiver = receiver([(quarters([0]), 9_000), (quarters([1]), 10)]);
    let mut out = Vec::new();
    receiver.on_reader(at(1), NodeId(5), &mut out);
    let expected = [
        "n0 unsubscribe #1",
        "n0 unsubscribe #2",
        "n5 subscribe #1 1 ranges at 9000",
        "n5 subscribe #2 1 ranges at 10",
    ];
    assert_eq!(short(std::mem::take(&mut out)), expected);
    receiver.on_reader(at(2), NodeId(5), &mut out);
    assert_eq!(out, []);
}

#[test]
fn silence_is_answered_by_asking_again() {
    let mut receiver = receiver([(quarters([0]), 10)]);
    assert_eq!(ticks(&mut receiver, 299), [""; 0]);
    assert_eq!(ticks(&mut receiver, 300), ["n0 subscribe #1 1 ranges at 10"]);
    assert_eq!(ticks(&mut receiver, 599), [""; 0]);
    let generation = frame(1, 0, 0).generation;
    let answer = Included { partition: PARTITION, reader: life(0, 1), generation, included_from: 0 };
    let heard = receiver.on_message(at(599), &ToReceiver::Included(answer), &node_indexes([]), &mut Vec::new());
    assert_eq!(heard, None);
    assert_eq!(ticks(&mut receiver, 898), [""; 0]);
    takes(&mut receiver, 898, &frame(1, 10, 20));
    assert_eq!(ticks(&mut receiver, 1_197), [""; 0]);
    assert_eq!(ticks(&mut receiver, 1_198), ["n0 subscribe #1 1 ranges at 20"]);
}

#[test]
fn retention_past_a_group_halts_and_a_late_refusal_does_not() {
    let mut receiver = receiver([(quarters([0]), 10)]);
    let generation = frame(1, 0, 0).generation;
    let mut refuse = |reason| {
        let mut out = Vec::new();
        let message = ToReceiver::Refused(Refused { partition: PARTITION, generation, reason });
        receiver.on_message(at(1), &message, &node_indexes([]), &mut out);
        short(out)
    };
    assert_eq!(refuse(Refusal::TooMany), [""; 0]);
    assert_eq!(refuse(Refusal::RetentionPassed { earliest: 10 }), [""; 0]);
    let halted = refuse(Refusal::RetentionPassed { earliest: 11 });
    assert!(halted[0].starts_with("halt p0: the next offset is 10, but the log begins at 11"), "{halted:?}");
}
