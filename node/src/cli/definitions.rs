//! `featuregrid validate`, `plan` and `schema`: what definitions mean and cost, before anything runs. Knows no node.

mod largest;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use featuregrid_protocol::definition::{self, Mistakes};
use featuregrid_protocol::expression::Type;
use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::plan::{Plan, ViewPlan};
use serde_json::json;

use super::output::{Output, say, table};
use crate::files;

/// `featuregrid validate`
#[derive(Debug, clap::Args)]
pub(super) struct Validate {
    /// The definitions (YAML).
    definitions: PathBuf,
    /// How the result is printed.
    #[arg(short, long, visible_alias = "report", value_enum, default_value = "table")]
    output: Output,
}

/// `featuregrid plan`
#[derive(Debug, clap::Args)]
pub(super) struct Change {
    /// The definitions that run (YAML).
    old: PathBuf,
    /// Those that would replace them.
    new: PathBuf,
    /// How the result is printed.
    #[arg(short, long, visible_alias = "report", value_enum, default_value = "table")]
    output: Output,
}

/// Exit code 0 only if the definitions can be used.
pub(super) fn validate(arguments: &Validate) -> anyhow::Result<ExitCode> {
    match compile(&arguments.definitions, None)? {
        Ok(plan) => match arguments.output {
            Output::Json => say!("{}", as_json(&plan)),
            Output::Table => show(&plan),
        },
        Err(mistakes) => return Ok(refused(&mistakes, "valid", arguments.output)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Exit code 0 only if the change is possible.
pub(super) fn plan(arguments: &Change) -> anyhow::Result<ExitCode> {
    let old = match compile(&arguments.old, None)? {
        Ok(plan) => plan,
        Err(mistakes) => return Ok(refused(&mistakes, "possible", arguments.output)),
    };
    let new = match compile(&arguments.new, Some(&old))? {
        Ok(plan) => plan,
        Err(mistakes) => return Ok(refused(&mistakes, "possible", arguments.output)),
    };
    let changes = definition::changes(&old, &new);
    let memory = memory(&old, &new);
    match arguments.output {
        Output::Json => {
            let changes = changes.iter().map(|change| {
                json!({"change": change.kind.name(), "subject": change.subject, "effect": change.effect.name()})
            });
            let memory = memory.iter().map(|(view, before, after)| {
                json!({
                    "view": view, "largest_entity_bytes_before": before, "largest_entity_bytes_after": after,
                    "largest_entity": new.view(view).map(|view| largest::as_json(&new, view)),
                })
            });
            let (changes, memory): (Vec<_>, Vec<_>) = (changes.collect(), memory.collect());
            say!("{}", json!({"possible": true, "changes": changes, "memory": memory}));
        }
        Output::Table => {
            let rows = changes
                .iter()
                .map(|change| vec![change.kind.name().to_owned(), change.subject.clone(), change.effect.to_string()]);
            let rows: Vec<Vec<String>> = rows.collect();
            match rows.is_empty() {
                true => say!("nothing changes"),
                false => table(&["change", "what", "effect"], &rows),
            }
            let rows = memory.iter().map(|(view, before, after)| {
                let bytes = |bytes: &Option<u64>| bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
                vec![(*view).to_owned(), bytes(before), bytes(after)]
            });
            say!("");
            table(&["view", "largest entity before, bytes", "after"], &rows.collect::<Vec<_>>());
            say!("");
            largest::show(&new);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the JSON schema of definitions.
pub(super) fn schema() -> ExitCode {
    say!("{}", definition::SCHEMA.trim_end());
    ExitCode::SUCCESS
}

fn compile(path: &Path, previous: Option<&Plan>) -> anyhow::Result<Result<Plan, Mistakes>> {
    let text = files::definitions(path)?;
    let index = ControlIndex(u64::from(previous.is_some()));
    Ok(definition::compile(&text, &path.display().to_string(), previous, index))
}

fn refused(mistakes: &Mistakes, question: &str, output: Output) -> ExitCode {
    match output {
        Output::Table => eprintln!("{mistakes}"),
        Output::Json => {
            let list = mistakes
                .list
                .iter()
                .map(|mistake| json!({"line": mistake.line, "column": mistake.column, "message": mistake.message}));
            let list: Vec<_> = list.collect();
            say!("{}", json!({question: false, "file": mistakes.file, "mistakes": list, "more": mistakes.more}));
        }
    }
    ExitCode::FAILURE
}

/// Of every view of either plan: name, bytes before, bytes after.
fn memory<'p>(old: &'p Plan, new: &'p Plan) -> Vec<(&'p str, Option<u64>, Option<u64>)> {
    let gone = old.views.iter().filter(|view| new.view(&view.name).is_none());
    let mut views: Vec<&ViewPlan> = new.views.iter().chain(gone).collect();
    views.sort_by(|left, right| left.name.cmp(&right.name));
    let bytes = |plan: &Plan, name: &str| plan.view(name).map(|view| plan.largest_entity(view).bytes());
    views.into_iter().map(|view| (view.name.as_str(), bytes(old, &view.name), bytes(new, &view.name))).collect()
}

fn key_names(view: &ViewPlan) -> Vec<&str> {
    view.keys.iter().map(|(name, _)| name.as_str()).collect()
}

fn as_json(plan: &Plan) -> serde_json::Value {
    let views = plan.views.iter().map(|view| {
        let largest = plan.largest_entity(view);
        let request = view.request.iter().map(|value| json!({"name": value.name, "type": Type::from(value.kind).to_string()}));
        json!({
            "request": request.collect::<Vec<_>>(), "name": view.name, "entity": view.entity, "keys": key_names(view), "source": plan.source_of(view).name,
            "features": view.results().count(), "tiles": largest.tiles(), "largest_entity_bytes": largest.bytes(),
            "largest_entity": largest::as_json(plan, view),
        })
    });
    let services = plan.services.iter().map(|service| json!({"name": service.name, "features": service.results.len()}));
    json!({
        "valid": true, "project": plan.project, "views": views.collect::<Vec<_>>(),
        "services": services.collect::<Vec<_>>(),
    })
}

fn show(plan: &Plan) {
    let rows = plan.views.iter().map(|view| {
        let (source, features) = (plan.source_of(view).name.clone(), view.results().count().to_string());
        vec![view.name.clone(), view.entity.clone(), key_names(view).join(", "), source, features]
    });
    table(&["view", "entity", "keys", "source", "features"], &rows.collect::<Vec<_>>());
    say!("");
    largest::show(plan);
    if !plan.services.is_empty() {
        let rows = plan.services.iter().map(|service| vec![service.name.clone(), service.results.len().to_string()]);
        say!("");
        table(&["service", "features"], &rows.collect::<Vec<_>>());
    }
}

#[cfg(test)]
mod tests {
    //! What a summary says of the definitions of the acceptance.
    use super::*;

    const FRAUD: &str = include_str!("../../../tests/accept/fraud.yaml");

    fn compiled(text: &str, previous: Option<&Plan>) -> Plan {
        let index = ControlIndex(u64::from(previous.is_some()));
        definition::compile(text, "fraud.yaml", previous, index).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    #[test]
    fn a_summary_prices_every_view() {
        let plan = compiled(FRAUD, None);
        let summary = as_json(&plan);
        let view = &summary["views"][0];
        assert_eq!((&view["features"], &view["keys"]), (&json!(30), &json!(["user_id"])));
        let tiles = plan.views[0].ladders[0].tiles_max(plan.sources[0].slack).sum::<i64>();
        assert_eq!(view["tiles"].as_i64(), Some(tiles));
        let bytes = view["largest_entity_bytes"].as_u64().unwrap_or_default();
        assert!((20_000..50_000).contains(&bytes), "{bytes}");
    }

    #[test]
    fn a_summary_names_what_a_read_may_send() {
        let text =
            FRAUD.replacen("    features:\n", "    request: { amount: decimal(2), country: text }\n    features:\n", 1);
        let request = &as_json(&compiled(&text, None))["views"][0]["request"];
        let want = json!([{"name": "amount", "type": "decimal(2)"}, {"name": "country", "type": "text"}]);
        assert_eq!(*request, want);
    }

    #[test]
    fn a_longer_window_costs_more() {
        let old = compiled(FRAUD, None);
        let new = compiled(&FRAUD.replacen("windows: [5m, 1h, 24h]", "windows: [5m, 1h, 24h, 30d]", 1), Some(&old));
        let memory = memory(&old, &new);
        assert!(matches!(memory[..], [("user_spend", Some(before), Some(after))] if before < after), "{memory:?}");
    }
}
