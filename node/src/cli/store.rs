//! Flags that name an object store, for every command that opens one. Opens nothing.

use anyhow::bail;

use super::node::effective;
use crate::config::{Config, Given};
use crate::store::settings::StoreSettings;

/// Where objects are, and how they are reached. What is not given comes from the environment, the configuration file or the
/// reference (`featuregrid config show`).
#[derive(Debug, clap::Args)]
pub(super) struct StoreArguments {
    /// The object store: s3://BUCKET/PREFIX, or file:///FOLDER; credentials as AWS's own tools find them.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Where S3 is spoken, if not by AWS.
    #[arg(long, value_name = "URL")]
    store_endpoint: Option<String>,
    /// The bucket's region.
    #[arg(long, value_name = "REGION")]
    store_region: Option<String>,
    /// Whether the bucket's name stands in the path: auto, true or false [default: auto, true with an endpoint].
    #[arg(long, value_name = "WHEN")]
    store_path_style: Option<String>,
    /// How the server is asked to encrypt: bucket, AES256 or aws:kms [default: bucket, as it does by itself].
    #[arg(long, value_name = "HOW")]
    store_sse: Option<String>,
    /// The key of KMS, with --store-sse aws:kms.
    #[arg(long, value_name = "KEY")]
    store_kms_key: Option<String>,
}

impl StoreArguments {
    /// As settings.
    pub(super) fn given(&self) -> Vec<Given> {
        let given = [
            ("store.url", "--store", &self.store),
            ("store.endpoint", "--store-endpoint", &self.store_endpoint),
            ("store.region", "--store-region", &self.store_region),
            ("store.path_style", "--store-path-style", &self.store_path_style),
            ("store.sse", "--store-sse", &self.store_sse),
            ("store.kms_key", "--store-kms-key", &self.store_kms_key),
        ];
        let given =
            given.into_iter().filter_map(|(name, flag, value)| Some(Given { name, flag, value: value.clone()? }));
        given.collect()
    }

    /// The store that is meant, for a command that runs no node.
    pub(super) fn settings(&self) -> anyhow::Result<StoreSettings> {
        let config = Config::of(&effective(None, &self.given())?)?;
        let Some(place) = config.store else {
            bail!("no object store: name one with --store s3://BUCKET/PREFIX or --store file:///FOLDER");
        };
        Ok(StoreSettings { place, bucketed: config.bucketed, prices: config.prices })
    }
}
