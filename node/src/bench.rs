//! Figures with their limits beside them, measured in the same run. Knows no command line.

pub mod cpu;
pub mod fold;
pub mod ids;
pub mod ingest;
pub mod memory;
pub mod read;
mod rows;
pub mod six;
pub mod training;
pub mod windows;

use featuregrid_protocol::definition::{self, Mistakes};
use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::plan::Plan;
use featuregrid_simulations::workload::w1::DEFINITIONS;

/// W1's plan: one view by user, thirty features.
///
/// # Errors
/// Never, unless the definitions and this release disagree.
pub fn plan() -> Result<Plan, Mistakes> {
    definition::compile(DEFINITIONS, "W1", None, ControlIndex(0))
}
