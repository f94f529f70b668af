//! Protocol B: the control log and its activation barrier. Knows no store client and no sender.
//!
//! An entry `n` takes effect everywhere at one offset vector A, or nowhere:
//!
//! ```text
//! coordinator: reads manifests -> creates n -> lists leases -> waits for reports -> reads manifests -> creates n.decision
//! every node:  sees n -> holds at its frontier, reports it -> sees n.decision -> switches at A, or goes on
//!                                    after 2 s: creates n.decision ABORTED, and obeys whichever decision exists
//! ```
//! [`history`] is what a node knows of past activations, [`participant`] what every node does, [`coordinator`] what
//! the one does that proposes an entry.

pub mod coordinator;
pub mod history;
pub mod participant;

pub use coordinator::{Coordinator, Proposal};
pub use history::{Activation, History};
pub use participant::Participant;
