//! What topics say of their own settings, asked once at the start and looked at twice. Knows no setting.

use std::collections::BTreeMap;

use featuregrid_protocol::plan::{Plan, SourcePlan};
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;

use super::append_time::{AppendTimeError, check_append_time};
use super::{ASK, Cluster, advice};

/// Who dates a topic's records: its producers, or the brokers that append them.
pub(super) const TIMESTAMP_TYPE: &str = "message.timestamp.type";

/// The settings of a topic by name.
pub(super) type Settings = BTreeMap<String, String>;

/// The settings of a topic, or why it does not say.
pub(super) type Described = Result<Settings, String>;

/// Refuses topics that are not what their source needs, and warns of settings that endanger what is promised.
///
/// # Errors
/// See [`AppendTimeError`].
pub async fn check_topics(cluster: &Cluster, plan: &Plan) -> Result<(), AppendTimeError> {
    let described = match describe(cluster, &plan.sources).await {
        Ok(described) => described,
        Err(error) => vec![Err(error.to_string()); plan.sources.len()],
    };
    check_append_time(plan, &described)?;
    advice::warn_of_settings(plan, &described);
    Ok(())
}

/// What the topics of `sources` say, in their order.
async fn describe(cluster: &Cluster, sources: &[SourcePlan]) -> anyhow::Result<Vec<Described>> {
    let admin: AdminClient<DefaultClientContext> = cluster.client().create()?;
    let topics: Vec<ResourceSpecifier<'_>> =
        sources.iter().map(|source| ResourceSpecifier::Topic(&source.topic)).collect();
    let options = AdminOptions::new().request_timeout(Some(ASK));
    // In the order they are asked for: librdkafka sees to it.
    let answers = admin.describe_configs(&topics, &options).await?;
    Ok(answers.into_iter().map(|answer| answer.map(settings).map_err(|code| code.to_string())).collect())
}

fn settings(of: ConfigResource) -> Settings {
    of.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?))).collect()
}
