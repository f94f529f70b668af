//! A replay from its opening to the splice with the ring.

use featuregrid_protocol::limits::REPLAYS_MAX;

use super::*;
use crate::feed::sender::ReplayId;
use crate::feed::tests::quarters;

/// A ring with two chunks of quarter 0, and a replay of quarter 1 from 0 to 20.
fn replaying() -> Sender {
    let mut sender = sender();
    says(&mut sender, 0, subscribe(1, &quarters([0]), triple(0, 0)));
    reads(&mut sender, tenth(0));
    reads(&mut sender, tenth(1));
    let effects = says(&mut sender, 0, subscribe(2, &quarters([1]), triple(0, 0)));
    assert_eq!(effects, ["included #2 20", "open 1 0..20", "pull 1"]);
    sender
}

fn replays(sender: &mut Sender, id: u64, chunk: &Chunk) -> Vec<String> {
    let mut out = Vec::new();
    sender.on_replay_chunk(at(0), ReplayId(id), chunk, &mut out);
    short(out)
}

#[test]
fn a_replay_ends_where_the_ring_begins_without_gap_or_overlap() {
    let mut sender = replaying();
    assert_eq!(reads(&mut sender, tenth(2)), ["frame #1 20..30 3 rows"], "others go on meanwhile");
    assert_eq!(replays(&mut sender, 1, &tenth(0)), ["frame #2 0..10 3 rows", "pull 1"]);
    // 20..30 was decoded after the set joined the union, so the ring has it.
    assert_eq!(
        replays(&mut sender, 1, &tenth(1)),
        ["frame #2 10..20 2 rows", "close 1", "frame #2 20..30 3 rows"],
        "13 and 17; then 21, 25 and 29"
    );
}

#[test]
fn chunks_of_a_closed_replay_find_nobody() {
    let mut sender = replaying();
    says(&mut sender, 0, unsubscribe(2));
    assert_eq!(replays(&mut sender, 1, &tenth(0)), [""; 0]);
}

#[test]
fn a_chunk_that_does_not_continue_is_not_sent() {
    let mut sender = replaying();
    assert_eq!(replays(&mut sender, 1, &tenth(1)), ["close 1", "open 2 0..20", "pull 2"]);
}

#[test]
fn retention_past_the_subscriber_is_said() {
    let mut sender = replaying();
    let mut out = Vec::new();
    sender.on_replay_lost(at(0), ReplayId(1), 15, &mut out);
    assert_eq!(short(out), ["refused #2 RetentionPassed { earliest: 15 }", "close 1"]);
    assert_eq!(sender.subscriptions(), 1);
}

#[test]
fn so_many_replays_run_and_the_others_wait_for_their_turn() {
    let mut sender = replaying();
    for counter in 3..=REPLAYS_MAX as u64 + 1 {
        assert_eq!(says(&mut sender, 0, subscribe(counter, &quarters([1]), triple(0, 0))).len(), 3);
    }
    assert_eq!(says(&mut sender, 0, subscribe(99, &quarters([1]), triple(0, 0))), ["included #99 20"]);
    assert_eq!(says(&mut sender, 0, unsubscribe(3)), ["close 2", "open 17 0..20", "pull 17"]);
}

#[test]
fn a_replay_is_pulled_only_with_credit() {
    let mut sender = sender();
    says(&mut sender, 0, subscribe(1, &quarters([0]), triple(0, 0)));
    for n in 0..20 {
        reads(&mut sender, tenth(n));
    }
    says(&mut sender, 0, subscribe(2, &quarters([1]), triple(0, 0)));
    for n in 0..7 {
        assert_eq!(replays(&mut sender, 1, &tenth(n)).len(), 2, "a frame and a pull");
    }
    assert_eq!(replays(&mut sender, 1, &tenth(7)), ["frame #2 70..80 2 rows"]);
    assert_eq!(says(&mut sender, 0, ack(2, 10)), ["pull 1"]);
    assert_eq!(says(&mut sender, 0, ack(2, 20)), [""; 0], "one pull at a time");
}
