//! A read of one page: feeds a pass from the newest row to the oldest tile. The page is folded before.

use featuregrid_protocol::time::Timestamp;

use super::page::{Memory, Page};
use crate::aggregate::merge;
use crate::window::{Group, Pass, Shape, Snapshots};

impl<M: Memory> Page<'_, M> {
    /// Evaluates every window of a group of the ladder's at `at` into `out`.
    pub(crate) fn read(&self, group: &Group, at: Timestamp, out: &mut Snapshots) {
        let shape: &Shape = self.shape;
        let form = self.form();
        let (gathers, gathered) = (!shape.gathers.is_empty(), self.memory.gathered());
        let mut pass = Pass::start(out, shape, group, form, at);
        for index in (0..self.raw_len()).rev() {
            let row = self.raw(index);
            if pass.reach(row.ts()) {
                row.add_to(shape, form, pass.running());
                if gathers {
                    row.gather(shape, gathered.texts(index), pass.collected());
                }
            }
        }
        let mut end = self.tiles_len();
        for level in 0..shape.levels.len() {
            let first = end - self.level_len(level);
            for index in (first..end).rev() {
                let (start, cells) = self.tile(index);
                if pass.reach(start) {
                    shape.cells.merge(pass.running(), form, cells);
                    if gathers {
                        merge(pass.collected(), gathered.tile(index));
                    }
                }
                if level > 0 && pass.is_past_all() {
                    return pass.finish();
                }
            }
            if level == 0 && shape.lifetime {
                // What has left level 0 stands in the header, all of it before any answerable instant.
                pass.close_lifetime(shape, self.lifetime(), gathered.lifetime());
            }
            end = first;
        }
        pass.finish();
    }
}
