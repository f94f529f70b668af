//! Sequences of plans as definitions that change would make them. Knows no YAML.

use std::sync::Arc;

use featuregrid_protocol::ids::{ColumnId, ControlIndex, SourceId, ViewId};
use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{
    Argument, Arithmetic, ArithmeticOp, Column, CompareOp, Condition, Constant, Derived, Feature, FieldKind, FieldPlan,
    Keeps, LadderPlan, LatePolicy, LatenessClock, Level, Literal, Measure, Operator, Plan, Shift, Slot, SourcePlan,
    ViewPlan, Window,
};
use featuregrid_protocol::time::Span;
use featuregrid_simulations::random::Random;

const USER: Slot = 0;
const AMOUNT: Slot = 1;
const KIND: Slot = 2;
const VIP: Slot = 3;

/// Three plans, each the successor of the one before.
pub(crate) fn draw(random: &mut Random) -> Vec<Arc<Plan>> {
    let sources: Vec<SourcePlan> = (0..=random.below(2)).map(|at| source(at, random)).collect();
    let filters = [None, Some(is_purchase()), Some(is_big_or_vip())];
    let mut views: Vec<ViewPlan> = Vec::new();
    for (at, keys) in [vec![("user", USER)], vec![("kind", KIND), ("user", USER)]].into_iter().enumerate() {
        views.push(ViewPlan {
            id: ViewId(at as u64 + 1),
            name: format!("view_{at}"),
            entity: format!("entity_{at}"),
            source: SourceId(at.min(sources.len() - 1) as u16),
            keys: keys.into_iter().map(|(name, slot)| (name.to_owned(), slot)).collect(),
            filter: filters[random.below(3) as usize].clone(),
            measures: vec![Measure { id: ColumnId(0), filter: None, value: None }],
            max_age: None,
            derived: Vec::new(),
            ladders: Vec::new(),
            features: Vec::new(),
        });
    }
    let mut plan = Plan { index: ControlIndex(0), project: "p".into(), sources, views, services: Vec::new() };
    let mut plans = Vec::new();
    for index in 0..3 {
        plan.index = ControlIndex(index);
        if index > 0 && random.chance(200) {
            // Ids begin and end where definitions say so.
            let id = &mut plan.sources[0].event_id;
            *id = if id.is_some() { None } else { Some(vec!["id".into()]) };
        }
        for view in &mut plan.views {
            if index > 0 && random.chance(300) {
                forget_a_measure(view, random);
            }
            add_measures(view, plan.index, random);
            if index == 0 || random.chance(500) {
                add_ladder(view, plan.index, random);
            }
            name_features(view, random);
            derive(view, random);
            view.max_age = random.chance(500).then(|| Span::millis(random.between(1, 30_000)));
        }
        plans.push(Arc::new(plan.clone()));
    }
    plans
}

/// Sources share their fields and differ in their rules of time.
fn source(at: u64, random: &mut Random) -> SourcePlan {
    let least = 5 + at as i64;
    SourcePlan {
        name: format!("source_{at}"),
        topic: format!("topic_{at}"),
        fields: vec![
            field("user", &["payload", "user"], None),
            field("amount", &["payload", "amount"], Some(FieldKind::Number(Domain::Decimal(2)))),
            field("kind", &["kind"], None),
            field("vip", &["payload", "vip"], Some(FieldKind::Bool)),
        ],
        event_timestamp: vec!["ts".into()],
        event_id: random.chance(800).then(|| vec!["id".into()]),
        allowed_lateness: Span::seconds(least),
        max_skew: Span::seconds(5),
        slack: Span::seconds(random.between(least, 15)),
        lateness_clock: LatenessClock::ALL[random.below(2) as usize],
        late_policy: LatePolicy::default(),
    }
}

fn field(name: &str, path: &[&str], kind: Option<FieldKind>) -> FieldPlan {
    FieldPlan { name: name.into(), path: path.iter().map(|step| (*step).to_owned()).collect(), kind }
}

fn compare(slot: Slot, op: CompareOp, literal: Literal) -> Condition {
    Condition::Compare { slot, op, literal }
}

fn is_purchase() -> Condition {
    compare(KIND, CompareOp::Eq, Literal::Text("purchase".into()))
}

fn is_big_or_vip() -> Condition {
    let two = Literal::Number { unscaled: 200, domain: Domain::Decimal(2) };
    let is_vip = compare(VIP, CompareOp::Ne, Literal::Bool(false));
    let is_early = compare(KIND, CompareOp::Lt, Literal::Text("q".into()));
    Condition::Or(vec![Condition::And(vec![compare(AMOUNT, CompareOp::Ge, two), is_early]), is_vip])
}

/// Measures get ids by their meaning; a new one joins every ladder that exists, from `index` on.
fn add_measures(view: &mut ViewPlan, index: ControlIndex, random: &mut Random) {
    let filters = [None, Some(is_purchase()), Some(is_big_or_vip())];
    let values =
        [None, Some((AMOUNT, Domain::Decimal(2))), Some((AMOUNT, Domain::Int)), Some((AMOUNT, Domain::Decimal(18)))];
    for _ in 0..random.below(3) {
        let (filter, value) = (random.below(3) as usize, random.below(4) as usize);
        let id = ColumnId((filter * 4 + value) as u64);
        if view.measures.iter().any(|measure| measure.id == id) {
            continue;
        }
        let measure = view.measures.len();
        view.measures.push(Measure { id, filter: filters[filter].clone(), value: values[value] });
        view.ladders
            .iter_mut()
            .for_each(|ladder| ladder.columns.push(Column { measure, keeps: Keeps::ALL, since: index }));
    }
}

fn forget_a_measure(view: &mut ViewPlan, random: &mut Random) {
    let gone = random.below(view.measures.len() as u64) as usize;
    if gone == 0 {
        return;
    }
    view.measures.remove(gone);
    for ladder in &mut view.ladders {
        ladder.columns.retain(|column| column.measure != gone);
        ladder.columns.iter_mut().for_each(|column| column.measure -= usize::from(column.measure > gone));
    }
}

fn add_ladder(view: &mut ViewPlan, index: ControlIndex, random: &mut Random) {
    let second = Span::seconds(1);
    let five = Span::seconds(5);
    let level = |hop, span| Level { hop, span: Span::seconds(span) };
    let levels = match random.below(4) {
        0 => vec![level(second, 3), level(five, 20)],
        1 => vec![level(five, 0), level(Span::seconds(10), 30)],
        2 => vec![level(Span::millis(500), 2), level(second, 7), level(Span::seconds(20), 40)],
        _ => vec![level(five, 0)],
    };
    let lifetime = levels.len() == 1 || random.chance(300);
    let columns = (0..view.measures.len()).map(|measure| Column { measure, keeps: Keeps::ALL, since: index }).collect();
    let ladder = LadderPlan { levels, lifetime, columns };
    let lives = |other: &LadderPlan| other.levels == ladder.levels && other.lifetime == ladder.lifetime;
    if !view.ladders.iter().any(lives) {
        view.ladders.push(ladder);
    }
}

/// A few formulas over any results, those of formulas before included.
fn derive(view: &mut ViewPlan, random: &mut Random) {
    view.derived.clear();
    for at in 0..random.below(4) {
        let formula = formula(view.features.len() + view.derived.len(), 3, random);
        view.derived.push(Derived { name: format!("derived_{at}"), formula });
    }
}

fn formula(results: usize, depth: u64, random: &mut Random) -> Arithmetic {
    match random.below(depth + 1) {
        0 if random.chance(200) => {
            Arithmetic::Constant(Constant { unscaled: random.between(-3, 3), domain: Domain::Decimal(1) })
        }
        0 => Arithmetic::Result(random.below(results as u64) as usize),
        _ => Arithmetic::Binary {
            op: ArithmeticOp::ALL[random.below(4) as usize],
            left: Box::new(formula(results, depth - 1, random)),
            right: Box::new(formula(results, depth - 1, random)),
        },
    }
}

/// Every operator over every column in every window, some with a default.
fn name_features(view: &mut ViewPlan, random: &mut Random) {
    view.features.clear();
    for (ladder, plan) in view.ladders.iter().enumerate() {
        for (window, shift) in windows(plan, random) {
            for (column, kept) in plan.columns.iter().enumerate() {
                let has_value = view.measures[kept.measure].value.is_some();
                let fits = |operator: &Operator| has_value || operator.argument() == Argument::Rows;
                let operators: Vec<Operator> = Operator::ALL.into_iter().filter(fits).collect();
                let domain = view.measures[kept.measure].value.map_or(Domain::Int, |(_, domain)| domain);
                for operator in operators {
                    let default =
                        random.chance(300).then(|| Constant { unscaled: random.between(-1000, 1000), domain });
                    let name = format!("{operator:?}_{ladder}_{column}_{window:?}_{shift:?}");
                    view.features.push(Feature { name, operator, ladder, column, window, shift, default });
                }
            }
        }
    }
}

/// Every window of a ladder; some without the current event, and some that lie back as far as the ladder reaches.
fn windows(plan: &LadderPlan, random: &mut Random) -> Vec<(Window, Shift)> {
    let mut windows = Vec::new();
    for Level { hop, span } in plan.levels.iter().copied().filter(|level| level.span > Span(0)) {
        windows.push((Window::Rolling { span, hop }, Shift::Nothing));
        let back = Span(random.between(1, span.0 - 1));
        let shifts = [
            (Window::Rolling { span, hop }, Shift::Current),
            (Window::Rolling { span: Span(span.0 - back.0), hop }, Shift::Back(back)),
        ];
        windows.extend(shifts.into_iter().filter(|_| random.chance(400)));
    }
    if plan.lifetime {
        windows.push((Window::Lifetime, Shift::Nothing));
        windows.extend(random.chance(400).then_some((Window::Lifetime, Shift::Current)));
    }
    windows
}
