//! The way to a running node. Knows no call.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use featuregrid_protocol::wire::v1::RequestColumn;
use featuregrid_protocol::wire::v1::admin_client::AdminClient;
use featuregrid_protocol::wire::v1::feature_grid_client::FeatureGridClient;
use tonic::transport::{Channel, Endpoint};

/// Largest reply that is taken, bytes: a full read of a wide view.
const REPLY_BYTES_MAX: usize = 64 << 20;

/// The same for what operators ask.
pub(super) async fn admin(address: &str, patience: Duration) -> anyhow::Result<AdminClient<Channel>> {
    Ok(AdminClient::new(channel(address, patience).await?).max_decoding_message_size(REPLY_BYTES_MAX))
}

/// Connects; a node that is still starting is tried again until `patience` ends.
pub(super) async fn connect(address: &str, patience: Duration) -> anyhow::Result<FeatureGridClient<Channel>> {
    Ok(FeatureGridClient::new(channel(address, patience).await?).max_decoding_message_size(REPLY_BYTES_MAX))
}

/// `NAME=VALUE`, one column of one value each; the node reads the text as the type that is declared.
pub(super) fn request_values(pairs: &[String]) -> anyhow::Result<Vec<RequestColumn>> {
    let mut columns = Vec::new();
    for pair in pairs {
        let Some((name, value)) = pair.split_once('=') else {
            bail!("--request {pair}: write NAME=VALUE, for example amount=12.50");
        };
        columns.push(RequestColumn::texts(name, [value.to_owned()]));
    }
    Ok(columns)
}

async fn channel(address: &str, patience: Duration) -> anyhow::Result<Channel> {
    let uri = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let endpoint = Endpoint::from_shared(uri).with_context(|| format!("`{address}` is no address; write host:port"))?;
    let endpoint = endpoint.connect_timeout(Duration::from_secs(2)).tcp_nodelay(true);
    let begin = Instant::now();
    loop {
        match endpoint.connect().await {
            Ok(channel) => return Ok(channel),
            Err(_) if begin.elapsed() < patience => tokio::time::sleep(Duration::from_millis(100)).await,
            Err(error) => {
                let way_out =
                    "start one with `featuregrid serve` or `featuregrid demo`, or name another with --address";
                return Err(error).with_context(|| format!("no node answers at {address}: {way_out}"));
            }
        }
    }
}
