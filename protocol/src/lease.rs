//! Stored format of a node's lease: its right to have effects. Knows no clock: `actors::ownership` counts.

use serde::{Deserialize, Serialize};

use crate::ids::{Incarnation, Nonce};

/// One object per node incarnation, changed only by conditional write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Whose.
    pub holder: Incarnation,
    /// Counts renewals.
    pub sequence: u64,
    /// What it still allows.
    pub state: LeaseState,
    /// Keeps equal contents apart.
    pub nonce: Nonce,
}

/// What a lease still allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaseState {
    /// Effects, while it is renewed.
    Active,
    /// Nothing more: a successor is taking over; the next renewal fails.
    Fenced,
    /// Nothing more: the holder left by itself, successors need not wait.
    Released,
}
