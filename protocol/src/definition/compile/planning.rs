//! A view's ladders and columns after those of the plan before. Knows no source.
//!
//! Ladders that are still used keep their levels and their columns' beginnings, whatever is added or removed beside
//! them. A window goes to a ladder that can answer it, preferably where what it needs of its measure is kept longest; all
//! windows that none can answer get one more ladder, and those that are exact one of their own, because its tiles keep rows.
//! What no column keeps yet gets one more column.

use std::collections::BTreeMap;

use super::ladder::{self, Wanted};
use super::view::{Outcome, Resolved};
use crate::definition::mistake::{Notes, quoted};
use crate::ids::{ColumnId, ControlIndex};
use crate::limits;
use crate::plan::{Column, Decay, Feature, Keeps, LadderPlan, LargestEntity, LargestPage, ViewPlan, Window};
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
    let mut homes: Vec<Option<usize>> = view.results.iter().map(|result| choose(&candidates, &view, result)).collect();
    for exact in [false, true] {
        let results = view.results.iter().zip(&mut homes);
        let homeless = results.filter(|(result, home)| home.is_none() && result.named.window.is_exact() == exact);
        let (homeless, homes): (Vec<&Outcome>, Vec<&mut Option<usize>>) = homeless.unzip();
        if let Some(added) = additional(&homeless, exact, notes) {
            homes.into_iter().for_each(|home| *home = Some(candidates.len()));
            candidates.push(added);
        }
    }
    for (result, home) in view.results.iter().zip(&homes) {
        if let Some(home) = home {
            candidates[*home].want(&view, result, index);
        }
    }
    let mut ladders = Vec::new();
    let mut places = BTreeMap::new();
    for (at, mut candidate) in candidates.into_iter().enumerate().filter(|(_, candidate)| !candidate.wanted.is_empty())
    {
        candidate.want_rows(&view, index);
        places.insert(at, ladders.len());
        ladders.push(candidate.ladder());
    }
    check_bounds(&view, &ladders, slack, notes);
    check_ttl(&view, slack, notes);
    let features = view.results.iter().zip(homes).filter_map(|(result, home)| {
        let ladder = *places.get(&home?)?;
        let answers = |column: &Column| column.measure == result.measure && column.keeps.has(view.needs(result));
        let column = ladders[ladder].columns.iter().position(answers)?;
        let (name, window) = (result.named.name.value.clone(), result.named.window);
        let shift = result.named.shift;
        Some(Feature {
            name,
            operator: result.operator,
            ladder,
            column,
            window,
            shift,
            default: result.default.clone(),
        })
    });
    ViewPlan {
        id: view.id,
        features: features.collect(),
        derived: view.derived,
        request: view.request,
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

impl Resolved {
    /// What a column must keep for a result.
    fn needs(&self, result: &Outcome) -> Keeps {
        result.operator.keeps_over(self.measures[result.measure].items(), result.named.window)
    }
}

impl Outcome {
    /// What it looks at: its window, and that of its baseline.
    fn windows(&self) -> impl Iterator<Item = Window> {
        let baseline = self.operator.baseline().map(|baseline| baseline.window);
        [self.named.window].into_iter().chain(baseline)
    }

    /// How far before the instant of a read these begin, other than what is `ttl` long because it was written as lifetime.
    fn reach(&self, ttl: Span) -> Option<Span> {
        let baseline = self.operator.baseline().map(|baseline| baseline.window);
        let baseline = baseline.filter(|window| window.tail().is_none_or(|tail| tail.span != ttl));
        let own = Some(self.named.window).filter(|_| !self.named.is_lifetime);
        let windows = own.into_iter().chain(baseline);
        windows.filter_map(|window| Some(self.named.shift.reach(window.tail()?.span))).max()
    }

    /// What must be known of all rows of the view.
    fn keeps_of_rows(&self) -> Keeps {
        self.windows().map(Window::keeps_of_rows).fold(Keeps::NOTHING, Keeps::and)
    }
}

/// A ladder that may be part of the plan.
struct Candidate {
    /// Without columns.
    shape: LadderPlan,
    /// What it has kept so far, and since when.
    kept: Vec<Kept>,
    /// What features read from it, by measure, decay and beginning.
    wanted: BTreeMap<(usize, Option<Decay>, ControlIndex), Keeps>,
    /// What is kept of the view's rows, which every ladder counts.
    rows: Keeps,
}

/// A column of the plan before.
struct Kept {
    id: ColumnId,
    keeps: Keeps,
    since: ControlIndex,
}

impl Candidate {
    fn all(before: &ViewPlan) -> Vec<Self> {
        let kept = |column: &Column| {
            let id = before.measures.get(column.measure)?.id;
            Some(Kept { id, keeps: column.keeps, since: column.since })
        };
        let candidate = |ladder: &LadderPlan| Self {
            kept: ladder.columns.iter().filter_map(kept).collect(),
            shape: LadderPlan { columns: Vec::new(), ..ladder.clone() },
            wanted: BTreeMap::new(),
            rows: Keeps::NOTHING,
        };
        before.ladders.iter().map(candidate).collect()
    }

    /// Since when it has kept what a result needs, if it has.
    fn since(&self, view: &Resolved, measure: usize, needs: Keeps) -> Option<ControlIndex> {
        let id = view.measures[measure].id;
        let decays_so = |kept: &&Kept| kept.id == id && kept.keeps.decay() == needs.decay();
        let able = self.kept.iter().filter(decays_so).filter(|kept| kept.keeps.has(needs));
        able.map(|kept| kept.since).min()
    }

    /// Whether it can tell a result's windows: its levels reach, and all its rows are kept as the windows ask.
    fn answers(&self, view: &Resolved, result: &Outcome) -> bool {
        let rows = |needs| self.since(view, 0, needs);
        let reaches = result.windows().all(|window| self.shape.answers(window, result.named.shift));
        reaches && rows(result.keeps_of_rows()) == rows(Keeps::NOTHING)
    }

    /// A result is read from it: from a column that keeps what it needs, or from one that begins now.
    fn want(&mut self, view: &Resolved, result: &Outcome, index: ControlIndex) {
        let needs = view.needs(result);
        let since = self.since(view, result.measure, needs).unwrap_or(index);
        let keeps = self.wanted.entry((result.measure, needs.decay(), since)).or_default();
        *keeps = keeps.and(needs);
        self.rows = self.rows.and(result.keeps_of_rows());
    }

    /// Every ladder counts the view's rows, since its own beginning.
    fn want_rows(&mut self, view: &Resolved, index: ControlIndex) {
        let since = self.since(view, 0, Keeps::NOTHING).unwrap_or(index);
        let keeps = self.wanted.entry((0, None, since)).or_default();
        *keeps = keeps.and(self.rows);
    }

    /// The view's rows first, then what features read, in order of measure, decay and beginning.
    fn ladder(self) -> LadderPlan {
        let columns = self.wanted.into_iter().map(|((measure, _, since), keeps)| Column { measure, keeps, since });
        LadderPlan { columns: columns.collect(), ..self.shape }
    }
}

/// The ladder that answers a result: where what it needs has been kept longest, else the first that can.
fn choose(candidates: &[Candidate], view: &Resolved, result: &Outcome) -> Option<usize> {
    let able = candidates.iter().enumerate().filter(|(_, candidate)| candidate.answers(view, result));
    able.min_by_key(|(_, candidate)| {
        let since = candidate.since(view, result.measure, view.needs(result));
        (since.is_none(), since)
    })
    .map(|(at, _)| at)
}

/// One ladder for the windows that no other answers, if there are any.
fn additional(homeless: &[&Outcome], exact: bool, notes: &mut Notes) -> Option<Candidate> {
    homeless.first()?;
    let windows = homeless.iter().flat_map(|result| result.windows().map(move |window| (result, window)));
    let windows: Vec<(&&Outcome, Window)> = windows.collect();
    let wanted = windows.iter().filter_map(|(result, window)| {
        let tail = window.tail()?;
        let span = result.named.shift.reach(tail.span);
        let noun = match *window {
            Window::Complete { span, every, .. } if span != every => "step",
            Window::Tumbling { .. } | Window::Complete { .. } => "tumbling window",
            Window::Calendar { .. } => "calendar's tile",
            Window::Decay(_) => "half-life",
            Window::Session { .. } => "session's tile",
            Window::LastN { .. } => "last events' tile",
            Window::Rolling { .. } | Window::Exact { .. } | Window::Lifetime => ladder::HOP,
        };
        let hop_at = result.named.hop_at.filter(|_| *window == result.named.window);
        Some(Wanted { span, hop: tail.hop, noun, at: result.named.name.at, hop_at })
    });
    let wanted: Vec<Wanted> = wanted.collect();
    let lifetime = windows.iter().any(|(_, window)| window.tail().is_none());
    let levels = ladder::levels(&wanted, notes)?;
    let shape = LadderPlan { levels, lifetime, exact, columns: Vec::new() };
    Some(Candidate { shape, kept: Vec::new(), wanted: BTreeMap::new(), rows: Keeps::NOTHING })
}

/// State that is gone a `ttl` after the last event must be of no use to any window by then, at any instant that is answered.
fn check_ttl(view: &Resolved, slack: Span, notes: &mut Notes) {
    let Some(ttl) = view.ttl else { return };
    let reaches = view.results.iter().filter_map(|result| Some((result.reach(ttl.value)?, &result.named)));
    let Some((reach, longest)) = reaches.max_by_key(|(reach, _)| *reach) else { return };
    let least = Span(reach.0.saturating_add(slack.0));
    if ttl.value < least {
        let message = format!(
            "feature view {}, `ttl`: {} is less than what {} looks back, {reach}, and the slack of its source, {slack}, together; \
             write at least {least}",
            quoted(&view.name.value),
            ttl.value,
            quoted(&longest.name.value)
        );
        notes.add(ttl.at, message);
    }
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
            return;
        }
    }
    let largest = LargestEntity::new(ladders, &view.measures, slack);
    if largest.bytes() > limits::ENTITY_BYTES_MAX {
        let of_page = |page: &LargestPage| {
            let rows = match page.tile_rows {
                0 => String::new(),
                most => format!(", {most} rows of {} in each, because windows are exact", page.row_bytes),
            };
            format!("{} tiles of {} bytes{rows}", page.tiles(), page.tile_bytes)
        };
        let pages: Vec<String> = largest.pages.iter().map(of_page).collect();
        let message = format!(
            "an entity of this view could take {} bytes ({}, and its newest rows), more than {}: write coarser hops, \
             shorter windows or less slack, or give some features a view of their own",
            largest.bytes(),
            pages.join(" + "),
            limits::ENTITY_BYTES_MAX
        );
        notes.add(view.name.at, message);
    }
}
