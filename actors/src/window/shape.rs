//! A ladder of the plan, prepared for execution: word layouts, windows, which measures feed which columns. Knows no page.

use featuregrid_protocol::plan::{Column, Keeps, LadderPlan, Level, Shift, SourcePlan, ViewPlan, Window};
use featuregrid_protocol::time::Span;

use super::group::{Group, Sight, Tail};
use crate::aggregate::{CellShape, Collections, Collects, Kept};

/// Columns whose presence and bad bits fit one word beside the partition.
const PACKED_COLUMNS_MAX: usize = 16;

/// One ladder, executable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Finest first.
    pub(crate) levels: Vec<Level>,
    /// Whether what leaves level 0 is also kept for ever.
    pub(crate) lifetime: bool,
    /// Whether tiles keep their rows, for windows that are cut inside of them.
    pub(crate) exact: bool,
    /// How far behind T a read may ask.
    pub(crate) slack: Span,
    /// How far behind T rows stay raw.
    pub(crate) slack_exact: Span,
    /// The cells of a tile.
    pub(crate) cells: CellShape,
    /// What feeds each column.
    pub(crate) inputs: Vec<Input>,
    /// What is collected beside the cells.
    pub(crate) gathers: Vec<Gather>,
    /// How many columns have texts.
    pub(crate) text_columns: usize,
    /// Measures of the view that have texts.
    pub(crate) text_measures: u64,
    /// Measures of the view whose numbers some column adds up: how large they are decides how wide a cell is.
    pub(crate) summed_measures: u64,
    /// Whether column c is measure c throughout: then the bits of a row need no sorting.
    pub(crate) is_straight: bool,
    /// Measures of the view that have a value: numbers of a row stand in their order.
    pub(crate) value_measures: u64,
    /// How many columns have a value.
    pub(crate) value_columns: usize,
    /// The features' windows by where they are seen from. The first group is that of the instant, with the longest window
    /// in it.
    pub(crate) groups: Vec<Group>,
    /// The longest one's index in the first group; `None` where only lifetime is kept.
    pub(crate) longest: Option<usize>,
}

/// What feeds a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    /// The measure's bit.
    pub(crate) measure: u32,
    /// Which number of a raw row it is, if the measure has a value.
    pub(crate) value: Option<usize>,
    /// Which text of a raw row it is, if the measure has texts.
    pub(crate) text: Option<usize>,
    /// Whether the number is one of its own beside the text, which does not follow from it.
    pub(crate) is_ranked: bool,
}

/// What is collected of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gather {
    /// Of which column.
    pub(crate) column: usize,
    /// What.
    pub(crate) collects: Collects,
}

/// What a feature looks at in its ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Index into [`Shape::groups`].
    pub(crate) group: usize,
    /// Index into the group's windows; `None` is everything before its head.
    pub(crate) window: Option<usize>,
}

impl Shape {
    /// Of ladder `ladder` of `view`. A ladder without level or column cannot be planned; one with neither is given the
    /// level every ladder has.
    pub(crate) fn new(source: &SourcePlan, view: &ViewPlan, ladder: usize) -> Self {
        let plan: &LadderPlan = &view.ladders[ladder];
        debug_assert!(
            !plan.levels.is_empty() && !plan.columns.is_empty(),
            "every ladder covers the slack and counts rows"
        );
        let has_value = |measure: usize| view.measures[measure].value.is_some();
        let kept = |column: &Column| match has_value(column.measure) {
            true => Kept { has_value: true, keeps: column.keeps },
            false => Kept { has_value: false, keeps: column.keeps.of_rows() },
        };
        let kept: Vec<Kept> = plan.columns.iter().map(kept).collect();
        let (mut value_columns, mut text_columns) = (0, 0);
        let has_text = |measure: usize| view.measures[measure].has_text();
        let is_straight = plan.columns.iter().enumerate().all(|(column, kept)| kept.measure == column);
        let inputs = plan
            .columns
            .iter()
            .map(|column| {
                let value = has_value(column.measure).then_some(value_columns);
                value_columns += usize::from(value.is_some());
                let text = has_text(column.measure).then_some(text_columns);
                text_columns += usize::from(text.is_some());
                let is_ranked = view.measures[column.measure].rank.is_some();
                Input { measure: column.measure as u32, value, text, is_ranked }
            })
            .collect();
        let gather =
            |(column, kept): (usize, &Kept)| Collects::of(kept.keeps).map(move |collects| Gather { column, collects });
        let gathers = kept.iter().enumerate().flat_map(gather).collect();
        let sums = |column: &&Column| column.keeps.has(Keeps::SUM) || column.keeps.has(Keeps::SQUARES);
        let summed = plan.columns.iter().filter(sums).fold(0, |bits, column| bits | 1 << column.measure);
        let texts = (0..view.measures.len()).filter(|measure| has_text(*measure));
        let mut groups = vec![Group { sight: Sight::INSTANT, windows: Vec::new() }];
        let own = view.features.iter().filter(|feature| feature.ladder == ladder);
        let own = own.flat_map(|feature| {
            let baseline = feature.operator.baseline().map(|baseline| baseline.window);
            [feature.window].into_iter().chain(baseline).map(|window| Sight::of(window, feature.shift))
        });
        let tail = if plan.exact { Tail::Exact } else { Tail::Level };
        let longest = plan.longest().map(tail);
        for (sight, window) in own.chain([(Sight::INSTANT, longest.clone())]) {
            let at = groups.iter().position(|group| group.sight == sight).unwrap_or(groups.len());
            if at == groups.len() {
                groups.push(Group { sight, windows: sight.windows() });
            }
            let windows = &mut groups[at].windows;
            windows.extend(window.filter(|window| !windows.contains(window)));
        }
        let longest = longest.and_then(|longest| groups[0].windows.iter().position(|window| *window == longest));
        let value_bits = view.measures.iter().enumerate().filter(|(_, measure)| measure.value.is_some());
        Self {
            levels: plan.levels.clone(),
            lifetime: plan.lifetime,
            exact: plan.exact,
            slack: source.slack,
            slack_exact: source.slack_exact(),
            cells: CellShape::new(kept),
            inputs,
            gathers,
            text_columns,
            text_measures: texts.fold(0, |bits, measure| bits | 1 << measure),
            summed_measures: summed,
            is_straight,
            value_measures: value_bits.fold(0, |bits, (measure, _)| bits | 1 << measure),
            value_columns,
            groups,
            longest,
        }
    }

    /// What a feature of the ladder with this window looks at: it has put the window there.
    pub(crate) fn target(&self, window: Window, shift: Shift) -> Target {
        let (sight, window) = Sight::of(window, shift);
        let group = self.groups.iter().position(|group| group.sight == sight).unwrap_or_default();
        let window = window.and_then(|window| self.groups[group].windows.iter().position(|known| *known == window));
        Target { group, window }
    }

    /// Where the collection stands that a feature of a column reads.
    pub(crate) fn gather(&self, column: usize, asked: Collects) -> Option<usize> {
        self.gathers.iter().position(|gather| gather.column == column && gather.collects.serves(asked))
    }

    /// The collections of a tile without rows.
    pub(crate) fn nothing(&self) -> Collections {
        Collections::of(self.gathers.iter().map(|gather| gather.collects.nothing()).collect())
    }

    /// The longest window, by its tail.
    pub(crate) fn longest(&self) -> Option<&Tail> {
        self.longest.map(|index| &self.groups[0].windows[index])
    }

    /// Whether presence and bad bits of a raw row share a word with its partition.
    pub(crate) fn is_packed(&self) -> bool {
        self.inputs.len() <= PACKED_COLUMNS_MAX
    }

    /// Words before the numbers of a raw row: time, offset, partition and bits.
    pub(crate) fn row_head_words(&self) -> usize {
        if self.is_packed() { 3 } else { 5 }
    }

    /// Words of a raw row.
    pub(crate) fn row_words(&self) -> usize {
        self.row_head_words() + self.value_columns
    }

    /// Words of the tile counts in a page's header.
    pub(crate) fn level_words(&self) -> usize {
        self.levels.len().div_ceil(4)
    }
}
