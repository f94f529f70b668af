//! `featuregrid get`: the features of one entity, from a running node.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::wire::v1::{EntityKey, FeatureColumn, GetFeaturesRequest};
use serde_json::json;

use super::client;
use super::output::{Output, Shown, first_entity, say, table, values_json};

/// `featuregrid get`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The feature view.
    view: String,
    /// The entity, as key=value in the order of its join keys.
    #[arg(required = true)]
    keys: Vec<String>,
    /// A value for on-demand features, as NAME=VALUE; once for each.
    #[arg(long = "request", value_name = "NAME=VALUE")]
    request: Vec<String>,
    /// At which instant (RFC 3339); now, if absent.
    #[arg(long)]
    as_of: Option<String>,
    /// The node.
    #[arg(long, default_value = super::ADDRESS)]
    address: String,
    /// How the result is printed.
    #[arg(short, long, visible_alias = "report", value_enum, default_value = "table")]
    output: Output,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let part = |pair: &String| pair.split_once('=').map(|(_, value)| value.to_owned());
    let parts: Option<Vec<String>> = arguments.keys.iter().map(part).collect();
    let Some(parts) = parts else { bail!("write the entity as key=value, for example user_id=u1") };
    let request = client::request_values(&arguments.request)?;
    let as_of = arguments.as_of.as_deref().map(Timestamp::parse).transpose()?;
    let mut client = client::connect(&arguments.address, Duration::ZERO).await?;
    let request = GetFeaturesRequest {
        entities: vec![EntityKey { parts, as_of_micros: None }],
        views: vec![arguments.view.clone()],
        service: String::new(),
        as_of_micros: as_of.map(|at| at.0),
        at_least: None,
        request,
    };
    let response = match client.get_features(request).await {
        Ok(response) => response.into_inner(),
        Err(status) => bail!("{}: {}", arguments.address, status.message()),
    };
    let view = response.views.first().context("an empty reply")?;
    let instant = Timestamp(*view.effective_instants_micros.first().context("a reply without an instant")?);
    let features = first_entity(&response);
    match arguments.output {
        Output::Table => {
            say!("{} at {instant}, control index {}", arguments.keys.join(" "), response.control_index);
            let row = |Shown { feature, value, status, flags }: Shown<'_>| {
                vec![feature.to_owned(), value, status.as_str_name().to_owned(), flags_text(flags)]
            };
            table(&["feature", "value", "status", ""], &features.into_iter().map(row).collect::<Vec<_>>());
        }
        Output::Json => {
            let status = |shown: &Shown<'_>| (shown.feature.to_owned(), json!(shown.status.as_str_name()));
            let statuses: serde_json::Map<String, serde_json::Value> = features.iter().map(status).collect();
            let flags = |shown: &Shown<'_>| {
                (shown.feature.to_owned(), FeatureColumn::flag_names(shown.flags).collect::<Vec<_>>().into())
            };
            let flags: serde_json::Map<String, serde_json::Value> = features.iter().map(flags).collect();
            let token = view.tokens.first().and_then(|place| response.tokens.get(*place as usize));
            let token = token.cloned().unwrap_or_default().offsets;
            let token: std::collections::BTreeMap<String, u64> =
                token.into_iter().map(|(partition, next)| (partition.to_string(), next)).collect();
            say!(
                "{}",
                json!({
                    "features": values_json(&features), "status": statuses, "flags": flags,
                    "effective_instant": instant.to_string(),
                    "epoch": view.epochs.first(), "control_index": response.control_index, "token": token,
                })
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The bits of `FeatureColumn.flags` as words.
fn flags_text(flags: u32) -> String {
    FeatureColumn::flag_names(flags).collect::<Vec<_>>().join(", ").replace('_', " ")
}

#[cfg(test)]
mod tests {
    //! Every bit has its word.
    use super::*;

    #[test]
    fn flags_are_words() {
        assert_eq!((flags_text(0), flags_text(5)), (String::new(), "rounded, partial coverage".to_owned()));
    }
}
