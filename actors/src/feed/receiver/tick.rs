//! What time brings: silence is answered, and waits end. Knows no clock.

use featuregrid_protocol::ids::Generation;
use featuregrid_protocol::limits::RESUBSCRIBE_AFTER;
use featuregrid_protocol::time::Timestamp;

use super::Receiver;
use super::effect::Effect;

impl Receiver {
    /// Call it about every [`IDLE_FRAME_EVERY`](featuregrid_protocol::limits::IDLE_FRAME_EVERY). A group that heard
    /// nothing for long subscribes again: the reader may have restarted and know nothing of it.
    pub fn on_tick(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        if self.halted.is_some() {
            return;
        }
        let silent: Vec<Generation> = self
            .groups
            .iter()
            .filter(|(_, group)| now - group.heard.max(group.spoke) >= RESUBSCRIBE_AFTER)
            .map(|(name, _)| *name)
            .collect();
        for name in silent {
            self.statistics.resubscribes += 1;
            self.subscribe(now, name, out);
        }
        self.settle(now, out);
    }
}
