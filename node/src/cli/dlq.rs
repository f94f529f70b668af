//! `featuregrid dlq`: records that were not taken: which, why, and again.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::wire::v1::{DeadLetter, DeadLetterFilter, ListDeadLettersRequest, ReplayDeadLettersRequest};
use serde_json::json;

use super::client;
use super::output::{Output, say, table};
use crate::store::dead_letters::topic::explain;

/// Letters of a table: more than a person reads.
const TABLE_ROWS: u64 = 1000;
/// Bytes of a payload that a table shows.
const EXCERPT: usize = 60;

/// `featuregrid dlq`
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists them.
    Ls(Arguments),
    /// Prints one whole: --partition and --offset.
    Show(Arguments),
    /// Appends them to their topics again, past the check for lateness; each once.
    Replay {
        #[command(flatten)]
        arguments: Arguments,
        /// Only count.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only of this source.
    #[arg(long)]
    source: Option<String>,
    /// Only with this reason: late, future, undecodable, no_timestamp, rejected, too_large.
    #[arg(long)]
    reason: Option<String>,
    /// Only of this partition.
    #[arg(long)]
    partition: Option<u32>,
    /// Only the record at this offset.
    #[arg(long)]
    offset: Option<u64>,
    /// The node.
    #[arg(long, default_value = super::ADDRESS)]
    address: String,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,
}

impl Arguments {
    fn filter(&self) -> DeadLetterFilter {
        let Self { source, reason, partition, offset, .. } = self;
        DeadLetterFilter { source: source.clone(), reason: reason.clone(), partition: *partition, offset: *offset }
    }
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Ls(arguments) => list(&arguments).await,
        Command::Show(arguments) => show(&arguments).await,
        Command::Replay { arguments, dry_run } => replay(&arguments, dry_run).await,
    }
}

async fn list(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let limit = if arguments.output == Output::Table { TABLE_ROWS } else { 0 };
    let mut rows = Vec::new();
    each(arguments, limit, |letter| match arguments.output {
        Output::Json => say!("{}", as_json(&letter)),
        Output::Table => rows.push(vec![
            format!("{} {}", letter.source, letter.partition),
            letter.offset.to_string(),
            letter.reason.clone(),
            Timestamp(letter.timestamp_micros).to_string(),
            if letter.replayed { "yes" } else { "" }.to_owned(),
            excerpt(&letter),
        ]),
    })
    .await?;
    if arguments.output == Output::Table {
        table(&["partition", "offset", "reason", "appended", "replayed", "payload"], &rows);
        if rows.len() as u64 == limit {
            say!("... the first {limit}; narrow it down, or print all with -o json");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.partition.is_none() || arguments.offset.is_none() {
        bail!("name the record: --partition N --offset N, as `featuregrid dlq ls` prints them");
    }
    let mut found = false;
    each(arguments, 1, |letter| {
        found = true;
        match arguments.output {
            Output::Json => say!("{}", as_json(&letter)),
            Output::Table => {
                let (stage, why) = explain(&letter.reason);
                say!("{} partition {} offset {}", letter.source, letter.partition, letter.offset);
                say!("{} ({stage}): {why}", letter.reason);
                say!("appended {}", Timestamp(letter.timestamp_micros));
                say!("key {}", letter.key.as_deref().map_or("-".into(), String::from_utf8_lossy));
                say!("{}", letter.payload.as_deref().map_or("(left in the topic)".into(), String::from_utf8_lossy));
            }
        }
    })
    .await?;
    if !found {
        bail!("no dead letter there; `featuregrid dlq ls` lists them");
    }
    Ok(ExitCode::SUCCESS)
}

async fn replay(arguments: &Arguments, dry_run: bool) -> anyhow::Result<ExitCode> {
    let mut client = client::admin(&arguments.address, Duration::ZERO).await?;
    let request = ReplayDeadLettersRequest { filter: Some(arguments.filter()), dry_run };
    let reply = match client.replay_dead_letters(request).await {
        Ok(reply) => reply.into_inner(),
        Err(status) => bail!("{}: {}", arguments.address, status.message()),
    };
    match (arguments.output, dry_run) {
        (Output::Json, true) => say!("{}", json!({ "would_replay": reply.matched })),
        (Output::Json, false) => say!("{}", json!({ "matched": reply.matched, "replayed": reply.replayed })),
        (Output::Table, true) => say!("{} records would be appended again", reply.matched),
        (Output::Table, false) => say!("{} records were appended again", reply.replayed),
    }
    Ok(ExitCode::SUCCESS)
}

async fn each(arguments: &Arguments, limit: u64, mut take: impl FnMut(DeadLetter)) -> anyhow::Result<()> {
    let mut client = client::admin(&arguments.address, Duration::ZERO).await?;
    let request = ListDeadLettersRequest { filter: Some(arguments.filter()), limit };
    let mut letters = match client.list_dead_letters(request).await {
        Ok(letters) => letters.into_inner(),
        Err(status) => bail!("{}: {}", arguments.address, status.message()),
    };
    while let Some(letter) = letters.message().await.with_context(|| arguments.address.clone())? {
        take(letter);
    }
    Ok(())
}

fn as_json(letter: &DeadLetter) -> serde_json::Value {
    let text = |bytes: &Option<Vec<u8>>| bytes.as_deref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    json!({
        "source": letter.source, "partition": letter.partition, "offset": letter.offset, "reason": letter.reason,
        "timestamp": Timestamp(letter.timestamp_micros).to_string(), "key": text(&letter.key),
        "payload": text(&letter.payload), "replayed": letter.replayed,
    })
}

/// The beginning of the payload, on one line.
fn excerpt(letter: &DeadLetter) -> String {
    let Some(payload) = &letter.payload else { return "(left in the topic)".to_owned() };
    let text = String::from_utf8_lossy(&payload[..payload.len().min(EXCERPT)]);
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if payload.len() > EXCERPT { format!("{text}... {} bytes", payload.len()) } else { text }
}
