//! An instant of a node's own monotonic clock. Knows no calendar, and no other node's clock: two nodes' instants are
//! never compared, and their rates may differ by 5 %.

use std::ops::{Add, Sub};

use featuregrid_protocol::time::Span;

/// Microseconds since an arbitrary start, the same for one process only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monotonic(pub i64);

impl Monotonic {
    /// Before every instant: the due time of what should be done at once.
    pub const MIN: Self = Self(i64::MIN);
}

impl Add<Span> for Monotonic {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub for Monotonic {
    type Output = Span;
    fn sub(self, other: Self) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}
