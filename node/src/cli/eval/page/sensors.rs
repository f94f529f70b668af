//! What is asked of sensors, as stories: is this value usual, by what was usual before it? Knows no bug of others.

use super::conformance::tell;

/// The z-score of a value is taken against a baseline that it is no part of: before its event is there, or with
/// `exclude_current` at the instant that the event triggers. Once the value is part of the baseline, it is less unusual.
#[test]
fn a_value_is_compared_with_what_was_usual_before_it() {
    let text = "
        request amount: decimal(2)
        feature usual: { decayed_mean: amount, half_life: 1h }
        feature spread: { decayed_stddev: amount, half_life: 1h }
        derived z: (request.amount - usual) / spread
        feature newest: { last: amount, window: 1h }
        feature usual_before: { decayed_mean: amount, half_life: 1h, exclude_current: true }
        feature spread_before: { decayed_stddev: amount, half_life: 1h, exclude_current: true }
        derived z_of_newest: (newest - usual_before) / spread_before
        event 12:00 u1 amount=10
        read 12:30 u1 amount=30           -> usual 10.0, spread 0.0, z null NULL_VALUE
        event 13:00 u1 amount=20
        read 14:00 u1 amount=30           -> z 2.82842712474619
        event 14:00 u1 amount=30
        read 14:00 u1 amount=30           -> z 2.82842712474619
        read 14:00:00.000001 u1 amount=30 -> z 0.7844645405527363, z_of_newest 2.82842712474619
        read 20:00 u1 amount=30           -> z 0.7844645405527363";
    assert_eq!(tell(text), 5);
}
