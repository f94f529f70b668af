//! What can be played: which records, under which definitions, and what of it is worth looking at. Knows no log.

use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_simulations::workload::clicks::Clicks;
use featuregrid_simulations::workload::sensors::Sensors;
use featuregrid_simulations::workload::w1::{self, Parameters, W1};
use featuregrid_simulations::workload::{Even, Records};

/// Users: few enough that everybody is seen again soon.
const USERS: u32 = 1000;
/// Sensors: few enough that each has a reading in most windows.
const SENSORS: u32 = 100;
/// How much history is played where no rate is given: as long as the longest windows that matter here, and a day more.
pub const HISTORY: Span = Span::seconds(48 * 3600);
/// How far behind its record an event's time may lie.
pub const DISORDER: Span = Span::seconds(2);
/// Records of a play that ends when it is told to.
pub const WITHOUT_END: u64 = 1_000_000_000;

/// A kind of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// Payments by user (workload W1).
    Payments,
    /// Readings by sensor.
    Sensors,
    /// What users do in a shop.
    Clicks,
}

/// Which of its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Play {
    /// Equal seeds play equal records.
    pub seed: u64,
    /// How many.
    pub events: u64,
    /// Partitions of the topic.
    pub partitions: u32,
    /// When the first is appended.
    pub start: Timestamp,
    /// Over which time.
    pub span: Span,
    /// How far behind its record an event's time may lie.
    pub disorder: Span,
}

impl Play {
    /// The two days before `now`.
    #[must_use]
    pub fn history(seed: u64, events: u64, partitions: u32, now: Timestamp) -> Self {
        Self { seed, events, partitions, start: millis(now - HISTORY), span: HISTORY, disorder: DISORDER }
    }

    /// From `now` on, `rate` each second.
    #[must_use]
    pub fn present(seed: u64, events: u64, partitions: u32, now: Timestamp, rate: u64) -> Self {
        let micros = u128::from(events) * 1_000_000 / u128::from(rate.max(1));
        let span = Span(i64::try_from(micros).unwrap_or(i64::MAX));
        Self { seed, events, partitions, start: millis(now), span, disorder: DISORDER }
    }
}

fn millis(at: Timestamp) -> Timestamp {
    at.floor(Span::millis(1))
}

/// What is shown of a workload while it is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What one record is, and who.
    pub records: &'static str,
    /// A feature view.
    pub view: &'static str,
    /// Its join key.
    pub key: &'static str,
    /// Its entities are this letter and a number.
    pub letter: char,
    /// Results of the view.
    pub features: [&'static str; 5],
}

impl Workload {
    /// The definitions it is made for.
    #[must_use]
    pub fn definitions(self) -> &'static str {
        match self {
            Self::Payments => w1::DEFINITIONS,
            Self::Sensors => include_str!("iot.yaml"),
            Self::Clicks => include_str!("reco.yaml"),
        }
    }

    /// The topic that these definitions read.
    #[must_use]
    pub fn topic(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Sensors => "raw_readings",
            Self::Clicks => "user_events",
        }
    }

    /// What is worth looking at.
    #[must_use]
    pub fn shown(self) -> Shown {
        match self {
            Self::Payments => Shown {
                records: "payments",
                view: "user_spend",
                key: "user_id",
                letter: 'u',
                features: ["events_5m", "spend_1h", "purchases_24h", "amount_mean_5m", "amount_max_24h"],
            },
            Self::Sensors => Shown {
                records: "readings",
                view: "sensor_health",
                key: "sensor_id",
                letter: 's',
                features: ["readings_1h", "temperature_mean_1h", "temperature_max_1h", "hot_24h", "warming"],
            },
            Self::Clicks => Shown {
                records: "events",
                view: "user_interest",
                key: "user_id",
                letter: 'u',
                features: ["events_5m", "clicks_1h", "searches_24h", "spend_24h", "click_rate_24h"],
            },
        }
    }

    fn keys(self) -> u32 {
        match self {
            Self::Payments | Self::Clicks => USERS,
            Self::Sensors => SENSORS,
        }
    }

    fn even(self, play: Play) -> Even {
        let Play { seed, events, partitions, start, span, disorder } = play;
        Even { seed, events, partitions, keys: self.keys(), start, span, disorder }
    }

    /// The records of a play, none of them late or malformed.
    #[must_use]
    pub fn records(self, play: Play) -> Box<dyn Records> {
        let even = self.even(play);
        match self {
            Self::Payments => Box::new(W1::new(Parameters { late: 0, malformed: 0, ..payments(&even) })),
            Self::Sensors => Box::new(Sensors::new(even)),
            Self::Clicks => Box::new(Clicks::new(even)),
        }
    }

    /// The records of a play, of payments also the late and malformed ones that every real topic has.
    #[must_use]
    pub fn messy(self, play: Play) -> Box<dyn Records> {
        match self {
            Self::Payments => Box::new(W1::new(payments(&self.even(play)))),
            Self::Sensors | Self::Clicks => self.records(play),
        }
    }

    /// The records that a verification reads.
    #[must_use]
    pub fn reference(self, seed: u64, events: u64) -> Box<dyn Records> {
        let Parameters { partitions, start, span, disorder, .. } = Parameters::new(seed, events);
        match self {
            Self::Payments => Box::new(W1::new(Parameters::new(seed, events))),
            Self::Sensors | Self::Clicks => self.records(Play { seed, events, partitions, start, span, disorder }),
        }
    }
}

fn payments(even: &Even) -> Parameters {
    let Even { seed, events, partitions, keys, start, span, disorder } = even.clone();
    Parameters { partitions, users: keys, start, span, disorder, ..Parameters::new(seed, events) }
}

#[cfg(test)]
mod tests {
    //! Definitions take every record of their workload, and have what is shown of it.
    use std::collections::BTreeMap;

    use featuregrid_oracle::{Oracle, Record};
    use featuregrid_protocol::definition;
    use featuregrid_protocol::ids::ControlIndex;
    use featuregrid_protocol::position::OffsetVector;

    use super::*;

    const ALL: [Workload; 3] = [Workload::Payments, Workload::Sensors, Workload::Clicks];

    #[test]
    fn every_record_is_taken() {
        for workload in ALL {
            let plan = definition::compile(workload.definitions(), "demo", None, ControlIndex(0))
                .unwrap_or_else(|mistakes| panic!("{mistakes}"));
            let shown = workload.shown();
            let view = plan.view(shown.view).unwrap();
            for feature in shown.features {
                assert!(view.result_index(feature).is_some(), "{feature}");
            }
            assert_eq!(plan.sources[0].topic, workload.topic());

            let mut oracle = Oracle::new();
            oracle.activate(ControlIndex(0), OffsetVector::default(), plan);
            let mut next = BTreeMap::new();
            let mut records = workload.records(Play::history(3, 5000, 4, Timestamp(1_767_225_600_000_000)));
            for record in records.by_ref() {
                let offset = next.entry(record.partition).or_insert(0);
                let (offset_of_it, payload) = (*offset, record.payload);
                *offset += 1;
                let (log_timestamp, offset) = (record.log_timestamp, offset_of_it);
                oracle.push(record.partition, Record { offset, log_timestamp, admit: false, payload }).unwrap();
            }
            let totals = oracle.cut(ControlIndex(0), &OffsetVector(next)).unwrap().totals();
            assert_eq!((totals.records, totals.routed), (5000, 5000), "{workload:?}");
            assert_eq!(records.expected().routed, 5000);
            let rejected: u64 = totals.views.values().map(|view| view.rejected).sum();
            assert_eq!(rejected, 0, "{workload:?}");
        }
    }
}
