//! What people do in a shop: views, clicks, carts, purchases and searches, in the shape of a general event envelope
//! (metadata, payload, context). Knows no definition.

use std::io::Write as _;

use super::even::{Even, Moment, Timeline};
use super::text::{hex, instant};
use super::zipf::Zipf;
use super::{Expected, Produced, Records};
use crate::random::Random;

/// Room for the longest event.
const BYTES: usize = 420;
const ITEMS: u32 = 500;
const CATEGORIES: [&str; 8] = ["books", "garden", "games", "kitchen", "music", "shoes", "tools", "toys"];
/// What happens, each kind as often as it stands here.
const KINDS: [&str; 20] = [
    "view",
    "view",
    "view",
    "view",
    "view",
    "view",
    "view",
    "view",
    "view",
    "view",
    "click",
    "click",
    "click",
    "click",
    "click",
    "add_to_cart",
    "add_to_cart",
    "purchase",
    "search",
    "search",
];
const DEVICES: [&str; 3] = ["mobile", "desktop", "tablet"];
const LOCATIONS: [&str; 8] = ["DE", "FR", "US", "GB", "IT", "ES", "CH", "AT"];

/// Events in the order they are appended.
#[derive(Clone, Debug)]
pub struct Clicks {
    timeline: Timeline,
    users: Zipf,
    items: Zipf,
    who: Random,
    content: Random,
}

impl Clicks {
    /// The events of `even`.
    #[must_use]
    pub fn new(even: Even) -> Self {
        let root = Random::new(even.seed);
        let timeline = Timeline::new(even, &root);
        let (users, items) = (Zipf::new(timeline.keys()), Zipf::new(ITEMS));
        Self { timeline, users, items, who: root.fork("user"), content: root.fork("content") }
    }

    fn payload(&mut self, user: u32, moment: Moment) -> Vec<u8> {
        let id = self.content.next();
        let kind = KINDS[self.content.below(KINDS.len() as u64) as usize];
        let session = u64::from(user) << 32 | (moment.event.0 / 1_800_000_000) as u64 & 0xffff_ffff;
        let mut out = Vec::with_capacity(BYTES);
        out.extend_from_slice(br#"{"metadata":{"event_id":"evt-"#);
        hex(&mut out, id);
        out.extend_from_slice(br#"","timestamp":""#);
        instant(&mut out, moment.event);
        out.extend_from_slice(br#"","source":"shop","version":"1.0"},"payload":{"session_id":"s-"#);
        hex(&mut out, session);
        // Writing to memory cannot fail.
        let _ = write!(out, r#"","user_id":"u{user}","event_type":"{kind}","properties":{{"#);
        if kind == "search" {
            let _ = write!(out, r#""query":"{}""#, CATEGORIES[self.content.below(8) as usize]);
        } else {
            let item = self.items.draw(&mut self.content) + 1;
            let category = CATEGORIES[item as usize % CATEGORIES.len()];
            let cents = 99 + u64::from(item) * 7919 % 20_000;
            let dwell = 200 + self.content.below(60) * self.content.below(1000);
            let (whole, part) = (cents / 100, cents % 100);
            let _ = write!(out, r#""item_id":"i{item}","category":"{category}","dwell_ms":{dwell},"#);
            let _ = write!(out, r#""price":{whole}.{part:02}"#);
        }
        let device = DEVICES[self.content.below(DEVICES.len() as u64) as usize];
        let location = LOCATIONS[user as usize % LOCATIONS.len()];
        let _ = write!(out, r#"}}}},"context":{{"device":"{device}","location":"{location}"}}}}"#);
        out
    }
}

impl Iterator for Clicks {
    type Item = Produced;

    fn next(&mut self) -> Option<Produced> {
        let moment = self.timeline.next()?;
        let user = self.users.draw(&mut self.who) + 1;
        let payload = self.payload(user, moment);
        Some(self.timeline.produced(format!("u{user}").into_bytes(), moment, payload))
    }
}

impl Records for Clicks {
    fn expected(&self) -> Expected {
        self.timeline.expected()
    }
}
