//! librdkafka's own settings, under their own names: what a user may set, and what featuregrid keeps for itself, with
//! the reason. Knows no topic and opens no connection.

use std::collections::BTreeMap;
use std::fmt;

use featuregrid_protocol::definition::suggest;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;
use thiserror::Error;

use super::native;

/// Settings that say who connects and how, for consumers and producers alike; librdkafka ignores those that do not
/// concern the client it makes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct KafkaSettings(BTreeMap<String, String>);

/// Why a setting is not taken. Nothing was started.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// No `=`, or nothing before it.
    #[error("`{0}` is no setting; write NAME=VALUE, for example security.protocol=SASL_SSL")]
    Form(String),
    /// One of the two would be ignored.
    #[error("`{0}` is given twice; keep one of them")]
    Twice(String),
    /// No such name.
    #[error("librdkafka has no setting `{name}`; {advice}")]
    Unknown {
        /// What was given.
        name: String,
        /// The nearest name, or where they are listed.
        advice: String,
    },
    /// Featuregrid depends on its value.
    #[error("`{name}` cannot be set: {why}")]
    Own {
        /// Which.
        name: String,
        /// What depends on it.
        why: &'static str,
    },
    /// librdkafka does not take the value, or not with the others.
    #[error("Kafka settings: {why}{hint}")]
    Refused {
        /// librdkafka's words.
        why: String,
        /// What this build could not do.
        hint: &'static str,
    },
}

const OWN_BROKERS: &str = "--brokers names them";
const OWN_OFFSETS: &str = "offsets are part of featuregrid's state: it starts at its own, commits none, and halts a \
                           partition rather than reset it";
const OWN_GROUP: &str = "partitions are assigned by hand, nobody joins the group";
const OWN_COMMITTED: &str = "only committed records count: a value must not change when a transaction is aborted";
const OWN_END: &str = "readers learn from it that they have caught up";
const OWN_CREATE: &str = "a misspelt topic must be an error, not a new topic";
const OWN_PRODUCER: &str = "an acknowledged append is durable and stands in the log once: all replicas, idempotent";
const OWN_PARTITION: &str = "records are placed as Kafka's own producers place them (murmur2 of the key)";

/// What featuregrid sets itself, aliases included.
const OWN: &[(&str, &str)] = &[
    ("bootstrap.servers", OWN_BROKERS),
    ("metadata.broker.list", OWN_BROKERS),
    ("auto.offset.reset", OWN_OFFSETS),
    ("enable.auto.commit", OWN_OFFSETS),
    ("auto.commit.enable", OWN_OFFSETS),
    ("auto.commit.interval.ms", OWN_OFFSETS),
    ("enable.auto.offset.store", OWN_OFFSETS),
    ("offset.store.method", OWN_OFFSETS),
    ("group.protocol", OWN_GROUP),
    ("group.instance.id", OWN_GROUP),
    ("group.remote.assignor", OWN_GROUP),
    ("partition.assignment.strategy", OWN_GROUP),
    ("isolation.level", OWN_COMMITTED),
    ("enable.partition.eof", OWN_END),
    ("allow.auto.create.topics", OWN_CREATE),
    ("enable.idempotence", OWN_PRODUCER),
    ("acks", OWN_PRODUCER),
    ("request.required.acks", OWN_PRODUCER),
    ("transactional.id", OWN_PRODUCER),
    ("partitioner", OWN_PARTITION),
    ("sticky.partitioning.linger.ms", OWN_PARTITION),
];

/// What is shown of a secret.
pub(crate) const HIDDEN: &str = "(hidden)";

/// Parts of names whose values are shown to nobody.
const SECRET: &[&str] = &["password", "secret", "pem", "jaas", "token", "sasl.oauthbearer.config"];

impl KafkaSettings {
    /// Settings written as `NAME=VALUE`; the value may hold further `=`.
    ///
    /// # Errors
    /// See [`SettingsError`]: those of [`Self::check`], too.
    pub fn parse<'t>(pairs: impl IntoIterator<Item = &'t str>) -> Result<Self, SettingsError> {
        let mut settings = BTreeMap::new();
        for pair in pairs {
            let (name, value) = pair
                .split_once('=')
                .map(|(name, value)| (name.trim(), value.trim()))
                .filter(|(name, _)| !name.is_empty())
                .ok_or_else(|| SettingsError::Form(redacted(pair)))?;
            if settings.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(SettingsError::Twice(name.to_owned()));
            }
        }
        let settings = Self(settings);
        settings.check()?;
        Ok(settings)
    }

    /// Settings by name, for example of a configuration file; to be checked.
    #[must_use]
    pub fn of(settings: BTreeMap<String, String>) -> Self {
        Self(settings)
    }

    /// Whether librdkafka knows every name and takes every value, and none is featuregrid's own.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn check(&self) -> Result<(), SettingsError> {
        for (name, value) in &self.0 {
            if let Some((_, why)) = OWN.iter().find(|(own, _)| own == name) {
                return Err(SettingsError::Own { name: name.clone(), why });
            }
            if let Err(error) = ClientConfig::new().set(name, value).create_native_config() {
                return Err(match error {
                    KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..) => unknown(name),
                    error => refused(&error),
                });
            }
        }
        Ok(())
    }

    /// Whether the value of a setting of this name is shown to nobody.
    #[must_use]
    pub fn is_secret(name: &str) -> bool {
        SECRET.iter().any(|part| name.contains(part))
    }

    /// Every setting by its name, secrets as they are.
    pub(crate) fn into_pairs(self) -> impl Iterator<Item = (String, String)> {
        self.0.into_iter()
    }

    /// Every setting, secrets hidden.
    pub fn shown(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), if Self::is_secret(name) { HIDDEN } else { value.as_str() }))
    }

    /// Sets all of them.
    pub(super) fn apply(&self, config: &mut ClientConfig) {
        for (name, value) in &self.0 {
            config.set(name, value);
        }
    }
}

impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.shown()).finish()
    }
}

/// What librdkafka said of a client's settings.
pub(super) fn refused(error: &KafkaError) -> SettingsError {
    let why = match error {
        // Its own words name the setting; the binding would add the value, which may be a secret.
        KafkaError::ClientConfig(_, words, name, _) => format!("{name}: {words}"),
        KafkaError::ClientCreation(words) => words.clone(),
        other => other.to_string(),
    };
    let lacks = ["OpenSSL", "libsasl2", "openssl", "not supported in this build"].iter().any(|word| why.contains(word));
    let hint = if lacks && !cfg!(feature = "tls") {
        "; this featuregrid was built without TLS and SCRAM: build it with --features tls"
    } else {
        ""
    };
    SettingsError::Refused { why, hint }
}

/// What is no setting may still hold a secret: only its beginning is shown.
fn redacted(pair: &str) -> String {
    let shown: String = pair.chars().take(24).collect();
    if shown.len() < pair.len() { format!("{shown}...") } else { shown }
}

fn unknown(name: &str) -> SettingsError {
    let names = native::setting_names();
    let advice = match suggest::near(name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "librdkafka's CONFIGURATION.md lists them all".to_owned(),
    };
    SettingsError::Unknown { name: name.to_owned(), advice }
}

#[cfg(test)]
mod tests;
