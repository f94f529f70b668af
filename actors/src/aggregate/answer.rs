//! From an accumulator to the value of a feature: operator, domain, status. Knows no window.

use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{Constant, Operator};
use featuregrid_protocol::value::{Reading, Status, Value};

use super::Accumulator;
use super::ratio;

/// How a feature answers: fixed when its plan is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// What is computed.
    pub operator: Operator,
    /// The measure's domain; whole numbers where it has no value.
    pub domain: Domain,
    /// What stands in for null.
    pub default: Option<Value>,
    /// The column began at an activation.
    pub partial_coverage: bool,
}

/// The reading of `accumulator`; empty sums are 0, and mean, min and max of nothing are null.
#[must_use]
pub fn answer(answer: Answer, accumulator: &Accumulator) -> Reading {
    let number = |unscaled| number(unscaled, answer.domain);
    let value = match answer.operator {
        Operator::Count => Value::Int(i128::from(accumulator.n)),
        Operator::Sum => number(accumulator.sum),
        _ if accumulator.n == 0 => Value::Null,
        Operator::Mean => Value::Float(mean(accumulator, answer.domain)),
        Operator::Min => number(i128::from(accumulator.min)),
        Operator::Max => number(i128::from(accumulator.max)),
    };
    let (value, status) = match (value, answer.default) {
        (Value::Null, Some(default)) => (default, Status::Defaulted),
        (Value::Null, None) => (Value::Null, Status::NullValue),
        (value, _) => (value, Status::Present),
    };
    Reading { value, status, inexact_input: accumulator.bad > 0, partial_coverage: answer.partial_coverage }
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

/// A number of the definitions as a value of `operator`: a mean is a float, all else stays as it is written.
#[must_use]
pub fn default(operator: Operator, Constant { unscaled, domain }: Constant) -> Value {
    match operator {
        Operator::Mean => Value::Float(ratio::nearest(unscaled.into(), 10u128.pow(domain.scale().into()))),
        Operator::Count | Operator::Sum | Operator::Min | Operator::Max => number(unscaled.into(), domain),
    }
}

/// The scale is part of the exact ratio, so that there is one rounding and not two.
fn mean(accumulator: &Accumulator, domain: Domain) -> f64 {
    ratio::nearest(accumulator.sum, u128::from(accumulator.n) * 10u128.pow(u32::from(domain.scale())))
}

#[cfg(test)]
mod tests {
    //! The table of empties, and a mean that rounds once.
    use super::*;

    fn read(operator: Operator, accumulator: &Accumulator) -> (Value, Status) {
        let reading = answer(
            Answer { operator, domain: Domain::Decimal(1), default: None, partial_coverage: false },
            accumulator,
        );
        (reading.value, reading.status)
    }

    #[test]
    fn empty_answers() {
        let empty = Accumulator::default();
        assert_eq!(read(Operator::Count, &empty), (Value::Int(0), Status::Present));
        assert_eq!(read(Operator::Sum, &empty), (Value::Decimal { unscaled: 0, scale: 1 }, Status::Present));
        for operator in [Operator::Mean, Operator::Min, Operator::Max] {
            assert_eq!(read(operator, &empty), (Value::Null, Status::NullValue));
        }
    }

    #[test]
    fn a_default_stands_in_for_null() {
        let constant = Constant { unscaled: 3, domain: Domain::Decimal(1) };
        for operator in [Operator::Count, Operator::Sum, Operator::Mean, Operator::Min, Operator::Max] {
            let default = Some(default(operator, constant));
            let with = Answer { operator, domain: Domain::Decimal(1), default, partial_coverage: false };
            let empty = answer(with, &Accumulator::default());
            let want = match operator {
                Operator::Count | Operator::Sum => answer(Answer { default: None, ..with }, &Accumulator::default()),
                Operator::Mean => Reading { value: Value::Float(0.3), status: Status::Defaulted, ..empty },
                _ => Reading { value: Value::Decimal { unscaled: 3, scale: 1 }, status: Status::Defaulted, ..empty },
            };
            assert_eq!(empty, want, "{operator:?}");
            let one = Accumulator { n: 1, bad: 0, sum: 5, min: 5, max: 5 };
            assert_eq!(answer(with, &one).status, Status::Present);
        }
    }

    #[test]
    fn ten_tenths_have_the_mean_of_a_tenth() {
        let mut tenths = Accumulator::default();
        let tenth = Accumulator { n: 1, bad: 0, sum: 1, min: 1, max: 1 };
        (0..10).for_each(|_| tenths.merge(&tenth));
        assert_eq!(read(Operator::Mean, &tenths).0, Value::Float(0.1));
        assert_eq!(read(Operator::Sum, &tenths).0, Value::Decimal { unscaled: 10, scale: 1 });
        tenths.merge(&Accumulator { bad: 1, ..Accumulator::default() });
        let reading = answer(
            Answer { operator: Operator::Max, domain: Domain::Int, default: None, partial_coverage: true },
            &tenths,
        );
        assert!(reading.inexact_input && reading.partial_coverage);
    }
}
