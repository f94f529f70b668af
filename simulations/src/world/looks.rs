//! Looks at states: the canonical bytes of a range on a node now and then, every manifest that lands, and everything at
//! the end. Knows no reader of them.

use featuregrid_actors::ports::Key;
use featuregrid_actors::shard::{RangeSnapshot, Shard};
use featuregrid_actors::snapshot;
use featuregrid_actors::window;
use featuregrid_oracle::AsOf;
use featuregrid_protocol::ids::{Incarnation, NodeId};
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::position::{self, OffsetVector};
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::snapshot::SnapshotPage;
use featuregrid_protocol::time::Timestamp;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

use super::heap::Micros;
use super::message::{Read, ReadAnswer};
use super::{EPOCH, Event, Power, World};
use crate::invariants::Fact;

/// Somebody looks this often.
const LOOK_EVERY: Micros = 350_000;

impl World<'_, '_> {
    /// Looks at some range of some node.
    pub(super) fn look(&mut self) {
        let now = self.heap.now();
        let node = NodeId(self.random.below(self.machines.len() as u64) as u32);
        let pick = self.random.next();
        let machine = &self.machines[node.0 as usize];
        if machine.power == Power::On
            && let Some(host) = &machine.node
            && host.is_running()
        {
            let ranges: Vec<RangeId> = host.shard.iter().flat_map(Shard::ranges).collect();
            if !ranges.is_empty() {
                self.look_at(node, ranges[(pick % ranges.len() as u64) as usize], 3);
            }
        }
        self.heap.push(now + LOOK_EVERY, Event::Look);
    }

    /// Looks at every copy.
    pub(super) fn look_at_everything(&mut self) {
        for node in (0..self.machines.len() as u32).map(NodeId) {
            let host = self.machines[node.0 as usize].node.as_ref();
            let ranges: Vec<RangeId> =
                host.into_iter().flat_map(|host| host.shard.iter()).flat_map(Shard::ranges).collect();
            for range in ranges {
                self.look_at(node, range, 40);
            }
        }
    }

    /// Compares a copy's state, and what it answers for some of its keys.
    fn look_at(&mut self, node: NodeId, range: RangeId, keys: usize) {
        let Some(host) = self.machines[node.0 as usize].node.as_mut() else { return };
        let me = host.me;
        let Some(snapshot) = host.shard.as_mut().and_then(|shard| shard.snapshot(range)) else { return };
        self.show_state(me, &snapshot);
        let wall = Timestamp(EPOCH.0 + self.heap.now());
        let first = self.random.next();
        let pages = snapshot.pages.len();
        for step in 0..keys.min(pages) {
            let page = &snapshot.pages[((first + step as u64 * 7) % pages as u64) as usize];
            let at = Timestamp(wall.0 - (first >> 8).wrapping_mul(step as u64 + 1) as i64 % 1_500_000);
            self.probe(node, &snapshot, page, at);
        }
    }

    /// Reads what no client asked for.
    fn probe(&mut self, node: NodeId, snapshot: &RangeSnapshot, page: &SnapshotPage, at: Timestamp) {
        let Some(host) = self.machines[node.0 as usize].node.as_mut() else { return };
        let plan = self.judge.plan(snapshot.head.index);
        let view = plan.and_then(|plan| plan.views.iter().position(|view| view.id == page.view));
        let (Some(plan), Some(view)) = (plan, view) else { return };
        let Some(shard) = &mut host.shard else { return };
        let Some(reading) = shard.read(view, &page.key, window::AsOf::At(at)) else { return };
        let read = Read {
            id: 0,
            view: plan.views[view].name.clone(),
            key: page.key.clone(),
            as_of: AsOf::At(at),
            at_least: OffsetVector::default(),
        };
        let v = position::offsets(&snapshot.head.positions);
        let answer = ReadAnswer { read, node: host.me, v, reading };
        self.watch.mark("probes");
        self.compare(&answer);
    }

    fn show_state(&mut self, node: Incarnation, snapshot: &RangeSnapshot) {
        let now = self.heap.now();
        let v = position::offsets(&snapshot.head.positions);
        let Ok((accounting, truth)) = self.judge.range(snapshot.head.index, &v, snapshot.head.range) else { return };
        let plan = self.judge.plan(snapshot.head.index);
        let id =
            |name: &str| plan.and_then(|plan| plan.views.iter().find(|view| view.name == name)).map(|view| view.id);
        let rows: Vec<(String, u64, u64)> = truth
            .iter()
            .map(|(name, rows)| {
                let here = id(name).and_then(|id| snapshot.head.rows.get(&id)).map_or(0, |rows| rows.applied);
                (name.to_string(), here, *rows)
            })
            .collect();
        let hash = xxh3_64(&snapshot.encode().unwrap_or_default());
        self.watch.mark("states_compared");
        self.watch
            .note(now, node.node.0, "state", hash, || format!("{} {} {v:?}", snapshot.head.range, snapshot.head.index));
        let fact = Fact::State {
            node,
            range: snapshot.head.range,
            index: snapshot.head.index,
            positions: &snapshot.head.positions,
            hash,
            accounting: &accounting,
            rows: &rows,
        };
        self.watch.observe(now, &fact);
    }

    /// A manifest landed: it is restored into an empty shard, and compared like any other state.
    pub(super) fn look_at_manifest(&mut self, manifest: &Manifest) {
        let now = self.heap.now();
        if manifest.parts.is_empty() {
            return;
        }
        let restored = self.restore(manifest);
        let state = match &restored {
            Ok(snapshot) => Ok((snapshot.head.index, &snapshot.head.positions)),
            Err(why) => Err(why.as_str()),
        };
        self.watch.observe(now, &Fact::Restored { manifest, state });
        if let Ok(snapshot) = &restored {
            self.show_state(manifest.owner.unwrap_or_default(), snapshot);
        }
    }

    fn restore(&self, manifest: &Manifest) -> Result<RangeSnapshot, String> {
        let range = manifest.range;
        let part = |name: &String| {
            let object = self.store.object(&Key::Part(range, name.clone()));
            object.map(|object| Arc::clone(&object.bytes)).ok_or_else(|| format!("part {name} is missing"))
        };
        let parts = manifest.parts.iter().map(|named| part(&named.name)).collect::<Result<Vec<_>, String>>()?;
        let plan = self.judge.plan(manifest.index).ok_or_else(|| format!("{} is not active", manifest.index))?;
        let mut shard = Shard::new(Arc::clone(plan));
        snapshot::rebuild(&mut shard, manifest, &parts, |index| self.judge.plan(index).cloned())
            .map_err(|error| error.to_string())?;
        shard.snapshot(range).ok_or_else(|| "it holds another range".to_owned())
    }
}
