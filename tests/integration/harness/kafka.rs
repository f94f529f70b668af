//! One real Apache Kafka for all tests of a run. Knows no topic.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::Scratch;

/// Address of the listener that wants TLS and a password, and who signed its certificate.
#[cfg(feature = "tls")]
pub(crate) fn secure_brokers() -> (&'static str, &'static str) {
    static SECURED: OnceLock<(String, String)> = OnceLock::new();
    let (address, ca) = SECURED.get_or_init(|| {
        let folder = Path::new(start().1).join("secure");
        let address = std::fs::read_to_string(folder.join("address")).expect("the broker was started with SECURE=1");
        (address.trim().to_owned(), folder.join("ca.pem").display().to_string())
    });
    (address, ca)
}

/// Bootstrap address; the broker is started by the first that asks and ends with this process.
pub(crate) fn brokers() -> &'static str {
    start().0
}

/// The address, and the broker's folder.
fn start() -> (&'static str, &'static str) {
    static BROKER: OnceLock<(String, String, Scratch)> = OnceLock::new();
    let (address, path, _) = BROKER.get_or_init(|| {
        let folder = Scratch::new();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("kafka/broker");
        let output = Command::new(script)
            .args(["start", &folder.at("kafka")])
            .env("UNTIL_PID", std::process::id().to_string())
            .env("SECURE", if cfg!(feature = "tls") { "1" } else { "" })
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .expect("tests/kafka/broker starts");
        assert!(output.status.success(), "Kafka did not start: run .ci/setup, or see the lines above");
        let stdout = String::from_utf8_lossy(&output.stdout);
        (stdout.lines().last().unwrap_or_default().to_owned(), folder.at("kafka"), folder)
    });
    (address, path)
}
