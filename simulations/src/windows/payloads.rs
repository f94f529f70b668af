//! Payloads of every odd shape. Knows neither what is right nor who reads them.

use featuregrid_protocol::time::{Span, Timestamp};

use crate::random::Random;

const USERS: &[&str] = &[
    r#""ann""#,
    r#""ann""#,
    r#""ann""#,
    r#""bob""#,
    r#""bob""#,
    r#""b\u006fb""#,
    r#""""#,
    r#""zoë 😀""#,
    r#""\ud83d\ude00""#,
    "7",
    "7.0",
    "-1e400",
    "null",
    "true",
    "[]",
    r#"{"id":1}"#,
];
const AMOUNTS: &[&str] = &[
    "1",
    "12.50",
    "-0.5",
    "0.005",
    "0.015",
    "0.025",
    "2.675",
    "1e2",
    "12E-1",
    "1e400",
    "1e-400",
    "-0",
    "0.0",
    "9223372036854775807",
    "-9223372036854775808",
    "92233720368547758.07",
    "92233720368547758.08",
    "92233720368547758.075",
    r#""12.50""#,
    r#""+3""#,
    r#"".5""#,
    r#""5.""#,
    r#""NaN""#,
    r#""-Infinity""#,
    r#""inf""#,
    r#""1e3""#,
    "null",
    r#""\u0031""#,
];
const WRONG_AMOUNTS: &[&str] =
    &[r#""abc""#, r#""""#, r#"" 1""#, r#""1,5""#, r#""0x1""#, r#""1e""#, "true", "[1]", r#"{"amount":1}"#];
const KINDS: &[&str] = &[r#""purchase""#, r#""purchase""#, r#""purchase""#, r#""view""#, r#""p\u0075rchase""#, "null"];
const WRONG_KINDS: &[&str] = &["5", "[]"];
const IDS: &[&str] =
    &[r#""a""#, r#""a""#, r#""\u0061""#, r#""b""#, r#""c""#, r#""7""#, "7", "7.0", r#""""#, "null", "true", r#"["a"]"#];
const VIPS: &[&str] = &["true", "false", "null"];
const WRONG_VIPS: &[&str] = &[r#""true""#, "1"];
/// Few different texts, two as long as they may be and two that are longer.
const SHOPS: &[&str] = &[
    "a",
    "a",
    "a",
    "A",
    "b",
    "b",
    "DE",
    "",
    "\\u0061",
    "\u{e9}",
    "\u{1f600}",
    "\\u0000",
    "x*128",
    "\u{e9}*64",
    "x*129",
    "\u{e9}*65",
];
/// Members that no field names; all but the last few are JSON.
const UNUSED: &[&str] = &[
    r#""x":null"#,
    r#""x":1e999"#,
    r#""x":[1,{"y":[]}]"#,
    r#""x":"a\"b\\c\/\b\f\n\r\t""#,
    r#""x":"\ud83d\ude00""#,
    r#""ts2":5"#,
    r#""x":"\\ud800""#,
    r#""x":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]"#,
    r#""x":"\ud800""#,
    r#""\udc00":1"#,
    r#""x":"\ud800\n""#,
    r#""x":01"#,
    r#""x":tru"#,
    r#""x":+1"#,
    r#""x":.5"#,
    "\"x\":\"\u{1}\"",
    r#""x":"\q""#,
    r#"x:1"#,
    r#""x":1,"#,
];

/// A source of them.
#[derive(Debug)]
pub struct Payloads {
    random: Random,
    variety: Variety,
    /// How far behind the clock an event may lie.
    behind: Span,
    /// The event time that was drawn last.
    pub last: Timestamp,
}

/// How many different values there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variety {
    /// So few that all are told apart, for many users.
    Few,
    /// More than are told apart, small ones more often than large ones, and mostly for one user.
    Many,
}

impl Payloads {
    /// Events of which lie up to so far behind the clock.
    #[must_use]
    pub fn new(random: Random, variety: Variety, behind: Span) -> Self {
        Self { random, variety, behind, last: Timestamp::MIN }
    }

    /// A payload for a record written at `clock`.
    pub fn draw(&mut self, clock: Timestamp) -> Option<Vec<u8>> {
        if self.random.chance(20) {
            return None;
        }
        let ts = self.timestamp(clock);
        let user = self.user();
        let amount = if self.is_odd() && self.random.chance(60) { self.pick(WRONG_AMOUNTS) } else { self.amount() };
        let shop = self.shop();
        let kind = if self.is_odd() && self.random.chance(80) { self.pick(WRONG_KINDS) } else { self.pick(KINDS) };
        let vip = if self.is_odd() && self.random.chance(60) { self.pick(WRONG_VIPS) } else { self.pick(VIPS) };
        let mut members = vec![format!(r#""kind":{kind}"#)];
        let mut inner = vec![format!(r#""user":{user}"#), format!(r#""amount":{amount}"#), format!(r#""vip":{vip}"#)];
        inner.push(format!(r#""shop":{shop}"#));
        inner.retain(|_| !self.random.chance(40));
        // Mostly an id of its own, so that events are left.
        let id = match self.shape(10) {
            0 => None,
            1 => Some(self.pick(&IDS[..7])),
            2 => Some(self.pick(IDS)),
            _ => Some(format!("\"e{}\"", self.random.below(1 << 40))),
        };
        members.extend(id.map(|id| format!(r#""id":{id}"#)));
        members.push(match self.shape(40) {
            0 => r#""payload":"no object""#.into(),
            1 => r#""payload":null"#.into(),
            2 => r#""payload":1e999"#.into(),
            3 => format!(r#""payl\u006fad":{{{}}}"#, inner.join(",")),
            4 => format!(r#""payload":[{{{}}}]"#, inner.join(",")),
            _ => format!(r#""payload" : {{ {} }}"#, inner.join(" ,\n")),
        });
        if let Some(ts) = ts {
            members.push(format!(r#""ts":{ts}"#));
        }
        if self.random.chance(100) {
            let unused = self.pick(UNUSED);
            members.push(unused);
        }
        if self.random.chance(60) {
            // Doubled names: the last counts, whatever the first held.
            let again = members[self.random.below(members.len() as u64) as usize].clone();
            members.push(again);
            members.push([r#""payload":{"user":"ann"}"#, r#""kind":"purchase""#][self.random.below(2) as usize].into());
        }
        let at = self.random.below(members.len() as u64) as usize;
        members.swap(0, at);
        let mut text = format!("{{{}}}", members.join(",")).into_bytes();
        match self.random.below(120) {
            0 => text.truncate(self.random.below(text.len() as u64) as usize),
            1 => text.extend_from_slice(b" x"),
            2 => text.extend_from_slice(b" \r\n\t"),
            3 => text.insert(0, b' '),
            4 => text.splice(0..0, *b"\xef\xbb\xbf").for_each(drop),
            5 => text = [b"[".as_slice(), &text, b"]"].concat(),
            6 => {
                let at = self.random.below(text.len() as u64) as usize;
                text[at] = self.random.below(256) as u8;
            }
            7 => text = [b"{\"x\":\"\xff\",".as_slice(), &text[1..]].concat(),
            8 => text = [b"{\"x\":".as_slice(), &b"[".repeat(300), &b"]".repeat(300), b",", &text[1..]].concat(),
            _ => {}
        }
        Some(text)
    }

    /// Whether a shape may be drawn that is often refused: of many values most are to be taken.
    fn is_odd(&mut self) -> bool {
        self.random.chance(if self.variety == Variety::Few { 500 } else { 100 })
    }

    /// One of so many shapes; the last is the plain one.
    fn shape(&mut self, of: u64) -> u64 {
        if self.is_odd() { self.random.below(of) } else { of - 1 }
    }

    fn user(&mut self) -> String {
        match self.random.below(100) {
            0 => format!("\"{}\"", "k".repeat(1025)),
            1..90 if self.variety == Variety::Many => r#""ann""#.to_owned(),
            _ => self.pick(USERS),
        }
    }

    fn amount(&mut self) -> String {
        if self.variety == Variety::Few || self.random.chance(50) {
            return self.pick(AMOUNTS);
        }
        // Of any magnitude.
        let sign = if self.random.chance(300) { "-" } else { "" };
        format!("{sign}{}e-2", self.skewed(50))
    }

    fn shop(&mut self) -> String {
        match self.random.below(40) {
            0 => "null".to_owned(),
            1 if self.is_odd() => ["7", "true", "[]"][self.random.below(3) as usize].to_owned(),
            2..36 if self.variety == Variety::Many => format!("\"shop {}\"", self.skewed(11)),
            _ => {
                let shop = self.pick(SHOPS);
                let (letter, times) = shop.split_once('*').unwrap_or((&shop, "1"));
                format!("\"{}\"", letter.repeat(times.parse().unwrap_or(1)))
            }
        }
    }

    /// A number of less than so many bits, small ones more often.
    fn skewed(&mut self, bits: u64) -> u64 {
        let bits = self.random.below(bits);
        self.random.below(1 << bits)
    }

    fn timestamp(&mut self, clock: Timestamp) -> Option<String> {
        let back = [1_000, 2_000_000, 12_000_000, self.behind.0][self.random.below(4) as usize];
        let ahead = if self.random.chance(50) { 13_000_000 } else { 0 };
        let ts = clock + Span(self.random.between(-back, ahead));
        let ts = if self.random.chance(200) { beside_an_edge(ts, &mut self.random) } else { ts };
        self.last = ts;
        let text = ts.to_string();
        let body = text.trim_end_matches('Z');
        Some(match self.shape(40) {
            0 => return None,
            1 => "null".into(),
            2 => "true".into(),
            3 => r#""yesterday""#.into(),
            4 => format!("{}", ts.0 as f64 / 1000.0 + 0.5),
            5 => format!("{}.0", ts.0 / 1000),
            6 => format!("{}e3", ts.0 / 1_000_000),
            7 => "9223372036854775807".into(),
            8 => "-9223372036854775".into(),
            9 => format!("\"{body}\""),
            10 => format!("\"{}\"", text.to_lowercase()),
            11 => format!("\"{}\"", text.replace('T', " ")),
            12 => r#""2026-01-01T12:00:60Z""#.into(),
            13 => r#""2026-02-30T12:00:00Z""#.into(),
            14 => format!("\"{}\"", ts.0 / 1000),
            15..=20 => (ts.0 / 1000).to_string(),
            21..=23 => format!("\"{body}+00:00\""),
            24 => format!("\"{}-01:30\"", (ts - Span::seconds(5400)).to_string().trim_end_matches('Z')),
            25 => format!("\"{}\"", text.replace('Z', "\\u005a")),
            _ => format!("\"{text}\""),
        })
    }

    fn pick(&mut self, of: &[&str]) -> String {
        of[self.random.below(of.len() as u64) as usize].to_owned()
    }
}

/// An instant at which windows begin and end, or a tick beside it.
pub(super) fn beside_an_edge(ts: Timestamp, random: &mut Random) -> Timestamp {
    const STEPS_MS: [i64; 9] = [500, 1_000, 5_000, 10_000, 20_000, 60_000, 900_000, 3_600_000, 86_400_000];
    let step = random.pick(&STEPS_MS).map_or(Span::TICK, |step| Span::millis(*step));
    ts.floor(step) + Span(random.between(-1, 1))
}
