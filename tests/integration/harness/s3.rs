//! Real S3 servers, a careful one and a careless one, each for one test. Knows no object.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::Scratch;

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("s3").join(name)
}

/// What a command finds in its environment, but the endpoint.
const CREDENTIALS: [(&str, &str); 3] =
    [("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "labaccess"), ("AWS_SECRET_ACCESS_KEY", "labsecret123")];

fn environment(endpoint: &str) -> Vec<(&str, &str)> {
    CREDENTIALS.into_iter().chain([("AWS_ENDPOINT_URL", endpoint)]).collect()
}

/// A server with one bucket, `grid`; ends with its test.
pub(crate) struct S3 {
    folder: Scratch,
    endpoint: String,
}

impl S3 {
    pub(crate) fn start() -> Self {
        let folder = Scratch::new();
        let output = Command::new(script("server"))
            .args(["start", &folder.at("s3")])
            .env("UNTIL_PID", std::process::id().to_string())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .expect("tests/s3/server starts");
        assert!(output.status.success(), "the S3 server did not start: run .ci/setup, or see the lines above");
        let stdout = String::from_utf8_lossy(&output.stdout);
        Self { endpoint: stdout.lines().last().unwrap_or_default().to_owned(), folder }
    }

    /// For those who use it.
    pub(crate) fn environment(&self) -> Vec<(&str, &str)> {
        environment(&self.endpoint)
    }

    /// Names below a folder of the bucket.
    pub(crate) fn names(&self, below: &str) -> Vec<String> {
        let entries =
            std::fs::read_dir(self.folder.at(&format!("s3/data/grid/{below}"))).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let mut stop = Command::new(script("server"));
        drop(stop.args(["stop", &self.folder.at("s3")]).stderr(Stdio::null()).status());
    }
}

/// A server that ignores conditions; ends with its test.
pub(crate) struct Careless {
    process: Child,
    endpoint: String,
}

impl Careless {
    pub(crate) fn start() -> Self {
        let mut process = Command::new(script("careless.py")).stdout(Stdio::piped()).spawn().expect("Python starts");
        let mut endpoint = String::new();
        let stdout = process.stdout.take().expect("its output is ours");
        BufReader::new(stdout).read_line(&mut endpoint).expect("it says where it is");
        Self { process, endpoint: endpoint.trim().to_owned() }
    }

    /// For those who use it.
    pub(crate) fn environment(&self) -> Vec<(&str, &str)> {
        environment(&self.endpoint)
    }
}

impl Drop for Careless {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
