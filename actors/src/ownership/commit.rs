//! Makes state of an owned range durable, or hands the range over: uploads a part, then writes the manifest over the
//! version we know. Knows not what the part holds.
//!
//! Invariant: committed positions never fall (trace C7), and one version of a manifest has one writer. Until the outcome
//! is certain its owner begins no other write, and a part is no garbage.

use std::io;
use std::sync::Arc;

use featuregrid_protocol::codec::{self, CodecError};
use featuregrid_protocol::ids::{ControlIndex, Incarnation, Nonce, PartitionId};
use featuregrid_protocol::manifest::{Manifest, Part};
use featuregrid_protocol::plants::{Plant, on};
use featuregrid_protocol::position::{OffsetVector, Positions, offsets};
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::snapshot::RangeHead;
use thiserror::Error;

use crate::control::participant::decoded;
use crate::ports::write::{Verdict, Write};
use crate::ports::{Etag, Key, Monotonic, Object, PutCondition, PutOutcome, Requests, StoreReply, StoreRequest};
use crate::shard::RangeSnapshot;
use crate::steward::Effect;

/// A manifest that stands, and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// What it says.
    pub manifest: Manifest,
    /// Its version: the condition of the next write.
    pub etag: Etag,
}

/// The state of a range at one `v`: everything up to there, and nothing after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its offsets, prefix maxima and accounting.
    pub positions: Positions,
    /// The control index its pages were written under.
    pub index: ControlIndex,
    /// `None`: the part is a base. Else it holds what changed after these offsets.
    pub since: Option<OffsetVector>,
    /// Its bytes.
    pub part: Arc<[u8]>,
}

impl Snapshot {
    /// The part of a state.
    ///
    /// # Errors
    /// When memory for compression runs out.
    pub fn of(state: &RangeSnapshot) -> io::Result<Self> {
        let RangeHead { positions, index, since, .. } = state.head.clone();
        Ok(Self { positions, index, since, part: state.encode()?.into() })
    }
}

/// What a commit changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A newer state.
    State(Snapshot),
    /// A newer state, and the end of the ownership.
    Release(Snapshot, Incarnation),
    /// No row came to the range: it stands further on, under this index, and its parts are what they were.
    Stands(Positions, ControlIndex),
    /// The index in force and nothing else, so that the next entry can be prepared.
    Index(ControlIndex),
}

/// Why a commit was not begun. Nothing was sent; the manifest stands as it was.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CommitError {
    /// The range is not ours, or being released.
    #[error("range {0} is not owned by this node; commit nothing until it is promoted")]
    NotOwner(RangeId),
    /// The outcome of an earlier write is not certain yet.
    #[error("range {0}: an earlier write is undecided; commit again when it is")]
    Undecided(RangeId),
    /// No effect without a valid lease.
    #[error("range {0}: this node's lease is not valid now; commit again when it is renewed")]
    NotLeased(RangeId),
    /// The state is older than what is durable.
    #[error("range {range}: v[{partition}] = {have} is behind the manifest's {want}; restore or catch up, then commit")]
    Behind {
        /// Which range.
        range: RangeId,
        /// Where.
        partition: PartitionId,
        /// The state's next offset.
        have: u64,
        /// The manifest's.
        want: u64,
    },
    /// The state was made under an index older than the manifest's.
    #[error("range {range}: the state is of index {have}, the manifest of {want}; switch, then commit")]
    OldIndex {
        /// Which range.
        range: RangeId,
        /// The state's.
        have: ControlIndex,
        /// The manifest's.
        want: ControlIndex,
    },
    /// A delta that does not begin where the manifest stands.
    #[error("range {0}: the delta leaves out what changed before it and after the manifest; commit a base")]
    Detached(RangeId),
    /// The manifest does not encode.
    #[error("range {range}: {error}")]
    Encode {
        /// Which range.
        range: RangeId,
        /// Why.
        error: CodecError,
    },
}

/// How a commit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It stands.
    Done(Known),
    /// Something else stands: the ownership ended.
    Lost(Option<Known>),
}

/// One commit on its way.
#[derive(Clone, Debug)]
pub struct Commit {
    next: Manifest,
    part: Option<Write>,
    write: Write,
    releases: bool,
    /// Whether its part is taken for garbage because the outcome is not known: the mistake of trace C2.
    gives_up: bool,
}

impl Commit {
    /// Checks what the rules ask, and prepares both writes. `name` is the part's.
    ///
    /// # Errors
    /// See [`CommitError`]: nothing was sent.
    pub fn new(known: &Known, change: Change, name: Nonce, nonce: Nonce) -> Result<Self, CommitError> {
        let old = &known.manifest;
        let range = old.range;
        let mut next = Manifest { nonce, ..old.clone() };
        let mut part = None;
        let releases = matches!(change, Change::Release(..));
        match change {
            Change::Index(index) => next.index = index.max(old.index),
            Change::Stands(positions, index) => stand(&mut next, positions, index)?,
            Change::State(snapshot) => part = Some(replace(&mut next, snapshot, name)?),
            Change::Release(snapshot, to) => {
                part = Some(replace(&mut next, snapshot, name)?);
                (next.owner, next.released_to) = (None, Some(to));
            }
        }
        let body: Arc<[u8]> = codec::encode(&next).map_err(|error| CommitError::Encode { range, error })?.into();
        let (key, condition) = (Key::Manifest(range), PutCondition::Matches(known.etag.clone()));
        let write = if releases { Write::release(key, body, condition) } else { Write::new(key, body, condition) };
        Ok(Self { next, part, write, releases, gives_up: false })
    }

    /// Whether it ends the ownership.
    #[must_use]
    pub fn releases(&self) -> bool {
        self.releases
    }

    /// Whether the manifest's write left: from then on only its outcome counts.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        self.write.was_sent()
    }

    /// Whether the manifest on its way names this part.
    #[must_use]
    pub fn refers_to(&self, name: &str) -> bool {
        self.next.parts.iter().any(|part| part.name == name)
    }

    /// How it ended, once that is certain.
    pub fn outcome(&self, out: &mut Vec<Effect>) -> Option<Committed> {
        Some(match self.write.verdict()? {
            Verdict::Done { etag, .. } => Committed::Done(Known { manifest: self.next.clone(), etag: etag.clone() }),
            Verdict::Lost { found } => Committed::Lost(found.as_ref().and_then(|object| self.found(object, out))),
        })
    }

    /// Takes a reply of the store; whether it was awaited.
    pub fn reply(&mut self, now: Monotonic, reply: &StoreReply) -> bool {
        if let Some(part) = &mut self.part
            && part.accept(now, reply)
        {
            // Nobody else writes a name drawn at random: whatever the verdict, the part stands.
            if part.verdict().is_some() {
                self.part = None;
            }
            return true;
        }
        let is_unknown = matches!(reply, StoreReply::Put { outcome: PutOutcome::Unknown, .. });
        let awaited = self.write.accept(now, reply);
        self.gives_up = awaited && is_unknown && on(Plant::C2PartsDeleted);
        awaited
    }

    /// Does what is due; `leased` says whether this life may begin a write now.
    pub fn advance(&mut self, now: Monotonic, leased: bool, requests: &mut Requests, out: &mut Vec<Effect>) {
        let request = match &mut self.part {
            Some(part) => part.poll(now, requests),
            None if leased || self.write.was_sent() => self.write.poll(now, requests),
            None => None,
        };
        out.extend(request.map(Effect::Store));
        if std::mem::take(&mut self.gives_up)
            && let Some(part) = self.next.parts.last()
        {
            let (id, key) = (requests.next_id(), Key::Part(self.next.range, part.name.clone()));
            out.push(Effect::Store(StoreRequest::Delete { id, key }));
        }
    }

    fn found(&self, object: &Object, out: &mut Vec<Effect>) -> Option<Known> {
        let manifest = decoded(&Key::Manifest(self.next.range), object, out)?;
        Some(Known { manifest, etag: object.etag.clone() })
    }
}

/// Moves a manifest to (index, positions); never back.
fn stand(next: &mut Manifest, positions: Positions, index: ControlIndex) -> Result<(), CommitError> {
    let range = next.range;
    let have = offsets(&positions);
    let mut durable = offsets(&next.positions).0.into_iter();
    if let Some((partition, want)) = durable.find(|(partition, want)| have.get(*partition) < *want)
        && !on(Plant::C7VRegresses)
    {
        return Err(CommitError::Behind { range, partition, have: have.get(partition), want });
    }
    if index < next.index {
        return Err(CommitError::OldIndex { range, have: index, want: next.index });
    }
    (next.positions, next.index) = (positions, index);
    Ok(())
}

/// Puts a snapshot into a manifest that stood before, and prepares the upload of its part.
fn replace(next: &mut Manifest, snapshot: Snapshot, name: Nonce) -> Result<Write, CommitError> {
    let range = next.range;
    let parts_v = next.parts_v();
    stand(next, snapshot.positions, snapshot.index)?;
    let name = Key::part_name(name);
    let part = Part { name: name.clone(), bytes: snapshot.part.len() as u64, v: offsets(&next.positions) };
    match &snapshot.since {
        None => next.parts = vec![part],
        Some(since) if !next.parts.is_empty() && parts_v.covers(since) => next.parts.push(part),
        Some(_) => return Err(CommitError::Detached(range)),
    }
    Ok(Write::new(Key::Part(range, name), snapshot.part, PutCondition::Absent))
}

#[cfg(test)]
mod tests;
