//! `featuregrid bench memory`: bytes of entities and of event ids. Knows no fold.

use featuregrid_protocol::time::Span;
use featuregrid_simulations::random::Random;
use featuregrid_simulations::workload::zipf::Zipf;
use serde_json::{Value, json};

use super::{print, round};
use crate::bench::ids::{HORIZON, ids};
use crate::bench::memory::{Memory, memory};
use crate::bench::{plan, six};
use crate::cli::Report;

/// What an entity of six windows may take: the figures of the window engine's design.
const COUNT_AND_SUM_BYTES: usize = 1_700;
const FULL_BYTES: usize = 5_000;

/// `featuregrid bench memory`
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// How many entities.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    keys: u64,
    /// Instead: so many events with an id each, over 100,000 entities and a day, and what of their memory stays.
    #[arg(long, conflicts_with_all = ["keys", "events", "span", "zipf"])]
    ids: Option<u64>,
    /// Entities differ: the k-th most active has 1 / k^ZIPF of the events of the first. Then six windows from 1m to 30d are
    /// measured twice, with count and sum and with five statistics; else W1's view.
    #[arg(long, value_parser = exponent)]
    zipf: Option<f64>,
    /// How many events.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// The time they are spread over.
    #[arg(long, default_value = "30d", value_parser = span)]
    span: Span,
    /// How the result is printed.
    #[arg(long, value_enum, default_value = "text")]
    report: Report,
}

fn span(text: &str) -> Result<Span, String> {
    Span::parse(text).map_err(|error| error.to_string())
}

fn exponent(text: &str) -> Result<f64, String> {
    let parsed = text.parse().ok().filter(|exponent: &f64| (0.0..=10.0).contains(exponent));
    parsed.ok_or_else(|| format!("`{text}` is no exponent; write a number from 0 to 10, for example 1.0"))
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let report = arguments.report;
    let result = match (arguments.ids, arguments.zipf) {
        (Some(count), _) => of_ids(count)?,
        (None, Some(exponent)) => of_six_windows(&arguments, exponent)?,
        (None, None) => of_w1(&arguments)?,
    };
    print(report, &result);
    Ok(())
}

fn of_ids(count: u64) -> anyhow::Result<Value> {
    let measured = ids(count)?;
    Ok(json!({
        "workload": format!(
            "payments with ids over {} keys and a day, ids known for {HORIZON}, windows up to 1h", measured.entities
        ),
        "ids": count,
        "bytes_after_quarter": measured.bytes_after_quarter,
        "bytes_at_end": measured.bytes_at_end,
        "id_bytes_at_end": measured.id_bytes_at_end,
        "unit": "bytes",
        "growth_after_horizon": round(measured.growth(), 4),
        "limit": 0.05,
    }))
}

fn of_w1(&Arguments { keys, events, span, .. }: &Arguments) -> anyhow::Result<Value> {
    let measured = memory(plan()?, keys, events, span, |event| event % keys, |_| {});
    Ok(json!({
        "workload": format!("W1's view, {keys} keys, {events} events over {span}"),
        "keys": measured.entities,
        "events": events,
        "bytes_per_entity": measured.bytes_per_entity,
        "bytes_per_entity_max": measured.bytes_per_entity_max,
        "reserved_bytes_per_entity": measured.reserved_bytes_per_entity,
        "unit": "bytes",
        "limit": 24_576,
    }))
}

fn of_six_windows(&Arguments { keys, events, span, .. }: &Arguments, exponent: f64) -> anyhow::Result<Value> {
    let zipf = Zipf::with_exponent(u32::try_from(keys).unwrap_or(u32::MAX), exponent);
    let mut cases = Vec::new();
    let mut measure = |case: &str, features: &[&str], limit: usize| -> anyhow::Result<Memory> {
        let mut random = Random::new(2);
        let told = |done: u64| eprintln!("{case}: {done} of {events} events");
        let measured = memory(six::plan(features)?, keys, events, span, |_| zipf.draw(&mut random).into(), told);
        let tiles = measured.tiles_per_entity.iter();
        cases.push(json!({
            "case": case,
            "workload": format!("{} over {}, {keys} keys with Zipf {exponent}, {events} events over {span}", features.join(", "), six::WINDOWS),
            "value": measured.bytes_per_entity,
            "unit": "bytes",
            "limit": limit,
            "ratio": round(measured.bytes_per_entity as f64 / limit as f64, 2),
            "reserved_bytes_per_entity": measured.reserved_bytes_per_entity,
            "bytes_per_entity_max": measured.bytes_per_entity_max,
            "tiles_per_entity": tiles.map(|(hop, tiles)| (hop.to_string(), round(*tiles, 2).into())).collect::<serde_json::Map<_, _>>(),
            "raw_rows_per_entity": round(measured.raw_rows_per_entity, 2),
        }));
        Ok(measured)
    };
    let count_and_sum = measure("count and sum", six::COUNT_AND_SUM, COUNT_AND_SUM_BYTES)?;
    let full = measure("full statistics", six::FULL, FULL_BYTES)?;
    Ok(json!({
        "keys": full.entities,
        "events": events,
        "zipf": exponent,
        "span": span.to_string(),
        "count_and_sum_bytes_per_entity": count_and_sum.bytes_per_entity,
        "full_bytes_per_entity": full.bytes_per_entity,
        "cases": cases,
    }))
}
