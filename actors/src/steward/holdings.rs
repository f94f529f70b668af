//! What the ranges of a life refer to, for who removes garbage. Decides nothing.

use featuregrid_protocol::range::RangeId;

use crate::ownership::{Role, Tenure};
use crate::snapshot::garbage::Holdings;

/// Every range, by index.
pub(super) struct Tenures<'a>(pub(super) &'a [Tenure]);

impl Tenures<'_> {
    fn of(&self, range: RangeId) -> Option<&Tenure> {
        self.0.get(range.index()).filter(|_| self.0.len() == 1 << range.bits)
    }
}

impl Holdings for Tenures<'_> {
    fn owns(&self, range: RangeId) -> bool {
        self.of(range).is_some_and(|tenure| tenure.role() == Role::Owner)
    }

    fn may_refer_to(&self, range: RangeId, name: &str) -> bool {
        self.of(range).is_some_and(|tenure| tenure.may_refer_to(name))
    }
}
