//! One turn of the steward: an input, then everything that follows from it. Knows no rule of any machine, only who waits
//! for whom.

use std::collections::BTreeSet;

use featuregrid_protocol::control::{ControlEntry, Decision};
use featuregrid_protocol::ids::{ControlIndex, Incarnation};
use featuregrid_protocol::limits::PROPOSE_RETRY_AFTER;
use featuregrid_protocol::range::RangeId;

use super::holdings::Tenures;
use super::{Birth, Conclusion, Effect, LANES, Message, Proposed, RANGE_LANES, Step, Steward};
use crate::control::{Coordinator, Participant, Proposal};
use crate::ownership::tenure::Circumstances;
use crate::ownership::{CommitError, Lapse, LeaseHolder, Takeover, Tenure};
use crate::ports::gather::Gather;
use crate::ports::{Monotonic, Nonces, Prefix, Requests, StoreReply};
use crate::snapshot::garbage::Collector;

impl Steward {
    /// An input, and what follows from it. A life that is over does nothing.
    pub(super) fn turn(&mut self, now: Monotonic, input: impl FnOnce(&mut Self, &mut Vec<Effect>)) -> Vec<Effect> {
        let mut out = Vec::new();
        if self.ended.is_some() {
            return out;
        }
        input(self, &mut out);
        self.advance(now, &mut out);
        while let Some(message) = self.to_self(&mut out) {
            let me = self.incarnation().unwrap_or_default();
            self.take(now, me, &message, &mut out);
            self.advance(now, &mut out);
        }
        out
    }

    /// A message to this very life does not leave the node.
    fn to_self(&self, out: &mut Vec<Effect>) -> Option<Message> {
        let me = self.incarnation()?;
        let at = out.iter().position(|effect| matches!(effect, Effect::Send { to, .. } if *to == me))?;
        match out.remove(at) {
            Effect::Send { message, .. } => Some(message),
            _ => None,
        }
    }

    /// Ids and nonces of a new machine.
    pub(super) fn lane(&mut self) -> Requests {
        self.lanes += 1;
        Requests::new(self.life, self.lanes)
    }

    fn fork(&mut self) -> Nonces {
        Nonces::new(self.nonces.next_nonce().0)
    }

    pub(super) fn find_boot(&mut self) {
        let requests = self.lane();
        self.births = Some((Gather::prefix(Prefix::LeasesOf(self.node)), requests));
        self.step = Step::FindBoot;
    }

    pub(super) fn tenure_mut(&mut self, range: RangeId) -> Option<&mut Tenure> {
        let all = self.tenures.len();
        self.tenures.get_mut(range.index()).filter(|_| all == 1 << range.bits)
    }

    /// Lends a range what all ranges have in common.
    pub(super) fn with<T>(
        &mut self,
        now: Monotonic,
        range: RangeId,
        act: impl FnOnce(&mut Tenure, Circumstances) -> T,
    ) -> Option<T> {
        let (leased, index) = (self.is_leased(now), self.index());
        let all = self.tenures.len();
        let tenure = self.tenures.get_mut(range.index()).filter(|_| all == 1 << range.bits)?;
        Some(act(tenure, Circumstances { now, leased, cleared: &self.cleared, v0: &self.v0, index }))
    }

    pub(super) fn commit_by(
        &mut self,
        now: Monotonic,
        range: RangeId,
        act: impl FnOnce(&mut Tenure, Circumstances, &mut Vec<Effect>) -> Result<(), CommitError>,
    ) -> Result<Vec<Effect>, CommitError> {
        let mut result = Err(CommitError::NotOwner(range));
        let effects = self.turn(now, |steward, out| {
            if steward.is_running() {
                let done = steward.with(now, range, |tenure, with| act(tenure, with, out));
                result = done.unwrap_or(Err(CommitError::NotOwner(range)));
            }
        });
        result.map(|()| effects)
    }

    /// The takeover of a life; none of one's own, and none of who is known to act no more.
    pub(super) fn takeover(&mut self, now: Monotonic, life: Incarnation) -> Option<&mut Takeover> {
        if Some(life) == self.incarnation() || self.cleared.contains(&life) {
            return None;
        }
        if !self.takeovers.contains_key(&life) {
            let takeover = Takeover::new(life, self.lane(), self.fork());
            self.takeovers.insert(life, takeover);
        }
        let takeover = self.takeovers.get_mut(&life)?;
        takeover.suspected(now);
        Some(takeover)
    }

    fn index(&self) -> ControlIndex {
        let active = self.participant.as_ref().and_then(|participant| participant.active());
        active.map(|(index, _)| *index).unwrap_or_default()
    }

    /// Finds the machine that asked.
    pub(super) fn route(&mut self, now: Monotonic, reply: &StoreReply, out: &mut Vec<Effect>) {
        let lane = reply.id().lane;
        if (RANGE_LANES..LANES).contains(&lane) {
            let (leased, index) = (self.is_leased(now), self.index());
            let with = Circumstances { now, leased, cleared: &self.cleared, v0: &self.v0, index };
            if let Some(tenure) = self.tenures.get_mut((lane - RANGE_LANES) as usize) {
                tenure.reply(with, reply, out);
            }
            return;
        }
        let _ = self.births.as_mut().is_some_and(|(births, _)| births.accept(now, reply))
            || self.lease.as_mut().is_some_and(|lease| lease.reply(now, reply, out))
            || self.participant.as_mut().is_some_and(|participant| participant.reply(now, reply, out))
            || self.coordinator.as_mut().is_some_and(|coordinator| coordinator.reply(now, reply, out))
            || self.takeovers.values_mut().any(|takeover| takeover.reply(now, reply, out))
            || self.restores.values_mut().any(|restore| restore.reply(now, reply, out))
            || self.collector.as_mut().is_some_and(|collector| collector.reply(now, reply, &Tenures(&self.tenures)));
    }

    pub(super) fn take(&mut self, now: Monotonic, from: Incarnation, message: &Message, out: &mut Vec<Effect>) {
        match message {
            Message::Look { index } => {
                if let Some(participant) = &mut self.participant {
                    participant.hint(now, *index, out);
                }
            }
            Message::Report { index, frontier } => {
                if let Some(coordinator) = &mut self.coordinator {
                    coordinator.report(now, from, *index, frontier.clone(), out);
                }
            }
            Message::Prepare { range, .. }
            | Message::CatchingUp { range, .. }
            | Message::Released { range, .. }
            | Message::Claimed { range, .. }
            | Message::Cancelled { range, .. } => {
                if self.is_running() {
                    self.with(now, *range, |tenure, with| tenure.receive(with, from, message, out));
                }
            }
        }
    }

    /// Everything that is due.
    fn advance(&mut self, now: Monotonic, out: &mut Vec<Effect>) {
        self.begin(now, out);
        if let Some(lease) = &mut self.lease {
            lease.advance(now, out);
        }
        if let Some(participant) = &mut self.participant {
            participant.advance(now, out);
        }
        self.know_grid();
        self.restores.values_mut().for_each(|restore| restore.advance(now, out));
        self.restores.retain(|_, restore| !restore.has_ended());
        if self.step == Step::Running {
            self.take_over(now, out);
            self.coordinate(now, out);
            self.tend(now, out);
        }
        if self.tenures.iter().any(Tenure::has_twin)
            && let Some(lease) = &mut self.lease
        {
            lease.end(Lapse::Twin);
        }
        if let Some(lapse) = self.lease.as_ref().and_then(LeaseHolder::lapse) {
            self.lapsed(now, lapse, out);
        }
    }

    /// Takes the steps of a beginning life.
    fn begin(&mut self, now: Monotonic, out: &mut Vec<Effect>) {
        if let Some((births, requests)) = &mut self.births {
            out.extend(births.poll(now, requests).into_iter().map(Effect::Store));
        }
        let births = self.births.as_ref().and_then(|(births, _)| births.done()).cloned();
        if let Some(leases) = births {
            self.births = None;
            let birth = Birth::choose(self.node, &leases, out);
            let (requests, nonces) = (self.lane(), self.fork());
            self.predecessors = birth.predecessors;
            self.lease = Some(match birth.adopt {
                Some((lease, etag)) => LeaseHolder::adopt(lease, etag, requests, nonces),
                None => LeaseHolder::new(birth.me, requests, nonces, out),
            });
        }
        self.achieved.chosen = self.lease.is_some();
        self.achieved.leased = self.lease.as_ref().is_some_and(LeaseHolder::is_held);
        self.achieved.caught_up = self.participant.as_ref().is_some_and(Participant::is_caught_up);
        while let Some(step) = self.step.next(self.achieved) {
            self.step = step;
            match step {
                Step::FindBoot | Step::Lease => {}
                Step::ReadControl => self.read_control(out),
                Step::RestoreManifests => out.push(Effect::Restore),
                Step::Running => {
                    out.push(Effect::Run);
                    for life in std::mem::take(&mut self.predecessors) {
                        self.takeover(now, life).into_iter().for_each(Takeover::down);
                    }
                }
            }
        }
    }

    fn read_control(&mut self, out: &mut Vec<Effect>) {
        let Some(me) = self.incarnation() else { return };
        out.push(Effect::Leased(me));
        let (index, nonce) = (ControlIndex(0), self.nonces.next_nonce());
        let genesis = self.genesis.take().map(|change| ControlEntry { index, change, coordinator: me, nonce });
        self.participant = Some(Participant::new(me, self.lane(), genesis));
    }

    /// Genesis says how many ranges there are.
    fn know_grid(&mut self) {
        let grid = self.participant.as_ref().and_then(|participant| participant.grid()).cloned();
        let (Some((ranges, v0)), Some(me), true) = (grid, self.incarnation(), self.tenures.is_empty()) else { return };
        self.v0 = v0;
        for (range, index) in RangeId::split_evenly(ranges).into_iter().zip(RANGE_LANES..LANES) {
            let (requests, nonces) = (Requests::new(self.life, index), self.fork());
            self.tenures.push(Tenure::new(range, me, requests, nonces));
        }
    }

    fn take_over(&mut self, now: Monotonic, out: &mut Vec<Effect>) {
        self.takeovers.values_mut().for_each(|takeover| takeover.advance(now, out));
        let cleared = self.takeovers.iter().filter(|(_, takeover)| takeover.is_cleared()).map(|(life, _)| *life);
        self.cleared.extend(cleared);
        self.takeovers.retain(|_, takeover| !takeover.is_cleared() && !takeover.is_alive() && !takeover.is_idle(now));
    }

    fn coordinate(&mut self, now: Monotonic, out: &mut Vec<Effect>) {
        if let (Some(proposed), None) = (&self.proposal, &self.coordinator)
            && proposed.due <= now
        {
            self.prepare(proposed.clone());
        }
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.advance(now, out);
        }
        let Some(conclusion) = self.coordinator.as_ref().and_then(Coordinator::conclusion).cloned() else { return };
        let index = self.coordinator.take().map(|coordinator| coordinator.index()).unwrap_or_default();
        match &conclusion {
            Conclusion::Decided(Decision::Active(_)) | Conclusion::Superseded => self.proposal = None,
            Conclusion::Decided(Decision::Aborted) | Conclusion::NotReady(_) => {
                if let Some(proposed) = &mut self.proposal {
                    proposed.due = now + PROPOSE_RETRY_AFTER;
                }
            }
        }
        out.push(Effect::Proposed { index, conclusion });
    }

    fn prepare(&mut self, proposed: Proposed) {
        let Some(participant) = &self.participant else { return };
        let (Some(index), Some(active), Some(coordinator)) =
            (participant.free_index(), participant.active().cloned(), self.incarnation())
        else {
            return;
        };
        let entry = ControlEntry { index, change: proposed.change, coordinator, nonce: self.nonces.next_nonce() };
        let (ranges, overridden) = (self.ranges(), proposed.overridden);
        self.coordinator = Some(Coordinator::new(Proposal { entry, active, ranges, overridden }, self.lane()));
    }

    fn tend(&mut self, now: Monotonic, out: &mut Vec<Effect>) {
        let (leased, index) = (self.is_leased(now), self.index());
        let with = Circumstances { now, leased, cleared: &self.cleared, v0: &self.v0, index };
        self.tenures.iter_mut().for_each(|tenure| tenure.advance(with, out));
        let Some(me) = self.incarnation() else { return };
        if leased {
            self.collect(now, me, out);
        }
        let blocking: BTreeSet<Incarnation> = self.tenures.iter().filter_map(Tenure::blocked_by).collect();
        for life in blocking {
            let Some(takeover) = self.takeover(now, life) else { continue };
            // Somebody else may have fenced it. A node's earlier life is dead: nobody has to say so.
            if life.node == me.node && life.boot < me.boot {
                takeover.down();
            }
        }
    }

    fn collect(&mut self, now: Monotonic, me: Incarnation, out: &mut Vec<Effect>) {
        if self.collector.is_none() {
            self.collector = Some(Collector::new(now, me, self.pace, self.lane()));
        }
        if let Some(collector) = &mut self.collector {
            collector.advance(now, &Tenures(&self.tenures), out);
        }
    }

    fn lapsed(&mut self, now: Monotonic, lapse: Lapse, out: &mut Vec<Effect>) {
        if self.step == Step::Lease {
            // Another process was faster with this number.
            self.lease = None;
            self.find_boot();
            self.begin(now, out);
        } else {
            self.ended = Some(lapse);
            out.push(Effect::End(lapse));
        }
    }
}
