//! Units of the calendar, found by asking of instant after instant which date its zone's clocks show. Knows no event.

use featuregrid_protocol::plan::{Calendar, Unit};
use featuregrid_protocol::time::{Span, Timestamp, zone};
use jiff::tz::TimeZone;

use crate::window::floor;

const DAY: i64 = 24 * 3600;

/// What the clocks and the calendar on the wall say the unit is.
type Page = (i64, i64);

/// Where the unit that `t` lies in began, on the hop: less than the longest unit before.
pub(crate) fn begin(calendar: Calendar, t: Timestamp) -> Timestamp {
    let Calendar { unit, zone, hop } = calendar;
    let furthest = floor(t - longest(calendar), hop) + hop;
    let zone = zone::find(zone.name()).unwrap_or(TimeZone::UTC);
    let Some(now) = page(unit, &zone, t) else { return furthest };
    if unit == Unit::Hour {
        return floor(Timestamp(now.0), hop).max(furthest);
    }
    let is_of_it = |at: Timestamp| page(unit, &zone, at) == Some(now);
    let mut begin = None;
    let mut at = floor(t, hop);
    while at >= furthest {
        if is_of_it(at) {
            begin = Some(at);
        }
        at = at - hop;
    }
    // Where it began between two hops, at the first of them.
    match begin {
        Some(begin) if begin > furthest && is_of_it(begin - Span::TICK) => begin - hop,
        Some(begin) => begin,
        None => floor(t, hop),
    }
}

/// With three hours for clocks that are set back; where units begin at multiples of a day, they never are.
fn longest(Calendar { unit, hop, .. }: Calendar) -> Span {
    let usual = match unit {
        Unit::Hour => return Span::seconds(3600),
        Unit::Day => DAY,
        Unit::Week => 7 * DAY,
        Unit::Month => 31 * DAY,
    };
    Span::seconds(if hop == Span::seconds(DAY) { usual } else { usual + 3 * 3600 })
}

fn page(unit: Unit, zone: &TimeZone, t: Timestamp) -> Option<Page> {
    let instant = jiff::Timestamp::from_microsecond(t.0).ok()?;
    let date = zone.to_datetime(instant).date();
    Some(match unit {
        Unit::Hour => {
            let ahead = i64::from(zone.to_offset(instant).seconds()) * 1_000_000;
            ((t.0 + ahead).div_euclid(3_600_000_000) * 3_600_000_000 - ahead, 0)
        }
        Unit::Day => (date.year().into(), date.day_of_year().into()),
        Unit::Week => {
            let week = date.iso_week_date();
            (week.year().into(), week.week().into())
        }
        Unit::Month => (date.year().into(), date.month().into()),
    })
}

#[cfg(test)]
mod tests;
