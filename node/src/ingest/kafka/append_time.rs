//! Whether topics whose sources judge lateness by append time have one. Knows no record, and nothing of other settings.
//!
//! Where producers date the records, a producer whose clock is behind or ahead would decide what is late.

use featuregrid_protocol::plan::{LatenessClock, Plan, SourcePlan};
use thiserror::Error;

use super::described::{Described, TIMESTAMP_TYPE};

const NEEDED: &str = "LogAppendTime";

/// Why a source cannot judge lateness by append time. Nothing was started.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AppendTimeError {
    /// Its topic's records are dated by their producers.
    #[error(
        "source `{name}` has `lateness_clock: append_time`, but records of its topic `{topic}` are dated by their producers \
         ({TIMESTAMP_TYPE}={found}); set {TIMESTAMP_TYPE}={NEEDED} on the topic, or remove `lateness_clock`"
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
        "source `{name}` has `lateness_clock: append_time`, and whether its topic `{topic}` has {TIMESTAMP_TYPE}={NEEDED} cannot be \
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

/// Looks at the topics of sources whose lateness is by append time; `described` is in the order of the plan's sources.
pub(super) fn check_append_time(plan: &Plan, described: &[Described]) -> Result<(), AppendTimeError> {
    let mut sources = plan.sources.iter().zip(described);
    sources.try_for_each(|(source, described)| match source.lateness_clock {
        LatenessClock::AppendTime => judge(source, described),
        LatenessClock::EventTime => Ok(()),
    })
}

fn judge(source: &SourcePlan, described: &Described) -> Result<(), AppendTimeError> {
    let settings = described.as_ref().map_err(|why| unknown(source, why.clone()))?;
    match settings.get(TIMESTAMP_TYPE).map(String::as_str) {
        Some(NEEDED) => Ok(()),
        Some(found) => Err(AppendTimeError::DatedByProducers {
            name: source.name.clone(),
            topic: source.topic.clone(),
            found: found.to_owned(),
        }),
        None => Err(unknown(source, format!("the brokers do not name {TIMESTAMP_TYPE}"))),
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

    use super::super::described::Settings;
    use super::*;

    #[test]
    fn a_topic_must_date_its_records_itself() {
        let plan = definition::compile(DEFINITIONS, "w1", None, ControlIndex(0)).unwrap();
        let source = &plan.sources[0];
        let dated = |by: &str| Ok([(TIMESTAMP_TYPE.to_owned(), by.to_owned())].into());
        assert_eq!(judge(source, &dated("LogAppendTime")), Ok(()));
        let by_producers = judge(source, &dated("CreateTime")).unwrap_err();
        assert!(matches!(by_producers, AppendTimeError::DatedByProducers { .. }));
        let advice = "set message.timestamp.type=LogAppendTime on the topic";
        assert!(by_producers.to_string().contains(advice), "{by_producers}");
        for silent in [Ok(Settings::default()), Err("no right to".to_owned())] {
            assert!(matches!(judge(source, &silent), Err(AppendTimeError::Unknown { .. })));
        }
    }

    #[test]
    fn a_topic_that_needs_none_may_keep_silent() {
        let mut plan = definition::compile(DEFINITIONS, "w1", None, ControlIndex(0)).unwrap();
        let silent = [Err("no right to".to_owned())];
        assert_eq!(check_append_time(&plan, &silent), Ok(()));
        plan.sources[0].lateness_clock = LatenessClock::AppendTime;
        assert!(check_append_time(&plan, &silent).is_err());
    }
}
