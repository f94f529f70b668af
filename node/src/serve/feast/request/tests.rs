//! What a body asks for, and every way to ask wrongly.
use featuregrid_protocol::definition::compile;
use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::request::Sent;

use super::*;

const DEFINITIONS: &str = "
project: shop
entities:
  user: { join_keys: [user_id] }
  basket: { join_keys: [user_id, item] }
sources:
  orders:
    kafka: { topic: orders }
    format: json
    fields: { user_id: user_id, item: item, amount: { path: amount, type: decimal(2) } }
    event_timestamp: ts
feature_views:
  spend:
    entity: user
    source: orders
    features: { total: { sum: amount, windows: [1h, 24h] } }
  bought:
    entity: basket
    source: orders
    features: { total: { sum: amount, windows: [1h] }, count: { count: true, windows: [1h] } }
  visits:
    entity: user
    source: orders
    features: { visits: { count: true, windows: [1h] } }
  risk:
    entity: user
    source: orders
    features: { mean: { mean: amount, windows: [1h] } }
    request: { amount: decimal(2), country: text }
    derived: { over: request.amount / mean_1h, german: 'one_hot(request.country, \"DE\")' }
feature_services:
  model: [visits, spend:total_24h]
";

fn plan() -> Plan {
    compile(DEFINITIONS, "shop", None, ControlIndex(0)).unwrap()
}

fn key(parts: &[&str]) -> Arc<[u8]> {
    let mut bytes = Vec::new();
    key::encode(parts.iter().copied(), &mut bytes);
    bytes.into()
}

#[test]
fn views_with_the_same_keys_are_read_together() {
    let plan = plan();
    let body = br#"{"entities": {"user_id": ["u1", 7.50], "item": [-3, "\u00e9"], "beside": [null, {}]},
        "features": ["visits:visits_1h", "bought:count_1h", "spend@latest:total_1h", "spend:total_24h"],
        "feature_service": null, "include_feature_view_version_metadata": false}"#;
    let question = question(&plan, body).unwrap();
    assert_eq!(question.names, ["visits_1h", "count_1h", "total_1h", "total_24h"]);
    assert_eq!(question.entities, [("user_id", vec!["\"u1\"", "7.50"]), ("item", vec!["-3", "\"\\u00e9\""])]);
    let of = |view, results: &[&str]| {
        let view = plan.view_index(view).unwrap();
        let results = results.iter().map(|result| plan.views[view].result_index(result).unwrap()).collect();
        Selection { view, results }
    };
    let spend = of("spend", &["total_1h", "total_24h"]);
    let users = Group {
        selections: vec![of("visits", &["visits_1h"]), spend],
        sent: vec![SentColumns::default(); 2],
        keys: vec![key(&["u1"]), key(&["7.50"])],
    };
    let baskets = Group {
        selections: vec![of("bought", &["count_1h"])],
        sent: vec![SentColumns::default()],
        keys: vec![key(&["u1", "-3"]), key(&["7.50", "é"])],
    };
    assert_eq!(question.groups, [users, baskets]);
}

#[test]
fn request_values_are_further_columns() {
    let plan = plan();
    let body = br#"{"entities": {"user_id": ["u1", "u2"], "amount": [12.505, null], "country": ["DE", "\u00e9"], "item": [1, 2]},
        "features": ["visits:visits_1h", "risk:over", "risk:german"]}"#;
    let question = question(&plan, body).unwrap();
    assert_eq!(question.entities, [("user_id", vec!["\"u1\"", "\"u2\""])], "they are no part of the reply");
    let [users] = &question.groups[..] else { panic!("{question:?}") };
    assert_eq!(users.sent[0], SentColumns::default());
    let row = |row: usize| [0, 1].map(|value| users.sent[1].row(row).get(value).clone());
    assert_eq!(row(0), [Sent::Number(1250), Sent::Text("DE".into())]);
    assert_eq!(row(1), [Sent::Null, Sent::Text("é".into())]);
}

#[test]
fn a_service_names_its_own_features() {
    let plan = plan();
    let body = br#"{"entities": {"user_id": ["u1"]}, "feature_service": "model", "full_feature_names": true}"#;
    assert_eq!(question(&plan, body).unwrap().names, ["visits__visits_1h", "spend__total_24h"]);
}

#[test]
fn a_wrong_request_is_told_what_is_wrong() {
    let plan = plan();
    let refused = |body: &str| question(&plan, body.as_bytes()).map(|_| ()).unwrap_err();
    let with = |entities: &str| refused(&format!(r#"{{"entities": {entities}, "features": ["spend:total_1h"]}}"#));
    for (refusal, words) in [
        (with(r#"{"user_id": ["u1", null]}"#), "`user_id` of row 1 is null"),
        (with(r#"{"user_id": [true]}"#), "`user_id` of row 0 is true"),
        (with(r#"{"user_id": [["u1"]]}"#), "`user_id` of row 0 is [\"u1\"]"),
        (with(r#"{"card_id": ["c1"]}"#), "`spend` is keyed by user_id: entities lacks `user_id`, it has card_id"),
        (with(r#"{"user_id": ["u1"], "card_id": []}"#), "`card_id` has 0 values and `user_id` has 1"),
        (with(r#"{"user_id": []}"#), "has no value"),
        (with("{}"), "entities is empty"),
        (with(&format!("{{\"user_id\": [\"{}\"]}}", "x".repeat(1025))), "longer than 1024 bytes"),
        (with(&format!("{{\"user_id\": [{}1]}}", "1,".repeat(4096))), "4097 entities"),
        (
            refused(r#"{"entities": {"user_id": ["u1", "u2"], "amount": [1, "much"]}, "features": ["risk:over"]}"#),
            "request value `amount` of row 1 is \"much\"; feature view `risk` declares it as decimal(2)",
        ),
        (
            refused(r#"{"entities": {"user_id": ["u1"], "amout": [1]}, "features": ["risk:over"]}"#),
            "entities: `amout` is no join key and no request value; declared are: amount, country",
        ),
        (refused(r#"{"entities": {"user_id": ["u1"]}}"#), "name features"),
        (refused(r#"{"entities": {"user_id": ["u1"]}, "features": ["total_1h"]}"#), "write view:feature"),
        (refused(r#"{"entities": [1]}"#), "not a request for online features"),
        (refused("nothing"), "not a request for online features"),
    ] {
        assert_eq!((refusal.status, refusal.class), (StatusCode::BAD_REQUEST, "FeastError"), "{words}");
        assert!(refusal.message.contains(words), "{} lacks {words}", refusal.message);
    }
}

#[test]
fn unknown_names_and_doubled_ones_have_feasts_classes() {
    let plan = plan();
    let refused = |wanted: &str| {
        let body = format!(r#"{{"entities": {{"user_id": ["u1"], "item": [1]}}, {wanted}}}"#);
        let refusal = question(&plan, body.as_bytes()).map(|_| ()).unwrap_err();
        (refusal.status.as_u16(), refusal.class)
    };
    assert_eq!(refused(r#""features": ["spent:total_1h"]"#), (404, "FeatureViewNotFoundException"));
    assert_eq!(refused(r#""features": ["spend@v2:total_1h"]"#), (404, "FeatureViewNotFoundException"));
    assert_eq!(refused(r#""features": ["spend:total_5m"]"#), (404, "FeastObjectNotFoundException"));
    assert_eq!(refused(r#""feature_service": "models""#), (404, "FeatureServiceNotFoundException"));
    assert_eq!(refused(r#""features": ["spend:total_1h", "bought:total_1h"]"#), (400, "FeatureNameCollisionError"));
    let twice = r#""features": ["spend:total_1h", "spend:total_1h"], "full_feature_names": true"#;
    assert_eq!(refused(twice), (400, "FeatureNameCollisionError"));
}
