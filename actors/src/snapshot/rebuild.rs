//! A range stands up from its manifest and the parts that it names. Knows not where they came from.

use std::sync::Arc;

use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::snapshot::PartError;
use thiserror::Error;

use crate::shard::{InstallError, RangeSnapshot, Shard};

/// Why a range does not stand up. It is not in the shard, and nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RebuildError {
    /// A part is damaged.
    #[error("part {name}: {error}; see `featuregrid snapshot verify` and the page on disaster recovery")]
    Part {
        /// The part's name.
        name: String,
        /// What is wrong.
        error: PartError,
    },
    /// The parts do not fit together, or not with the control log.
    #[error(transparent)]
    Install(#[from] InstallError),
}

/// Puts the range of `manifest` into `shard` from its `parts`, in the manifest's order; it stands at the manifest's positions and
/// index then. A range that was here is replaced.
///
/// # Errors
/// See [`RebuildError`].
pub fn rebuild(
    shard: &mut Shard,
    manifest: &Manifest,
    parts: &[Arc<[u8]>],
    plan: impl Fn(ControlIndex) -> Option<Arc<Plan>>,
) -> Result<(), RebuildError> {
    let named = manifest.parts.iter().zip(parts);
    let decoded = named.map(|(part, bytes)| {
        RangeSnapshot::decode(bytes).map_err(|error| RebuildError::Part { name: part.name.clone(), error })
    });
    let decoded = decoded.collect::<Result<Vec<RangeSnapshot>, RebuildError>>()?;
    if decoded.is_empty() {
        shard.add_range(manifest.range, manifest.positions.clone());
    } else {
        shard.install(&decoded, &plan)?;
        if let Some(plan) = plan(manifest.index) {
            shard.switch_range(manifest.range, plan);
        }
        // A range without news advances in the manifest alone.
        shard.stand_at(manifest.range, &manifest.positions);
    }
    Ok(())
}
