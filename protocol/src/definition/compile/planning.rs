//! A view's ladders and columns after those of the plan before. Knows no source.
//!
//! Ladders that are still used keep their levels and their columns' beginnings, whatever is added or removed beside
//! them. A window goes to a ladder that can answer it, preferably where its measure is kept longest; all windows that
//! none can answer get one more ladder.

use std::collections::{BTreeMap, BTreeSet};

use super::ladder::{self, Wanted};
use super::view::{Outcome, Resolved};
use crate::definition::mistake::Notes;
use crate::ids::{ColumnId, ControlIndex};
use crate::limits;
use crate::plan::{Column, Feature, LadderPlan, ViewPlan, Window};
use crate::time::Span;

/// Plans a view as control entry `index`; `before` is the view of the same id, if there was one.
pub(super) fn plan(
    view: Resolved,
    before: Option<&ViewPlan>,
    slack: Span,
    index: ControlIndex,
    notes: &mut Notes,
) -> ViewPlan {
    // Other keys or another filter are other rows: nothing of the old state means anything.
    let rows = |view: &ViewPlan| view.measures.first().map(|measure| measure.id);
    let before = before.filter(|before| rows(before) == view.measures.first().map(|measure| measure.id));
    let mut candidates: Vec<Candidate> = before.map_or(Vec::new(), Candidate::all);
    let answers: Vec<Option<usize>> = view.results.iter().map(|result| choose(&candidates, &view, result)).collect();
    let homeless: Vec<&Outcome> =
        view.results.iter().zip(&answers).filter(|(_, answer)| answer.is_none()).map(|(result, _)| result).collect();
    let added = candidates.len();
    if !homeless.is_empty() {
        candidates.extend(additional(&homeless, notes));
    }
    let homes: Vec<usize> = answers.into_iter().map(|answer| answer.unwrap_or(added)).collect();
    for (result, home) in view.results.iter().zip(&homes) {
        if let Some(candidate) = candidates.get_mut(*home) {
            candidate.wanted.insert(result.measure);
        }
    }
    let mut ladders = Vec::new();
    let mut places = BTreeMap::new();
    for (at, candidate) in candidates.into_iter().enumerate().filter(|(_, candidate)| !candidate.wanted.is_empty()) {
        places.insert(at, ladders.len());
        ladders.push(candidate.ladder(&view, index));
    }
    check_bounds(&view, &ladders, slack, notes);
    let features = view.results.iter().zip(homes).filter_map(|(result, home)| {
        let ladder = *places.get(&home)?;
        let column = ladders[ladder].columns.iter().position(|column| column.measure == result.measure)?;
        let (name, window) = (result.named.name.value.clone(), result.named.window);
        Some(Feature { name, operator: result.operator, ladder, column, window, default: result.default })
    });
    ViewPlan {
        id: view.id,
        features: features.collect(),
        derived: view.derived,
        name: view.name.value,
        entity: view.entity,
        source: view.source,
        keys: view.keys,
        filter: view.filter,
        max_age: view.max_age,
        measures: view.measures,
        ladders,
    }
}

/// A ladder that may be part of the plan.
struct Candidate {
    /// Without columns.
    shape: LadderPlan,
    /// What it has kept so far, and since when.
    since: BTreeMap<ColumnId, ControlIndex>,
    /// Measures that features read from it.
    wanted: BTreeSet<usize>,
}

impl Candidate {
    fn all(before: &ViewPlan) -> Vec<Self> {
        let kept = |column: &Column| Some((before.measures.get(column.measure)?.id, column.since));
        let candidate = |ladder: &LadderPlan| Self {
            since: ladder.columns.iter().filter_map(kept).collect(),
            shape: LadderPlan { columns: Vec::new(), ..ladder.clone() },
            wanted: BTreeSet::new(),
        };
        before.ladders.iter().map(candidate).collect()
    }

    /// With the view's rows first, then what features read, in order of measure.
    fn ladder(self, view: &Resolved, index: ControlIndex) -> LadderPlan {
        let measures = self.wanted.into_iter().chain([0]).collect::<BTreeSet<usize>>();
        let since = |measure: usize| self.since.get(&view.measures[measure].id).copied().unwrap_or(index);
        let columns = measures.into_iter().map(|measure| Column { measure, since: since(measure) });
        LadderPlan { columns: columns.collect(), ..self.shape }
    }
}

/// The ladder that answers a result: where its measure has been kept longest, else the first that can.
fn choose(candidates: &[Candidate], view: &Resolved, result: &Outcome) -> Option<usize> {
    let id = view.measures[result.measure].id;
    let able = candidates.iter().enumerate().filter(|(_, candidate)| candidate.shape.answers(result.named.window));
    able.min_by_key(|(_, candidate)| {
        let since = candidate.since.get(&id).copied();
        (since.is_none(), since)
    })
    .map(|(at, _)| at)
}

/// One ladder for the windows that no other answers.
fn additional(homeless: &[&Outcome], notes: &mut Notes) -> Option<Candidate> {
    let wanted = homeless.iter().filter_map(|result| match result.named.window {
        Window::Rolling { span, hop } => {
            Some(Wanted { span, hop, at: result.named.name.at, hop_at: result.named.hop_at })
        }
        Window::Lifetime => None,
    });
    let wanted: Vec<Wanted> = wanted.collect();
    let lifetime = homeless.iter().any(|result| result.named.window == Window::Lifetime);
    let levels = ladder::levels(&wanted, notes)?;
    let shape = LadderPlan { levels, lifetime, columns: Vec::new() };
    Some(Candidate { shape, since: BTreeMap::new(), wanted: BTreeSet::new() })
}

fn check_bounds(view: &Resolved, ladders: &[LadderPlan], slack: Span, notes: &mut Notes) {
    if ladders.len() > limits::LADDERS_PER_VIEW_MAX {
        let message = format!(
            "this view would keep {} ladders, because windows were added again and again; at most {} are possible: \
             give the new windows a view of their own",
            ladders.len(),
            limits::LADDERS_PER_VIEW_MAX
        );
        notes.add(view.name.at, message);
    }
    for ladder in ladders {
        if ladder.levels.len() > limits::LEVELS_MAX {
            let message = format!("{} different hops; a view has at most {}", ladder.levels.len(), limits::LEVELS_MAX);
            notes.add(view.name.at, message);
        }
        let tiles: Vec<i64> = ladder.tiles_max(slack).collect();
        let sum = tiles.iter().fold(0i64, |sum, tiles| sum.saturating_add(*tiles));
        if sum > limits::TILES_MAX as i64 {
            let each = ladder.levels.iter().zip(&tiles).map(|(level, tiles)| format!("{tiles} of {}", level.hop));
            let each: Vec<String> = each.collect();
            let message = format!(
                "an entity of this view could have {sum} tiles ({}; the slack of {slack} is part of the finest), more than {}: \
                 write coarser hops, shorter windows or less slack",
                each.join(" + "),
                limits::TILES_MAX
            );
            notes.add(view.name.at, message);
        }
    }
}
