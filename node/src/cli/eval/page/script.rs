//! The language of the page's examples. Knows no rule: it says what happens and what is expected.
//!
//! ```text
//! source KEY: VALUE          adds to the example's source; `field`, `view`, `feature`, `request` and `derived` alike
//! event [pN] TIME USER [FIELD=VALUE ...] [logged=TIME] [gap=N] [admit] [-> FATE]
//!                            FATE is `routed` unless written; N offsets before it hold no record
//! record [pN] PAYLOAD -> FATE
//! read TIME USER [VALUE=JSON ...] -> RESULT, ...      `read now TIME` asks without an instant, at that clock; with
//!                            values sent
//! happened TIME USER -> RESULT, ...         what a training set answers from everything so far
//! push TIME USER [FIELD=VALUE ...] -> before RESULT, ...; after RESULT, ...
//! change KIND KEY: VALUE     from here on
//! books NAME TOTAL = NAME COUNT + ...       `records` of all partitions, or `rows` of the view
//! ```
//!
//! A RESULT is `NAME VALUE [STATUS] [FLAG ...]`; a value without a status is PRESENT. `instant TIME`,
//! `newest TIME` (the entity's newest event) and `rounded` stand where results stand.

use std::collections::BTreeSet;

use featuregrid_protocol::time::Timestamp;

/// The page: shared definitions, and what shall run.
pub(super) struct Page {
    pub(super) definitions: String,
    pub(super) sections: Vec<String>,
    pub(super) examples: Vec<Script>,
}

/// One example; lines have their number on the page.
pub(super) struct Script {
    pub(super) section: String,
    /// Each with its page and number.
    pub(super) lines: Vec<(String, Line)>,
}

pub(super) enum Line {
    Define(Definition),
    Change(Definition),
    Record(Produced),
    Read(Read),
    Happened(Read),
    Push(Produced, Vec<Expected>, Vec<Expected>),
    Books(Vec<(String, u64)>),
}

#[derive(Clone)]
pub(super) struct Definition {
    pub(super) kind: String,
    pub(super) text: String,
}

pub(super) struct Produced {
    pub(super) partition: u32,
    /// None is a tombstone.
    pub(super) payload: Option<String>,
    pub(super) user: String,
    pub(super) ts: Timestamp,
    pub(super) logged: Timestamp,
    /// Offsets before it that hold no record.
    pub(super) gap: u64,
    pub(super) admit: bool,
    pub(super) fate: String,
}

pub(super) struct Read {
    pub(super) now: bool,
    pub(super) at: Timestamp,
    pub(super) user: String,
    /// Request values by name, as JSON.
    pub(super) sent: Vec<(String, String)>,
    pub(super) expected: Vec<Expected>,
    pub(super) instant: Option<Timestamp>,
    pub(super) newest: Option<Timestamp>,
    pub(super) rounded: bool,
}

pub(super) struct Expected {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) status: String,
    pub(super) flags: BTreeSet<String>,
}

/// `12:00`, `12:00:00.5` of the examples' day, or `01-03T12:00` of another one.
fn time(text: &str) -> Result<Timestamp, String> {
    let (day, clock) = text.split_once('T').unwrap_or(("01-01", text));
    let clock = if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() };
    Timestamp::parse(&format!("2026-{day}T{clock}Z")).map_err(|error| format!("{text}: {error}"))
}

impl Page {
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut page = Self { definitions: String::new(), sections: Vec::new(), examples: Vec::new() };
        let mut fence: Option<&str> = None;
        for (number, line) in text.lines().enumerate().map(|(at, line)| (format!("{name}:{}", at + 1), line)) {
            if let Some(kind) = line.strip_prefix("```") {
                match (fence, kind) {
                    (Some(_), "") => fence = None,
                    (None, "yaml") if page.definitions.is_empty() => fence = Some("yaml"),
                    (None, "example") => {
                        let section = page.sections.last().cloned().ok_or(format!("{number}: before any section"))?;
                        page.examples.push(Script { section, lines: Vec::new() });
                        fence = Some("example");
                    }
                    _ => return Err(format!("{number}: `{line}`: a block that nobody runs")),
                }
                continue;
            }
            match (fence, page.examples.last_mut()) {
                (Some("yaml"), _) => page.definitions += &format!("{line}\n"),
                (Some(_), Some(example)) if !line.trim().is_empty() => {
                    let line = Line::parse(line).map_err(|why| format!("{number}: {why}"))?;
                    example.lines.push((number, line));
                }
                (None, _) => page.sections.extend(line.strip_prefix("## ").map(str::to_owned)),
                _ => {}
            }
        }
        Ok(page)
    }
}

impl Script {
    /// The shared definitions with what the example adds before its first record.
    pub(super) fn definitions(&self, shared: &str) -> String {
        let own = self.lines.iter().filter_map(|(_, line)| match line {
            Line::Define(definition) => Some(definition.clone()),
            _ => None,
        });
        definitions(shared, &own.collect::<Vec<_>>())
    }

    pub(super) fn partitions(&self) -> Vec<u32> {
        let all: BTreeSet<u32> = self.lines.iter().filter_map(|(_, line)| line.partition()).collect();
        all.into_iter().collect()
    }

    pub(super) fn expectations(&self) -> usize {
        let count = |line: &Line| match line {
            Line::Define(_) | Line::Change(_) => 0,
            Line::Record(_) | Line::Books(_) => 1,
            Line::Read(read) | Line::Happened(read) => read.expected.len(),
            Line::Push(_, before, after) => before.len() + after.len(),
        };
        self.lines.iter().map(|(_, line)| count(line)).sum()
    }

    /// Whether `eval` can tell it: one partition, no header, no clock, no change, and only instants that serving answers
    /// exactly, all of them after the events.
    pub(super) fn is_a_file(&self) -> bool {
        let last = self.lines.iter().rposition(|(_, line)| line.partition().is_some());
        let first = self.lines.iter().position(|(_, line)| line.asked().is_some());
        let plain = |line: &Line| match line {
            // A file does not say when its lines were appended.
            Line::Define(definition) => !definition.text.starts_with("lateness_clock"),
            Line::Books(_) | Line::Happened(_) => true,
            Line::Change(_) | Line::Push(..) => false,
            Line::Record(record) => {
                record.partition == 0 && record.gap == 0 && !record.admit && record.fate != "dead future"
            }
            Line::Read(read) => {
                let served = |expected: &Expected| expected.status != "OUT_OF_RANGE";
                !read.now && !read.rounded && read.expected.iter().all(served)
            }
        };
        first.is_some() && last < first && self.lines.iter().all(|(_, line)| plain(line))
    }
}

/// Definitions with more lines: each kind has its place in the shared ones.
pub(super) fn definitions(shared: &str, own: &[Definition]) -> String {
    let of = |kind: &str, indent: &str| -> String {
        own.iter().filter(|more| more.kind == kind).map(|more| format!("{indent}{}\n", more.text)).collect()
    };
    let views = "feature_views:\n";
    let [request, derived] = ["request", "derived"].map(|kind| {
        let lines = of(kind, "      ");
        if lines.is_empty() { lines } else { format!("    {kind}:\n{lines}") }
    });
    let source = of("source", "    ");
    let fields: String =
        own.iter().filter(|more| more.kind == "field").map(|more| format!("{}, ", more.text)).collect();
    let shared = shared.replacen("fields: { ", &format!("fields: {{ {fields}"), 1);
    let shared = shared.replacen(views, &format!("{source}{views}"), 1);
    format!("{shared}{}    features:\n{}{request}{derived}", of("view", "    "), of("feature", "      "))
}

impl Line {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (text, expected) = match text.split_once(" -> ") {
            Some((text, expected)) => (text, Some(expected.trim())),
            None => (text, None),
        };
        let (verb, rest) = text.trim().split_once(' ').ok_or(format!("`{text}` says nothing"))?;
        let rest = rest.trim();
        match (verb, expected) {
            ("source" | "field" | "view" | "feature" | "request" | "derived", None) => {
                Ok(Self::Define(Definition { kind: verb.to_owned(), text: rest.to_owned() }))
            }
            ("change", None) => match rest.split_once(' ') {
                Some((kind @ ("source" | "view" | "feature" | "request" | "derived"), text)) => {
                    Ok(Self::Change(Definition { kind: kind.to_owned(), text: text.trim().to_owned() }))
                }
                _ => Err(format!("`{rest}`: what changes?")),
            },
            ("event", fate) => Ok(Self::Record(event(rest, fate.unwrap_or("routed"))?)),
            ("record", Some(fate)) => Ok(Self::Record(record(rest, fate))),
            ("read", Some(expected)) => Ok(Self::Read(Read::parse(rest, expected)?)),
            ("happened", Some(expected)) => Ok(Self::Happened(Read::parse(rest, expected)?)),
            ("push", Some(expected)) => {
                let halves = expected.strip_prefix("before ").and_then(|rest| rest.split_once("; after "));
                let (before, after) = halves.ok_or("a push shows `before ...; after ...`")?;
                Ok(Self::Push(event(rest, "routed")?, results(before)?, results(after)?))
            }
            ("books", None) => {
                let words: Vec<&str> = rest.split([' ', '=', '+']).filter(|word| !word.is_empty()).collect();
                let pair = |pair: &[&str]| match pair {
                    [name, count] => {
                        Ok(((*name).to_owned(), count.parse().map_err(|_| format!("`{count}` is no count"))?))
                    }
                    _ => Err(format!("`{rest}` is no equation")),
                };
                Ok(Self::Books(words.chunks(2).map(pair).collect::<Result<_, String>>()?))
            }
            _ => Err(format!("`{text}`: nobody knows how to run it")),
        }
    }

    fn produced(&self) -> Option<&Produced> {
        match self {
            Self::Record(record) | Self::Push(record, ..) => Some(record),
            _ => None,
        }
    }

    pub(super) fn partition(&self) -> Option<u32> {
        self.produced().map(|record| record.partition)
    }

    pub(super) fn payload(&self) -> Option<Option<&str>> {
        self.produced().map(|record| record.payload.as_deref())
    }

    pub(super) fn asked(&self) -> Option<&Read> {
        match self {
            Self::Read(read) => Some(read),
            _ => None,
        }
    }
}

fn event(rest: &str, fate: &str) -> Result<Produced, String> {
    let mut words = rest.split_whitespace().peekable();
    let partition = partition(words.peek().copied());
    if partition.is_some() {
        words.next();
    }
    let at = words.next().ok_or("an event needs a time")?;
    let ts = time(at)?;
    let user = words.next().ok_or("an event needs a user")?.to_owned();
    let (mut fields, mut logged, mut gap, mut admit) = (vec![format!("\"ts\":{:?}", ts.to_string())], ts, 0, false);
    if user != "-" {
        fields.push(format!("\"user_id\":{user:?}"));
    }
    for word in words {
        match word.split_once('=') {
            None if word == "admit" => admit = true,
            Some(("logged", at)) => logged = time(at)?,
            Some(("gap", count)) => gap = count.parse().map_err(|_| format!("`{word}` is no count of offsets"))?,
            Some((field, value)) => fields.push(format!("{field:?}:{}", json(value))),
            None => return Err(format!("`{word}` is no field")),
        }
    }
    let payload = Some(format!("{{{}}}", fields.join(",")));
    let fate = fate.to_owned();
    Ok(Produced { partition: partition.unwrap_or(0), payload, user, ts, logged, gap, admit, fate })
}

/// What is JSON is taken as it is written; everything else is text.
fn json(value: &str) -> String {
    match serde_json::from_str::<&serde_json::value::RawValue>(value) {
        Ok(_) => value.to_owned(),
        Err(_) => format!("{value:?}"),
    }
}

fn record(rest: &str, fate: &str) -> Produced {
    let (first, other) = rest.split_once(' ').unwrap_or((rest, ""));
    let (number, payload) = match partition(Some(first)) {
        Some(number) => (number, other),
        None => (0, rest),
    };
    let payload = (payload != "null").then(|| payload.to_owned());
    let (user, fate, ts) = (String::new(), fate.to_owned(), Timestamp::MAX);
    Produced { partition: number, payload, user, ts, logged: ts, gap: 0, admit: false, fate }
}

fn partition(word: Option<&str>) -> Option<u32> {
    word?.strip_prefix('p')?.parse().ok()
}

impl Read {
    fn parse(rest: &str, expected: &str) -> Result<Self, String> {
        let (now, rest) = rest.strip_prefix("now ").map_or((false, rest), |rest| (true, rest.trim()));
        let mut words = rest.split_whitespace();
        let (at, user) = words.next().zip(words.next()).ok_or("a read needs a time and a user")?;
        let value = |word: &str| match word.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), json(value))),
            None => Err(format!("`{word}` is no request value")),
        };
        let sent = words.map(value).collect::<Result<_, _>>()?;
        let (mut instant, mut newest, mut rounded, mut kept) = (None, None, false, Vec::new());
        for part in expected.split(", ") {
            match part.split_once(' ') {
                Some(("instant", at)) => instant = Some(time(at)?),
                Some(("newest", at)) => newest = Some(time(at)?),
                None if part == "rounded" => rounded = true,
                _ => kept.push(part),
            }
        }
        let expected = results(&kept.join(", "))?;
        Ok(Self { now, at: time(at)?, user: user.to_owned(), sent, expected, instant, newest, rounded })
    }
}

fn results(text: &str) -> Result<Vec<Expected>, String> {
    let result = |part: &str| {
        let mut words = part.split_whitespace();
        let (name, value) = words.next().zip(words.next()).ok_or(format!("`{part}` is no result"))?;
        let rest: Vec<&str> = words.collect();
        let (status, flags): (Vec<&str>, Vec<&str>) =
            rest.into_iter().partition(|word| word.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_'));
        let status = match (status.as_slice(), value) {
            ([], "null") => return Err(format!("`{part}`: why is it null?")),
            ([], _) => "PRESENT",
            ([status], _) => *status,
            _ => return Err(format!("`{part}` has two statuses")),
        };
        let flags = flags.into_iter().map(str::to_owned).collect();
        Ok(Expected { name: name.to_owned(), value: value.to_owned(), status: status.to_owned(), flags })
    };
    text.split(", ").map(result).collect()
}
