//! Whether topics whose sources judge lateness by append time have one. Knows no record, and nothing of other settings.
//!
//! Where producers date the records, a producer whose clock is behind or ahead would decide what is late.

use featuregrid_protocol::plan::{LatenessClock, Plan, SourcePlan};
use rdkafka::admin::{ConfigResource, OwnedResourceSpecifier};
use thiserror::Error;

use super::Cluster;
use super::advice::describe;

const SETTING: &str = "message.timestamp.type";
const NEEDED: &str = "LogAppendTime";

/// Why a source cannot judge lateness by append time. Nothing was started.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AppendTimeError {
    /// Its topic's records are dated by their producers.
    #[error(
        "source `{name}` has `lateness_clock: append_time`, but records of its topic `{topic}` are dated by their producers \
         ({SETTING}={found}); set {SETTING}={NEEDED} on the topic, or remove `lateness_clock`"
    )]
    DatedByProducers {
        /// The source.
        name: String,
        /// Its topic.
        topic: String,
        /// What the topic says.
        found: String,
    },
    /// The topic did not say.
    #[error(
        "source `{name}` has `lateness_clock: append_time`, and whether its topic `{topic}` has {SETTING}={NEEDED} cannot be \
         looked at: {why}; allow this user to describe the topic's configuration, or remove `lateness_clock`"
    )]
    Unknown {
        /// The source.
        name: String,
        /// Its topic.
        topic: String,
        /// What went wrong.
        why: String,
    },
}

/// Asks the brokers for the topics of sources whose lateness is by append time; no other topic is looked at.
///
/// # Errors
/// See [`AppendTimeError`].
pub async fn check_append_time(cluster: &Cluster, plan: &Plan) -> Result<(), AppendTimeError> {
    let by_append = |source: &&SourcePlan| source.lateness_clock == LatenessClock::AppendTime;
    let sources: Vec<&SourcePlan> = plan.sources.iter().filter(by_append).collect();
    if sources.is_empty() {
        return Ok(());
    }
    let described = describe(cluster, &sources).await.map_err(|error| error.to_string());
    sources.into_iter().try_for_each(|source| match &described {
        Ok(resources) => judge(source, kind(resources, &source.topic)),
        Err(why) => Err(unknown(source, why.clone())),
    })
}

/// What a topic says of who dates its records.
fn kind<'r>(resources: &'r [ConfigResource], topic: &str) -> Option<&'r str> {
    let is_it = |resource: &&ConfigResource| matches!(&resource.specifier, OwnedResourceSpecifier::Topic(name) if name == topic);
    let entries = &resources.iter().find(is_it)?.entries;
    entries.iter().find(|entry| entry.name == SETTING)?.value.as_deref()
}

fn judge(source: &SourcePlan, found: Option<&str>) -> Result<(), AppendTimeError> {
    match found {
        Some(NEEDED) => Ok(()),
        Some(found) => Err(AppendTimeError::DatedByProducers {
            name: source.name.clone(),
            topic: source.topic.clone(),
            found: found.to_owned(),
        }),
        None => Err(unknown(source, format!("the brokers do not name {SETTING}"))),
    }
}

fn unknown(source: &SourcePlan, why: String) -> AppendTimeError {
    AppendTimeError::Unknown { name: source.name.clone(), topic: source.topic.clone(), why }
}

#[cfg(test)]
mod tests {
    //! Only a topic that says so passes; each refusal says what to set.
    use featuregrid_protocol::definition;
    use featuregrid_protocol::ids::ControlIndex;
    use featuregrid_simulations::workload::w1::DEFINITIONS;

    use super::*;

    #[test]
    fn a_topic_must_date_its_records_itself() {
        let plan = definition::compile(DEFINITIONS, "w1", None, ControlIndex(0)).unwrap();
        let source = &plan.sources[0];
        assert_eq!(judge(source, Some("LogAppendTime")), Ok(()));
        let dated = judge(source, Some("CreateTime")).unwrap_err();
        assert!(matches!(dated, AppendTimeError::DatedByProducers { .. }));
        assert!(dated.to_string().contains("set message.timestamp.type=LogAppendTime on the topic"), "{dated}");
        assert!(matches!(judge(source, None), Err(AppendTimeError::Unknown { .. })));
    }
}
