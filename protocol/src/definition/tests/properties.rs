//! For any definitions and any change of them.

use proptest::prelude::*;

use super::*;
use crate::plan::{Feature, LadderPlan, Level, Shift, Window};
use crate::time::{Span, Timestamp};

const HOPS: [&str; 8] = ["1s", "5s", "15s", "1m", "30m", "6h", "exact", "exact"];
const WINDOWS: [&str; 24] = [
    "10s",
    "30s",
    "1m",
    "5m",
    "20m",
    "1h",
    "24h",
    "7d",
    "lifetime",
    "tumbling 1m",
    "tumbling 1d",
    "tumbling 5m last",
    "hopping 1h every 5m",
    "series 6h count 5",
    "series 1d count 3",
    "calendar day America/New_York",
    "calendar week last",
    "calendar month",
    "calendar hour Asia/Kolkata last",
    "session 30m within 1d",
    "session 45s within 20m last",
    "session 2m within 96m",
    "last 3",
    "last 7 within 20m",
];
/// What all of them together keep fits an entity, whatever their windows.
const OPERATORS: [&str; 15] = [
    "count: true",
    "sum: amount",
    "mean: count",
    "min: free",
    "max: amount",
    "variance: amount",
    "first: ok",
    "last_n: user_id == \"u\", n: 7",
    "distinct_count: lower(user_id)",
    "any: ok",
    "last: amount",
    "stddev_sample: count",
    "time_since_last: true",
    "time_since_first: true",
    "inter_arrival_mean: true",
];
const SHIFTS: [&str; 3] = ["exclude_current: true, ", "offset: 7m, ", "offset: 1d, "];
const FILTERS: [&str; 4] = ["", "where: kind == \"x\", ", "where: amount > 1 && ok, ", "where: free < 2, "];

const BASELINES: [&str; 7] = ["20m", "24h", "7d", "lifetime", "last 5", "decay 1h", "session 30m within 1d"];

/// Lines of features that are always accepted.
fn feature() -> impl Strategy<Value = String> {
    let anomaly = (0..WINDOWS.len(), 0..BASELINES.len()).prop_map(|(window, baseline)| {
        let (window, baseline) = (WINDOWS[window], BASELINES[baseline]);
        format!("{{ anomaly_count: amount, sigmas: 3, baseline: {baseline}, window: {window} }}")
    });
    let half_lives = prop_oneof![Just("1m"), Just("30m"), Just("1d")];
    let decayed = (half_lives, 0..FILTERS.len());
    let decayed = decayed.prop_map(|(half_life, filter)| {
        format!("{{ decayed_mean: amount, {}half_life: {half_life} }}", FILTERS[filter])
    });
    prop_oneof![6 => windowed(), 1 => anomaly, 1 => decayed]
}

/// An explicit hop only where the window is longer.
fn windowed() -> impl Strategy<Value = String> {
    let hop = proptest::option::weighted(0.3, 0..HOPS.len());
    let shift = (0..SHIFTS.len(), any::<bool>());
    (0..WINDOWS.len(), hop, 0..OPERATORS.len(), 0..FILTERS.len(), shift).prop_map(
        |(window, hop, operator, filter, (shift, is_shifted))| {
            let window = WINDOWS[window];
            let hop = hop.map(|hop| HOPS[hop]).filter(|hop| match Span::parse(window) {
                // Rows of a few hundred tiles fit, whatever else there is.
                Ok(span) if *hop == "exact" => span >= Span::seconds(1200),
                Ok(span) => Span::parse(hop).is_ok_and(|hop| hop <= span && span.0 / hop.0 < 3000),
                Err(_) => false,
            });
            let is_exact = hop == Some("exact");
            let hop = hop.map_or(String::new(), |hop| format!("hop: {hop}, "));
            // Offsets only where the tiles of all of them together are few enough.
            let is_coarse = hop.is_empty() && Span::parse(window).is_ok_and(|span| span >= Span::seconds(3600));
            let is_coarse = is_coarse || window.starts_with("series");
            let is_coarse = is_coarse && !is_exact;
            let shift = if is_shifted && (is_coarse || shift == 0) { SHIFTS[shift] } else { "" };
            format!("{{ {}, {}{hop}{shift}window: {window} }}", OPERATORS[operator], FILTERS[filter])
        },
    )
}

fn features() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(feature(), 1..8)
}

fn text(features: &[String]) -> String {
    let lines: Vec<String> = features.iter().enumerate().map(|(at, feature)| format!("f{at}: {feature}")).collect();
    with_features(&lines.join("\n"))
}

/// What a feature's values depend on: its ladder's levels and beginning, its column's meaning and beginning.
fn state(plan: &Plan, feature: &Feature) -> impl PartialEq + std::fmt::Debug + use<> {
    let view = &plan.views[0];
    let ladder = &view.ladders[feature.ladder];
    let column = ladder.columns[feature.column];
    let rows = ladder.columns[0].since;
    (
        (ladder.levels.clone(), ladder.lifetime, ladder.exact),
        rows,
        view.measures[column.measure].clone(),
        column.since,
        feature.window,
        feature.shift,
    )
}

/// What every plan holds.
fn check(plan: &Plan) {
    let view = &plan.views[0];
    assert!(!view.ladders.is_empty());
    for ladder in &view.ladders {
        assert_eq!(limits::INSTANT_STEP.0 % ladder.levels[0].hop.0, 0);
        for pair in ladder.levels.windows(2) {
            assert!(pair[0].hop < pair[1].hop && pair[1].hop.0 % pair[0].hop.0 == 0 && pair[0].span <= pair[1].span);
        }
        assert_eq!(ladder.columns[0].measure, 0);
        let order = |column: &crate::plan::Column| (column.measure, column.keeps.decay(), column.since);
        assert!(ladder.columns.windows(2).all(|pair| order(&pair[0]) < order(&pair[1])));
        assert!(ladder.tiles_max(plan.sources[0].slack).sum::<i64>() <= limits::TILES_MAX as i64);
    }
    assert!(plan.largest_entity(view).bytes() <= limits::ENTITY_BYTES_MAX);
    for feature in &view.features {
        let ladder = &view.ladders[feature.ladder];
        assert!(!(ladder.exact && ladder.lifetime));
        let items = view.measures[ladder.columns[feature.column].measure].items();
        assert!(ladder.columns[feature.column].keeps.has(feature.operator.keeps_over(items, feature.window)));
        for window in [feature.window].into_iter().chain(feature.operator.baseline().map(|baseline| baseline.window)) {
            assert!(ladder.answers(window, feature.shift), "{feature:?}");
            assert!(ladder.columns[0].keeps.has(window.keeps_of_rows()), "{feature:?}");
            check_tail(ladder, window, feature.shift, plan.sources[0].slack);
        }
    }
}

/// At any answerable instant, no tile that a window needs has left every level that is fine enough.
fn check_tail(ladder: &LadderPlan, window: Window, shift: Shift, slack: Span) {
    let Some(Level { span, hop }) = window.tail() else { return };
    let reach = shift.reach(span);
    let level = ladder.levels.iter().find(|level| level.answers(reach, hop)).unwrap();
    for t_max in [0, 1, 4_999_999, 59_999_999, 123_456_789, 86_399_999_999, 1_234_567_890_123].map(Timestamp) {
        let oldest = (t_max - slack).floor(limits::INSTANT_STEP);
        for t in [oldest, oldest + Span(1), t_max, t_max + Span(1)] {
            let tail = (t - reach).floor(hop);
            assert!(tail >= level.boundary(t_max, slack), "{window:?} at {t} of {t_max}");
        }
    }
}

proptest! {
    #[test]
    fn the_same_text_plans_the_same(first in features(), second in features()) {
        let plan_0 = plan(&text(&first));
        check(&plan_0);
        let plan_1 = after(&text(&first), &plan_0, 1);
        prop_assert_eq!(&plan_1, &Plan { index: ControlIndex(1), ..plan_0.clone() });
        let plan_2 = after(&text(&second), &plan_1, 2);
        check(&plan_2);
        let plan_3 = after(&text(&second), &plan_2, 3);
        prop_assert_eq!(plan_3, Plan { index: ControlIndex(3), ..plan_2 });
    }

    #[test]
    fn adding_features_changes_no_other(first in features(), then in features(), more in features()) {
        let mut plan = after(&text(&then), &plan(&text(&first)), 1);
        let mut all = then;
        for (step, feature) in more.into_iter().enumerate().take(4) {
            all.push(feature);
            let next = after(&text(&all), &plan, step as u64 + 2);
            check(&next);
            for (before, now) in plan.views[0].features.iter().zip(&next.views[0].features) {
                prop_assert_eq!(state(&plan, before), state(&next, now));
            }
            plan = next;
        }
    }

    #[test]
    fn hostile_text_is_a_mistake_and_never_a_panic(mut text in ".{0,200}|([a-z{}:,\\[\\]&*!|>\"' \n-]{0,300})", at in 0usize..600, cut in 0usize..40) {
        let outcome = compile(&text, "d.yaml", None, ControlIndex(0)).map_err(|mistakes| mistakes.to_string());
        prop_assert!(outcome.is_err());
        // The demo with a piece replaced.
        let (at, cut) = (at.min(FRAUD.len() - cut), cut);
        text.insert_str(0, &FRAUD[..at]);
        text.push_str(&FRAUD[at + cut..]);
        if let Err(mistakes) = compile(&text, "d.yaml", None, ControlIndex(0)) {
            prop_assert!(!mistakes.list.is_empty() && !mistakes.to_string().is_empty());
        }
    }
}
