//! What a running grid may not change: which records are late, what instant they have, where they come from. Knows no view.
//!
//! State holds what these rules accepted; another rule would make it another state than the log's.

use std::fmt::Display;

use crate::definition::draft::SourceDraft;
use crate::definition::mistake::{Notes, quoted};
use crate::definition::place::{Mark, Word};
use crate::plan::{Plan, SourcePlan};

/// Notes what differs from `previous`; `sources` stand where the plan before has them.
pub(super) fn check(project: &Word, sources: &[Option<&SourceDraft>], previous: &Plan, notes: &mut Notes) {
    same(project.at, "project", &quoted(&previous.project), project.value == previous.project, notes);
    for (draft, before) in sources.iter().zip(&previous.sources) {
        if let Some(draft) = draft {
            check_source(draft, before, notes);
        }
    }
}

/// What could not be read is noted elsewhere and differs from nothing.
fn check_source(draft: &SourceDraft, before: &SourcePlan, notes: &mut Notes) {
    if let Some(topic) = &draft.topic {
        same(topic.at, "topic", &quoted(&before.topic), topic.value == before.topic, notes);
    }
    if let Some(path) = &draft.event_timestamp {
        let was = quoted(&before.event_timestamp.join("."));
        same(path.at, "event_timestamp", &was, path.value == before.event_timestamp, notes);
    }
    let spans = [
        ("allowed_lateness", &draft.allowed_lateness, before.allowed_lateness),
        ("max_skew", &draft.max_skew, before.max_skew),
        ("slack", &draft.slack, before.slack),
    ];
    for (key, now, was) in spans {
        same(now.at, key, &was, now.value == was, notes);
    }
    let (clock, was) = (&draft.lateness_clock, before.lateness_clock);
    same(clock.at, "lateness_clock", &was.name(), clock.value == was, notes);
}

fn same(at: Mark, key: &str, was: &dyn Display, is_same: bool, notes: &mut Notes) {
    if !is_same {
        let message =
            format!("`{key}` was {was}, and state was built on that; keep it, or start a new grid for the change");
        notes.add(at, message);
    }
}
