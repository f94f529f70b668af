//! Which settings there are. Their meaning and defaults are in the reference file; a test holds the two together.

use featuregrid_protocol::definition::suggest;
use featuregrid_protocol::time::Span;

use super::values::Kind;

/// The largest number of ranges: each has a manifest that every start claims.
pub(super) const RANGES_MAX: u32 = 1 << 14;

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// `section.key`.
    pub(super) name: &'static str,
    /// What it may be.
    pub(super) kind: Kind,
    /// Whether nothing runs without a value: then the reference has one.
    pub(super) is_needed: bool,
}

/// All of them, in the order of the reference file.
pub(super) const SETTINGS: &[Setting] = &[
    optional("node.definitions", Kind::Text),
    optional("node.data", Kind::Text),
    needed("node.ranges", Kind::PowerOfTwo(RANGES_MAX)),
    needed("node.memory_budget", Kind::Budget),
    needed("node.one_partition_after_the_other", Kind::Switch),
    optional("store.url", Kind::Store),
    optional("store.endpoint", Kind::Endpoint),
    optional("store.region", Kind::Text),
    needed("store.path_style", Kind::OneOf(&["auto", "true", "false"])),
    needed("store.sse", Kind::OneOf(&["bucket", "AES256", "aws:kms"])),
    optional("store.kms_key", Kind::Text),
    needed("store.snapshot_interval", Kind::Duration(Span::seconds(1), Span::seconds(3600))),
    needed("store.prices", Kind::OneOf(&["us-east-1", "off"])),
    needed("serve.listen", Kind::Address),
    needed("serve.feast", Kind::AddressOrOff),
    needed("serve.metrics", Kind::AddressOrOff),
    optional("kafka.brokers", Kind::Addresses),
    optional("kafka.settings", Kind::KafkaSettings),
    optional("kafka.dead_letters", Kind::Text),
];

const fn needed(name: &'static str, kind: Kind) -> Setting {
    Setting { name, kind, is_needed: true }
}

const fn optional(name: &'static str, kind: Kind) -> Setting {
    Setting { name, kind, is_needed: false }
}

impl Setting {
    /// The setting of this name.
    pub(super) fn of(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// As the environment names it.
    pub(super) fn variable(&self) -> String {
        variable(self.name)
    }
}

/// `node.ranges` as `FEATUREGRID_NODE__RANGES`.
pub(super) fn variable(name: &str) -> String {
    format!("{}{}", VARIABLES, name.replacen('.', "__", 1).to_uppercase())
}

/// What every variable of ours begins with.
pub(super) const VARIABLES: &str = "FEATUREGRID_";

/// What was meant by a name that is none.
pub(super) fn advice(name: &str) -> String {
    let key = name.rsplit('.').next().unwrap_or(name);
    // The right key under the wrong section, or under none, is the more usual slip.
    let same_key = SETTINGS.iter().find(|setting| setting.name.rsplit('.').next() == Some(key)).map(|it| it.name);
    let near = same_key.or_else(|| suggest::near(name, SETTINGS.iter().map(|setting| setting.name)));
    match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`featuregrid config show` prints every setting there is".to_owned(),
    }
}
