//! One real Apache Kafka for all tests of a run. Knows no topic.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::Scratch;

/// Bootstrap address; the broker is started by the first that asks and ends with this process.
pub(crate) fn brokers() -> &'static str {
    static BROKER: OnceLock<(String, Scratch)> = OnceLock::new();
    let (address, _) = BROKER.get_or_init(|| {
        let folder = Scratch::new();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("kafka/broker");
        let output = Command::new(script)
            .args(["start", &folder.at("kafka")])
            .env("UNTIL_PID", std::process::id().to_string())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .expect("tests/kafka/broker starts");
        assert!(output.status.success(), "Kafka did not start: run .ci/setup, or see the lines above");
        let stdout = String::from_utf8_lossy(&output.stdout);
        (stdout.lines().last().unwrap_or_default().to_owned(), folder)
    });
    address
}
