//! From an accumulator to the value of a feature: operator, domain, status. Knows no window.

use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{Constant, Operator, SECONDS, Spread};
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::{Reading, Status, Value};

use super::Accumulator;
use super::{moments, ratio};

/// How a feature answers: fixed when its plan is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// What is computed.
    pub operator: Operator,
    /// The measure's domain; whole numbers where it has no value.
    pub domain: Domain,
    /// How long the window is; `None` where it has no length.
    pub span: Option<Span>,
    /// What stands in for null.
    pub default: Option<Value>,
    /// The column began at an activation.
    pub partial_coverage: bool,
}

/// The reading of `rows` at `instant`; empty sums are 0, and mean, min and max of nothing are null.
#[must_use]
pub fn answer(answer: Answer, rows: &Accumulator, instant: Timestamp) -> Reading {
    let (value, status) = match (value(answer, rows, instant), answer.default) {
        (Value::Null, Some(default)) => (default, Status::Defaulted),
        (Value::Null, None) => (Value::Null, Status::NullValue),
        (value, _) => (value, Status::Present),
    };
    Reading { value, status, inexact_input: rows.bad > 0, partial_coverage: answer.partial_coverage }
}

fn value(Answer { operator, domain, span, .. }: Answer, rows: &Accumulator, instant: Timestamp) -> Value {
    let number = |unscaled| number(unscaled, domain);
    match (operator, rows.n) {
        (Operator::Count, n) => Value::Int(i128::from(n)),
        (Operator::Sum, _) => number(rows.sum),
        (Operator::Rate, n) => span.map_or(Value::Null, |span| Value::Float(rate(n, span))),
        (_, 0) => Value::Null,
        (Operator::Mean, n) => Value::Float(mean(rows.sum, n, domain)),
        (Operator::Min, _) => number(i128::from(rows.min)),
        (Operator::Max, _) => number(i128::from(rows.max)),
        (Operator::First, _) => rows.first_row.map_or(Value::Null, |row| number(i128::from(row.number))),
        (Operator::Last, _) => rows.last_row.map_or(Value::Null, |row| number(i128::from(row.number))),
        (Operator::TimeSinceLast, _) => self::number(i128::from(instant.0) - i128::from(rows.last.0), SECONDS),
        (Operator::Variance(spread), _) => variance(rows, spread, domain).map_or(Value::Null, Value::Float),
        (Operator::Stddev(spread), _) => {
            variance(rows, spread, domain).map_or(Value::Null, |variance| Value::Float(variance.sqrt()))
        }
        (Operator::MeanGap, 1) => Value::Null,
        // The gaps between neighbours add up to the distance of the ends, in whatever order the rows came.
        (Operator::MeanGap, n) => {
            Value::Float(mean(i128::from(rows.last.0) - i128::from(rows.first.0), n - 1, SECONDS))
        }
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
    pub fn nothing(self, status: Status) -> Reading {
        Reading { value: Value::Null, status, inexact_input: false, partial_coverage: self.partial_coverage }
    }
}

fn number(unscaled: i128, domain: Domain) -> Value {
    match domain {
        Domain::Int => Value::Int(unscaled),
        Domain::Decimal(scale) => Value::Decimal { unscaled, scale },
    }
}

/// A number of the definitions as a value of `operator`: what is rounded is a float, all else stays as it is written.
#[must_use]
pub fn default(operator: Operator, Constant { unscaled, domain }: Constant) -> Value {
    if operator.is_rounded() {
        Value::Float(ratio::nearest(unscaled.into(), 10u128.pow(domain.scale().into())))
    } else {
        number(unscaled.into(), domain)
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
    use featuregrid_protocol::row::Position;

    use super::*;
    use crate::aggregate::Placed;

    const NOW: Timestamp = Timestamp(10_000_000);

    fn plain(operator: Operator) -> Answer {
        let span = Some(Span::seconds(4));
        Answer { operator, domain: Domain::Decimal(1), span, default: None, partial_coverage: false }
    }

    fn read(operator: Operator, accumulator: &Accumulator) -> (Value, Status) {
        let reading = answer(plain(operator), accumulator, NOW);
        (reading.value, reading.status)
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
        for operator in Operator::ALL {
            let wanted = match operator {
                Operator::Count | Operator::Sum | Operator::Rate => Status::Present,
                _ => Status::NullValue,
            };
            assert_eq!(read(operator, &empty).1, wanted, "{operator:?}");
        }
    }

    #[test]
    fn what_needs_two_rows_is_null_for_one() {
        let needs_two = Operator::ALL.into_iter().filter(|operator| read(*operator, &rows(1, 1)).0 == Value::Null);
        let wanted = [Operator::Variance(Spread::Sample), Operator::Stddev(Spread::Sample), Operator::MeanGap];
        assert_eq!(needs_two.collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn times_are_seconds() {
        let three = rows(3, 3);
        assert_eq!(read(Operator::TimeSinceLast, &three).0, Value::Decimal { unscaled: 999_999, scale: 6 });
        assert_eq!(read(Operator::MeanGap, &three).0, Value::Float(4.5));
        assert_eq!(read(Operator::Rate, &three).0, Value::Float(0.75));
    }

    #[test]
    fn a_default_stands_in_for_null() {
        let constant = Constant { unscaled: 3, domain: Domain::Decimal(1) };
        for operator in Operator::ALL {
            let with = Answer { default: Some(default(operator, constant)), ..plain(operator) };
            let empty = answer(with, &Accumulator::default(), NOW);
            let want = match operator {
                Operator::Count | Operator::Sum | Operator::Rate => {
                    answer(plain(operator), &Accumulator::default(), NOW)
                }
                _ if operator.is_rounded() => Reading { value: Value::Float(0.3), status: Status::Defaulted, ..empty },
                _ => Reading { value: Value::Decimal { unscaled: 3, scale: 1 }, status: Status::Defaulted, ..empty },
            };
            assert_eq!(empty, want, "{operator:?}");
            assert_eq!(answer(with, &rows(2, 2), NOW).status, Status::Present);
        }
    }

    #[test]
    fn ten_tenths_have_the_mean_of_a_tenth() {
        let mut tenths = rows(10, 10);
        assert_eq!(read(Operator::Mean, &tenths).0, Value::Float(0.1));
        assert_eq!(read(Operator::Sum, &tenths).0, Value::Decimal { unscaled: 10, scale: 1 });
        tenths.bad = 1;
        let whole = Answer { domain: Domain::Int, partial_coverage: true, ..plain(Operator::Max) };
        let reading = answer(whole, &tenths, NOW);
        assert!(reading.inexact_input && reading.partial_coverage);
    }
}
