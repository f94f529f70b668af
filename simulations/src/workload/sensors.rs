//! Readings of sensors: temperatures that follow the day, with noise and now and then one far off. Knows no definition.

use std::io::Write as _;

use super::even::{Even, Moment, Timeline};
use super::text::{hex, instant};
use super::{Expected, Produced, Records};
use crate::random::Random;

/// Room for the longest reading.
const BYTES: usize = 256;
const DAY_MILLIS: i64 = 86_400_000;
/// Of 1000 readings, how many are far off.
const FAR_OFF_PER_MILLE: u32 = 5;
const LOCATIONS: [&str; 6] = ["hall-1", "hall-2", "hall-3", "roof", "cellar", "yard"];

/// Readings in the order they are appended.
#[derive(Clone, Debug)]
pub struct Sensors {
    timeline: Timeline,
    sensors: Random,
    content: Random,
}

impl Sensors {
    /// The readings of `even`.
    #[must_use]
    pub fn new(even: Even) -> Self {
        let root = Random::new(even.seed);
        Self { sensors: root.fork("sensor"), content: root.fork("content"), timeline: Timeline::new(even, &root) }
    }

    /// Hundredths of a degree: each sensor has a level of its own, warmest at noon.
    fn temperature(&mut self, sensor: u64, moment: Moment) -> i64 {
        let level = 1600 + (sensor * 137 % 1000) as i64;
        let of_day = moment.event.0.div_euclid(1000).rem_euclid(DAY_MILLIS);
        let from_midnight = of_day.min(DAY_MILLIS - of_day);
        let day = from_midnight * 600 / (DAY_MILLIS / 2) - 300;
        // Two dice: small deviations are common.
        let noise = self.content.between(-25, 25) + self.content.between(-25, 25);
        let far_off = if self.content.chance(FAR_OFF_PER_MILLE) { 1500 } else { 0 };
        level + day + noise + far_off
    }

    fn payload(&mut self, sensor: u64, moment: Moment) -> Vec<u8> {
        let temperature = self.temperature(sensor, moment);
        let humidity = 450 + (sensor * 53 % 200) as i64 + self.content.between(-20, 20);
        let pressure = 10_080 + self.content.between(0, 150);
        let battery = 100 - sensor % 60;
        let location = LOCATIONS[sensor as usize % LOCATIONS.len()];
        let id = self.content.next();
        let mut out = Vec::with_capacity(BYTES);
        out.extend_from_slice(br#"{"reading_id":"r-"#);
        hex(&mut out, id);
        out.extend_from_slice(br#"","timestamp":""#);
        instant(&mut out, moment.event);
        let (degrees, hundredths) = (temperature.div_euclid(100), temperature.rem_euclid(100));
        // Writing to memory cannot fail. No temperature here is below zero, so that the digits are what they seem.
        let _ = write!(
            out,
            r#"","sensor_id":"s{sensor}","temperature":{degrees}.{hundredths:02},"humidity":{}.{},"pressure":{}.{},"#,
            humidity / 10,
            humidity % 10,
            pressure / 10,
            pressure % 10,
        );
        let _ = write!(out, r#""battery":{battery},"location":"{location}"}}"#);
        out
    }
}

impl Iterator for Sensors {
    type Item = Produced;

    fn next(&mut self) -> Option<Produced> {
        let moment = self.timeline.next()?;
        let sensor = 1 + self.sensors.below(u64::from(self.timeline.keys()));
        let payload = self.payload(sensor, moment);
        Some(self.timeline.produced(format!("s{sensor}").into_bytes(), moment, payload))
    }
}

impl Records for Sensors {
    fn expected(&self) -> Expected {
        self.timeline.expected()
    }
}
