//! Log lines on stderr: what happened, as fields. Knows no metric system yet: the figures are in GetStatus.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging; `FEATUREGRID_LOG` chooses what (default: `info`, or nothing but warnings where `quiet`, and warnings
/// of libraries).
pub fn start(quiet: bool) {
    let usual = if quiet { "warn" } else { "warn,featuregrid=info" };
    let filter = EnvFilter::try_from_env("FEATUREGRID_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let done = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init();
    if let Err(error) = done {
        tracing::debug!(%error, "logging runs already");
    }
}
