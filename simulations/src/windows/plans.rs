//! Sequences of plans as definitions that change would make them. Knows no YAML.

use std::sync::Arc;

use featuregrid_protocol::expression::{Expression, Type, read};
use featuregrid_protocol::ids::{ColumnId, ControlIndex, SourceId, ViewId};
use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{
    Answers, Argument, Calendar, Column, Constant, Decay, Derived, Feature, FieldKind, FieldPlan, Items, Keeps, Key,
    LadderPlan, LatePolicy, LatenessClock, Level, Measure, Operator, Plan, RequestValue, Session, Shift, SourcePlan,
    Unit, ViewPlan, Window,
};
use featuregrid_protocol::request::Sent;
use featuregrid_protocol::time::{Span, Timestamp};

use super::log::Extent;
use crate::random::Random;

/// Tiles that every zone's units can be told from.
const QUARTER: Span = Span::seconds(900);
/// What filters and values are drawn from. A number may be anything, so that values out of every domain are met.
const FIELDS: [(&str, Type); 5] = [
    ("user", Type::Text),
    ("amount", Type::Decimal(2)),
    ("kind", Type::Text),
    ("vip", Type::Bool),
    ("shop", Type::Text),
];
const FILTERS: [&str; 6] = [
    "kind == 'purchase'",
    "amount >= 2 && kind < 'q' || vip",
    "kind in ['purchase', 'view'] && !(amount > 1000)",
    "is_null(amount) || hour_of_day(event_time(), 'America/New_York') < 12",
    "kind.matches('^p') ? vip : amount != 0",
    "coalesce(kind, 'none') + text(vip) != 'viewtrue'",
];
const NUMBERS: [&str; 10] = [
    "amount",
    "amount",
    "amount",
    "int(amount)",
    "decimal(amount, 18)",
    "amount * amount",
    "vip ? amount : 1 / 3 > 0 ? 2.5 : amount",
    "decimal(amount / size(kind), 4)",
    "size(shop)",
    // As which texts are different is told.
    "hash(shop, 9223372036854775807)",
];
const TRUTHS: [&str; 4] = ["vip", "vip", "amount >= 2", "is_null(shop) || shop < 'shop 2'"];
const TEXTS: [&str; 6] = ["kind", "shop", "shop", "lower(shop) + coalesce(kind, '-')", "text(amount)", "text(vip)"];
const PERCENTS: [&str; 9] = ["0.0001", "1", "10", "33.3333", "50", "75", "95", "99.9", "99.9999"];
const SIGMAS: [&str; 7] = ["0.0001", "0.5", "1", "1.4142", "2", "2.5", "1000"];
/// How many values a list holds.
const LENGTHS: [&str; 6] = ["1", "2", "3", "5", "20", "64"];

/// What reads may send.
const SENT: [(&str, FieldKind); 5] = [
    ("amount", FieldKind::Number(Domain::Decimal(2))),
    ("items", FieldKind::Number(Domain::Int)),
    ("country", FieldKind::Text),
    ("vip", FieldKind::Bool),
    ("at", FieldKind::Timestamp),
];

/// An expression over the fields of a source.
fn of_fields(text: &str) -> Expression {
    read(text, &FIELDS, true).unwrap_or_else(|error| unreachable!("the lists above are checked: {text}: {error}"))
}

/// Three plans, each the successor of the one before, for a log of this extent.
#[must_use]
pub fn draw(random: &mut Random, extent: &Extent) -> Vec<Arc<Plan>> {
    let sources: Vec<SourcePlan> = (0..=random.below(2)).map(|at| source(at, extent, random)).collect();
    let mut views: Vec<ViewPlan> = Vec::new();
    let (user, kind) = (("user", Key::Field(0)), ("kind", Key::Field(2)));
    let computed = ("name", Key::Computed(of_fields("lower(user) + coalesce(kind, '')")));
    for (at, keys) in [vec![user.clone()], vec![kind, user], vec![computed]].into_iter().enumerate() {
        views.push(ViewPlan {
            id: ViewId(at as u64 + 1),
            name: format!("view_{at}"),
            entity: format!("entity_{at}"),
            source: SourceId(at.min(sources.len() - 1) as u16),
            keys: keys.into_iter().map(|(name, key)| (name.to_owned(), key)).collect(),
            filter: filter(random),
            measures: vec![Measure { id: ColumnId(0), filter: None, value: None, rank: None }],
            max_age: None,
            derived: Vec::new(),
            request: Vec::new(),
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
                add_ladder(view, plan.index, extent, random);
            }
            if index > 0 {
                change_columns(view, plan.index, random);
            }
            name_features(view, random);
            declare(view, random);
            derive(view, random);
            view.max_age = random.chance(500).then(|| Span::millis(random.between(1, 30_000)));
        }
        plans.push(Arc::new(plan.clone()));
    }
    plans
}

/// Sources share their fields and differ in their rules of time.
fn source(at: u64, extent: &Extent, random: &mut Random) -> SourcePlan {
    let allowed_lateness = lateness(Span::seconds(5 + at as i64), extent, random);
    SourcePlan {
        name: format!("source_{at}"),
        topic: format!("topic_{at}"),
        fields: vec![
            field("user", &["payload", "user"], None),
            field("amount", &["payload", "amount"], Some(FieldKind::Number(Domain::Decimal(2)))),
            field("kind", &["kind"], None),
            field("vip", &["payload", "vip"], Some(FieldKind::Bool)),
            field("shop", &["payload", "shop"], None),
        ],
        event_timestamp: vec!["ts".into()],
        event_id: random.chance(800).then(|| vec!["id".into()]),
        allowed_lateness,
        max_skew: Span::seconds(5),
        slack: allowed_lateness + Span::seconds(random.between(0, 10)),
        lateness_clock: LatenessClock::ALL[random.below(2) as usize],
        late_policy: LatePolicy::default(),
    }
}

/// The least, or as far as events of the log lie behind, which is up to twice its longest window.
fn lateness(least: Span, extent: &Extent, random: &mut Random) -> Span {
    match random.below(3) {
        0 => least,
        _ if extent.behind <= least => least,
        1 => Span(random.between(least.0, extent.behind.0)),
        _ => Span(extent.longest.0.saturating_mul(2).max(least.0)),
    }
}

fn field(name: &str, path: &[&str], kind: Option<FieldKind>) -> FieldPlan {
    FieldPlan { name: name.into(), path: path.iter().map(|step| (*step).to_owned()).collect(), kind }
}

/// One of the filters, or none.
fn filter(random: &mut Random) -> Option<Expression> {
    random.pick(&FILTERS).filter(|_| random.chance(600)).map(|text| of_fields(text))
}

/// Measures get ids by their meaning; a new one joins every ladder that exists, from `index` on.
fn add_measures(view: &mut ViewPlan, index: ControlIndex, random: &mut Random) {
    for _ in 0..random.below(3) {
        let filter = filter(random);
        let value = match random.below(8) {
            0 | 1 => None,
            2..=4 => random.pick(&NUMBERS),
            5 => random.pick(&TRUTHS),
            _ => random.pick(&TEXTS),
        };
        let value = value.map(|text| of_fields(text)).map(|value| (value.clone(), items(value.of)));
        let rank = if value.is_some() && random.chance(250) {
            random.pick(&NUMBERS).map(|text| of_fields(text))
        } else {
            None
        };
        let meaning = format!("{filter:?} {value:?} {rank:?}");
        let id = ColumnId(xxhash_rust::xxh3::xxh3_64(meaning.as_bytes()));
        if view.measures.iter().any(|measure| measure.id == id) {
            continue;
        }
        let (measure, added) = (view.measures.len(), Measure { id, filter, value, rank });
        for ladder in &mut view.ladders {
            ladder.columns.push(Column { measure, keeps: keeps(&added, random), since: index });
            let decayed = decayed(ladder, &added, random);
            ladder.columns.extend(decayed.map(|keeps| Column { measure, keeps, since: index }));
        }
        view.measures.push(added);
    }
}

/// What a measure takes of values of a type.
fn items(of: Type) -> Items {
    match of {
        Type::Bool => Items::Truths,
        Type::Text => Items::Texts,
        Type::Int => Items::Numbers(Domain::Int),
        Type::Decimal(_) | Type::Float | Type::Timestamp => {
            let Some(scale) = of.scale() else { unreachable!("the lists above have no measure of a {of:?}") };
            Items::Numbers(Domain::Decimal(scale))
        }
    }
}

/// Whether definitions could ask for it of a measure.
fn fits(operator: Operator, measure: &Measure) -> bool {
    let items = measure.value.as_ref().map(|(_, items)| *items);
    if operator.is_ranked() != measure.rank.is_some() {
        return false;
    }
    match operator.argument() {
        Argument::Rows => true,
        Argument::Number => matches!(items, Some(Items::Numbers(_))),
        Argument::Truth => items == Some(Items::Truths),
        // Different texts are counted by their hashes, which are numbers.
        Argument::Any => items.is_some() && !(operator == Operator::DistinctCount && items == Some(Items::Texts)),
    }
}

/// Every operator that fits, those with a parameter with any.
fn operators<'m>(measure: &'m Measure, random: &'m mut Random) -> impl Iterator<Item = Operator> + 'm {
    let fitting = Operator::ALL.into_iter().filter(|operator| fits(*operator, measure) && !operator.is_decayed());
    fitting.map(|operator| {
        let written = match operator.parameter() {
            None => return operator,
            Some(("p", _)) => random.pick(&PERCENTS),
            Some(("sigmas", _)) => random.pick(&SIGMAS),
            Some(_) => random.pick(&LENGTHS),
        };
        let operator = written.and_then(|written| operator.with(written));
        operator.unwrap_or_else(|| unreachable!("the lists above are of parameters"))
    })
}

/// What a column of a measure keeps: everything, or what a few operators need.
fn keeps(measure: &Measure, random: &mut Random) -> Keeps {
    let most = if random.chance(500) { 1000 } else { 400 };
    let needed: Vec<Keeps> = operators(measure, random).map(|operator| operator.keeps(measure.items())).collect();
    let asked = needed.into_iter().filter(|_| random.chance(most)).fold(Keeps::NOTHING, Keeps::and);
    // Rows may be the last few, too, where nothing is read of them.
    asked.and(Keeps::last_rows(if random.chance(300) { random.between(1, 6) as u8 } else { 0 }))
}

/// What a ladder could keep of a measure whose rows lose their weight.
fn decayed(ladder: &LadderPlan, measure: &Measure, random: &mut Random) -> Option<Keeps> {
    let hops = ladder.levels.iter().flat_map(|level| (1..=3).map(move |times| Span(level.hop.0 * times)));
    let decays = hops.map(|half_life| Decay { half_life });
    let able: Vec<Decay> = decays.filter(|of| ladder.answers(Window::Decay(*of), Shift::Nothing)).collect();
    // Nobody compares what decays.
    let decay = random.pick(&able).copied().filter(|_| measure.rank.is_none())?;
    let is_kept = random.chance(700);
    let weighted =
        if fits(Operator::DecayedSum, measure) && random.chance(800) { Keeps::WEIGHTED } else { Keeps::NOTHING };
    let squares = if weighted == Keeps::WEIGHTED && random.chance(700) { Keeps::WEIGHTED_SQUARES } else { weighted };
    // Of a baseline that decays.
    let numbers = if squares == Keeps::WEIGHTED_SQUARES && random.chance(500) { Keeps::QUANTILES } else { squares };
    is_kept.then(|| Keeps::WEIGHTS.and(weighted).and(squares).and(numbers).decaying(Some(decay)))
}

/// A later feature asks for what no column of its measure keeps; and what nobody asks for any more is not kept.
fn change_columns(view: &mut ViewPlan, index: ControlIndex, random: &mut Random) {
    for ladder in &mut view.ladders {
        let measure = random.below(view.measures.len() as u64) as usize;
        let is_new = ladder.columns.iter().any(|column| column.measure == measure && column.since == index);
        if !is_new && random.chance(300) {
            let keeps = keeps(&view.measures[measure], random);
            ladder.columns.push(Column { measure, keeps, since: index });
        }
        for column in &mut ladder.columns {
            if column.keeps.decay().is_none() && random.chance(150) {
                column.keeps = column.keeps.only(keeps(&view.measures[column.measure], random));
            }
        }
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

fn add_ladder(view: &mut ViewPlan, index: ControlIndex, extent: &Extent, random: &mut Random) {
    let second = Span::seconds(1);
    let five = Span::seconds(5);
    let level = |hop, span| Level { hop, span: Span::seconds(span) };
    let levels = match random.below(7) {
        0 => vec![level(second, 3), level(five, 20)],
        1 => vec![level(five, 0), level(Span::seconds(10), 30)],
        2 => vec![level(Span::millis(500), 2), level(second, 7), level(Span::seconds(20), 40)],
        3 => vec![level(five, 0), level(QUARTER, 64 * 86_400)],
        // Half-lives.
        4 => vec![level(second, 3), level(five, 3 * 47 * 5)],
        5 => vec![level(second, 2 * 47)],
        _ => vec![level(five, 0)],
    };
    let levels = if random.chance(400) { levels_up_to(extent.longest, random) } else { levels };
    let exact = levels.iter().any(|level| level.span > Span(0)) && random.chance(300);
    let lifetime = !exact && (levels.len() == 1 && random.chance(800) || random.chance(300));
    let column = |(measure, of)| Column { measure, keeps: keeps(of, random), since: index };
    let columns = (0..).zip(&view.measures).map(column).collect();
    let mut ladder = LadderPlan { levels, lifetime, exact, columns };
    for (measure, of) in (0..).zip(&view.measures) {
        let decayed = decayed(&ladder, of, random);
        ladder.columns.extend(decayed.map(|keeps| Column { measure, keeps, since: index }));
    }
    let kind = |ladder: &LadderPlan| (ladder.levels.clone(), ladder.lifetime, ladder.exact);
    let lives = |other: &LadderPlan| kind(other) == kind(&ladder);
    if !view.ladders.iter().any(lives) {
        view.ladders.push(ladder);
    }
}

/// Some levels, none with a window that is longer.
fn levels_up_to(longest: Span, random: &mut Random) -> Vec<Level> {
    // Each divides those after it, and the first few divide the step of blurred instants.
    const HOPS_MS: [i64; 10] =
        [500, 1_000, 5_000, 10_000, 20_000, 60_000, 900_000, 1_800_000, 6 * 3_600_000, 86_400_000];
    let first = random.below(3) as usize;
    let mut levels: Vec<Level> = Vec::new();
    for (at, hop) in (0..).zip(HOPS_MS.map(Span::millis)).skip(first) {
        if at > first && (hop.0 * 2 > longest.0 || !random.chance(450)) {
            continue;
        }
        let before = levels.last().map_or(Span(0), |level: &Level| level.span);
        let most = (longest.0 / hop.0).clamp(1, 40);
        // Only the first may hold nothing but the slack.
        let least =
            (before.0.div_euclid(hop.0) + i64::from(before.0.rem_euclid(hop.0) != 0)).max((at - first).min(1) as i64);
        let span = Span(hop.0 * random.between(least, least.max(most)));
        levels.push(Level { hop, span });
    }
    levels
}

/// What a read may send: some of a value of each type, in any order.
fn declare(view: &mut ViewPlan, random: &mut Random) {
    view.request.clear();
    let mut left: Vec<(&str, FieldKind)> = SENT.to_vec();
    while !left.is_empty() && random.chance(800) {
        let (name, kind) = left.swap_remove(random.below(left.len() as u64) as usize);
        view.request.push(RequestValue { name: name.to_owned(), kind });
    }
}

/// A few formulas over any results, those of formulas before included, and over what can be sent.
fn derive(view: &mut ViewPlan, random: &mut Random) {
    view.derived.clear();
    let mut names = Names::default();
    view.features.iter().for_each(|feature| names.add(answers(view, feature)));
    let (count, sent): (u64, Vec<String>) =
        (random.below(5), view.request.iter().map(|value| format!("request.{}", value.name)).collect());
    for at in 0..count {
        // Results that are not there yet are named by nobody; what is sent stands behind all of them.
        let behind = names.all.len()..view.features.len() + count as usize;
        let mut inputs: Vec<(&str, Type)> = names.all.iter().map(|(name, of)| (name.as_str(), *of)).collect();
        inputs.extend(behind.map(|_| ("", Type::Int)));
        inputs.extend(sent.iter().map(String::as_str).zip(view.request.iter().map(|value| value.kind.into())));
        let mut drawn = if random.chance(700) { names.clone() } else { Names::default() };
        // Results are many: so often that both are met in one formula.
        for _ in 0..=drawn.numbers.len() / (2 * view.request.len()).max(1) {
            drawn.numbers.extend(view.request.iter().map(|value| of_request(value, random)));
        }
        // A product with too many digits is refused, and another formula drawn.
        let formula = std::iter::repeat_with(|| read(&drawn.number(3, random), &inputs, false)).find_map(Result::ok);
        let Some(formula) = formula else { unreachable!("the source of formulas is endless") };
        let of = Answers::One(formula.of);
        let default = default(of, random).filter(|_| random.chance(300));
        names.add(of);
        view.derived.push(Derived { name: format!("derived_{at}"), formula, default });
    }
}

/// A number made of one request value.
fn of_request(value: &RequestValue, random: &mut Random) -> String {
    let (name, chosen) = (format!("request.{}", value.name), random.below(2));
    match (value.kind, chosen) {
        (FieldKind::Number(_), 0) => name,
        (FieldKind::Number(_), _) => format!("bucketize({name}, [-1, 0.5, 100])"),
        (FieldKind::Text, 0) => format!("one_hot({name}, 'DE')"),
        (FieldKind::Text, _) => format!("size(lower({name}))"),
        (FieldKind::Bool, _) => format!("({name} ? 2 : 0.5)"),
        (FieldKind::Timestamp, 0) => format!("hour_of_day({name}, 'Asia/Kathmandu')"),
        (FieldKind::Timestamp, _) => format!("({name} - timestamp('2026-01-01T00:00:00Z'))"),
    }
}

/// What one entity's read sends: any of the declared values, some of them null.
pub fn send(view: &ViewPlan, random: &mut Random) -> Vec<Sent> {
    let value = |value: &RequestValue| match value.kind {
        _ if random.chance(200) => Sent::Null,
        FieldKind::Number(_) => Sent::Number(match random.below(3) {
            0 => random.between(-3, 3),
            1 => random.between(-100_000, 100_000),
            _ => random.between(i64::MIN, i64::MAX),
        }),
        FieldKind::Text => Sent::Text(["DE", "", "Ab é"][random.below(3) as usize].into()),
        FieldKind::Bool => Sent::Bool(random.chance(500)),
        FieldKind::Timestamp => Sent::Timestamp(Timestamp(random.between(0, 2_000_000_000_000_000))),
    };
    view.request.iter().map(value).collect()
}

/// What a feature answers.
fn answers(view: &ViewPlan, feature: &Feature) -> Answers {
    let column = view.ladders[feature.ladder].columns[feature.column];
    feature.operator.answers(view.measures[column.measure].items())
}

/// What formulas are made of.
#[derive(Clone, Default)]
struct Names {
    /// Every result in its place; no formula names one of several values.
    all: Vec<(String, Type)>,
    numbers: Vec<String>,
    truths: Vec<String>,
    texts: Vec<String>,
}

impl Names {
    fn add(&mut self, answers: Answers) {
        let name = format!("r{}", self.all.len());
        let of = match answers {
            Answers::One(of) => {
                match of {
                    Type::Bool => &mut self.truths,
                    Type::Text => &mut self.texts,
                    _ => &mut self.numbers,
                }
                .push(name.clone());
                of
            }
            Answers::List(of) | Answers::Counts(of) => of,
        };
        self.all.push((name, of));
    }

    fn number(&self, depth: u64, random: &mut Random) -> String {
        let part = |random: &mut Random| self.number(depth.saturating_sub(1), random);
        match random.below(depth * 2 + 1) {
            0 => match (random.below(6), random.pick(&self.texts), random.pick(&self.numbers)) {
                (0, Some(text), _) => format!("size({text})"),
                (1, Some(text), _) => format!("one_hot({text}, 'purchase')"),
                (2.., _, Some(number)) => number.clone(),
                _ => format!("{}.{}", random.between(-3, 3), random.below(10)),
            },
            1 => format!("coalesce({}, {})", part(random), part(random)),
            2 => format!("({} ? {} : null)", self.truth(depth, random), part(random)),
            _ => {
                let sign = ["+", "-", "*", "/"][random.below(4) as usize];
                format!("({} {sign} {})", part(random), part(random))
            }
        }
    }

    fn truth(&self, depth: u64, random: &mut Random) -> String {
        let part = |random: &mut Random| self.number(depth.saturating_sub(1), random);
        match (random.below(4), random.pick(&self.texts), random.pick(&self.truths)) {
            (0, Some(text), _) => format!("({text} < 'p')"),
            (1, Some(text), Some(truth)) => format!("({truth} || is_null({text}))"),
            (1 | 2, _, Some(truth)) => truth.clone(),
            _ => format!("({} > {})", part(random), part(random)),
        }
    }
}

/// Some of the operators that every column answers, in every window; some with a default.
fn name_features(view: &mut ViewPlan, random: &mut Random) {
    view.features.clear();
    for (ladder, plan) in view.ladders.iter().enumerate() {
        for (column, kept) in plan.columns.iter().enumerate() {
            let Some(decay) = kept.keeps.decay() else { continue };
            let operators = Operator::ALL.into_iter().filter(|operator| operator.is_decayed());
            let items = view.measures[kept.measure].items();
            for operator in operators.filter(|operator| kept.keeps.has(operator.keeps(items).decaying(Some(decay)))) {
                for (window, shift) in [Shift::Nothing, Shift::Current].map(|shift| (Window::Decay(decay), shift)) {
                    let default = default(operator.answers(items), random).filter(|_| random.chance(300));
                    let name = format!("{operator:?}_{ladder}_{column}_{shift:?}");
                    view.features.push(Feature { name, operator, ladder, column, window, shift, default });
                }
            }
        }
        let windows = windows(plan, random);
        for (window, shift) in windows.iter().copied() {
            // A baseline is seen from where its feature is.
            let beside: Vec<Window> =
                windows.iter().filter(|(_, other)| *other == shift).map(|(window, _)| *window).collect();
            for (column, kept) in plan.columns.iter().enumerate() {
                let measure = &view.measures[kept.measure];
                let has_length = !matches!(window, Window::Calendar { .. } | Window::Session { .. });
                let able = |operator: &Operator| {
                    let is_asked = has_length || *operator != Operator::Rate;
                    let is_asked = is_asked && !(operator.is_ranked() && window.last_n().is_some());
                    is_asked && kept.keeps.has(operator.keeps_over(measure.items(), window))
                };
                // What decays is no window of its own, and seen from where any window is that does not lie back.
                let decay = kept.keeps.decay().filter(|_| !matches!(shift, Shift::Back(_))).map(Window::Decay);
                let operators: Vec<Operator> = operators(measure, random).collect();
                for operator in operators {
                    let baseline = decay.or_else(|| random.pick(&beside).copied()).unwrap_or(window);
                    let operator = operator.against(baseline);
                    if !able(&operator) {
                        continue;
                    }
                    if !random.chance(450) {
                        continue;
                    }
                    let default = default(operator.answers(measure.items()), random);
                    let default = default.filter(|_| random.chance(300));
                    let name = format!("{operator:?}_{ladder}_{column}_{window:?}_{shift:?}");
                    view.features.push(Feature { name, operator, ladder, column, window, shift, default });
                }
            }
        }
    }
}

/// Something that a feature itself could have answered; several values are never null.
fn default(answers: Answers, random: &mut Random) -> Option<Constant> {
    let Answers::One(of) = answers else { return None };
    let domain = match of {
        Type::Bool => return Some(Constant::Truth(random.chance(500))),
        Type::Text | Type::Timestamp => {
            return Some(Constant::Text(["", "unknown", "\u{e9}"][random.below(3) as usize].into()));
        }
        Type::Int => Domain::Int,
        Type::Decimal(scale) => Domain::Decimal(scale),
        Type::Float => Domain::Decimal(random.below(5) as u8),
    };
    Some(Constant::Number { unscaled: random.between(-1000, 1000), domain })
}

/// Every window of a ladder; some without the current event, and some that lie back as far as the ladder reaches.
fn windows(plan: &LadderPlan, random: &mut Random) -> Vec<(Window, Shift)> {
    let mut windows = Vec::new();
    for Level { hop, span } in plan.levels.iter().copied().filter(|level| level.span > Span(0)) {
        if plan.exact {
            // Of any length from the hop to what its level reaches.
            let shorter = Span(random.between(hop.0, span.0));
            let exact = [span, shorter].map(|span| Window::Exact { span, hop });
            windows.push((exact[0], Shift::Nothing));
            let more = [(exact[1], Shift::Nothing), (exact[0], Shift::Current)];
            windows.extend(more.into_iter().filter(|_| random.chance(400)));
            continue;
        }
        windows.push((Window::Rolling { span, hop }, Shift::Nothing));
        let back = Span(random.between(1, span.0 - 1));
        let shifts = [
            (Window::Rolling { span, hop }, Shift::Current),
            (Window::Rolling { span: Span(span.0 - back.0), hop }, Shift::Back(back)),
        ];
        windows.extend(shifts.into_iter().filter(|_| random.chance(400)));
    }
    for Level { hop, .. } in plan.levels.iter().copied() {
        let hops = |random: &mut Random, most| Span(hop.0 * random.between(1, most));
        let every = hops(random, 3);
        let (span, ago) = (Span(every.0 * random.between(1, 4)), Span(every.0 * random.between(0, 4)));
        let series = (0..3).map(|nth| Window::Complete { span: every, every, ago: Span(every.0 * nth) });
        let drawn = [Window::Tumbling { span: every }, Window::Complete { span, every, ago }];
        for window in drawn.into_iter().chain(series) {
            let back = Shift::Back(Span(random.between(1, every.0 * 2)));
            let shift = [Shift::Nothing, Shift::Nothing, Shift::Current, back][random.below(4) as usize];
            let is_meant = !matches!((window, shift), (Window::Tumbling { .. }, Shift::Back(_)));
            if is_meant && plan.answers(window, shift) && random.chance(400) {
                windows.push((window, shift));
            }
        }
    }
    // Where tiles say when their rows were, sessions are told from them.
    let tells = plan.columns.first().is_some_and(|rows| rows.keeps.has(Keeps::TIMES));
    for Level { hop, span } in plan.levels.iter().copied().filter(|level| tells && level.span >= level.hop) {
        let gap = Span(random.between(hop.0, span.0.min(hop.0 * 3)));
        let session = Session { gap, within: Span(random.between(gap.0, span.0)), hop };
        for is_last in [false, true] {
            let shift = [Shift::Nothing, Shift::Nothing, Shift::Current][random.below(3) as usize];
            windows.extend(random.chance(600).then_some((Window::Session { session, is_last }, shift)));
        }
    }
    if plan.levels.iter().any(|level| level.hop >= QUARTER) {
        let drawn = (0..3).map(|_| (calendar(random), [Shift::Nothing, Shift::Current][random.below(2) as usize]));
        windows.extend(drawn.filter(|(window, shift)| plan.answers(*window, *shift)));
    }
    if plan.levels.len() == 1 && !plan.lifetime && !plan.exact {
        // All that a ladder of one level without a window answers.
        windows.push((Window::Tumbling { span: plan.levels[0].hop }, Shift::Nothing));
    }
    if plan.lifetime {
        windows.push((Window::Lifetime, Shift::Nothing));
        windows.extend(random.chance(400).then_some((Window::Lifetime, Shift::Current)));
    }
    let reaching = plan.levels.iter().copied().filter(|level| level.span > Span(0)).map(Some);
    for within in reaching.chain([None]).collect::<Vec<_>>() {
        let window = Window::LastN { n: random.between(1, 6) as u8, within };
        let shift = [Shift::Nothing, Shift::Nothing, Shift::Current][random.below(3) as usize];
        if plan.answers(window, shift) && random.chance(500) {
            windows.push((window, shift));
        }
    }
    windows
}

/// A unit of the calendar of some place.
fn calendar(random: &mut Random) -> Window {
    const PLACES: [&str; 6] =
        ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Auckland"];
    let (place, unit) = (random.pick(&PLACES), random.pick(&Unit::ALL));
    let calendar = place.zip(unit).and_then(|(place, unit)| Calendar::new(*unit, place));
    let Some(calendar) = calendar else { unreachable!("every place of the list is there") };
    Window::Calendar { calendar, is_complete: random.chance(500) }
}
