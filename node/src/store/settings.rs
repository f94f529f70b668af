//! Which object store a node uses, as settings say it. Opens nothing.

use std::path::PathBuf;

use thiserror::Error;

use super::prices::Prices;

/// Where objects are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A folder of this machine.
    Folder(PathBuf),
    /// Below a prefix of a bucket; the prefix is empty or ends with a slash.
    Bucket {
        /// The bucket's name.
        bucket: String,
        /// What every name begins with.
        prefix: String,
    },
}

/// Why a text names no store.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` names no object store: {why}; write s3://BUCKET/PREFIX or file:///FOLDER")]
pub struct PlaceError {
    text: String,
    why: &'static str,
}

impl Place {
    /// Reads `s3://BUCKET/PREFIX` or `file:///FOLDER`.
    ///
    /// # Errors
    /// See [`PlaceError`].
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        let refused = |why| Err(PlaceError { text: text.to_owned(), why });
        if let Some(path) = text.strip_prefix("file://") {
            if !path.starts_with('/') {
                return refused("a folder is named by its whole path");
            }
            return Ok(Self::Folder(PathBuf::from(path)));
        }
        let Some(rest) = text.strip_prefix("s3://") else { return refused("it begins with neither s3:// nor file://") };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let spelt = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
        if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(spelt) {
            return refused("a bucket's name has 3 to 63 of the characters a-z, 0-9, `.` and `-`");
        }
        // Each of these would be spelt differently by some server, proxy or tool.
        let usual = |c: char| {
            c.is_ascii_alphanumeric() || matches!(c, '/' | '!' | '-' | '_' | '.' | '*' | '\'' | '(' | ')' | '=')
        };
        let prefix = prefix.trim_matches('/');
        if !prefix.chars().all(usual)
            || prefix.split('/').any(|part| matches!(part, "" | "." | "..")) && !prefix.is_empty()
        {
            return refused("its prefix has a character or a step that not every server takes");
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self::Bucket { bucket: bucket.to_owned(), prefix })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "file://{}", path.display()),
            Self::Bucket { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{}", prefix.trim_end_matches('/')),
        }
    }
}

/// How a bucket encrypts what is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// As the bucket does by itself.
    #[default]
    Bucket,
    /// With keys of S3.
    Aes256,
    /// With a key of KMS; the account's own one for S3 where none is named.
    Kms(Option<String>),
}

/// How a bucket is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bucketed {
    /// Another server than AWS's.
    pub endpoint: Option<String>,
    /// As the environment says where it is not named.
    pub region: Option<String>,
    /// Whether the bucket's name stands in the path; where it is not said, exactly if there is an endpoint.
    pub path_style: Option<bool>,
    /// What is asked of the server for each object.
    pub encryption: Encryption,
}

/// A store and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// Where.
    pub place: Place,
    /// What only a bucket has.
    pub bucketed: Bucketed,
    /// By which list a bucket's requests are reckoned.
    pub prices: Option<Prices>,
}

#[cfg(test)]
mod tests {
    //! Places read back; what no server would take is refused.
    use super::*;

    #[test]
    fn places_read_back() {
        for text in ["s3://grid", "s3://grid/a/b=c", "file:///var/lib/x"] {
            assert_eq!(Place::parse(text).unwrap().to_string(), text);
        }
        let Place::Bucket { bucket, prefix } = Place::parse("s3://grid/a/b/").unwrap() else { panic!("a bucket") };
        assert_eq!((bucket.as_str(), prefix.as_str()), ("grid", "a/b/"));
        assert_eq!(Place::parse("s3://grid"), Place::parse("s3://grid/"));
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in [
            "grid",
            "s3://",
            "s3://ab",
            "s3://Grid/x",
            "s3://grid/a//b",
            "s3://grid/../x",
            "s3://grid/a b",
            "file://x",
            "gs://grid",
        ] {
            assert!(Place::parse(text).unwrap_err().to_string().contains("write s3://BUCKET/PREFIX"), "{text}");
        }
    }
}
