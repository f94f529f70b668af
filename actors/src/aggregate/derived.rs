//! Derived features: arithmetic over results of the same view, at the read. Knows no page and no window.
//!
//! Each input is the f64 nearest to its exact value, and each operation rounds once, as IEEE 754 says: the same bits on
//! every machine. No result is infinite, `NaN` or minus zero.

use featuregrid_protocol::plan::{Arithmetic, ArithmeticOp, Constant};
use featuregrid_protocol::value::{Reading, Status, Value};

use super::ratio;

/// What a formula answers, from the results before it.
#[must_use]
pub fn derive(formula: &Arithmetic, readings: &[Reading]) -> Reading {
    let mut inputs =
        Reading { value: Value::Null, status: Status::Present, inexact_input: false, partial_coverage: false };
    let value = number(formula, readings, &mut inputs);
    let status = match (value, inputs.status) {
        (_, status @ (Status::NotFound | Status::OutOfRange)) => status,
        (None, _) => Status::NullValue,
        (Some(_), status) => status,
    };
    // The sum of minus zero and zero is zero.
    Reading { value: value.map_or(Value::Null, |value| Value::Float(value + 0.0)), status, ..inputs }
}

/// The value of a formula; what its inputs have in common is gathered in `inputs`, past the first null too.
fn number(formula: &Arithmetic, readings: &[Reading], inputs: &mut Reading) -> Option<f64> {
    match formula {
        Arithmetic::Constant(Constant { unscaled, domain }) => Some(decimal((*unscaled).into(), domain.scale())),
        Arithmetic::Result(result) => {
            let reading = readings.get(*result)?;
            inputs.inexact_input |= reading.inexact_input;
            inputs.partial_coverage |= reading.partial_coverage;
            match reading.status {
                Status::NotFound | Status::OutOfRange => inputs.status = reading.status,
                Status::Defaulted if inputs.status == Status::Present => inputs.status = Status::Defaulted,
                Status::Defaulted | Status::Present | Status::NullValue | Status::OutsideMaxAge => {}
            }
            match reading.value {
                Value::Null => None,
                Value::Int(int) => Some(decimal(int, 0)),
                Value::Decimal { unscaled, scale } => Some(decimal(unscaled, scale)),
                Value::Float(float) => Some(float),
            }
        }
        Arithmetic::Binary { op, left, right } => {
            let (left, right) = (number(left, readings, inputs), number(right, readings, inputs));
            let (left, right) = (left?, right?);
            let value = match op {
                ArithmeticOp::Add => left + right,
                ArithmeticOp::Subtract => left - right,
                ArithmeticOp::Multiply => left * right,
                // By zero it is infinite, or of zero no number: null below.
                ArithmeticOp::Divide => left / right,
            };
            value.is_finite().then_some(value)
        }
    }
}

fn decimal(unscaled: i128, scale: u8) -> f64 {
    ratio::nearest(unscaled, 10u128.pow(scale.into()))
}

#[cfg(test)]
mod tests {
    //! Null in, null out; zero is never divided by; and what an input was is not forgotten.
    use featuregrid_protocol::number::Domain;

    use super::*;

    fn reading(value: Value, status: Status) -> Reading {
        Reading { value, status, inexact_input: false, partial_coverage: false }
    }

    fn binary(op: ArithmeticOp, left: Arithmetic, right: Arithmetic) -> Arithmetic {
        Arithmetic::Binary { op, left: Box::new(left), right: Box::new(right) }
    }

    fn constant(unscaled: i64, scale: u8) -> Arithmetic {
        Arithmetic::Constant(Constant { unscaled, domain: Domain::Decimal(scale) })
    }

    #[test]
    fn the_four_operations() {
        let readings = [
            reading(Value::Int(3), Status::Present),
            reading(Value::Decimal { unscaled: 150, scale: 2 }, Status::Present),
            reading(Value::Float(0.25), Status::Defaulted),
            reading(Value::Null, Status::NullValue),
            reading(Value::Int(0), Status::Present),
        ];
        let ask = |op, left, right| {
            let answer = derive(&binary(op, Arithmetic::Result(left), Arithmetic::Result(right)), &readings);
            (answer.value, answer.status)
        };
        let (present, null) = (|value| (Value::Float(value), Status::Present), (Value::Null, Status::NullValue));
        assert_eq!(ask(ArithmeticOp::Add, 0, 1), present(4.5));
        assert_eq!(ask(ArithmeticOp::Subtract, 1, 0), present(-1.5));
        assert_eq!(ask(ArithmeticOp::Divide, 0, 1), present(2.0));
        assert_eq!(ask(ArithmeticOp::Multiply, 0, 2), (Value::Float(0.75), Status::Defaulted));
        assert_eq!([ask(ArithmeticOp::Divide, 0, 4), ask(ArithmeticOp::Divide, 4, 4)], [null, null]);
        assert_eq!([ask(ArithmeticOp::Add, 3, 2), ask(ArithmeticOp::Divide, 2, 3)], [null, null]);
    }

    #[test]
    fn no_result_is_infinite_or_minus_zero() {
        let huge = reading(Value::Int(i128::MAX), Status::Present);
        let square = |times: u32| {
            (0..times)
                .fold(Arithmetic::Result(0), |formula, _| binary(ArithmeticOp::Multiply, formula.clone(), formula))
        };
        assert!(matches!(derive(&square(3), &[huge]).value, Value::Float(value) if value.is_finite()));
        assert_eq!(derive(&square(4), &[huge]).value, Value::Null);
        let zero = binary(ArithmeticOp::Multiply, Arithmetic::Result(0), constant(-5, 1));
        let Value::Float(value) = derive(&zero, &[reading(Value::Int(0), Status::Present)]).value else {
            panic!("a product of numbers is a number")
        };
        assert!(value == 0.0 && value.is_sign_positive());
    }

    #[test]
    fn flags_and_reasons_of_every_input_are_kept() {
        let flagged = Reading { inexact_input: true, ..reading(Value::Null, Status::NullValue) };
        let partial = Reading { partial_coverage: true, ..reading(Value::Int(1), Status::Present) };
        let sum = binary(ArithmeticOp::Add, Arithmetic::Result(0), Arithmetic::Result(1));
        let answer = derive(&sum, &[flagged, partial]);
        assert!(answer.inexact_input && answer.partial_coverage);
        let gone = reading(Value::Null, Status::NotFound);
        assert_eq!(derive(&sum, &[gone, gone]), gone);
    }
}
