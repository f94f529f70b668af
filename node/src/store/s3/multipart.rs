//! A large object, uploaded in parts: created, sent several parts at once, completed under its condition. The object appears
//! with the completion or not at all; whatever else happens, the parts are taken back.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use featuregrid_actors::ports::{Etag, PutCondition, PutOutcome};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::read::etag;
use super::write::headers;
use super::{Failure, S3Store, retry};

/// Bytes of a part. S3 takes 5 MiB to 5 GiB and 10,000 parts: enough for the largest object by far.
const PART: usize = 8 << 20;
/// Parts on their way at once: about what fills a link of 10 Gb/s from one S3 prefix, and a bound to memory held.
const AT_ONCE: usize = 4;
/// Taking parts back is tried for this long; a rule of the bucket may remove what is left after that.
const ABORT_MAX: Duration = Duration::from_secs(5);

/// An object that is to be uploaded.
pub(super) struct Upload {
    pub(super) store: S3Store,
    pub(super) name: String,
    pub(super) body: Bytes,
    pub(super) condition: PutCondition,
}

impl Upload {
    /// Uploads, and says what became of it.
    pub(super) async fn run(self, until: Instant) -> PutOutcome {
        let id = match retry::until(until, || self.create()).await {
            Ok(id) => id,
            Err(failure) => return self.did_not_land(&failure),
        };
        let outcome = match self.parts(&id, until).await {
            Ok(parts) => match tokio::time::timeout_at(until, self.complete(&id, parts)).await {
                Ok(Ok(etag)) => PutOutcome::Done(etag),
                Ok(Err(failure)) => self.store.failed(self.name.clone(), &failure, &self.condition),
                Err(_) => PutOutcome::Unknown,
            },
            Err(failure) => self.did_not_land(&failure),
        };
        // After a completion of which nothing is known, this settles that it does not land later.
        if !matches!(outcome, PutOutcome::Done(_)) {
            self.abort(&id).await;
        }
        outcome
    }

    /// Before the completion was sent, nothing can have landed.
    fn did_not_land(&self, failure: &Failure) -> PutOutcome {
        self.store.complaints.say(&self.name, failure, "an upload in parts was given up before it was complete");
        PutOutcome::Retry
    }

    async fn create(&self) -> Result<String, Failure> {
        let (encryption, kms) = self.store.encryption.header();
        let asked = self.store.client.create_multipart_upload().bucket(&self.store.bucket).key(&self.name);
        // Named here, so that the completion compares the sums of its parts: the server knows what we sent.
        let asked = asked.checksum_algorithm(ChecksumAlgorithm::Crc32);
        let asked = asked.set_server_side_encryption(encryption).set_ssekms_key_id(kms);
        let created = asked.send().await?;
        created.upload_id.ok_or_else(|| Failure::passing("the server named no upload"))
    }

    /// Sends every part, a few at once.
    async fn parts(&self, id: &str, until: Instant) -> Result<Vec<CompletedPart>, Failure> {
        let (mut sending, mut sent) = (JoinSet::new(), Vec::new());
        let mut rest = (1..).zip((0..self.body.len()).step_by(PART));
        loop {
            while sending.len() < AT_ONCE
                && let Some((number, from)) = rest.next()
            {
                let bytes = self.body.slice(from..self.body.len().min(from + PART));
                let (store, name, id) = (self.store.clone(), self.name.clone(), id.to_owned());
                sending.spawn(
                    async move { retry::until(until, || part(&store, &name, &id, number, bytes.clone())).await },
                );
            }
            match sending.join_next().await {
                Some(Ok(done)) => sent.push(done?),
                Some(Err(error)) => return Err(Failure::passing(error.to_string())),
                None => break,
            }
        }
        sent.sort_by_key(CompletedPart::part_number);
        Ok(sent)
    }

    async fn complete(&self, id: &str, parts: Vec<CompletedPart>) -> Result<Etag, Failure> {
        let (absent, matches) = headers(&self.condition);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let asked = self.store.client.complete_multipart_upload().bucket(&self.store.bucket).key(&self.name);
        let asked = asked.upload_id(id).multipart_upload(parts).set_if_none_match(absent).set_if_match(matches);
        etag(asked.send().await?.e_tag())
    }

    async fn abort(&self, id: &str) {
        let once = || async {
            let asked = self.store.client.abort_multipart_upload().bucket(&self.store.bucket).key(&self.name);
            asked.upload_id(id).send().await.map(drop).map_err(Failure::from)
        };
        match retry::until(Instant::now() + ABORT_MAX, once).await {
            // Completed, or taken back before.
            Err(failure) if failure.status == Some(404) => {}
            Err(failure) => self.store.complaints.say(&self.name, &failure, "parts of an upload were left behind"),
            Ok(()) => {}
        }
    }
}

async fn part(store: &S3Store, name: &str, id: &str, number: i32, bytes: Bytes) -> Result<CompletedPart, Failure> {
    let asked = store.client.upload_part().bucket(&store.bucket).key(name).upload_id(id).part_number(number);
    let asked = asked.checksum_algorithm(ChecksumAlgorithm::Crc32).body(ByteStream::from(bytes)).customize();
    let asked = if store.is_private { asked.disable_payload_signing() } else { asked };
    let sent = asked.send().await?;
    let part = CompletedPart::builder().part_number(number).set_checksum_crc32(sent.checksum_crc32);
    Ok(part.set_e_tag(sent.e_tag).build())
}
