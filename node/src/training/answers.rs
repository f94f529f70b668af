//! The values of a training set, column by column in the order of the spine. Knows no file.

use anyhow::bail;
use featuregrid_actors::shard::ViewReading;
use featuregrid_protocol::expression::Type;
use featuregrid_protocol::plan::{self, Plan, ViewPlan};
use featuregrid_protocol::value::{Edge, Reading, Status, Value};
use featuregrid_protocol::wire::v1::FeatureColumn;

use super::spine::Spine;
use crate::serve::encode;

/// The largest decimal that tables hold has 38 digits.
const DECIMAL_MAX: u128 = 10u128.pow(38) - 1;

/// What a text, a list or counts are taken to have on the heap.
const WHOLE_BYTES: usize = 64;

/// One result of one view.
#[derive(Debug)]
pub struct Answered {
    /// Its name; the view's stands before it where another view has the same.
    pub name: String,
    /// Row by row; what is null, or was not asked, is zero.
    pub values: Values,
    marks: Vec<Mark>,
}

/// Values of one type.
#[derive(Debug)]
pub enum Values {
    /// Counts, and numbers of `int`.
    Int(Vec<i64>),
    /// Numbers of `decimal`.
    Decimal {
        /// Digits after the point.
        scale: u8,
        /// value x 10^scale
        unscaled: Vec<i128>,
    },
    /// What is rounded once.
    Float(Vec<f64>),
    /// Truths.
    Bool(Vec<bool>),
    /// Texts, lists and counts.
    Whole(Vec<Value>),
}

/// What stands beside a value, in one byte: the status in the low three bits, the bits of [`FeatureColumn`]'s flags in the
/// high four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(u8);

impl Mark {
    const ABSENT: Self = Self(0x08);

    /// Beside a reading.
    #[must_use]
    pub fn of(reading: &Reading, edge: Edge) -> Self {
        Self(reading.status as u8 | (encode::flags(reading, edge) << 4) as u8)
    }

    /// How the value came about; `None` where the row has no keys of the view.
    #[must_use]
    pub fn status(self) -> Option<Status> {
        if self == Self::ABSENT { None } else { Status::ALL.get(usize::from(self.0 & 0x07)).copied() }
    }

    fn bits(self) -> u32 {
        u32::from(self.0 >> 4)
    }

    /// Whether there is a value.
    #[must_use]
    pub fn is_value(self) -> bool {
        self != Self::ABSENT && self.bits() & FeatureColumn::NO_VALUE == 0
    }

    /// The flags that are set.
    pub fn flags(self) -> impl Iterator<Item = &'static str> {
        FeatureColumn::flag_names(self.bits())
    }

    /// Whether no flag is set.
    #[must_use]
    pub fn is_plain(self) -> bool {
        self.bits() & !FeatureColumn::NO_VALUE == 0
    }
}

/// Every result, view by view.
#[derive(Debug)]
pub struct Answers {
    /// In the order of the plan.
    pub columns: Vec<Answered>,
    /// By view of the plan: its first column; views that no row can ask for have none.
    first: Vec<Option<usize>>,
    rows: usize,
    /// What does not fit its column.
    unfit: Option<(usize, usize, Value)>,
}

impl Answers {
    /// Nothing answered yet, for the views that the spine has the keys of.
    #[must_use]
    pub fn new(plan: &Plan, spine: &Spine) -> Self {
        Self::of_rows(plan, spine, spine.rows.len())
    }

    /// The names of the results that a spine asks for.
    #[must_use]
    pub fn names(plan: &Plan, spine: &Spine) -> Vec<String> {
        Self::of_rows(plan, spine, 0).columns.into_iter().map(|column| column.name).collect()
    }

    /// Bytes that the answers to a spine will take.
    #[must_use]
    pub fn bytes(plan: &Plan, spine: &Spine) -> usize {
        let value = |column: &Answered| match column.values {
            Values::Int(_) | Values::Float(_) => size_of::<i64>(),
            Values::Decimal { .. } => size_of::<i128>(),
            Values::Bool(_) => size_of::<bool>(),
            Values::Whole(_) => size_of::<Value>() + WHOLE_BYTES,
        };
        let none = Self::of_rows(plan, spine, 0);
        let row: usize = none.columns.iter().map(|column| value(column) + size_of::<Mark>()).sum();
        spine.rows.len().saturating_mul(row)
    }

    fn of_rows(plan: &Plan, spine: &Spine, rows: usize) -> Self {
        let asked: Vec<usize> =
            spine.views(plan).map_or(Vec::new(), |views| views.into_iter().map(|(view, _)| view).collect());
        let (mut columns, mut first) = (Vec::new(), vec![None; plan.views.len()]);
        for (view, names) in asked.iter().zip(plan.result_names(&asked)) {
            first[*view] = Some(columns.len());
            for (at, name) in names.into_iter().enumerate() {
                let values = empty(&plan.views[*view], at, rows);
                columns.push(Answered { name, values, marks: vec![Mark::ABSENT; rows] });
            }
        }
        Self { columns, first, rows, unfit: None }
    }

    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// What a row was answered by a view.
    pub fn put(&mut self, row: usize, view: usize, reading: &ViewReading) {
        let Some(first) = self.first[view] else { return };
        let ViewReading { readings, edge, .. } = reading;
        for (column, reading) in (first..).zip(readings) {
            let answered = &mut self.columns[column];
            answered.marks[row] = Mark::of(reading, *edge);
            if !answered.values.put(row, &reading.value) {
                self.unfit.get_or_insert((row, column, reading.value.clone()));
            }
        }
    }

    /// Whether every value fits its column.
    ///
    /// # Errors
    /// With the first that does not.
    pub fn check(&self) -> anyhow::Result<()> {
        let Some((row, column, value)) = &self.unfit else { return Ok(()) };
        let name = &self.columns[*column].name;
        bail!(
            "row {row}, `{name}`: {value} does not fit a column of a table; read the field as decimal(0), which has 38 digits"
        )
    }
}

impl Answered {
    /// What stands beside the value of a row.
    #[must_use]
    pub fn mark(&self, row: usize) -> Mark {
        self.marks[row]
    }

    /// The value of a row.
    #[must_use]
    pub fn value(&self, row: usize) -> Value {
        if !self.marks[row].is_value() {
            return Value::Null;
        }
        match &self.values {
            Values::Int(values) => Value::Int(values[row].into()),
            Values::Decimal { scale, unscaled } => Value::Decimal { unscaled: unscaled[row], scale: *scale },
            Values::Float(values) => Value::Float(values[row]),
            Values::Bool(values) => Value::Bool(values[row]),
            Values::Whole(values) => values[row].clone(),
        }
    }
}

impl Values {
    /// Whether it fits.
    fn put(&mut self, row: usize, value: &Value) -> bool {
        match (self, value) {
            (_, Value::Null) => true,
            (Self::Int(values), Value::Int(int)) => i64::try_from(*int).map(|int| values[row] = int).is_ok(),
            (Self::Decimal { scale, unscaled }, Value::Decimal { unscaled: value, scale: own }) => {
                unscaled[row] = *value;
                own == scale && value.unsigned_abs() <= DECIMAL_MAX
            }
            // A derived number without digits after the point.
            (Self::Decimal { scale: 0, unscaled }, Value::Int(int)) => {
                unscaled[row] = *int;
                int.unsigned_abs() <= DECIMAL_MAX
            }
            (Self::Float(values), Value::Float(float)) => {
                values[row] = *float;
                true
            }
            (Self::Bool(values), Value::Bool(truth)) => {
                values[row] = *truth;
                true
            }
            (Self::Whole(values), Value::Text(_) | Value::List(_) | Value::Counts(_)) => {
                values[row] = value.clone();
                true
            }
            _ => false,
        }
    }
}

/// The column of a result, by its definition alone.
fn empty(view: &ViewPlan, result: usize, rows: usize) -> Values {
    let answers = match view.features.get(result) {
        None => plan::Answers::One(view.derived[result - view.features.len()].formula.of),
        Some(feature) => {
            let column = view.ladders[feature.ladder].columns[feature.column];
            feature.operator.answers(view.measures[column.measure].items())
        }
    };
    match answers {
        plan::Answers::One(Type::Int) => Values::Int(vec![0; rows]),
        plan::Answers::One(Type::Decimal(scale)) => Values::Decimal { scale, unscaled: vec![0; rows] },
        plan::Answers::One(Type::Float) => Values::Float(vec![0.0; rows]),
        plan::Answers::One(Type::Bool) => Values::Bool(vec![false; rows]),
        plan::Answers::One(Type::Text | Type::Timestamp) | plan::Answers::List(_) | plan::Answers::Counts(_) => {
            Values::Whole(vec![Value::Null; rows])
        }
    }
}
