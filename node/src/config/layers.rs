//! Texts laid over one another: reference, file, environment, flags. Every value keeps where it came from.
//!
//! Each of librdkafka's settings is laid over by itself, so that a password may come from the environment and the rest
//! from the file.

use std::collections::BTreeMap;
use std::fmt;

use super::catalogue::{SETTINGS, Setting, VARIABLES, advice, variable};
use super::file::{self, Entry};
use super::values::Kind;
use super::{ConfigError, REFERENCE};
use crate::ingest::kafka::KafkaSettings;

/// Several settings under one name.
const KAFKA: &str = "kafka.settings";

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The reference file.
    Default,
    /// A line of the configuration file.
    File {
        /// As it was named.
        file: String,
        /// From 1.
        line: usize,
    },
    /// A variable of the environment.
    Environment(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// A setting that a flag gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// `section.key`.
    pub name: &'static str,
    /// For example `--ranges`.
    pub flag: &'static str,
    /// Its value.
    pub value: String,
}

/// A value in force and its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// `None` is: not set.
    pub value: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// What it may be.
    kind: Kind,
}

impl Layer {
    /// The value as people may see it: secrets are hidden.
    #[must_use]
    pub fn shown(&self) -> String {
        self.value.as_deref().map_or_else(|| "~".to_owned(), |value| self.kind.shown(value))
    }
}

/// Every setting, as it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    values: BTreeMap<&'static str, Layer>,
    /// librdkafka's, by their own names.
    kafka: BTreeMap<String, Layer>,
}

impl Effective {
    /// Lays the file (its name and text), the environment and the flags over the reference.
    ///
    /// # Errors
    /// Every unknown name and every value that is out of range, with its place and what to write instead.
    pub fn resolve(
        file: Option<(&str, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[Given],
    ) -> Result<Self, ConfigError> {
        let mut layers = Layers::default();
        layers.file("the reference", REFERENCE, |_| Origin::Default);
        if let Some((name, text)) = file {
            layers.file(name, text, |line| Origin::File { file: name.to_owned(), line });
        }
        layers.environment(environment);
        for Given { name, flag, value } in flags {
            layers.put(name, Some(value.clone()), Origin::Flag((*flag).to_owned()), "");
        }
        let Layers { values, kafka, wrong } = layers;
        if wrong.is_empty() { Ok(Self { values, kafka }) } else { Err(ConfigError(wrong)) }
    }

    /// The value of a setting; `None` where it is not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.value.as_deref()
    }

    /// Where the value of a setting comes from.
    #[must_use]
    pub fn origin(&self, name: &str) -> Origin {
        self.values.get(name).map_or(Origin::Default, |layer| layer.origin.clone())
    }

    /// librdkafka's settings, by their own names.
    pub fn kafka(&self) -> impl Iterator<Item = (&str, &Layer)> {
        self.kafka.iter().map(|(name, layer)| (name.as_str(), layer))
    }

    /// Every setting, in the order of the reference; each of librdkafka's in the place of all.
    pub fn iter(&self) -> impl Iterator<Item = (String, &Layer)> {
        SETTINGS.iter().flat_map(|setting| {
            let own = self.values.get(setting.name).map(|layer| (setting.name.to_owned(), layer));
            let kafka = self.kafka().map(|(name, layer)| (format!("{KAFKA}.{name}"), layer));
            let all: Vec<_> = if setting.name == KAFKA && !self.kafka.is_empty() {
                kafka.collect()
            } else {
                own.into_iter().collect()
            };
            all
        })
    }
}

#[derive(Default)]
struct Layers {
    values: BTreeMap<&'static str, Layer>,
    kafka: BTreeMap<String, Layer>,
    wrong: Vec<String>,
}

impl Layers {
    fn file(&mut self, name: &str, text: &str, origin: impl Fn(usize) -> Origin) {
        let shown =
            |line: usize| text.lines().nth(line - 1).map_or_else(String::new, |it| format!("\n  {line} | {it}"));
        let entries = match file::parse(text) {
            Ok(entries) => entries,
            Err(wrong) => {
                let (line, column, why) = (wrong.line, wrong.column, wrong.why);
                return self.wrong.push(format!("{name}:{line}:{column}: {why}{}", shown(line)));
            }
        };
        for Entry { name: key, value, line, column } in entries {
            let place = format!("{name}:{line}:{column}: ");
            if let Some(kafka) = key.strip_prefix(KAFKA).and_then(|rest| rest.strip_prefix('.')) {
                self.put_kafka(kafka, value, origin(line), &place);
                continue;
            }
            match Setting::of(&key) {
                // A section without keys says nothing.
                None if value.is_none() && is_section(&key) => {}
                None => self.wrong.push(format!("{place}`{key}` is no setting; {}{}", advice(&key), shown(line))),
                Some(setting) => self.put_at(setting, value, origin(line), &place, &shown(line)),
            }
        }
    }

    fn environment(&mut self, environment: impl IntoIterator<Item = (String, String)>) {
        let ours = |(name, value): (String, String)| {
            let rest = name.strip_prefix(VARIABLES)?;
            // FEATUREGRID_LOG and its like are no settings.
            let (section, key) = rest.split_once("__")?;
            Some((format!("{section}.{key}").to_lowercase(), name, value))
        };
        let mut ours: Vec<_> = environment.into_iter().filter_map(ours).collect();
        ours.sort();
        for (key, name, value) in ours {
            match Setting::of(&key).filter(|setting| setting.variable() == name) {
                None => {
                    let meant = Setting::of(&key).map(|it| format!("did you mean `{}`?", it.variable()));
                    let meant = meant.unwrap_or_else(|| {
                        let advice = advice(&key);
                        let near = SETTINGS.iter().find(|setting| advice.contains(&format!("`{}`", setting.name)));
                        near.map_or(advice, |near| format!("did you mean `{}`?", variable(near.name)))
                    });
                    self.wrong.push(format!("environment {name}: there is no setting `{key}`; {meant}"));
                }
                // What a template leaves empty is not set.
                Some(setting) => {
                    let value = Some(value).filter(|value| !value.is_empty());
                    let place = format!("environment {name}: ");
                    self.put_at(setting, value, Origin::Environment(name), &place, "");
                }
            }
        }
    }

    fn put(&mut self, name: &'static str, value: Option<String>, origin: Origin, line: &str) {
        let place = format!("{origin}: ");
        match Setting::of(name) {
            Some(setting) => self.put_at(setting, value, origin, &place, line),
            None => self.wrong.push(format!("{place}there is no setting `{name}`")),
        }
    }

    /// One of librdkafka's settings, as a table of the file has it; `None` takes away what lies below. The line is not
    /// shown: it may hold a secret.
    fn put_kafka(&mut self, name: &str, value: Option<String>, origin: Origin, place: &str) {
        let Some(value) = value else {
            self.kafka.remove(name);
            return;
        };
        match KafkaSettings::parse([format!("{name}={value}").as_str()]) {
            Ok(_) => self.lay_kafka(name, value, origin),
            Err(error) => self.wrong.push(format!("{place}{KAFKA}: {error}")),
        }
    }

    fn lay_kafka(&mut self, name: &str, value: String, origin: Origin) {
        let kind = if KafkaSettings::is_secret(name) { Kind::Secret } else { Kind::Text };
        self.kafka.insert(name.to_owned(), Layer { value: Some(value), origin, kind });
    }

    fn put_at(&mut self, setting: &Setting, value: Option<String>, origin: Origin, place: &str, line: &str) {
        if let Some(Err(why)) = value.as_deref().map(|value| setting.kind.check(value)) {
            self.wrong.push(format!("{place}{}: {why}{line}", setting.name));
            return;
        }
        if value.is_none() && setting.is_needed {
            self.wrong.push(format!("{place}{} cannot be unset; leave it out to have its default{line}", setting.name));
            return;
        }
        if setting.kind == Kind::KafkaSettings {
            let text = value.unwrap_or_default();
            // What was checked parses.
            for (name, value) in KafkaSettings::parse(text.lines()).unwrap_or_default().into_pairs() {
                self.lay_kafka(&name, value, origin.clone());
            }
            self.values.entry(setting.name).or_insert(Layer { value: None, origin, kind: setting.kind });
            return;
        }
        self.values.insert(setting.name, Layer { value, origin, kind: setting.kind });
    }
}

fn is_section(name: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.name.split('.').next() == Some(name))
}
