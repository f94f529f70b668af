//! What a topic's own settings mean for the time contract and for rebuilding state: said once, at the start. Knows no
//! record and refuses nothing.

use std::collections::BTreeMap;

use featuregrid_protocol::plan::{Plan, SourcePlan};
use featuregrid_protocol::time::Span;

use super::described::{Described, Settings, TIMESTAMP_TYPE};

/// Warns of the settings that endanger what is promised; `described` is in the order of the plan's sources.
pub(super) fn warn_of_settings(plan: &Plan, described: &[Described]) {
    let mut silent: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (source, described) in plan.sources.iter().zip(described) {
        let topic = source.topic.as_str();
        match described {
            Ok(settings) => {
                for (setting, advice) in advice(source, longest_window(plan, source), settings) {
                    tracing::warn!(topic, setting, source = source.name, "{advice}");
                }
            }
            Err(why) => silent.entry(why).or_default().push(topic),
        }
    }
    for (error, topics) in silent {
        let topics = topics.join(", ");
        tracing::warn!(error, topics, "the settings of topics could not be looked at; may this user describe them?");
    }
}

/// The longest window over a source, lifetime aside.
fn longest_window(plan: &Plan, source: &SourcePlan) -> Span {
    let views = plan.views.iter().filter(|view| plan.source_of(view).name == source.name);
    let levels = views.flat_map(|view| &view.ladders).filter_map(|ladder| ladder.longest());
    // A tumbling window under way reaches back by its hop alone.
    levels.map(|level| level.span.max(level.hop)).max().unwrap_or(Span(0))
}

/// What is to be said of one topic: the setting, and why it matters.
fn advice(source: &SourcePlan, longest: Span, settings: &Settings) -> Vec<(&'static str, String)> {
    let millis = |name: &str| settings.get(name).and_then(|value| value.parse::<i64>().ok());
    let mut all = Vec::new();
    let bound = millis("message.timestamp.after.max.ms").or_else(|| millis("message.timestamp.difference.max.ms"));
    let by_producers = settings.get(TIMESTAMP_TYPE).is_none_or(|kind| kind == "CreateTime");
    if by_producers && bound.is_none_or(|bound| bound == i64::MAX) {
        let advice = format!(
            "producers date their records (CreateTime) and the topic does not bound how far ahead: one with a wrong clock \
             passes max_skew ({}), moves the source's time, and makes honest records late; set \
             message.timestamp.after.max.ms to at most max_skew, or {TIMESTAMP_TYPE}=LogAppendTime",
            source.max_skew
        );
        all.push(("message.timestamp.after.max.ms", advice));
    }
    let policy = settings.get("cleanup.policy").map_or("delete", String::as_str);
    let retention = millis("retention.ms").filter(|kept| *kept >= 0);
    if let Some(kept) = retention.filter(|kept| policy.contains("delete") && Span(kept.saturating_mul(1000)) < longest)
    {
        let advice = format!(
            "records are kept for {}, less than the longest window ({longest}): a node that starts cannot rebuild it, and \
             halts rather than serve less; raise retention.ms",
            Span(kept.saturating_mul(1000))
        );
        all.push(("retention.ms", advice));
    }
    if policy.contains("compact") {
        let advice =
            "the topic is compacted: records of one key replace each other, so a node that starts later sees fewer \
                      events than one that was there; set cleanup.policy=delete"
                .to_owned();
        all.push(("cleanup.policy", advice));
    }
    all
}

#[cfg(test)]
mod tests {
    //! A bounded topic is fine; each danger is named with its setting.
    use featuregrid_protocol::definition;
    use featuregrid_protocol::ids::ControlIndex;
    use featuregrid_simulations::workload::w1::DEFINITIONS;

    use super::*;

    fn settings_named(said: &[(&str, &str)]) -> Vec<&'static str> {
        let plan = definition::compile(DEFINITIONS, "w1", None, ControlIndex(0)).unwrap();
        let source = &plan.sources[0];
        assert_eq!(longest_window(&plan, source), Span::seconds(86_400));
        let settings = said.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        advice(source, longest_window(&plan, source), &settings).into_iter().map(|(setting, _)| setting).collect()
    }

    #[test]
    fn a_bounded_topic_that_keeps_its_records_is_fine() {
        let bounded = [("message.timestamp.type", "CreateTime"), ("message.timestamp.after.max.ms", "300000")];
        let week = [("retention.ms", "604800000"), ("cleanup.policy", "delete")];
        assert!(settings_named(&[bounded, week].concat()).is_empty());
        assert!(settings_named(&[("message.timestamp.type", "LogAppendTime"), ("retention.ms", "-1")]).is_empty());
    }

    #[test]
    fn each_danger_is_named() {
        let open = ("message.timestamp.after.max.ms", "9223372036854775807");
        assert_eq!(settings_named(&[open]), ["message.timestamp.after.max.ms"]);
        let old = ("message.timestamp.difference.max.ms", "60000");
        assert_eq!(settings_named(&[old, ("retention.ms", "3600000")]), ["retention.ms"]);
        assert_eq!(settings_named(&[old, ("cleanup.policy", "compact")]), ["cleanup.policy"]);
    }
}
