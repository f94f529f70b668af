//! Who subscribes, where its frames come from, and when it is forgotten.

use featuregrid_protocol::limits::SUBSCRIPTIONS_MAX;

use super::*;
use crate::feed::tests::quarters;

#[test]
fn at_the_head_a_subscription_is_live_at_once() {
    let mut sender = sender();
    assert_eq!(says(&mut sender, 0, subscribe(1, &quarters([0, 1]), triple(0, 0))), ["included #1 0"]);
    assert_eq!(reads(&mut sender, tenth(0)), ["frame #1 0..10 6 rows"], "offsets 0 1 4 5 8 9");
}

#[test]
fn behind_what_the_ring_holds_of_a_set_the_log_is_read_again() {
    let mut sender = sender();
    says(&mut sender, 0, subscribe(1, &quarters([0]), triple(0, 0)));
    reads(&mut sender, tenth(0));
    // The ring has rows of quarter 0 only; whoever wants more is included from the head on.
    let both = subscribe(2, &quarters([0, 1]), triple(0, 0));
    assert_eq!(says(&mut sender, 0, both), ["included #2 10", "open 1 0..10", "pull 1"]);
    let held = subscribe(3, &quarters([0]), triple(0, 0));
    assert_eq!(says(&mut sender, 0, held), ["included #3 0", "frame #3 0..10 3 rows"]);
}

#[test]
fn inside_a_chunk_only_its_rest_is_read_again() {
    let mut sender = sender();
    says(&mut sender, 0, subscribe(1, &quarters([0]), triple(0, 0)));
    reads(&mut sender, tenth(0));
    reads(&mut sender, tenth(1));
    let inside = subscribe(2, &quarters([0]), triple(4, 4));
    assert_eq!(says(&mut sender, 0, inside), ["included #2 0", "open 1 4..10", "pull 1"]);
}

#[test]
fn ahead_of_the_reader_nothing_is_sent_until_it_is_there() {
    let mut sender = sender();
    assert_eq!(says(&mut sender, 0, subscribe(1, &quarters([0]), tenth_triple(10))), ["included #1 0"]);
    assert_eq!(reads(&mut sender, tenth(0)), [""; 0]);
    assert_eq!(reads(&mut sender, tenth(1)), ["frame #1 10..20 2 rows"], "12 and 16");
}

#[test]
fn a_name_stands_for_one_set_for_ever() {
    let mut sender = sender();
    says(&mut sender, 0, subscribe(1, &quarters([0]), triple(0, 0)));
    says(&mut sender, 0, subscribe(1, &quarters([0, 1, 2, 3]), triple(0, 0)));
    assert_eq!(reads(&mut sender, tenth(0)), ["frame #1 0..10 3 rows"]);
}

#[test]
fn a_late_copy_of_a_subscription_moves_nothing() {
    let mut sender = sender();
    says(&mut sender, 0, subscribe(1, &quarters([0]), triple(0, 0)));
    reads(&mut sender, tenth(0));
    says(&mut sender, 0, ack(1, 10));
    assert_eq!(says(&mut sender, 0, subscribe(1, &quarters([0]), triple(0, 0))), [""; 0]);
    let again = subscribe(1, &quarters([0]), tenth_triple(10));
    assert_eq!(says(&mut sender, 0, again), ["included #1 0"], "the subscriber heard nothing and asks again");
}

#[test]
fn a_new_life_ends_the_old_one() {
    let mut sender = sender();
    says(&mut sender, 0, subscribe(1, &quarters([0]), triple(0, 0)));
    let second = |boot| {
        let (subscriber, generation) = (life(1, boot), Generation { incarnation: life(1, boot), counter: 9 });
        let (set, position) = (quarters([0]), triple(0, 0));
        ToReader::Subscribe(Subscribe { partition: PARTITION, subscriber, generation, set, position })
    };
    says(&mut sender, 0, second(2));
    assert_eq!(sender.subscriptions(), 1);
    assert_eq!(says(&mut sender, 0, second(1)), [""; 0], "the old life is not heard any more");
    assert_eq!(reads(&mut sender, tenth(0)), ["frame #9 0..10 3 rows"]);
}

#[test]
fn unsubscribing_ends_the_replay_and_a_renamed_set_keeps_its_place() {
    let mut sender = sender();
    says(&mut sender, 0, subscribe(1, &quarters([0]), triple(0, 0)));
    reads(&mut sender, tenth(0));
    says(&mut sender, 0, subscribe(2, &quarters([1]), triple(0, 0)));
    assert_eq!(says(&mut sender, 0, unsubscribe(2)), ["close 1"]);
    assert_eq!(says(&mut sender, 0, unsubscribe(1)), [""; 0]);
    let renamed = subscribe(3, &quarters([0]), triple(0, 0));
    assert_eq!(says(&mut sender, 0, renamed), ["included #3 0", "frame #3 0..10 3 rows"]);
}

#[test]
fn there_is_a_last_subscription() {
    let mut sender = sender();
    for counter in 1..=SUBSCRIPTIONS_MAX as u64 {
        assert_eq!(says(&mut sender, 0, subscribe(counter, &quarters([0]), triple(0, 0))).len(), 1);
    }
    assert_eq!(says(&mut sender, 0, subscribe(9_999, &quarters([0]), triple(0, 0))), ["refused #9999 TooMany"]);
    assert_eq!(sender.statistics().refused, 1);
}

#[test]
fn other_partitions_are_not_listened_to() {
    let mut sender = sender();
    let mut message = subscribe(1, &quarters([0]), triple(0, 0));
    if let ToReader::Subscribe(subscribe) = &mut message {
        subscribe.partition = PartitionId(1);
    }
    assert_eq!(says(&mut sender, 0, message), [""; 0]);
    assert_eq!(sender.subscriptions(), 0);
}
