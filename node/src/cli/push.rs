//! `featuregrid push`: one event in, and its entity's features before and after it.

use std::io::Read as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::wire::v1::PushRequest;
use serde_json::json;

use super::client;
use super::output::{Output, Shown, first_entity, say, table, values_json};

/// `featuregrid push`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The source.
    source: String,
    /// The event in the source's format; `-` reads it from standard input.
    event: String,
    /// Feature views to return, separated by commas.
    #[arg(long, value_delimiter = ',', conflicts_with = "service")]
    features: Vec<String>,
    /// A feature service to return.
    #[arg(long)]
    service: Option<String>,
    /// A value for on-demand features, as NAME=VALUE; once for each.
    #[arg(long = "request", value_name = "NAME=VALUE")]
    request: Vec<String>,
    /// The record's key, where your producers do not key by the first join key.
    #[arg(long)]
    key: Option<String>,
    /// The node.
    #[arg(long, default_value = super::ADDRESS)]
    address: String,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut payload = arguments.event.into_bytes();
    if payload == b"-" {
        payload.clear();
        std::io::stdin().read_to_end(&mut payload).context("standard input")?;
    }
    let values = client::request_values(&arguments.request)?;
    let mut client = client::connect(&arguments.address, Duration::ZERO).await?;
    let request = PushRequest {
        source: arguments.source,
        payload,
        key: arguments.key.map(String::into_bytes),
        views: arguments.features,
        service: arguments.service.unwrap_or_default(),
        request: values,
    };
    let reply = match client.push(request).await {
        Ok(reply) => reply.into_inner(),
        Err(status) => bail!("{}: {}", arguments.address, status.message()),
    };
    let (before, after) = (reply.before.unwrap_or_default(), reply.after.unwrap_or_default());
    let (before, after) = (first_entity(&before), first_entity(&after));
    match arguments.output {
        Output::Json => say!(
            "{}",
            json!({
                "partition": reply.partition, "offset": reply.offset,
                "event_time": Timestamp(reply.event_micros).to_string(),
                "before": values_json(&before), "after": values_json(&after),
            })
        ),
        Output::Table => {
            let at = Timestamp(reply.event_micros);
            say!("partition {} offset {}, event time {at}", reply.partition, reply.offset);
            let text = |shown: &Shown<'_>| match shown.value.as_str() {
                "null" => shown.status.as_str_name().to_owned(),
                value => value.to_owned(),
            };
            let both = before.iter().zip(&after);
            let rows = both.map(|(before, after)| vec![before.feature.to_owned(), text(before), text(after)]);
            table(&["feature", "before", "after"], &rows.collect::<Vec<_>>());
        }
    }
    Ok(ExitCode::SUCCESS)
}
