//! Hours, days, weeks and months as a place counts them. Knows no instant: what lies in one is computed where it is asked.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::{Span, zone};

const HOUR: Span = Span::seconds(3600);
const DAY: Span = Span::seconds(24 * 3600);
/// What a zone's clocks may be set back by within one unit: three hours at Casey, two at Troll, one elsewhere.
const SET_BACK: Span = Span::seconds(3 * 3600);

/// A unit of the calendar in a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Which.
    pub unit: Unit,
    /// Where.
    pub zone: Zone,
    /// Units begin at multiples of it; where the zone's clocks say otherwise, at the multiple before.
    pub hop: Span,
}

impl Calendar {
    /// Units of a zone by its name; `None` if there is no such zone.
    #[must_use]
    pub fn new(unit: Unit, name: &str) -> Option<Self> {
        let found = zone::find(name)?;
        let step = zone::step(&found);
        let hop = if unit == Unit::Hour { step.min(HOUR) } else { step };
        Some(Self { unit, zone: Zone::new(found.iana_name()?)?, hop })
    }

    /// The longest a unit is taken to be, a multiple of the hop: of a longer one, a date that a zone had twice, the last so
    /// much counts.
    #[must_use]
    pub fn longest(self) -> Span {
        let usual = match self.unit {
            Unit::Hour => return HOUR,
            Unit::Day => DAY,
            Unit::Week => Span(7 * DAY.0),
            Unit::Month => Span(31 * DAY.0),
        };
        // Where tiles are of a day, nobody sets clocks.
        if self.hop == DAY { usual } else { usual + SET_BACK }
    }

    /// The unit that `t` lies in did not begin before `floor_hop(t - reach)`: on the hop, and less than the longest ago.
    #[must_use]
    pub fn reach(self) -> Span {
        Span(self.longest().0 - self.hop.0)
    }
}

/// A part of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// By the clock of the zone.
    Hour,
    /// From midnight.
    Day,
    /// From Monday.
    Week,
    /// From the first.
    Month,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The name in definitions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// The IANA name of a time zone.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    bytes: [u8; Self::BYTES_MAX],
}

impl Zone {
    /// The longest name in use has 32 letters.
    pub const BYTES_MAX: usize = 40;

    /// Of this name; `None` if it is too long for one.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let mut bytes = [0; Self::BYTES_MAX];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        Some(Self { bytes })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        let end = self.bytes.iter().position(|byte| *byte == 0).unwrap_or(Self::BYTES_MAX);
        std::str::from_utf8(&self.bytes[..end]).unwrap_or_default()
    }
}

impl TryFrom<String> for Zone {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        Self::new(&name).ok_or(name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
