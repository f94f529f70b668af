//! What people are told before they change definitions.

use super::*;

const BASE: &str = "n: { count: true, windows: [5m, 1h] }\ns: { sum: amount, windows: [1h] }";

fn told(old: &str, new: &str) -> Vec<String> {
    let first = plan(old);
    let changes = changes(&first, &after(new, &first, 1));
    changes.iter().map(|one| format!("{} {}: {}", one.kind.name(), one.subject, one.effect.name())).collect()
}

#[test]
fn features_come_with_their_history_or_without() {
    let base = with_features(BASE);
    assert_eq!(told(&base, &base), [""; 0]);
    for (features, want) in [
        ("m: { mean: amount, windows: [5m] }", "added feature v:m_5m: at_once"),
        ("m: { max: count, windows: [5m] }", "added feature v:m_5m: from_activation"),
        ("m: { count: true, windows: [24h] }", "added feature v:m_24h: from_activation"),
        ("m: { count: true, windows: [tumbling 30m] }", "added feature v:m_tumbling_30m: at_once"),
        ("m: { count: true, windows: [tumbling 30m last] }", "added feature v:m_last_tumbling_30m: at_once"),
        ("m: { count: true, windows: [tumbling 1h last] }", "added feature v:m_last_tumbling_1h: from_activation"),
    ] {
        assert_eq!(told(&base, &with_features(&format!("{BASE}\n{features}"))), [want]);
    }
    for (from, to, want) in [
        ("sum: amount", "mean: amount", "changed feature v:s_1h: at_once"),
        ("sum: amount", "max: amount", "changed feature v:s_1h: from_activation"),
        ("sum: amount", "sum: count", "changed feature v:s_1h: from_activation"),
        ("sum: amount", "sum: amount, default: 1", "changed feature v:s_1h: at_once"),
        ("sum: amount", "sum: amount, exclude_current: true", "changed feature v:s_1h: at_once"),
        ("sum: amount", "sum: amount, offset: 1h", "changed feature v:s_1h: from_activation"),
        ("[5m, 1h]", "[5m]", "removed feature v:n_1h: at_once"),
        ("\n      s: { sum: amount, windows: [1h] }", "", "removed feature v:s_1h: forgotten"),
        ("    source: s\n", "    source: s\n    max_age: 1h\n", "changed max_age of view v: at_once"),
        ("    source: s\n", "    source: s\n    where: ok == true\n", "changed view v: from_activation"),
        ("ts\n", "ts\n    late_policy: drop\n", "changed late_policy of source s: from_activation"),
        (
            "ts\n",
            "ts\n  s2: { kafka: { topic: u }, format: json, fields: { a: a }, event_timestamp: t }\n",
            "added source s2: from_earliest",
        ),
        ("feature_views:", "feature_services: { one: [v] }\nfeature_views:", "added service one: at_once"),
    ] {
        assert!(base.contains(from), "{from}");
        assert_eq!(told(&base, &base.replacen(from, to, 1)), [want], "{to}");
    }
}

#[test]
fn what_is_derived_begins_with_the_last_it_uses() {
    let with = |features: &str, derived: &str| {
        with_features(features).replace("    source: s\n", &format!("    source: s\n    derived: {derived}\n"))
    };
    let base = with(BASE, "{ x: s_1h / n_1h }");
    assert_eq!(told(&base, &with(BASE, "{ x: s_1h / n_5m }")), ["changed feature v:x: at_once"]);
    let more = format!("{BASE}\nm: {{ max: count, windows: [1h] }}");
    assert_eq!(
        told(&base, &with(&more, "{ x: s_1h / n_1h, y: x * m_1h }")),
        ["added feature v:m_1h: from_activation", "added feature v:y: from_activation"]
    );
    let (sent, typed) = ("request: { x: int, y: text }\n    derived", "request: { x: decimal(1) }\n    derived");
    let wide = with(BASE, "{ x: s_1h / request.x }").replacen("derived", sent, 1);
    assert_eq!(
        told(&base, &wide),
        ["added request value v:x: at_once", "added request value v:y: at_once", "changed feature v:x: at_once"]
    );
    assert_eq!(
        told(&wide, &wide.replacen(sent, typed, 1)),
        ["changed request value v:x: at_once", "removed request value v:y: at_once", "changed feature v:x: at_once"]
    );
    let default = with(BASE, "{ x: { expr: s_1h / n_1h, default: 0 } }");
    assert_eq!(told(&base, &default), ["changed feature v:x: at_once"]);
    let views =
        base.clone() + "  w:\n    entity: user\n    source: s\n    features: { a: { count: true, windows: [5m] } }\n";
    assert_eq!(told(&base, &views), ["added view w: from_activation"]);
    assert_eq!(told(&views, &base), ["removed view w: forgotten"]);
}
