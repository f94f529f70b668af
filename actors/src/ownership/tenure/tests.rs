//! A range's whole story at one node: claim, commit, give, take, fail; the trace C1, and every deadline of a move.
use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::limits::{MOVE_CUT_MAX, MOVE_RESEND_EVERY, MOVE_SILENCE_MAX, MOVED_HINT, STORE_RETRY_AFTER};
use featuregrid_protocol::position::PartitionPosition;

use super::*;
use crate::ports::script::*;
use crate::ports::{Key, PutOutcome, StoreRequest};

fn range() -> RangeId {
    RangeId::split_evenly(4)[1]
}

fn me() -> Incarnation {
    life(1, 1)
}

fn successor() -> Incarnation {
    life(2, 1)
}

struct Script {
    tenure: Tenure,
    shelf: Shelf,
    now: Monotonic,
    leased: bool,
    v0: OffsetVector,
    cleared: BTreeSet<Incarnation>,
}

impl Script {
    fn new() -> Self {
        let tenure = Tenure::new(range(), me(), Requests::new(1, 1), Nonces::new(1));
        let (v0, cleared) = (v(&[(0, 5)]), BTreeSet::new());
        Self { tenure, shelf: Shelf::default(), now: ms(0), leased: true, v0, cleared }
    }

    /// Lets the tenure act, without the store.
    fn act<T>(&mut self, act: impl FnOnce(&mut Tenure, Circumstances, &mut Vec<Effect>) -> T) -> (T, Vec<Effect>) {
        let (now, leased, index) = (self.now, self.leased, ControlIndex(0));
        let with = Circumstances { now, leased, cleared: &self.cleared, v0: &self.v0, index };
        let mut out = Vec::new();
        (act(&mut self.tenure, with, &mut out), out)
    }

    fn tick(&mut self) -> Vec<Effect> {
        self.act(|tenure, with, out| tenure.advance(with, out)).1
    }

    fn later(&mut self, span: featuregrid_protocol::time::Span) -> Vec<Effect> {
        self.now = self.now + span;
        self.tick()
    }

    fn reply(&mut self, reply: &StoreReply) -> Vec<Effect> {
        let (awaited, out) = self.act(|tenure, with, out| tenure.reply(with, reply, out));
        assert!(awaited);
        out
    }

    fn hear(&mut self, from: Incarnation, message: Message) -> Vec<Effect> {
        self.act(|tenure, with, out| tenure.receive(with, from, &message, out)).1
    }

    /// Performs requests and what follows from them; everything else.
    fn serve(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut seen = others(&effects);
        let mut open = requests(&effects);
        while let Some(request) = open.pop() {
            let reply = self.shelf.answer(&request);
            let out = self.reply(&reply);
            seen.extend(others(&out));
            open.extend(requests(&out));
        }
        seen
    }

    fn manifest(&self) -> Manifest {
        self.shelf.read(&Key::Manifest(range())).unwrap()
    }

    /// Owned in epoch 1.
    fn owned() -> Self {
        let mut script = Self::new();
        script.tenure.wish(true);
        let effects = script.tick();
        let seen = script.serve(effects);
        assert_eq!(seen, [Effect::Promote { range: range(), manifest: Arc::new(script.manifest()) }]);
        assert_eq!((script.tenure.role(), script.tenure.may_act()), (Role::Owner, true));
        script
    }

    /// The successor is close, effects have stopped, no cut yet.
    fn cutting() -> Self {
        let mut script = Self::owned();
        script.tenure.wish(false);
        script.tenure.applied(v(&[(0, 1_500)]));
        let (given, out) = script.act(|tenure, with, out| tenure.give(with, successor(), out));
        assert_eq!(given, Ok(()));
        let prepare = Message::Prepare { range: range(), epoch: Epoch(1) };
        assert_eq!(out, [Effect::Send { to: successor(), message: prepare }]);
        // Too far behind, then close enough.
        assert_eq!(script.catching_up(499), []);
        assert_eq!(script.catching_up(500), [Effect::StopEffects { range: range() }]);
        assert!(!script.tenure.may_act());
        script
    }

    fn catching_up(&mut self, next: u64) -> Vec<Effect> {
        self.hear(successor(), Message::CatchingUp { range: range(), epoch: Epoch(1), v: v(&[(0, next)]) })
    }

    /// The cut is handed in; the part is uploaded; the release is on its way.
    fn releasing() -> (Self, StoreRequest) {
        let mut script = Self::cutting();
        let (cut, out) = script.act(|tenure, with, out| tenure.cut(with, snapshot(1_500), out));
        assert_eq!(cut, Ok(()));
        let reply = script.shelf.answer(&request(&out));
        let release = request(&script.reply(&reply));
        assert_eq!(body::<Manifest>(&release).released_to, Some(successor()));
        (script, release)
    }

    fn released() -> Self {
        let (mut script, release) = Self::releasing();
        let reply = script.shelf.answer(&release);
        let out = script.reply(&reply);
        let want = [
            Effect::Committed { range: range(), epoch: Epoch(1), v: v(&[(0, 1_500)]) },
            Effect::Demote { range: range(), epoch: Epoch(1), to: Some(successor()) },
            released_message(),
        ];
        assert_eq!(out, want);
        assert_eq!((script.tenure.role(), script.tenure.hint()), (Role::Standby, Some(successor())));
        script
    }
}

fn released_message() -> Effect {
    Effect::Send { to: successor(), message: Message::Released { range: range(), epoch: Epoch(1) } }
}

fn cancelled() -> Effect {
    Effect::Send { to: successor(), message: Message::Cancelled { range: range(), epoch: Epoch(1) } }
}

fn snapshot(next: u64) -> Snapshot {
    let positions = [(PartitionId(0), PartitionPosition::start(next))].into();
    Snapshot { positions, index: ControlIndex(0), since: None, part: Arc::from(&b"pages"[..]) }
}

#[test]
fn a_commit_makes_state_durable_and_one_is_on_its_way_at_most() {
    let mut script = Script::owned();
    let (done, out) = script.act(|tenure, with, out| tenure.commit(with, snapshot(9), out));
    assert_eq!(done, Ok(()));
    let (second, _) = script.act(|tenure, with, out| tenure.commit(with, snapshot(9), out));
    assert_eq!(second, Err(CommitError::Undecided(range())));
    assert!(script.tenure.may_act(), "effects go on while a plain commit is undecided");
    let seen = script.serve(out);
    assert_eq!(seen, [Effect::Committed { range: range(), epoch: Epoch(1), v: v(&[(0, 9)]) }]);
    assert_eq!(script.manifest().parts.len(), 1);
    script.leased = false;
    let (refused, _) = script.act(|tenure, with, out| tenure.commit(with, snapshot(10), out));
    assert_eq!(refused, Err(CommitError::NotLeased(range())));
}

#[test]
fn an_owner_that_finds_another_in_its_place_steps_back() {
    let mut script = Script::owned();
    let stands = Manifest { epoch: Epoch(2), owner: Some(successor()), ..script.manifest() };
    script.shelf.put(Key::Manifest(range()), &stands);
    let (_, out) = script.act(|tenure, with, out| tenure.commit(with, snapshot(9), out));
    let seen = script.serve(out);
    assert_eq!(seen, [Effect::Demote { range: range(), epoch: Epoch(1), to: Some(successor()) }]);
    assert_eq!((script.tenure.role(), script.tenure.has_twin()), (Role::None, false));
}

#[test]
fn an_owner_that_finds_itself_in_its_place_has_a_twin() {
    let mut script = Script::owned();
    let stands = Manifest { nonce: featuregrid_protocol::ids::Nonce(5), ..script.manifest() };
    script.shelf.put(Key::Manifest(range()), &stands);
    let (_, out) = script.act(|tenure, with, out| tenure.commit(with, snapshot(9), out));
    script.serve(out);
    assert!(script.tenure.has_twin());
}

#[test]
fn an_index_in_force_is_written_without_state() {
    let mut script = Script::owned();
    let with = |cleared, v0| Circumstances { now: ms(1), leased: true, cleared, v0, index: ControlIndex(4) };
    let mut out = Vec::new();
    script.tenure.advance(with(&BTreeSet::new(), &v(&[])), &mut out);
    let written: Manifest = body(&request(&out));
    assert_eq!(written.index, ControlIndex(4));
    assert_eq!(written.positions, script.manifest().positions);
}

#[test]
fn a_move_ends_with_the_successors_claim_and_a_hint() {
    let mut script = Script::released();
    let claimed = Message::Claimed { range: range(), epoch: Epoch(2) };
    assert_eq!(script.hear(successor(), claimed), []);
    script.now = script.now + MOVED_HINT + featuregrid_protocol::time::Span(-1);
    assert_eq!(script.tick(), []);
    assert_eq!(script.tenure.hint(), Some(successor()));
    script.now = script.now + featuregrid_protocol::time::Span(1);
    assert_eq!(script.tick(), [Effect::Forget { range: range() }]);
    assert_eq!((script.tenure.role(), script.tenure.hint()), (Role::None, None));
}

#[test]
fn c1_an_undecided_release_is_neither_done_nor_not_done() {
    let (mut script, release) = Script::releasing();
    script.reply(&put(&release, PutOutcome::Unknown));
    // However long it takes, nothing is asked but the same again, and effects stay stopped.
    for _ in 0..100 {
        let again = request(&script.later(STORE_RETRY_AFTER));
        assert_eq!(body::<Manifest>(&again), body::<Manifest>(&release));
        assert_eq!(condition(&again), condition(&release));
        assert!(!script.tenure.may_act());
        assert_eq!(others(&script.reply(&put(&again, PutOutcome::Unknown))), []);
    }
    assert!(script.now > ms(0) + MOVE_CUT_MAX);
    // It landed long ago: the range is released, not resumed.
    script.shelf.answer(&release);
    let again = request(&script.later(STORE_RETRY_AFTER));
    let seen = script.serve(vec![Effect::Store(again)]);
    assert_eq!(seen[1], Effect::Demote { range: range(), epoch: Epoch(1), to: Some(successor()) });
}

#[test]
fn without_a_cut_effects_resume() {
    let mut script = Script::cutting();
    assert_eq!(script.later(MOVE_CUT_MAX + featuregrid_protocol::time::Span(-1)), []);
    let out = script.later(featuregrid_protocol::time::Span(1));
    assert_eq!(out, [cancelled(), Effect::ResumeEffects { range: range() }]);
    assert_eq!((script.tenure.role(), script.tenure.may_act()), (Role::Owner, true));
}

#[test]
fn a_silent_successor_loses_the_range_again() {
    let mut script = Script::released();
    let out = script.later(MOVE_SILENCE_MAX);
    let seen = script.serve(out);
    let back = script.manifest();
    assert_eq!((back.epoch, back.owner), (Epoch(2), Some(me())));
    assert_eq!(others(&seen), [released_message(), Effect::Promote { range: range(), manifest: Arc::new(back) }]);
    assert!(script.tenure.may_act());
}

#[test]
fn a_successor_that_was_merely_slow_keeps_it() {
    let mut script = Script::released();
    let stands = Manifest { epoch: Epoch(2), owner: Some(successor()), released_to: None, ..script.manifest() };
    script.shelf.put(Key::Manifest(range()), &stands);
    let out = script.later(MOVE_SILENCE_MAX);
    script.serve(out);
    assert_eq!((script.tenure.role(), script.tenure.hint()), (Role::Standby, Some(successor())));
    assert_eq!(script.manifest(), stands);
}

#[test]
fn a_successor_stands_by_catches_up_and_claims() {
    let mut script = Script::new();
    let owned = Manifest { owner: Some(life(3, 1)), ..Script::owned().manifest() };
    script.shelf.put(Key::Manifest(range()), &owned);
    let prepare = Message::Prepare { range: range(), epoch: Epoch(1) };
    script.tenure.applied(v(&[(0, 30)]));
    let report = Message::CatchingUp { range: range(), epoch: Epoch(1), v: v(&[(0, 30)]) };
    let report = Effect::Send { to: life(3, 1), message: report };
    let out = script.hear(life(3, 1), prepare.clone());
    assert_eq!(out, [Effect::StandBy { range: range() }, report.clone()]);
    assert_eq!((script.tenure.role(), script.tenure.may_act()), (Role::Standby, false));
    assert_eq!(script.hear(life(3, 1), prepare), []);
    assert_eq!(script.later(MOVE_RESEND_EVERY), [report]);
    let released = Manifest { owner: None, released_to: Some(me()), ..owned };
    script.shelf.put(Key::Manifest(range()), &released);
    let out = script.hear(life(3, 1), Message::Released { range: range(), epoch: Epoch(1) });
    let seen = script.serve(out);
    let manifest = Arc::new(script.manifest());
    assert_eq!((manifest.epoch, manifest.owner), (Epoch(2), Some(me())));
    let claimed = Message::Claimed { range: range(), epoch: Epoch(2) };
    let say = Effect::Send { to: life(3, 1), message: claimed };
    assert_eq!(seen, [say.clone(), Effect::Promote { range: range(), manifest }]);
    // The former owner did not hear it.
    assert_eq!(script.hear(life(3, 1), Message::Released { range: range(), epoch: Epoch(1) }), [say]);
}

#[test]
fn a_successor_whose_owner_died_after_the_release_finds_out_by_itself() {
    let mut script = Script::new();
    script.hear(successor(), Message::Prepare { range: range(), epoch: Epoch(1) });
    let released = Manifest { owner: None, released_to: Some(me()), ..Script::owned().manifest() };
    script.shelf.put(Key::Manifest(range()), &released);
    let out = script.later(RECONCILE_EVERY);
    script.serve(out);
    assert_eq!(script.tenure.role(), Role::Owner);
}

#[test]
fn a_cancelled_successor_goes_back() {
    let mut script = Script::new();
    script.hear(successor(), Message::Prepare { range: range(), epoch: Epoch(1) });
    let out = script.hear(successor(), Message::Cancelled { range: range(), epoch: Epoch(1) });
    assert_eq!(out, [Effect::LeaveStandby { range: range() }]);
    assert_eq!(script.tenure.role(), Role::None);
}

#[test]
fn a_range_released_to_somebody_else_is_pointed_out_to_them() {
    let mut script = Script::new();
    let released = Manifest { owner: None, released_to: Some(successor()), ..Script::owned().manifest() };
    script.shelf.put(Key::Manifest(range()), &released);
    script.tenure.wish(true);
    let out = script.tick();
    assert_eq!(script.serve(out), [released_message()]);
    assert_eq!(script.tenure.blocked_by(), Some(successor()));
    // Once the successor is known to act no more, the range is free, and claimed at once.
    assert_eq!(script.tick(), []);
    script.cleared.insert(successor());
    let out = script.tick();
    script.serve(out);
    assert_eq!(script.tenure.role(), Role::Owner);
}

#[test]
fn moves_that_make_no_sense_are_refused() {
    let mut script = Script::owned();
    let (here, _) = script.act(|tenure, with, out| tenure.give(with, me(), out));
    assert_eq!(here, Err(MoveError::Here(range())));
    let mut cutting = Script::cutting();
    let (twice, _) = cutting.act(|tenure, with, out| tenure.give(with, life(3, 1), out));
    assert_eq!(twice, Err(MoveError::Moving(range())));
    let (nothing, _) = Script::new().act(|tenure, with, out| tenure.give(with, successor(), out));
    assert_eq!(nothing, Err(MoveError::NotOwner(range())));
}
