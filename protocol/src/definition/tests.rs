//! Whole files: what they compile to, every mistake at its place, and that plans follow each other as promised.

mod changes;
mod mistakes;
mod plans;
mod properties;
mod schema;
mod successions;

use super::*;

const FRAUD: &str = include_str!("../../../tests/accept/fraud.yaml");

/// A file whose view `v` has these features; line 15 is the first of them.
fn with_features(features: &str) -> String {
    let lines: String = features.lines().map(|line| format!("      {line}\n")).collect();
    format!(
        "project: p
entities:
  user: {{ join_keys: [user_id] }}
sources:
  s:
    kafka: {{ topic: t }}
    format: json
    fields: {{ user_id: user_id, kind: kind, amount: {{ path: a.b, type: decimal(2) }}, count: {{ path: n, type: int }}, ok: {{ path: ok, type: bool }}, free: free }}
    event_timestamp: ts
feature_views:
  v:
    entity: user
    source: s
    features:
{lines}"
    )
}

fn plan(text: &str) -> Plan {
    compile(text, "d.yaml", None, ControlIndex(0)).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn after(text: &str, previous: &Plan, index: u64) -> Plan {
    compile(text, "d.yaml", Some(previous), ControlIndex(index)).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// `line:column message` of every mistake.
fn mistakes(text: &str, previous: Option<&Plan>) -> Vec<String> {
    match compile(text, "d.yaml", previous, ControlIndex(1)) {
        Ok(plan) => panic!("accepted: {plan:?}"),
        Err(mistakes) => {
            mistakes.list.iter().map(|one| format!("{}:{} {}", one.line, one.column, one.message)).collect()
        }
    }
}
