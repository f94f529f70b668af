//! Any history: subscriptions, moves, restarts with and without memory, activations, over a network that loses, doubles
//! and reorders. After every applied frame a range holds exactly the log's rows; once the network heals, all of them
//! reach the end together.

use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::time::Span;
use proptest::prelude::*;

use super::world::{State, World};

/// One thing that happens; numbers are taken modulo what there is.
#[derive(Clone, Copy, Debug)]
struct Event {
    kind: u8,
    a: usize,
    b: usize,
    c: u8,
}

fn event() -> impl Strategy<Value = Event> {
    let parts = (0u8..100, 0usize..64, 0usize..64, any::<u8>());
    parts.prop_map(|(kind, a, b, c)| Event { kind, a, b, c })
}

struct History {
    world: World,
    /// Snapshots of ranges, as a store would have them.
    saved: Vec<(RangeId, State)>,
    ranges: Vec<RangeId>,
}

impl History {
    fn new(nodes: usize) -> Self {
        let mut world = World::new(nodes);
        let ranges = RangeId::split_evenly(4);
        for node in 0..nodes {
            world.read_from(node, 0);
            world.add(node, &ranges.iter().copied().collect(), |_| World::empty());
        }
        Self { world, saved: Vec::new(), ranges }
    }

    /// A state some node had of `range`, or none.
    fn saved(&self, range: RangeId, pick: usize) -> State {
        let of: Vec<&State> = self.saved.iter().filter(|(which, _)| *which == range).map(|(_, state)| state).collect();
        if of.is_empty() { World::empty() } else { of[pick % of.len()].clone() }
    }

    fn step(&mut self, event: Event) {
        let Event { kind, a, b, c } = event;
        let node = a % self.world.nodes.len();
        let range = self.ranges[b % self.ranges.len()];
        let letters = self.world.letters.len();
        match kind {
            0..10 => {
                for n in 0..=b as u64 % 12 {
                    let ts = self.world.log.end() as i64 + i64::from(c.wrapping_mul(n as u8 | 1) % 24) - 12;
                    self.world.log.append(u64::from(n == 3), ts);
                }
            }
            10..20 => self.world.read(node, 1 + b % 9),
            20..30 => self.world.replay(node, 1 + b % 9),
            // Mostly the oldest letter, sometimes any: reordered.
            30..70 if letters > 0 => self.world.deliver(if c < 200 { 0 } else { b % letters }),
            70..74 if letters > 0 => drop(self.world.letters.remove(b % letters)),
            74..77 if letters > 0 => {
                let copy = self.world.letters[b % letters].clone();
                self.world.letters.push(copy);
            }
            77..83 => self.world.tick(Span::millis(i64::from(c))),
            83..85 => {
                let held = self.world.nodes[node].ranges.iter();
                self.saved.extend(held.map(|(range, state)| (*range, state.clone())));
            }
            85 => self.world.drop_range(node, range),
            86..88 => {
                let state = self.saved(range, usize::from(c));
                self.world.add(node, &RangeSet::from_iter([range]), |_| state.clone());
            }
            88..90 => self.world.prepare((c % 3 == 0).then_some(node)),
            90..92 => self.world.decide(c % 4 != 0, u64::from(c % 3)),
            96..98 => self.world.learn(node),
            92 => {
                let keep = c % 2 == 0;
                let saved: Vec<(RangeId, State)> =
                    self.ranges.iter().map(|range| (*range, self.saved(*range, b))).collect();
                let from_store =
                    |range| saved.iter().find(|(which, _)| *which == range).map(|(_, state)| state.clone());
                self.world.restart_receiver(node, |range, old| {
                    if keep { old.clone() } else { from_store(range).unwrap_or_else(World::empty) }
                });
            }
            93 => {
                let start = self.saved(range, usize::from(c)).position;
                self.world.restart_sender(node, &start);
            }
            94..96 => self.world.read_from(node, b % self.world.nodes.len()),
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 20_000, ..ProptestConfig::default() })]
    #[test]
    fn any_history_applies_the_log_exactly(events in proptest::collection::vec(event(), 0..1000)) {
        let mut history = History::new(2);
        for event in events {
            history.step(event);
        }
        history.world.settle();
    }
}
