//! How a proposal becomes a decision; the traces B5 and B9, and who has to be held.
use featuregrid_protocol::control::ControlChange;
use featuregrid_protocol::ids::{Epoch, Nonce, PartitionId};
use featuregrid_protocol::position::PartitionPosition;
use proptest::prelude::*;

use super::*;
use crate::ports::script::*;

fn ranges() -> Vec<RangeId> {
    RangeId::split_evenly(2)
}

fn proposal() -> Proposal {
    let (index, change) =
        (ControlIndex(3), ControlChange::Definitions { definitions: "d".to_owned(), begins: OffsetVector::default() });
    Proposal {
        entry: ControlEntry { index, change, coordinator: life(1, 1), nonce: Nonce(3) },
        active: (ControlIndex(1), v(&[(0, 10)])),
        ranges: ranges(),
        overridden: false,
    }
}

fn lease(holder: Incarnation, state: LeaseState) -> (Key, Lease) {
    (Key::Lease(holder), Lease { holder, sequence: 1, state, nonce: Nonce(1) })
}

fn manifest(range: usize, owner: Option<Incarnation>, index: u64, at: &[(u32, u64)]) -> Manifest {
    Manifest {
        range: ranges()[range],
        epoch: Epoch(1),
        owner,
        released_to: None,
        positions: at.iter().map(|(p, next)| (PartitionId(*p), PartitionPosition::start(*next))).collect(),
        index: ControlIndex(index),
        parts: Vec::new(),
        nonce: Nonce(7),
    }
}

/// A store with these leases and manifests.
fn shelf(leases: &[(Key, Lease)], manifests: &[Manifest]) -> Shelf {
    let mut shelf = Shelf::default();
    leases.iter().for_each(|(key, lease)| {
        shelf.put(key.clone(), lease);
    });
    manifests.iter().for_each(|manifest| {
        shelf.put(Key::Manifest(manifest.range), manifest);
    });
    shelf
}

/// Everything that is asked for is answered at once.
fn advance(coordinator: &mut Coordinator, now: Monotonic, shelf: &mut Shelf) -> Vec<Effect> {
    let mut out = Vec::new();
    coordinator.advance(now, &mut out);
    shelf.serve(out, |reply, out| assert!(coordinator.reply(now, reply, out)))
}

fn report(coordinator: &mut Coordinator, shelf: &mut Shelf, from: Incarnation, at: &[(u32, u64)]) {
    let mut out = Vec::new();
    coordinator.report(ms(10), from, ControlIndex(3), v(at), &mut out);
    shelf.serve(out, |reply, out| assert!(coordinator.reply(ms(10), reply, out)));
}

fn decision(coordinator: &Coordinator) -> Option<Decision> {
    match coordinator.conclusion() {
        Some(Conclusion::Decided(decision)) => Some(decision.clone()),
        _ => None,
    }
}

#[test]
fn a_is_the_largest_of_reports_manifests_and_the_activation_before() {
    let leases = [lease(life(1, 1), LeaseState::Active), lease(life(2, 1), LeaseState::Active)];
    let manifests = [manifest(0, Some(life(1, 1)), 1, &[(0, 4), (1, 60)]), manifest(1, Some(life(2, 1)), 1, &[])];
    let mut shelf = shelf(&leases, &manifests);
    let mut coordinator = Coordinator::new(proposal(), Requests::new(1, 1));
    let look = |to| Effect::Send { to, message: Message::Look { index: ControlIndex(3) } };
    let seen = advance(&mut coordinator, ms(0), &mut shelf);
    assert_eq!(seen, [look(life(1, 1)), look(life(2, 1))]);
    assert_eq!(shelf.read::<ControlEntry>(&Key::Control(ControlIndex(3))), Some(proposal().entry));
    report(&mut coordinator, &mut shelf, life(1, 1), &[(0, 7), (1, 50)]);
    assert_eq!(decision(&coordinator), None);
    report(&mut coordinator, &mut shelf, life(2, 1), &[(2, 3)]);
    let active = Decision::Active(v(&[(0, 10), (1, 60), (2, 3)]));
    assert_eq!(decision(&coordinator), Some(active.clone()));
    assert_eq!(shelf.read(&Key::Decision(ControlIndex(3))), Some(active));
}

#[test]
fn b5_the_manifest_of_a_released_or_dead_owner_counts() {
    let manifests = [manifest(0, None, 1, &[(0, 500)])];
    let mut shelf = shelf(&[lease(life(1, 1), LeaseState::Active)], &manifests);
    let mut coordinator = Coordinator::new(proposal(), Requests::new(1, 1));
    advance(&mut coordinator, ms(0), &mut shelf);
    report(&mut coordinator, &mut shelf, life(1, 1), &[(0, 20)]);
    assert_eq!(decision(&coordinator), Some(Decision::Active(v(&[(0, 500)]))));
}

#[test]
fn b9_the_activation_before_counts() {
    let mut shelf = shelf(&[lease(life(1, 1), LeaseState::Active)], &[]);
    let mut coordinator = Coordinator::new(proposal(), Requests::new(1, 1));
    advance(&mut coordinator, ms(0), &mut shelf);
    report(&mut coordinator, &mut shelf, life(1, 1), &[(0, 2)]);
    assert_eq!(decision(&coordinator), Some(Decision::Active(v(&[(0, 10)]))));
}

#[test]
fn an_owner_who_is_fenced_could_still_commit_so_the_number_is_aborted() {
    let leases = [lease(life(1, 1), LeaseState::Active), lease(life(2, 1), LeaseState::Fenced)];
    let mut shelf = shelf(&leases, &[manifest(0, Some(life(2, 1)), 1, &[])]);
    let mut coordinator = Coordinator::new(proposal(), Requests::new(1, 1));
    advance(&mut coordinator, ms(0), &mut shelf);
    report(&mut coordinator, &mut shelf, life(1, 1), &[]);
    assert_eq!(decision(&coordinator), Some(Decision::Aborted));
}

#[test]
fn an_owner_who_joined_under_the_hold_is_held() {
    let mut shelf = shelf(&[lease(life(1, 1), LeaseState::Active)], &[]);
    let mut coordinator = Coordinator::new(proposal(), Requests::new(1, 1));
    advance(&mut coordinator, ms(0), &mut shelf);
    let (key, joiner) = lease(life(2, 1), LeaseState::Active);
    shelf.put(key, &joiner);
    shelf.put(Key::Manifest(ranges()[0]), &manifest(0, Some(life(2, 1)), 1, &[(0, 30)]));
    report(&mut coordinator, &mut shelf, life(1, 1), &[]);
    assert_eq!(decision(&coordinator), Some(Decision::Active(v(&[(0, 30)]))));
}

#[test]
fn a_silent_node_aborts_the_number_after_two_seconds() {
    let leases = [lease(life(1, 1), LeaseState::Active), lease(life(2, 1), LeaseState::Active)];
    let mut shelf = shelf(&leases, &[]);
    let mut coordinator = Coordinator::new(proposal(), Requests::new(1, 1));
    advance(&mut coordinator, ms(0), &mut shelf);
    report(&mut coordinator, &mut shelf, life(1, 1), &[]);
    advance(&mut coordinator, ms(1_999), &mut shelf);
    assert_eq!(decision(&coordinator), None);
    advance(&mut coordinator, ms(2_000), &mut shelf);
    assert_eq!(decision(&coordinator), Some(Decision::Aborted));
}

#[test]
fn the_decision_that_stands_is_obeyed() {
    let mut shelf = shelf(&[lease(life(1, 1), LeaseState::Active)], &[]);
    let mut coordinator = Coordinator::new(proposal(), Requests::new(1, 1));
    advance(&mut coordinator, ms(0), &mut shelf);
    shelf.put(Key::Decision(ControlIndex(3)), &Decision::Aborted);
    report(&mut coordinator, &mut shelf, life(1, 1), &[]);
    assert_eq!(decision(&coordinator), Some(Decision::Aborted));
}

#[test]
fn a_number_that_is_taken_is_not_touched() {
    let mut shelf = shelf(&[], &[]);
    let other = ControlEntry { nonce: Nonce(99), ..proposal().entry };
    shelf.put(Key::Control(ControlIndex(3)), &other);
    let mut coordinator = Coordinator::new(proposal(), Requests::new(1, 1));
    advance(&mut coordinator, ms(0), &mut shelf);
    assert_eq!(coordinator.conclusion(), Some(&Conclusion::Superseded));
    assert_eq!(shelf.read(&Key::Control(ControlIndex(3))), Some(other));
}

#[test]
fn nothing_is_prepared_while_a_manifest_is_behind_the_index_in_force() {
    let behind = [manifest(1, None, 0, &[])];
    let mut store = shelf(&[], &behind);
    let mut coordinator = Coordinator::new(proposal(), Requests::new(1, 1));
    advance(&mut coordinator, ms(0), &mut store);
    assert_eq!(coordinator.conclusion(), Some(&Conclusion::NotReady(ranges()[1])));
    assert_eq!(store.read::<ControlEntry>(&Key::Control(ControlIndex(3))), None);
    let overridden = Proposal { overridden: true, ..proposal() };
    let mut coordinator = Coordinator::new(overridden, Requests::new(1, 1));
    advance(&mut coordinator, ms(0), &mut store);
    assert_eq!(store.read::<ControlEntry>(&Key::Control(ControlIndex(3))), Some(proposal().entry));
}

proptest! {
    /// Whatever reports and manifests say, A covers all of them and names no offset that nobody named.
    #[test]
    fn a_covers_everything_and_nothing_more(
        reports in prop::collection::vec(prop::collection::btree_map(0u32..4, 0u64..100, 0..4), 1..4),
        stored in prop::collection::vec(prop::collection::btree_map(0u32..4, 0u64..100, 0..4), 2),
    ) {
        let lives: Vec<Incarnation> = (0..reports.len() as u32).map(|node| life(node, 1)).collect();
        let leases: Vec<_> = lives.iter().map(|life| lease(*life, LeaseState::Active)).collect();
        let pairs = |map: &BTreeMap<u32, u64>| map.iter().map(|(p, next)| (*p, *next)).collect::<Vec<_>>();
        let manifests: Vec<_> = stored.iter().enumerate().map(|(i, at)| manifest(i, Some(lives[0]), 1, &pairs(at))).collect();
        let mut shelf = shelf(&leases, &manifests);
        let mut coordinator = Coordinator::new(proposal(), Requests::new(1, 1));
        advance(&mut coordinator, ms(0), &mut shelf);
        for (life, at) in lives.iter().zip(&reports) {
            report(&mut coordinator, &mut shelf, *life, &pairs(at));
        }
        let Some(Decision::Active(at)) = decision(&coordinator) else { return Err(TestCaseError::fail("not active")) };
        for p in 0..4u32 {
            let named = reports.iter().chain(&stored).filter_map(|map| map.get(&p).copied());
            let want = named.chain((p == 0).then_some(10)).max().unwrap_or(0);
            prop_assert_eq!(at.get(PartitionId(p)), want);
        }
    }
}
