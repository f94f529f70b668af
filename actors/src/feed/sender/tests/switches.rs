//! Holds, activations, leaders and topics.

use super::*;
use crate::feed::sender::ReplayId;
use crate::feed::tests::quarters;
use featuregrid_protocol::limits::RING_CHUNKS_MAX;

/// Live, with `[0, 20)` sent and a hold at 20.
fn held() -> Sender {
    let mut sender = sender();
    says(&mut sender, 0, subscribe(1, &quarters([0]), triple(0, 0)));
    reads(&mut sender, tenth(0));
    reads(&mut sender, tenth(1));
    assert_eq!(sender.next_offset(), 20, "the report is the next offset");
    sender.hold(20);
    sender
}

fn released(sender: &mut Sender) -> Vec<String> {
    let mut out = Vec::new();
    sender.release(at(0), &mut out);
    short(out)
}

fn activated(sender: &mut Sender, index: u64, offset: Offset) -> Vec<String> {
    let mut out = Vec::new();
    sender.activate(at(0), ControlIndex(index), offset, &mut out);
    short(out)
}

#[test]
fn under_a_hold_nothing_past_it_is_sent_and_an_abort_lets_it_go() {
    let mut sender = held();
    assert_eq!(reads(&mut sender, tenth(2)), [""; 0]);
    assert_eq!(says(&mut sender, 0, ack(1, 20)), [""; 0]);
    assert_eq!(released(&mut sender), ["frame #1 20..30 3 rows"]);
}

#[test]
fn what_was_decoded_past_a_under_the_old_index_is_read_again() {
    let mut sender = held();
    reads(&mut sender, tenth(2));
    reads(&mut sender, tenth(3));
    assert_eq!(activated(&mut sender, 1, 35), ["reread 30", "frame #1 20..30 3 rows"]);
    assert_eq!(reads(&mut sender, tenth(4)), [""; 0], "decoded before the reread");
    assert_eq!(reads(&mut sender, chunk(30, 35, 30, 35)), ["frame #1 30..35 1 rows"], "split at A");
    let mut past = chunk(35, 40, 35, 40);
    assert_eq!(reads(&mut sender, past.clone()), ["reread 35"], "the old index past A");
    past.index = ControlIndex(1);
    assert_eq!(reads(&mut sender, past), ["frame #1 35..40 1 rows"]);
    assert_eq!(activated(&mut sender, 1, 0), [""; 0], "once is enough");
}

#[test]
fn a_hold_keeps_what_may_have_to_be_given_up() {
    let mut sender = held();
    let past = 2..RING_CHUNKS_MAX as u64 + 20;
    for n in past {
        reads(&mut sender, tenth(n));
    }
    let kept = sender.head().next;
    assert_eq!(kept, RING_CHUNKS_MAX as u64 * 10 + 20, "the two chunks before the hold may leave the ring");
    let effects = released(&mut sender);
    assert_eq!(effects[0], format!("reread {kept}"));
    assert_eq!(effects.len(), 7, "and what credit allows");
}

#[test]
fn a_replay_stops_at_the_hold_and_goes_on_after_it() {
    let mut sender = held();
    let effects = says(&mut sender, 0, subscribe(2, &quarters([1]), triple(0, 0)));
    assert_eq!(effects, ["included #2 20", "open 1 0..20", "pull 1"]);
    let mut out = Vec::new();
    sender.on_replay_chunk(at(0), ReplayId(1), &chunk(0, 25, i64::MIN, 25), &mut out);
    assert_eq!(short(out), ["close 1"]);
    assert_eq!(released(&mut sender), ["open 2 0..20", "pull 2"]);
}

#[test]
fn replays_past_a_are_opened_anew_with_the_new_index() {
    let mut sender = held();
    says(&mut sender, 0, subscribe(2, &quarters([1]), triple(0, 0)));
    assert_eq!(activated(&mut sender, 1, 15), ["reread 10", "close 1", "open 2 0..10", "pull 2"]);
}

#[test]
fn a_new_leader_is_named_in_frames_and_a_shorter_log_halts() {
    let mut sender = held();
    let mut out = Vec::new();
    sender.on_leader_change(LeaderEpoch(2), 20, &mut out);
    assert_eq!((out.len(), sender.origin().leader), (0, LeaderEpoch(2)));
    sender.on_leader_change(LeaderEpoch(1), 0, &mut out);
    assert_eq!(out.len(), 0, "an older leader says nothing");
    sender.on_leader_change(LeaderEpoch(3), 19, &mut out);
    assert!(short(out)[0].starts_with("halt p0: leader l3 has the log only up to 19, offsets up to 20 were applied"));
    assert!(sender.halted().is_some());
    assert_eq!(released(&mut sender), [""; 0]);
    assert_eq!(reads(&mut sender, tenth(2)), [""; 0]);
}

#[test]
fn a_recreated_topic_halts() {
    let mut sender = held();
    let mut out = Vec::new();
    sender.on_topic_change(TopicId([7; 16]), &mut out);
    assert_eq!(out, []);
    sender.on_topic_change(TopicId([8; 16]), &mut out);
    assert!(short(out)[0].starts_with("halt p0: the topic was re-created"));
}
