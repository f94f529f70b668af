//! Who is alive and who should have what: heartbeats with silence as suspicion, and rendezvous placement. Stands in for
//! gossip: whatever it says may be wrong, and costs only time (law 5).

use std::collections::BTreeMap;

use featuregrid_actors::ports::Monotonic;
use featuregrid_protocol::ids::{Epoch, Incarnation, NodeId, PartitionId};
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::time::Span;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{Act, Around, Node};
use crate::world::message::Message;

/// A node says that it lives this often.
const HEARTBEAT_EVERY: Span = Span::millis(200);
/// Between suspicion and being held to be dead.
const DOWN_AFTER_SUSPECT: Span = Span::millis(800);
/// Placement and takeovers are looked after this often.
const CARE_EVERY: Span = Span::millis(300);

#[derive(Clone, Debug)]
struct Peer {
    life: Incarnation,
    heard: Monotonic,
}

/// What a node believes of the others.
#[derive(Clone, Debug)]
pub(super) struct Peers {
    me: NodeId,
    nodes: u32,
    alive: BTreeMap<NodeId, Peer>,
    /// Lives that were heard or named, and when last: the dead are among them.
    lives: BTreeMap<Incarnation, Monotonic>,
    /// Who was said to own a range, with the highest epoch seen.
    owners: BTreeMap<RangeId, (Epoch, Incarnation)>,
    /// Where placement wants each range.
    placed: BTreeMap<RangeId, Vec<NodeId>>,
    beat: Monotonic,
    care: Monotonic,
}

impl Peers {
    pub(super) fn new(me: NodeId, nodes: u32) -> Self {
        Self {
            me,
            nodes,
            alive: BTreeMap::new(),
            lives: BTreeMap::new(),
            owners: BTreeMap::new(),
            placed: BTreeMap::new(),
            beat: Monotonic::MIN,
            care: Monotonic::MIN,
        }
    }

    /// A heartbeat arrived; one of an older life says nothing.
    pub(super) fn heard(&mut self, now: Monotonic, from: Incarnation, owned: Vec<(RangeId, Epoch)>) {
        let peer = self.alive.entry(from.node).or_insert(Peer { life: from, heard: now });
        if from >= peer.life {
            *peer = Peer { life: from, heard: now };
        }
        self.lives.insert(from, now);
        for (range, epoch) in owned {
            let known = self.owners.entry(range).or_insert((epoch, from));
            if epoch >= known.0 {
                *known = (epoch, from);
            }
        }
    }

    /// Who is said to own a range.
    pub(super) fn owner(&self, range: RangeId) -> Option<NodeId> {
        self.owners.get(&range).map(|(_, life)| life.node)
    }

    /// Who is said to own what.
    #[cfg(feature = "plants")]
    pub(super) fn map(&self) -> BTreeMap<NodeId, RangeSet> {
        let mut map: BTreeMap<NodeId, RangeSet> =
            (0..self.nodes).map(|node| (NodeId(node), RangeSet::default())).collect();
        for (range, (_, life)) in &self.owners {
            map.entry(life.node).or_default().insert(*range);
        }
        map
    }

    /// The life of a node, as heard last.
    pub(super) fn life(&self, node: NodeId) -> Option<Incarnation> {
        self.alive.get(&node).map(|peer| peer.life)
    }

    /// Nodes that are not suspected, this one included, in order.
    pub(super) fn living(&self, now: Monotonic, suspect: Span) -> Vec<NodeId> {
        let fresh = self.alive.iter().filter(|(_, peer)| now - peer.heard < suspect).map(|(node, _)| *node);
        let mut living: Vec<NodeId> = fresh.filter(|node| *node != self.me).chain([self.me]).collect();
        living.sort_unstable();
        living
    }
}

/// The living in order of their rendezvous weight for the thing of this number.
fn rendezvous(living: &[NodeId], thing: u64) -> Vec<NodeId> {
    let mut order = living.to_vec();
    order.sort_by_cached_key(|node| std::cmp::Reverse(xxh3_64_with_seed(&node.0.to_le_bytes(), thing)));
    order
}

/// Keeps the numbers of readers apart from those of ranges.
const READERS: u64 = 1 << 32;

impl Node {
    pub(super) fn suspect_after(around: &Around<'_>) -> Span {
        Span::millis(i64::from(around.cluster.suspect_ms))
    }

    /// Where placement wants a range, as looked after last: owner first, then standby.
    pub(super) fn placed(&self, range: RangeId) -> &[NodeId] {
        self.peers.placed.get(&range).map_or(&[], Vec::as_slice)
    }

    fn place(&self, around: &Around<'_>, range: RangeId) -> Vec<NodeId> {
        let living = self.peers.living(around.mono, Self::suspect_after(around));
        let mut order = rendezvous(&living, range.index() as u64);
        if let Some(wish) = around.wishes.ranges.get(&range)
            && let Some(at) = order.iter().position(|node| node == wish)
        {
            order[..=at].rotate_right(1);
        }
        order.truncate(1 + around.cluster.standbys as usize);
        order
    }

    /// Where placement wants the reader of a partition.
    pub(super) fn reader_of(&self, around: &Around<'_>, partition: PartitionId) -> NodeId {
        let living = self.peers.living(around.mono, Self::suspect_after(around));
        let wish = around.wishes.readers.get(&partition).filter(|wish| living.contains(wish));
        wish.copied()
            .or_else(|| rendezvous(&living, READERS + u64::from(partition.0)).first().copied())
            .unwrap_or(self.id)
    }

    /// Says that it lives, suspects who does not, and wishes for what placement says.
    pub(super) fn look_after_peers(&mut self, around: &mut Around<'_>) {
        if self.peers.beat <= around.mono {
            self.peers.beat = around.mono + HEARTBEAT_EVERY;
            let owned: Vec<_> = self.owned().collect();
            for node in (0..self.peers.nodes).map(NodeId).filter(|node| *node != self.id) {
                let message = Message::Heartbeat { from: self.me, owned: owned.clone() };
                around.acts.push(Act::Send(node, message));
            }
        }
        if self.peers.care > around.mono {
            return;
        }
        self.peers.care = around.mono + CARE_EVERY;
        self.look_for_dead(around);
        let ranges = self.steward.ranges();
        self.peers.placed = ranges.iter().map(|range| (*range, self.place(around, *range))).collect();
        let wished: RangeSet =
            ranges.into_iter().filter(|range| self.placed(*range).first() == Some(&self.id)).collect();
        let effects = self.steward.wish(around.mono, &wished);
        self.perform(around, effects);
        self.give_away(around);
        self.look_after_readers(around);
    }

    /// Tells every receiver where its reader should be.
    fn look_after_readers(&mut self, around: &mut Around<'_>) {
        #[cfg(feature = "plants")]
        self.believe_map();
        let partitions: Vec<PartitionId> = self.receivers.keys().copied().collect();
        for partition in partitions {
            let reader = self.reader_of(around, partition);
            self.listen_to(around, partition, reader);
        }
    }

    fn look_for_dead(&mut self, around: &mut Around<'_>) {
        for range in self.steward.ranges() {
            if let Some(life) = self.steward.tenure(range).and_then(|tenure| tenure.blocked_by()) {
                self.peers.lives.entry(life).or_insert(around.mono);
            }
        }
        let suspect = Self::suspect_after(around);
        let silent: Vec<(Incarnation, bool)> = self
            .peers
            .lives
            .iter()
            .filter(|(life, heard)| **life != self.me && around.mono - **heard >= suspect)
            .map(|(life, heard)| (*life, around.mono - *heard >= Span(suspect.0 + DOWN_AFTER_SUSPECT.0)))
            .collect();
        for (life, down) in silent {
            let effects =
                if down { self.steward.down(around.mono, life) } else { self.steward.suspect(around.mono, life) };
            self.perform(around, effects);
        }
    }

    /// Ranges of this node that placement wants elsewhere move there, one at a time.
    fn give_away(&mut self, around: &mut Around<'_>) {
        let owned: Vec<RangeId> = self.owned().map(|(range, _)| range).collect();
        if owned.iter().any(|range| self.steward.tenure(*range).is_some_and(|tenure| tenure.giving().is_some())) {
            return;
        }
        for range in owned {
            let Some(to) = self.placed(range).first().copied().filter(|to| *to != self.id) else { continue };
            let Some(life) = self.peers.life(to) else { continue };
            if let Ok(effects) = self.steward.give(around.mono, range, life) {
                around.acts.push(Act::Mark("moves", 1));
                self.perform(around, effects);
                return;
            }
        }
    }

    /// Ranges this node owns, with their epochs.
    pub(super) fn owned(&self) -> impl Iterator<Item = (RangeId, Epoch)> + '_ {
        let owned = |range: RangeId| self.steward.manifest(range).map(|manifest| (range, manifest.epoch));
        self.steward.ranges().into_iter().filter_map(owned)
    }
}
