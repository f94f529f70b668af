//! Whether a store keeps the conditions on which ownership rests: many writers at once, of whom exactly one may win. Decides
//! nothing about nodes; whoever starts one asks this first.
//!
//! A writer counts as a winner when it was told that its write landed, as a lease or a manifest would be. In a round that holds there is
//! one, and what is read back is what it wrote, as the version it was told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use featuregrid_actors::ports::write::{Verdict, Write};
use featuregrid_actors::ports::{
    DeleteOutcome, Etag, GetOutcome, Key, Object, PutCondition, Requests, StoreReply, StoreRequest,
};
use featuregrid_protocol::ids::Nonce;
use featuregrid_protocol::range::RangeId;
use thiserror::Error;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::decided::decided;
use super::object::ObjectStore;
use crate::entropy;

/// A round that takes longer is one of a store that is down.
const ROUND_MAX: Duration = Duration::from_secs(30);
/// What could not be removed after this many tries is left to the collector of garbage.
const REMOVE_TRIES: usize = 5;

/// How hard a store is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Writers at once.
    pub writers: u32,
    /// Rounds for each condition.
    pub rounds: u32,
}

impl Trial {
    /// What every node does before it begins: a store that ignores conditions shows it in the first round.
    pub const AT_BOOT: Self = Self { writers: 4, rounds: 3 };
}

/// The rounds of one condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rounds played.
    pub rounds: u32,
    /// Rounds with one winner, whose write is what is there.
    pub held: u32,
    /// Rounds with one winner, but something else is there.
    pub astray: u32,
    /// Winners of the round that had fewest.
    pub fewest: u32,
    /// Winners of the round that had most.
    pub most: u32,
}

impl Tally {
    /// Whether every round held.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.held == self.rounds
    }

    fn count(&mut self, winners: u32, is_there: bool) {
        self.fewest = if self.rounds == 0 { winners } else { self.fewest.min(winners) };
        self.most = self.most.max(winners);
        self.rounds += 1;
        self.held += u32::from(winners == 1 && is_there);
        self.astray += u32::from(winners == 1 && !is_there);
    }
}

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Where every writer wanted to create the object.
    pub absent: Tally,
    /// Where every writer wanted to replace the same version.
    pub etag: Tally,
}

impl Findings {
    /// Whether ownership is safe in this store.
    #[must_use]
    pub fn hold(&self) -> bool {
        self.absent.holds() && self.etag.holds()
    }
}

/// Why a node does not begin with a store.
#[derive(Debug, Error)]
pub enum SelftestError {
    /// Conditions are not kept.
    #[error(
        "{place} ignores conditions: {what}. Two nodes could own one range there; use a store that keeps If-None-Match and \
         If-Match, such as S3, and no cache or proxy before it that does not"
    )]
    Careless {
        /// The store.
        place: String,
        /// What it did.
        what: String,
    },
    /// Nothing was found out.
    #[error("{place}: a trial write was not decided within 30 s; look at the store and the network, then start again")]
    Silent {
        /// The store.
        place: String,
    },
}

/// Refuses a store that does not keep conditions.
///
/// # Errors
/// See [`SelftestError`].
pub async fn check(store: &Arc<dyn ObjectStore>) -> Result<(), SelftestError> {
    let Trial { writers, .. } = Trial::AT_BOOT;
    let Findings { absent, etag } = run(store, Trial::AT_BOOT).await?;
    let told = |tally: Tally, did: &str| match tally {
        Tally { most: 2.., .. } => {
            Some(format!("{} of {writers} writers that {did} at once were told that they did", tally.most))
        }
        Tally { fewest: 0, .. } => Some(format!("none of {writers} writers that {did} at once was told that it did")),
        Tally { astray: 1.., .. } => Some(format!(
            "of {writers} writers that {did} at once one was told that it did, but its object is not there"
        )),
        _ => None,
    };
    match told(absent, "created one object").or_else(|| told(etag, "replaced one version of an object")) {
        Some(what) => Err(SelftestError::Careless { place: store.place(), what }),
        None => Ok(()),
    }
}

/// Plays the rounds of a trial, and removes what they wrote.
///
/// # Errors
/// [`SelftestError::Silent`].
pub async fn run(store: &Arc<dyn ObjectStore>, trial: Trial) -> Result<Findings, SelftestError> {
    let mut game = Game {
        store: Arc::clone(store),
        trial,
        nonce: entropy::number(),
        left: Vec::new(),
        requests: Requests::new(entropy::number(), 0),
    };
    let found = game.play().await;
    while let Some(key) = game.left.pop() {
        game.remove(&key).await;
    }
    found.ok_or_else(|| SelftestError::Silent { place: store.place() })
}

/// The name of an object that is written to try a store. It stands among data that no manifest refers to.
pub(super) fn trial(name: &str) -> Key {
    Key::Part(RangeId::WHOLE, name.to_owned())
}

struct Game {
    store: Arc<dyn ObjectStore>,
    trial: Trial,
    /// Names its objects.
    nonce: u64,
    /// What may be there and is to be removed.
    left: Vec<Key>,
    requests: Requests,
}

/// A writer that was told that it won: as which version, and what it wrote.
type Winner = (Etag, Arc<[u8]>);

impl Game {
    async fn play(&mut self) -> Option<Findings> {
        let mut findings = Findings::default();
        for round in 0..self.trial.rounds {
            let key = self.key(&round.to_string());
            let winners = self.race(&key, &PutCondition::Absent, round).await?;
            let found = self.read(&key).await?;
            findings.absent.count(winners.len() as u32, is_of(&winners, found.as_ref()));
            self.left.retain(|left| *left != key);
            self.remove(&key).await;
        }
        let key = self.key("etag");
        let first = Write::new(key.clone(), b"begin"[..].into(), PutCondition::Absent);
        decided(&*self.store, &mut self.requests, first, Instant::now() + ROUND_MAX).await?;
        for round in 0..self.trial.rounds {
            // Not the version of the last winner: in a store that is careless there may be none, or several.
            let condition = match self.read(&key).await? {
                Some(found) => PutCondition::Matches(found.etag),
                None => PutCondition::Absent,
            };
            let winners = self.race(&key, &condition, round).await?;
            let found = self.read(&key).await?;
            findings.etag.count(winners.len() as u32, is_of(&winners, found.as_ref()));
        }
        Some(findings)
    }

    /// An object of this trial alone. The collector of garbage removes it, should this process not live to do so.
    fn key(&mut self, name: &str) -> Key {
        let key = trial(&format!("selftest-{}-{name}", Key::part_name(Nonce(self.nonce))));
        self.left.push(key.clone());
        key
    }

    /// Who won among writers that begin together.
    async fn race(&mut self, key: &Key, condition: &PutCondition, round: u32) -> Option<Vec<Winner>> {
        let (mut writers, late) = (JoinSet::new(), Instant::now() + ROUND_MAX);
        let begin = Arc::new(Barrier::new(self.trial.writers as usize));
        for writer in 0..self.trial.writers {
            let body: Arc<[u8]> = format!("{:016x} {round} {writer}", self.nonce).into_bytes().into();
            let write = Write::new(key.clone(), Arc::clone(&body), condition.clone());
            let (store, begin, nonce) = (Arc::clone(&self.store), Arc::clone(&begin), self.nonce);
            writers.spawn(async move {
                begin.wait().await;
                let verdict = decided(&*store, &mut Requests::new(nonce, writer + 1), write, late).await?;
                Some(match verdict {
                    Verdict::Done { etag, .. } => Some((etag, body)),
                    Verdict::Lost { .. } => None,
                })
            });
        }
        let mut winners = Vec::new();
        while let Some(done) = writers.join_next().await {
            winners.extend(done.ok()??);
        }
        Some(winners)
    }

    async fn read(&mut self, key: &Key) -> Option<Option<Object>> {
        let late = Instant::now() + ROUND_MAX;
        loop {
            let request = StoreRequest::Get { id: self.requests.next_id(), key: key.clone(), bytes: None };
            match self.store.perform(request).await {
                StoreReply::Get { outcome: GetOutcome::Found(object), .. } => return Some(Some(object)),
                StoreReply::Get { outcome: GetOutcome::Absent, .. } => return Some(None),
                _ if Instant::now() >= late => return None,
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    async fn remove(&mut self, key: &Key) {
        for _ in 0..REMOVE_TRIES {
            let request = StoreRequest::Delete { id: self.requests.next_id(), key: key.clone() };
            if let StoreReply::Delete { outcome: DeleteOutcome::Done, .. } = self.store.perform(request).await {
                return;
            }
        }
        tracing::warn!(store = self.store.place(), %key, "an object of the self-test was left behind");
    }
}

/// Whether what is there is the one winner's.
fn is_of(winners: &[Winner], found: Option<&Object>) -> bool {
    matches!((winners, found), ([(etag, body)], Some(found)) if found.etag == *etag && found.bytes == *body)
}

#[cfg(test)]
mod tests;
