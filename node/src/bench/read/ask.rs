//! The clients of the node. Knows no log.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use featuregrid_protocol::wire::v1::feature_grid_client::FeatureGridClient;
use featuregrid_protocol::wire::v1::{
    EntityKey, FeatureColumn, GetFeaturesRequest, GetFeaturesResponse, Status, Token,
};
use featuregrid_simulations::random::Random;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};

use super::cases::{Case, users};
use super::latency::Percentiles;
use super::pace::pace;

/// Connections, used in turn: a service has more than one client.
const CONNECTIONS: usize = 4;
/// Different requests of a case, made before the clock runs.
const REQUESTS: usize = 256;
/// Requests on their way at which a round is given up: the node is overloaded, and a percentile would only tell how long
/// the round was.
const ON_THE_WAY_MAX: usize = 4096;
/// Largest reply that is taken, bytes.
const REPLY_BYTES_MAX: usize = 64 << 20;

/// Connected clients.
pub(super) struct Readers {
    clients: Vec<FeatureGridClient<Channel>>,
}

/// One round of a case.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) percentiles: Percentiles,
    pub(super) reads: usize,
    /// Values read, and how many of them there were.
    pub(super) values: usize,
    pub(super) present: usize,
}

impl Readers {
    pub(super) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            let channel = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true).connect().await?;
            clients.push(FeatureGridClient::new(channel).max_decoding_message_size(REPLY_BYTES_MAX));
        }
        Ok(Self { clients })
    }

    /// Asks the case at its rate for so long, and waits for the last reply. Blocks its thread.
    pub(super) fn round(&self, runtime: &Handle, case: &Case, lasts: Duration) -> anyhow::Result<Round> {
        let mut random = Random::new(11);
        let requests: Vec<GetFeaturesRequest> = (0..REQUESTS).map(|_| request(&mut random, case)).collect();
        let mut tasks = JoinSet::new();
        let (mut latencies, mut present, mut values) = (Vec::new(), 0, 0);
        let mut take = |done: Result<anyhow::Result<(Duration, usize)>, _>| -> anyhow::Result<()> {
            let (latency, found) = done.context("a reader")??;
            latencies.push(latency);
            present += found;
            values += case.entities * case.features;
            Ok(())
        };
        let mut turn = 0;
        pace(case.rate, lasts, |intended| -> anyhow::Result<()> {
            let (client, request) = (self.clients[turn % CONNECTIONS].clone(), requests[turn % REQUESTS].clone());
            tasks.spawn_on(ask(client, request, intended, *case), runtime);
            turn += 1;
            while let Some(done) = tasks.try_join_next() {
                take(done)?;
            }
            if tasks.len() > ON_THE_WAY_MAX {
                bail!(
                    "{case}: {} requests wait for replies: the node does not answer {} a second",
                    tasks.len(),
                    case.rate
                );
            }
            Ok(())
        })?;
        runtime.block_on(async {
            while let Some(done) = tasks.join_next().await {
                take(done)?;
            }
            anyhow::Ok(())
        })?;
        Ok(Round { reads: latencies.len(), percentiles: Percentiles::of(latencies), values, present })
    }

    /// Reads one user's features from state that has seen `token`.
    pub(super) async fn demand(&self, user: &str, token: Token) -> anyhow::Result<()> {
        let entity = EntityKey { parts: vec![user.to_owned()], as_of_micros: None };
        let request = GetFeaturesRequest {
            entities: vec![entity],
            views: vec!["user_spend".to_owned()],
            at_least: Some(token),
            ..GetFeaturesRequest::default()
        };
        self.clients[0].clone().get_features(request).await.context("reading an event back")?;
        Ok(())
    }
}

fn request(random: &mut Random, case: &Case) -> GetFeaturesRequest {
    let entity = |user: String| EntityKey { parts: vec![user], as_of_micros: None };
    GetFeaturesRequest {
        entities: users(random, case.entities).into_iter().map(entity).collect(),
        service: case.service.to_owned(),
        ..GetFeaturesRequest::default()
    }
}

/// One request; how long after its intended time the reply was decoded, and how many of its values there were.
async fn ask(
    mut client: FeatureGridClient<Channel>,
    request: GetFeaturesRequest,
    intended: Instant,
    case: Case,
) -> anyhow::Result<(Duration, usize)> {
    let reply = client.get_features(request).await?.into_inner();
    let latency = intended.elapsed();
    Ok((latency, present(&reply, case)?))
}

fn present(reply: &GetFeaturesResponse, case: Case) -> anyhow::Result<usize> {
    let entities = reply.views.first().map_or(0, |view| view.effective_instants_micros.len());
    if reply.features.len() != case.features || entities != case.entities {
        bail!("{case}: a reply of another shape");
    }
    let present =
        |column: &FeatureColumn| (0..entities).filter(|entity| column.status(*entity) == Status::Present).count();
    Ok(reply.features.iter().map(present).sum())
}
