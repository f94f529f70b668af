//! The semantics pages run: every example on them is a script, and every line of it must hold.
//!
//! A script goes record by record through the reader and the shard that serve. Where `featuregrid eval` can tell the same
//! story, it must give the same values; and whatever order partitions are consumed in, the state must be the same bytes.

mod conformance;
mod script;
mod sensors;
mod world;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use self::script::{Expected, Line, Page, Script};
use self::world::World;

/// The first has the definitions that all of them share.
const PAGES: [&str; 6] = [
    "protocol/SEMANTICS.md",
    "protocol/AGGREGATES.md",
    "protocol/EXPRESSIONS.md",
    "protocol/DECAY.md",
    "protocol/SESSIONS.md",
    "protocol/TRAINING.md",
];

fn page() -> Page {
    let parsed = PAGES.map(|name| {
        let text = std::fs::read_to_string(format!("{}/../{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        Page::parse(name, &text).unwrap_or_else(|mistake| panic!("{mistake}"))
    });
    let all = parsed.into_iter().reduce(|mut all, page| {
        all.sections.extend(page.sections);
        all.examples.extend(page.examples);
        all
    });
    all.unwrap()
}

fn holds(result: Result<(), String>) {
    result.unwrap_or_else(|mistake| panic!("{mistake}"));
}

#[test]
fn every_section_has_an_example_and_every_example_holds() {
    let page = page();
    for section in &page.sections {
        let own = page.examples.iter().filter(|example| example.section == *section);
        assert!(own.count() > 0, "`{section}` has no example");
    }
    let expectations: usize = page.examples.iter().map(Script::expectations).sum();
    assert!(expectations > 60, "{expectations} expectations");
    let (mut mistakes, mut reproduced) = (String::new(), 0);
    for example in &page.examples {
        match plays(&page.definitions, example) {
            Ok(reads) => reproduced += reads,
            Err(mistake) => mistakes += &mistake,
        }
    }
    assert!(mistakes.is_empty(), "\n{mistakes}");
    assert!(reproduced > 40, "{reproduced} reads were reproduced");
}

/// Whether every line holds, and how many of its reads a training set reproduces.
fn plays(definitions: &str, example: &Script) -> Result<usize, String> {
    let (mut world, mut mistakes) = (World::new(definitions, example), String::new());
    for (number, line) in &example.lines {
        if let Err(mistake) = world.play(line) {
            mistakes += &format!("{number}: {mistake}\n");
        }
    }
    match world.is_reproduced() {
        Ok(reads) if mistakes.is_empty() => Ok(reads),
        Ok(_) => Err(mistakes),
        Err(mistake) => Err(format!("{mistakes}{}: {mistake}\n", example.lines[0].0)),
    }
}

#[test]
fn any_order_of_partitions_ends_in_the_same_bytes() {
    let page = page();
    let several = |example: &&Script| example.partitions().len() > 1;
    let compared: usize =
        page.examples.iter().filter(several).map(|example| any_order(&page.definitions, example)).sum();
    assert!(compared > 1, "{compared} examples have several partitions");
}

/// Consumes the partitions of an example in two orders.
fn any_order(definitions: &str, example: &Script) -> usize {
    let ended = |order: &[u32]| {
        let mut world = World::new(definitions, example);
        for partition in order {
            for (number, line) in example.lines.iter().filter(|(_, line)| line.partition() == Some(*partition)) {
                holds(world.append(line).map_err(|mistake| format!("{number}: {mistake}")));
            }
        }
        world.digest()
    };
    let order = example.partitions();
    let reversed: Vec<u32> = order.iter().rev().copied().collect();
    assert_eq!(ended(&order), ended(&reversed), "line {}", example.lines[0].0);
    1
}

#[test]
fn eval_gives_the_same_values() {
    let page = page();
    let files = page.examples.iter().filter(|example| example.is_a_file());
    let compared: usize = files.map(|example| eval_agrees(&page.definitions, example)).sum();
    assert!(compared > 20, "{compared} values");
}

/// Asks `featuregrid eval` for what an example reads; how many values it gave.
fn eval_agrees(definitions: &str, example: &Script) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let events: String = example
        .lines
        .iter()
        .filter_map(|(_, line)| Some(line.payload()?.unwrap_or("null").to_owned() + "\n"))
        .collect();
    let asked: Vec<_> = example.lines.iter().filter_map(|(number, line)| Some((number, line.asked()?))).collect();
    let row = |(_, read): &(&String, &script::Read)| {
        let sent: String = read.sent.iter().map(|(name, value)| format!(",{name:?}:{value}")).collect();
        format!("{{\"user_id\":{:?},\"as_of\":{:?}{sent}}}\n", read.user, read.at.to_string())
    };
    let arguments = super::Arguments {
        definitions: write("definitions.yaml", example.definitions(definitions)),
        events: vec![write("events.jsonl", events).display().to_string()],
        spine: write("spine.jsonl", asked.iter().map(row).collect()),
    };
    let lines = super::answers(&arguments).unwrap().lines;
    assert_eq!(lines.len(), asked.len());
    let mut compared = 0;
    for ((number, read), line) in asked.into_iter().zip(lines) {
        let got: BTreeMap<String, Json> = serde_json::from_str(&line).unwrap();
        for Expected { name, value, status, flags } in &read.expected {
            let want: Json = serde_json::from_str(value).unwrap();
            let same = match (&got["features"][name], &want) {
                (Json::Number(got), Json::Number(want)) => got.as_f64() == want.as_f64(),
                (got, want) => got == want,
            };
            let same = same && got["status"][name] == *status && got["flags"][name] == serde_json::json!(flags);
            assert!(same, "line {number}: eval says {line}");
            compared += 1;
        }
    }
    compared
}

/// Lines that are no events and no reads would silently not run.
#[test]
fn a_page_with_anything_else_is_refused() {
    let with = |line: &str| format!("```yaml\nproject: x\n```\n\n## A\n\n```example\n{line}\n```\n");
    assert!(Page::parse("page", &with("event 12:00 u1")).is_ok());
    for line in ["evnt 12:00 u1", "read 12:00 u1", "event noon u1", "read 12:00 u1 -> count_5m null"] {
        assert!(Page::parse("page", &with(line)).is_err(), "{line}");
    }
    assert!(Page::parse("page", &with("event 12:00 u1").replace("```example", "```sh")).is_err());
    let line = Line::parse("event 12:00 u1 -> late").unwrap();
    assert_eq!(line.partition(), Some(0));
}
