//! Names keep Prometheus' conventions, and `METRICS.md` has each of them as it is.
use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;

const PAGE: &str = include_str!("../../../METRICS.md");
/// Everything a label may be named: all of bounded values.
const LABELS: [&str; 16] = [
    "source",
    "outcome",
    "reason",
    "action",
    "view",
    "stage",
    "api",
    "status",
    "topic",
    "partition",
    "cause",
    "state",
    "request",
    "direction",
    "class",
    "kind",
];

fn table() -> String {
    let mut table = "| metric | kind | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for name in ALL {
        let labels = name.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        writeln!(table, "| `{}` | {} | {labels} | {} |", name.name, name.kind.name(), name.help).unwrap();
    }
    table
}

#[test]
fn the_page_has_every_metric_as_it_is() {
    let table = table();
    assert!(PAGE.contains(&table), "METRICS.md needs this table:\n\n{table}");
    assert_eq!(PAGE.matches("\n| `featuregrid_").count(), ALL.len(), "a metric that does not exist");
}

#[test]
fn names_keep_the_conventions() {
    let distinct: BTreeSet<&str> = ALL.iter().map(|name| name.name).collect();
    assert_eq!(distinct.len(), ALL.len());
    for name in ALL {
        assert!(name.name.starts_with("featuregrid_"), "{}", name.name);
        assert_eq!(name.name.ends_with("_total"), name.kind == Kind::Counter, "{}", name.name);
        assert_eq!(name.name.ends_with("_info"), name.kind == Kind::Info, "{}", name.name);
        let unit = name.unit.map_or_else(String::new, |unit| format!("_{unit}"));
        let suffix = match name.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        assert_eq!(format!("{}{unit}{suffix}", name.stem()), name.name);
        for label in name.labels {
            assert!(LABELS.contains(label) || ["tier", "version"].contains(label), "{label} of {}", name.name);
        }
        assert!(!name.help.ends_with('.') && !name.help.contains('|'), "{}", name.help);
    }
}
