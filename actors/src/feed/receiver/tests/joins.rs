//! Rule 4: the side ahead waits within one frame, and equal groups become one.

use super::*;

/// The frontier at 100, a range behind at 80.
fn close() -> Receiver {
    receiver([(quarters([0]), 100), (quarters([1]), 80)])
}

#[test]
fn the_side_ahead_waits_and_both_become_one_under_a_new_name() {
    let mut receiver = close();
    assert_eq!(receiver.statistics().holds, 1);
    let ahead = takes(&mut receiver, 1, &frame(1, 100, 110));
    assert_eq!(ahead, (Verdict::Dropped(Dropped::Held), vec!["n0 ack #1 100".to_owned()]));
    assert_eq!(takes(&mut receiver, 2, &frame(2, 80, 90)).0, apply(&quarters([1])));
    let (verdict, effects) = takes(&mut receiver, 3, &frame(2, 90, 100));
    assert_eq!(verdict, apply(&quarters([1])));
    let expected = ["n0 ack #2 100", "n0 subscribe #3 2 ranges at 100", "n0 unsubscribe #1", "n0 unsubscribe #2"];
    assert_eq!(effects, expected);
    assert_eq!(groups(&receiver), [(3, 2, 100)]);
    assert_eq!(takes(&mut receiver, 4, &frame(3, 100, 110)).0, apply(&quarters([0, 1])));
    assert_eq!(takes(&mut receiver, 4, &frame(1, 110, 120)).0, Verdict::Dropped(Dropped::StaleGeneration));
    assert_eq!(receiver.statistics().joins, 1);
}

#[test]
fn whoever_jumps_over_waits_in_turn() {
    let mut receiver = close();
    takes(&mut receiver, 1, &frame(1, 100, 110));
    let (verdict, effects) = takes(&mut receiver, 2, &frame(2, 80, 105));
    assert_eq!(verdict, apply(&quarters([1])));
    assert_eq!(effects, ["n0 ack #2 105", "n0 nack #1 at 100 Resume"], "what was dropped is asked for again");
    assert_eq!(takes(&mut receiver, 3, &frame(2, 105, 110)).0, Verdict::Dropped(Dropped::Held));
    assert_eq!(takes(&mut receiver, 4, &frame(1, 100, 105)).0, apply(&quarters([0])));
    assert_eq!(groups(&receiver), [(3, 2, 105)]);
}

#[test]
fn a_gap_of_a_group_that_waits_is_not_asked_for() {
    let mut receiver = close();
    assert_eq!(takes(&mut receiver, 1, &frame(1, 120, 130)).1, ["n0 ack #1 100"]);
}

#[test]
fn nobody_waits_for_ever() {
    let mut receiver = close();
    takes(&mut receiver, 1, &frame(1, 100, 110));
    assert_eq!(ticks(&mut receiver, 499).len(), 2, "both groups ask again, and the wait goes on");
    assert_eq!(takes(&mut receiver, 499, &frame(1, 100, 110)).0, Verdict::Dropped(Dropped::Held));
    assert_eq!(ticks(&mut receiver, 500), ["n0 nack #1 at 100 Resume"]);
    assert_eq!(takes(&mut receiver, 501, &frame(1, 100, 110)).0, apply(&quarters([0])));
    ticks(&mut receiver, 1_499);
    assert_eq!(takes(&mut receiver, 1_499, &frame(1, 110, 120)).0, apply(&quarters([0])));
    ticks(&mut receiver, 1_500);
    assert_eq!(takes(&mut receiver, 1_501, &frame(1, 120, 130)).0, Verdict::Dropped(Dropped::Held));
    assert_eq!(receiver.statistics().holds, 2);
}

#[test]
fn far_apart_nobody_waits() {
    let mut receiver = receiver([(quarters([0]), 10_000), (quarters([1]), 10)]);
    assert_eq!(takes(&mut receiver, 1, &frame(1, 10_000, 10_010)).0, apply(&quarters([0])));
    assert_eq!(takes(&mut receiver, 1, &frame(2, 10, 20)).0, apply(&quarters([1])));
}

#[test]
fn ranges_that_disagree_about_one_prefix_halt() {
    let mut receiver = receiver([(quarters([0]), 100)]);
    let mut out = Vec::new();
    receiver.add_ranges(at(1), &quarters([1]), triple(100, 99), &mut out);
    let text = short(out);
    assert!(text[0].starts_with("halt p0: ranges 0/2 and 1/2 stand at offset 100 with different prefixes"), "{text:?}");
}
