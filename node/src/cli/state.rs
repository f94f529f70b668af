//! `featuregrid state digest`: one hash over every canonical page, of a running node or of a node that reads the log now.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Subcommand;
use featuregrid_protocol::wire::v1::GetDigestRequest;
use serde_json::json;

use super::node::{NodeArguments, Prepared};
use super::output::{Output, say};
use super::{INTERRUPTED, client, duration, stopped};
use crate::config::Given;
use crate::digest::digest;
use crate::store::Folder;

/// `featuregrid state`
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// sha256 over canonical pages: equal for equal state, whatever the ranges, the order of reading and the crashes.
    Digest(Arguments),
}

/// `featuregrid state digest`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Ask a running node.
    #[arg(long, conflicts_with_all = ["config", "definitions", "brokers", "data"])]
    address: Option<String>,
    /// How long to wait until everything in the log is applied.
    #[arg(long, value_parser = duration, default_value = "600s")]
    wait: Duration,
    /// Where a node of its own keeps everything; without it, nothing is kept.
    #[arg(long)]
    data: Option<PathBuf>,
    #[command(flatten)]
    node: NodeArguments,
    /// How the result is printed.
    #[arg(short, long, visible_alias = "report", value_enum, default_value = "table")]
    output: Output,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Digest(arguments) = command;
    tokio::select! {
        done = digested(&arguments) => done,
        () = stopped() => Ok(INTERRUPTED.into()),
    }
}

async fn digested(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (sha256, pages, v) = match &arguments.address {
        Some(address) => of_running(address, arguments.wait).await?,
        None => of_log(arguments).await?,
    };
    match arguments.output {
        Output::Table => say!("{sha256}  {pages} pages at {}", serde_json::to_string(&v)?),
        Output::Json => say!("{}", json!({"sha256": sha256, "pages": pages, "v": v})),
    }
    Ok(ExitCode::SUCCESS)
}

type Digested = (String, u64, std::collections::BTreeMap<String, u64>);

async fn of_running(address: &str, wait: Duration) -> anyhow::Result<Digested> {
    let begin = Instant::now();
    let mut client = client::admin(address, wait).await?;
    loop {
        let mut request = tonic::Request::new(GetDigestRequest { at_log_end: true });
        request.set_timeout(wait.saturating_sub(begin.elapsed()));
        match client.get_digest(request).await {
            Ok(response) => {
                let response = response.into_inner();
                let offsets = response.token.unwrap_or_default().offsets;
                let v = offsets.into_iter().map(|(partition, next)| (partition.to_string(), next)).collect();
                return Ok((response.sha256, response.pages, v));
            }
            Err(status) if status.code() == tonic::Code::Unavailable && begin.elapsed() < wait => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(status) => bail!("{address}: {}", status.message()),
        }
    }
}

async fn of_log(arguments: &Arguments) -> anyhow::Result<Digested> {
    let data = arguments.data.as_ref().map(|data| Given {
        name: "node.data",
        flag: "--data",
        value: data.display().to_string(),
    });
    let config = arguments.node.resolve(data.as_slice())?;
    if config.definitions.is_none() {
        bail!("name a running node with --address, or --definitions to read the log now");
    }
    let folder = Folder::open(config.data.as_deref())?;
    let deadline = Instant::now() + arguments.wait;
    let node = Prepared::new(&config)?.start(folder.path()).await?;
    let ends = node.log_ends()?;
    let reached = node.reaches(&ends, deadline).await;
    let halted = node.progress.any_halted();
    if !reached || halted.is_some() {
        bail!("the log was not read to its end: {}", halted.unwrap_or_else(|| "too slow".to_owned()));
    }
    let digest = digest(&node, deadline).await?;
    node.stop().await;
    let v = digest.v.0.iter().map(|(partition, next)| (partition.0.to_string(), *next)).collect();
    Ok((digest.sha256, digest.pages, v))
}
