//! Texts laid over one another: reference, file, environment, flags. Every value keeps where it came from.

use std::collections::BTreeMap;
use std::fmt;

use super::catalogue::{SETTINGS, Setting, VARIABLES, advice, variable};
use super::file::{self, Entry};
use super::values::Kind;
use super::{ConfigError, REFERENCE};

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
pub struct Effective(BTreeMap<&'static str, Layer>);

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
        if layers.wrong.is_empty() { Ok(Self(layers.values)) } else { Err(ConfigError(layers.wrong)) }
    }

    /// The value of a setting; `None` where it is not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.value.as_deref()
    }

    /// Where the value of a setting comes from.
    #[must_use]
    pub fn origin(&self, name: &str) -> Origin {
        self.0.get(name).map_or(Origin::Default, |layer| layer.origin.clone())
    }

    /// Every setting, in the order of the reference.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Layer)> {
        SETTINGS.iter().filter_map(|setting| Some((setting.name, self.0.get(setting.name)?)))
    }
}

#[derive(Default)]
struct Layers {
    values: BTreeMap<&'static str, Layer>,
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

    fn put_at(&mut self, setting: &Setting, value: Option<String>, origin: Origin, place: &str, line: &str) {
        if let Some(Err(why)) = value.as_deref().map(|value| setting.kind.check(value)) {
            self.wrong.push(format!("{place}{}: {why}{line}", setting.name));
            return;
        }
        if value.is_none() && setting.is_needed {
            self.wrong.push(format!("{place}{} cannot be unset; leave it out to have its default{line}", setting.name));
            return;
        }
        self.values.insert(setting.name, Layer { value, origin, kind: setting.kind });
    }
}

fn is_section(name: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.name.split('.').next() == Some(name))
}
