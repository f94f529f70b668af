//! The values of a training set, column by column. Knows no file.
//!
//! Rows are answered entity by entity, which is any order. Answers are appended, so that each lies beside the one before
//! it, and brought into the order of the spine one column at a time once all are there: written to their rows at once,
//! each would wait for as many lines of memory as there are columns.

use std::ops::Range;

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
    /// By view of the plan; views that no row can ask for have none.
    views: Vec<Option<Asked>>,
    rows: usize,
    /// What does not fit its column.
    unfit: Option<(usize, usize, Value)>,
}

/// A view that rows ask for.
#[derive(Debug)]
struct Asked {
    /// Its columns.
    columns: Range<usize>,
    /// Rows in the order they were answered, which is that of the columns until they are arranged.
    rows: Vec<u32>,
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
        // Beside them stand the order they were answered in, and the column that is being arranged.
        let order = none.views.iter().flatten().count() * size_of::<u32>();
        let arranged = none.columns.iter().map(value).max().unwrap_or_default() + size_of::<Mark>();
        spine.rows.len().saturating_mul(row + order + arranged)
    }

    fn of_rows(plan: &Plan, spine: &Spine, rows: usize) -> Self {
        let asked: Vec<usize> =
            spine.views(plan).map_or(Vec::new(), |views| views.into_iter().map(|(view, _)| view).collect());
        let (mut columns, mut views) = (Vec::new(), Vec::new());
        views.resize_with(plan.views.len(), || None);
        for (view, names) in asked.iter().zip(plan.result_names(&asked)) {
            let first = columns.len();
            for (at, name) in names.into_iter().enumerate() {
                let values = empty(&plan.views[*view], at, rows);
                columns.push(Answered { name, values, marks: Vec::with_capacity(rows) });
            }
            views[*view] = Some(Asked { columns: first..columns.len(), rows: Vec::with_capacity(rows) });
        }
        Self { columns, views, rows, unfit: None }
    }

    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// What a row was answered by a view; once for each.
    pub fn put(&mut self, row: usize, view: usize, reading: &ViewReading) {
        let Some(asked) = &mut self.views[view] else { return };
        asked.rows.push(row as u32);
        let ViewReading { readings, edge, .. } = reading;
        let columns = self.columns.get_mut(asked.columns.clone()).unwrap_or_default();
        for (at, (answered, reading)) in columns.iter_mut().zip(readings).enumerate() {
            answered.marks.push(Mark::of(reading, *edge));
            if !answered.values.push(&reading.value) {
                self.unfit.get_or_insert((row, asked.columns.start + at, reading.value.clone()));
            }
        }
    }

    /// No answer comes any more: brings all of them into the order of the spine, and so must be called before they are read.
    pub fn arrange(&mut self) {
        for asked in self.views.iter_mut().flatten() {
            let order = std::mem::take(&mut asked.rows);
            for answered in self.columns.get_mut(asked.columns.clone()).unwrap_or_default() {
                arrange(&mut answered.marks, &order, vec![Mark::ABSENT; self.rows]);
                answered.values.arrange(&order, self.rows);
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

    /// What stands beside the values of some rows.
    #[must_use]
    pub fn marks(&self, rows: Range<usize>) -> &[Mark] {
        &self.marks[rows]
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

/// Brings answers to their rows, between those that have none.
fn arrange<T>(answers: &mut Vec<T>, order: &[u32], mut none: Vec<T>) {
    for (row, answer) in order.iter().zip(answers.drain(..)) {
        none[*row as usize] = answer;
    }
    *answers = none;
}

impl Values {
    fn arrange(&mut self, order: &[u32], rows: usize) {
        match self {
            Self::Int(values) => arrange(values, order, vec![0; rows]),
            Self::Decimal { unscaled, .. } => arrange(unscaled, order, vec![0; rows]),
            Self::Float(values) => arrange(values, order, vec![0.0; rows]),
            Self::Bool(values) => arrange(values, order, vec![false; rows]),
            Self::Whole(values) => arrange(values, order, vec![Value::Null; rows]),
        }
    }

    /// Appends a value; whether it fits. What does not is as good as none.
    fn push(&mut self, value: &Value) -> bool {
        let fits = match self {
            Self::Int(values) => {
                let int = if let Value::Int(int) = value { i64::try_from(*int).ok() } else { None };
                values.push(int.unwrap_or_default());
                int.is_some()
            }
            Self::Decimal { scale, unscaled } => {
                let number = match value {
                    Value::Decimal { unscaled, scale: own } if own == scale => Some(*unscaled),
                    // A derived number without digits after the point.
                    Value::Int(int) if *scale == 0 => Some(*int),
                    _ => None,
                };
                let number = number.filter(|number| number.unsigned_abs() <= DECIMAL_MAX);
                unscaled.push(number.unwrap_or_default());
                number.is_some()
            }
            Self::Float(values) => {
                let float = if let Value::Float(float) = value { Some(*float) } else { None };
                values.push(float.unwrap_or_default());
                float.is_some()
            }
            Self::Bool(values) => {
                let truth = if let Value::Bool(truth) = value { Some(*truth) } else { None };
                values.push(truth.unwrap_or_default());
                truth.is_some()
            }
            Self::Whole(values) => {
                let is_whole = matches!(value, Value::Text(_) | Value::List(_) | Value::Counts(_));
                values.push(if is_whole { value.clone() } else { Value::Null });
                is_whole
            }
        };
        fits || matches!(value, Value::Null)
    }
}

/// The column of a result, by its definition alone, with room for so many rows.
fn empty(view: &ViewPlan, result: usize, rows: usize) -> Values {
    let answers = match view.features.get(result) {
        None => plan::Answers::One(view.derived[result - view.features.len()].formula.of),
        Some(feature) => {
            let column = view.ladders[feature.ladder].columns[feature.column];
            feature.operator.answers(view.measures[column.measure].items())
        }
    };
    match answers {
        plan::Answers::One(Type::Int) => Values::Int(Vec::with_capacity(rows)),
        plan::Answers::One(Type::Decimal(scale)) => Values::Decimal { scale, unscaled: Vec::with_capacity(rows) },
        plan::Answers::One(Type::Float) => Values::Float(Vec::with_capacity(rows)),
        plan::Answers::One(Type::Bool) => Values::Bool(Vec::with_capacity(rows)),
        plan::Answers::One(Type::Text | Type::Timestamp) | plan::Answers::List(_) | plan::Answers::Counts(_) => {
            Values::Whole(Vec::with_capacity(rows))
        }
    }
}
