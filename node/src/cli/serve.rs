//! `featuregrid serve`: a node, until it is told to stop.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::node::{NodeArguments, start, wait_for_topics};
use super::{plant, stopped};
use crate::serve::{FeastServer, Server};

/// `featuregrid serve`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    node: NodeArguments,
    /// Where everything is kept; one process at a time.
    #[arg(long)]
    data: PathBuf,
    /// Where to answer.
    #[arg(long, default_value = "127.0.0.1:7450")]
    listen: String,
    /// Where Feast's clients are answered (`online_store: {type: remote}`), or `off`.
    #[arg(long, default_value = "127.0.0.1:6566")]
    feast: String,
    /// Plant a fault, to see that it is borne; needs a build with the feature `plants`.
    #[arg(long, hide = true)]
    plant: Option<String>,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    plant(arguments.plant.as_deref())?;
    let stop = stopped();
    let starting = async {
        wait_for_topics(&arguments.node).await?;
        start(&arguments.node, &arguments.data).await
    };
    let node = tokio::select! {
        node = starting => Arc::new(node?),
        () = stop => return Ok(ExitCode::SUCCESS),
    };
    let server = Server::start(Arc::clone(&node), &arguments.listen).await?;
    let feast = match arguments.feast.as_str() {
        "off" => None,
        listen => Some(FeastServer::start(Arc::clone(&node), listen).await?),
    };
    let gave_up = node.take_gave_up();
    let serving = async {
        let ends = node.log_ends()?;
        let far = std::time::Instant::now() + std::time::Duration::from_secs(86_400 * 365);
        if node.reaches(&ends, far).await {
            tracing::info!("the state is rebuilt: serving");
            node.freshness.reset();
            server.set_serving().await;
            if let Some(feast) = &feast {
                feast.set_serving();
            }
        }
        // A halted partition is in the log and in GetStatus; reads of the rest wait, and say so.
        std::future::pending::<anyhow::Result<()>>().await
    };
    let code = tokio::select! {
        () = stopped() => ExitCode::SUCCESS,
        why = gave_up => {
            tracing::error!(error = why.unwrap_or_default(), "the node cannot go on");
            ExitCode::FAILURE
        }
        ended = serving => {
            ended?;
            ExitCode::SUCCESS
        }
    };
    if let Some(feast) = feast {
        feast.stop().await;
    }
    server.stop().await;
    if let Ok(node) = Arc::try_unwrap(node) {
        node.stop().await;
    }
    Ok(code)
}
