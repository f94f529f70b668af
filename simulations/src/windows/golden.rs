//! Golden files: definitions, records, and the pages and values that they came to once and for ever. Knows no file: texts
//! are handed in and out.
//!
//! ```text
//! one JSON object a line, in this order
//! {"golden": 1}                                                    the version of this form
//! {"definitions": "..."}
//! {"partition", "offset", "log_timestamp", "payload"}              records, in the order they are read
//! {"view", "ladder", "key", "page"}                                canonical pages in hexadecimal digits, once all are read
//! {"snapshot"}                                                     the whole range, as it is stored
//! {"view", "key", "as_of", "instant", "edge", "results"}           what reads answer there
//! ```
//!
//! A file says everything that it is made of, so that a new generator or new definitions leave it as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_actors::reader::{Interpreter, Record};
use featuregrid_actors::shard::{RangeSnapshot, Shard};
use featuregrid_actors::window::AsOf;
use featuregrid_protocol::definition;
use featuregrid_protocol::ids::{ControlIndex, PartitionId};
use featuregrid_protocol::key;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::{PartitionPosition, Positions};
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::snapshot::SnapshotPage;
use featuregrid_protocol::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::random::Random;

/// What the next golden file computes.
pub const DEFINITIONS: &str = include_str!("golden.yaml");

const VERSION: u32 = 1;
/// The last of them follow one another closely, so that reads ask between them.
const RECORDS: u64 = 236;
const PARTITIONS: u32 = 2;
/// The evening before a day of 23 hours.
const START: Timestamp = Timestamp(1_774_720_800_000_000);
/// How far behind T reads ask, in microseconds: at the newest events, where tiles are, and at the end of the slack.
const BACK: [i64; 3] = [-1, 7_000_000, 590_000_000];

/// Why a golden file does not hold.
#[derive(Debug, Error)]
pub enum GoldenError {
    /// It is not what this release writes or reads.
    #[error("line {line}: {text} is no line of a golden file of version {VERSION}: {error}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// Its beginning.
        text: String,
        /// What is wrong.
        error: String,
    },
    /// The same records come to something else.
    #[error(
        "line {line} says\n  {want}\nand this release\n  {got}\na stored page or a value changed: mend it, or bring a new version of the format"
    )]
    Differs {
        /// Which line, from 1.
        line: usize,
        /// The file's.
        want: String,
        /// This release's.
        got: String,
    },
    /// What was stored then cannot be taken over now.
    #[error("the stored snapshot cannot be restored: {0}; a release must read what releases before it wrote")]
    Restore(String),
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Line {
    Head {
        golden: u32,
    },
    Definitions {
        definitions: String,
    },
    Record {
        partition: u32,
        offset: u64,
        log_timestamp: i64,
        payload: Option<String>,
    },
    Page {
        view: String,
        ladder: u16,
        key: Vec<String>,
        page: String,
    },
    Snapshot {
        snapshot: String,
    },
    Read {
        view: String,
        key: Vec<String>,
        as_of: String,
        instant: String,
        edge: String,
        /// By name: value, status, flags.
        results: BTreeMap<String, String>,
    },
}

/// A golden file of this release.
///
/// # Errors
/// Never, unless [`DEFINITIONS`] and this release disagree.
pub fn write() -> Result<String, GoldenError> {
    let mut lines = vec![Line::Head { golden: VERSION }, Line::Definitions { definitions: DEFINITIONS.to_owned() }];
    lines.extend(records());
    let mut node = Node::new(&lines)?;
    lines.extend(node.says());
    let shown = lines.iter().map(|line| shown(line) + "\n");
    Ok(shown.collect())
}

/// Reads the records of a golden file again, and restores what was stored: pages and values must be the file's. How many
/// lines it has. What is stored need not be the same bytes: another release of zstd may compress otherwise.
///
/// # Errors
/// The first line that does not hold.
pub fn check(text: &str) -> Result<usize, GoldenError> {
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let parsed = serde_json::from_str(line).map_err(|error| broken(number, line, &error))?;
        if let Line::Head { golden } = parsed
            && golden != VERSION
        {
            return Err(broken(number, line, &format!("version {golden}")));
        }
        lines.push(parsed);
    }
    let is_input = |line: &Line| matches!(line, Line::Head { .. } | Line::Definitions { .. } | Line::Record { .. });
    let inputs = lines.iter().take_while(|line| is_input(line)).count();
    let (given, wanted) = lines.split_at(inputs);
    let mut node = Node::new(given)?;
    same(inputs, wanted, &node.says())?;
    let snapshot = wanted.iter().find_map(|line| match line {
        Line::Snapshot { snapshot } => bytes_of(snapshot),
        _ => None,
    });
    node.restore(&snapshot.ok_or_else(|| GoldenError::Restore("the file has none".into()))?)?;
    same(inputs, wanted, &node.says())?;
    Ok(lines.len())
}

fn broken(line: usize, text: &str, error: &dyn ToString) -> GoldenError {
    GoldenError::Line { line, text: text.chars().take(80).collect(), error: error.to_string() }
}

fn same(behind: usize, wanted: &[Line], got: &[Line]) -> Result<(), GoldenError> {
    let shown = |line: Option<&Line>| line.map_or_else(|| "(nothing)".to_owned(), shown);
    let is_stored = |line: Option<&Line>| matches!(line, Some(Line::Snapshot { .. }));
    let differs = |at: usize| {
        let (wanted, got) = (wanted.get(at), got.get(at));
        wanted != got && !(is_stored(wanted) && is_stored(got))
    };
    let differing = (0..wanted.len().max(got.len())).find(|at| differs(*at));
    differing.map_or(Ok(()), |at| {
        let (want, got) = (shown(wanted.get(at)), shown(got.get(at)));
        Err(GoldenError::Differs { line: behind + at + 1, want, got })
    })
}

fn shown(line: &Line) -> String {
    serde_json::to_string(line).unwrap_or_else(|error| unreachable!("lines are names, numbers and texts: {error}"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())).collect()
}

/// Two users with two devices each; most events in time, some late, repeated, odd or of one instant.
fn records() -> Vec<Line> {
    let mut random = Random::new(1);
    let mut next = [0u64; PARTITIONS as usize];
    let mut clock = START;
    let mut last = None;
    let record = |nth: u64| {
        let leap =
            [1_000_000, 30_000_000, 900_000_000, 4 * 3_600_000_000][[0, 0, 0, 1, 1, 1, 2, 2, 2, 3][nth as usize % 10]];
        clock = clock + Span(random.between(0, leap));
        let user = random.below(2);
        let partition = user as usize;
        let drawn = payload(&mut random, user, clock);
        let payload = match random.below(40) {
            0 => None,
            1 => last.clone().unwrap_or(drawn),
            2 => Some("no object".to_owned()),
            _ => drawn,
        };
        last = Some(payload.clone());
        next[partition] += 1 + u64::from(random.chance(50));
        let (partition, offset) = (partition as u32, next[partition] - 1);
        Line::Record { partition, offset, log_timestamp: clock.0, payload }
    };
    (0..RECORDS).map(record).collect()
}

fn payload(random: &mut Random, user: u64, clock: Timestamp) -> Option<String> {
    let back = [0, 2_000_000, 500_000_000, 900_000_000][[0, 1, 1, 1, 1, 1, 2, 2, 2, 3][random.below(10) as usize]];
    // Whole seconds, so that some share an instant.
    let ts = (clock - Span(random.between(0, back))).floor(Span::seconds(1));
    let amount = match random.below(30) {
        0 => "null".to_owned(),
        1 => "1e400".to_owned(),
        2 => "-92233720368547758.08".to_owned(),
        _ => format!("{}.{:02}", random.between(-5, 400), random.below(100)),
    };
    let kind = ["purchase", "view", "refund", "ignored", "\u{e9}"][random.below(5) as usize];
    let (device, items, id) = (random.below(2), random.between(-3, 70), random.below(1 << 30));
    let vip = ["true", "false", "null"][random.below(3) as usize];
    Some(format!(
        r#"{{"user_id":"u{user}","device":"d{device}","kind":"{kind}","vip":{vip},"amount":{amount},"items":{items},"ts":"{ts}","id":"{id:x}"}}"#
    ))
}

/// What reads the records.
struct Node {
    plan: Arc<Plan>,
    shard: Shard,
}

impl Node {
    /// Once it has read all of them, partition by partition in turn.
    fn new(lines: &[Line]) -> Result<Self, GoldenError> {
        let definitions = lines.iter().find_map(|line| match line {
            Line::Definitions { definitions } => Some(definitions.as_str()),
            _ => None,
        });
        let plan = definition::compile(definitions.unwrap_or_default(), "golden", None, ControlIndex(0));
        let plan = Arc::new(plan.map_err(|mistakes| broken(2, "definitions", &mistakes))?);
        let start = (0..PARTITIONS).map(|number| (PartitionId(number), PartitionPosition::start(0)));
        let positions: Positions = start.collect();
        let interpreter = |(partition, position): (&PartitionId, &PartitionPosition)| {
            (*partition, Interpreter::new(Arc::clone(&plan), *partition, position.clone()))
        };
        let mut interpreters: BTreeMap<PartitionId, Interpreter> = positions.iter().map(interpreter).collect();
        let mut shard = Shard::new(Arc::clone(&plan));
        shard.add_range(RangeId::WHOLE, positions);
        let ranges = RangeSet::from_iter([RangeId::WHOLE]);
        for (number, line) in (1..).zip(lines) {
            let Line::Record { partition, offset, log_timestamp, payload } = line else { continue };
            let partition = PartitionId(*partition);
            let unknown = || broken(number, &shown(line), &"no such partition");
            let interpreter = interpreters.get_mut(&partition).ok_or_else(unknown)?;
            let payload = payload.as_ref().map(String::as_bytes);
            let log_timestamp = Timestamp(*log_timestamp);
            interpreter.record(&Record { offset: *offset, log_timestamp, admit: false, payload });
            if let Some(chunk) = interpreter.cut() {
                shard.apply(&chunk.alone(partition), &ranges);
            }
        }
        Ok(Self { plan, shard })
    }

    /// Begins again with nothing but these bytes.
    fn restore(&mut self, bytes: &[u8]) -> Result<(), GoldenError> {
        let snapshot = RangeSnapshot::decode(bytes).map_err(|error| GoldenError::Restore(error.to_string()))?;
        self.shard = Shard::new(Arc::clone(&self.plan));
        let installed = self.shard.install(&[snapshot], |_| Some(Arc::clone(&self.plan)));
        installed.map_err(|error| GoldenError::Restore(error.to_string()))
    }

    fn says(&mut self) -> Vec<Line> {
        let mut lines = self.stored();
        lines.extend(self.reads());
        lines
    }

    fn stored(&mut self) -> Vec<Line> {
        let Some(snapshot) = self.shard.snapshot(RangeId::WHOLE) else { return Vec::new() };
        let name = |id| self.plan.views.iter().find(|view| view.id == id).map_or("", |view| view.name.as_str());
        let page = |page: &SnapshotPage| Line::Page {
            view: name(page.view).to_owned(),
            ladder: page.ladder,
            key: key::parts(&page.key),
            page: hex(&page.bytes),
        };
        let mut pages: Vec<&SnapshotPage> = snapshot.pages.iter().collect();
        pages.sort_by(|a, b| (a.view, a.order()).cmp(&(b.view, b.order())));
        let mut lines: Vec<Line> = pages.into_iter().map(page).collect();
        lines.push(Line::Snapshot { snapshot: hex(&snapshot.encode().unwrap_or_default()) });
        lines
    }

    /// Every view of everybody at a few instants.
    fn reads(&mut self) -> Vec<Line> {
        let positions = self.shard.positions(RangeId::WHOLE).cloned().unwrap_or_default();
        let t = positions.values().map(|position| position.max).max().unwrap_or(Timestamp::MIN);
        let mut lines = Vec::new();
        let plan = Arc::clone(&self.plan);
        for (at, view) in plan.views.iter().enumerate() {
            let devices: &[&str] = if view.keys.len() > 1 { &["d0", "d1"] } else { &[""] };
            for (user, device) in
                ["u0", "u1", "u2"].into_iter().flat_map(|user| devices.iter().map(move |it| (user, *it)))
            {
                let parts: Vec<&str> = [user, device].into_iter().take(view.keys.len()).collect();
                let mut bytes = Vec::new();
                key::encode(parts.iter().copied(), &mut bytes);
                for back in BACK {
                    let as_of = t - Span(back);
                    let Some(reading) = self.shard.read(at, &bytes, AsOf::At(as_of)) else { continue };
                    let told = view.results().zip(&reading.readings).map(|(name, reading)| {
                        let flag = |is_set: bool, name: &'static str| if is_set { name } else { "" };
                        let inexact = flag(reading.inexact_input, " inexact_input");
                        let partial = flag(reading.partial_coverage, " partial_coverage");
                        (name.to_owned(), format!("{} {}{inexact}{partial}", reading.value, reading.status.name()))
                    });
                    lines.push(Line::Read {
                        view: view.name.clone(),
                        key: parts.iter().map(|part| (*part).to_owned()).collect(),
                        as_of: as_of.to_string(),
                        instant: reading.instant.to_string(),
                        edge: format!("{:?}", reading.edge).to_lowercase(),
                        results: told.collect(),
                    });
                }
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    //! What is written holds, and what is changed does not.
    use super::*;

    #[test]
    fn a_file_holds_until_it_is_changed() {
        let text = write().unwrap();
        assert_eq!(check(&text).unwrap(), text.lines().count());
        assert_eq!(text, write().unwrap());
        assert!(
            ["PRESENT", "NOT_FOUND", "inexact_input", "NULL_VALUE", "rounded"].iter().all(|met| text.contains(met))
        );
        let changed = text.replacen(" PRESENT", " DEFAULTED", 1);
        assert!(matches!(check(&changed), Err(GoldenError::Differs { .. })));
        assert!(matches!(check("{}"), Err(GoldenError::Line { line: 1, .. })));
        assert!(matches!(check(&text.replacen(":1}", ":2}", 1)), Err(GoldenError::Line { line: 1, .. })));
    }
}
