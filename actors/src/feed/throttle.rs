//! Remembers when a question was asked, so that it is not asked at every frame. Knows not what it is about.

use featuregrid_protocol::time::{Span, Timestamp};

/// One question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Throttle {
    asked: Option<Timestamp>,
}

impl Throttle {
    /// Whether to ask now; the answer `true` counts as having asked.
    pub(super) fn due(&mut self, now: Timestamp, every: Span) -> bool {
        let due = self.asked.is_none_or(|asked| now - asked >= every);
        if due {
            self.asked = Some(now);
        }
        due
    }

    /// It was answered: the next question may be asked at once.
    pub(super) fn answered(&mut self) {
        self.asked = None;
    }
}
