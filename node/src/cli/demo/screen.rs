//! The live demo as people see it: a table that is drawn over itself, or a JSON line each second. Knows no node: what is
//! shown comes in.

use std::fmt::Write as _;

use featuregrid_protocol::value::Value;
use serde_json::{Map, json};

use crate::cli::output::{json as digits, say};
use crate::cli::style::{Style, thousands};
use crate::demo::workload::Shown;

/// Columns at which the picture is meant to be looked at.
const COLUMNS: usize = 100;

/// One second of the demo.
pub(super) struct Second {
    /// Entities, and the values of the features that are shown; `None` where the view has no row.
    pub(super) rows: Vec<(String, Vec<Option<Value>>)>,
    /// Records appended since the second before.
    pub(super) rate: u64,
    /// Records read, and what became of those that were not routed.
    pub(super) records: u64,
    pub(super) late: u64,
    pub(super) dead_lettered: u64,
    pub(super) keys: u64,
    pub(super) state_bytes: u64,
    pub(super) accounting_holds: bool,
    /// Milliseconds from event time to visible: p50, p99.
    pub(super) freshness: Option<(f64, f64)>,
}

/// Draws seconds.
pub(super) struct Screen {
    shown: Shown,
    style: Style,
    /// JSON lines instead of a picture.
    lines: bool,
    /// What to type in another terminal.
    query: String,
    /// Lines of the picture that stands there.
    drawn: usize,
}

impl Screen {
    pub(super) fn new(shown: Shown, style: Style, lines: bool, query: String) -> Self {
        Self { shown, style, lines, query, drawn: 0 }
    }

    pub(super) fn show(&mut self, second: &Second) {
        if self.lines {
            say!("{}", self.line(second));
            return;
        }
        let picture = self.picture(second);
        // Up to where the picture begins, and away with all below.
        let home =
            if self.style.redraws && self.drawn > 0 { format!("\x1b[{}A\x1b[J", self.drawn) } else { String::new() };
        self.drawn = picture.lines().count();
        say!("{home}{}", picture.trim_end_matches('\n'));
    }

    fn line(&self, second: &Second) -> serde_json::Value {
        let entity = |(name, values): &(String, Vec<Option<Value>>)| {
            let values = self.shown.features.iter().zip(values).map(|(feature, value)| {
                let value = value.as_ref().map_or(json!(null), |value| json!(digits(value)));
                ((*feature).to_owned(), value)
            });
            (name.clone(), serde_json::Value::Object(values.collect()))
        };
        let features: Map<String, serde_json::Value> = second.rows.iter().map(entity).collect();
        json!({
            "view": self.shown.view, "features": features, "events_per_second": second.rate,
            "records": second.records, "late": second.late, "dead_lettered": second.dead_lettered,
            "keys": second.keys, "state_bytes": second.state_bytes,
            "accounting": if second.accounting_holds { "holds" } else { "catching up" },
            "freshness_ms": { "p50": second.freshness.map(|it| it.0), "p99": second.freshness.map(|it| it.1) },
        })
    }

    fn picture(&self, second: &Second) -> String {
        let style = self.style;
        let mut out = String::new();
        let widths: Vec<usize> = self.shown.features.iter().map(|name| name.len().max(10)).collect();
        let used: usize = 2 + 10 + widths.iter().map(|width| width + 2).sum::<usize>();
        // Spread out, as far as a terminal of the usual width allows.
        let gap = 2 + (COLUMNS.saturating_sub(used) / (2 * widths.len())).min(3);
        let cells = |texts: &mut dyn Iterator<Item = String>| {
            texts.zip(&widths).map(|(text, width)| format!("{:gap$}{text:>width$}", "")).collect::<String>()
        };
        let heading = cells(&mut self.shown.features.iter().map(|name| (*name).to_owned()));
        // Writing to a String cannot fail.
        let _ = writeln!(out, "\n  {}", style.bold(&format!("{:<10}{heading}", self.shown.key)));
        for (name, values) in &second.rows {
            let _ = writeln!(out, "  {name:<10}{}", cells(&mut values.iter().map(|value| text(value.as_ref()))));
        }
        let label = |name: &str| style.dim(&format!("{name:<10}"));
        let (p50, p99) = second.freshness.map_or(("-".to_owned(), "-".to_owned()), |(p50, p99)| (ms(p50), ms(p99)));
        let accounting = if second.accounting_holds { style.green("holds") } else { style.red("catching up") };
        let _ = writeln!(out, "\n  {}p50 {p50}   p99 {p99}   from event to readable", label("freshness"));
        let _ = writeln!(
            out,
            "  {}{} a second, {} so far: {} late, {} dead letters, accounting {accounting}",
            label(self.shown.records),
            second.rate,
            thousands(second.records),
            thousands(second.late),
            thousands(second.dead_lettered),
        );
        let mib = second.state_bytes as f64 / f64::from(1 << 20);
        let _ = writeln!(out, "  {}{} keys, {mib:.1} MiB", label("state"), thousands(second.keys));
        let _ = writeln!(out, "\n  {} {}", style.dim("in another terminal:"), style.bold(&self.query));
        let _ = writeln!(out, "  {}", style.dim("Ctrl-C ends it"));
        out
    }
}

fn ms(millis: f64) -> String {
    format!("{millis:.1} ms")
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::Float(float)) => format!("{float:.2}"),
        // All digits of its scale, so that points stand under one another.
        Some(Value::Decimal { unscaled, scale }) => {
            let one = 10u128.checked_pow((*scale).into()).unwrap_or(u128::MAX);
            let (sign, digits) = (if *unscaled < 0 { "-" } else { "" }, unscaled.unsigned_abs());
            format!("{sign}{}.{:0scale$}", digits / one, digits % one, scale = usize::from(*scale))
        }
        Some(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    //! The picture fits its terminal and names what it shows; a line is JSON.
    use super::*;
    use crate::demo::workload::Workload;

    fn second() -> Second {
        let values = vec![
            Some(Value::Int(12)),
            Some(Value::Decimal { unscaled: 123_450, scale: 2 }),
            None,
            Some(Value::Float(101.237)),
            Some(Value::Null),
        ];
        Second {
            rows: (1..=8).map(|user| (format!("u{user}"), values.clone())).collect(),
            rate: 200,
            records: 20_200,
            late: 204,
            dead_lettered: 21,
            keys: 1000,
            state_bytes: 4_400_000,
            accounting_holds: true,
            freshness: Some((3.5, 9.9)),
        }
    }

    fn screen(workload: Workload, lines: bool) -> Screen {
        let shown = workload.shown();
        let query = format!("featuregrid get {} {}={}1", shown.view, shown.key, shown.letter);
        Screen::new(shown, Style { colours: false, redraws: false }, lines, query)
    }

    #[test]
    fn every_picture_fits_a_hundred_columns() {
        for workload in [Workload::Payments, Workload::Sensors, Workload::Clicks] {
            let picture = screen(workload, false).picture(&second());
            let widest = picture.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(COLUMNS), "{widest:?}\n{picture}");
            for word in workload.shown().features.iter().chain(&["freshness", "in another terminal"]) {
                assert!(picture.contains(word), "{word} in\n{picture}");
            }
        }
    }

    #[test]
    fn points_stand_under_one_another() {
        let decimal = |unscaled| text(Some(&Value::Decimal { unscaled, scale: 2 }));
        assert_eq!([decimal(99_230), decimal(-5), decimal(0)], ["992.30", "-0.05", "0.00"]);
    }

    #[test]
    fn a_line_has_the_values_digit_by_digit() {
        let line = screen(Workload::Payments, true).line(&second());
        let values = &line["features"]["u1"];
        assert_eq!((values["spend_1h"].to_string(), values["events_5m"].to_string()), ("1234.5".into(), "12".into()));
        assert!(values["purchases_24h"].is_null() && line["freshness_ms"]["p50"].is_number(), "{line}");
    }
}
