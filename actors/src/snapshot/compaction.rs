//! When deltas are given up for a new base. Knows no page: an owner holds the whole range, so it writes a base instead
//! of merging parts.

use featuregrid_protocol::limits::DELTAS_MAX;
use featuregrid_protocol::manifest::Part;

/// Whether the next part must be a base: there is none yet, or restoring would read more from deltas than from the base.
///
/// Deltas are worth at most one base: so a range's parts are at most twice its state, and what is written over time
/// at most twice what changes, beside one base for each time its size has changed.
#[must_use]
pub fn base_is_due(parts: &[Part]) -> bool {
    let Some((base, deltas)) = parts.split_first() else { return true };
    deltas.len() >= DELTAS_MAX || deltas.iter().map(|delta| delta.bytes).sum::<u64>() > base.bytes
}

#[cfg(test)]
mod tests {
    //! No base, too many deltas, too large ones.
    use featuregrid_protocol::position::OffsetVector;

    use super::*;

    #[test]
    fn a_base_comes_first_and_when_deltas_outweigh_it() {
        let parts = |bytes: &[u64]| -> Vec<Part> {
            bytes.iter().map(|bytes| Part { name: String::new(), bytes: *bytes, v: OffsetVector::default() }).collect()
        };
        assert!(base_is_due(&parts(&[])));
        assert!(!base_is_due(&parts(&[100])));
        assert!(!base_is_due(&parts(&[100, 60, 40])));
        assert!(base_is_due(&parts(&[100, 60, 41])));
        assert!(base_is_due(&parts(&[1 << 40; DELTAS_MAX + 1])));
        let mut many = vec![1; DELTAS_MAX];
        many[0] = 1 << 40;
        assert!(!base_is_due(&parts(&many)));
        many.push(1);
        assert!(base_is_due(&parts(&many)));
    }
}
