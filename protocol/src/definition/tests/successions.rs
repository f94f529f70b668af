//! One plan after another.

use super::*;
use crate::plan::{Column, Keeps, LadderPlan, ViewPlan};

fn columns(ladder: &LadderPlan) -> Vec<(usize, u64)> {
    ladder.columns.iter().map(|column: &Column| (column.measure, column.since.0)).collect()
}

fn next(text: &str, previous: &Plan, index: u64) -> ViewPlan {
    after(&with_features(text), previous, index).views.remove(0)
}

const BASE: &str = "n: { count: true, windows: [5m, 1h] }\ns: { sum: amount, windows: [1h] }";

#[test]
fn a_feature_over_kept_columns_has_its_history_at_once() {
    let first = plan(&with_features(BASE));
    let view = next(&format!("{BASE}\nm: {{ mean: amount, windows: [5m, 30m] }}"), &first, 3);
    assert_eq!(view.ladders, first.views[0].ladders);
    assert_eq!(view.features[3].name, "m_5m");
    assert_eq!((view.features[3].ladder, view.features[3].column), (0, 1));
}

#[test]
fn a_new_measure_begins_now_in_the_ladder_that_answers_it() {
    let first = plan(&with_features(BASE));
    let view = next(&format!("m: {{ max: count, windows: [1h] }}\n{BASE}"), &first, 3);
    assert_eq!(view.ladders.len(), 1);
    assert_eq!(view.ladders[0].levels, first.views[0].ladders[0].levels);
    assert_eq!(columns(&view.ladders[0]), [(0, 0), (1, 3), (2, 0)]);
}

#[test]
fn what_was_not_kept_begins_now_beside_what_was() {
    let first = plan(&with_features(BASE));
    let more = format!("{BASE}\nv: {{ variance: amount, windows: [1h] }}\nx: {{ max: amount, windows: [1h] }}");
    let second = after(&with_features(&more), &first, 3);
    let view = &second.views[0];
    assert_eq!(columns(&view.ladders[0]), [(0, 0), (1, 0), (1, 3)]);
    let keeps: Vec<Keeps> = view.ladders[0].columns.iter().map(|column| column.keeps).collect();
    assert_eq!(keeps[1..], [Keeps::SUM, Keeps::SUM.and(Keeps::SQUARES).and(Keeps::MAX)]);
    let column = |name: &str| view.features[view.result_index(name).unwrap()].column;
    assert_eq!([column("s_1h"), column("v_1h"), column("x_1h")], [1, 2, 2]);
    // Without the sum, the column that began with it goes; what is left of the other keeps its beginning.
    let third = next("n: { count: true, windows: [5m, 1h] }\nv: { max: amount, windows: [1h] }", &second, 4);
    assert_eq!(columns(&third.ladders[0]), [(0, 0), (1, 3)]);
    assert_eq!(third.ladders[0].columns[1].keeps, Keeps::MAX);
}

#[test]
fn windows_no_ladder_answers_get_one_of_their_own() {
    let first = plan(&with_features(BASE));
    let more = format!("{BASE}\nd: {{ count: true, windows: [24h] }}\nl: {{ sum: amount, windows: [lifetime, 2m] }}");
    let second = after(&with_features(&more), &first, 3);
    let view = &second.views[0];
    assert_eq!(view.ladders[0], first.views[0].ladders[0], "existing ladders never change");
    assert_eq!(view.ladders.len(), 2);
    assert!(view.ladders[1].lifetime);
    assert_eq!(columns(&view.ladders[1]), [(0, 3), (1, 3)]);
    let home = |name: &str| view.features[view.result_index(name).unwrap()].ladder;
    assert_eq!((home("d_24h"), home("l_lifetime"), home("l_2m"), home("s_1h")), (1, 1, 0, 0));

    // The first ladder's features go: so does the ladder, and nothing else.
    let third = next("d: { count: true, windows: [24h] }", &second, 4);
    assert_eq!(third.ladders.len(), 1);
    assert_eq!(columns(&third.ladders[0]), [(0, 3)]);
    assert_eq!(third.ladders[0].levels, view.ladders[1].levels);
}

#[test]
fn an_exact_window_begins_a_ladder_and_changes_no_other() {
    let first = plan(&with_features(BASE));
    let more = format!("{BASE}\ne: {{ count: true, windows: [1h], hop: exact }}");
    let second = after(&with_features(&more), &first, 3);
    let view = &second.views[0];
    assert_eq!(view.ladders[0], first.views[0].ladders[0], "existing ladders never change");
    assert_eq!((view.features[3].ladder, columns(&view.ladders[1])), (1, vec![(0, 3)]));
    // One that its tiles can tell is answered at once; an ordinary one never needs the rows.
    let third = next(
        &format!("{more}\nf: {{ count: true, windows: [30m, 1m], hop: exact }}\ng: {{ count: true, windows: [24h] }}"),
        &second,
        4,
    );
    assert_eq!(third.ladders[..2], view.ladders);
    let homes: Vec<usize> = third.features.iter().map(|feature| feature.ladder).collect();
    assert_eq!(
        (homes, third.ladders.len()),
        (vec![0, 0, 0, 1, 1, 3, 2], 4),
        "a minute's hop is finer than what is kept"
    );
    // Without it its ladder goes.
    assert_eq!(next(BASE, &second, 4).ladders, first.views[0].ladders);
}

#[test]
fn a_baseline_that_no_ladder_answers_gets_one_too() {
    let base = "n: { count: true, windows: [5m, 1h] }\nv: { variance: amount, windows: [1h] }";
    let first = plan(&with_features(base));
    let home = |baseline: &str| {
        let anomaly = format!("{base}\na: {{ anomaly_count: amount, windows: [5m], sigmas: 3, baseline: {baseline} }}");
        let view = next(&anomaly, &first, 3);
        assert_eq!(view.ladders[0].levels, first.views[0].ladders[0].levels, "existing levels never change");
        (view.features[3].ladder, view.ladders.len())
    };
    assert_eq!(home("30m"), (0, 1), "the ladder reaches so far");
    for longer in ["24h", "lifetime", "decay 1h", "session 30s"] {
        assert_eq!(home(longer), (1, 2), "{longer}");
    }
}

#[test]
fn a_window_goes_where_its_measure_is_kept_longest() {
    let first = plan(&with_features("n: { count: true, windows: [24h] }"));
    let second =
        after(&with_features("n: { count: true, windows: [24h] }\ns: { sum: amount, windows: [7d] }"), &first, 1);
    let view = next(
        "n: { count: true, windows: [24h] }\ns: { sum: amount, windows: [7d] }\nt: { max: amount, windows: [48h], hop: 6h }",
        &second,
        2,
    );
    assert_eq!(view.features[2].ladder, 1, "the second ladder has kept the amount since 1");
    assert_eq!(columns(&view.ladders[0]), [(0, 0)]);
}

#[test]
fn what_was_removed_and_comes_back_begins_anew() {
    let first = plan(&with_features(BASE));
    let second = after(&with_features("n: { count: true, windows: [5m, 1h] }"), &first, 1);
    assert_eq!(columns(&second.views[0].ladders[0]), [(0, 0)]);
    let third = next(BASE, &second, 2);
    assert_eq!(columns(&third.ladders[0]), [(0, 0), (1, 2)]);
}

#[test]
fn levels_stay_when_their_longest_window_goes() {
    let first = plan(&with_features(BASE));
    let second = next("n: { count: true, windows: [5m] }", &first, 1);
    assert_eq!(second.ladders[0].levels, first.views[0].ladders[0].levels);
}

#[test]
fn another_filter_or_entity_is_another_state() {
    let first = plan(&with_features(BASE));
    let filtered = with_features(BASE).replace("    source: s\n", "    source: s\n    where: ok == true\n");
    let second = after(&filtered, &first, 2);
    assert_eq!(second.views[0].id, first.views[0].id);
    assert_eq!(columns(&second.views[0].ladders[0]), [(0, 2), (1, 2)]);
    let keyed = with_features(BASE).replace("[user_id]", "[kind]");
    assert_eq!(columns(&after(&keyed, &first, 2).views[0].ladders[0]), [(0, 2), (1, 2)]);
    let renamed = with_features(BASE).replace("  user:", "  card:").replace("entity: user", "entity: card");
    assert_ne!(after(&renamed, &first, 2).views[0].id, first.views[0].id);
}

#[test]
fn the_type_of_a_field_is_part_of_its_column() {
    let first = plan(&with_features(BASE));
    let typed = with_features(BASE).replace("decimal(2)", "decimal(4)");
    assert_eq!(columns(&after(&typed, &first, 2).views[0].ladders[0]), [(0, 0), (1, 2)]);
}

#[test]
fn what_decides_lateness_cannot_change() {
    let text = with_features(BASE);
    let first = plan(&text);
    for (from, to, want) in [
        ("project: p", "project: q", "1:10 `project` was `p`"),
        ("topic: t", "topic: u", "6:21 `topic` was `t`"),
        ("ts\n", "t.s\n", "9:22 `event_timestamp` was `ts`"),
        (
            "ts\n",
            "ts\n    lateness_clock: append_time\n",
            "10:21 `lateness_clock` was event_time, and state was built on that; keep it, or start a new grid",
        ),
        (
            "ts\n",
            "ts\n    allowed_lateness: 2m\n",
            "10:23 `allowed_lateness` was 1m, and state was built on that; keep it, or start a new grid",
        ),
        ("ts\n", "ts\n    slack: 6m\n", "10:12 `slack` was 5m"),
    ] {
        let got = mistakes(&text.replacen(from, to, 1), Some(&first));
        assert!(got.len() == 1 && got[0].starts_with(want), "{got:#?}");
    }
    let got = mistakes(&text.replacen("ts\n", "ts\n    max_skew: 6m\n", 1), Some(&first));
    assert!(got[1].starts_with("10:15 `max_skew` was 5m"), "{got:#?}");
}

#[test]
fn ladders_are_bounded() {
    let mut text = "w0: { count: true, window: 5m }".to_owned();
    let mut plan = plan(&with_features(&text));
    for step in 1..8 {
        text += &format!("\nw{step}: {{ count: true, window: {}h }}", 1 << step);
        plan = after(&with_features(&text), &plan, step);
    }
    assert_eq!(plan.views[0].ladders.len(), 8);
    text += "\nw8: { count: true, window: 30d }";
    let got = mistakes(&with_features(&text), Some(&plan));
    assert!(got[0].starts_with("11:3 this view would keep 9 ladders"), "{got:#?}");
}
