//! From settings to a bucket that answers: credentials, region, server, and what is said when one of them is wrong. Keeps
//! nothing open.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{ProvideCredentials as _, StalledStreamProtectionConfig};
use aws_smithy_http_client::{Builder, tls};
use featuregrid_actors::ports::{Key, PutCondition};
use featuregrid_protocol::ids::Nonce;
use tokio::time::Instant;

use super::failure::causes;
use super::wire::Counts;
use super::{Failure, S3Store, retry};
use crate::entropy;
use crate::store::meter::Meter;
use crate::store::open::OpenStoreError;
use crate::store::selftest::trial;
use crate::store::settings::{Bucketed, Place};

/// A connection that takes longer would miss a lease's deadline anyway; another may not.
const CONNECT_MAX: Duration = Duration::from_millis(800);
/// Below what S3 and usual proxies keep idle connections: a request on one that was closed is an unknown write.
const IDLE_MAX: Duration = Duration::from_secs(15);
/// A store that does not answer at all for this long is down or elsewhere.
const PATIENCE: Duration = Duration::from_secs(20);
/// The region that requests are signed for where there is only an endpoint: what servers other than AWS's expect.
const REGION: &str = "us-east-1";

/// Reaches a bucket and tries what a node will do there: list, create, remove.
pub(in crate::store) async fn connect(
    bucket: &str,
    prefix: &str,
    bucketed: &Bucketed,
    meter: Arc<Meter>,
) -> Result<S3Store, OpenStoreError> {
    reach(&load(bucketed).await, bucket, prefix, bucketed, meter, PATIENCE).await
}

/// The same, with the SDK's settings at hand.
pub(super) async fn reach(
    sdk: &SdkConfig,
    bucket: &str,
    prefix: &str,
    bucketed: &Bucketed,
    meter: Arc<Meter>,
    patience: Duration,
) -> Result<S3Store, OpenStoreError> {
    let place = Place::Bucket { bucket: bucket.to_owned(), prefix: prefix.to_owned() }.to_string();
    let own = std::env::var("AWS_ENDPOINT_URL_S3").ok().filter(|endpoint| !endpoint.is_empty());
    let endpoint = bucketed.endpoint.clone().or(own).or_else(|| sdk.endpoint_url().map(str::to_owned));
    if sdk.region().is_none() {
        return Err(OpenStoreError::Region { place });
    }
    let Some(credentials) = sdk.credentials_provider() else {
        return Err(OpenStoreError::NoCredentials { place, why: "none are configured".to_owned() });
    };
    if let Err(error) = credentials.provide_credentials().await {
        return Err(OpenStoreError::NoCredentials { place, why: causes(&error) });
    }
    let mut config = aws_sdk_s3::config::Builder::from(sdk)
        .force_path_style(bucketed.path_style.unwrap_or(endpoint.is_some()))
        .interceptor(Counts(meter));
    // One that only the profile names stays as it is.
    if let Some(endpoint) = &bucketed.endpoint {
        config = config.endpoint_url(endpoint);
    }
    let store = S3Store {
        client: Client::from_conf(config.build()),
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
        encryption: bucketed.encryption.clone(),
        is_private: endpoint.as_deref().is_none_or(|endpoint| endpoint.starts_with("https:")),
        complaints: Arc::default(),
    };
    let server = endpoint.unwrap_or_else(|| "AWS".to_owned());
    store.probe(patience).await.map_err(|failure| explained(place, server, failure))?;
    Ok(store)
}

pub(super) async fn load(bucketed: &Bucketed) -> SdkConfig {
    let client = Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .pool_idle_timeout(IDLE_MAX)
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(client)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_MAX).build())
        // Deadlines bound slow transfers; a second watch would end them for other reasons.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(endpoint) = &bucketed.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    let is_set = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    let has_endpoint = bucketed.endpoint.is_some() || is_set("AWS_ENDPOINT_URL") || is_set("AWS_ENDPOINT_URL_S3");
    match &bucketed.region {
        Some(region) => loader = loader.region(Region::new(region.clone())),
        None if has_endpoint && !is_set("AWS_REGION") && !is_set("AWS_DEFAULT_REGION") => {
            loader = loader.region(Region::from_static(REGION));
        }
        None => {}
    }
    loader.load().await
}

impl S3Store {
    /// What a node does all day, once: so that what is missing is said before anything depends on it.
    async fn probe(&self, patience: Duration) -> Result<(), Failure> {
        let deadline = Instant::now() + patience;
        retry::until(deadline, || self.page("", None, 1)).await?;
        let key = trial(&format!("probe-{}", Key::part_name(Nonce(entropy::number()))));
        retry::until(deadline, || async {
            let written = self.put_whole(&key, self.body(&b"probe"[..].into()), &PutCondition::Absent).await;
            match written {
                // An earlier try of this loop landed.
                Err(failure) if failure.status == Some(412) => Ok(()),
                written => written.map(drop),
            }
        })
        .await?;
        retry::until(deadline, || self.delete(&key)).await.map(drop)
    }
}

/// A sentence for each way in which buckets are usually wrong.
fn explained(place: String, server: String, failure: Failure) -> OpenStoreError {
    let why = failure.to_string();
    match (failure.code.as_str(), failure.status) {
        _ if failure.is_passing() => OpenStoreError::Silent { place, server, why },
        ("NoSuchBucket", _) => OpenStoreError::NoBucket { place, server },
        (
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "InvalidToken"
            | "ExpiredToken"
            | "TokenRefreshRequired"
            | "UnrecognizedClientException"
            | "RequestTimeTooSkewed",
            _,
        ) => OpenStoreError::BadCredentials { place, server, why },
        ("PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException", _)
        | (_, Some(301 | 307)) => OpenStoreError::OtherRegion { place, why },
        (_, Some(401 | 403)) => OpenStoreError::Denied { place, server, why },
        ("NotImplemented", _) | (_, Some(501)) => OpenStoreError::NoConditions { place, why },
        _ => OpenStoreError::Refused { place, server, why },
    }
}

#[cfg(test)]
mod tests {
    //! What is wrong is told apart.
    use super::*;

    #[test]
    fn what_is_wrong_with_a_bucket_is_told_apart() {
        let said = |status: u16, code: &str| {
            let failure =
                Failure { was_sent: true, status: Some(status), code: code.to_owned(), message: "m".to_owned() };
            explained("s3://grid/a".to_owned(), "http://s3:7070".to_owned(), failure).to_string()
        };
        for (status, code, want) in [
            (404, "NoSuchBucket", "there is no such bucket"),
            (403, "AccessDenied", "s3:PutObject"),
            (403, "InvalidAccessKeyId", "does not know these credentials"),
            (403, "SignatureDoesNotMatch", "does not know these credentials"),
            (400, "ExpiredToken", "does not know these credentials"),
            (301, "PermanentRedirect", "store.region"),
            (400, "AuthorizationHeaderMalformed", "store.region"),
            (501, "NotImplemented", "does not know conditional writes"),
            (503, "SlowDown", "does not answer"),
            (418, "Teapot", "418 Teapot: m"),
        ] {
            let said = said(status, code);
            assert!(said.starts_with("s3://grid/a: ") && said.contains(want), "{code}: {said}");
        }
    }
}
