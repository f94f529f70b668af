//! Law 7: no queue is longer than its bound, in any run.

use super::{Fact, Invariant};
use crate::world::heap::Micros;

/// See the module.
#[derive(Debug)]
pub(super) struct BoundedQueues;

impl Invariant for BoundedQueues {
    fn name(&self) -> &'static str {
        "bounded_queues"
    }

    fn observe(&mut self, _: Micros, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Queue { node, name, length, bound } if length > bound => {
                Err(format!("{node}: {name} has {length} entries, at most {bound} are allowed"))
            }
            _ => Ok(()),
        }
    }
}
