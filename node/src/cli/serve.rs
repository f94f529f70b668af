//! `featuregrid serve`: a node, until it is told to stop.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;

use super::node::{NodeArguments, Prepared};
use super::store::StoreArguments;
use super::{plant, stopped};
use crate::config::{Config, Effective, Given, Listen};
use crate::serve::{FeastServer, Server};
use crate::telemetry::http::MetricsServer;

/// `featuregrid serve`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    node: NodeArguments,
    #[command(flatten)]
    store: StoreArguments,
    /// Where everything is kept; one process at a time.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The list prices at which `featuregrid status` says what requests to S3 cost, or off [default: us-east-1].
    #[arg(long, value_name = "REGION")]
    store_prices: Option<String>,
    /// How often each range of keys is made durable [default: 60s].
    #[arg(long, value_name = "INTERVAL")]
    snapshot_interval: Option<String>,
    /// Where to answer [default: 127.0.0.1:7450].
    #[arg(long)]
    listen: Option<String>,
    /// Where Feast's clients are answered (`online_store: {type: remote}`), or `off` [default: 127.0.0.1:6566, if
    /// nobody else uses it].
    #[arg(long)]
    feast: Option<String>,
    /// Where Prometheus finds /metrics, or `off` [default: 127.0.0.1:9464, if nobody else uses it].
    #[arg(long)]
    metrics: Option<String>,
    /// Plant a fault, to see that it is borne; needs a build with the feature `plants`.
    #[arg(long, hide = true)]
    plant: Option<String>,
}

impl Arguments {
    /// What is in force.
    pub(super) fn effective(&self) -> anyhow::Result<Effective> {
        let data = self.data.as_ref().map(|data| data.display().to_string());
        let given = [
            ("node.data", "--data", data),
            ("store.snapshot_interval", "--snapshot-interval", self.snapshot_interval.clone()),
            ("store.prices", "--store-prices", self.store_prices.clone()),
            ("serve.listen", "--listen", self.listen.clone()),
            ("serve.feast", "--feast", self.feast.clone()),
            ("serve.metrics", "--metrics", self.metrics.clone()),
        ];
        let given = given.into_iter().filter_map(|(name, flag, value)| Some(Given { name, flag, value: value? }));
        self.node.effective(&given.chain(self.store.given()).collect::<Vec<_>>())
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    plant(arguments.plant.as_deref())?;
    let config = Config::of(&arguments.effective()?)?;
    let Some(data) = &config.data else {
        bail!("no folder: name one with --data DIR, or as node.data in a --config file");
    };
    let stop = stopped();
    let starting = async {
        let prepared = Prepared::new(&config)?;
        prepared.wait_for_topics().await?;
        prepared.start(data).await
    };
    let node = tokio::select! {
        node = starting => Arc::new(node?),
        () = stop => return Ok(ExitCode::SUCCESS),
    };
    let metrics = match &config.metrics {
        None => None,
        Some(listen) => had(listen, MetricsServer::start(Arc::clone(&node), &listen.address).await)?,
    };
    let server = Server::start(Arc::clone(&node), &config.listen).await?;
    let feast = match &config.feast {
        None => None,
        Some(listen) => had(listen, FeastServer::start(Arc::clone(&node), &listen.address).await)?,
    };
    let gave_up = node.take_gave_up();
    let serving = async {
        let ends = node.log_ends()?;
        // A halted partition is in the log and in GetStatus, and keeps nobody from the rest.
        node.rebuilt(&ends).await;
        tracing::info!("the state is rebuilt: serving");
        node.freshness.reset();
        server.set_serving().await;
        if let Some(feast) = &feast {
            feast.set_serving();
        }
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
    if let Some(metrics) = metrics {
        metrics.stop().await;
    }
    if let Ok(node) = Arc::try_unwrap(node) {
        node.stop().await;
    }
    Ok(code)
}

/// An address that was asked for must be had; the usual one may be another node's, and this one then does without.
fn had<S, E: std::fmt::Display>(listen: &Listen, started: Result<S, E>) -> Result<Option<S>, E> {
    match started {
        Ok(server) => Ok(Some(server)),
        Err(error) if listen.is_asked => Err(error),
        Err(error) => {
            tracing::warn!(%error, "the usual address is not to be had: this node does without");
            Ok(None)
        }
    }
}
