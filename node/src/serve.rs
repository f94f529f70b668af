//! The faces of a node: gRPC (`featuregrid.v1`, health and reflection) and Feast's HTTP API. Knows no state: it asks the grid.

mod actor;
mod admin;
pub(crate) mod encode;
mod feast;
mod push;
mod response;
mod service;
mod traceparent;
mod wanted;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use featuregrid_protocol::wire::DESCRIPTORS;
use featuregrid_protocol::wire::v1::admin_server::AdminServer;
use featuregrid_protocol::wire::v1::feature_grid_server::FeatureGridServer;
use thiserror::Error;
use tonic::transport::Server as Transport;
use tonic::transport::server::TcpIncoming;
use tonic_health::server::HealthReporter;

use crate::assemble::Node;
use crate::listening::{Bound, Listening, Told};
use admin::AdminService;
pub use feast::FeastServer;
use service::Service;

/// Why nothing is served.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The address is taken or not ours.
    #[error("listening on {0}: {1}; choose another --listen")]
    Listen(String, std::io::Error),
    /// The address of the Feast port is taken or not ours.
    #[error("listening for Feast clients on {0}: {1}; choose another --feast, or --feast off")]
    Feast(String, std::io::Error),
    /// The descriptors do not load.
    #[error("reflection: {0}")]
    Reflection(String),
}

/// Calls that run when a server is stopped may take so long to end.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

/// A listening server.
pub struct Server {
    health: HealthReporter,
    listening: Listening,
}

impl Server {
    /// Listens and answers; health says NOT_SERVING until [`Self::set_serving`].
    ///
    /// # Errors
    /// See [`ServeError`].
    pub async fn start(node: Arc<Node>, listen: &str) -> Result<Self, ServeError> {
        let refused = |error| ServeError::Listen(listen.to_owned(), error);
        let Bound { listener, address } = Bound::to(listen).await.map_err(refused)?;
        // Without it each reply waits for the peer's delayed acknowledgement: 40 ms.
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_not_serving::<FeatureGridServer<Service>>().await;
        health.set_service_status("", tonic_health::ServingStatus::NotServing).await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()
            .map_err(|error| ServeError::Reflection(error.to_string()))?;
        let router = Transport::builder()
            .add_service(health_service)
            .add_service(reflection)
            .add_service(AdminServer::new(AdminService::new(Arc::clone(&node))))
            .add_service(FeatureGridServer::new(Service::new(node)));
        let serve = |told: Told| router.serve_with_incoming_shutdown(incoming, told.stop());
        let listening = Listening::start("the gRPC server", address, serve);
        tracing::info!(%address, "listening");
        Ok(Self { health, listening })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listening.address
    }

    /// The state was rebuilt: health says SERVING.
    pub async fn set_serving(&self) {
        self.health.set_serving::<FeatureGridServer<Service>>().await;
        self.health.set_service_status("", tonic_health::ServingStatus::Serving).await;
    }

    /// Takes no new call and lets those that run end, for a moment.
    pub async fn stop(self) {
        self.listening.stop(STOP_PATIENCE).await;
    }
}

#[cfg(test)]
mod tests;
