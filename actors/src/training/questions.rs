//! What is asked: (view, key, instant, what was known). Knows no event.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_protocol::ids::{Offset, PartitionId};
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::request::SentColumns;
use featuregrid_protocol::row::RowBatch;
use featuregrid_protocol::time::Timestamp;
use hashbrown::HashTable;

use crate::shard::ViewReading;

/// Which events count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Those that were visible when the question was asked: what was, or would have been, served.
    AsKnown,
    /// All that happened before the instant.
    AsHappened,
}

/// What was visible when a question was asked. Only matters as known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// What had been applied by this instant of the node's clock.
    At(Timestamp),
    /// What lies below these offsets: the token of a reply.
    Token(OffsetVector),
}

/// A question, its parts by number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    pub(super) entity: u32,
    pub(super) as_of: Timestamp,
    pub(super) knowledge: Mark,
}

/// A [`Knowledge`], by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Nothing,
    At(Timestamp),
    /// Index into [`Questions::tokens`].
    Token(u32),
}

/// One entity of one view.
#[derive(Clone, Debug)]
pub(super) struct Entity {
    pub(super) view: u16,
    pub(super) hash: KeyHash,
    pub(super) key: Box<[u8]>,
}

/// Where an entity is found. Its place stands beside its number, so that only what is probably it is looked at.
#[derive(Clone, Copy, Debug)]
struct Slot {
    place: u64,
    entity: u32,
}

/// Who asks: what is sent with each question, by its number, and what becomes of the reading.
pub trait Asker {
    /// The request values of the question's view; by default none.
    fn sent(&self, _question: usize) -> SentColumns {
        SentColumns::default()
    }

    /// Takes what a question was answered.
    fn answered(&mut self, question: usize, reading: ViewReading);
}

impl<F: FnMut(usize, ViewReading)> Asker for F {
    fn answered(&mut self, question: usize, reading: ViewReading) {
        self(question, reading);
    }
}

/// Everything that a training set asks, before any event is read: only events of its keys are kept.
#[derive(Debug)]
pub struct Questions {
    pub(super) plan: Arc<Plan>,
    pub(super) known: Known,
    pub(super) list: Vec<Question>,
    pub(super) entities: Vec<Entity>,
    index: HashTable<Slot>,
    pub(super) tokens: Vec<OffsetVector>,
    /// Bytes of keys and tokens.
    apart: usize,
}

/// What an ordered map takes of memory for one offset of a token, about.
const OFFSET_BYTES: usize = 24;

impl Questions {
    /// None yet, about the views of a plan.
    #[must_use]
    pub fn new(plan: Arc<Plan>, known: Known) -> Self {
        let (list, entities, index, tokens) = (Vec::new(), Vec::new(), HashTable::new(), Vec::new());
        Self { plan, known, list, entities, index, tokens, apart: 0 }
    }

    /// Asks for view `view` (an index into the plan's) of the entity with these canonical key bytes. Questions are
    /// numbered from 0 in the order they are asked.
    ///
    /// # Panics
    /// If the plan has no such view, or far more entities are asked for than memory holds.
    pub fn ask(&mut self, view: usize, key: &[u8], as_of: Timestamp, knowledge: &Knowledge) {
        assert!(view < self.plan.views.len(), "a question is about a view of the plan");
        let entity = self.entity(view as u16, key);
        let knowledge = match (self.known, knowledge) {
            (Known::AsHappened, _) => Mark::Nothing,
            (Known::AsKnown, Knowledge::At(instant)) => Mark::At(*instant),
            (Known::AsKnown, Knowledge::Token(token)) => {
                // The views of one row are asked with one token.
                if self.tokens.last() != Some(token) {
                    self.apart += size_of::<OffsetVector>() + token.0.len() * OFFSET_BYTES;
                    self.tokens.push(token.clone());
                }
                Mark::Token(self.tokens.len() as u32 - 1)
            }
        };
        self.list.push(Question { entity, as_of, knowledge });
    }

    /// How many were asked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nothing was asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Bytes they take, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        // Beside a question stands a number for the order it is answered in, and its instant where it has one.
        let question = size_of::<Question>() + size_of::<u32>() + size_of::<Timestamp>();
        let entity = size_of::<Entity>() + size_of::<Slot>() + 2 * size_of::<u32>();
        self.list.len() * question + self.entities.len() * entity + self.apart
    }

    /// How many entities they are about, counted once for each view.
    #[must_use]
    pub fn entities(&self) -> usize {
        self.entities.len()
    }

    fn entity(&mut self, view: u16, key: &[u8]) -> u32 {
        let hash = KeyHash::of(key);
        if let Some(known) = self.find(view, hash, key) {
            return known;
        }
        let entity = self.entities.len();
        assert!(entity < u32::MAX as usize, "entities are numbered in 32 bits");
        self.apart += key.len();
        self.entities.push(Entity { view, hash, key: key.into() });
        let slot = Slot { place: place(view, hash), entity: entity as u32 };
        self.index.insert_unique(slot.place, slot, |other| other.place);
        slot.entity
    }

    /// The number of an entity that is asked for.
    fn find(&self, view: u16, hash: KeyHash, key: &[u8]) -> Option<u32> {
        let place = place(view, hash);
        let is_it = |slot: &Slot| slot.place == place && self.is(slot.entity, view, hash, key);
        self.index.find(place, is_it).map(|slot| slot.entity)
    }

    #[inline]
    fn is(&self, entity: u32, view: u16, hash: KeyHash, key: &[u8]) -> bool {
        let entity = &self.entities[entity as usize];
        entity.hash == hash && entity.view == view && *entity.key == *key
    }

    /// The numbers of the entities of some rows, of those that are asked for. First all places are looked up and then all
    /// keys, so that a processor waits for many lines of memory at a time.
    pub(super) fn find_all(&self, rows: &RowBatch, found: &mut Vec<Option<u32>>) {
        found.clear();
        found.extend(rows.heads().iter().map(|head| {
            let place = place(head.view, head.hash);
            self.index.find(place, |slot| slot.place == place).map(|slot| slot.entity)
        }));
        for (row, found) in rows.iter().zip(found) {
            let (view, hash) = (row.head.view, row.head.hash);
            if found.is_some_and(|entity| !self.is(entity, view, hash, row.key)) {
                *found = self.find(view, hash, row.key);
            }
        }
    }

    /// The offsets at which somebody's knowledge of a partition ends, ascending.
    pub(super) fn offsets(&self, partition: PartitionId) -> Vec<Offset> {
        let mut offsets: Vec<Offset> = self.tokens.iter().map(|token| token.get(partition)).collect();
        offsets.sort_unstable();
        offsets.dedup();
        offsets
    }

    /// The instants at which somebody's knowledge ends, ascending.
    pub(super) fn instants(&self) -> Vec<Timestamp> {
        let at = |question: &Question| if let Mark::At(instant) = question.knowledge { Some(instant) } else { None };
        let mut instants: Vec<Timestamp> = self.list.iter().filter_map(at).collect();
        instants.sort_unstable();
        instants.dedup();
        instants
    }

    /// The partitions of which somebody knew something, with the first such offset vector's number.
    pub(super) fn partitions(&self) -> BTreeMap<PartitionId, Offset> {
        let mut partitions = BTreeMap::new();
        for (partition, offset) in self.tokens.iter().flat_map(|token| &token.0).filter(|(_, offset)| **offset > 0) {
            let largest: &mut Offset = partitions.entry(*partition).or_default();
            *largest = (*largest).max(*offset);
        }
        partitions
    }
}

/// Keys of several views share a hash.
#[inline]
fn place(view: u16, hash: KeyHash) -> u64 {
    hash.0 ^ u64::from(view).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
