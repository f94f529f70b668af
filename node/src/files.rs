//! Files that people name on the command line. Knows no content.

use std::path::Path;

use anyhow::{Context, bail};
use featuregrid_protocol::definition;
use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::limits::DEFINITIONS_BYTES_MAX;
use featuregrid_protocol::plan::Plan;

/// The text of a definitions file.
///
/// # Errors
/// When it cannot be read, or is too large.
pub fn definitions(path: &Path) -> anyhow::Result<String> {
    let length = std::fs::metadata(path).with_context(|| format!("{}", path.display()))?.len();
    if length > DEFINITIONS_BYTES_MAX as u64 {
        bail!("{}: {length} bytes; definitions have at most {DEFINITIONS_BYTES_MAX}", path.display());
    }
    std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))
}

/// A definitions file as the first plan of a grid.
///
/// # Errors
/// When it cannot be read, and every mistake in it.
pub fn plan(path: &Path) -> anyhow::Result<Plan> {
    text_and_plan(path).map(|(_, plan)| plan)
}

/// The same, with its text.
///
/// # Errors
/// As [`plan`].
pub fn text_and_plan(path: &Path) -> anyhow::Result<(String, Plan)> {
    let text = definitions(path)?;
    let plan = definition::compile(&text, &path.display().to_string(), None, ControlIndex(0))?;
    Ok((text, plan))
}
