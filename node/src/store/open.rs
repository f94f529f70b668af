//! The one place where settings become an object store. What is wrong with them is said here, before anything depends on
//! the store.

use std::sync::Arc;

use thiserror::Error;

use super::local::LocalStore;
use super::meter::{Meter, Metered};
use super::object::ObjectStore;
use super::s3;
use super::settings::{Place, StoreSettings};

/// Why a store cannot be used. Nothing in it was changed.
#[derive(Debug, Error)]
pub enum OpenStoreError {
    /// The folder.
    #[error("{place}: {error}; choose a folder that this user may write to")]
    Disk {
        /// The store.
        place: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// Nobody said where the bucket is.
    #[error("{place}: no region is known; set store.region (--store-region), or AWS_REGION")]
    Region {
        /// The store.
        place: String,
    },
    /// The bucket is elsewhere.
    #[error("{place}: the bucket is in another region ({why}); set store.region (--store-region) to the bucket's own")]
    OtherRegion {
        /// The store.
        place: String,
        /// What the server said.
        why: String,
    },
    /// Nothing to sign requests with.
    #[error(
        "{place}: no AWS credentials are found ({why}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile \
         (AWS_PROFILE), or give the pod or machine a role"
    )]
    NoCredentials {
        /// The store.
        place: String,
        /// What was tried.
        why: String,
    },
    /// Requests are signed by somebody whom the server does not know, or no longer.
    #[error("{place}: {server} does not know these credentials ({why}); renew or correct them, and compare the clocks")]
    BadCredentials {
        /// The store.
        place: String,
        /// Who refused.
        server: String,
        /// What it said.
        why: String,
    },
    /// Known, but not allowed.
    #[error(
        "{place}: {server} denies what a node does there ({why}); allow s3:ListBucket on the bucket and s3:GetObject, \
         s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload below the prefix, and the use of its KMS key where it has one"
    )]
    Denied {
        /// The store.
        place: String,
        /// Who refused.
        server: String,
        /// What it said.
        why: String,
    },
    /// A name without a bucket.
    #[error("{place}: there is no such bucket at {server}; create it, or correct store.url (--store)")]
    NoBucket {
        /// The store.
        place: String,
        /// Who was asked.
        server: String,
    },
    /// The server says that it cannot.
    #[error(
        "{place}: the server does not know conditional writes ({why}), on which ownership rests; use one that keeps If-None-Match and If-Match"
    )]
    NoConditions {
        /// The store.
        place: String,
        /// What it said.
        why: String,
    },
    /// Something else that will not pass by itself.
    #[error("{place}: {server} refuses ({why}); correct the store's settings or the server's")]
    Refused {
        /// The store.
        place: String,
        /// Who refused.
        server: String,
        /// What it said.
        why: String,
    },
    /// No answer.
    #[error(
        "{place}: {server} does not answer ({why}); look at its address (store.endpoint), the network and the server, then try again"
    )]
    Silent {
        /// The store.
        place: String,
        /// Who was asked.
        server: String,
        /// What happened instead.
        why: String,
    },
}

/// Opens what is configured, and tries it. Its requests are counted from here on.
///
/// # Errors
/// See [`OpenStoreError`].
pub async fn open(settings: &StoreSettings) -> Result<Arc<dyn ObjectStore>, OpenStoreError> {
    let prices = settings.prices.filter(|_| matches!(settings.place, Place::Bucket { .. }));
    let meter = Arc::new(Meter::new(prices));
    let store: Arc<dyn ObjectStore> = match &settings.place {
        Place::Folder(path) => {
            let opened = LocalStore::open(path);
            Arc::new(opened.map_err(|error| OpenStoreError::Disk { place: settings.place.to_string(), error })?)
        }
        Place::Bucket { bucket, prefix } => {
            Arc::new(s3::connect(bucket, prefix, &settings.bucketed, Arc::clone(&meter)).await?)
        }
    };
    Ok(Arc::new(Metered::new(store, meter)))
}
