//! Values sent with a read as columns of the wire. Knows no declared type.

use super::v1::request_column::Values;
use super::v1::{RequestColumn, Texts};
use crate::number::SCALE_MAX;
use crate::request::{Column, Refused, Written};
use crate::time::Timestamp;
use crate::value::Value;

impl RequestColumn {
    /// Texts, which are read as whatever is declared.
    #[must_use]
    pub fn texts(name: impl Into<String>, values: impl IntoIterator<Item = String>) -> Self {
        let values = Some(Values::Texts(Texts { values: values.into_iter().collect() }));
        Self { name: name.into(), values, nulls: Vec::new() }
    }

    /// The values as they were sent for so many entities.
    ///
    /// # Errors
    /// [`Refused::Malformed`].
    pub fn written(&self, entities: usize) -> Result<Column<'_>, Refused> {
        let malformed = |why| Refused::Malformed { name: self.name.clone(), why };
        let mut values: Vec<Written<'_>> = match &self.values {
            None => vec![Written::Null; entities],
            Some(Values::Ints(ints)) => ints.values.iter().map(|int| number(int)).collect(),
            Some(Values::Floats(floats)) => floats.values.iter().map(|float| number(float)).collect(),
            Some(Values::Decimals(decimals)) => {
                let scale = u8::try_from(decimals.scale).ok().filter(|scale| *scale <= SCALE_MAX);
                let scale = scale.ok_or(malformed("a scale is at most 18"))?;
                let decimal = |unscaled: &i64| number(&Value::Decimal { unscaled: (*unscaled).into(), scale });
                decimals.unscaled.iter().map(decimal).collect()
            }
            Some(Values::Texts(texts)) => texts.values.iter().map(|text| Written::Text(text.as_str().into())).collect(),
            Some(Values::Bools(bools)) => bools.values.iter().map(|value| Written::Bool(*value)).collect(),
            Some(Values::TimestampsMicros(at)) => {
                at.values.iter().map(|micros| Written::Timestamp(Timestamp(*micros))).collect()
            }
        };
        for place in &self.nulls {
            let value = usize::try_from(*place).ok().and_then(|place| values.get_mut(place));
            *value.ok_or(malformed("nulls name an entity that has no value anyway"))? = Written::Null;
        }
        Ok(Column { name: &self.name, values })
    }
}

/// By its digits, the shortest of a float that read back as the same.
fn number(value: &dyn ToString) -> Written<'static> {
    Written::Number(value.to_string().into())
}

#[cfg(test)]
mod tests {
    //! Every kind of column, and what no column is.
    use super::*;
    use crate::wire::v1::{Bools, Decimals, Floats, Ints};

    fn column(values: Values, nulls: &[u32]) -> RequestColumn {
        RequestColumn { name: "x".to_owned(), values: Some(values), nulls: nulls.to_vec() }
    }

    #[test]
    fn numbers_keep_their_digits() {
        let shown = |values| -> Vec<String> {
            column(values, &[]).written(2).unwrap().values.iter().map(ToString::to_string).collect()
        };
        assert_eq!(shown(Values::Ints(Ints { values: vec![i64::MIN, 7] })), ["-9223372036854775808", "7"]);
        assert_eq!(shown(Values::Decimals(Decimals { unscaled: vec![-5, 1230], scale: 2 })), ["-0.05", "12.3"]);
        assert_eq!(shown(Values::Floats(Floats { values: vec![0.1, f64::NAN] })), ["0.1", "NaN"]);
        assert_eq!(shown(Values::Bools(Bools { values: vec![true, false] })), ["true", "false"]);
        let instants = shown(Values::TimestampsMicros(Ints { values: vec![0, 1] }));
        assert_eq!(instants, ["the instant 1970-01-01T00:00:00Z", "the instant 1970-01-01T00:00:00.000001Z"]);
        assert_eq!(RequestColumn::texts("x", ["a".to_owned()]).written(1).unwrap().values, [Written::Text("a".into())]);
    }

    #[test]
    fn nulls_stand_where_they_are_named() {
        let some = column(Values::Ints(Ints { values: vec![1, 2] }), &[1]);
        assert_eq!(some.written(2).unwrap().values, [Written::Number("1".into()), Written::Null]);
        let none = RequestColumn { name: "x".to_owned(), values: None, nulls: Vec::new() };
        assert_eq!(none.written(2).unwrap().values, [Written::Null, Written::Null]);
        let misplaced = column(Values::Ints(Ints { values: vec![1, 2] }), &[2]);
        let outside = misplaced.written(2);
        assert!(matches!(outside, Err(Refused::Malformed { .. })));
        let fine = column(Values::Decimals(Decimals { unscaled: vec![1], scale: 19 }), &[]).written(1).unwrap_err();
        assert_eq!(fine.to_string(), "request value `x`: a scale is at most 18");
    }
}
