//! The API as an HTTP client sees it, byte by byte over a socket.
use std::collections::BTreeMap;

use featuregrid_protocol::ids::SourceId;
use featuregrid_protocol::limits::FEAST_BODY_BYTES_MAX;
use featuregrid_protocol::time::{Span, Timestamp};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::super::tests::{DEFINITIONS, node};
use super::*;
use crate::clock;
use crate::ingest::NewRecord;

pub(in crate::serve) struct Reply {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Reply {
    pub(in crate::serve) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }

    /// Class and message of a refusal.
    pub(in crate::serve) fn refusal(&self) -> (u16, String, String) {
        let detail: Value = serde_json::from_str(self.json().as_str().unwrap()).unwrap();
        assert_eq!(detail["module"], "feast.errors");
        let text = |name: &str| detail[name].as_str().unwrap().to_owned();
        (self.status, text("class"), text("message"))
    }
}

/// One request over a connection of its own.
pub(in crate::serve) async fn ask(server: &FeastServer, line: &str, body: &str) -> Reply {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = format!("{line} HTTP/1.1\r\nhost: grid\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    // A server that refuses by the head alone need not read the body.
    let _ = stream.write_all(body.as_bytes()).await;
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply).await;
    let reply = String::from_utf8(reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, text)| (name.to_owned(), text.to_owned()));
    Reply { status, headers: headers.collect(), body: body.to_owned() }
}

fn payment(user: &str, at: Timestamp) -> NewRecord {
    let payload = format!("{{\"user_id\":{user},\"amount\":2.50,\"ts\":\"{at}\"}}");
    NewRecord { admit: false, source: SourceId(0), key: None, timestamp: at, payload: Some(payload.into_bytes()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feast_client_gets_columns_of_one_instant() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder, DEFINITIONS).await;
    let server = FeastServer::start(Arc::clone(&node), "127.0.0.1:0").await.unwrap();
    assert_eq!(ask(&server, "GET /health", "").await.status, 503);
    server.set_serving();
    assert_eq!(ask(&server, "GET /health", "").await.status, 200);

    let now = clock::wall();
    // The event of the second user is ahead of the clock, as that of a producer with a clock of its own.
    let (past, ahead) = (now - Span::seconds(60), now + Span::seconds(200));
    node.log.append(&[payment("\"u1\"", past), payment("\"u1\"", past), payment("7", ahead)]).unwrap();
    let ends = node.log_ends().unwrap();
    assert!(node.reaches(&ends, std::time::Instant::now() + std::time::Duration::from_secs(10)).await);

    let body = json!({
        "entities": { "user_id": ["u1", 7, "nobody"] }, "features": ["spend:count_5m", "spend:total_1h", "spend:mean_1h"],
        "full_feature_names": true,
    });
    let reply = ask(&server, "POST /get-online-features", &body.to_string()).await;
    assert_eq!((reply.status, reply.headers["content-type"].as_str()), (200, "application/json"), "{}", reply.body);
    assert_eq!(Timestamp::parse(&reply.headers["featuregrid-instant"]), Ok(ahead + Span::TICK));
    let (past, ahead, never) = (reply::instant(past), reply::instant(ahead), "1970-01-01T00:00:00Z");
    let statuses = ["PRESENT", "PRESENT", "NOT_FOUND"];
    let column =
        |values: Value| json!({ "values": values, "statuses": statuses, "event_timestamps": [past, ahead, never] });
    let present = ["PRESENT", "PRESENT", "PRESENT"];
    let want = json!({
        "metadata": { "feature_names": ["user_id", "spend__count_5m", "spend__total_1h", "spend__mean_1h"] },
        "results": [
            { "values": ["u1", 7, "nobody"], "statuses": present, "event_timestamps": [never, never, never] },
            column(json!([2, 1, null])), column(json!([5.0, 2.5, null])), column(json!([2.5, 2.5, null])),
        ],
        "status": true,
    });
    assert_eq!(reply.json(), want);
    assert!(reply.body.contains("\"values\":[5.0,2.5,null]"), "{}", reply.body);

    let body = json!({ "entities": { "user_id": ["u1"] }, "feature_service": "model" });
    let reply = ask(&server, "POST /get-online-features", &body.to_string()).await;
    assert_eq!(reply.json()["metadata"]["feature_names"], json!(["user_id", "per_event", "count_5m"]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_a_json_string_whatever_was_asked() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder, DEFINITIONS).await;
    let server = FeastServer::start(Arc::clone(&node), "127.0.0.1:0").await.unwrap();
    let body = json!({ "entities": { "user_id": ["u1", null] }, "features": ["spend:count_5m"] }).to_string();
    for (line, body, status, class, words) in [
        ("POST /get-online-features", body.as_str(), 400, "FeastError", "is null"),
        ("POST /get-online-features", "{", 400, "FeastError", "not a request"),
        ("POST /push", "{}", 501, "FeastError", "featuregrid push"),
        ("POST /write-to-online-store", "{}", 501, "FeastError", "featuregrid push"),
        ("POST /materialize-incremental", "{}", 501, "FeastError", "live"),
        ("GET /get-online-features", "", 405, "FeastError", "does not take GET"),
        ("GET /features", "", 404, "FeastError", "no /features"),
    ] {
        let (got, kind, message) = ask(&server, line, body).await.refusal();
        assert_eq!((got, kind.as_str()), (status, class), "{line}");
        assert!(message.contains(words), "{line}: {message} lacks {words}");
    }
    let large = " ".repeat(FEAST_BODY_BYTES_MAX + 1);
    let (status, _, message) = ask(&server, "POST /get-online-features", &large).await.refusal();
    assert_eq!((status, message.contains("at most 4194304 bytes")), (413, true), "{message}");

    let taken = FeastServer::start(node, &server.address().to_string()).await.map(|_| ()).unwrap_err().to_string();
    assert!(taken.contains("choose another --feast, or --feast off"), "{taken}");
    server.stop().await;
}
