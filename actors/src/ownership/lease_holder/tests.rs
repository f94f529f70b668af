//! When a lease is valid, when it is renewed, when it ends; the trace C8, and the safety of the two counts.
use featuregrid_protocol::time::Span;
use proptest::prelude::*;

use super::*;
use crate::ports::script::*;
use crate::ports::{PutOutcome, StoreRequest};

fn created() -> (LeaseHolder, StoreRequest) {
    let mut out = Vec::new();
    let mut holder = LeaseHolder::new(life(1, 4), Requests::new(1, 1), Nonces::new(1), &mut out);
    holder.advance(ms(0), &mut out);
    let create = request(&out);
    (holder, create)
}

fn answer(holder: &mut LeaseHolder, now: Monotonic, reply: &StoreReply) -> Vec<Effect> {
    let mut out = Vec::new();
    assert!(holder.reply(now, reply, &mut out));
    out
}

fn at(holder: &mut LeaseHolder, now: Monotonic) -> Vec<Effect> {
    let mut out = Vec::new();
    holder.advance(now, &mut out);
    out
}

fn turn_all(holder: &mut LeaseHolder) {
    [Progress::Reader, Progress::Fold, Progress::Disk].into_iter().for_each(|what| holder.progressed(what));
}

/// Created: sent at 0, answered at 300 ms.
fn held() -> LeaseHolder {
    let (mut holder, create) = created();
    assert_eq!(condition(&create), PutCondition::Absent);
    let lease: Lease = body(&create);
    assert_eq!((lease.holder, lease.sequence, lease.state), (life(1, 4), 0, LeaseState::Active));
    assert!(!holder.is_valid(ms(1)), "not before it exists");
    assert_eq!(answer(&mut holder, ms(300), &done(&create, 1)), []);
    holder
}

/// With the renewal that was sent at 600 ms on its way.
fn renewing() -> (LeaseHolder, StoreRequest) {
    let mut holder = held();
    turn_all(&mut holder);
    let renew = request(&at(&mut holder, ms(600)));
    (holder, renew)
}

#[test]
fn it_counts_from_the_sending() {
    let holder = held();
    assert!(holder.is_valid(ms(1_999)));
    assert!(!holder.is_valid(ms(2_000)));
}

#[test]
fn it_is_renewed_over_the_version_that_stands() {
    let (mut holder, renew) = renewing();
    assert_eq!(condition(&renew), PutCondition::Matches(etag(1)));
    assert_eq!(body::<Lease>(&renew).sequence, 1);
    assert!(!holder.is_valid(ms(2_100)), "an unanswered renewal extends nothing");
    answer(&mut holder, ms(2_200), &done(&renew, 2));
    assert!(holder.is_valid(ms(2_599)) && !holder.is_valid(ms(2_600)));
}

#[test]
fn without_progress_of_every_loop_it_is_not_renewed() {
    let mut holder = held();
    holder.progressed(Progress::Reader);
    holder.progressed(Progress::Fold);
    assert_eq!(at(&mut holder, ms(5_000)), []);
    holder.progressed(Progress::Disk);
    let renew = request(&at(&mut holder, ms(5_000)));
    answer(&mut holder, ms(5_001), &done(&renew, 2));
    assert_eq!(at(&mut holder, ms(6_000)), [], "progress counts once");
}

#[test]
fn an_unknown_renewal_is_sent_again_until_it_is_decided() {
    let (mut holder, renew) = renewing();
    answer(&mut holder, ms(700), &put(&renew, PutOutcome::Unknown));
    let again = request(&at(&mut holder, ms(800)));
    assert_eq!((body::<Lease>(&again), condition(&again)), (body::<Lease>(&renew), condition(&renew)));
    let read = request(&answer(&mut holder, ms(900), &put(&again, PutOutcome::Lost)));
    answer(&mut holder, ms(1_000), &found(&read, &body::<Lease>(&renew), 2));
    // Which of the two landed is not known: the earlier one counts.
    assert!(holder.is_valid(ms(2_599)) && !holder.is_valid(ms(2_600)));
}

#[test]
fn who_is_fenced_ends_for_ever() {
    let (mut holder, renew) = renewing();
    let read = request(&answer(&mut holder, ms(700), &put(&renew, PutOutcome::Lost)));
    assert!(holder.is_valid(ms(700)), "until it is read");
    let fenced = Lease { state: LeaseState::Fenced, nonce: featuregrid_protocol::ids::Nonce(9), ..body(&renew) };
    answer(&mut holder, ms(800), &found(&read, &fenced, 3));
    assert_eq!(holder.lapse(), Some(Lapse::Fenced));
    assert!(!holder.is_valid(ms(800)) && !holder.is_held());
    turn_all(&mut holder);
    assert_eq!(at(&mut holder, ms(9_000)), []);
}

#[test]
fn c9_an_incarnation_that_exists_is_not_taken_over() {
    let (mut holder, create) = created();
    let read = request(&answer(&mut holder, ms(10), &put(&create, PutOutcome::Lost)));
    let other = Lease { nonce: featuregrid_protocol::ids::Nonce(9), ..body(&create) };
    assert_eq!(answer(&mut holder, ms(20), &found(&read, &other, 1)), []);
    assert_eq!(holder.lapse(), Some(Lapse::Foreign));
}

#[test]
fn who_leaves_stops_at_once_and_says_so() {
    let (mut holder, renew) = renewing();
    let mut out = Vec::new();
    holder.leave(ms(700), &mut out);
    assert_eq!(out, [], "the renewal on its way is decided first");
    assert!(!holder.is_valid(ms(700)));
    let release = request(&answer(&mut holder, ms(800), &done(&renew, 2)));
    assert_eq!(body::<Lease>(&release).state, LeaseState::Released);
    answer(&mut holder, ms(900), &done(&release, 3));
    assert_eq!(holder.lapse(), Some(Lapse::Left));
}

proptest! {
    /// C8: whatever the delays, and with clocks 5 % apart, the holder has stopped before the successor's wait is over.
    #[test]
    fn the_holder_stops_before_the_successor_acts(
        sent in 0i64..10_000_000, flight in 0i64..5_000_000, seen in 0i64..5_000_000, slow in 950i64..1_000,
    ) {
        // The holder's clock is the slow one; the world's time is the successor's.
        let mut holder = held();
        let holder_clock = |world: i64| Monotonic(world / 1000 * slow);
        turn_all(&mut holder);
        let at_sending = sent + 600_000 * 1000 / slow + 1000;
        let renew = request(&at(&mut holder, holder_clock(at_sending)));
        answer(&mut holder, holder_clock(at_sending + flight), &done(&renew, 2));
        let first_sight = at_sending + flight.min(seen);
        let mut observer = crate::ownership::Observer::default();
        observer.observe(Monotonic(first_sight), &etag(2));
        let acts = (0..).map(|step| first_sight + step * 1_000).find(|at| observer.has_run_out(Monotonic(*at))).unwrap_or(0);
        prop_assert!(Monotonic(acts) - Monotonic(first_sight) >= Span::seconds(3));
        prop_assert!(!holder.is_valid(holder_clock(acts)));
    }
}
