//! The network between nodes: when, how often and whether a message arrives. Knows no message: the world keeps them.

use featuregrid_protocol::ids::NodeId;
use serde::{Deserialize, Serialize};

use super::heap::Micros;
use crate::random::Random;

/// What a message is, as far as a rule of a scenario can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageClass {
    /// A subscription of the feed.
    Subscribe,
    /// The reader's answer to a subscription.
    Subscribed,
    /// Rows.
    Frame,
    /// What a receiver says back: progress, gaps.
    Receipt,
    /// A control entry's report.
    Report,
    /// Proof of life, and hints.
    Heartbeat,
    /// A step of a planned move.
    Move,
    /// A read passed on to another node, or its answer.
    Read,
}

/// How the network behaves as a whole, per mille of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetWeather {
    /// Lost.
    pub loss: u32,
    /// Delivered twice.
    pub duplicate: u32,
    /// Delayed by up to `delay_ms`, so overtaken by later ones.
    pub reorder: u32,
    /// Longest extra delay of reordered and duplicated ones, milliseconds.
    pub delay_ms: u32,
}

/// A rule for single messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetRule {
    /// Only from this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// Only to this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
    /// Only of this class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<MessageClass>,
    /// The first so many that match are left alone.
    #[serde(default)]
    pub skip: u32,
    /// So many after those are treated.
    pub count: u32,
    /// How.
    pub treat: NetTreat,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetTreat {
    /// Never arrives.
    Drop,
    /// Arrives so many milliseconds later.
    DelayMs(u32),
    /// Arrives at once, and again so many milliseconds later.
    AgainMs(u32),
}

/// A directed cut between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// From whom.
    pub from: NodeId,
    /// To whom.
    pub to: NodeId,
}

/// The network's state.
#[derive(Debug)]
pub struct SimNet {
    random: Random,
    weather: NetWeather,
    cuts: Vec<Cut>,
    rules: Vec<(usize, NetRule)>,
    sent: u64,
    lost: u64,
}

impl SimNet {
    /// A calm network.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self { random, weather: NetWeather::default(), cuts: Vec::new(), rules: Vec::new(), sent: 0, lost: 0 }
    }

    /// Changes how it behaves from now on.
    pub fn set_weather(&mut self, weather: NetWeather) {
        self.weather = weather;
    }

    /// Nothing passes in this direction until [`Self::mend`].
    pub fn cut(&mut self, cut: Cut) {
        self.cuts.push(cut);
    }

    /// Undoes one [`Self::cut`].
    pub fn mend(&mut self, cut: Cut) {
        if let Some(at) = self.cuts.iter().position(|known| *known == cut) {
            self.cuts.swap_remove(at);
        }
    }

    /// Adds a rule for single messages under a name.
    pub fn add_rule(&mut self, name: usize, rule: NetRule) {
        self.rules.push((name, rule));
    }

    /// Removes the rule of this name.
    pub fn remove_rule(&mut self, name: usize) {
        self.rules.retain(|(other, _)| *other != name);
    }

    /// Ends every fault.
    pub fn heal(&mut self) {
        self.weather = NetWeather::default();
        self.cuts.clear();
        self.rules.clear();
    }

    /// Messages (sent, lost) so far.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.sent, self.lost)
    }

    /// The times at which a message sent at `now` arrives: none, one or two.
    pub fn route(
        &mut self,
        now: Micros,
        from: NodeId,
        to: NodeId,
        class: MessageClass,
    ) -> (Option<Micros>, Option<Micros>) {
        self.sent += 1;
        let usual = now + if from == to { 10 } else { self.random.between(200, 1_500) };
        if self.cuts.iter().any(|cut| cut.from == from && cut.to == to) {
            self.lost += 1;
            return (None, None);
        }
        if let Some(treat) = self.rule(from, to, class) {
            return match treat {
                NetTreat::Drop => {
                    self.lost += 1;
                    (None, None)
                }
                NetTreat::DelayMs(ms) => (Some(usual + i64::from(ms) * 1_000), None),
                NetTreat::AgainMs(ms) => (Some(usual), Some(usual + i64::from(ms) * 1_000)),
            };
        }
        if from == to {
            return (Some(usual), None);
        }
        if self.random.chance(self.weather.loss) {
            self.lost += 1;
            return (None, None);
        }
        let longest = i64::from(self.weather.delay_ms) * 1_000;
        let extra = if self.random.chance(self.weather.reorder) { self.random.between(0, longest) } else { 0 };
        let again = self.random.chance(self.weather.duplicate).then(|| usual + self.random.between(0, longest));
        (Some(usual + extra), again)
    }

    fn rule(&mut self, from: NodeId, to: NodeId, class: MessageClass) -> Option<NetTreat> {
        let (_, rule) = self.rules.iter_mut().find(|(_, rule)| {
            rule.count > 0
                && rule.from.is_none_or(|node| node == from.0)
                && rule.to.is_none_or(|node| node == to.0)
                && rule.class.is_none_or(|wanted| wanted == class)
        })?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.count -= 1;
        Some(rule.treat)
    }
}

#[cfg(test)]
mod tests {
    //! Cuts are one-way; rules count.
    use super::*;

    #[test]
    fn cuts_are_one_way_and_rules_count() {
        let mut net = SimNet::new(Random::new(1));
        let (a, b) = (NodeId(0), NodeId(1));
        net.cut(Cut { from: a, to: b });
        assert_eq!(net.route(0, a, b, MessageClass::Frame), (None, None));
        assert!(net.route(0, b, a, MessageClass::Frame).0.is_some());
        net.heal();
        net.add_rule(1, NetRule { from: None, to: Some(1), class: None, skip: 1, count: 1, treat: NetTreat::Drop });
        let arrived: Vec<bool> = (0..3).map(|_| net.route(0, a, b, MessageClass::Read).0.is_some()).collect();
        assert_eq!(arrived, [true, false, true]);
    }
}
