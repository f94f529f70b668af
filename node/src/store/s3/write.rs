//! Conditional writes: small ones whole, large ones in parts. Each is sent once; what became of it is said as it is known.

use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use bytes::Bytes;
use featuregrid_actors::ports::{Etag, Key, PutCondition, PutOutcome};
use tokio::time::Instant;

use super::multipart::Upload;
use super::read::etag;
use super::{Encryption, Failure, S3Store};

/// Larger bodies are sent in parts: below this, the further requests cost more time than they save.
pub(super) const WHOLE_MAX: usize = 16 << 20;

/// What stands in a condition's header.
pub(super) fn headers(condition: &PutCondition) -> (Option<String>, Option<String>) {
    match condition {
        PutCondition::Absent => (Some("*".to_owned()), None),
        PutCondition::Matches(Etag(etag)) => (None, Some(format!("\"{etag}\""))),
    }
}

impl Encryption {
    /// As requests say it.
    pub(super) fn header(&self) -> (Option<ServerSideEncryption>, Option<String>) {
        match self {
            Self::Bucket => (None, None),
            Self::Aes256 => (Some(ServerSideEncryption::Aes256), None),
            Self::Kms(key) => (Some(ServerSideEncryption::AwsKms), key.clone()),
        }
    }
}

impl S3Store {
    /// Bytes on their way, without a copy.
    pub(super) fn body(&self, body: &Arc<[u8]>) -> Bytes {
        Bytes::from_owner(Arc::clone(body))
    }

    pub(super) async fn put(
        &self,
        key: &Key,
        body: &Arc<[u8]>,
        condition: &PutCondition,
        until: Instant,
    ) -> PutOutcome {
        if body.len() > WHOLE_MAX {
            // Its own task, so that an upload that nobody waits for any more is still cleaned up.
            let upload = Upload {
                store: self.clone(),
                name: self.name(key),
                body: self.body(body),
                condition: condition.clone(),
            };
            return tokio::spawn(upload.run(until)).await.unwrap_or(PutOutcome::Unknown);
        }
        match self.put_whole(key, self.body(body), condition).await {
            Ok(etag) => PutOutcome::Done(etag),
            Err(failure) => self.failed(key.path(), &failure, condition),
        }
    }

    /// What a failed write became; said in the log unless that is everyday business.
    pub(super) fn failed(&self, name: String, failure: &Failure, condition: &PutCondition) -> PutOutcome {
        let outcome = failure.of_write(condition);
        if outcome == PutOutcome::Unknown {
            self.complaints.say(&name, failure, "a write to the object store may have landed or not");
        }
        outcome
    }

    /// One request, sent once.
    pub(super) async fn put_whole(&self, key: &Key, body: Bytes, condition: &PutCondition) -> Result<Etag, Failure> {
        let ((absent, matches), (encryption, kms)) = (headers(condition), self.encryption.header());
        let asked = self.client.put_object().bucket(&self.bucket).key(self.name(key));
        let asked = asked.set_if_none_match(absent).set_if_match(matches).body(ByteStream::from(body));
        let asked = asked.set_server_side_encryption(encryption).set_ssekms_key_id(kms).customize();
        let asked = if self.is_private { asked.disable_payload_signing() } else { asked };
        // Without its etag it landed as something that nobody can name: unknown.
        etag(asked.send().await.map_err(Failure::from)?.e_tag())
    }
}
