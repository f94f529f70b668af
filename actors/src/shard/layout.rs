//! A plan prepared for a shard: the shapes of all ladders in one list, and how features answer. Knows no page.

use std::ops::Range;
use std::sync::Arc;

use featuregrid_protocol::ids::{SourceId, ViewId};
use featuregrid_protocol::plan::{Answers, Given, Plan, Shift, ViewPlan, Window};
use featuregrid_protocol::time::{Span, Timestamp};

use super::frontier::t_of;
use crate::aggregate::{self, Answer, Collects};
use crate::expression::Derivations;
use crate::window::{Bounds, Shape, Target};

/// A plan, executable.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) plan: Arc<Plan>,
    /// As in the plan.
    pub(crate) views: Vec<ViewLayout>,
    /// Ladders of all views, view by view.
    pub(crate) shapes: Vec<Shape>,
    /// By shape: the view it is of, and its number there.
    pub(crate) places: Vec<(ViewId, u16)>,
}

/// One view.
#[derive(Debug)]
pub(crate) struct ViewLayout {
    pub(crate) id: ViewId,
    /// Whose clock folds its pages.
    pub(crate) source: SourceId,
    /// Its ladders in [`Layout::shapes`].
    pub(crate) ladders: Range<usize>,
    pub(crate) max_age: Option<Span>,
    pub(crate) features: Vec<FeatureLayout>,
    /// Per result: what has to be computed for it in this order, itself last.
    pub(crate) needs: Vec<Vec<usize>>,
    /// Per result: whether it comes of sent values alone, so that nothing of the entity is said by it.
    pub(crate) is_of_request_alone: Vec<bool>,
    /// The indices of all results.
    pub(crate) all: Arc<[usize]>,
    pub(crate) derivations: Derivations,
}

/// One feature.
#[derive(Debug)]
pub(crate) struct FeatureLayout {
    /// Index among the view's ladders.
    pub(crate) ladder: usize,
    pub(crate) column: usize,
    pub(crate) shift: Shift,
    /// Its own window.
    pub(crate) own: Look,
    /// What it is compared with.
    pub(crate) baseline: Option<Look>,
    pub(crate) answer: Answer,
}

/// A window that a feature looks at.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) target: Target,
    /// Where its group stands among those of all ladders of the view.
    pub(crate) group: usize,
    /// Which collection of its ladder is read, if one is.
    pub(crate) gather: Option<usize>,
    /// How many of the rows count, if not all do, and what would have been collected of them.
    pub(crate) last_n: Option<(u8, Option<Collects>)>,
}

impl Layout {
    pub(crate) fn new(plan: Arc<Plan>) -> Self {
        let (mut views, mut shapes, mut places) = (Vec::new(), Vec::<Shape>::new(), Vec::new());
        for view in &plan.views {
            let first = shapes.len();
            let source = plan.source_of(view);
            shapes.extend((0..view.ladders.len()).map(|ladder| Shape::new(source, view, ladder)));
            places.extend((0..view.ladders.len()).map(|ladder| (view.id, ladder as u16)));
            let features = features(view, &shapes[first..]);
            let (id, source, max_age, needs) = (view.id, view.source, view.max_age, needs(view));
            let (all, derivations) = ((0..needs.len()).collect(), Derivations::new(view));
            let ladders = first..shapes.len();
            let is_of_request_alone = (0..needs.len()).map(|result| view.is_of_request_alone(result)).collect();
            views.push(ViewLayout {
                id,
                source,
                ladders,
                max_age,
                features,
                needs,
                is_of_request_alone,
                all,
                derivations,
            });
        }
        Self { plan, views, shapes, places }
    }

    /// The boundaries of every ladder at the T of its view's source.
    pub(crate) fn bounds(&self, clocks: &[Timestamp], out: &mut Vec<Bounds>) {
        out.clear();
        for view in &self.views {
            self.extend_bounds(view, t_of(clocks, view.source), out);
        }
    }

    /// The boundaries of one view's ladders, the first of them first.
    pub(crate) fn bounds_of(&self, view: &ViewLayout, t_max: Timestamp, out: &mut Vec<Bounds>) {
        out.clear();
        self.extend_bounds(view, t_max, out);
    }

    fn extend_bounds(&self, view: &ViewLayout, t_max: Timestamp, out: &mut Vec<Bounds>) {
        out.extend(self.shapes[view.ladders.clone()].iter().map(|shape| Bounds::at(shape, t_max)));
    }

    /// The index of a view.
    pub(crate) fn view(&self, id: ViewId) -> Option<usize> {
        self.views.iter().position(|view| view.id == id)
    }
}

/// A result derived from others needs them first, and they what they are derived from.
fn needs(view: &ViewPlan) -> Vec<Vec<usize>> {
    let mut needs: Vec<Vec<usize>> = (0..view.features.len()).map(|feature| vec![feature]).collect();
    for derived in &view.derived {
        let mut inputs: Vec<usize> = Vec::new();
        let results = derived.formula.inputs().into_iter().filter_map(|(input, _)| match view.given(input) {
            Given::Result(result) => needs.get(result),
            Given::Sent(_) => None,
        });
        inputs.extend(results.flatten());
        inputs.push(needs.len());
        inputs.sort_unstable();
        inputs.dedup();
        needs.push(inputs);
    }
    needs
}

fn features(view: &ViewPlan, shapes: &[Shape]) -> Vec<FeatureLayout> {
    let layout = |feature: &featuregrid_protocol::plan::Feature| {
        let column = view.ladders[feature.ladder].columns[feature.column];
        let items = view.measures[column.measure].items();
        let shape = &shapes[feature.ladder];
        let before = shapes[..feature.ladder].iter().map(|shape| shape.groups.len()).sum::<usize>();
        let look = |window: Window, asked: Option<Collects>| {
            let target = shape.target(window, feature.shift);
            let collected = window.last_n().map(Collects::LastRows).or(asked);
            Look {
                target,
                group: before + target.group,
                gather: collected.and_then(|collects| shape.gather(feature.column, collects)),
                last_n: window.last_n().map(|n| (n, asked)),
            }
        };
        let baseline = feature.operator.baseline();
        let asked = match baseline {
            Some(_) => Some(Collects::Quantiles),
            None => Collects::of(feature.operator.keeps(items)).next(),
        };
        FeatureLayout {
            ladder: feature.ladder,
            column: feature.column,
            shift: feature.shift,
            own: look(feature.window, asked),
            baseline: baseline.map(|baseline| look(baseline.window, None)),
            answer: Answer {
                operator: feature.operator,
                items,
                span: feature.window.span(),
                decay: feature.operator.decay(feature.window),
                default: match (feature.operator.answers(items), &feature.default) {
                    (Answers::One(of), Some(constant)) => Some(aggregate::default(of, constant)),
                    _ => None,
                },
                partial_coverage: column.since.0 > 0,
            },
        }
    };
    view.features.iter().map(layout).collect()
}
