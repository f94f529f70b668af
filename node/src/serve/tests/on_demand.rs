//! On-demand features: the same values by gRPC, by Feast's API and in a push, and what is refused.

use featuregrid_protocol::wire::v1::request_column::Values;
use featuregrid_protocol::wire::v1::{Decimals, Floats, Ints, RequestColumn, Texts};
use serde_json::json;

use super::*;
use crate::serve::feast::tests::ask;

fn definitions() -> String {
    let request = "    request: { amount: decimal(2), country: text, at: timestamp }\n    derived:\n      \
        over: { expr: request.amount / mean_1h, default: 1 }\n      \
        german: 'one_hot(request.country, \"DE\")'\n      hour: 'hour_of_day(request.at, \"Europe/Berlin\")'\n      \
        per_event: total_1h / count_5m\n";
    let derived = "    derived: { per_event: total_1h / count_5m }\n";
    assert!(DEFINITIONS.contains(derived));
    DEFINITIONS.replace(derived, request).replace("[spend:per_event, ", "[spend:german, spend:over, ")
}

fn column(name: &str, values: Values, nulls: &[u32]) -> RequestColumn {
    RequestColumn { name: name.to_owned(), values: Some(values), nulls: nulls.to_vec() }
}

fn texts(values: &[&str]) -> Values {
    Values::Texts(Texts { values: values.iter().map(|text| (*text).to_owned()).collect() })
}

/// What is shown of an entity: values and statuses.
fn shown(reply: &GetFeaturesResponse, entity: usize) -> Vec<String> {
    let one = |column: &FeatureColumn| {
        format!("{} {} {}", column.feature, column.value(entity), column.status(entity).as_str_name())
    };
    reply.features.iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn values_sent_with_a_read_are_answered_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (node, server, mut client, _) = served_with(&folder, &definitions()).await;
    let pushed = PushRequest {
        service: "model".to_owned(),
        views: Vec::new(),
        request: vec![column("amount", Values::Ints(Ints { values: vec![3] }), &[])],
        ..event("12:00:00")
    };
    let reply = client.push(pushed.clone()).await.unwrap().into_inner();
    let null = "german 0 PRESENT";
    assert_eq!(shown(&reply.before.unwrap(), 0), [null, "over null NOT_FOUND", "count_5m null NOT_FOUND"]);
    assert_eq!(shown(&reply.after.unwrap(), 0), [null, "over 1.5 PRESENT", "count_5m 1 PRESENT"]);

    // One row for each entity, in the order of the call, whichever shard holds it.
    let sent = GetFeaturesRequest {
        service: "model".to_owned(),
        views: Vec::new(),
        request: vec![
            column("amount", Values::Decimals(Decimals { unscaled: vec![500, 700, 900], scale: 2 }), &[1]),
            column("country", texts(&["FR", "DE", "DE"]), &[]),
        ],
        ..request(&["u1", "u1", "nobody"])
    };
    let reply = client.get_features(sent.clone()).await.unwrap().into_inner();
    assert_eq!(shown(&reply, 0), ["german 0 PRESENT", "over 2.5 PRESENT", "count_5m 1 PRESENT"]);
    assert_eq!(shown(&reply, 1), ["german 1 PRESENT", "over 1.0 DEFAULTED", "count_5m 1 PRESENT"]);
    assert_eq!(shown(&reply, 2), ["german 1 PRESENT", "over null NOT_FOUND", "count_5m null NOT_FOUND"]);
    assert_eq!(client.get_features(sent.clone()).await.unwrap().into_inner(), reply, "the same again");

    // What needs nothing is answered without; what is declared as another type is read as it.
    let reply = client.get_features(request(&["u1"])).await.unwrap().into_inner();
    let want = ["over 1.0 DEFAULTED", "german 0 PRESENT", "hour null NULL_VALUE", "per_event 2.0 PRESENT"];
    assert_eq!(shown(&reply, 0)[3..], want);
    let typed = |values| GetFeaturesRequest { request: vec![column("at", values, &[])], ..request(&["u1"]) };
    let millis = Values::Ints(Ints { values: vec![AT / 1000] });
    for values in [Values::TimestampsMicros(Ints { values: vec![AT] }), millis, texts(&["2026-01-01T12:00:00Z"])] {
        let reply = client.get_features(typed(values)).await.unwrap().into_inner();
        assert_eq!(shown(&reply, 0)[5], "hour 13 PRESENT");
    }

    for (columns, words) in [
        (
            vec![column("amout", texts(&["1"]), &[])],
            "`amout` is no request value of the views that are read; they declare: amount, at, country",
        ),
        (
            vec![column("amount", texts(&["much"]), &[])],
            "request value `amount` of row 0 is \"much\"; feature view `spend` declares it as decimal(2)",
        ),
        (
            vec![column("amount", Values::Floats(Floats { values: vec![f64::INFINITY] }), &[])],
            "row 0 is inf; feature view `spend`",
        ),
        (vec![column("country", Values::Ints(Ints { values: vec![49] }), &[])], "declares it as text"),
        (vec![column("country", texts(&["DE", "FR"]), &[])], "has 2 values and the read 1 entities"),
        (vec![column("country", texts(&["DE"]), &[]); 2], "`country` is sent twice"),
        (vec![column("country", texts(&["DE"]), &[1])], "nulls name an entity"),
        (vec![RequestColumn::default(); 262_145], "262145 request values for 1 entities; one read takes 262144"),
    ] {
        let refused = GetFeaturesRequest { request: columns.clone(), ..request(&["u1"]) };
        let refused = client.get_features(refused).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains(words), "{}", refused.message());
        // Nor is an event appended whose values are wrong.
        let pushed = PushRequest { request: columns, ..pushed.clone() };
        assert_eq!(client.push(pushed).await.unwrap_err().code(), Code::InvalidArgument);
    }
    assert_eq!(node.log_ends().unwrap().0.values().sum::<u64>(), 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feast_client_sends_them_beside_its_join_keys() {
    let folder = tempfile::tempdir().unwrap();
    let (node, server, mut client, _) = served_with(&folder, &definitions()).await;
    let feast = FeastServer::start(Arc::clone(&node), "127.0.0.1:0").await.unwrap();
    // Of now: Feast has no other instant.
    let now = crate::clock::wall().to_string();
    let payload = format!("{{\"user_id\":\"u1\",\"amount\":2,\"ts\":{now:?}}}").into_bytes();
    client.push(PushRequest { payload, ..event("12:00:00") }).await.unwrap();

    let features = ["spend:over", "spend:german", "spend:hour", "spend:count_5m"];
    let entities = json!({ "user_id": ["u1", "u1", "nobody"], "amount": [5, null, "1.00"], "country": ["FR", "DE", "DE"],
        "at": ["2026-07-01T12:00:00Z", 1_767_268_800_000_i64, null] });
    let body = json!({ "entities": entities, "features": features });
    let reply = ask(&feast, "POST /get-online-features", &body.to_string()).await.json();
    assert_eq!(reply["metadata"]["feature_names"], json!(["user_id", "over", "german", "hour", "count_5m"]));
    let values: Vec<_> = reply["results"].as_array().unwrap().iter().map(|column| column["values"].clone()).collect();
    let want = [json!([2.5, 1.0, null]), json!([0, 1, 1]), json!([14, 13, null]), json!([1, 1, null])];
    assert_eq!(values[1..], want);
    assert_eq!(reply["results"][1]["statuses"], json!(["PRESENT", "PRESENT", "NOT_FOUND"]));
    assert_eq!(reply["results"][2]["statuses"], json!(["PRESENT", "PRESENT", "PRESENT"]));
    assert_eq!(reply["results"][3]["statuses"], json!(["PRESENT", "PRESENT", "NULL_VALUE"]));

    let wrong = json!({ "entities": { "user_id": ["u1"], "amount": [true] }, "features": features });
    let (status, class, message) = ask(&feast, "POST /get-online-features", &wrong.to_string()).await.refusal();
    assert_eq!((status, class.as_str()), (400, "FeastError"));
    assert_eq!(message, "request value `amount` of row 0 is true; feature view `spend` declares it as decimal(2)");
    feast.stop().await;
    server.stop().await;
}
