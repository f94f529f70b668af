//! The functions of expressions: one table for the checker and for the documentation. Knows no evaluation.

use super::{Function, Part, Type};

/// A function by its name.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// As it is written, before the arguments in parentheses or behind the first and a point.
    pub name: &'static str,
    /// Another name that CEL has for it.
    pub also: Option<&'static str>,
    pub(super) takes: &'static [Takes],
    /// How many of the last arguments may be left out.
    pub(super) optional: usize,
    /// Whether the last argument may repeat.
    pub(super) repeats: bool,
    pub(super) gives: Gives,
    pub(super) builds: Builds,
    /// What it does.
    pub does: &'static str,
    /// What it makes of null, where that is not null.
    pub null: &'static str,
}

/// What an argument must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Any,
    /// Of one type with the other arguments of this kind.
    Same,
    Number,
    NumberOrText,
    Text,
    Timestamp,
    /// A text that is written down.
    Pattern,
    Zone,
    /// A whole number that is written down, from 0 to 18.
    Digits,
    /// A whole number that is written down, from 1 on.
    Count,
    /// Numbers that are written down, each larger than the one before.
    Ascending,
}

/// What a function answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    Fixed(Type),
    /// What its arguments are.
    Same,
    /// A decimal with the digits of its last argument.
    Digits,
}

/// What the checker makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builds {
    /// The operation, of the arguments as they are.
    Plain(&'static Function),
    /// The operation, of the arguments as floats.
    OfFloats(&'static Function),
    /// A part of the date and time in a zone, UTC where none is written.
    Calendar(Part),
    IsWeekend,
    EventTime,
    Convert,
    Matches,
    OneHot,
    Bucketize,
    Hash,
}

/// In the order of the documentation.
pub const ALL: [Entry; 34] = {
    use Builds::{Calendar, Plain};
    use Takes::{Any, Ascending, Count, Digits, Number, NumberOrText, Pattern, Same, Text};
    [
        repeats(
            "coalesce",
            &[Same, Same],
            Gives::Same,
            Plain(&Function::Coalesce),
            "the first argument that is not null",
        )
        .null("null only if all are"),
        plain("is_null", &[Any], Type::Bool, Plain(&Function::IsNull), "whether there is no value").null("true"),
        repeats("least", &[Number, Number], Gives::Same, Plain(&Function::Least), "the smallest argument"),
        repeats("greatest", &[Number, Number], Gives::Same, Plain(&Function::Greatest), "the largest argument"),
        same("abs", &[Number], Plain(&Function::Absolute), "without the sign"),
        plain("floor", &[Number], Type::Int, Plain(&Function::Floor), "the largest whole number that is not larger"),
        plain("ceil", &[Number], Type::Int, Plain(&Function::Ceiling), "the smallest whole number that is not smaller"),
        floats("log", &[Number], &Function::Log, "the natural logarithm; of 0 and less it is bad"),
        floats("exp", &[Number], &Function::Exp, "e to the power of the argument"),
        floats("sqrt", &[Number], &Function::SquareRoot, "the square root; of less than 0 it is bad"),
        floats("pow", &[Number, Number], &Function::Power, "the first to the power of the second"),
        plain(
            "int",
            &[NumberOrText],
            Type::Int,
            Builds::Convert,
            "rounded half even to a whole number; text that is no number is bad",
        ),
        Entry {
            gives: Gives::Digits,
            ..plain(
                "decimal",
                &[NumberOrText, Digits],
                Type::Int,
                Builds::Convert,
                "rounded half even to so many digits after the point; of a quotient the exact one, rounded once",
            )
        },
        plain("float", &[NumberOrText], Type::Float, Builds::Convert, "the nearest float").also("double"),
        plain("text", &[Any], Type::Text, Builds::Convert, "as it is printed: 12.5, true, 2026-01-01T12:00:00Z")
            .also("string"),
        plain(
            "timestamp",
            &[Text],
            Type::Timestamp,
            Builds::Convert,
            "the instant of RFC 3339 text; null where it is none",
        ),
        plain("lower", &[Text], Type::Text, Plain(&Function::Lower), "A to Z become small letters").also("lowerAscii"),
        plain("upper", &[Text], Type::Text, Plain(&Function::Upper), "a to z become capital letters")
            .also("upperAscii"),
        plain("trim", &[Text], Type::Text, Plain(&Function::Trim), "without spaces, tabs and line ends at both ends"),
        plain("size", &[Text], Type::Int, Plain(&Function::Size), "how many characters"),
        plain(
            "contains",
            &[Text, Text],
            Type::Bool,
            Plain(&Function::Contains),
            "whether the second is part of the first",
        ),
        plain(
            "starts_with",
            &[Text, Text],
            Type::Bool,
            Plain(&Function::StartsWith),
            "whether the first begins with the second",
        )
        .also("startsWith"),
        plain(
            "ends_with",
            &[Text, Text],
            Type::Bool,
            Plain(&Function::EndsWith),
            "whether the first ends with the second",
        )
        .also("endsWith"),
        plain(
            "matches",
            &[Text, Pattern],
            Type::Bool,
            Builds::Matches,
            "whether a regular expression matches somewhere, in time linear in the text; its classes and (?i) are ASCII's",
        ),
        plain("event_time", &[], Type::Timestamp, Builds::EventTime, "the time of the event; not in derived features")
            .null("never null"),
        zoned("hour_of_day", Type::Int, Calendar(Part::Hour), "0 to 23"),
        zoned("day_of_week", Type::Int, Calendar(Part::Weekday), "1 (Monday) to 7"),
        zoned("day_of_month", Type::Int, Calendar(Part::Day), "1 to 31"),
        zoned("month", Type::Int, Calendar(Part::Month), "1 to 12"),
        zoned("year", Type::Int, Calendar(Part::Year), "for example 2026"),
        zoned("is_weekend", Type::Bool, Builds::IsWeekend, "whether it is Saturday or Sunday"),
        plain("one_hot", &[Same, Same], Type::Int, Builds::OneHot, "1 where both are equal, else 0").null("0"),
        plain(
            "bucketize",
            &[Number, Ascending],
            Type::Int,
            Builds::Bucketize,
            "how many of the bounds, which rise, are not larger than the first: 0 below all of them",
        ),
        plain(
            "hash",
            &[Any, Count],
            Type::Int,
            Builds::Hash,
            "the hash (xxh3) of the value as text, from 0 to less than the second; the same on every machine, for ever",
        ),
    ]
};

/// The function of a name.
pub(super) fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name || entry.also == Some(name))
}

const fn plain(name: &'static str, takes: &'static [Takes], gives: Type, builds: Builds, does: &'static str) -> Entry {
    let (also, null, gives) = (None, "null", Gives::Fixed(gives));
    Entry { name, also, takes, optional: 0, repeats: false, gives, builds, does, null }
}

const fn floats(name: &'static str, takes: &'static [Takes], function: &'static Function, does: &'static str) -> Entry {
    plain(name, takes, Type::Float, Builds::OfFloats(function), does)
}

const fn same(name: &'static str, takes: &'static [Takes], builds: Builds, does: &'static str) -> Entry {
    Entry { gives: Gives::Same, ..plain(name, takes, Type::Int, builds, does) }
}

const fn repeats(
    name: &'static str,
    takes: &'static [Takes],
    gives: Gives,
    builds: Builds,
    does: &'static str,
) -> Entry {
    Entry { gives, repeats: true, ..plain(name, takes, Type::Int, builds, does) }
}

const fn zoned(name: &'static str, gives: Type, builds: Builds, does: &'static str) -> Entry {
    Entry { optional: 1, ..plain(name, &[Takes::Timestamp, Takes::Zone], gives, builds, does) }
}

impl Entry {
    const fn also(self, also: &'static str) -> Self {
        Self { also: Some(also), ..self }
    }

    const fn null(self, null: &'static str) -> Self {
        Self { null, ..self }
    }

    /// `name(argument, ...) -> result`
    #[must_use]
    pub fn signature(&self) -> String {
        let named = |takes: &Takes| match takes {
            Takes::Any => "any",
            Takes::Same => "value",
            Takes::Number => "number",
            Takes::NumberOrText => "number or text",
            Takes::Text => "text",
            Takes::Timestamp => "timestamp",
            Takes::Pattern => "\"pattern\"",
            Takes::Zone => "\"zone\"",
            Takes::Digits => "digits",
            Takes::Count => "count",
            Takes::Ascending => "[numbers]",
        };
        let required = self.takes.len() - self.optional;
        let mut takes: Vec<String> = self.takes[..required].iter().map(|takes| named(takes).to_owned()).collect();
        takes.extend(self.takes[required..].iter().map(|takes| format!("[{}]", named(takes))));
        if self.repeats {
            takes.push("...".to_owned());
        }
        let gives = match self.gives {
            Gives::Fixed(Type::Bool) => "bool",
            Gives::Fixed(Type::Int) => "int",
            Gives::Fixed(Type::Float) => "float",
            Gives::Fixed(Type::Text) => "text",
            Gives::Fixed(Type::Timestamp) => "timestamp",
            Gives::Fixed(Type::Decimal(_)) | Gives::Digits => "decimal(digits)",
            Gives::Same => {
                if self.takes.contains(&Takes::Number) {
                    "number"
                } else {
                    "value"
                }
            }
        };
        format!("{}({}) -> {gives}", self.name, takes.join(", "))
    }
}

/// The table of the documentation, in Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut table = "| function | what it answers | of null |\n|---|---|---|\n".to_owned();
    for entry in &ALL {
        let also = entry.also.map_or(String::new(), |also| format!(" (CEL's `{also}`)"));
        table += &format!("| `{}`{also} | {} | {} |\n", entry.signature(), entry.does, entry.null);
    }
    table
}

#[cfg(test)]
mod tests;
