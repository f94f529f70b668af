//! The operators and kinds of windows there are, and a definition of each pair. Knows no event.

use std::fmt::Write as _;

use featuregrid_protocol::plan::{Argument, Operator};
use featuregrid_simulations::workload::w1::DEFINITIONS;

/// A kind of window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// A feature's keys that ask for it.
    pub written: &'static str,
    /// Which events it holds at an instant `t`.
    pub holds: &'static str,
    /// Whether it has a length.
    pub has_length: bool,
}

/// What rows that lose their weight have in place of a window.
const DECAY: Kind = Kind {
    name: "half-life",
    written: "half_life: 1m",
    holds: "everything before `t`, by what is left of it: half after 1m, nothing after 48 times that",
    has_length: false,
};

/// What is told from few rows: what compares rows by another number is not.
const LAST: Kind = Kind {
    name: "last events",
    written: "window: last 10",
    holds: "of all events before `t` that the feature counts, the last 10; of those of the last 30d, with `last 10 within 30d`",
    has_length: false,
};

/// What is compared with a baseline is never this.
const EXACT: &str = "rolling, exact";

/// Every kind.
pub const KINDS: [Kind; 21] = [
    Kind {
        name: "rolling",
        written: "window: 5m",
        holds: "the last 5m, the far edge rounded down to the hop",
        has_length: true,
    },
    Kind {
        name: "rolling, without the current event",
        written: "window: 5m, exclude_current: true",
        holds: "the same at `t - 1us`: not the event that triggers a read one microsecond after it",
        has_length: true,
    },
    Kind {
        name: EXACT,
        written: "window: 5m, hop: exact",
        holds: "the last 5m to the microsecond, as long as at most 256 events lie within the hop about the far edge",
        has_length: true,
    },
    Kind {
        name: "rolling, further back",
        written: "window: 5m, offset: 10m",
        holds: "the 5m that ended 10m ago, both edges rounded down to the hop",
        has_length: true,
    },
    Kind { name: "tumbling", written: "window: tumbling 1m", holds: "since the last full minute", has_length: true },
    Kind {
        name: "tumbling, the last",
        written: "window: tumbling 1m last",
        holds: "the last full minute",
        has_length: true,
    },
    Kind {
        name: "hopping",
        written: "window: hopping 10m every 1m",
        holds: "the 10m that ended with the last full minute",
        has_length: true,
    },
    Kind {
        name: "series",
        written: "windows: [series 1m count 3]",
        holds: "the last three full minutes, a result each",
        has_length: true,
    },
    Kind {
        name: "calendar hour",
        written: "window: calendar hour Europe/Berlin",
        holds: "since the clocks there showed a full hour",
        has_length: false,
    },
    Kind {
        name: "calendar hour, the last",
        written: "window: calendar hour Europe/Berlin last",
        holds: "the last full hour there",
        has_length: false,
    },
    Kind {
        name: "calendar day",
        written: "window: calendar day Europe/Berlin",
        holds: "since midnight there",
        has_length: false,
    },
    Kind {
        name: "calendar day, the last",
        written: "window: calendar day Europe/Berlin last",
        holds: "the day before, of 23 to 25 hours",
        has_length: false,
    },
    Kind {
        name: "calendar week",
        written: "window: calendar week Europe/Berlin",
        holds: "since Monday there",
        has_length: false,
    },
    Kind {
        name: "calendar week, the last",
        written: "window: calendar week Europe/Berlin last",
        holds: "the week before, Monday to Sunday",
        has_length: false,
    },
    Kind {
        name: "calendar month",
        written: "window: calendar month Europe/Berlin",
        holds: "since the first there",
        has_length: false,
    },
    Kind {
        name: "calendar month, the last",
        written: "window: calendar month Europe/Berlin last",
        holds: "the month before",
        has_length: false,
    },
    Kind {
        name: "session",
        written: "window: session 1m within 10m",
        holds: "what came before `t` with no more than 1m between one event and the next, and the last at most 1m before `t`; of the last 10m",
        has_length: false,
    },
    Kind {
        name: "session, the last",
        written: "window: session 1m within 10m last",
        holds: "the last one that was over by then, more than 1m after its newest event",
        has_length: false,
    },
    Kind {
        name: "lifetime",
        written: "window: lifetime",
        holds: "everything before `t`; in a view with a `ttl`, the rolling window of that length",
        has_length: false,
    },
    LAST,
    DECAY,
];

/// Every operator over every kind of window that it can look at.
pub fn cells() -> impl Iterator<Item = (Operator, Kind)> {
    Operator::ALL.into_iter().flat_map(|operator| kinds(operator).map(move |kind| (operator, kind)))
}

/// The kinds of windows that an operator can look at.
fn kinds(operator: Operator) -> impl Iterator<Item = Kind> {
    let fits = move |kind: &Kind| {
        let has_baseline = operator.baseline().is_some();
        operator.is_decayed() == (*kind == DECAY)
            && (operator != Operator::Rate || kind.has_length)
            && !(has_baseline && kind.name == EXACT)
            && !(operator.is_ranked() && *kind == LAST)
    };
    KINDS.into_iter().filter(fits)
}

/// The features of an operator's view: one for each kind of window.
pub(super) fn features(operator: Operator) -> impl Iterator<Item = String> {
    kinds(operator).enumerate().map(move |(at, _)| format!("{}_{at}", operator.name()))
}

/// Views over W1's source, one an operator and of its name, with a feature for each kind of window: all of them over one
/// ladder, but what is exact, and no entity too large, however many operators there are.
pub(super) fn definitions() -> String {
    let source = DEFINITIONS.split_once("feature_views:").map_or(DEFINITIONS, |(source, _)| source);
    let mut text = format!("{source}feature_views:\n");
    // Writing to a string cannot fail.
    for operator in Operator::ALL {
        let name = operator.name();
        let _ = writeln!(text, "  {name}:\n    entity: user\n    source: transactions\n    features:");
        let argument = match operator.argument() {
            Argument::Rows => "true",
            Argument::Number => "amount",
            Argument::Truth => "amount > 20",
            Argument::Any => "lower(type)",
        };
        let beside = operator.beside("amount");
        for (feature, kind) in features(operator).zip(kinds(operator)) {
            let _ = writeln!(text, "      {feature}: {{ {name}: {argument}, {beside}{} }}", kind.written);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    //! Every pair is a definition that is accepted.
    use featuregrid_protocol::definition::compile;
    use featuregrid_protocol::ids::ControlIndex;

    use super::*;

    #[test]
    fn every_cell_compiles() {
        let plan = compile(&definitions(), "every", None, ControlIndex(0)).unwrap_or_else(|error| panic!("{error}"));
        for operator in Operator::ALL {
            let view = plan.views.iter().find(|view| view.name == operator.name()).unwrap();
            assert!(view.features.len() >= kinds(operator).count());
            assert!(view.features.iter().all(|feature| feature.operator == operator), "{operator:?}");
        }
    }
}
