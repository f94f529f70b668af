//! Log lines on stderr: what happened, as fields. Lines for people on a terminal, one JSON object per line elsewhere.
//! Knows no metric.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// What is logged, unless `FEATUREGRID_LOG` says otherwise: our own news, and the warnings of libraries.
const FILTER: &str = "warn,featuregrid=info";

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Starts logging; `FEATUREGRID_LOG` chooses what, in the manner of `RUST_LOG` (`featuregrid=debug`).
///
/// A span is a line when it ends, with its fields and how long it took: at `debug` those of batches, frames, reads and
/// pushes; at `info` only that of an activation.
///
/// Where `quiet`, nothing but warnings is logged unless something else was chosen.
pub fn start(format: LogFormat, quiet: bool) {
    let usual = if quiet { "warn" } else { FILTER };
    let filter = EnvFilter::try_from_env("FEATUREGRID_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let on_terminal = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::CLOSE)
        .with_target(false);
    let done = match (format, on_terminal) {
        (LogFormat::Json, _) | (LogFormat::Auto, false) => {
            lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
        }
        (LogFormat::Text, _) | (LogFormat::Auto, true) => lines.with_ansi(on_terminal).try_init(),
    };
    if let Err(error) = done {
        tracing::debug!(%error, "logging runs already");
    }
}
