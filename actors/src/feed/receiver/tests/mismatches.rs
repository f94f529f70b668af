//! A reader whose log is not ours: a second one is asked, and only if both disagree the partition halts.

use super::*;
use crate::feed::receiver::Opinion;

fn asked() -> Receiver {
    let mut receiver = receiver([(quarters([0]), 10)]);
    let wrong = Frame { max_before: Timestamp::MIN, ..frame(1, 10, 20) };
    let (verdict, effects) = takes(&mut receiver, 1, &wrong);
    assert_eq!(verdict, Verdict::Dropped(Dropped::Mismatch));
    assert_eq!(effects, ["ask at 10 not Some(NodeId(0))"]);
    assert_eq!(takes(&mut receiver, 2, &wrong).1, [""; 0], "asked already");
    assert_eq!(takes(&mut receiver, 301, &wrong).1.len(), 1, "no answer came");
    receiver
}

fn hears(receiver: &mut Receiver, topic: TopicId, position: PartitionPosition) -> Vec<String> {
    let mut out = Vec::new();
    receiver.on_second_reader(&Opinion { topic, position }, &mut out);
    short(out)
}

#[test]
fn a_second_reader_that_sides_with_us_sends_the_first_back() {
    let mut receiver = asked();
    assert_eq!(hears(&mut receiver, TOPIC, position(10)), ["n0 nack #1 at 10 WrongPrefix"]);
    assert_eq!(takes(&mut receiver, 3, &frame(1, 10, 20)).0, apply(&quarters([0])));
}

#[test]
fn two_readers_against_us_halt_the_partition() {
    let mut receiver = asked();
    let halted = hears(&mut receiver, TOPIC, triple(10, 7));
    assert!(halted[0].starts_with("halt p0: before offset 10 our prefix max is"), "{halted:?}");
}

#[test]
fn an_opinion_about_another_offset_is_void() {
    let mut receiver = asked();
    assert_eq!(hears(&mut receiver, TOPIC, triple(9, 7)), [""; 0]);
}

#[test]
fn a_recreated_topic_halts_when_two_readers_see_it() {
    let mut receiver = receiver([(quarters([0]), 10)]);
    let other = Frame { topic: TopicId([8; 16]), leader_epoch: LeaderEpoch(0), ..frame(1, 0, 5) };
    assert_eq!(
        takes(&mut receiver, 1, &other).0,
        Verdict::Dropped(Dropped::Mismatch),
        "before its offsets are looked at"
    );
    let halted = hears(&mut receiver, TopicId([8; 16]), position(10));
    assert!(halted[0].starts_with("halt p0: the topic was re-created"), "{halted:?}");
}

#[test]
fn index_and_generation_are_looked_at_before_anybody_is_asked() {
    let mut receiver = receiver([(quarters([0]), 10)]);
    let wrong = Frame { max_before: Timestamp::MIN, ..frame(2, 10, 20) };
    assert_eq!(takes(&mut receiver, 1, &wrong).0, Verdict::Dropped(Dropped::StaleGeneration));
    let newer = Frame { max_before: Timestamp::MIN, index: ControlIndex(1), ..frame(1, 10, 20) };
    assert_eq!(takes(&mut receiver, 1, &newer).0, Verdict::Dropped(Dropped::NewerIndex));
    assert_eq!(receiver.statistics().second_readers, 0);
}
