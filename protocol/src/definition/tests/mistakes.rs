//! Every kind of mistake, named at its place with what to do.

mod windows;

use super::*;

const WRONG: &str = "project: wrong
entities:
  user: { join_keys: [user_id] }
sources:
  payments:
    kafka: { topic: payments }
    format: jsonn
    fields: { user_id: user_id, amount: { path: amount, type: decimal(99) } }
    event_timestamp: ts
feature_views:
  spend:
    entity: usr
    source: payments
    features:
      total: { sum: amount, windows: [5q] }
      big: { count: true, where: amount >> 3, windows: [1h] }
";

#[test]
fn five_mistakes_are_named_at_once_and_no_more() {
    let places: Vec<String> =
        mistakes(WRONG, None).iter().map(|one| one.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(places, ["7:13", "8:63", "12:13", "15:39", "16:41"]);
}

#[test]
fn a_mistake_shows_its_line() {
    let shown = compile(WRONG, "dir/wrong.yaml", None, ControlIndex(0)).unwrap_err().to_string();
    let want = "dir/wrong.yaml:7:13: `format`: `jsonn` is unknown; did you mean `json`?
  7 |     format: jsonn
    |             ^
dir/wrong.yaml:8:63: field `amount`, `type`: `decimal(99)` is not possible; digits after the point are a number from 0 to 18, for example decimal(2)
  8 |     fields: { user_id: user_id, amount: { path: amount, type: decimal(99) } }
    |                                                               ^
";
    assert!(shown.starts_with(want), "{shown}");
    assert!(
        shown.contains("dir/wrong.yaml:16:41: `where`: `>>` is not possible here; use one of == != < <= > >= && || ! + - * / % ? :\n  16 |"),
        "{shown}"
    );
}

/// The one mistake of a view with these features begins so.
fn feature(features: &str, want: &str) {
    only(&with_features(features), want);
}

fn only(text: &str, want: &str) {
    let got = mistakes(text, None);
    assert!(
        got.len() == 1 && got[0].starts_with(want),
        "{}\nwanted: {want}\ngot: {got:#?}",
        &text[..text.len().min(2000)]
    );
}

#[test]
fn mistakes_in_features() {
    for (features, want) in [
        (
            "a: { summ: amount, sum: amount, windows: [5m] }",
            "15:12 feature `a`: unknown key `summ`; did you mean `sum`?",
        ),
        ("a: { windows: [5m] }", "15:7 feature `a` computes nothing"),
        ("a: { sum: amount, count: true, windows: [5m] }", "15:17 feature `a`: `count` and `sum` are two operators"),
        ("a: { count: amount, windows: [5m] }", "15:19 feature `a`: `count` looks at rows, not `amount`"),
        (
            "a: { rate: true, windows: [5m, lifetime] }",
            "15:38 feature `a`: `rate` is rows a second of a window's length",
        ),
        (
            "a: { stddev: amount, variance: amount, windows: [5m] }",
            "15:20 feature `a`: `variance` and `stddev` are two operators",
        ),
        ("a: { count: true }", "15:7 feature `a`: `windows` is missing; add, for example, `windows: [5m, 1h]`"),
        ("a: { count: true, windows: [5m], window: 1h }", "15:48 feature `a`: `windows` and `window` exclude"),
        (
            "a: { count: true, windows: [5m], default: 0.5 }",
            "15:49 `default`: `0.5` is finer than the values of this feature, which keep whole numbers",
        ),
        (
            "a: { min: amount, windows: [5m], default: 1.005 }",
            "15:49 `default`: `1.005` is finer than the values of this feature, which keep 2 digits",
        ),
        ("a: { max: amount, windows: [5m], default: none }", "15:49 `default`: `none` is no number; write digits"),
        ("a: { max: amount, windows: [5m], default: 1e3 }", "15:49 `default`: `1e3` is no number"),
        (
            "a: { max: amount, windows: [5m], default: 99999999999999999.99 }",
            "15:49 `default`: `99999999999999999.99` is out of the range of the values",
        ),
        (
            "a: { mean: amount, windows: [5m], default: 0.0000000000000000001 }",
            "15:50 `default`: `0.0000000000000000001` is finer",
        ),
        ("a: { max: amount, windows: [5m], default: [1] }", "15:49 feature `a`, `default`: expected one value"),
        ("a: { max: amount, windows: [5m], default: }", "15:47 feature `a`, `default` is empty"),
        ("a: { last_n: amount, windows: [5m] }", "15:7 feature `a`: `n` is missing; add, for example, `n: 3`"),
        (
            "a: { last_n: amount, n: 65, windows: [5m] }",
            "15:31 feature `a`, `n`: `65` is not a whole number from 1 to 64",
        ),
        ("a: { max: amount, n: 5, windows: [5m] }", "15:28 feature `a`, `n`: `max` takes no `n`; remove it"),
        ("a: { max_by: amount, windows: [5m] }", "15:7 feature `a`: `by` is missing; add, for example, `by: amount`"),
        ("a: { min_by: amount, by: lower(kind), windows: [5m] }", "15:32 this is text; a number is needed here"),
        ("a: { max: amount, by: amount, windows: [5m] }", "15:29 feature `a`, `by`: `max` takes no `by`; remove it"),
        (
            "a: { percentile: amount, p: 100, windows: [5m] }",
            "15:35 feature `a`, `p`: `100` is not a number above 0 and below 100",
        ),
        (
            "a: { any: amount, windows: [5m] }",
            "15:17 `amount` is declared as a number and cannot be used as true or false",
        ),
        ("a: { last: free, windows: [5m] }", "15:18 what `free` is cannot be told here; give the field a `type`"),
        ("a: { mode: timestamp(user_id), windows: [5m] }", "15:18 this is a timestamp; take a number or a text of it"),
        (
            "a: { top_k: lower(kind), k: 3, windows: [5m], default: x }",
            "15:62 `default`: this feature is never null; remove it",
        ),
        ("a: { any: 'amount > 1', windows: [5m], default: 1 }", "15:55 `default`: `1` is neither `true` nor `false`"),
        ("a: { decayed_count: true }", "15:7 feature `a`: `half_life` is missing; add, for example, `half_life: 1h`"),
        (
            "a: { decayed_count: true, half_life: 0s }",
            "15:44 feature `a`, `half_life`: a half-life is longer than nothing",
        ),
        (
            "a: { decayed_count: true, half_life: 7s }",
            "15:44 the half-life 7s neither divides 5s nor is a multiple of it",
        ),
        (
            "a: { decayed_count: true, half_life: 1h, hop: 5s }",
            "15:53 feature `a`, `hop`: what decays has a half-life instead",
        ),
        (
            "a: { sum: amount, windows: [1h], half_life: 1h }",
            "15:51 feature `a`, `half_life`: `sum` looks at a window, in which events do not decay; remove it",
        ),
        (
            "a: { anomaly_count: amount, windows: [5m], sigmas: 3 }",
            "15:7 feature `a`: `baseline` is missing; add, for example, `baseline: 24h`",
        ),
        (
            "a: { anomaly_rate: amount, windows: [5m], baseline: 24h }",
            "15:7 feature `a`: `sigmas` is missing; add, for example, `sigmas: 2.5`",
        ),
        (
            "a: { anomaly_count: amount, windows: [5m], sigmas: 0, baseline: 24h }",
            "15:58 feature `a`, `sigmas`: `0` is not a number above 0 and not above 1000 with at most four digits after the point",
        ),
        (
            "a: { anomaly_count: amount, windows: [5m], sigmas: 3, baseline: series 1h count 3 }",
            "15:71 feature `a`, `baseline`: a series is several windows; write one, for example 24h",
        ),
        (
            "a: { anomaly_count: amount, windows: [5m], sigmas: 3, baseline: 24h, hop: exact }",
            "15:71 feature `a`, `baseline`: what is compared with a baseline is not exact; remove `hop: exact`",
        ),
        (
            "a: { anomaly_count: amount, windows: [5m], sigmas: 3, baseline: decay 0s }",
            "15:71 feature `a`, `baseline`: a half-life is longer than nothing; write, for example, decay 1h",
        ),
        (
            "a: { anomaly_count: amount, windows: [5m], sigmas: 3, baseline: lifetime, offset: 1h }",
            "15:71 feature `a`, `baseline`: the feature lies back, and its baseline is lifetime, which has no offset; make a feature of its own for it, without `offset`",
        ),
        (
            "a: { sum: amount, windows: [5m], baseline: 24h }",
            "15:50 feature `a`, `baseline`: `sum` takes no `baseline`; remove it",
        ),
        (
            "a: { sum: amount, windows: [5m], sigmas: 3 }",
            "15:48 feature `a`, `sigmas`: `sum` takes no `sigmas`; remove it",
        ),
        (
            "a: { z_score: amount, windows: [5m] }",
            "15:12 feature `a`: `z_score` is derived from features; write, under `derived`",
        ),
        (
            "a: { count: true, windows: [5m], exclude_current: yes }",
            "15:57 feature `a`, `exclude_current`: `yes` is neither true nor false",
        ),
        (
            "a: { count: true, windows: [5m], offset: 0s }",
            "15:48 feature `a`, `offset`: an offset is longer than nothing",
        ),
        ("a: { count: true, windows: [5m], offset: 1w }", "15:48 feature `a`, `offset`: `1w` is no duration"),
        (
            "a: { count: true, windows: [5m], offset: 1h, exclude_current: true }",
            "15:48 feature `a`, `offset`: a window that lies back has no current event; remove `exclude_current`",
        ),
        (
            "a: { count: true, windows: [5m, lifetime], offset: 1h }",
            "15:58 feature `a`, `offset`: `a_lifetime` is lifetime, which has no offset",
        ),
        ("a: { count: true, windows: [5m], offset: 1d }", "11:3 an entity of this view could have 17403 tiles"),
        ("a: { sum: amuont, windows: [5m] }", "15:17 `amuont` is no field of the source; did you mean `amount`?"),
        ("a: { sum: ok, windows: [5m] }", "15:17 `ok` is declared as true or false and cannot be used as a number"),
        (
            "a: { sum: free, windows: [5m] }\nb: { count: true, where: free == \"x\", windows: [5m] }",
            "16:32 `free` is used as text here and as a number in line 15",
        ),
        (
            "a: { count: true, where: kin == \"x\", windows: [5m] }",
            "15:32 `kin` is no field of the source; did you mean `kind`?",
        ),
        ("a: { count: true, where: ok > true, windows: [5m] }", "15:35 true and false have no order"),
        (
            "a: { count: true, where: amount > 99999999999999999999, windows: [5m] }",
            "15:41 `where`: `99999999999999999999` is out of the range",
        ),
        (
            "a: { count: true, where: amount, windows: [5m] }",
            "15:32 `amount` is declared as a number and cannot be used as true",
        ),
        ("a: { count: true, where: is_null(free), windows: [5m] }", "15:40 what `free` is cannot be told here"),
        ("a: { sum: amount / count, windows: [5m] }", "15:24 this is a float, and sums are exact"),
        ("a: { sum: free * free, windows: [5m] }", "15:22 this number has 12 digits after the point, which leaves 6"),
        ("a: { sum: kind + \"x\", windows: [5m] }", "15:22 this is text; a number is needed here"),
        (
            "a: { count: true, where: amount == \"x\", windows: [5m] }",
            "15:32 `amount` is declared as a number and cannot be used as text",
        ),
        ("a: { count: true, where: , windows: [5m] }", "15:30 feature `a`, `where` is empty"),
        (
            "a_b: { count: true, windows: [5m] }\na: { count: true, windows: [1h] }\na_1h: { count: true, window: 1h }",
            "17:36 the result `a_1h` is already made in line 16",
        ),
        (
            "a: { count: true, windows: [5m] }\na: { count: true, windows: [1h] }",
            "16:7 `a` stands twice; the first is in line 15",
        ),
        ("1a: { count: true, windows: [5m] }", "15:7 `1a` cannot be the name of a feature"),
        ("in: { count: true, windows: [5m] }", "15:7 `in` means something in expressions"),
        ("a: 5m", "15:10 feature `a`: expected `key: value` lines"),
        ("a:", "15:7 feature `a` is empty"),
        // Hops beside each other, at the one that is written.
        ("a: { count: true, windows: [5m], hop: 7s }", "15:45 the hop 7s neither divides 5s nor is a multiple"),
        (
            "a: { count: true, windows: [5m], hop: 15s }\nb: { count: true, windows: [1h], hop: 40s }",
            "16:45 the hop 40s of window 1h is no multiple of the hop 15s",
        ),
        (
            "a: { count: true, windows: [5m], hop: 25s }\nb: { count: true, windows: [1h] }",
            "15:45 the hop 1m of window 1h is no multiple of the hop 25s",
        ),
        (
            "a: { count: true, windows: [{ rolling: 10m, hop: 25s }]}\nb: { count: true, windows: [1h] }",
            "15:56 the hop 1m of window 1h",
        ),
        (
            "a: { count: true, windows: [10h], hop: 5s }",
            "11:3 an entity of this view could have 7263 tiles (7263 of 5s; the slack of 5m is part of the finest), more than 4096",
        ),
    ] {
        feature(features, want);
    }
}

#[test]
fn mistakes_around_features() {
    let base = with_features("a: { count: true, windows: [5m] }");
    for (from, to, want) in [
        ("project: p\n", "", "1:1 the file: `project` is missing; add, for example, `project: payments`"),
        ("project: p", "project: \"p 1\"", "1:10 `p 1` cannot be the name of a project"),
        ("project: p", "project: [p]", "1:10 `project`: expected one value"),
        ("entities:", "entitys: {}\nentities:", "2:1 the file: unknown key `entitys`; did you mean `entities`?"),
        ("entities:", "outputs: {}\nentities:", "2:1 the file: `outputs` comes with a later release"),
        ("[user_id]", "[user]", "3:23 `user` is no field of the source"),
        (
            "free: free }",
            "free: { expr: lower(kind), type: text } }",
            "8:174 field `free` is computed: its type is that of `expr`",
        ),
        ("free: free }", "free: { expr: lower(kin) } }", "8:167 `kin` is no field of the source; did you mean"),
        (
            "free: free }",
            "free: { expr: lower(kind) }, more: { expr: free + kind } }",
            "8:190 `free` is computed itself; write out",
        ),
        ("[user_id]", "[ok]", "3:23 `ok` is true or false and cannot be a join key"),
        ("[user_id]", "[user_id, user_id]", "3:32 entity `user`, `join_keys`: `user_id` stands twice"),
        (
            "{ join_keys: [user_id] }",
            "{ keys: [user_id], join_keys: [user_id] }",
            "3:11 entity `user`: unknown key `keys`",
        ),
        (
            "kafka: { topic: t }",
            "kafka: { topics: t, topic: t }",
            "6:14 source `s`, `kafka`: unknown key `topics`; did you mean `topic`?",
        ),
        ("    kafka: { topic: t }\n", "", "5:3 source `s`: `kafka` is missing"),
        ("format: json", "format: avro", "7:13 `format`: avro comes with a later release"),
        ("type: int", "type: integer", "8:110 field `count`, `type`: `integer` is unknown; there is `text`"),
        ("type: int", "type: float", "8:110 field `count`, `type`: float comes with a later release"),
        ("type: int", "type: decimal", "8:110 field `count`, `type`: say how many digits"),
        ("path: a.b", "path: a..b", "8:61 field `amount`, `path`: `a..b` is no path"),
        ("    event_timestamp: ts\n", "", "5:3 source `s`: `event_timestamp` is missing"),
        ("ts\n", "ts\n    allowed_lateness: soon\n", "10:23 source `s`, `allowed_lateness`: `soon` is no duration"),
        (
            "ts\n",
            "ts\n    slack: 4m\n",
            "10:12 source `s`, `slack`: 4m is less than allowed_lateness or max_skew; write at least 5m",
        ),
        (
            "ts\n",
            "ts\n    late_policy: dropp\n",
            "10:18 source `s`, `late_policy`: `dropp` is unknown; did you mean `drop`?",
        ),
        (
            "ts\n",
            "ts\n    lateness_clock: apend_time\n",
            "10:21 source `s`, `lateness_clock`: `apend_time` is unknown; did you mean `append_time`?",
        ),
        ("entity: user", "entity: card", "12:13 feature view `v`, `entity`: `card` is no entity; there is `user`"),
        ("source: s", "source: t", "13:13 feature view `v`, `source`: `t` is no source"),
        (
            "    source: s\n",
            "    source: s\n    order_by: x\n",
            "14:5 feature view `v`: `order_by` comes with a later release",
        ),
        (
            "    source: s\n",
            "    source: s\n    ttl: 0s\n",
            "14:10 feature view `v`, `ttl`: how long state is kept is longer than nothing",
        ),
        ("    source: s\n", "    source: s\n    ttl: long\n", "14:10 feature view `v`, `ttl`: `long` is no duration"),
        (
            "    source: s\n",
            "    source: s\n    ttl: 9m\n",
            "14:10 feature view `v`, `ttl`: 9m is less than what `a_5m` looks back, 5m, and the slack of its source, 5m, together; write at least 10m",
        ),
        (
            "    source: s\n    features:\n",
            "    source: s\n    ttl: 1h\n    features:\n      z: { anomaly_count: amount, windows: [5m], sigmas: 3, baseline: 24h }\n",
            "14:10 feature view `v`, `ttl`: 1h is less than what `z_5m` looks back, 1d, and the slack of its source, 5m, together",
        ),
        (
            "    source: s\n",
            "    source: s\n    max_age: 0s\n",
            "14:14 feature view `v`, `max_age`: an age is longer than nothing",
        ),
        (
            "    source: s\n",
            "    source: s\n    max_age: old\n",
            "14:14 feature view `v`, `max_age`: `old` is no duration",
        ),
        (
            "    source: s\n",
            "    source: s\n    on_demand: { a: b / c }\n",
            "14:5 feature view `v`: unknown key `on_demand`",
        ),
        (
            "    source: s\n",
            "    source: s\n    derived: { x: a_5n / 2 }\n",
            "14:19 `a_5n` is no result of this view; did you mean `a_5m`?",
        ),
        ("    source: s\n", "    source: s\n    derived: { x: a_5m / 2 % 2 }\n", "14:28 `%` is of whole numbers"),
        ("    source: s\n", "    source: s\n    derived: { x: 1 + 2 }\n", "14:16 derived `x`: it uses no result"),
        (
            "    source: s\n",
            "    source: s\n    derived: { x: x + a_5m }\n",
            "14:16 derived `x` uses itself: `x` -> `x`; break the circle",
        ),
        (
            "    source: s\n",
            "    source: s\n    derived: { x: y + a_5m, y: 2 * z, z: a_5m / y }\n",
            "14:29 derived `y` uses itself: `y` -> `z` -> `y`; break",
        ),
        (
            "    source: s\n",
            "    source: s\n    derived: { a_5m: 2 * a_5m }\n",
            "14:16 the result `a_5m` is already made in line 16",
        ),
        (
            "    source: s\n",
            "    source: s\n    derived: { x: a_5m / 0.0000000000000000001 }\n",
            "14:26 `0.0000000000000000001` has more than 18 digits",
        ),
        (
            "    source: s\n",
            "    source: s\n    derived: { x: a_5m / 99999999999999999999 }\n",
            "14:26 derived `x`: `99999999999999999999` is out of the range",
        ),
        ("    source: s\n", "    source: s\n    derived: { x: [a_5m] }\n", "14:19 derived `x`: expected one value"),
        ("    source: s\n", "    source: s\n    derived: {}\n", "14:14 feature view `v`, `derived` is empty"),
        (
            "    source: s\n",
            "    source: s\n    derived: { x: { default: 1 } }\n",
            "14:16 derived `x`: `expr` is missing; add, for example",
        ),
        (
            "    source: s\n",
            "    source: s\n    derived: { x: { expr: a_5m * 2, default: 0.5 } }\n",
            "14:46 `default`: `0.5` is finer than the values of this feature, which keep whole numbers",
        ),
        (
            "    source: s\n",
            "    source: s\n    derived: { x: { expr: a_5m, defalt: 1 } }\n",
            "14:33 derived `x`: unknown key `defalt`; did you mean `default`?",
        ),
        (
            "    source: s\n",
            "    source: s\n    derived: { x: a_5m / request.amount }\n",
            "14:26 `amount` is no request value of this view; declare it, for example `request: { amount: decimal(2) }`",
        ),
        (
            "    source: s\n",
            "    source: s\n    request: { amount: int }\n    derived: { x: a_5m / request.amout }\n",
            "15:26 `amout` is no request value of this view; did you mean `amount`?",
        ),
        (
            "    source: s\n",
            "    source: s\n    request: { amount: text }\n    derived: { x: a_5m / request.amount }\n",
            "15:26 this is text; a number is needed here",
        ),
        (
            "    source: s\n",
            "    source: s\n    request: { amount: float }\n    derived: { x: a_5m / request.amount }\n",
            "14:24 request value `amount`: float comes with a later release",
        ),
        (
            "    source: s\n",
            "    source: s\n    request: [amount]\n    derived: { x: a_5m / request.amount }\n",
            "14:14 feature view `v`, `request`: expected `key: value` lines",
        ),
        (
            "    source: s\n",
            "    source: s\n    request: { a b: int }\n",
            "14:16 `a b` cannot be the name of a request value",
        ),
        (
            "    source: s\n",
            "    source: s\n    request: { user_id: text }\n",
            "14:16 `user_id` is a join key of the view; give the request value another name",
        ),
        (
            "    source: s\n",
            "    source: s\n    request: { x: int }\n    where: request.x > 1\n",
            "15:12 `request.x` is sent with a read, not with an event; only `derived` is computed at the read",
        ),
        (
            "    source: s\n",
            "    source: s\n    derived: { x: a_5m / event.amount }\n",
            "14:31 derived `x`: `amount` of something means nothing here",
        ),
        ("[5m]", "[5q]", "15:35 feature `a`, `windows`: `5q` is no duration"),
        ("    source: s\n", "    source: s\n    where: nope == 1\n", "14:12 `nope` is no field"),
        (
            "feature_views:",
            "feature_services: { one: [w] }\nfeature_views:",
            "10:27 `w` is no feature view; did you mean `v`?",
        ),
        (
            "feature_views:",
            "feature_services: { one: [v, v] }\nfeature_views:",
            "10:30 feature service `one`: `v` stands twice",
        ),
        (
            "feature_views:",
            "  s2: { kafka: { topic: t }, format: json, fields: { a: a }, event_timestamp: ts }\nfeature_views:",
            "10:25 topic `t` is read by source `s` already",
        ),
    ] {
        assert!(base.contains(from), "{from}");
        only(&base.replacen(from, to, 1), want);
    }
}

/// A feature that could not be read has results nobody knows: what uses them is not blamed.
#[test]
fn a_broken_feature_is_the_only_mistake() {
    let text = with_features("a: { count: true, windows: [5q] }");
    only(
        &text.replace("    source: s\n", "    source: s\n    derived: { x: a_5m / 2 }\n"),
        "16:35 feature `a`, `windows`",
    );
}

#[test]
fn a_service_has_every_name_once() {
    let other = "  w:\n    entity: user\n    source: s\n    features: { a: { count: true, windows: [5m, 1h] } }\n";
    for (entries, want) in [
        (
            "[v, w]",
            "21:12 feature service `one`: `a_5m` comes from `v` and from `w`; rename its feature in one of them, for example to `w_a_5m`",
        ),
        ("[w:a_1h, v, w:a_1h]", "21:20 feature service `one`: `w:a_1h` stands twice"),
        ("[w, w:a_1h]", "21:12 feature service `one`: `a_1h` of `w` is there already; remove one"),
        ("[w:a_1k]", "21:9 `a_1k` is no result of feature view `w`; did you mean `a_1h`?"),
        ("[x:a_1h]", "21:9 `x` is no feature view; did you mean"),
    ] {
        let text = with_features("a: { count: true, windows: [5m] }") + other;
        only(&format!("{text}feature_services:\n  one: {entries}\n"), want);
    }
    let text = with_features("a: { count: true, windows: [5m] }") + other;
    assert_eq!(plan(&format!("{text}feature_services: {{ one: [w:a_1h, v] }}\n")).services[0].results.len(), 2);
}

#[test]
fn mistakes_in_yaml() {
    for (text, want) in [
        ("", "1:1 the file is empty"),
        ("# nothing\n", "1:1 the file is empty"),
        ("hello", "1:1 the file: expected `key: value` lines"),
        ("project: p\n  entities: x\n", "2:11 this is not YAML: "),
        ("project: \"p\n", "1:10 this is not YAML: "),
        ("project: &a p\nentities: *a\n", "1:"),
        ("project: *a\n", "1:10 this is not YAML: "),
        ("project: !!str p\n", "1:10 a tag is not allowed"),
        ("? [a]\n: b\n", "1:3 a key is one name"),
        ("a: b\n---\nc: d\n", "2:1 a second document"),
        (
            "a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: b}}}}}}}}}}}}}}}}\n",
            "1:64 nested more than 16 deep",
        ),
    ] {
        let got = mistakes(text, None);
        assert!(got[0].starts_with(want), "{text}\nwanted: {want}\ngot: {got:#?}");
    }
    let bomb = "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n";
    assert!(mistakes(bomb, None)[0].contains("an anchor is not allowed in definitions; write the value out"));
}

#[test]
fn a_filter_is_found_wherever_it_is_written() {
    for (written, want) in [
        ("where: \"kind == 'x' && amount >> 3\"", "14:35 "),
        ("where: 'kind == \"it''s\" && amount >> 3'", "14:39 "),
        ("where: \"kind == \\\"x\\\" && amount >> 3\"", "14:37 "),
        ("where: kind == \"x\" &&\n      amount >> 3", "15:14 "),
        ("where: >-\n      kind == \"x\"\n      && amount >> 3", "16:17 "),
        ("where: >\n\n      amount >> 3", "16:14 "),
        ("where: |\n      kind == \"x\" &&\n      amount >> 3\n", "16:14 "),
    ] {
        let text = with_features("a: { count: true, windows: [5m] }");
        let text = text.replace("    source: s\n", &format!("    source: s\n    {written}\n"));
        let got = mistakes(&text, None);
        assert!(got.len() == 1 && got[0].starts_with(want), "{written}\n{got:#?}");
    }
}

#[test]
fn a_column_counts_characters_however_long_the_line() {
    let text = with_features("a: { count: true, windows: [5m] }");
    for (length, line_end) in [(1, "\n"), (254, "\r\n"), (255, "\n"), (256, "\r\n"), (400, "\n")] {
        let filter = format!("    where: kind == \"{}\" && amount >> 3\n", "ü€".repeat(length));
        let text = text.replace("    source: s\n", &format!("    source: s\n{filter}")).replace('\n', line_end);
        only(&text, &format!("14:{} `where`: `>>`", 33 + 2 * length));
    }
}

#[test]
fn everything_is_bounded() {
    let many = |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<Vec<_>>().join("\n");
    let measures = |count| many(count, &|at| format!("f{at}: {{ count: true, where: amount > {at}, windows: [5m] }}"));
    assert_eq!(plan(&with_features(&measures(63))).views[0].measures.len(), 64);
    feature(&measures(64), "78:7 a view has at most 64 different pairs of number and `where`");
    let features = many(1025, &|at| format!("f{at}: {{ count: true, window: 5m }}"));
    feature(&features, "1039:7 a view has at most 1024 features");
    let results =
        many(1024, &|at| format!("f{at}: {{ count: true, windows: [{}] }}", ["5m", "5m, 1h"][usize::from(at == 9)]));
    feature(&results, "1038:39 a view has at most 1024 results");
    let long = format!("{}: {{ count: true, window: 5m }}", "x".repeat(129));
    feature(&long, "15:7 a name of a feature has at most 128 characters");
    let hops = many(17, &|at| format!("f{at}: {{ count: true, window: {}s, hop: {}s }}", 5 << (at + 1), 5 << at));
    feature(&hops, "11:3 17 different hops; a view has at most 16");
    let big = format!("# {}\n", "x".repeat(limits::DEFINITIONS_BYTES_MAX));
    only(&big, "1:1 1048579 bytes; definitions have at most 1048576");
    let wrong = many(300, &|at| format!("f{at}: {{ sum: nope, windows: [5m] }}"));
    let found = compile(&with_features(&wrong), "d.yaml", None, ControlIndex(0)).unwrap_err();
    assert_eq!((found.list.len(), found.more), (100, 200));
    assert!(found.to_string().ends_with("d.yaml: and 200 more mistakes"));
    let views = many(1025, &|at| format!("  w{at}: {{}}"));
    only(
        &with_features("").replace("  v:\n    entity: user\n    source: s\n    features:\n", &views),
        "1035:3 `feature_views` has at most 1024 names",
    );
    let keys: Vec<String> = (0..9).map(|at| format!("k{at}")).collect();
    let fields: String = keys.iter().map(|key| format!("{key}: {key}, ")).collect();
    let text = with_features("a: { count: true, windows: [5m] }");
    let text = text
        .replace("[user_id]", &format!("[{}]", keys.join(", ")))
        .replace("fields: { ", &format!("fields: {{ {fields}"));
    only(&text, "3:55 entity `user`, `join_keys`: more than 8 names");
}

/// Few enough tiles, each of which may hold so much that all of them are too many bytes.
#[test]
fn a_view_whose_entities_could_be_too_large_is_refused() {
    let often = |hop: &str| format!("often: {{ top_k: lower(kind), k: 3, windows: [5h], hop: {hop} }}");
    let want = "11:3 an entity of this view could take 39748592 bytes (3663 tiles of 10848 bytes, and its newest rows), more than \
                33554432: write coarser hops";
    feature(&often("5s"), want);
    let plan = plan(&with_features(&often("10s")));
    assert!(plan.largest_entity(&plan.views[0]).bytes() <= crate::limits::ENTITY_BYTES_MAX);
}

/// A tile of an exact window keeps its rows, with all texts that its ladder counts.
#[test]
fn what_exact_windows_keep_is_bounded_before_an_event_is_there() {
    let texts = |hop: &str| {
        format!(
            "a: {{ mode: lower(kind), windows: [1m], hop: {hop} }}\nb: {{ mode: upper(kind), windows: [1m], hop: {hop} }}"
        )
    };
    let want = "11:3 an entity of this view could take 40309888 bytes (367 tiles of 109776 bytes, 256 rows of 344 in each, \
                because windows are exact, and its newest rows), more than 33554432";
    feature(&texts("exact"), want);
    let plan = plan(&with_features(&texts("1s")));
    assert!(plan.largest_entity(&plan.views[0]).bytes() <= crate::limits::ENTITY_BYTES_MAX);
}
