//! `featuregrid actor show`: where an entity lives and what is kept of it, from a running node.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::Subcommand;
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::wire::v1::{ActorLadder, ActorView, GetActorRequest, GetActorResponse};
use serde_json::json;

use super::client;
use super::output::{Output, say, table};

/// `featuregrid actor`
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Shows one entity: its node and range, its memory, its tiles, and the last records applied to it.
    Show(Show),
}

/// `featuregrid actor show`
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// A feature view (every view of the entity, if absent), and the entity as key=value.
    #[arg(required = true, value_name = "VIEW? KEY=VALUE")]
    what: Vec<String>,
    /// The node.
    #[arg(long, default_value = super::ADDRESS)]
    address: String,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,
}

/// View and keys of what was typed.
fn wanted(what: &[String]) -> anyhow::Result<(String, HashMap<String, String>)> {
    let (mut view, mut keys) = (None, HashMap::new());
    for word in what {
        match word.split_once('=') {
            Some((name, value)) => {
                if keys.insert(name.to_owned(), value.to_owned()).is_some() {
                    bail!("`{name}` is given twice");
                }
            }
            None if view.is_none() => view = Some(word.clone()),
            None => bail!("`{word}` is no KEY=VALUE; write the entity as for example user_id=u1"),
        }
    }
    if keys.is_empty() {
        bail!("which entity? Write it as key=value, for example user_id=u1");
    }
    Ok((view.unwrap_or_default(), keys))
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Show(arguments) = command;
    let (view, keys) = wanted(&arguments.what)?;
    let mut client = client::admin(&arguments.address, Duration::ZERO).await?;
    let reply = match client.get_actor(GetActorRequest { keys, view }).await {
        Ok(reply) => reply.into_inner(),
        Err(status) => bail!("{}: {}", arguments.address, status.message()),
    };
    match arguments.output {
        Output::Json => say!("{}", as_json(&reply)),
        Output::Table => show(&arguments.what, &reply),
    }
    Ok(ExitCode::SUCCESS)
}

fn life(view: &ActorView) -> &'static str {
    if view.resident { "resident" } else { "absent" }
}

fn as_json(reply: &GetActorResponse) -> serde_json::Value {
    let ladder = |ladder: &ActorLadder| {
        let levels = ladder.levels.iter().map(|level| {
            json!({"hop": Span(level.hop_micros).to_string(), "kept": Span(level.span_micros).to_string(), "tiles": level.tiles})
        });
        let positions = ladder.positions.iter().map(|at| {
            json!({
                "source": at.source, "partition": at.partition, "offset": at.offset,
                "newest_event": Timestamp(at.newest_event_micros).to_string(),
            })
        });
        json!({
            "bytes": ladder.bytes, "raw_rows": ladder.raw_rows, "levels": levels.collect::<Vec<_>>(),
            "lifetime": ladder.lifetime, "positions": positions.collect::<Vec<_>>(),
        })
    };
    let views = reply.views.iter().map(|view| {
        json!({
            "view": view.view, "entity": view.entity, "state": life(view), "bytes": view.bytes,
            "newest_event": view.newest_event_micros.map(|at| Timestamp(at).to_string()),
            "ladders": view.ladders.iter().map(ladder).collect::<Vec<_>>(),
        })
    });
    let token = reply.token.clone().unwrap_or_default().offsets;
    let token: std::collections::BTreeMap<String, u64> =
        token.into_iter().map(|(partition, next)| (partition.to_string(), next)).collect();
    json!({
        "node": reply.node, "boot": reply.boot, "range": reply.range, "epoch": reply.epoch,
        "control_index": reply.control_index, "token": token, "views": views.collect::<Vec<_>>(),
    })
}

fn show(what: &[String], reply: &GetActorResponse) {
    say!(
        "{}: node {} (life {}), range {}, epoch {}, control index {}",
        what.join(" "),
        reply.node,
        reply.boot,
        reply.range,
        reply.epoch,
        reply.control_index
    );
    for view in &reply.views {
        say!("");
        let newest =
            view.newest_event_micros.map_or_else(String::new, |at| format!(", newest event {}", Timestamp(at)));
        say!("{} ({}): {}, {} bytes{newest}", view.view, view.entity, life(view), view.bytes);
        for ladder in &view.ladders {
            let forever = if ladder.lifetime { "; what leaves the finest tiles is kept for ever in one" } else { "" };
            say!("  {} events not in tiles yet{forever}", ladder.raw_rows);
            let level = |level: &featuregrid_protocol::wire::v1::ActorLevel| {
                let hop = Span(level.hop_micros).to_string();
                // The finest level of a view without short windows: only what late events may still change.
                let span =
                    if level.span_micros == 0 { "slack".to_owned() } else { Span(level.span_micros).to_string() };
                vec![format!("  {hop}"), span, level.tiles.to_string()]
            };
            table(&["  tiles of", "kept for", "there"], &ladder.levels.iter().map(level).collect::<Vec<_>>());
            let position = |at: &featuregrid_protocol::wire::v1::ActorPosition| {
                let newest = Timestamp(at.newest_event_micros).to_string();
                vec![format!("  {} {}", at.source, at.partition), at.offset.to_string(), newest]
            };
            table(
                &["  partition", "last offset", "newest event"],
                &ladder.positions.iter().map(position).collect::<Vec<_>>(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    //! A view may stand anywhere among the keys, or not at all.
    use super::*;

    #[test]
    fn what_is_typed_is_told_apart() {
        let typed = |words: &[&str]| wanted(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        let (view, keys) = typed(&["user_spend", "user_id=u=1", "card=7"]).unwrap();
        assert_eq!((view.as_str(), keys["user_id"].as_str(), keys.len()), ("user_spend", "u=1", 2));
        assert_eq!(typed(&["user_id=u1"]).unwrap().0, "");
        assert!([&["user_spend"][..], &["a", "b", "c=1"], &["a=1", "a=2"]].iter().all(|words| typed(words).is_err()));
    }
}
