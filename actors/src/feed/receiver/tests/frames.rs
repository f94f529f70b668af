//! Rule 3: which frame moves a group, and what is answered to the others.

use super::*;

fn one() -> Receiver {
    receiver([(quarters([0, 1]), 10)])
}

#[test]
fn the_next_frame_moves_the_whole_triple() {
    let mut receiver = one();
    let (verdict, effects) = takes(&mut receiver, 1, &frame(1, 10, 20));
    assert_eq!((verdict, &effects[..]), (apply(&quarters([0, 1])), &["n0 ack #1 20".to_owned()][..]));
    assert_eq!(receiver.frontier(), Some(&position(20)));
    assert_eq!(receiver.position(quarters([1]).iter().next().unwrap()), Some(&position(20)));
    assert_eq!(receiver.next_offset(), 20, "a report is the next offset");
}

#[test]
fn what_was_applied_is_dropped_and_acknowledged() {
    let mut receiver = one();
    for old in [frame(1, 0, 10), frame(1, 5, 8)] {
        let (verdict, effects) = takes(&mut receiver, 1, &old);
        assert_eq!((verdict, &effects[..]), (Verdict::Dropped(Dropped::Duplicate), &["n0 ack #1 10".to_owned()][..]));
    }
    assert_eq!(receiver.statistics().duplicates, 2);
}

#[test]
fn a_gap_is_reported_with_the_triple_once_for_all_frames_behind_it() {
    for wrong in [frame(1, 20, 30), frame(1, 5, 15), frame(1, 11, 11)] {
        let mut receiver = one();
        let (verdict, effects) = takes(&mut receiver, 0, &wrong);
        assert_eq!((verdict, &effects[..]), (Verdict::Dropped(Dropped::Gap), &["n0 nack #1 at 10 Gap".to_owned()][..]));
        assert_eq!(takes(&mut receiver, 49, &wrong), (Verdict::Dropped(Dropped::Gap), vec![]));
        assert_eq!(takes(&mut receiver, 50, &wrong).1, ["n0 nack #1 at 10 Gap"], "the first one may be lost");
        assert_eq!(receiver.statistics().gaps, 3);
    }
}

#[test]
fn a_gap_after_progress_is_another_gap() {
    let mut receiver = one();
    takes(&mut receiver, 0, &frame(1, 20, 30));
    takes(&mut receiver, 1, &frame(1, 10, 20));
    assert_eq!(takes(&mut receiver, 2, &frame(1, 30, 40)).1, ["n0 nack #1 at 20 Gap"]);
}

#[test]
fn an_empty_frame_at_v_proves_that_nothing_was_lost() {
    let mut receiver = one();
    let (verdict, effects) = takes(&mut receiver, 1, &frame(1, 10, 10));
    assert_eq!((verdict, &effects[..]), (Verdict::Dropped(Dropped::Idle), &["n0 ack #1 10".to_owned()][..]));
}

#[test]
fn a_generation_that_is_not_ours_moves_nothing_and_is_unsubscribed() {
    let mut receiver = one();
    let (verdict, effects) = takes(&mut receiver, 1, &frame(2, 10, 20));
    assert_eq!(verdict, Verdict::Dropped(Dropped::StaleGeneration));
    assert_eq!(effects, ["n0 unsubscribe #2"]);
    let mut earlier = frame(1, 10, 20);
    earlier.generation.incarnation = life(1, 0);
    assert_eq!(takes(&mut receiver, 1, &earlier).0, Verdict::Dropped(Dropped::StaleGeneration));
    assert_eq!(receiver.statistics().stale_generation_frames, 2);
}

#[test]
fn only_the_index_in_force_over_the_whole_interval_is_applied() {
    let takes_under = |receiver: &mut Receiver, frame: &Frame| {
        let mut out = Vec::new();
        let verdict = receiver.on_frame(at(1), frame, &node_indexes([15]), &mut out);
        (verdict, short(out))
    };
    let mut receiver = one();
    assert_eq!(takes_under(&mut receiver, &frame(1, 10, 16)).0, Verdict::Dropped(Dropped::OtherIndex), "across A");
    assert_eq!(takes_under(&mut receiver, &frame(1, 10, 15)).0, apply(&quarters([0, 1])), "up to A");
    assert_eq!(takes_under(&mut receiver, &frame(1, 15, 20)).0, Verdict::Dropped(Dropped::OtherIndex), "a zombie's");
    let mut past = frame(1, 15, 20);
    past.index = ControlIndex(1);
    assert_eq!(takes_under(&mut receiver, &past).0, apply(&quarters([0, 1])));
    assert_eq!(receiver.statistics().other_index_frames, 2);
}

#[test]
fn an_index_that_is_not_known_yet_is_fetched_and_the_frame_asked_for_again() {
    let mut receiver = one();
    let mut newer = frame(1, 10, 20);
    newer.index = ControlIndex(1);
    assert_eq!(takes(&mut receiver, 1, &newer), (Verdict::Dropped(Dropped::NewerIndex), vec!["fetch k1".to_owned()]));
    assert_eq!(takes(&mut receiver, 2, &newer).1, [""; 0], "asked already");
    let mut out = Vec::new();
    receiver.on_control(at(3), &mut out);
    assert_eq!(short(out), ["n0 nack #1 at 10 Resume"]);
}

#[test]
fn an_older_leader_is_not_believed_and_a_newer_one_is_checked() {
    let mut receiver = one();
    takes(&mut receiver, 1, &frame(1, 10, 20));
    let under = |leader| Frame { leader_epoch: LeaderEpoch(leader), ..frame(1, 20, 30) };
    assert_eq!(takes(&mut receiver, 2, &under(0)), (Verdict::Dropped(Dropped::LowerLeaderEpoch), vec![]));
    let (verdict, effects) = takes(&mut receiver, 3, &under(2));
    assert_eq!(
        (verdict, &effects[..]),
        (Verdict::Dropped(Dropped::LeaderUnchecked), &["check l2 after l1".to_owned()][..])
    );
    let mut out = Vec::new();
    receiver.on_leader_checked(at(4), LeaderEpoch(2), 20, &mut out);
    assert_eq!(short(out), ["n0 nack #1 at 20 Resume"]);
    assert_eq!(takes(&mut receiver, 5, &under(2)).0, apply(&quarters([0, 1])));
    assert_eq!(takes(&mut receiver, 6, &frame(1, 30, 40)).0, Verdict::Dropped(Dropped::LowerLeaderEpoch));
}

#[test]
fn a_log_that_lost_what_was_applied_halts() {
    let mut receiver = one();
    takes(&mut receiver, 1, &frame(1, 10, 20));
    let mut out = Vec::new();
    receiver.on_leader_checked(at(2), LeaderEpoch(2), 19, &mut out);
    assert!(short(out)[0].starts_with("halt p0: leader l2 has the log only up to 19"));
    assert_eq!(takes(&mut receiver, 3, &frame(1, 20, 30)), (Verdict::Dropped(Dropped::Halted), vec![]));
    assert_eq!(ticks(&mut receiver, 10_000), [""; 0]);
}

#[test]
fn another_partitions_frame_is_not_ours() {
    let mut receiver = one();
    let other = Frame { partition: PartitionId(1), ..frame(1, 10, 20) };
    assert_eq!(takes(&mut receiver, 1, &other), (Verdict::Dropped(Dropped::OtherPartition), vec![]));
}
