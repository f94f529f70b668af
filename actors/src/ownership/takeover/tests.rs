//! A victim is fenced over the version seen last, waited out from its last sign of life, and spared if it lives.
use featuregrid_protocol::ids::Nonce;

use super::*;
use crate::ports::PutOutcome;
use crate::ports::script::*;

fn victim() -> Incarnation {
    life(2, 3)
}

fn lease(sequence: u64, state: LeaseState) -> Lease {
    Lease { holder: victim(), sequence, state, nonce: Nonce(sequence) }
}

fn at(takeover: &mut Takeover, now: Monotonic) -> Vec<Effect> {
    let mut out = Vec::new();
    takeover.advance(now, &mut out);
    out
}

fn answer(takeover: &mut Takeover, now: Monotonic, reply: &StoreReply) -> Vec<Effect> {
    let mut out = Vec::new();
    assert!(takeover.reply(now, reply, &mut out));
    out
}

fn down() -> Takeover {
    let mut takeover = Takeover::new(victim(), Requests::new(1, 1), Nonces::new(1));
    takeover.down();
    takeover
}

/// First seen at 100 ms, FENCED on its way.
fn fencing() -> (Takeover, StoreRequest) {
    let mut takeover = down();
    let read = request(&at(&mut takeover, ms(0)));
    assert_eq!(read, StoreRequest::Get { id: read.id(), key: Key::Lease(victim()), bytes: None });
    let fence = request(&answer(&mut takeover, ms(100), &found(&read, &lease(7, LeaseState::Active), 5)));
    assert_eq!(condition(&fence), PutCondition::Matches(etag(5)));
    let written: Lease = body(&fence);
    assert_eq!((written.holder, written.sequence, written.state), (victim(), 7, LeaseState::Fenced));
    (takeover, fence)
}

#[test]
fn the_wait_begins_with_the_victims_last_sign_of_life() {
    let (mut takeover, fence) = fencing();
    answer(&mut takeover, ms(900), &done(&fence, 6));
    at(&mut takeover, ms(3_099));
    assert!(!takeover.is_cleared());
    at(&mut takeover, ms(3_100));
    assert!(takeover.is_cleared());
}

#[test]
fn an_unknown_fence_is_no_fence() {
    let (mut takeover, fence) = fencing();
    answer(&mut takeover, ms(900), &put(&fence, PutOutcome::Unknown));
    let again = request(&at(&mut takeover, ms(1_000)));
    assert_eq!(body::<Lease>(&again), body::<Lease>(&fence));
    at(&mut takeover, ms(9_000));
    assert!(!takeover.is_cleared());
    answer(&mut takeover, ms(9_000), &done(&again, 6));
    assert!(takeover.is_cleared(), "the wait was over long ago");
}

#[test]
fn who_renews_in_the_face_of_the_fence_lives() {
    let (mut takeover, fence) = fencing();
    let read = request(&answer(&mut takeover, ms(200), &put(&fence, PutOutcome::Lost)));
    answer(&mut takeover, ms(300), &found(&read, &lease(8, LeaseState::Active), 6));
    assert!(takeover.is_alive() && !takeover.is_cleared());
}

#[test]
fn a_fence_by_somebody_else_is_waited_out_too() {
    let (mut takeover, fence) = fencing();
    let read = request(&answer(&mut takeover, ms(200), &put(&fence, PutOutcome::Lost)));
    answer(&mut takeover, ms(300), &found(&read, &lease(7, LeaseState::Fenced), 6));
    at(&mut takeover, ms(3_299));
    assert!(!takeover.is_cleared(), "what stood before the other's fence is not known");
    at(&mut takeover, ms(3_300));
    assert!(takeover.is_cleared());
}

#[test]
fn who_left_by_itself_need_not_be_waited_for() {
    let mut takeover = down();
    let read = request(&at(&mut takeover, ms(0)));
    assert_eq!(answer(&mut takeover, ms(1), &found(&read, &lease(7, LeaseState::Released), 5)), []);
    assert!(takeover.is_cleared());
}

#[test]
fn a_life_without_a_lease_is_kept_from_ever_having_one() {
    let mut takeover = down();
    let read = request(&at(&mut takeover, ms(0)));
    let fence = request(&answer(&mut takeover, ms(1), &absent(&read)));
    assert_eq!((condition(&fence), body::<Lease>(&fence).state), (PutCondition::Absent, LeaseState::Fenced));
}

#[test]
fn a_suspect_is_only_watched() {
    let mut takeover = Takeover::new(victim(), Requests::new(1, 1), Nonces::new(1));
    takeover.suspected(ms(0));
    let read = request(&at(&mut takeover, ms(0)));
    assert_eq!(answer(&mut takeover, ms(100), &found(&read, &lease(7, LeaseState::Active), 5)), []);
    assert_eq!(at(&mut takeover, ms(499)), []);
    let read = request(&at(&mut takeover, ms(500)));
    takeover.down();
    // It was seen first at 100 ms and did not move: that is where the wait begins.
    let fence = request(&answer(&mut takeover, ms(2_000), &found(&read, &lease(7, LeaseState::Active), 5)));
    answer(&mut takeover, ms(2_100), &done(&fence, 6));
    at(&mut takeover, ms(3_100));
    assert!(takeover.is_cleared());
}

#[test]
fn nobody_watches_for_ever() {
    let mut takeover = Takeover::new(victim(), Requests::new(1, 1), Nonces::new(1));
    takeover.suspected(ms(1_000));
    assert!(!takeover.is_idle(ms(4_000)));
    assert!(takeover.is_idle(ms(4_001)));
    takeover.down();
    assert!(!takeover.is_idle(ms(4_001)));
}
