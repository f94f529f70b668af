//! The order in which a life begins. Knows not how any step is done.
//!
//! ```text
//! FindBoot -> Lease -> ReadControl -> RestoreManifests -> Running
//! ```
//! Each arrow is a rule: the lease is created before the control log is read, so that a coordinator either waits for this
//! node or has created its entry before (B3, trace B4); what was folded without a lease is dropped before this life sends,
//! applies or claims anything (B6, trace B7).

use std::collections::BTreeMap;

use featuregrid_protocol::ids::{Incarnation, NodeId};
use featuregrid_protocol::lease::{Lease, LeaseState};
use featuregrid_protocol::plants::{Plant, on};

use crate::control::participant::decoded;
use crate::ports::gather::Gathered;
use crate::ports::{Etag, Key};
use crate::steward::Effect;

/// Where a life stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Lists the leases of the node's earlier lives.
    FindBoot,
    /// Creates the lease of this one.
    Lease,
    /// Reads the control log to its end, or to an entry that holds the node.
    ReadControl,
    /// The shell drops what it folded without a lease, and restores what it wants.
    RestoreManifests,
    /// May claim, send and apply.
    Running,
}

/// What was achieved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Achieved {
    /// The number of this life is chosen.
    pub chosen: bool,
    /// Its lease exists.
    pub leased: bool,
    /// The log was read to its end.
    pub caught_up: bool,
    /// The shell has dropped provisional state.
    pub restored: bool,
}

impl Step {
    /// The step that follows, if this one is complete.
    #[must_use]
    pub fn next(self, achieved: Achieved) -> Option<Self> {
        match self {
            Self::FindBoot => achieved.chosen.then_some(Self::Lease),
            Self::Lease => achieved.leased.then_some(Self::ReadControl),
            Self::ReadControl if achieved.caught_up && on(Plant::B7NoRestore) => Some(Self::Running),
            Self::ReadControl => achieved.caught_up.then_some(Self::RestoreManifests),
            Self::RestoreManifests => achieved.restored.then_some(Self::Running),
            Self::Running => None,
        }
    }
}

/// Which life this is, judged by the leases of the earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Birth {
    /// Its incarnation: larger than every earlier one.
    pub me: Incarnation,
    /// Earlier lives that nobody fenced yet: this one does, like any successor.
    pub predecessors: Vec<Incarnation>,
    /// A lease to go on with: only under the plant of trace C9.
    pub adopt: Option<(Lease, Etag)>,
}

impl Birth {
    /// Chooses.
    #[must_use]
    pub fn choose(node: NodeId, leases: &Gathered, out: &mut Vec<Effect>) -> Self {
        let mut lives: BTreeMap<Incarnation, Option<(Lease, Etag)>> = BTreeMap::new();
        for (key, object) in leases {
            let Key::Lease(life) = key else { continue };
            let lease = object.as_ref().and_then(|object| Some((decoded(key, object, out)?, object.etag.clone())));
            lives.insert(*life, lease);
        }
        let boot = lives.keys().map(|life| life.boot + 1).max().unwrap_or(1);
        lives.retain(|_, lease| lease.as_ref().is_none_or(|(lease, _)| lease.state == LeaseState::Active));
        let adopt = lives.values().next_back().cloned().flatten().filter(|_| on(Plant::C9OldIncarnation));
        match adopt {
            Some((lease, etag)) => Self { me: lease.holder, predecessors: Vec::new(), adopt: Some((lease, etag)) },
            None => Self { me: Incarnation { node, boot }, predecessors: lives.into_keys().collect(), adopt: None },
        }
    }
}

#[cfg(test)]
mod tests;
