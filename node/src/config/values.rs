//! What a value of each kind looks like. Knows no setting.

use featuregrid_protocol::time::Span;

use crate::ingest::kafka::{HIDDEN, KafkaSettings};
use crate::store::settings::Place;

/// Kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Anything that is not empty.
    Text,
    /// `HOST:PORT`.
    Address,
    /// `HOST:PORT`, or `off`.
    AddressOrOff,
    /// `HOST:PORT`, several separated by commas.
    Addresses,
    /// librdkafka's `NAME=VALUE`, one per line; each is a setting of its own.
    KafkaSettings,
    /// Shown to nobody.
    Secret,
    /// A power of two up to this.
    PowerOfTwo(u32),
    /// `half`, or a size.
    Budget,
    /// A duration from the first to the second.
    Duration(Span, Span),
    /// `true` or `false`.
    Switch,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// `s3://BUCKET/PREFIX` or `file:///FOLDER`.
    Store,
    /// `http://HOST:PORT` or `https://HOST:PORT`.
    Endpoint,
}

impl Kind {
    /// What is wrong with `text`, and what to write instead.
    pub(super) fn check(self, text: &str) -> Result<(), String> {
        match self {
            Self::Text if text.trim().is_empty() => Err("is empty; write a value, or ~ for none".to_owned()),
            Self::Text | Self::Secret => Ok(()),
            Self::AddressOrOff if text == "off" => Ok(()),
            Self::Address => address(text),
            Self::AddressOrOff => address(text).map_err(|why| format!("{why}, or off")),
            Self::Addresses => text.split(',').try_for_each(|one| address(one.trim())),
            Self::KafkaSettings => KafkaSettings::parse(text.lines()).map(drop).map_err(|error| error.to_string()),
            Self::PowerOfTwo(max) => match text.parse::<u32>() {
                Ok(count) if count.is_power_of_two() && count <= max => Ok(()),
                _ => Err(format!("`{text}` is no power of two from 1 to {max}")),
            },
            Self::Budget if text == "half" => Ok(()),
            Self::Budget => size(text).map(drop),
            Self::Duration(least, most) => match Span::parse(text) {
                Ok(span) if (least..=most).contains(&span) => Ok(()),
                Ok(_) => Err(format!("`{text}` is not within {least} and {most}")),
                Err(error) => Err(error.to_string()),
            },
            Self::Switch if matches!(text, "true" | "false") => Ok(()),
            Self::Switch => Err(format!("`{text}` is neither true nor false")),
            Self::OneOf(words) if words.contains(&text) => Ok(()),
            Self::OneOf(words) => Err(format!("`{text}` is none of {}", words.join(", "))),
            Self::Store => Place::parse(text).map(drop).map_err(|error| error.to_string()),
            Self::Endpoint => endpoint(text),
        }
    }
}

impl Kind {
    /// A value as people may see it: no secret.
    pub(super) fn shown(self, text: &str) -> String {
        match self {
            Self::Secret | Self::KafkaSettings => HIDDEN.to_owned(),
            _ => text.to_owned(),
        }
    }
}

fn address(text: &str) -> Result<(), String> {
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => Ok(()),
        _ => Err(format!("`{text}` is no HOST:PORT; write for example 127.0.0.1:7450")),
    }
}

fn endpoint(text: &str) -> Result<(), String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains([' ', '?', '#', '@']) => Ok(()),
        _ => Err(format!("`{text}` is no endpoint; write for example http://127.0.0.1:7070")),
    }
}

/// `8GiB`, `512MiB`, or a number of bytes.
///
/// # Errors
/// What to write instead.
pub fn size(text: &str) -> Result<usize, String> {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("", 1)];
    let parsed = units.into_iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?.trim(), size)));
    let count = parsed.and_then(|(digits, size): (&str, usize)| digits.parse::<usize>().ok()?.checked_mul(size));
    count.filter(|bytes| *bytes > 0).ok_or_else(|| format!("`{text}` is no size; write for example 8GiB or 512MiB"))
}

#[cfg(test)]
mod tests {
    //! Each kind takes its own and says what it wants.
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("2GiB"), Ok(2 << 30));
        assert_eq!(size("1000"), Ok(1000));
        assert!([size("0"), size("x"), size("5GB"), size("99999999999999999999GiB")].iter().all(Result::is_err));
    }

    #[test]
    fn kinds_take_their_own() {
        let taken = [
            (Kind::Address, "127.0.0.1:0"),
            (Kind::Address, "[::1]:7450"),
            (Kind::AddressOrOff, "off"),
            (Kind::AddressOrOff, "0.0.0.0:6566"),
            (Kind::Addresses, "a:9092, b:9092"),
            (Kind::PowerOfTwo(16), "16"),
            (Kind::Budget, "half"),
            (Kind::Budget, "8GiB"),
            (Kind::Switch, "true"),
            (Kind::Text, "payments"),
            (Kind::OneOf(&["auto", "true"]), "auto"),
            (Kind::Store, "s3://grid/a"),
            (Kind::Endpoint, "https://s3.example:7070"),
        ];
        let refused = [
            (Kind::Address, "7450"),
            (Kind::Address, ":7450"),
            (Kind::Address, "host:port"),
            (Kind::AddressOrOff, "on"),
            (Kind::Addresses, "a:9092,b"),
            (Kind::PowerOfTwo(16), "32"),
            (Kind::PowerOfTwo(16), "3"),
            (Kind::PowerOfTwo(16), "0"),
            (Kind::Budget, "most"),
            (Kind::Switch, "yes"),
            (Kind::Text, " "),
            (Kind::OneOf(&["auto", "true"]), "false"),
            (Kind::Store, "grid"),
            (Kind::Endpoint, "s3.example:7070"),
            (Kind::Endpoint, "https://"),
        ];
        assert!(taken.iter().all(|(kind, text)| kind.check(text) == Ok(())));
        assert!(refused.iter().all(|(kind, text)| kind.check(text).is_err()));
    }
}
