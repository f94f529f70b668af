//! Performs what the steward returns, in order. Knows no protocol.

use featuregrid_actors::control::History;
use featuregrid_actors::steward::{Conclusion, Effect};
use featuregrid_protocol::control::{ControlEntry, Decision};
use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::position::OffsetVector;
use std::sync::Arc;

use super::{Act, Around, Node};
use crate::world::message::Message;

impl Node {
    /// Performs effects and whatever follows from them.
    pub(super) fn perform(&mut self, around: &mut Around<'_>, effects: Vec<Effect>) {
        for effect in effects {
            self.perform_one(around, effect);
        }
    }

    fn perform_one(&mut self, around: &mut Around<'_>, effect: Effect) {
        match effect {
            Effect::Store(request) => around.acts.push(Act::Store(request)),
            Effect::Send { to, message } => {
                let from = self.steward.incarnation().unwrap_or(self.me);
                around.acts.push(Act::Send(to.node, Message::Steward { from, to, message }));
            }
            Effect::Damaged { key, error } => around.acts.push(Act::Halted(format!("{key}: {error}"))),
            Effect::Leased(life) => {
                around.acts.push(Act::Note("leased", life.to_string()));
                self.me = life;
            }
            Effect::Restore => {
                self.drop_everything();
                let effects = self.steward.restored(around.mono);
                self.perform(around, effects);
            }
            Effect::Run => self.running = true,
            Effect::End(lapse) => {
                around.acts.push(Act::Note("ended", format!("{lapse:?}")));
                self.running = false;
            }
            Effect::Hold { index } => self.hold(around, index),
            Effect::Activate { entry, at } => self.activate(around, &entry, at),
            Effect::Abort { index } => {
                around.acts.push(Act::Obeyed(index, Decision::Aborted));
                self.release(around, index);
            }
            Effect::Proposed { conclusion, .. } => {
                let mark = match conclusion {
                    Conclusion::Decided(Decision::Active(_)) => "activated",
                    Conclusion::Decided(Decision::Aborted) => "aborted",
                    Conclusion::Superseded => "superseded",
                    Conclusion::NotReady(_) => "not_ready",
                };
                around.acts.push(Act::Mark(mark, 1));
            }
            Effect::StandBy { range } => self.want_copy(around, range),
            Effect::LeaveStandby { range } | Effect::Forget { range } => {
                if !self.placed(range).contains(&self.id) {
                    self.drop_copy(around, range);
                }
            }
            Effect::Promote { range, manifest } => {
                around.acts.push(Act::Note("promote", format!("{range} {}", manifest.epoch)));
                self.want_copy(around, range);
                self.end_cut(range);
            }
            Effect::StopEffects { range } => self.begin_cut(around, range),
            Effect::ResumeEffects { range } => {
                around.acts.push(Act::Mark("moves_given_up", 1));
                self.end_cut(range);
            }
            Effect::Committed { range, v, .. } => self.on_committed(range, v),
            Effect::Demote { range, epoch, to } => {
                around.acts.push(Act::Note("demote", format!("{range} {epoch} -> {to:?}")));
                self.end_cut(range);
            }
            Effect::Restored { range, manifest, parts } => {
                self.on_restored(around, range, manifest.as_deref(), &parts);
            }
        }
    }

    fn hold(&mut self, around: &mut Around<'_>, index: ControlIndex) {
        around.acts.push(Act::Mark("holds", 1));
        self.held = Some((index, around.now));
        let mut frontier = OffsetVector::default();
        for (partition, receiver) in &self.receivers {
            frontier.0.insert(*partition, receiver.next_offset());
        }
        for (partition, reading) in &self.readings {
            let sent = frontier.0.entry(*partition).or_default();
            *sent = (*sent).max(reading.sender.next_offset());
        }
        for (partition, receiver) in &mut self.receivers {
            receiver.hold(frontier.get(*partition));
        }
        for (partition, reading) in &mut self.readings {
            reading.sender.hold(frontier.get(*partition));
        }
        around.acts.push(Act::Note("held", format!("{index} at {frontier:?}")));
        let effects = self.steward.held(around.mono, index, frontier);
        self.perform(around, effects);
    }

    fn activate(&mut self, around: &mut Around<'_>, entry: &ControlEntry, at: OffsetVector) {
        let text = entry.change.definitions();
        let previous = self.history.as_ref().map(|history| Arc::clone(&history.latest().plan));
        let plan = match around.library.plan(text, previous.as_deref(), entry.index) {
            Ok(plan) => plan,
            Err(why) => {
                around.acts.push(Act::Halted(format!("{}: {why}", entry.index)));
                return;
            }
        };
        around.acts.push(Act::Obeyed(entry.index, Decision::Active(at.clone())));
        match &mut self.history {
            None => self.history = Some(History::new(Arc::clone(&plan))),
            Some(history) => history.activate(entry.index, at.clone(), Arc::clone(&plan)),
        }
        let past = self.shard.as_mut().map(|shard| shard.switch(plan, &at)).unwrap_or_default();
        for range in past {
            // Who took part in the barrier reported where it stood, and was held there.
            if self.steward.is_running() && self.steward.is_leased(around.mono) {
                around
                    .acts
                    .push(Act::Halted(format!("range {range} stands past {}, in spite of the hold", entry.index)));
            }
            around.acts.push(Act::Mark("folded_past_activation", 1));
            self.drop_copy(around, range);
        }
        self.activate_feed(around, entry.index, &at);
        self.release(around, entry.index);
    }

    /// A hold for this entry is over, or was none.
    fn release(&mut self, around: &mut Around<'_>, index: ControlIndex) {
        if let Some((held, since)) = self.held
            && held <= index
        {
            self.held = None;
            around.acts.push(Act::Held(held, since));
        }
        if self.held.is_none() {
            self.end_hold(around);
        }
    }
}
