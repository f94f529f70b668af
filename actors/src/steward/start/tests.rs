//! The order of the steps, and which life begins; the traces B7 and C9.
use std::sync::Arc;

use featuregrid_protocol::ids::Nonce;

use super::*;
use crate::ports::Object;
use crate::ports::script::*;

fn leases(lives: &[(u64, LeaseState)]) -> Gathered {
    let object = |boot, state| {
        let lease = Lease { holder: life(1, boot), sequence: 1, state, nonce: Nonce(boot) };
        Object { bytes: Arc::clone(&bytes(&lease)), etag: etag(boot) }
    };
    lives.iter().map(|(boot, state)| (Key::Lease(life(1, *boot)), Some(object(*boot, *state)))).collect()
}

#[test]
fn every_step_waits_for_the_one_before() {
    let all = Achieved { chosen: true, leased: true, caught_up: true, restored: true };
    let order: Vec<Step> = std::iter::successors(Some(Step::FindBoot), |step| step.next(all)).collect();
    assert_eq!(order, [Step::FindBoot, Step::Lease, Step::ReadControl, Step::RestoreManifests, Step::Running]);
    assert_eq!(Step::FindBoot.next(Achieved { chosen: false, ..all }), None);
    assert_eq!(Step::Lease.next(Achieved { leased: false, ..all }), None);
    assert_eq!(Step::ReadControl.next(Achieved { caught_up: false, ..all }), None);
    // B7: what was folded without a lease is dropped before anything is sent, applied or claimed.
    assert_eq!(Step::RestoreManifests.next(Achieved { restored: false, ..all }), None);
}

#[test]
fn c9_a_restarted_node_is_a_new_life_and_its_predecessor_a_victim() {
    let before = leases(&[(1, LeaseState::Fenced), (2, LeaseState::Active), (3, LeaseState::Released)]);
    let birth = Birth::choose(NodeId(1), &before, &mut Vec::new());
    assert_eq!(birth, Birth { me: life(1, 4), predecessors: vec![life(1, 2)], adopt: None });
    let birth = Birth::choose(NodeId(1), &Gathered::new(), &mut Vec::new());
    assert_eq!(birth, Birth { me: life(1, 1), predecessors: Vec::new(), adopt: None });
}
