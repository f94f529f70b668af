//! Time zones of the database that is built in: the same everywhere, whatever the machine has. Knows no clock.

use jiff::Timestamp as Instant;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::Span;

/// What midnights of a zone may be multiples of, in seconds: a day where its clocks are always set to UTC.
const STEPS: [i64; 4] = [86_400, 3_600, 1_800, 900];
/// Since when a zone's offsets say what its midnights are multiples of, and until when, in seconds since 1970: to the end of
/// the century.
const KNOWN: (i64, i64) = (0, 4_102_444_800);

/// The zone of an IANA name.
#[must_use]
pub fn find(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok().filter(|zone| !zone.is_unknown())
}

/// The longest step that the zone's midnights since 1970 are multiples of; where none is, the shortest there is.
#[must_use]
pub fn step(zone: &TimeZone) -> Span {
    let [from, to] = [KNOWN.0, KNOWN.1].map(|second| Instant::from_second(second).unwrap_or(Instant::MAX));
    let later = zone.following(from).take_while(|transition| transition.timestamp() < to);
    let offsets: Vec<i64> = std::iter::once(zone.to_offset(from))
        .chain(later.map(|transition| transition.offset()))
        .map(|offset| offset.seconds().into())
        .collect();
    let divides = |step: &i64| offsets.iter().all(|offset| offset % step == 0);
    Span::seconds(STEPS.into_iter().find(divides).unwrap_or(STEPS[STEPS.len() - 1]))
}

/// The names of all zones.
#[must_use]
pub fn names() -> Vec<String> {
    TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
}

#[cfg(test)]
mod tests;
