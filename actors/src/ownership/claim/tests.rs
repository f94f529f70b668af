//! Who may take a range, and that a claim is one step of the epoch.
use proptest::prelude::*;

use super::*;
use crate::ports::PutOutcome;
use crate::ports::script::*;

fn range() -> RangeId {
    RangeId::split_evenly(4)[1]
}

fn claimant() -> Claimant {
    let (nonce, v0) = (Nonce(1), v(&[(0, 5)]));
    Claimant { me: life(1, 1), nonce, released: None, v0, index: ControlIndex(2) }
}

fn manifest(epoch: u64, owner: Option<Incarnation>, released_to: Option<Incarnation>) -> Manifest {
    let positions = [(featuregrid_protocol::ids::PartitionId(0), PartitionPosition::start(70))].into();
    let (epoch, index) = (Epoch(epoch), ControlIndex(1));
    Manifest { range: range(), epoch, owner, released_to, positions, index, parts: Vec::new(), nonce: Nonce(9) }
}

struct Script {
    claim: Claim,
    requests: Requests,
    cleared: BTreeSet<Incarnation>,
}

impl Script {
    fn new(claimant: Claimant, cleared: &[Incarnation]) -> Self {
        let cleared = cleared.iter().copied().collect();
        Self { claim: Claim::new(range(), claimant), requests: Requests::new(1, 1), cleared }
    }

    fn at(&mut self, now: Monotonic, leased: bool) -> Vec<Effect> {
        let mut out = Vec::new();
        self.claim.advance(now, leased, &mut self.requests, &mut out);
        out
    }

    fn answer(&mut self, reply: &StoreReply) {
        let mut out = Vec::new();
        assert!(self.claim.reply(ms(10), reply, &self.cleared, &mut out));
        assert_eq!(out, []);
    }

    /// The manifest is read; what is written then, if anything.
    fn read(&mut self, found_there: &Manifest) -> Option<StoreRequest> {
        let read = request(&self.at(ms(0), true));
        self.answer(&found(&read, found_there, 4));
        let out = self.at(ms(20), true);
        requests(&out).into_iter().find(|request| matches!(request, StoreRequest::Put { .. }))
    }
}

#[test]
fn a_range_nobody_ever_had_begins_at_genesis() {
    let mut script = Script::new(claimant(), &[]);
    let read = request(&script.at(ms(0), true));
    script.answer(&absent(&read));
    let write = request(&script.at(ms(1), true));
    assert_eq!(condition(&write), PutCondition::Absent);
    let first: Manifest = body(&write);
    assert_eq!((first.epoch, first.owner, first.index), (Epoch(1), Some(life(1, 1)), ControlIndex(2)));
    assert_eq!(featuregrid_protocol::position::offsets(&first.positions), v(&[(0, 5)]));
    script.answer(&done(&write, 1));
    assert_eq!(script.claim.outcome(), Some(&Claimed::Mine(Known { manifest: first, etag: etag(1) })));
}

#[test]
fn a_released_range_is_taken_with_the_next_epoch_and_all_its_state() {
    let released = manifest(6, None, Some(life(1, 1)));
    let mut script = Script::new(claimant(), &[]);
    let write = script.read(&released).unwrap();
    assert_eq!(condition(&write), PutCondition::Matches(etag(4)));
    let next = Manifest { epoch: Epoch(7), owner: Some(life(1, 1)), released_to: None, nonce: Nonce(1), ..released };
    assert_eq!(body::<Manifest>(&write), next);
}

#[test]
fn who_may_claim() {
    let (me, other) = (life(1, 1), life(2, 1));
    let reclaimer = Claimant { released: Some(Epoch(6)), ..claimant() };
    for (claimant, owner, released_to, cleared, may) in [
        (claimant(), Some(other), None, vec![], false),
        (claimant(), Some(other), None, vec![other], true),
        (claimant(), Some(life(1, 0)), None, vec![], false),
        (claimant(), None, None, vec![], true),
        (claimant(), None, Some(me), vec![], true),
        (claimant(), None, Some(other), vec![], false),
        (claimant(), None, Some(other), vec![other], true),
        (reclaimer.clone(), None, Some(other), vec![], true),
        (reclaimer, Some(other), None, vec![], false),
    ] {
        let mut script = Script::new(claimant, &cleared);
        let write = script.read(&manifest(6, owner, released_to));
        assert_eq!(write.is_some(), may, "{owner:?} {released_to:?} {cleared:?}");
        if !may {
            assert_eq!(script.claim.outcome(), Some(&Claimed::Refused { epoch: Epoch(6), owner, released_to }));
        }
    }
    // What was released in an earlier epoch is not taken back.
    let mut script = Script::new(Claimant { released: Some(Epoch(5)), ..self::claimant() }, &[]);
    assert_eq!(script.read(&manifest(6, None, Some(other))), None);
}

#[test]
fn nothing_is_written_without_a_lease() {
    let mut script = Script::new(claimant(), &[]);
    let read = request(&script.at(ms(0), false));
    script.answer(&absent(&read));
    assert_eq!(script.at(ms(5), false), []);
    assert_eq!(requests(&script.at(ms(6), true)).len(), 1);
}

#[test]
fn a_claim_that_comes_second_is_refused_by_what_stands() {
    let mut script = Script::new(claimant(), &[]);
    let write = script.read(&manifest(6, None, None)).unwrap();
    script.answer(&put(&write, PutOutcome::Lost));
    let back = request(&script.at(ms(30), true));
    script.answer(&found(&back, &manifest(7, Some(life(2, 1)), None), 5));
    let refused = Claimed::Refused { epoch: Epoch(7), owner: Some(life(2, 1)), released_to: None };
    assert_eq!(script.claim.outcome(), Some(&refused));
}

proptest! {
    /// However many claim a free range at once, in whatever order their steps come, one has it, one epoch later.
    #[test]
    fn one_claimant_wins(order in prop::collection::vec(0usize..3, 0..40)) {
        let mut shelf = Shelf::default();
        shelf.put(Key::Manifest(range()), &manifest(6, None, None));
        let mut claims: Vec<_> = (0..3u32).map(|node| {
            let claimant = Claimant { me: life(node, 1), nonce: Nonce(100 + u64::from(node)), ..claimant() };
            (Script::new(claimant, &[]), None::<StoreRequest>)
        }).collect();
        for at in order.into_iter().chain((0..30).map(|i| i % 3)) {
            let (script, open) = &mut claims[at];
            match open.take() {
                Some(request) => script.answer(&shelf.answer(&request)),
                None => *open = requests(&script.at(ms(1_000), true)).pop(),
            }
        }
        let winners: Vec<_> = claims.iter().filter(|(s, _)| matches!(s.claim.outcome(), Some(Claimed::Mine(_)))).collect();
        prop_assert_eq!(winners.len(), 1);
        prop_assert!(claims.iter().all(|(script, _)| script.claim.outcome().is_some()));
        let stands: Manifest = shelf.read(&Key::Manifest(range())).unwrap();
        prop_assert_eq!(stands.epoch, Epoch(7));
        prop_assert_eq!(stands.owner, Some(winners[0].0.claim.claimant.me));
    }
}
