//! What is asked of which definitions. Knows no client.

use std::fmt;

use featuregrid_simulations::random::Random;
use featuregrid_simulations::workload::w1::DEFINITIONS;

/// Users that events are of, and whom reads ask for, all alike.
pub(super) const USERS: u32 = 100_000;

/// A second view of thirty features over the events that are no purchases, and what the cases ask for.
const MORE: &str = "
  user_other:
    entity: user
    source: transactions
    where: type != \"purchase\"
    features:
      other_events: { count: true, windows: [5m, 1h, 24h] }
      other_sum: { sum: amount, windows: [5m, 1h, 24h] }
      other_mean: { mean: amount, windows: [5m, 1h, 24h] }
      other_min: { min: amount, windows: [5m, 1h, 24h] }
      other_max: { max: amount, windows: [5m, 1h, 24h] }
      large_events: { count: true, where: amount > 100, windows: [5m, 1h, 24h] }
      large_sum: { sum: amount, where: amount > 100, windows: [5m, 1h, 24h] }
      large_mean: { mean: amount, where: amount > 100, windows: [5m, 1h, 24h] }
      large_min: { min: amount, where: amount > 100, windows: [5m, 1h, 24h] }
      large_max: { max: amount, where: amount > 100, windows: [5m, 1h, 24h] }
feature_services:
  thirty: [user_spend]
  sixty: [user_spend, user_other]
  ten: [user_spend:events_5m, user_spend:events_1h, user_spend:events_24h, user_spend:amount_sum_1h,
    user_spend:amount_mean_24h, user_spend:spend_5m, user_spend:spend_1h, user_spend:spend_24h,
    user_spend:spend_min_24h, user_spend:spend_max_24h]
";

/// What the node serves.
#[must_use]
pub(super) fn definitions() -> String {
    format!("{}\n{}", DEFINITIONS.trim_end(), MORE.trim_start_matches('\n'))
}

/// So many entities by so many features, so often.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) entities: usize,
    pub(super) features: usize,
    /// The service that has so many.
    pub(super) service: &'static str,
    /// Requests due each second: far below what one core can answer, so that latency is not a queue's.
    pub(super) rate: f64,
}

pub(super) const CASES: [Case; 3] = [
    Case { entities: 1, features: 30, service: "thirty", rate: 1000.0 },
    Case { entities: 50, features: 60, service: "sixty", rate: 200.0 },
    Case { entities: 1000, features: 10, service: "ten", rate: 100.0 },
];

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.entities, self.features)
    }
}

/// Users for one request, each equally likely.
pub(super) fn users(random: &mut Random, count: usize) -> Vec<String> {
    (0..count).map(|_| format!("u{}", random.below(u64::from(USERS)) + 1)).collect()
}

#[cfg(test)]
mod tests {
    //! The cases ask for what they say.
    use featuregrid_protocol::definition::compile;
    use featuregrid_protocol::ids::ControlIndex;

    use super::*;

    #[test]
    fn the_services_have_as_many_features_as_the_cases_say() {
        let plan = compile(&definitions(), "bench", None, ControlIndex(0)).unwrap();
        for case in CASES {
            assert_eq!(plan.service(case.service).unwrap().results.len(), case.features, "{case}");
        }
    }
}
