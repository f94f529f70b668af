//! Rows that were decoded under an older plan, as the pages of a newer one take them. Knows no page.
//!
//! From a decision on, pages hold the columns of the new plan only, while the interval before its activation is still
//! decoded under the plan in force there. Such a row has an input for a column exactly if the column began (`since`) at
//! or before the row's own index; then its measure stood in that plan too, under the same id.

use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::plan::{LadderPlan, Plan, ViewPlan};
use featuregrid_protocol::row::{Row, RowHead, TextBuffer};

/// The values of a row on its way from one plan to another.
#[derive(Debug, Default)]
pub(crate) struct Values {
    pub(crate) numbers: Vec<i64>,
    pub(crate) texts: TextBuffer,
}

/// From one view's measures to one ladder's: which measure of the newer plan takes which of the older.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Translation {
    /// (older measure, newer measure), ascending in the newer.
    measures: Vec<(usize, usize)>,
    /// Bit c: column c of the ladder had begun.
    pub(crate) columns: u64,
}

impl Translation {
    /// How rows of `index` reach `ladder`; `None` if the ladder keeps nothing of that time.
    pub(crate) fn new(old: &ViewPlan, index: ControlIndex, new: &ViewPlan, ladder: &LadderPlan) -> Option<Self> {
        let kept = ladder.columns.first().is_some_and(|rows| rows.since <= index);
        let known = |measure: usize| old.measures.iter().position(|other| other.id == new.measures[measure].id);
        let begun = || ladder.columns.iter().enumerate().filter(|(_, column)| column.since <= index);
        let columns = begun().fold(0, |bits, (column, _)| bits | 1 << column);
        let mut measures: Vec<(usize, usize)> =
            begun().filter_map(|(_, column)| known(column.measure).map(|old| (old, column.measure))).collect();
        measures.sort_unstable_by_key(|(_, new)| *new);
        measures.dedup();
        kept.then_some(Self { measures, columns })
    }

    /// The row as the ladder takes it; its numbers and texts are put into `values`.
    pub(crate) fn row(&self, old: &ViewPlan, row: &Row<'_>, values: &mut Values) -> RowHead {
        let bit = |bits: u64, measure: usize| bits >> measure & 1;
        let has_number = |measure: usize| {
            bit(row.head.present & !row.head.bad, measure) == 1 && old.measures[measure].value.is_some()
        };
        let mut head = RowHead { present: 0, bad: 0, ..*row.head };
        let has_text = |measure: usize| has_number(measure) && old.measures[measure].has_text();
        let Values { numbers, texts } = values;
        numbers.clear();
        texts.clear();
        for (from, to) in &self.measures {
            head.present |= bit(row.head.present, *from) << to;
            head.bad |= bit(row.head.bad, *from) << to;
            if has_number(*from) {
                let at = (0..*from).filter(|measure| has_number(*measure)).count();
                numbers.extend(row.numbers.get(at));
            }
            if has_text(*from) {
                let at = (0..*from).filter(|measure| has_text(*measure)).count();
                texts.push(row.texts.clone().nth(at).unwrap_or_default());
            }
        }
        head.number_len = numbers.len() as u16;
        head
    }
}

/// Every ladder of `new`, view by view, for the views of `old` in their order: which view it is now, and how its rows
/// reach each of its ladders.
pub(crate) fn translations(old: &Plan, new: &Plan) -> Vec<Option<(usize, Vec<Option<Translation>>)>> {
    let of_view = |view: &ViewPlan| {
        let at = new.views.iter().position(|other| other.id == view.id)?;
        let target = &new.views[at];
        let ladders = target.ladders.iter().map(|ladder| Translation::new(view, old.index, target, ladder));
        Some((at, ladders.collect()))
    };
    old.views.iter().map(of_view).collect()
}

#[cfg(test)]
mod tests {
    //! Measures are found by id, and a column takes nothing from before it began.
    use featuregrid_protocol::expression::{Expression, Type};
    use featuregrid_protocol::ids::{ColumnId, Offset, SourceId, ViewId};
    use featuregrid_protocol::key::KeyHash;
    use featuregrid_protocol::number::Domain;
    use featuregrid_protocol::plan::{Column, Items, Keeps, Measure};
    use featuregrid_protocol::row::Texts;
    use featuregrid_protocol::time::Timestamp;

    use super::*;

    fn view(measures: &[u64], columns: &[(usize, u64)]) -> ViewPlan {
        let measure = |id: &u64| Measure {
            id: ColumnId(*id),
            filter: None,
            value: (*id > 0).then(|| (Expression::input(0, Type::Int), Items::Numbers(Domain::Int))),
            rank: None,
        };
        let column = |(measure, since): &(usize, u64)| Column {
            measure: *measure,
            keeps: Keeps::ALL,
            since: ControlIndex(*since),
        };
        let columns = columns.iter().map(column).collect();
        ViewPlan {
            id: ViewId(1),
            name: "view".into(),
            entity: "user".into(),
            source: SourceId(0),
            keys: Vec::new(),
            filter: None,
            measures: measures.iter().map(measure).collect(),
            max_age: None,
            derived: Vec::new(),
            request: Vec::new(),
            ladders: vec![LadderPlan { levels: Vec::new(), lifetime: true, exact: false, columns }],
            features: Vec::new(),
        }
    }

    #[test]
    fn measures_are_found_by_id_and_only_since_their_column_began() {
        let old = view(&[0, 7, 8, 9], &[]);
        let new = view(&[0, 9, 8, 7, 6], &[(0, 1), (3, 1), (1, 1), (2, 2), (4, 2)]);
        let head = RowHead {
            hash: KeyHash(1),
            ts: Timestamp(0),
            offset: Offset::default(),
            present: 0b1111,
            bad: 0b0010,
            view: 0,
            key_len: 0,
            number_len: 2,
        };
        let row = Row { head: &head, key: b"", numbers: &[80, 90], texts: Texts::default(), id: None };
        let mut values = Values::default();
        let translation = Translation::new(&old, ControlIndex(1), &new, &new.ladders[0]).unwrap();
        let got = translation.row(&old, &row, &mut values);
        assert_eq!((got.present, got.bad, values.numbers), (0b1011, 0b1000, vec![90]));
        assert_eq!(Translation::new(&old, ControlIndex(0), &new, &new.ladders[0]), None);
    }
}
