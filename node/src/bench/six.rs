//! A view of one user with six windows from a minute to thirty days: what reads and bytes of a long ladder are measured on.
//! Knows no figure.

use featuregrid_protocol::definition::{self, Mistakes};
use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::plan::Plan;

/// The windows, each with its default hop.
pub const WINDOWS: &str = "1m, 5m, 1h, 24h, 7d, 30d";
/// Two statistics.
pub const COUNT_AND_SUM: &[&str] = &["count: true", "sum: amount"];
/// Five, for which a column keeps all of its moments.
pub const FULL: &[&str] = &["count: true", "sum: amount", "stddev: amount", "min: amount", "max: amount"];

/// A view of these features (`sum: amount`), each over all six windows.
///
/// # Errors
/// Where a feature is none.
pub fn plan(features: &[&str]) -> Result<Plan, Mistakes> {
    over(WINDOWS, features)
}

/// The same over other windows.
pub(super) fn over(windows: &str, features: &[impl AsRef<str>]) -> Result<Plan, Mistakes> {
    let mut text = String::from(
        "project: bench\nentities:\n  user: { join_keys: [user_id] }\nsources:\n  events:\n    kafka: { topic: events }\n    \
         format: json\n    fields: { user_id: user_id, amount: { path: amount, type: decimal(2) } }\n    \
         event_timestamp: ts\nfeature_views:\n  view:\n    entity: user\n    source: events\n    features:\n",
    );
    for (at, feature) in features.iter().enumerate() {
        text += &format!("      f{at}: {{ {}, windows: [{windows}] }}\n", feature.as_ref());
    }
    definition::compile(&text, "bench", None, ControlIndex(0))
}

#[cfg(test)]
mod tests {
    //! The view is one ladder, whatever is asked of it.
    use super::*;

    #[test]
    fn every_window_stands_in_one_ladder() {
        for features in [COUNT_AND_SUM, FULL] {
            let plan = plan(features).unwrap();
            assert_eq!(plan.views[0].features.len(), 6 * features.len());
            assert_eq!((plan.views[0].ladders.len(), plan.views[0].measures.len()), (1, 2));
        }
    }
}
