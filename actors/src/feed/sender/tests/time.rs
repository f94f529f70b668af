//! Idle frames and silence.

use super::*;
use crate::feed::tests::quarters;

fn ticks(sender: &mut Sender, millis: i64) -> Vec<String> {
    let mut out = Vec::new();
    sender.on_tick(at(millis), &mut out);
    short(out)
}

#[test]
fn silence_is_broken_by_an_empty_frame_with_or_without_credit() {
    let mut sender = sender();
    says(&mut sender, 0, subscribe(1, &quarters([0]), triple(0, 0)));
    reads(&mut sender, tenth(0));
    assert_eq!(ticks(&mut sender, 99), [""; 0]);
    assert_eq!(ticks(&mut sender, 100), ["frame #1 10..10 0 rows"], "a lost last frame shows as a gap");
    assert_eq!(ticks(&mut sender, 150), [""; 0]);
    assert_eq!(ticks(&mut sender, 200), ["frame #1 10..10 0 rows"]);
    assert_eq!(sender.statistics().idle_frames, 2);
}

#[test]
fn whoever_is_silent_is_forgotten_with_its_ranges() {
    let mut sender = sender();
    says(&mut sender, 0, subscribe(1, &quarters([0]), triple(0, 0)));
    says(&mut sender, 0, subscribe(2, &quarters([1]), triple(0, 0)));
    reads(&mut sender, tenth(0));
    says(&mut sender, 2_000, ack(2, 10));
    ticks(&mut sender, 3_000);
    assert_eq!((sender.subscriptions(), sender.statistics().expired), (1, 1));
    let back = subscribe(3, &quarters([0]), triple(0, 0));
    assert_eq!(says(&mut sender, 3_000, back), ["included #3 10", "open 1 0..10", "pull 1"]);
}
