//! Protocol A's traces, with their rules in place: the oracle of [`super::world`] looks at every applied frame.

use featuregrid_protocol::range::{RangeId, RangeSet};

use super::kit::quarters;
use super::world::{Letter, World};
use crate::feed::messages::ToReceiver;

/// Two nodes that read from node 0, a log of 40 records of which some are late.
fn world() -> World {
    let mut world = World::new(2);
    for offset in 0..40 {
        world.log.append(0, if offset % 7 == 6 { offset - 9 } else { offset });
    }
    for node in 0..2 {
        world.read_from(node, 0);
    }
    world
}

fn follow(world: &mut World, node: usize, set: &RangeSet) {
    world.add(node, set, |_| World::empty());
}

fn only(set: &RangeSet) -> RangeId {
    set.iter().next().unwrap()
}

fn next(world: &World, node: usize, set: &RangeSet) -> u64 {
    world.nodes[node].ranges[&only(set)].position.next
}

/// Everything on its way arrives, in order, and what it causes too.
fn quiesce(world: &mut World) {
    while !world.letters.is_empty() {
        world.deliver(0);
    }
}

/// Takes the frames on their way to `node` out of the network, to be delivered late or never.
fn intercept(world: &mut World, node: usize) -> Vec<Letter> {
    let frame = |letter: &Letter| matches!(letter, Letter::ToReceiver(to, ToReceiver::Frame(_)) if *to == node);
    let (taken, left) = std::mem::take(&mut world.letters).into_iter().partition(frame);
    world.letters = left;
    taken
}

fn arrive(world: &mut World, letters: Vec<Letter>) {
    for letter in letters {
        world.letters.insert(0, letter);
        world.deliver(0);
    }
}

#[test]
fn a1_a_frame_for_an_earlier_life_finds_nobody() {
    let mut world = world();
    let (old, new) = (quarters([0]), quarters([1]));
    follow(&mut world, 1, &old);
    quiesce(&mut world);
    world.read(0, 10);
    let frames = intercept(&mut world, 1);
    assert_eq!(frames.len(), 1);
    world.drop_range(1, only(&old));
    world.restart_receiver(1, |_, state| state.clone());
    follow(&mut world, 1, &new);
    arrive(&mut world, frames);
    assert_eq!(next(&world, 1, &new), 0);
    assert_eq!(world.nodes[1].receiver.statistics().stale_generation_frames, 1);
    world.settle();
}

#[test]
fn a2_what_was_decoded_before_a_set_was_included_is_read_again() {
    let mut world = world();
    follow(&mut world, 0, &quarters([0]));
    quiesce(&mut world);
    world.read(0, 20);
    quiesce(&mut world);
    follow(&mut world, 1, &quarters([0, 1]));
    quiesce(&mut world);
    assert!(world.nodes[0].sender.statistics().replays > 0, "the ring has no rows of the second range");
    world.settle();
}

#[test]
fn a2_each_of_two_readers_answers_for_its_own_ring() {
    let mut world = world();
    follow(&mut world, 0, &quarters([0, 1]));
    quiesce(&mut world);
    world.read(0, 10);
    world.read_from(1, 1);
    follow(&mut world, 1, &quarters([2]));
    quiesce(&mut world);
    world.read(1, 10);
    world.read(1, 10);
    quiesce(&mut world);
    // From the one that has all rows of the set to the one that began without them, and back.
    for reader in [1, 0] {
        world.read_from(0, reader);
        quiesce(&mut world);
        world.read(reader, 10);
        quiesce(&mut world);
    }
    world.settle();
}

#[test]
fn a3_a_frame_of_an_old_generation_does_not_move_the_frontier() {
    let mut world = world();
    follow(&mut world, 1, &quarters([0]));
    quiesce(&mut world);
    world.read(0, 10);
    let frames = intercept(&mut world, 1);
    follow(&mut world, 1, &quarters([1]));
    arrive(&mut world, frames);
    assert!(world.nodes[1].receiver.is_joined());
    assert_eq!(next(&world, 1, &quarters([1])), 0, "the frame has no rows of it");
    world.settle();
}

#[test]
fn a4_a_replay_of_one_range_does_not_move_the_frontier() {
    let mut world = world();
    follow(&mut world, 1, &quarters([0]));
    quiesce(&mut world);
    world.read(0, 10);
    quiesce(&mut world);
    world.read(0, 10);
    assert_eq!(intercept(&mut world, 1).len(), 1, "the frontier's next frame is lost");
    follow(&mut world, 1, &quarters([1]));
    quiesce(&mut world);
    world.replay(0, 10);
    world.replay(0, 10);
    let mut frames = intercept(&mut world, 1);
    assert_eq!(frames.len(), 2);
    arrive(&mut world, frames.split_off(1));
    assert_eq!(next(&world, 1, &quarters([0])), 10, "the replay has no rows of the frontier's range");
    arrive(&mut world, frames);
    world.settle();
}

#[test]
fn a5_a_restarted_reader_begins_with_the_prefix_it_was_handed() {
    let mut world = world();
    follow(&mut world, 1, &quarters([0, 1, 2, 3]));
    quiesce(&mut world);
    world.read(0, 20);
    quiesce(&mut world);
    let start = world.nodes[1].ranges[&only(&quarters([0]))].position.clone();
    assert_eq!((start.next, start.counters.late > 0), (20, true));
    world.restart_sender(0, &start);
    world.settle();
    assert_eq!(world.nodes[1].receiver.statistics().second_readers, 0, "nobody had a doubt");
}

#[test]
fn a6_a_reader_does_not_ask_who_owns_what() {
    let mut world = world();
    let (stays, moves) = (quarters([0]), quarters([1]));
    follow(&mut world, 0, &quarters([0, 1]));
    #[cfg(feature = "plants")]
    {
        use featuregrid_protocol::ids::NodeId;
        let owned = [(NodeId(0), quarters([0, 1])), (NodeId(1), quarters([]))].into();
        world.nodes[0].sender.set_stale_map(&owned);
    }
    quiesce(&mut world);
    world.read(0, 10);
    quiesce(&mut world);
    let state = world.nodes[0].ranges[&only(&moves)].clone();
    world.drop_range(0, only(&moves));
    world.add(1, &moves, |_| state.clone());
    quiesce(&mut world);
    world.read(0, 10);
    quiesce(&mut world);
    assert_eq!((next(&world, 0, &stays), next(&world, 1, &moves)), (20, 20));
    assert_eq!(world.nodes[1].ranges[&only(&moves)].rows.len(), 4, "1, 5, 9, 17; 13 is late");
    world.settle();
}
