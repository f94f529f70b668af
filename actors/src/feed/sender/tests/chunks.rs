//! Chunks, credit, and what nacks do to the cursor.

use featuregrid_protocol::limits::{FRAME_CREDITS, RING_CHUNKS_MAX};

use super::*;
use crate::feed::tests::quarters;

fn live() -> Sender {
    let mut sender = sender();
    says(&mut sender, 0, subscribe(1, &quarters([0]), triple(0, 0)));
    sender
}

#[test]
fn a_frame_says_everything_a_receiver_checks() {
    let mut sender = live();
    let mut out = Vec::new();
    sender.on_chunk(at(5), tenth(0), &mut out);
    let [Effect::Send { to, frame }] = &out[..] else { panic!("{out:?}") };
    assert_eq!((*to, frame.topic, frame.partition), (life(1, 1), TopicId([7; 16]), PARTITION));
    assert_eq!((frame.leader_epoch, frame.index, frame.generation), (LeaderEpoch(1), ControlIndex(0), name(1)));
    assert_eq!((frame.from, frame.to, frame.max_before, frame.max_after), (0, 10, Timestamp::MIN, Timestamp(10)));
    assert_eq!(frame.deltas.records, 10, "the accounting is of all ranges");
    assert_eq!(frame.rows.heads().iter().map(|head| head.offset).collect::<Vec<_>>(), [0, 4, 8]);
}

#[test]
fn chunks_that_do_not_continue_are_void() {
    let mut sender = live();
    assert_eq!(reads(&mut sender, tenth(1)), [""; 0]);
    assert_eq!(sender.head().next, 0);
}

#[test]
fn without_credit_nothing_is_sent_and_one_acknowledgement_makes_good_for_all() {
    let mut sender = live();
    for n in 0..FRAME_CREDITS as u64 {
        assert_eq!(reads(&mut sender, tenth(n)).len(), 1);
    }
    assert_eq!(reads(&mut sender, tenth(8)), [""; 0]);
    assert_eq!(says(&mut sender, 0, ack(1, 10)), ["frame #1 80..90 3 rows"]);
    assert_eq!(says(&mut sender, 0, ack(1, 10)), [""; 0], "a copy gives nothing back");
    reads(&mut sender, tenth(9));
    assert_eq!(says(&mut sender, 0, ack(1, 90)), ["frame #1 90..100 2 rows"]);
}

#[test]
fn the_slow_one_falls_out_of_the_ring_alone_and_is_replayed_to() {
    let mut sender = live();
    says(&mut sender, 0, subscribe(2, &quarters([1]), triple(0, 0)));
    let mut seen = 0;
    for n in 0..=(RING_CHUNKS_MAX + FRAME_CREDITS) as u64 {
        seen += reads(&mut sender, tenth(n)).iter().filter(|effect| effect.starts_with("frame #2")).count();
        says(&mut sender, 0, ack(2, n * 10 + 10));
    }
    assert_eq!(seen, RING_CHUNKS_MAX + FRAME_CREDITS + 1, "the quick one got everything at once");
    assert_eq!((sender.statistics().fell_behind, sender.statistics().replays), (1, 1));
    assert_eq!(says(&mut sender, 0, ack(1, 80)), ["pull 1"], "credit is what a replay waits for");
    let mut out = Vec::new();
    sender.on_replay_chunk(at(0), super::super::ReplayId(1), &tenth(8), &mut out);
    assert_eq!(short(out), ["frame #1 80..90 3 rows", "pull 1"]);
}

#[test]
fn a_nack_sends_again_from_the_receivers_triple() {
    let mut sender = live();
    reads(&mut sender, tenth(0));
    reads(&mut sender, tenth(1));
    let again = says(&mut sender, 0, nack(1, triple(0, 0), NackReason::Gap));
    assert_eq!(again, ["frame #1 0..10 3 rows", "frame #1 10..20 2 rows"]);
    let inside = says(&mut sender, 0, nack(1, triple(4, 4), NackReason::Gap));
    assert_eq!(inside, ["open 1 4..10", "pull 1"], "the reader re-cuts at v");
    let other = says(&mut sender, 0, nack(1, tenth_triple(10), NackReason::Resume));
    assert_eq!(other, ["close 1", "frame #1 10..20 2 rows"]);
    assert_eq!(sender.statistics().nacks, 3);
}

#[test]
fn a_nack_from_before_an_acknowledgement_is_old() {
    let mut sender = live();
    reads(&mut sender, tenth(0));
    says(&mut sender, 0, ack(1, 10));
    assert_eq!(says(&mut sender, 0, nack(1, triple(0, 0), NackReason::Gap)), [""; 0]);
    assert_eq!(says(&mut sender, 0, nack(2, triple(0, 0), NackReason::Gap)), [""; 0], "and an unknown one is nobody's");
}

#[test]
fn a_reader_whose_prefix_is_wrong_begins_again_from_the_confirmed_triple() {
    let mut sender = live();
    reads(&mut sender, chunk(0, 10, i64::MIN, 3));
    says(&mut sender, 0, ack(1, 10));
    let confirmed = says(&mut sender, 0, nack(1, tenth_triple(10), NackReason::WrongPrefix));
    assert_eq!(confirmed, ["reread 10"]);
    assert_eq!(sender.head(), &tenth_triple(10));
    assert_eq!(reads(&mut sender, tenth(1)), ["frame #1 10..20 2 rows"]);
    let agreed = says(&mut sender, 0, nack(1, tenth_triple(20), NackReason::WrongPrefix));
    assert_eq!(agreed, [""; 0], "it is right by now");
}
