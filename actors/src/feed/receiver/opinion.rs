//! What happens when a reader's log is not ours: a second reader decides who errs. Knows no reader.

use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::ids::{Generation, TopicId};
use featuregrid_protocol::limits::ASK_AGAIN_AFTER;
use featuregrid_protocol::position::PartitionPosition;
use featuregrid_protocol::time::Timestamp;

use super::Receiver;
use super::effect::{Dropped, Effect, Verdict};
use crate::feed::halt::HaltReason;
use crate::feed::messages::NackReason;

/// What a second reader found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// The identity of the topic it reads.
    pub topic: TopicId,
    /// Its own triple at the offset it was asked about.
    pub position: PartitionPosition,
}

impl Receiver {
    /// One reader's word stops nobody: it may have begun without a prefix (trace A5).
    pub(super) fn mismatch(
        &mut self,
        now: Timestamp,
        generation: Generation,
        frame: &Frame,
        out: &mut Vec<Effect>,
    ) -> Verdict {
        if let Some(group) = self.groups.get(&generation)
            && self.second_asked.due(now, ASK_AGAIN_AFTER)
        {
            self.statistics.second_readers += 1;
            out.push(Effect::AskSecondReader { at: group.position.clone(), first: self.reader, frame_to: frame.to });
        }
        Verdict::Dropped(Dropped::Mismatch)
    }

    /// Another reader has an opinion. If it sides with us, the first one is told to begin again from our triple; if it
    /// does not, the partition halts. An opinion about an offset no group stands at any more is void.
    pub fn on_second_reader(&mut self, opinion: &Opinion, out: &mut Vec<Effect>) {
        self.second_asked.answered();
        if self.halted.is_some() {
            return;
        }
        let partition = self.partition;
        if opinion.topic != self.topic {
            let (expected, found) = (self.topic, opinion.topic);
            self.halt(HaltReason::TopicRecreated { partition, expected, found }, out);
            return;
        }
        let next = opinion.position.next;
        let here: Vec<(Generation, Timestamp)> = self
            .groups
            .iter()
            .filter(|(_, group)| group.position.next == next)
            .map(|(name, group)| (*name, group.position.max))
            .collect();
        for (name, max) in here {
            if max == opinion.position.max {
                self.nack(name, NackReason::WrongPrefix, out);
            } else {
                let found = opinion.position.max;
                self.halt(HaltReason::PrefixDiffers { partition, next, expected: max, found }, out);
                return;
            }
        }
    }
}
