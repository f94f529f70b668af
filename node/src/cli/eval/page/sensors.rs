//! What is asked of sensors, as stories: is this value usual, by what was usual before it? Knows no bug of others.

use super::conformance::{NOON, SECOND, at, tell};

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
    // What a read sends is nothing that a training set of these events alone could reproduce.
    assert_eq!(tell(text), 0);
}

/// A sensor's complete minutes, and which of its last ten seconds lie more than 2.5 standard deviations from a mean that
/// forgets half in ten minutes: five wrong readings are anomalies; a new level is one at first, and then what is usual.
#[test]
fn anomalies_are_told_from_a_baseline_that_follows_the_sensor() {
    let reading = |second: i64| match second {
        600..605 => 60,
        720.. => 40 + second * 7 % 5,
        _ => 20 + second * 7 % 5,
    };
    let mut text = String::from(
        "feature average: { mean: amount, window: tumbling 1m last }
         feature lowest: { min: amount, window: tumbling 1m last }
         feature highest: { max: amount, window: tumbling 1m last }
         feature spread: { stddev: amount, window: tumbling 1m last }
         feature spikes: { anomaly_count: amount, windows: [10s, 5m], sigmas: 2.5, baseline: decay 10m }
         feature part: { anomaly_rate: amount, window: 10s, sigmas: 2.5, baseline: decay 10m }\n",
    );
    let mut found = Vec::new();
    for second in 0..1200 {
        text += &format!("event {} u1 amount={}\n", at(NOON + second * SECOND), reading(second));
        let now = second + 1;
        if now % 60 > 0 && ![606, 730].contains(&now) {
            continue;
        }
        let minute: Vec<i64> = (now / 60 * 60 - 60..now / 60 * 60).map(reading).collect();
        let (n, sum) = (minute.len() as i64, minute.iter().sum::<i64>());
        let squares: i64 = minute.iter().map(|reading| reading * reading).sum();
        let spread = ((n * squares - sum * sum) as f64 / (n * n) as f64).sqrt();
        let left = |second: i64| ((second - now) as f64 / 600.0).exp2();
        let weights: f64 = (0..now).map(left).sum();
        let usual = (0..now).map(|second| left(second) * reading(second) as f64).sum::<f64>() / weights;
        let square = |second: i64| left(second) * (reading(second) as f64 - usual).powi(2);
        let far = 2.5 * ((0..now).map(square).sum::<f64>() / weights).sqrt();
        let spikes = |seconds: i64| {
            let distances = ((now - seconds).max(0)..now).map(|second| (reading(second) as f64 - usual).abs());
            assert!(distances.clone().all(|distance| (distance - far).abs() > 1e-4), "{now} tells nothing");
            distances.filter(|distance| *distance > far).count()
        };
        let (seconds, minutes) = (spikes(10), spikes(300));
        found.push(seconds);
        text += &format!(
            "read {} u1 -> average {:?}, lowest {}, highest {}, spread {spread:?}, spikes_10s {seconds}, spikes_5m {minutes}, part {:?}\n",
            at(NOON + now * SECOND),
            sum as f64 / n as f64,
            minute.iter().min().unwrap_or(&0),
            minute.iter().max().unwrap_or(&0),
            seconds as f64 / 10.0,
        );
    }
    assert_eq!(found, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 10, 4, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(tell(&text), found.len());
}
