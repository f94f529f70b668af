//! Every read, at every token, equals the oracle's: instant, edge, and each feature's value and status. Not within a
//! tolerance, and not only at the end.

use super::{Fact, Invariant};
use crate::world::heap::Micros;

/// See the module.
#[derive(Debug)]
pub(super) struct ReadsEqualOracle;

impl Invariant for ReadsEqualOracle {
    fn name(&self) -> &'static str {
        "reads_equal_oracle"
    }

    fn observe(&mut self, _: Micros, fact: &Fact<'_>) -> Result<(), String> {
        let Fact::Read { node, view, key, as_of, at_least, v, got, want, features } = fact else { return Ok(()) };
        let key = featuregrid_protocol::key::parts(key).join(",");
        let place = || format!("{node} {view} {key} as_of {as_of:?} at {} {v:?}", got.index);
        if !v.covers(at_least) {
            return Err(format!("{}: older than the demanded token {at_least:?}", place()));
        }
        if (got.instant, got.edge) != (want.instant, want.edge) {
            let (want, got) = ((want.instant, want.edge), (got.instant, got.edge));
            return Err(format!("{}: effective instant: want {want:?} got {got:?}", place()));
        }
        let pairs = want.readings.iter().zip(&got.readings).zip(*features);
        if let Some(((want, got), feature)) = pairs.into_iter().find(|((want, got), _)| want != got) {
            return Err(format!("{}: {feature}: want {want:?} got {got:?}", place()));
        }
        if want.readings.len() != got.readings.len() {
            return Err(format!("{}: want {} features, got {}", place(), want.readings.len(), got.readings.len()));
        }
        Ok(())
    }
}
