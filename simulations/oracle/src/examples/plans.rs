//! Plans by hand, in the shape the definitions of the examples compile to. Knows no compiler.

use featuregrid_protocol::expression::{CompareOp, Expression, Function, Literal, Type};
use featuregrid_protocol::ids::{ColumnId, ControlIndex, SourceId, ViewId};
use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{
    Column, Feature, FieldKind, FieldPlan, Items, Keeps, Key, LadderPlan, LatePolicy, LatenessClock, Level, Measure,
    Operator, Plan, Shift, SourcePlan, ViewPlan, Window, default_hop,
};
use featuregrid_protocol::time::Span;

/// Seconds; 0 is lifetime.
type WindowSeconds = i64;
/// Operator, column and window of the features of one ladder.
type Features<'a> = &'a [(Operator, usize, WindowSeconds)];

/// One view `spend` by user with a rows measure, and one ladder per list of features.
pub(super) fn plan(ladders: &[(u64, Features<'_>)], measures: Vec<Measure>) -> Plan {
    let field = |name: &str, kind| FieldPlan { name: name.into(), path: vec![name.into()], kind };
    let source = SourcePlan {
        name: "payments".into(),
        topic: "payments".into(),
        fields: vec![
            field("user_id", None),
            field("amount", Some(FieldKind::Number(Domain::Decimal(2)))),
            field("type", None),
            field("vip", Some(FieldKind::Bool)),
        ],
        event_timestamp: vec!["ts".into()],
        event_id: None,
        allowed_lateness: Span::seconds(60),
        max_skew: Span::seconds(300),
        slack: Span::seconds(300),
        lateness_clock: LatenessClock::default(),
        late_policy: LatePolicy::default(),
    };
    let mut features = Vec::new();
    let ladders = ladders.iter().enumerate().map(|(at, (since, list))| {
        features.extend(list.iter().map(|(operator, column, window)| feature(*operator, at, *column, *window)));
        ladder(ControlIndex(*since), list, measures.len())
    });
    let ladders = ladders.collect();
    let view = ViewPlan {
        source: SourceId(0),
        id: ViewId(1),
        name: "spend".into(),
        entity: "user".into(),
        keys: vec![("user_id".into(), Key::Field(0))],
        filter: None,
        measures,
        max_age: None,
        derived: Vec::new(),
        request: Vec::new(),
        ladders,
        features,
    };
    Plan {
        index: ControlIndex(0),
        project: "edge".into(),
        sources: vec![source],
        views: vec![view],
        services: Vec::new(),
    }
}

fn feature(operator: Operator, ladder: usize, column: usize, window: WindowSeconds) -> Feature {
    let span = Span::seconds(window);
    let window = if window == 0 { Window::Lifetime } else { Window::Rolling { span, hop: default_hop(span) } };
    let name = format!("{operator:?}_{column}_{window:?}");
    Feature { name, operator, ladder, column, window, shift: Shift::Nothing, default: None }
}

fn ladder(since: ControlIndex, list: Features<'_>, columns: usize) -> LadderPlan {
    let mut spans: Vec<Span> = list.iter().map(|(_, _, window)| Span::seconds(*window)).collect();
    spans.sort();
    spans.dedup();
    let levels = spans.iter().filter(|span| span.0 > 0).map(|span| Level { hop: default_hop(*span), span: *span });
    let columns = (0..columns).map(|measure| Column { measure, keeps: Keeps::ALL, since }).collect();
    LadderPlan { levels: levels.collect(), lifetime: spans.contains(&Span(0)), exact: false, columns }
}

pub(super) fn rows() -> Measure {
    Measure { id: ColumnId(0), filter: None, value: None, rank: None }
}

pub(super) fn amount() -> Measure {
    let amount = Expression::input(1, Type::Decimal(2));
    Measure { id: ColumnId(1), filter: None, value: Some((amount, Items::Numbers(Domain::Decimal(2)))), rank: None }
}

pub(super) fn kind() -> Measure {
    Measure { id: ColumnId(2), filter: None, value: Some((Expression::input(2, Type::Text), Items::Texts)), rank: None }
}

pub(super) fn vip() -> Measure {
    Measure {
        id: ColumnId(3),
        filter: None,
        value: Some((Expression::input(3, Type::Bool), Items::Truths)),
        rank: None,
    }
}

pub(super) fn is(slot: usize, text: &str) -> Expression {
    let sides = vec![Expression::input(slot, Type::Text), Expression::literal(Literal::Text(text.into()), Type::Text)];
    Expression::call(Function::Compare(CompareOp::Eq), sides, Type::Bool)
}

/// `count_5m`, `count_1h`, `total_1h`: the definitions of the acceptance's `eval`.
pub(super) fn edge() -> Plan {
    plan(
        &[(0, &[(Operator::Count, 0, 300), (Operator::Count, 0, 3600), (Operator::Sum, 1, 3600)])],
        vec![rows(), amount()],
    )
}
