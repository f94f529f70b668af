//! What a node does about the control log, step by step; the traces B1, B2, B4, B6 and B8.
use featuregrid_protocol::ids::Nonce;
use featuregrid_protocol::time::Span;

use super::*;
use crate::ports::PutOutcome;
use crate::ports::script::*;

const P: PartitionId = PartitionId(0);

fn me() -> Incarnation {
    life(1, 1)
}

fn coordinator() -> Incarnation {
    life(2, 1)
}

fn genesis() -> ControlEntry {
    let change = ControlChange::Genesis { ranges: 4, v0: v(&[(0, 5)]), definitions: "g".to_owned() };
    ControlEntry { index: ControlIndex(0), change, coordinator: coordinator(), nonce: Nonce(1) }
}

fn entry(index: u64) -> ControlEntry {
    let change = ControlChange::Definitions { definitions: index.to_string(), begins: OffsetVector::default() };
    ControlEntry { index: ControlIndex(index), change, coordinator: coordinator(), nonce: Nonce(index) }
}

fn new() -> Participant {
    Participant::new(me(), Requests::new(1, 1), None)
}

fn at(participant: &mut Participant, now: Monotonic) -> Vec<Effect> {
    let mut out = Vec::new();
    participant.advance(now, &mut out);
    out
}

fn answer(participant: &mut Participant, now: Monotonic, reply: &StoreReply) -> Vec<Effect> {
    let mut out = Vec::new();
    assert!(participant.reply(now, reply, &mut out));
    out
}

fn held(participant: &mut Participant, now: Monotonic, frontier: &[(u32, u64)]) -> Vec<Effect> {
    let mut out = Vec::new();
    participant.held(now, ControlIndex(1), v(frontier), &mut out);
    out
}

/// Read up to the end of a log that holds genesis only; the next poll is due.
fn watching() -> Participant {
    let mut participant = new();
    let first = request(&at(&mut participant, ms(0)));
    let out = answer(&mut participant, ms(1), &found(&first, &genesis(), 1));
    assert_eq!(others(&out), [Effect::Activate { entry: genesis(), at: v(&[(0, 5)]) }]);
    assert!(!participant.is_caught_up());
    let next = request(&out);
    assert_eq!(next, StoreRequest::Get { id: next.id(), key: Key::Control(ControlIndex(1)), bytes: None });
    assert_eq!(others(&answer(&mut participant, ms(2), &absent(&next))), []);
    assert!(participant.is_caught_up());
    assert_eq!(participant.free_index(), Some(ControlIndex(1)));
    participant
}

/// Entry 1 is there and undecided, and the shell has stopped.
fn holding(frontier: &[(u32, u64)]) -> Participant {
    let mut participant = watching();
    let read = request(&at(&mut participant, ms(300)));
    let out = answer(&mut participant, ms(300), &found(&read, &entry(1), 2));
    let read = request(&out);
    assert_eq!(read, StoreRequest::Get { id: read.id(), key: Key::Decision(ControlIndex(1)), bytes: None });
    assert_eq!(participant.limit(P), None);
    let out = answer(&mut participant, ms(300), &absent(&read));
    assert_eq!(others(&out), [Effect::Hold { index: ControlIndex(1) }]);
    assert_eq!((participant.limit(P), participant.held_by()), (Some(0), Some(ControlIndex(1))));
    let out = held(&mut participant, ms(300), frontier);
    let message = Message::Report { index: ControlIndex(1), frontier: v(frontier) };
    assert_eq!(others(&out), [Effect::Send { to: coordinator(), message }]);
    participant
}

/// What is asked of the store at an instant, answered by nobody.
fn asked(participant: &mut Participant, now: Monotonic) -> Vec<Key> {
    let requests = requests(&at(participant, now));
    requests
        .iter()
        .map(|request| match request {
            StoreRequest::Get { key, .. } | StoreRequest::Put { key, .. } => key.clone(),
            StoreRequest::List { .. } | StoreRequest::Delete { .. } => {
                panic!("a participant lists and removes nothing")
            }
        })
        .collect()
}

#[test]
fn the_first_node_creates_genesis_and_another_obeys_the_one_that_stands() {
    let mut mine = genesis();
    mine.coordinator = me();
    let mut participant = Participant::new(me(), Requests::new(1, 1), Some(mine.clone()));
    let read = request(&at(&mut participant, ms(0)));
    let create = request(&answer(&mut participant, ms(1), &absent(&read)));
    assert_eq!(body::<ControlEntry>(&create), mine);
    assert_eq!(condition(&create), PutCondition::Absent);
    // Somebody else was faster.
    let back = request(&answer(&mut participant, ms(2), &put(&create, PutOutcome::Lost)));
    let again = request(&answer(&mut participant, ms(3), &found(&back, &genesis(), 1)));
    let out = answer(&mut participant, ms(4), &found(&again, &genesis(), 1));
    assert_eq!(others(&out), [Effect::Activate { entry: genesis(), at: v(&[(0, 5)]) }]);
    assert_eq!(participant.grid(), Some(&(4, v(&[(0, 5)]))));
}

#[test]
fn decided_entries_are_followed_without_a_hold() {
    let mut participant = new();
    let mut shelf = Shelf::default();
    shelf.put(Key::Control(ControlIndex(0)), &genesis());
    shelf.put(Key::Control(ControlIndex(1)), &entry(1));
    shelf.put(Key::Decision(ControlIndex(1)), &Decision::Aborted);
    shelf.put(Key::Control(ControlIndex(2)), &entry(2));
    shelf.put(Key::Decision(ControlIndex(2)), &Decision::Active(v(&[(0, 9)])));
    let out = at(&mut participant, ms(0));
    let seen = shelf.serve(out, |reply, out| assert!(participant.reply(ms(0), reply, out)));
    let want = [
        Effect::Activate { entry: genesis(), at: v(&[(0, 5)]) },
        Effect::Abort { index: ControlIndex(1) },
        Effect::Activate { entry: entry(2), at: v(&[(0, 9)]) },
    ];
    assert_eq!(seen, want);
    assert_eq!(participant.free_index(), Some(ControlIndex(3)));
    assert_eq!(participant.active(), Some(&(ControlIndex(2), v(&[(0, 9)]))));
}

#[test]
fn a_held_node_repeats_its_report_and_passes_nothing_until_the_decision() {
    let mut participant = holding(&[(0, 40)]);
    assert_eq!(participant.limit(P), Some(40));
    assert_eq!(participant.free_index(), None);
    let out = at(&mut participant, ms(500));
    let message = Message::Report { index: ControlIndex(1), frontier: v(&[(0, 40)]) };
    assert_eq!(others(&out), [Effect::Send { to: coordinator(), message }]);
    let out = answer(&mut participant, ms(501), &found(&request(&out), &Decision::Active(v(&[(0, 44)])), 3));
    assert_eq!(others(&out), [Effect::Activate { entry: entry(1), at: v(&[(0, 44)]) }]);
    assert_eq!((participant.limit(P), participant.held_by()), (None, None));
}

#[test]
fn b1_only_the_decision_ends_a_hold() {
    let mut participant = holding(&[(0, 40)]);
    // Two seconds pass; the abort is sent, and while nobody knows what became of it the node stays held.
    let read = request(&at(&mut participant, ms(500)));
    assert_eq!(others(&answer(&mut participant, ms(500), &absent(&read))), []);
    let out = at(&mut participant, ms(2_300));
    let abort = requests(&out).into_iter().find(|r| matches!(r, StoreRequest::Put { .. })).unwrap();
    assert_eq!(body::<Decision>(&abort), Decision::Aborted);
    answer(&mut participant, ms(2_400), &put(&abort, PutOutcome::Unknown));
    for later in [2_500, 5_000, 60_000] {
        at(&mut participant, ms(later));
        assert_eq!(participant.limit(P), Some(40), "at {later} ms");
    }
}

#[test]
fn b1_a_delayed_activation_wins_over_the_abort() {
    let mut participant = holding(&[(0, 40)]);
    let out = at(&mut participant, ms(2_300));
    let abort = requests(&out).into_iter().find(|r| matches!(r, StoreRequest::Put { .. })).unwrap();
    let out = answer(&mut participant, ms(2_400), &put(&abort, PutOutcome::Lost));
    let back = requests(&out).into_iter().find(|r| matches!(r, StoreRequest::Get { .. })).unwrap();
    let out = answer(&mut participant, ms(2_500), &found(&back, &Decision::Active(v(&[(0, 50)])), 3));
    assert_eq!(others(&out), [Effect::Activate { entry: entry(1), at: v(&[(0, 50)]) }]);
}

#[test]
fn b2_the_next_offset_is_reported() {
    // `holding` asserts the report: with offset 39 applied, the next is 40.
    assert_eq!(holding(&[(0, 40)]).limit(P), Some(40));
}

#[test]
fn b4_a_joiner_is_held_by_a_prepared_entry() {
    let mut participant = new();
    let mut shelf = Shelf::default();
    shelf.put(Key::Control(ControlIndex(0)), &genesis());
    shelf.put(Key::Control(ControlIndex(1)), &entry(1));
    let out = at(&mut participant, ms(0));
    let seen = shelf.serve(out, |reply, out| assert!(participant.reply(ms(0), reply, out)));
    assert_eq!(seen[1..], [Effect::Hold { index: ControlIndex(1) }]);
    assert!(participant.is_caught_up(), "it may start, but goes nowhere");
    assert_eq!(participant.limit(P), Some(0));
}

#[test]
fn b6_a_partition_that_was_not_reported_is_held_at_its_first_offset() {
    assert_eq!(holding(&[(0, 40)]).limit(PartitionId(7)), Some(0));
}

#[test]
fn b8_every_node_aborts_after_two_seconds() {
    let mut participant = holding(&[(0, 40)]);
    assert_ne!(coordinator(), me());
    let early = ms(300) + HOLD_MAX + Span::millis(-1);
    assert_eq!(asked(&mut participant, early), [Key::Decision(ControlIndex(1))]);
    let out = at(&mut participant, ms(300) + HOLD_MAX);
    let abort = request(&out);
    assert_eq!(condition(&abort), PutCondition::Absent);
    let out = answer(&mut participant, ms(2_400), &done(&abort, 3));
    assert_eq!(others(&out), [Effect::Abort { index: ControlIndex(1) }]);
    assert_eq!(participant.limit(P), None);
    assert_eq!(asked(&mut participant, ms(2_700)), Vec::<Key>::new(), "the next entry is being read already");
}

#[test]
fn a_damaged_entry_is_named_and_not_passed() {
    let mut participant = watching();
    let read = request(&at(&mut participant, ms(300)));
    let out = answer(&mut participant, ms(300), &found(&read, &Decision::Aborted, 2));
    let error = CodecError::Kind { name: "control entry", found: 4 };
    assert_eq!(others(&out), [Effect::Damaged { key: Key::Control(ControlIndex(1)), error }]);
    assert_eq!(asked(&mut participant, ms(600)), [Key::Control(ControlIndex(1))]);
}
