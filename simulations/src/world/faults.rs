//! Faults of a plan: what each does to the world, and how everything is well again. Knows no node's inside.

use std::collections::BTreeMap;

use featuregrid_protocol::ids::{Incarnation, NodeId, PartitionId};
use featuregrid_protocol::range::RangeId;

use super::heap::Micros;
use super::net::{Cut, NetWeather};
use super::store::StoreWeather;
use super::{Event, Power, TEXTS, World};
use crate::invariants::Fact;
use crate::plan::FaultKind;

impl World<'_, '_> {
    /// A fault begins.
    pub(super) fn begin_fault(&mut self, at: usize) {
        let (now, kind) = (self.heap.now(), &self.plan.faults[at].kind);
        *self.watch.report.faults.entry(kind.name()).or_default() += 1;
        self.watch.note(now, 0, "fault", at as u64, || format!("{kind:?}"));
        let mut ends = None;
        match kind {
            FaultKind::Crash { node, for_ms } => self.crash(NodeId(*node), i64::from(*for_ms) * 1_000),
            FaultKind::Suspend { node, for_ms } => {
                self.stand_still(NodeId(*node), Power::Suspended);
                ends = Some(for_ms);
            }
            FaultKind::Freeze { node, for_ms } => {
                self.stand_still(NodeId(*node), Power::Frozen);
                ends = Some(for_ms);
            }
            FaultKind::ClockRate { node, ppm } => {
                if let Some(machine) = self.machines.get_mut(*node as usize) {
                    machine.clock.set_rate(now, *ppm);
                }
            }
            FaultKind::Net { weather, for_ms } => {
                self.net.set_weather(*weather);
                ends = Some(for_ms);
            }
            FaultKind::Cut { from, to, for_ms } => {
                self.net.cut(Cut { from: NodeId(*from), to: NodeId(*to) });
                ends = Some(for_ms);
            }
            FaultKind::Message { rule, for_ms } => {
                self.net.add_rule(at, rule.clone());
                ends = Some(for_ms);
            }
            FaultKind::StoreCut { node, for_ms } => {
                self.store.cut_off(NodeId(*node), true);
                if let Some(machine) = self.machines.get_mut(*node as usize) {
                    machine.still += i64::from(*for_ms) * 1_000;
                }
                ends = Some(for_ms);
            }
            FaultKind::Store { weather, for_ms } => {
                self.set_store_weather(*weather);
                ends = Some(for_ms);
            }
            FaultKind::Write { rule, for_ms } => {
                self.store.add_rule(at, rule.clone());
                ends = Some(for_ms);
            }
            FaultKind::Apply { node } => self.apply_next(NodeId(*node)),
            FaultKind::Move { range, to } => {
                let ranges = RangeId::split_evenly(self.plan.cluster.ranges);
                if let Some(range) = ranges.get(*range as usize) {
                    self.wishes.ranges.insert(*range, NodeId(*to));
                }
            }
            FaultKind::Join { node } => self.start(NodeId(*node)),
            FaultKind::AddPartition => {
                if self.log.partitions().len() < 8 {
                    self.log.add_partition();
                }
            }
            FaultKind::LeaderChange { partition } => self.log.change_leader(PartitionId(*partition)),
            FaultKind::Retention => self.forget_durable(),
            FaultKind::FetchStall { node, partition, for_ms } => {
                if let Some(machine) = self.machines.get_mut(*node as usize) {
                    machine.stalled.insert(PartitionId(*partition));
                }
                ends = Some(for_ms);
            }
            FaultKind::ReaderTo { partition, node } => {
                self.wishes.readers.insert(PartitionId(*partition), NodeId(*node));
            }
            FaultKind::Quiet { for_ms } => self.quiet_until = now + i64::from(*for_ms) * 1_000,
        }
        if let Some(for_ms) = ends {
            self.heap.push(now + i64::from(*for_ms) * 1_000, Event::FaultEnd(at));
        }
    }

    /// A fault ends; what was healed before has ended already.
    pub(super) fn end_fault(&mut self, at: usize) {
        if self.healed {
            return;
        }
        match &self.plan.faults[at].kind {
            FaultKind::Suspend { node, .. } | FaultKind::Freeze { node, .. } => self.wake(NodeId(*node)),
            FaultKind::Net { .. } => self.net.set_weather(NetWeather::default()),
            FaultKind::Cut { from, to, .. } => self.net.mend(Cut { from: NodeId(*from), to: NodeId(*to) }),
            FaultKind::Store { .. } => self.set_store_weather(StoreWeather::default()),
            FaultKind::Message { .. } => self.net.remove_rule(at),
            FaultKind::Write { .. } => self.store.remove_rule(at),
            FaultKind::StoreCut { node, .. } => self.store.cut_off(NodeId(*node), false),
            FaultKind::FetchStall { node, partition, .. } => {
                if let Some(machine) = self.machines.get_mut(*node as usize) {
                    machine.stalled.remove(&PartitionId(*partition));
                }
            }
            _ => {}
        }
    }

    /// The process dies, and another starts later.
    pub(super) fn crash(&mut self, node: NodeId, for_us: Micros) {
        let now = self.heap.now();
        let Some(machine) = self.machines.get_mut(node.0 as usize) else { return };
        if machine.power == Power::Off {
            return;
        }
        machine.power = Power::Off;
        machine.node = None;
        machine.asleep.clear();
        if let Some(since) = machine.still_since.take() {
            machine.still += now - since;
        }
        self.watch.note(now, node.0, "crash", 0, String::new);
        self.heap.push(now + for_us, Event::Start { node });
    }

    fn stand_still(&mut self, node: NodeId, power: Power) {
        let now = self.heap.now();
        if let Some(machine) = self.machines.get_mut(node.0 as usize)
            && machine.power == Power::On
        {
            machine.power = power;
            machine.still_since = Some(now);
        }
    }

    fn wake(&mut self, node: NodeId) {
        let now = self.heap.now();
        let Some(machine) = self.machines.get_mut(node.0 as usize) else { return };
        if !matches!(machine.power, Power::Frozen | Power::Suspended) {
            return;
        }
        machine.power = Power::On;
        if let Some(since) = machine.still_since.take() {
            machine.still += now - since;
        }
        self.watch.mark("wakes");
        for event in std::mem::take(&mut machine.asleep) {
            self.heap.push(now, event);
        }
    }

    fn set_store_weather(&mut self, weather: StoreWeather) {
        let now = self.heap.now();
        match (self.store.weather().outage, weather.outage) {
            (false, true) => self.outage_since = Some(now),
            (true, false) => self.outage += self.outage_since.take().map_or(0, |since| now - since),
            _ => {}
        }
        self.store.set_weather(weather);
    }

    /// The next definitions are applied at a node, or at the next one that runs.
    fn apply_next(&mut self, node: NodeId) {
        let count = self.machines.len();
        let text = TEXTS[self.text % TEXTS.len()].to_owned();
        let order = (0..count).map(|step| (node.0 as usize + step) % count);
        for at in order {
            let machine = &mut self.machines[at];
            if machine.power == Power::On
                && let Some(node) = &mut machine.node
            {
                node.apply(text);
                self.text += 1;
                return;
            }
        }
    }

    /// The log forgets what every manifest has made durable.
    fn forget_durable(&mut self) {
        let partitions: Vec<PartitionId> = self.log.partitions().keys().copied().collect();
        let mut durable: BTreeMap<PartitionId, u64> = BTreeMap::new();
        if self.manifests.len() < self.plan.cluster.ranges as usize {
            return;
        }
        for partition in partitions {
            let stands = |manifest: &featuregrid_protocol::manifest::Manifest| {
                // A manifest without parts restores from its positions, so those stay readable too.
                manifest.positions.get(&partition).map_or(0, |position| position.next)
            };
            durable.insert(partition, self.manifests.values().map(stands).min().unwrap_or(0));
        }
        for (partition, earliest) in durable {
            self.log.retain_from(partition, earliest);
        }
    }

    /// Every fault ends, every machine runs.
    pub(super) fn heal(&mut self) {
        self.healed = true;
        self.net.heal();
        self.set_store_weather(StoreWeather::default());
        self.store.heal();
        self.wishes.readers.clear();
        for node in (0..self.machines.len() as u32).map(NodeId) {
            self.machines[node.0 as usize].stalled.clear();
            self.wake(node);
            let ran = self.machines[node.0 as usize].process > 0;
            if ran && self.machines[node.0 as usize].power == Power::Off {
                self.start(node);
            }
        }
        let now = self.heap.now();
        self.watch.note(now, 0, "healed", 0, String::new);
    }

    /// After the last fault: runs until everything is well, at most as long as the plan allows.
    pub(super) fn live(&mut self, since: Micros) {
        let until = since + i64::from(self.plan.liveness_ms) * 1_000;
        let mut missing = Vec::new();
        while !self.watch.is_over() && self.heap.now() < until {
            let next = self.heap.now() + 500_000;
            self.run_until(next);
            missing = self.missing();
            if missing.is_empty() {
                break;
            }
        }
        let now = self.heap.now();
        if missing.is_empty() {
            self.look_at_everything();
        }
        self.watch.observe(now, &Fact::End { missing: &missing });
    }

    /// What is not well yet.
    fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        let newest = self.judge.latest().map(|plan| plan.index);
        let now = self.heap.now();
        for range in RangeId::split_evenly(self.plan.cluster.ranges) {
            let owner: Option<Incarnation> = self.manifests.get(&range).and_then(|manifest| manifest.owner);
            let active = owner.is_some_and(|owner| {
                let machine = &self.machines[owner.node.0 as usize];
                let mono = machine.clock.monotonic(now);
                machine.node.as_ref().is_some_and(|node| node.me == owner && node.steward.may_have_effects(mono, range))
            });
            if !active {
                missing.push(format!("{range} has no active owner, its manifest names {owner:?}"));
            }
        }
        for machine in &self.machines {
            let Some(node) = &machine.node else { continue };
            if !node.is_running() {
                missing.push(format!("{} does not run", node.me));
            }
            if node.plan().map(|plan| plan.index) != newest {
                missing.push(format!("{} does not know {newest:?}", node.me));
            }
            for range in node.shard.iter().flat_map(|shard| shard.ranges()) {
                let v = node.token(range).unwrap_or_default();
                let behind = self.log.partitions().iter().find(|(partition, log)| v.get(**partition) < log.end());
                if let Some((partition, log)) = behind {
                    let (at, end) = (v.get(*partition), log.end());
                    missing.push(format!("{} {range} stands at {at} of {end} on {partition}", node.me));
                }
            }
        }
        missing
    }
}
