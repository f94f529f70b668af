//! Definitions of the simulated grid, and their plans: compiled once per run, whoever asks. Knows no control log.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_protocol::definition;
use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::plan::Plan;
use xxhash_rust::xxh3::xxh3_64;

/// The texts that `apply` takes one after the other; the first is genesis.
pub const TEXTS: &[&str] = &[
    include_str!("../definitions/0.yaml"),
    include_str!("../definitions/1.yaml"),
    include_str!("../definitions/2.yaml"),
    include_str!("../definitions/3.yaml"),
];

/// Plans by text, index and the plan before.
#[derive(Debug, Default)]
pub struct Library {
    plans: BTreeMap<(u64, ControlIndex, Option<ControlIndex>), Arc<Plan>>,
}

impl Library {
    /// The plan of a text as entry `index` after `previous`.
    ///
    /// # Errors
    /// The text's mistakes.
    pub fn plan(&mut self, text: &str, previous: Option<&Plan>, index: ControlIndex) -> Result<Arc<Plan>, String> {
        let key = (xxh3_64(text.as_bytes()), index, previous.map(|plan| plan.index));
        if let Some(plan) = self.plans.get(&key) {
            return Ok(Arc::clone(plan));
        }
        let plan = definition::compile(text, "definitions.yaml", previous, index).map_err(|error| error.to_string())?;
        Ok(Arc::clone(self.plans.entry(key).or_insert(Arc::new(plan))))
    }
}

#[cfg(test)]
mod tests {
    //! Every text compiles after every other.
    use super::*;

    #[test]
    fn every_text_follows_every_other() {
        let mut library = Library::default();
        for before in TEXTS {
            let first = library.plan(before, None, ControlIndex(0)).unwrap();
            for after in TEXTS {
                library.plan(after, Some(&first), ControlIndex(1)).unwrap();
            }
        }
    }
}
