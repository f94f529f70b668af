//! A prepared control entry: nothing past the report is applied until it is decided.

use super::*;

#[test]
fn nothing_past_the_report_is_applied_until_the_decision() {
    let mut receiver = receiver([(quarters([0]), 10)]);
    receiver.hold(15);
    assert_eq!(takes(&mut receiver, 1, &frame(1, 10, 15)).0, apply(&quarters([0])), "up to it");
    let (verdict, effects) = takes(&mut receiver, 2, &frame(1, 15, 16));
    assert_eq!((verdict, &effects[..]), (Verdict::Dropped(Dropped::Held), &["n0 ack #1 15".to_owned()][..]));
    assert_eq!(ticks(&mut receiver, 3), [""; 0]);
    let mut out = Vec::new();
    receiver.release(at(4), &mut out);
    assert_eq!(short(out), ["n0 nack #1 at 15 Resume"]);
    assert_eq!(takes(&mut receiver, 5, &frame(1, 15, 16)).0, apply(&quarters([0])));
}

#[test]
fn a_frame_across_the_hold_is_not_applied_in_part() {
    let mut receiver = receiver([(quarters([0]), 10)]);
    receiver.hold(15);
    assert_eq!(takes(&mut receiver, 1, &frame(1, 10, 20)).0, Verdict::Dropped(Dropped::Held));
    assert_eq!(receiver.next_offset(), 10);
}
