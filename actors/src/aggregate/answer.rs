//! From an accumulator to the value of a feature: operator, domain, status. Knows no window.

use featuregrid_protocol::expression::Type;
use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{Constant, Decay, Items, Operator, SECONDS, Spread};
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::{Reading, Status, Value};

use super::collected::{self, Overflow};
use super::moments::Moments;
use super::{Accumulator, Collection};
use super::{decay, moments, ratio};

/// How a feature answers: fixed when its plan is.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What is computed.
    pub operator: Operator,
    /// What the measure's values are; whole numbers where it has none.
    pub items: Items,
    /// How long the window is; `None` where it has no length.
    pub span: Option<Span>,
    /// How rows lose their weight; `None` where they keep it.
    pub decay: Option<Decay>,
    /// What stands in for null.
    pub default: Option<Value>,
    /// The column began at an activation.
    pub partial_coverage: bool,
}

/// The reading of `rows`, and of what was collected of them, at `instant`; empty sums are 0, and mean, min and max of
/// nothing are null.
#[must_use]
pub(crate) fn answer(
    answer: &Answer,
    rows: &Accumulator,
    collected: Option<&Collection>,
    instant: Timestamp,
) -> Reading {
    let Some(collected) = collected else { return read(answer, value(answer, rows, instant), rows.bad > 0) };
    match collected::value(answer.operator, answer.items, rows.n, collected) {
        Ok(value) => read(answer, value, rows.bad > 0),
        Err(Overflow(known)) => Reading { value: known, ..answer.absent(Status::Overflow, rows.bad > 0) },
    }
}

/// The reading of the `rows` that were collected, compared with those of a baseline.
#[must_use]
pub(crate) fn compared(answer: &Answer, rows: &Accumulator, collected: &Collection, baseline: &Accumulator) -> Reading {
    let moments = if answer.decay.is_some() { Moments::decayed(baseline) } else { Moments::of(baseline) };
    let value = collected::anomalies(answer.operator, rows.n, collected, &moments);
    read(answer, value, rows.bad > 0 || baseline.bad > 0)
}

#[inline]
fn read(answer: &Answer, value: Value, inexact_input: bool) -> Reading {
    if !matches!(value, Value::Null) {
        return Reading { value, ..answer.absent(Status::Present, inexact_input) };
    }
    match &answer.default {
        Some(default) => Reading { value: default.clone(), ..answer.absent(Status::Defaulted, inexact_input) },
        None => answer.absent(Status::NullValue, inexact_input),
    }
}

/// Of what a few words keep; null where the operator reads a collection.
#[inline]
fn value(Answer { operator, items, span, decay, .. }: &Answer, rows: &Accumulator, instant: Timestamp) -> Value {
    let domain = items.domain();
    let item = |word| item(word, *items);
    match (operator, rows.n) {
        (Operator::Count, n) => Value::Int(i128::from(n)),
        (Operator::Sum, _) => number(rows.sum, domain),
        (Operator::Rate, n) => span.map_or(Value::Null, |span| Value::Float(rate(n, span))),
        (Operator::DecayedCount, _) => {
            decay.map_or(Value::Null, |decay| Value::Float(decay::count(rows, decay, instant)))
        }
        (Operator::DecayedSum, _) => {
            decay.map_or(Value::Null, |decay| Value::Float(decay::sum(rows, decay, instant, domain.scale())))
        }
        (_, 0) => Value::Null,
        (Operator::DecayedMean, _) => Value::Float(decay::mean(rows, domain.scale())),
        (Operator::DecayedVariance, _) => Value::Float(decay::variance(rows, domain.scale())),
        (Operator::DecayedStddev, _) => Value::Float(decay::variance(rows, domain.scale()).sqrt()),
        (Operator::Mean, n) => Value::Float(mean(rows.sum, n, domain)),
        (Operator::Min | Operator::All, _) => item(rows.min),
        (Operator::Max | Operator::Any, _) => item(rows.max),
        (Operator::First, _) => rows.first_row.map_or(Value::Null, |row| item(row.number)),
        (Operator::Last, _) => rows.last_row.map_or(Value::Null, |row| item(row.number)),
        (Operator::TimeSinceFirst, _) => number(i128::from(instant.0) - i128::from(rows.first.0), SECONDS),
        (Operator::TimeSinceLast, _) => number(i128::from(instant.0) - i128::from(rows.last.0), SECONDS),
        (Operator::Variance(spread), _) => variance(rows, *spread, domain).map_or(Value::Null, Value::Float),
        (Operator::Stddev(spread), _) => {
            variance(rows, *spread, domain).map_or(Value::Null, |variance| Value::Float(variance.sqrt()))
        }
        (Operator::MeanGap, 1) => Value::Null,
        // The gaps between neighbours add up to the distance of the ends, in whatever order the rows came.
        (Operator::MeanGap, n) => {
            Value::Float(mean(i128::from(rows.last.0) - i128::from(rows.first.0), n - 1, SECONDS))
        }
        (Operator::FirstN(_) | Operator::LastN(_) | Operator::LastNDistinct(_), _)
        | (Operator::Percentile(_) | Operator::Median | Operator::DistinctCount, _)
        | (Operator::Mode | Operator::ModeShare | Operator::TopK(_) | Operator::TopKShare(_), _)
        | (Operator::Histogram | Operator::Entropy | Operator::MinBy | Operator::MaxBy, _)
        | (Operator::AnomalyCount(_) | Operator::AnomalyRate(_), _) => Value::Null,
    }
}

/// Of at least one row; of one there is none as a sample.
fn variance(rows: &Accumulator, spread: Spread, domain: Domain) -> Option<f64> {
    let divisor = match spread {
        Spread::Population => rows.n,
        Spread::Sample => rows.n - 1,
    };
    (divisor > 0).then(|| moments::variance(rows, divisor, domain.scale()))
}

impl Answer {
    /// The reading where no value can be given.
    #[must_use]
    pub fn nothing(&self, status: Status) -> Reading {
        self.absent(status, false)
    }

    #[inline]
    fn absent(&self, status: Status, inexact_input: bool) -> Reading {
        let partial_coverage = self.partial_coverage;
        Reading { value: Value::Null, status, inexact_input, partial_coverage, rounded: false }
    }
}

fn number(unscaled: i128, domain: Domain) -> Value {
    match domain {
        Domain::Int => Value::Int(unscaled),
        Domain::Decimal(scale) => Value::Decimal { unscaled, scale },
    }
}

/// The value that a word of a cell stands for. The word of a text says nothing: its text is collected.
pub(super) fn item(word: i64, items: Items) -> Value {
    match items {
        Items::Numbers(domain) => number(word.into(), domain),
        Items::Truths => Value::Bool(word != 0),
        Items::Texts => Value::Null,
    }
}

/// A constant of the definitions as what answers `of` would have answered it: what is rounded is a float, all else stays as
/// it is written.
#[must_use]
pub fn default(of: Type, constant: &Constant) -> Value {
    match constant {
        Constant::Number { unscaled, domain } if of == Type::Float => {
            Value::Float(ratio::nearest((*unscaled).into(), 10u128.pow(domain.scale().into())))
        }
        Constant::Number { unscaled, domain } => number((*unscaled).into(), *domain),
        Constant::Truth(truth) => Value::Bool(*truth),
        Constant::Text(text) => Value::Text(text.as_str().into()),
    }
}

/// The scale is part of the exact ratio, so that there is one rounding and not two.
fn mean(sum: i128, n: u64, domain: Domain) -> f64 {
    ratio::nearest(sum, u128::from(n) * 10u128.pow(u32::from(domain.scale())))
}

/// Rows a second.
fn rate(n: u64, span: Span) -> f64 {
    ratio::nearest(i128::from(n) * i128::from(Span::seconds(1).0), span.0.unsigned_abs().into())
}

#[cfg(test)]
mod tests {
    //! The table of empties, and a mean that rounds once.
    use featuregrid_protocol::plan::Answers;
    use featuregrid_protocol::row::Position;

    use super::*;
    use crate::aggregate::{Collects, Placed};

    const NOW: Timestamp = Timestamp(10_000_000);

    fn plain(operator: Operator) -> Answer {
        let span = Some(Span::seconds(4));
        let items = Items::Numbers(Domain::Decimal(1));
        Answer { operator, items, span, decay: None, default: None, partial_coverage: false }
    }

    fn read(operator: Operator, accumulator: &Accumulator) -> (Value, Status) {
        let reading = answer(&plain(operator), accumulator, None, NOW);
        (reading.value, reading.status)
    }

    /// Operators that are answered from a few words.
    fn of_words() -> impl Iterator<Item = Operator> {
        let collects = |operator: &Operator| Collects::of(operator.keeps(plain(*operator).items)).next();
        let all = Operator::ALL.into_iter().filter(|operator| !operator.is_decayed());
        all.filter(move |operator| collects(operator).is_none())
    }

    fn rows(n: u64, sum: i128) -> Accumulator {
        let at = |ts| Placed { ts: Timestamp(ts), position: Position::default(), number: 1 };
        let (first, last) = (at(1), at(9_000_001));
        let rows = Accumulator { n, sum, min: 1, max: 1, first: first.ts, last: last.ts, ..Accumulator::default() };
        Accumulator { first_row: Some(first), last_row: Some(last), ..rows }
    }

    #[test]
    fn empty_answers() {
        let empty = Accumulator::default();
        assert_eq!(read(Operator::Count, &empty), (Value::Int(0), Status::Present));
        assert_eq!(read(Operator::Sum, &empty), (Value::Decimal { unscaled: 0, scale: 1 }, Status::Present));
        assert_eq!(read(Operator::Rate, &empty), (Value::Float(0.0), Status::Present));
        for operator in of_words() {
            let wanted = match operator {
                Operator::Count | Operator::Sum | Operator::Rate => Status::Present,
                _ => Status::NullValue,
            };
            assert_eq!(read(operator, &empty).1, wanted, "{operator:?}");
        }
    }

    #[test]
    fn what_needs_two_rows_is_null_for_one() {
        let needs_two = of_words().filter(|operator| read(*operator, &rows(1, 1)).0 == Value::Null);
        let wanted = [Operator::Variance(Spread::Sample), Operator::Stddev(Spread::Sample), Operator::MeanGap];
        assert_eq!(needs_two.collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn times_are_seconds() {
        let three = rows(3, 3);
        assert_eq!(read(Operator::TimeSinceFirst, &three).0, Value::Decimal { unscaled: 9_999_999, scale: 6 });
        assert_eq!(read(Operator::TimeSinceLast, &three).0, Value::Decimal { unscaled: 999_999, scale: 6 });
        assert_eq!(read(Operator::MeanGap, &three).0, Value::Float(4.5));
        assert_eq!(read(Operator::Rate, &three).0, Value::Float(0.75));
    }

    #[test]
    fn a_default_stands_in_for_null() {
        let constant = Constant::Number { unscaled: 3, domain: Domain::Decimal(1) };
        for operator in of_words() {
            let Answers::One(of) = operator.answers(plain(operator).items) else { continue };
            let with = Answer { default: Some(default(of, &constant)), ..plain(operator) };
            let empty = answer(&with, &Accumulator::default(), None, NOW);
            let want = match operator {
                Operator::Count | Operator::Sum | Operator::Rate => {
                    answer(&plain(operator), &Accumulator::default(), None, NOW)
                }
                _ if of == Type::Float => Reading { value: Value::Float(0.3), status: Status::Defaulted, ..empty },
                _ => Reading { value: Value::Decimal { unscaled: 3, scale: 1 }, status: Status::Defaulted, ..empty },
            };
            assert_eq!(empty, want, "{operator:?}");
            assert_eq!(answer(&with, &rows(2, 2), None, NOW).status, Status::Present);
        }
    }

    #[test]
    fn ten_tenths_have_the_mean_of_a_tenth() {
        let mut tenths = rows(10, 10);
        assert_eq!(read(Operator::Mean, &tenths).0, Value::Float(0.1));
        assert_eq!(read(Operator::Sum, &tenths).0, Value::Decimal { unscaled: 10, scale: 1 });
        tenths.bad = 1;
        let whole = Answer { items: Items::Numbers(Domain::Int), partial_coverage: true, ..plain(Operator::Max) };
        let reading = answer(&whole, &tenths, None, NOW);
        assert!(reading.inexact_input && reading.partial_coverage);
    }
}
