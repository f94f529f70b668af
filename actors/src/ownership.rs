//! Protocol C: lease, claim, planned move, takeover, the four outcomes of a conditional write. Knows no store client.
//!
//! A node's right to act is its lease; its right to a range is the range's manifest; effects need both at the same instant.
//!
//! [`LeaseHolder`] keeps the right of this life, [`Observer`] and [`Takeover`] end that of a dead one. Per range, [`Claim`]
//! takes, [`Commit`] makes durable or releases, [`planned_move`] hands over, and [`Tenure`] does one of them at a time.
//! [`Restore`] reads back what was made durable. The node record, deltas and garbage (C4 to C6) come with durability.

pub mod claim;
pub mod commit;
mod lease_holder;
mod observer;
pub mod planned_move;
mod restore;
mod takeover;
pub mod tenure;

pub use claim::Claim;
pub use commit::{Commit, CommitError, Known, Snapshot};
pub use lease_holder::{Lapse, LeaseHolder, Progress};
pub use observer::Observer;
pub use restore::Restore;
pub use takeover::Takeover;
pub use tenure::{MoveError, Role, Tenure};
