//! Against a real S3 server, and one that ignores conditions. Each test has a server of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use featuregrid_actors::ports::{GetOutcome, Key, PutCondition, PutOutcome, Requests, StoreReply, StoreRequest};
use featuregrid_protocol::ids::ControlIndex;

use super::connect::{load, reach};
use super::*;
use crate::store::meter::Meter;
use crate::store::open::OpenStoreError;
use crate::store::selftest::check;
use crate::store::settings::Bucketed;
use crate::store::suite::{Tried, holds};

const BUCKET: &str = "grid";

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/s3").join(name)
}

/// A server that ends with its test.
struct Server {
    folder: tempfile::TempDir,
    endpoint: String,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(script("server"));
        command.arg("start").arg(folder.path()).env("UNTIL_PID", std::process::id().to_string());
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "the S3 server did not start: run .ci/setup, or see the lines above");
        let stdout = String::from_utf8(output.stdout).unwrap();
        Self { folder, endpoint: stdout.lines().last().unwrap().to_owned() }
    }

    fn told(&self, what: &str) {
        let done = Command::new(script("server")).arg(what).arg(self.folder.path()).status().unwrap();
        assert!(done.success(), "{what}");
    }

    async fn open(&self, bucket: &str, secret: &str) -> Result<S3Store, OpenStoreError> {
        open(&self.endpoint, bucket, secret).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(Command::new(script("server")).arg("stop").arg(self.folder.path()).stderr(Stdio::null()).status());
    }
}

async fn open(endpoint: &str, bucket: &str, secret: &str) -> Result<S3Store, OpenStoreError> {
    let bucketed =
        Bucketed { endpoint: Some(endpoint.to_owned()), region: Some("us-east-1".to_owned()), ..Bucketed::default() };
    let credentials = Credentials::new("labaccess", secret, None, None, "tests");
    let sdk = load(&bucketed).await.into_builder();
    let sdk = sdk.credentials_provider(SharedCredentialsProvider::new(credentials)).build();
    let meter = Arc::new(Meter::default());
    reach(&sdk, bucket, "some/where/", &bucketed, meter, Duration::from_secs(3)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_is_an_object_store() {
    let server = Server::start();
    let store = server.open(BUCKET, "labsecret123").await.unwrap();
    assert_eq!(store.place(), "s3://grid/some/where");
    let root = server.folder.path().join("data").join(BUCKET).join("some/where");
    let intrude = |name: &str| {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "not ours").unwrap();
    };
    holds(&Tried { store: Arc::new(store.clone()), intrude: Some(&intrude) }).await;
    let uploads = store.client.list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
    assert_eq!(uploads.uploads().len(), 0, "uploads that lost are taken back");
}

#[tokio::test]
async fn what_is_wrong_with_a_bucket_is_said() {
    let server = Server::start();
    let wrong = |error: Result<S3Store, OpenStoreError>| error.unwrap_err().to_string();
    let bucket = wrong(server.open("other", "labsecret123").await);
    assert!(bucket.starts_with("s3://other/some/where: there is no such bucket at http://127.0.0.1:"), "{bucket}");
    let secret = wrong(server.open(BUCKET, "guessed").await);
    assert!(secret.contains("does not know these credentials (403 SignatureDoesNotMatch"), "{secret}");
    let silent = wrong(open("http://127.0.0.1:1", BUCKET, "labsecret123").await);
    assert!(
        silent.starts_with("s3://grid/some/where: http://127.0.0.1:1 does not answer (dispatch failure: "),
        "{silent}"
    );
    assert!(silent.contains("Connection refused") && !silent.contains('{'), "{silent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_server_that_stands_still_nothing_is_known_in_time() {
    let server = Server::start();
    let store = server.open(BUCKET, "labsecret123").await.unwrap();
    let (mut requests, key) = (Requests::new(1, 1), Key::Control(ControlIndex(7)));
    let mut id = || requests.next_id();
    let put = |id| StoreRequest::Put { id, key: key.clone(), body: b"7"[..].into(), condition: PutCondition::Absent };
    server.told("pause");
    let begin = std::time::Instant::now();
    let (write, read) = (put(id()), StoreRequest::Get { id: id(), key: key.clone(), bytes: None });
    let (write, read) = tokio::join!(store.perform(write), store.perform(read));
    assert!(begin.elapsed() < Duration::from_millis(2_000), "{:?}", begin.elapsed());
    assert!(matches!(write, StoreReply::Put { outcome: PutOutcome::Unknown, .. }), "{write:?}");
    assert!(matches!(read, StoreReply::Get { outcome: GetOutcome::Unavailable, .. }), "{read:?}");
    server.told("resume");
    // The unknown write has landed by now, or is landing: sent again, it meets itself.
    let mut outcome = store.perform(put(id())).await;
    if let StoreReply::Put { outcome: PutOutcome::Unknown, .. } = outcome {
        outcome = store.perform(put(id())).await;
    }
    assert!(matches!(outcome, StoreReply::Put { outcome: PutOutcome::Done(_) | PutOutcome::Lost, .. }), "{outcome:?}");
    let found = store.perform(StoreRequest::Get { id: id(), key, bytes: None }).await;
    assert!(matches!(found, StoreReply::Get { outcome: GetOutcome::Found(_), .. }), "{found:?}");
}

/// The process of a server in Python.
struct Careless(Child);

impl Drop for Careless {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn a_server_that_ignores_conditions_is_refused() {
    let mut child = Command::new(script("careless.py")).stdout(Stdio::piped()).spawn().unwrap();
    let mut endpoint = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut endpoint).unwrap();
    let _careless = Careless(child);
    let store = open(endpoint.trim(), BUCKET, "any").await.unwrap();
    let store: Arc<dyn ObjectStore> = Arc::new(store);
    let refused = check(&store).await.unwrap_err().to_string();
    assert!(refused.starts_with("s3://grid/some/where ignores conditions: 4 of 4 writers that created"), "{refused}");
}
