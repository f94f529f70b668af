//! The newest durable state is found, also when it changes while it is read.
use featuregrid_protocol::ids::{ControlIndex, Epoch, Nonce};
use featuregrid_protocol::manifest::Part;
use featuregrid_protocol::position::Positions;

use super::*;
use crate::ports::script::*;

fn manifest(part: &str) -> Manifest {
    Manifest {
        range: RangeId::split_evenly(4)[1],
        epoch: Epoch(3),
        owner: None,
        released_to: None,
        positions: Positions::new(),
        index: ControlIndex(0),
        parts: vec![Part { name: part.to_owned(), bytes: part.len() as u64, v: v(&[]) }],
        nonce: Nonce(9),
    }
}

fn run(restore: &mut Restore, now: Monotonic, shelf: &mut Shelf) -> Vec<Effect> {
    let mut out = Vec::new();
    restore.advance(now, &mut out);
    shelf.serve(out, |reply, out| assert!(restore.reply(now, reply, out)))
}

#[test]
fn a_range_without_a_manifest_begins_at_genesis() {
    let range = manifest("x").range;
    let mut restore = Restore::new(range, Requests::new(1, 1));
    let seen = run(&mut restore, ms(0), &mut Shelf::default());
    assert_eq!(seen, [Effect::Restored { range, manifest: None, parts: Vec::new() }]);
    assert!(restore.has_ended());
}

#[test]
fn a_part_that_is_gone_is_looked_for_under_the_newer_manifest() {
    let range = manifest("x").range;
    let mut shelf = Shelf::default();
    shelf.put(Key::Manifest(range), &manifest("gone"));
    let mut restore = Restore::new(range, Requests::new(1, 1));
    assert_eq!(run(&mut restore, ms(0), &mut shelf), []);
    shelf.put(Key::Manifest(range), &manifest("here"));
    shelf.write(Key::Part(range, "here".to_owned()), Arc::from(&b"here"[..]));
    assert_eq!(run(&mut restore, ms(499), &mut shelf), []);
    let seen = run(&mut restore, ms(500), &mut shelf);
    let manifest = Some(Arc::new(manifest("here")));
    assert_eq!(seen, [Effect::Restored { range, manifest, parts: vec![Arc::from(&b"here"[..])] }]);
}
