//! The JSON of one event, written by hand because a bench prefills millions. Knows no partition and no order.

use featuregrid_protocol::time::{Span, Timestamp};

use crate::random::Random;
use crate::workload::text::{hex, instant, number};

const KINDS: [&str; 10] =
    ["purchase", "view", "purchase", "view", "cart", "view", "purchase", "view", "view", "refund"];
const SOURCES: [&str; 4] = ["web", "ios", "android", "checkout"];
const CURRENCIES: [&str; 4] = ["EUR", "USD", "GBP", "CHF"];
const DEVICES: [&str; 4] = ["mobile", "desktop", "tablet", "terminal"];
const LOCATIONS: [&str; 8] = ["DE", "FR", "US", "GB", "IT", "ES", "CH", "AT"];
/// Room for the longest event, so that writing never grows the buffer.
const BYTES: usize = 384;
/// Beyond every skew a source allows by default.
const FUTURE: Span = Span::seconds(3600);

/// A way to be of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// The payload ends in the middle.
    Truncated,
    /// There is no event timestamp.
    NoTimestamp,
    /// The event timestamp is words.
    UnreadableTimestamp,
    /// Dated an hour ahead of its record.
    Future,
    /// An array where an object must stand.
    NotAnObject,
    /// The amount is a truth value.
    AmountIsBool,
    /// The amount is words.
    AmountIsWords,
    /// The key is null.
    NullKey,
}

impl Malformed {
    pub(super) const ALL: [Self; 8] = [
        Self::Truncated,
        Self::NoTimestamp,
        Self::AmountIsBool,
        Self::UnreadableTimestamp,
        Self::NullKey,
        Self::Future,
        Self::AmountIsWords,
        Self::NotAnObject,
    ];

    /// Whether the record itself is in order, and only a view that looks at the field can tell.
    pub(super) fn is_found_by_the_view(self) -> bool {
        matches!(self, Self::AmountIsBool | Self::AmountIsWords | Self::NullKey)
    }
}

/// The text of a user's id.
pub(super) fn user(user: u32) -> Vec<u8> {
    let mut text = Vec::with_capacity(8);
    text.push(b'u');
    number(&mut text, u64::from(user), 1);
    text
}

/// What an event holds.
pub(super) struct Event {
    /// Event time, on a whole millisecond.
    pub(super) ts: Timestamp,
    user: u32,
    id: u64,
    /// Bits that the enumerated parts are taken from.
    parts: u64,
    cents: u64,
}

impl Event {
    pub(super) fn draw(random: &mut Random, user: u32, ts: Timestamp) -> Self {
        // Squared, so that small amounts are common: 0.01 to 1000.00.
        let root = random.below(100_000);
        Self { ts, user, id: random.next(), parts: random.next(), cents: root * root / 100_000 + 1 }
    }

    /// The event as it should be.
    pub(super) fn json(&self, key: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(BYTES);
        self.metadata(&mut out, Some(self.ts));
        self.payload(&mut out, Some(key), |out| self.amount(out));
        self.context(&mut out);
        out
    }

    /// The event, spoilt.
    pub(super) fn malformed(&self, key: &[u8], kind: Malformed) -> Vec<u8> {
        let mut out = Vec::with_capacity(BYTES);
        match kind {
            Malformed::Truncated => {
                out = self.json(key);
                out.truncate(out.len() / 2 + (self.parts >> 60) as usize);
            }
            Malformed::NotAnObject => {
                out.push(b'[');
                out.extend_from_slice(&self.json(key));
                out.push(b']');
            }
            Malformed::NoTimestamp => {
                self.metadata(&mut out, None);
                self.payload(&mut out, Some(key), |out| self.amount(out));
                self.context(&mut out);
            }
            Malformed::UnreadableTimestamp => {
                out.extend_from_slice(br#"{"metadata":{"timestamp":"yesterday at noon"},"#);
                self.payload(&mut out, Some(key), |out| self.amount(out));
                self.context(&mut out);
            }
            Malformed::Future => {
                self.metadata(&mut out, Some(self.ts + FUTURE));
                self.payload(&mut out, Some(key), |out| self.amount(out));
                self.context(&mut out);
            }
            Malformed::AmountIsBool | Malformed::AmountIsWords => {
                let words: &[u8] = if kind == Malformed::AmountIsBool { b"true" } else { b"\"twelve\"" };
                self.metadata(&mut out, Some(self.ts));
                self.payload(&mut out, Some(key), |out| out.extend_from_slice(words));
                self.context(&mut out);
            }
            Malformed::NullKey => {
                self.metadata(&mut out, Some(self.ts));
                self.payload(&mut out, None, |out| self.amount(out));
                self.context(&mut out);
            }
        }
        out
    }

    fn metadata(&self, out: &mut Vec<u8>, ts: Option<Timestamp>) {
        out.extend_from_slice(br#"{"metadata":{"event_id":"evt-"#);
        hex(out, self.id);
        if let Some(ts) = ts {
            out.extend_from_slice(br#"","timestamp":""#);
            instant(out, ts);
        }
        out.extend_from_slice(br#"","source":""#);
        out.extend_from_slice(SOURCES[self.part(0, SOURCES.len())].as_bytes());
        out.extend_from_slice(br#"","version":"1.2"},"#);
    }

    fn payload(&self, out: &mut Vec<u8>, key: Option<&[u8]>, amount: impl FnOnce(&mut Vec<u8>)) {
        out.extend_from_slice(br#""payload":{"user_id":"#);
        match key {
            Some(key) => {
                out.push(b'"');
                out.extend_from_slice(key);
                out.push(b'"');
            }
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(br#","session_id":"s-"#);
        hex(out, u64::from(self.user) << 32 | (self.ts.0 / 3_600_000_000) as u64 & 0xffff_ffff);
        out.extend_from_slice(br#"","event_type":""#);
        out.extend_from_slice(self.kind().as_bytes());
        out.extend_from_slice(br#"","properties":{"amount":"#);
        amount(out);
        out.extend_from_slice(br#","currency":""#);
        out.extend_from_slice(CURRENCIES[self.part(3, CURRENCIES.len())].as_bytes());
        out.extend_from_slice(br#"","product_id":"p-"#);
        number(out, self.id % 10_000, 4);
        out.extend_from_slice(br#""}},"#);
    }

    fn context(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#""context":{"device":""#);
        out.extend_from_slice(DEVICES[self.part(4, DEVICES.len())].as_bytes());
        out.extend_from_slice(br#"","location":""#);
        out.extend_from_slice(LOCATIONS[self.part(5, LOCATIONS.len())].as_bytes());
        out.extend_from_slice(br#""}}"#);
    }

    fn kind(&self) -> &'static str {
        KINDS[self.part(1, KINDS.len())]
    }

    /// Two digits after the point; a refund is negative.
    fn amount(&self, out: &mut Vec<u8>) {
        if self.kind() == "refund" {
            out.push(b'-');
        }
        number(out, self.cents / 100, 1);
        out.push(b'.');
        number(out, self.cents % 100, 2);
    }

    /// One of `count`, by the `at`-th byte of the event's bits.
    fn part(&self, at: usize, count: usize) -> usize {
        usize::from(self.parts.to_le_bytes()[at]) * count / 256
    }
}

#[cfg(test)]
mod tests {
    //! Amounts are written as people write them.
    use super::*;

    #[test]
    fn amounts_have_two_digits() {
        let mut event = Event::draw(&mut Random::new(1), 7, Timestamp(0));
        (event.cents, event.parts) = (1205, 0);
        let text = String::from_utf8(event.json(b"u7")).unwrap();
        assert!(text.contains(r#""event_type":"purchase","properties":{"amount":12.05,"#), "{text}");
        event.parts = 0xff00;
        let text = String::from_utf8(event.json(b"u7")).unwrap();
        assert!(text.contains(r#""event_type":"refund","properties":{"amount":-12.05,"#), "{text}");
    }
}
