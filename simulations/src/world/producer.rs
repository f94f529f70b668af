//! Who writes events: disordered, sometimes late, malformed, in the future or null, over a few keys of which some are
//! hot; now and then one is sent again. Knows no reader.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;

use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::limits::ID_OFFSETS_MAX;
use featuregrid_protocol::time::Timestamp;

use super::EPOCH;
use super::heap::Micros;
use super::log::SimLog;
use crate::plan::Workload;
use crate::random::Random;

/// Records that may be sent again: those of about a second, the allowed lateness.
const RECENT: usize = 100;

/// The writers of the topic.
#[derive(Debug)]
pub struct Producer {
    random: Random,
    workload: Workload,
    repeats: Repeats,
}

/// What was sent lately.
#[derive(Debug)]
struct Repeats {
    random: Random,
    per_mille: u32,
    sent: VecDeque<(PartitionId, Arc<[u8]>)>,
    /// How many ids were given out.
    ids: u64,
}

impl Repeats {
    /// A record that is sent again, mostly a young one; after a new leader was found it may go elsewhere.
    fn again(&mut self, partition: PartitionId) -> Option<(PartitionId, Arc<[u8]>)> {
        if !self.random.chance(self.per_mille) {
            return None;
        }
        let back = self.random.below(RECENT as u64).min(self.random.below(RECENT as u64)) as usize;
        let (first, payload) = self.sent.iter().rev().nth(back)?;
        Some((if self.random.chance(800) { *first } else { partition }, Arc::clone(payload)))
    }

    /// The member of a payload that holds its event id; sometimes one that was used before, none, or nonsense.
    fn id(&mut self, odd: u32) -> String {
        self.ids += 1;
        match self.random.below(1_000) as u32 {
            draw if draw < odd => ",\"id\":[1]".to_owned(),
            draw if draw < odd * 2 => String::new(),
            draw if draw < odd * 3 => format!(",\"id\":{}", self.ids),
            draw if draw < odd * 3 + self.per_mille => {
                format!(",\"id\":\"e{}\"", self.ids.saturating_sub(self.random.below(RECENT as u64)))
            }
            _ => format!(",\"id\":\"e{}\"", self.ids),
        }
    }

    /// A hole after which some of the records of the last second are out of an id's reach, and some are not.
    fn leap(&mut self, per_mille: u32) -> u64 {
        if self.random.chance(per_mille) { ID_OFFSETS_MAX - self.random.below(40) } else { 0 }
    }

    fn remember(&mut self, partition: PartitionId, payload: &Arc<[u8]>) {
        self.sent.push_back((partition, Arc::clone(payload)));
        if self.sent.len() > RECENT {
            self.sent.pop_front();
        }
    }
}

impl Producer {
    /// Writers with their own randomness.
    #[must_use]
    pub fn new(random: Random, workload: Workload) -> Self {
        let repeats =
            Repeats { random: random.fork("repeats"), per_mille: workload.repeats, sent: VecDeque::new(), ids: 0 };
        Self { random, workload, repeats }
    }

    /// Until the next record, at this load.
    pub fn pause(&mut self) -> Micros {
        let mean = 1_000_000 / i64::from(self.workload.events_per_s.max(1));
        self.random.between(mean / 4, mean * 7 / 4)
    }

    /// Appends one record; where it went.
    pub fn append(&mut self, now: Micros, log: &mut SimLog) -> Option<PartitionId> {
        let partitions = log.partitions().len() as u64;
        let user = self.user();
        // Usually by key, as producers do; sometimes elsewhere, so that one key's rows come from several partitions.
        let at = if self.random.chance(800) { user } else { self.random.next() };
        let partition = PartitionId((at % partitions.max(1)) as u32);
        let wall = EPOCH + featuregrid_protocol::time::Span(now);
        let hole = if self.random.chance(self.workload.holes) { self.random.between(1, 4) as u64 } else { 0 };
        let hole = hole + self.repeats.leap(self.workload.leaps);
        let payload: Option<Arc<[u8]>> = self.payload(wall, user).map(Arc::from);
        let (partition, payload) = match self.repeats.again(partition) {
            Some((partition, payload)) => (partition, Some(payload)),
            None => (partition, payload),
        };
        log.append(partition, hole, wall, payload.clone())?;
        if let Some(payload) = &payload {
            self.repeats.remember(partition, payload);
        }
        if self.random.chance(self.workload.holes / 4) {
            log.append_marker(partition);
        }
        Some(partition)
    }

    /// A few users are hot: the smaller of two draws.
    fn user(&mut self) -> u64 {
        let keys = u64::from(self.workload.keys.max(1));
        self.random.below(keys).min(self.random.below(keys))
    }

    fn payload(&mut self, wall: Timestamp, user: u64) -> Option<Vec<u8>> {
        let odd = self.workload.odd;
        let disorder = self.random.between(0, i64::from(self.workload.disorder_ms) * 1_000);
        // A fifth of all events lie on tenths of seconds: ties occur, and reads hit the edges of windows.
        let at = wall.0 - disorder;
        let mut ts = if self.random.chance(200) { at / 100_000 * 100_000 } else { at };
        if self.random.chance(odd) {
            return None;
        }
        if self.random.chance(odd) {
            let broken: &[u8] = match self.random.below(4) {
                0 => b"{\"user\":",
                1 => b"[]",
                2 => b"{\"user\":{\"id\":\"u1\"},\"amount\":1}",
                _ => b"{\"ts\":\"yesterday\",\"user\":{\"id\":\"u1\"}}",
            };
            return Some(broken.to_vec());
        }
        if self.random.chance(odd) {
            ts = wall.0 + self.random.between(2_000_001, 60_000_000);
        } else if self.random.chance(odd * 2) {
            ts = wall.0 + self.random.between(0, 1_900_000);
        } else if self.random.chance(odd * 2) {
            ts = wall.0 - self.random.between(1_000_000, 9_000_000);
        }
        let mut json = String::with_capacity(160);
        let ts = Timestamp(ts);
        let kind = match self.random.below(10) {
            0..6 => "purchase",
            6..9 => "refund",
            _ => "visit",
        };
        let _ = write!(json, "{{\"ts\":\"{ts}\",\"user\":{{\"id\":");
        if self.random.chance(odd) {
            json.push_str("null");
        } else {
            let _ = write!(json, "\"u{user}\"");
        }
        let _ = write!(json, "}},\"type\":\"{kind}\",\"shop\":\"s{}\"", self.random.below(7));
        match self.random.below(1_000) {
            0..40 => {}
            40..60 => json.push_str(",\"amount\":null"),
            60..80 => json.push_str(",\"amount\":\"NaN\""),
            80..90 => json.push_str(",\"amount\":true"),
            90..120 => {
                let _ = write!(json, ",\"amount\":\"{}.5\"", self.random.below(90));
            }
            // Half a cent, where half even and half up differ.
            120..420 => {
                let _ = write!(json, ",\"amount\":{}.{:02}5", self.random.below(40), self.random.below(100));
            }
            _ => {
                let _ = write!(json, ",\"amount\":{}.{:02}", self.random.between(-20, 400), self.random.below(100));
            }
        }
        let _ = write!(json, ",\"units\":{}", self.random.between(-3, 60));
        let country = ["DE", "FR", "US"][self.random.below(3) as usize];
        let _ = write!(json, ",\"country\":\"{country}\"{}}}", self.repeats.id(odd));
        Some(json.into_bytes())
    }
}
