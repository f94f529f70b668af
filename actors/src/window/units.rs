//! Where units of the calendar begin. Knows no event; the zones are those that are built in.

use featuregrid_protocol::plan::{Calendar, Unit};
use featuregrid_protocol::time::{Span, Timestamp, zone};
use jiff::Timestamp as Instant;
use jiff::civil::Time;
use jiff::tz::TimeZone;

const HOUR: Span = Span::seconds(3600);

/// The units of one kind in one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Units {
    calendar: Calendar,
    zone: TimeZone,
}

impl Units {
    /// Of a plan that was compiled with the zone; without it, UTC.
    pub(super) fn new(calendar: Calendar) -> Self {
        Self { calendar, zone: zone::find(calendar.zone.name()).unwrap_or(TimeZone::UTC) }
    }

    /// What its boundaries are multiples of.
    pub(super) fn hop(&self) -> Span {
        self.calendar.hop
    }

    /// Where the unit that `t` lies in began.
    pub(super) fn start(&self, t: Timestamp) -> Timestamp {
        let earliest = (t - self.calendar.reach()).floor(self.calendar.hop);
        self.first(t).map_or(earliest, |first| first.floor(self.calendar.hop).max(earliest))
    }

    /// Where the unit before it began.
    pub(super) fn start_before(&self, t: Timestamp) -> Timestamp {
        self.start(self.start(t) - Span::TICK)
    }

    /// The first instant of the unit, by the zone's own clocks; `None` beyond the years that have a name.
    fn first(&self, t: Timestamp) -> Option<Timestamp> {
        let instant = Instant::from_microsecond(t.0).ok()?;
        let date = self.zone.to_datetime(instant).date();
        let first = match self.calendar.unit {
            Unit::Hour => {
                let ahead = Span::seconds(self.zone.to_offset(instant).seconds().into());
                return Some((t + ahead).floor(HOUR) - ahead);
            }
            Unit::Day => date,
            Unit::Week => {
                let days = i64::from(date.weekday().to_monday_zero_offset());
                date.checked_sub(jiff::Span::new().days(days)).ok()?
            }
            Unit::Month => date.first_of_month(),
        };
        let midnight = self.zone.to_timestamp(first.to_datetime(Time::midnight())).ok()?;
        Some(Timestamp(midnight.as_microsecond()))
    }
}

#[cfg(test)]
mod tests;
