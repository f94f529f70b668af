//! What a running grid may not change: which records are late, what instant they have, where they come from. Knows no view.
//!
//! State holds what these rules accepted; another rule would make it another state than the log's.

use std::fmt::Display;

use crate::definition::draft::SourceDraft;
use crate::definition::mistake::{Notes, quoted};
use crate::definition::place::{Mark, Word};
use crate::plan::{Plan, SourcePlan};

/// Notes what differs from `previous`.
pub(super) fn check(project: &Word, draft: &SourceDraft, source: &SourcePlan, previous: &Plan, notes: &mut Notes) {
    let before = &previous.source;
    let mut same = |at: Mark, key: &str, was: &dyn Display, is_same: bool| {
        if !is_same {
            let message =
                format!("`{key}` was {was}, and state was built on that; keep it, or start a new grid for the change");
            notes.add(at, message);
        }
    };
    same(project.at, "project", &quoted(&previous.project), project.value == previous.project);
    let topic = draft.topic.as_ref().map_or(draft.name.at, |word| word.at);
    same(topic, "topic", &quoted(&before.topic), source.topic == before.topic);
    let timestamp = draft.event_timestamp.as_ref().map_or(draft.name.at, |path| path.at);
    let path = quoted(&before.event_timestamp.join("."));
    same(timestamp, "event_timestamp", &path, source.event_timestamp == before.event_timestamp);
    let late = source.allowed_lateness == before.allowed_lateness;
    same(draft.allowed_lateness.at, "allowed_lateness", &before.allowed_lateness, late);
    same(draft.max_skew.at, "max_skew", &before.max_skew, source.max_skew == before.max_skew);
    same(draft.slack.at, "slack", &before.slack, source.slack == before.slack);
}
