//! What definitions mean.

use super::*;
use crate::expression::{Expression, Type, read};
use crate::number::Domain;
use crate::plan::{
    Calendar, Column, Constant, Decay, Given, Items, Keeps, Key, LatePolicy, LatenessClock, Level, Measure, Operator,
    Plan, Session, Shift, Unit, ViewPlan, Window,
};
use crate::time::Span;

fn level(hop: &str, span: &str) -> Level {
    Level { hop: Span::parse(hop).unwrap(), span: Span::parse(span).unwrap() }
}

fn rolling(span: &str, hop: &str) -> Window {
    Window::Rolling { span: Span::parse(span).unwrap(), hop: Span::parse(hop).unwrap() }
}

fn view(features: &str) -> ViewPlan {
    plan(&with_features(features)).views.remove(0)
}

fn names(view: &ViewPlan) -> Vec<&str> {
    view.features.iter().map(|feature| feature.name.as_str()).collect()
}

#[test]
fn the_demo_shares_four_measures_and_three_levels_among_thirty_features() {
    let plan = plan(FRAUD);
    assert_eq!((plan.project.as_str(), plan.sources[0].topic.as_str()), ("payments", "payments"));
    assert_eq!(plan.sources[0].slack, Span::seconds(300), "max_skew, where it is longer");
    let view = plan.view("user_spend").unwrap();
    assert_eq!(view.keys, [("user_id".to_owned(), Key::Field(0))]);
    assert_eq!(view.features.len(), 30);
    assert_eq!(view.measures.len(), 4, "rows, amount, purchases, amount of purchases");
    let only = &view.ladders[..];
    assert_eq!(only.len(), 1);
    assert_eq!(only[0].levels, [level("5s", "5m"), level("1m", "1h"), level("30m", "24h")]);
    let of = |measure, keeps| Column { measure, keeps, since: ControlIndex(0) };
    let numbers = Keeps::SUM.and(Keeps::MIN).and(Keeps::MAX);
    assert_eq!(only[0].columns, [of(0, Keeps::NOTHING), of(1, numbers), of(2, Keeps::NOTHING), of(3, numbers)]);
    let spend = &view.features[view.result_index("spend_1h").unwrap()];
    assert_eq!((spend.operator, spend.column, spend.window), (Operator::Sum, 3, rolling("1h", "1m")));
    let amount = Expression::input(2, Type::Decimal(2));
    assert_eq!(view.measures[3].value, Some((amount, Items::Numbers(Domain::Decimal(2)))));
    assert_eq!(view.measures[3].filter, view.measures[2].filter);
    let want = read("type == 'purchase'", &[("user_id", Type::Text), ("type", Type::Text)], true).unwrap();
    assert_eq!(view.measures[3].filter, Some(want));
    assert_eq!(view.features[0].column, 0, "a count of all rows is the rows themselves");
}

#[test]
fn a_shifted_window_is_a_feature_over_the_same_columns() {
    let features = [
        "a: { sum: amount, windows: [1h], exclude_current: true }",
        "b: { sum: amount, windows: [1h, 24h], offset: 1d }",
        "c: { sum: amount, windows: [1h, lifetime], exclude_current: false }",
        "d: { count: true, window: lifetime, exclude_current: true }",
    ];
    let view = view(&features.join("\n"));
    assert_eq!(names(&view), ["a_1h", "b_1h", "b_24h", "c_1h", "c_lifetime", "d"]);
    let day = Shift::Back(Span::seconds(86_400));
    let shifts: Vec<Shift> = view.features.iter().map(|feature| feature.shift).collect();
    assert_eq!(shifts, [Shift::Current, day, day, Shift::Nothing, Shift::Nothing, Shift::Current]);
    assert_eq!(view.measures.len(), 2);
    assert!(view.features[..5].iter().all(|feature| feature.column == view.features[0].column));
    // What lies back is kept as long as the window and its offset are together.
    assert_eq!(view.ladders[0].levels, [level("5s", "0s"), level("1m", "25h"), level("30m", "48h")]);
}

#[test]
fn results_are_named_as_typed() {
    let view = view(
        "a: { count: true, windows: [60m, 24h, lifetime, { rolling: 90s, hop: 10s }] }\nb_last_5min: { sum: amount, window: 5m }",
    );
    assert_eq!(names(&view), ["a_60m", "a_24h", "a_lifetime", "a_90s", "b_last_5min"]);
    assert_eq!(view.features[2].window, Window::Lifetime);
    assert_eq!(view.features[3].window, rolling("90s", "10s"));
    assert!(view.ladders[0].lifetime);
}

#[test]
fn exact_windows_have_a_ladder_that_keeps_rows() {
    let features = [
        "a: { count: true, windows: [5m, lifetime] }",
        "b: { sum: amount, windows: [5m, 1h, tumbling 1h], hop: exact, exclude_current: true }",
        "c: { count: true, window: { rolling: 90s, hop: exact } }",
    ];
    let view = view(&features.join("\n"));
    assert_eq!(names(&view), ["a_5m", "a_lifetime", "b_5m", "b_1h", "b_tumbling_1h", "c"]);
    let exact =
        |span: &str, hop: &str| Window::Exact { span: Span::parse(span).unwrap(), hop: Span::parse(hop).unwrap() };
    assert_eq!(view.features[2].window, exact("5m", "5s"));
    assert_eq!(view.features[3].window, exact("1h", "1m"));
    assert_eq!((view.features[3].shift, view.features[5].window), (Shift::Current, exact("90s", "5s")));
    let homes: Vec<usize> = view.features.iter().map(|feature| feature.ladder).collect();
    assert_eq!(homes, [0, 0, 1, 1, 0, 1], "what is no rolling window keeps no rows");
    let kinds: Vec<_> = view.ladders.iter().map(|ladder| (ladder.lifetime, ladder.exact)).collect();
    assert_eq!(kinds, [(true, false), (false, true)]);
    assert_eq!(view.ladders[1].levels, [level("5s", "5m"), level("1m", "1h")]);
}

#[test]
fn tumbling_hopping_and_series_are_windows_with_names_of_their_own() {
    let features = [
        "a: { count: true, windows: [tumbling 5m, tumbling 5m last, { hopping: 1h, every: 5m }, series 15m count 3] }",
        "b: { count: true, window: { tumbling: 5m, which: last } }",
        "c: { count: true, window: { series: 1h, count: 2 }, offset: 1d }",
        "d: { count: true, windows: [{ tumbling: 5m, which: current }], exclude_current: true }",
    ];
    let view = view(&features.join("\n"));
    let [five, quarter, hour] = [300, 900, 3600].map(Span::seconds);
    let complete = |span, every, ago| Window::Complete { span, every, ago: Span::seconds(ago) };
    let last = complete(five, five, 0);
    let want = [
        ("a_tumbling_5m", Window::Tumbling { span: five }),
        ("a_last_tumbling_5m", last),
        ("a_hopping_1h", complete(hour, five, 0)),
        ("a_15m_1", complete(quarter, quarter, 0)),
        ("a_15m_2", complete(quarter, quarter, 900)),
        ("a_15m_3", complete(quarter, quarter, 1800)),
        ("b", last),
        ("c_1", complete(hour, hour, 0)),
        ("c_2", complete(hour, hour, 3600)),
        ("d_tumbling_5m", Window::Tumbling { span: five }),
    ];
    let named: Vec<_> = view.features.iter().map(|feature| (feature.name.as_str(), feature.window)).collect();
    assert_eq!(named, want);
    assert_eq!(view.features[7].shift, Shift::Back(Span::seconds(86_400)));
    assert_eq!(view.features[9].shift, Shift::Current);
    assert_eq!(view.ladders[0].levels, [level("5s", "0s"), level("5m", "1h"), level("1h", "26h")]);
    assert_eq!(view.measures.len(), 1, "they are counts of the same rows");
}

#[test]
fn half_lives_are_tiles_and_have_columns_of_their_own() {
    let features = [
        "a: { decayed_count: true, half_life: 1h }",
        "b: { decayed_sum: amount, half_life: 1h, exclude_current: true }",
        "c: { decayed_mean: amount, half_life: 1d }",
        "d: { decayed_mean: amount, half_life: 60m }",
        "e: { sum: amount, windows: [5m] }",
    ];
    let view = view(&features.join("\n"));
    assert_eq!(names(&view), ["a", "b", "c", "d", "e_5m"]);
    let decay = |text| Some(Decay { half_life: Span::parse(text).unwrap() });
    let (hour, day) = (decay("1h"), decay("1d"));
    let windows = view.features.iter().map(|feature| feature.window.decay());
    assert_eq!(windows.collect::<Vec<_>>(), [hour, hour, day, hour, None]);
    assert_eq!(view.features[1].shift, Shift::Current);
    assert_eq!(view.ladders[0].levels, [level("5s", "5m"), level("1h", "47h"), level("1d", "47d")]);
    let of = |measure, keeps| Column { measure, keeps, since: ControlIndex(0) };
    let (weights, weighted) = (Keeps::WEIGHTS, Keeps::WEIGHTS.and(Keeps::WEIGHTED));
    let want = [
        of(0, Keeps::NOTHING),
        of(0, weights.decaying(hour)),
        of(1, Keeps::SUM),
        of(1, weighted.decaying(hour)),
        of(1, weighted.decaying(day)),
    ];
    assert_eq!(view.ladders[0].columns, want);
    let columns: Vec<usize> = view.features.iter().map(|feature| feature.column).collect();
    assert_eq!(columns, [1, 3, 4, 3, 2]);
}

#[test]
fn anomalies_keep_a_distribution_and_what_their_baseline_is_made_of() {
    let features = [
        "a: { anomaly_count: amount, windows: [5m, lifetime], sigmas: 2.5, baseline: 24h }",
        "b: { anomaly_rate: amount, window: 5m, sigmas: 3, baseline: decay 1h }",
        "c: { median: amount, window: 5m }",
    ];
    let view = view(&features.join("\n"));
    assert_eq!(names(&view), ["a_5m", "a_lifetime", "b", "c"]);
    let day = Window::Rolling { span: Span::parse("24h").unwrap(), hop: Span::parse("30m").unwrap() };
    let decay = Decay { half_life: Span::parse("1h").unwrap() };
    let baselines = view.features.iter().map(|feature| feature.operator.baseline().map(|baseline| baseline.window));
    assert_eq!(baselines.collect::<Vec<_>>(), [Some(day), Some(day), Some(Window::Decay(decay)), None]);
    assert_eq!(view.ladders[0].levels, [level("5s", "5m"), level("30m", "24h"), level("1h", "47h")]);
    assert!(view.ladders[0].lifetime);
    let moments = Keeps::QUANTILES.and(Keeps::SUM).and(Keeps::SQUARES);
    let weighted = Keeps::WEIGHTS.and(Keeps::WEIGHTED).and(Keeps::WEIGHTED_SQUARES);
    let kept: Vec<Keeps> = view.ladders[0].columns.iter().map(|column| column.keeps).collect();
    assert_eq!(kept, [Keeps::NOTHING, moments, Keeps::QUANTILES.and(weighted).decaying(Some(decay))]);
    let columns: Vec<usize> = view.features.iter().map(|feature| feature.column).collect();
    assert_eq!(columns, [1, 1, 2, 1]);
}

#[test]
fn units_of_the_calendar_are_told_from_the_tiles_that_their_zone_needs() {
    let view = view(
        "a: { count: true, windows: [calendar day europe/berlin, { calendar: day, which: last, timezone: Asia/Kolkata }] }
b: { count: true, window: calendar hour last }",
    );
    assert_eq!(names(&view), ["a_calendar_day", "a_last_calendar_day", "b"]);
    let of = |unit, zone: &str, hop: &str, is_complete| {
        let calendar = Calendar::new(unit, zone).unwrap();
        assert_eq!((calendar.zone.name(), calendar.hop), (zone, Span::parse(hop).unwrap()));
        Window::Calendar { calendar, is_complete }
    };
    let want = [
        of(Unit::Day, "Europe/Berlin", "1h", false),
        of(Unit::Day, "Asia/Kolkata", "30m", true),
        of(Unit::Hour, "UTC", "1h", true),
    ];
    assert_eq!(view.features.iter().map(|feature| feature.window).collect::<Vec<_>>(), want);
    // Twice the 27 hours that a day may have, less one tile.
    assert_eq!(view.ladders[0].levels, [level("5s", "0s"), level("30m", "3210m")]);
}

#[test]
fn sessions_are_told_from_tiles_no_longer_than_their_gap() {
    let view = view(
        "a: { sum: amount, windows: [session 30m, { session: 30m, which: last }] }
b: { count: true, where: kind == \"x\", window: session 45s within 10m last, exclude_current: true }",
    );
    assert_eq!(names(&view), ["a_session_30m", "a_last_session_30m", "b"]);
    let of = |gap: &str, within: &str, hop: &str, is_last| {
        let [gap, within, hop] = [gap, within, hop].map(|span| Span::parse(span).unwrap());
        Window::Session { session: Session { gap, within, hop }, is_last }
    };
    let want = [of("30m", "30d", "30m", false), of("30m", "30d", "30m", true), of("45s", "10m", "5s", true)];
    assert_eq!(view.features.iter().map(|feature| feature.window).collect::<Vec<_>>(), want);
    assert_eq!(view.ladders[0].levels, [level("5s", "10m"), level("30m", "30d")]);
    // Where one begins is told by the times of the view's rows, whatever a feature counts.
    assert_eq!((view.ladders[0].columns[0].measure, view.ladders[0].columns[0].keeps), (0, Keeps::TIMES));
}

#[test]
fn so_many_last_events_are_kept_as_they_are() {
    let view = view(
        "a: { sum: amount, windows: [last 10, { last: 20, within: 30d }] }
b: { inter_arrival_mean: true, window: last 5 }
c: { anomaly_count: amount, windows: [5m], sigmas: 3, baseline: last 30 }
d: { anomaly_count: amount, window: last 7, sigmas: 3, baseline: 5m }",
    );
    assert_eq!(names(&view), ["a_last_10", "a_last_20", "b", "c_5m", "d"]);
    let within = Some(level("1d", "30d"));
    let want = [Window::LastN { n: 10, within: None }, Window::LastN { n: 20, within }];
    assert_eq!(view.features[..2].iter().map(|feature| feature.window).collect::<Vec<_>>(), want);
    assert!(view.ladders[0].lifetime);
    assert_eq!(view.ladders[0].levels, [level("5s", "5m"), level("1d", "30d")]);
    // Those of rows are none of amounts.
    let kept: Vec<Keeps> = view.ladders[0].columns.iter().map(|column| column.keeps).collect();
    let moments = Keeps::SUM.and(Keeps::SQUARES);
    assert_eq!(kept, [Keeps::last_rows(5), Keeps::last_rows(30).and(Keeps::QUANTILES).and(moments)]);
    // As far as state is kept.
    let text =
        with_features("a: { count: true, window: last 3 }").replace("    source: s\n", "    source: s\n    ttl: 7d\n");
    let view = plan(&text).views.remove(0);
    assert_eq!(view.features[0].window, Window::LastN { n: 3, within: Some(level("6h", "7d")) });
}

#[test]
fn units_of_utc_are_tiles_of_a_day() {
    let levels = |windows: &str| {
        let view = view(&format!("a: {{ count: true, windows: [{windows}] }}"));
        view.ladders[0].levels.clone()
    };
    assert_eq!(levels("calendar day"), levels("tumbling 1d"));
    assert_eq!(levels("calendar hour last"), levels("tumbling 1h last"));
    assert_eq!(levels("calendar month UTC last"), [level("5s", "0s"), level("1d", "61d")]);
    let both = levels("calendar month current, calendar week Europe/Berlin");
    assert_eq!(both, [level("5s", "0s"), level("1h", "170h"), level("1d", "30d")]);
}

#[test]
fn a_tumbling_window_under_way_keeps_one_tile() {
    let view = view("a: { count: true, window: tumbling 1d }");
    assert_eq!(view.ladders[0].levels, [level("5s", "0s"), level("1d", "0s")]);
    assert_eq!(view.ladders[0].longest(), Some(level("1d", "0s")));
    // 5m of slack by 5s and one more, and a tile at each end; of a day what is left, and one at each end.
    assert_eq!(view.ladders[0].tiles_max(Span::seconds(300)).collect::<Vec<_>>(), [63, 2]);
}

#[test]
fn level_zero_is_as_fine_as_instants() {
    let levels = |features: &str| view(features).ladders[0].levels.clone();
    assert_eq!(levels("a: { count: true, windows: [1h] }"), [level("5s", "0s"), level("1m", "1h")]);
    assert_eq!(levels("a: { count: true, windows: [lifetime] }"), [level("5s", "0s")]);
    assert_eq!(levels("a: { count: true, windows: [30s, 30d] }"), [level("1s", "30s"), level("1d", "30d")]);
    assert_eq!(levels("a: { count: true, windows: [2s], hop: 500ms }"), [level("500ms", "2s")]);
}

#[test]
fn a_level_is_kept_only_for_what_finer_ones_cannot_tell() {
    let levels = |features: &str| view(features).ladders[0].levels.clone();
    assert_eq!(
        levels("a: { count: true, windows: [2h], hop: 5s }\nb: { count: true, windows: [1h], hop: 1m }"),
        [level("5s", "2h")]
    );
    // One window with two hops: the coarser tail edge lies up to 55 s further back, in tiles of its own.
    assert_eq!(
        levels("a: { count: true, windows: [1h], hop: 5s }\nb: { count: true, windows: [1h], hop: 1m }"),
        [level("5s", "1h"), level("1m", "1h")]
    );
    assert_eq!(
        levels("a: { count: true, windows: [1h], hop: 5s }\nb: { count: true, windows: [3545s], hop: 1m }"),
        [level("5s", "1h")],
    );
}

#[test]
fn measures_are_shared_by_meaning() {
    let view = view(
        "a: { sum: free, where: kind == \"x\" && amount > 1.5, windows: [5m] }
b: { mean: free, where: (amount > 1.50) && kind == 'x', windows: [1h] }
c: { count: true, where: amount > 1.5 && kind == \"x\", windows: [1h] }
d: { max: free, where: amount >= 1.5 && kind == \"x\", windows: [1h] }",
    );
    assert_eq!(view.measures.len(), 4);
    let free = Expression::input(5, Type::Decimal(6));
    assert_eq!(
        view.measures[1].value,
        Some((free, Items::Numbers(Domain::Decimal(6)))),
        "undeclared, used as a number"
    );
    let column = |at: usize| view.features[at].column;
    assert_eq!(column(0), column(1));
    let names = [("user_id", Type::Text), ("kind", Type::Text), ("amount", Type::Decimal(2))];
    let want = read("kind == 'x' && amount > 1.5", &names, true).unwrap();
    assert_eq!(view.measures[1].filter, Some(want));
}

/// A field that is computed is a part of what uses it: of filters, numbers and keys.
#[test]
fn computed_fields_stand_for_their_expressions() {
    let text =
        with_features("a: { sum: paid, where: is_web, windows: [5m] }").replace("[user_id]", "[person]").replace(
            "    event_timestamp",
            "      person: { expr: lower(user_id) }
      paid: { expr: 'decimal(amount * count / 3, 2)' }
      is_web: { expr: 'kind in [\"web\", \"app\"]' }
    event_timestamp",
        );
    let text = text.replace("fields: { ", "fields:\n      ").replace(" }, count:", " }\n      count:");
    let text =
        text.replace("user_id: user_id, kind: kind, amount:", "user_id: user_id\n      kind: kind\n      amount:");
    let text = text.replace(" }, ok:", " }\n      ok:").replace(" }, free: free }", " }\n      free: free");
    let plan = plan(&text);
    let names = [("user_id", Type::Text), ("kind", Type::Text), ("amount", Type::Decimal(2)), ("count", Type::Int)];
    let read = |text: &str| read(text, &names, true).unwrap();
    let view = &plan.views[0];
    assert_eq!(view.keys, [("person".to_owned(), Key::Computed(read("lower(user_id)")))]);
    let measure = &view.measures[1];
    assert_eq!(measure.value, Some((read("decimal(amount * count / 3, 2)"), Items::Numbers(Domain::Decimal(2)))));
    assert_eq!(measure.filter, Some(read("kind in ['web', 'app']")));
    assert_eq!(plan.sources[0].fields.len(), 6, "they have no path to look for");
}

#[test]
fn ids_follow_meaning_and_not_names() {
    let ids = |text: &str| plan(text).views[0].measures.iter().map(|measure| measure.id).collect::<Vec<_>>();
    let text = with_features("a: { sum: amount, windows: [5m] }");
    let base = ids(&text);
    assert_eq!(
        ids(&text.replace("sum: amount", "sum: money").replace("amount:", "money:")),
        base,
        "another name of a field"
    );
    assert_eq!(ids(&text.replace("windows: [5m]", "windows: [1h, 5m]")), base);
    assert_ne!(ids(&text.replace("a.b", "a.c"))[1], base[1], "another path");
    assert_eq!(ids(&text.replace("a.b", "a.c"))[0], base[0]);
    assert_ne!(ids(&text.replace("decimal(2)", "decimal(3)"))[1], base[1]);
    let filtered = ids(&text.replace("    source: s\n", "    source: s\n    where: kind == \"x\"\n"));
    assert!(filtered.iter().all(|id| !base.contains(id)), "the view's filter is part of every column");
}

#[test]
fn defaults_are_numbers_of_their_features() {
    let view = view(
        "a: { min: amount, windows: [5m, 1h], default: -1.50 }
b: { mean: amount, windows: [5m], default: 0.3750 }
c: { count: true, windows: [5m], default: 0 }
d: { sum: free, windows: [5m] }",
    );
    let constant = |unscaled, domain| Some(Constant::Number { unscaled, domain });
    let defaults: Vec<_> = view.features.iter().map(|feature| feature.default.clone()).collect();
    let amount = constant(-150, Domain::Decimal(2));
    let mean = constant(375, Domain::Decimal(3));
    assert_eq!(defaults, [amount.clone(), amount, mean, constant(0, Domain::Int), None]);
}

#[test]
fn operators_read_numbers_truths_and_texts() {
    let view = view(
        "a: { last: lower(kind), windows: [5m], default: unknown }
b: { any: 'amount > 10', windows: [5m], default: false }
c: { last_n: lower(kind), n: 5, windows: [5m] }
d: { last_n: lower(kind), n: 2, windows: [1h] }
e: { distinct_count: lower(kind), windows: [5m] }
f: { percentile: amount, p: 99.9, windows: [5m], default: 1.5 }
g: { top_k: lower(kind), k: 3, windows: [5m] }
h: { mode_share: lower(kind), windows: [5m] }",
    );
    let items: Vec<_> = view.measures.iter().map(Measure::items).collect();
    let int = Items::Numbers(Domain::Int);
    assert_eq!(items, [int, Items::Texts, Items::Truths, int, Items::Numbers(Domain::Decimal(2))]);
    let columns = &view.ladders[0].columns;
    let texts = Keeps::last_rows(5).and(Keeps::CATEGORIES);
    assert_eq!(columns[1].keeps, texts, "what several features keep of one measure is kept once");
    assert_eq!(columns[3].keeps, Keeps::DISTINCT);
    let operators: Vec<_> = view.features.iter().map(|feature| feature.operator.parameter()).collect();
    assert_eq!(operators[2], Some(("n", "5".to_owned())));
    assert_eq!(operators[5], Some(("p", "99.9".to_owned())));
    let defaults: Vec<_> = view.features.iter().filter_map(|feature| feature.default.clone()).collect();
    let number = Constant::Number { unscaled: 150, domain: Domain::Decimal(2) };
    assert_eq!(defaults, [Constant::Text("unknown".to_owned()), Constant::Truth(false), number]);
}

#[test]
fn a_longer_list_is_a_column_of_its_own() {
    let first = plan(&with_features("a: { last_n: amount, n: 2, windows: [5m] }"));
    let second = after(&with_features("a: { last_n: amount, n: 3, windows: [5m] }"), &first, 1);
    let third = after(&with_features("a: { last_n: amount, n: 1, windows: [5m] }"), &second, 2);
    let since = |plan: &Plan| plan.views[0].ladders[0].columns[1].since.0;
    assert_eq!([since(&first), since(&second), since(&third)], [0, 1, 1]);
}

#[test]
fn a_default_or_a_max_age_changes_no_state() {
    let text = with_features("a: { min: amount, windows: [5m] }");
    let first = plan(&text);
    let changed =
        text.replace("[5m]", "[5m], default: 1").replace("    source: s\n", "    source: s\n    max_age: 1h\n");
    let second = after(&changed, &first, 1);
    assert_eq!(second.views[0].max_age, Some(Span::seconds(3600)));
    assert_eq!(second.views[0].ladders, first.views[0].ladders);
    assert_eq!(second.views[0].measures, first.views[0].measures);
}

#[test]
fn lifetime_ends_with_the_ttl() {
    let text = with_features(
        "a: { sum: amount, windows: [5m, lifetime] }\nb: { rate: true, window: lifetime, offset: 1d }
c: { count: true, window: lifetime, exclude_current: true }",
    );
    let forever = text.replace("rate: true", "count: true").replace(", offset: 1d", "");
    let kept = text.replace("    source: s\n", "    source: s\n    ttl: 90d\n");
    let view = &plan(&kept).views[0];
    assert_eq!(names(view), ["a_5m", "a_lifetime", "b", "c"]);
    assert!(view.features[1..].iter().all(|feature| feature.window == rolling("90d", "1d")));
    assert!(!view.ladders[0].lifetime);
    assert_eq!(view.ladders[0].levels, [level("5s", "5m"), level("1d", "91d")]);
    // Where nothing lasts for a lifetime, there is nothing that a ttl could end.
    let short = with_features("a: { sum: amount, windows: [5m] }");
    let with = |ttl: &str| short.replace("    source: s\n", &format!("    source: s\n    ttl: {ttl}\n"));
    assert_eq!(plan(&with("10m")), plan(&short));
    // What lasted for ever has no tiles to end by: the new window begins where the change is.
    let first = plan(&forever);
    assert!(first.views[0].ladders[0].lifetime);
    let then = forever.replace("    source: s\n", "    source: s\n    ttl: 90d\n");
    let second = after(&then, &first, 1);
    let begins = |plan: &Plan, feature: usize| {
        let feature = &plan.views[0].features[feature];
        plan.views[0].ladders[feature.ladder].columns[feature.column].since.0
    };
    assert_eq!((begins(&second, 0), begins(&second, 1), begins(&second, 2)), (0, 1, 1));
}

#[test]
fn late_records_are_dead_letters_unless_said_otherwise() {
    let text = with_features("a: { count: true, windows: [5m] }");
    let first = plan(&text);
    assert_eq!(first.sources[0].late_policy, LatePolicy::DeadLetter);
    for policy in LatePolicy::ALL {
        let written = text.replace("ts\n", &format!("ts\n    late_policy: {}\n", policy.name()));
        assert_eq!(after(&written, &first, 1).sources[0].late_policy, policy, "it may change on a running grid");
    }
}

#[test]
fn events_are_late_by_event_time_unless_said_otherwise() {
    let text = with_features("a: { count: true, windows: [5m] }");
    let [first, second] = ["", "    lateness_clock: append_time\n"]
        .map(|clock| plan(&text.replace("ts\n", &format!("ts\n{clock}"))).sources.remove(0));
    assert_eq!((first.lateness_clock, first.ids_known_for()), (LatenessClock::EventTime, Span::seconds(60)));
    assert_eq!((second.lateness_clock, second.ids_known_for()), (LatenessClock::AppendTime, Span::seconds(360)));
}

#[test]
fn derived_features_stand_behind_those_they_use() {
    let text = with_features("a: { count: true, windows: [5m, 1h] }").replace(
        "    source: s\n",
        "    source: s\n    derived: { share: rest / a_1h, rest: a_1h - a_5m, twice: 2.50 * share }\n",
    );
    let first = plan(&text);
    let view = &first.views[0];
    assert_eq!(view.results().collect::<Vec<_>>(), ["a_5m", "a_1h", "rest", "share", "twice"]);
    let results = [("a_5m", Type::Int), ("a_1h", Type::Int), ("rest", Type::Int), ("share", Type::Float)];
    for (derived, text) in view.derived.iter().zip(["a_1h - a_5m", "rest / a_1h", "2.5 * share"]) {
        assert_eq!(derived.formula, read(text, &results, false).unwrap());
    }
    let without = after(&with_features("a: { count: true, windows: [5m, 1h] }"), &first, 1);
    assert_eq!(without.views[0].ladders, view.ladders, "they keep no state");
}

#[test]
fn request_values_stand_behind_all_results() {
    let text = with_features("a: { count: true, windows: [5m] }\nm: { mean: amount, windows: [1h] }").replace(
        "    source: s\n",
        "    source: s\n    request: { amount: decimal(2), country: text, at: timestamp }\n    derived:\n      \
         ratio: { expr: request.amount / m_1h, default: -0.5 }\n      more: ratio * a_5m + request.amount\n      \
         de: one_hot(request.country, \"DE\")\n      late: de + hour_of_day(request.at)\n",
    );
    let plan = plan(&text);
    let view = &plan.views[0];
    let declared: Vec<(&str, Type)> =
        view.request.iter().map(|value| (value.name.as_str(), value.kind.into())).collect();
    assert_eq!(declared, [("amount", Type::Decimal(2)), ("country", Type::Text), ("at", Type::Timestamp)]);
    assert_eq!(view.results().collect::<Vec<_>>(), ["a_5m", "m_1h", "ratio", "more", "de", "late"]);
    let inputs = [
        ("a_5m", Type::Int),
        ("m_1h", Type::Float),
        ("ratio", Type::Float),
        ("more", Type::Float),
        ("de", Type::Int),
        ("late", Type::Int),
        ("request.amount", Type::Decimal(2)),
        ("request.country", Type::Text),
        ("request.at", Type::Timestamp),
    ];
    let texts = [
        "request.amount / m_1h",
        "ratio * a_5m + request.amount",
        "one_hot(request.country, 'DE')",
        "de + hour_of_day(request.at)",
    ];
    for (derived, text) in view.derived.iter().zip(texts) {
        assert_eq!(derived.formula, read(text, &inputs, false).unwrap());
    }
    assert_eq!([view.given(5), view.given(6), view.given(8)], [Given::Result(5), Given::Sent(0), Given::Sent(2)]);
    let alone: Vec<usize> = (0..6).filter(|result| view.is_of_request_alone(*result)).collect();
    assert_eq!(alone, [4, 5]);
    let half = Constant::Number { unscaled: -5, domain: Domain::Decimal(1) };
    assert_eq!(
        view.derived.iter().map(|derived| derived.default.clone()).collect::<Vec<_>>(),
        [Some(half), None, None, None]
    );
}

#[test]
fn entities_may_have_several_keys() {
    let text = with_features("a: { count: true, windows: [5m] }").replace("[user_id]", "[kind, user_id]");
    assert_eq!(plan(&text).views[0].keys, [("kind".to_owned(), Key::Field(1)), ("user_id".to_owned(), Key::Field(0))]);
}

#[test]
fn views_stand_in_order_of_name_and_services_in_their_own() {
    let text = with_features("a: { count: true, windows: [5m] }")
        + "  b:\n    entity: user\n    source: s\n    where: ok == true\n    features: { c: { count: true, windows: [5m, 1h] } }\n    \
           derived: { d: c_5m / c_1h }\n\
           feature_services:\n  one: [v, b]\n  two:\n    - b:d\n    - v:a_5m\n    - b:c_5m\n";
    let plan = plan(&text);
    let names: Vec<&str> = plan.views.iter().map(|view| view.name.as_str()).collect();
    assert_eq!(names, ["b", "v"]);
    let results = |name: &str| -> Vec<(usize, usize)> {
        plan.service(name).unwrap().results.iter().map(|result| (result.view, result.result)).collect()
    };
    assert_eq!(results("one"), [(1, 0), (0, 0), (0, 1), (0, 2)]);
    assert_eq!(results("two"), [(0, 2), (1, 0), (0, 0)]);
    assert_eq!(plan.view_index("v"), Some(1));
    assert!(plan.view("w").is_none() && plan.service("three").is_none());
}

#[test]
fn times_have_defaults() {
    let source = plan(&with_features("a: { count: true, windows: [5m] }")).sources.remove(0);
    let minutes = |span: Span| span.0 / 60_000_000;
    assert_eq!((minutes(source.allowed_lateness), minutes(source.max_skew), minutes(source.slack)), (1, 5, 5));
    let text = with_features("a: { count: true, windows: [5m] }")
        .replace("ts\n", "ts\n    allowed_lateness: 7m\n    max_skew: 0s\n    slack: 1h\n    event_id: x.id\n");
    let source = plan(&text).sources.remove(0);
    assert_eq!((minutes(source.allowed_lateness), minutes(source.max_skew), minutes(source.slack)), (7, 0, 60));
    assert_eq!(source.event_id, Some(vec!["x".to_owned(), "id".to_owned()]));
}
