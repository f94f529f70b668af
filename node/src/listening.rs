//! A port that is served by a task of its own until it is told to stop. Knows no protocol.

use std::fmt::Display;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A bound port that nobody serves yet.
pub(crate) struct Bound {
    pub(crate) listener: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Bound {
    /// Binds.
    ///
    /// # Errors
    /// When the address is taken or not ours.
    pub(crate) async fn to(listen: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        Ok(Self { address: listener.local_addr()?, listener })
    }
}

/// A port that is served.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Listening {
    /// Serves until it is told to stop: `serve` is given what says so. `who` begins the log line if it ends by itself.
    pub(crate) fn start<S, E>(who: &'static str, address: SocketAddr, serve: impl FnOnce(Told) -> S) -> Self
    where
        S: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + Send,
    {
        let (stop, told) = oneshot::channel();
        let serving = serve(Told(told));
        let task = tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "{who} ended");
            }
        });
        Self { address, stop, task }
    }

    /// Takes nothing new and lets what runs end, for as long as `patience`.
    pub(crate) async fn stop(self, patience: Duration) {
        let Self { stop, mut task, .. } = self;
        drop(stop);
        if tokio::time::timeout(patience, &mut task).await.is_err() {
            task.abort();
        }
    }
}

/// When a server is to stop.
pub(crate) struct Told(oneshot::Receiver<()>);

impl Told {
    /// Ends when it is.
    pub(crate) async fn stop(self) {
        let _ = self.0.await; // dropped or told: both end it
    }
}
