//! Names for sets of ranges. Knows not what they name.

use featuregrid_protocol::ids::{Generation, Incarnation};
use featuregrid_protocol::plants::{self, Plant};

/// Counts up within one life of the receiver. The life is part of the name, and the host persists it before it begins,
/// so no name is ever used for a second set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Generations {
    incarnation: Incarnation,
    counter: u64,
}

impl Generations {
    pub(super) fn new(incarnation: Incarnation) -> Self {
        Self { incarnation, counter: 0 }
    }

    /// A name that was not used before.
    pub(super) fn next_name(&mut self) -> Generation {
        self.counter += 1;
        let mut incarnation = self.incarnation;
        if plants::on(Plant::A1GenerationRestarts) {
            incarnation.boot = 0;
        }
        Generation { incarnation, counter: self.counter }
    }
}

#[cfg(test)]
mod tests {
    //! Names differ within a life and across lives.
    use featuregrid_protocol::ids::NodeId;

    use super::*;

    #[test]
    fn a_restart_never_repeats_a_name() {
        let life = |boot| Generations::new(Incarnation { node: NodeId(1), boot });
        let (mut first, mut second) = (life(1), life(2));
        let names = [first.next_name(), first.next_name(), second.next_name(), second.next_name()];
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
    }
}
