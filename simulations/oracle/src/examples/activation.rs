//! What a change of definitions does to values: columns count from their activation on, and every cut of the control
//! log has its own truth.

use featuregrid_protocol::ids::{ColumnId, ControlIndex};
use featuregrid_protocol::plan::{Column, Keeps, Operator, Plan};
use featuregrid_protocol::value::{Reading, Value};

use super::plans::{amount, is, plan, rows};
use super::{AsOf, Log, count, decimal, noon, vector};

fn at(index: u64, mut plan: Plan) -> Plan {
    plan.index = ControlIndex(index);
    plan
}

fn counts() -> Plan {
    plan(&[(0, &[(Operator::Count, 0, 300)])], vec![rows()])
}

/// The same and, since entry 1, the sum of amounts in the same ladder.
fn with_sum() -> Plan {
    let mut plan = plan(&[(0, &[(Operator::Count, 0, 300), (Operator::Sum, 1, 300)])], vec![rows(), amount()]);
    plan.views[0].ladders[0].columns[1] = Column { measure: 1, keeps: Keeps::ALL, since: ControlIndex(1) };
    at(1, plan)
}

fn partial(reading: Reading) -> Reading {
    Reading { partial_coverage: true, ..reading }
}

#[test]
fn a_new_measure_counts_from_its_activation() {
    let mut log = Log::new(counts());
    for (partition, offset) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        log.event(partition, offset, "u", offset as i64, "2");
    }
    log.0.activate(ControlIndex(1), vector(&[1, 2]), with_sum());
    let as_of = AsOf::At(noon(10));
    // Only offset 1 of partition 0 lies at or after the activation.
    assert_eq!(log.read(1, &[2, 2], "u", as_of).readings, [count(4), partial(decimal(200))]);
    assert_eq!(log.read(0, &[2, 2], "u", as_of).readings, [count(4)]);
    assert_eq!(log.read(1, &[1, 2], "u", as_of).readings, [count(3), partial(decimal(0))]);
}

#[test]
fn an_activation_learnt_late_judges_again() {
    let mut log = Log::new(counts());
    // The amount is of a wrong type: no matter to entry 0, a rejection to entry 1.
    log.event(0, 0, "u", 0, "true");
    log.event(0, 1, "u", 1, "true");
    let as_of = AsOf::At(noon(10));
    assert_eq!(log.read(0, &[2], "u", as_of).readings, [count(2)]);
    log.0.activate(ControlIndex(1), vector(&[1]), with_sum());
    assert_eq!(log.read(1, &[2], "u", as_of).readings, [count(1), partial(decimal(0))]);
    let totals = |log: &mut Log, index| log.0.cut(ControlIndex(index), &vector(&[2])).unwrap().totals();
    assert_eq!(totals(&mut log, 1).dead_lettered, 1);
    assert_eq!(totals(&mut log, 0).dead_lettered, 0);
    assert_eq!(log.read(0, &[2], "u", as_of).readings, [count(2)]);
}

#[test]
fn a_row_keeps_the_shape_it_was_made_in() {
    // Entry 1 counts purchases instead of summing amounts; entry 2 sums amounts again, from its own activation on.
    let purchases = |index| {
        let mut measure = rows();
        (measure.id, measure.filter) = (ColumnId(9), Some(is(2, "purchase")));
        at(index, plan(&[(0, &[(Operator::Count, 0, 300), (Operator::Count, 1, 300)])], vec![rows(), measure]))
    };
    let summing = |index: u64| {
        let mut plan = at(index, with_sum());
        plan.views[0].ladders[0].columns[1].since = ControlIndex(index);
        plan
    };
    let mut log = Log::new(summing(0));
    for offset in 0..6 {
        log.event(0, offset, "u", offset as i64, "2");
    }
    log.0.activate(ControlIndex(1), vector(&[2]), purchases(1));
    log.0.activate(ControlIndex(2), vector(&[4]), summing(2));
    let as_of = AsOf::At(noon(10));
    assert_eq!(log.read(0, &[6], "u", as_of).readings, [count(6), decimal(1200)]);
    assert_eq!(log.read(2, &[6], "u", as_of).readings, [count(6), partial(decimal(400))]);
}

#[test]
fn a_ladder_added_later_has_rows_and_a_raw_head_of_its_own() {
    let mut log = Log::new(counts());
    log.event(0, 0, "u", 0, "2");
    log.event(0, 1, "u", 1, "2");
    let both = plan(&[(0, &[(Operator::Count, 0, 300)]), (1, &[(Operator::Count, 0, 3600)])], vec![rows()]);
    log.0.activate(ControlIndex(1), vector(&[1]), at(1, both));
    let as_of = AsOf::At(noon(10));
    let one = Reading { value: Value::Int(1), ..partial(count(1)) };
    assert_eq!(log.read(1, &[2], "u", as_of).readings, [count(2), one.clone()]);
    // Half an hour later only the new ladder's window holds a row: found.
    assert_eq!(log.read(1, &[2], "u", AsOf::At(noon(1_800_000_000))).readings, [count(0), one]);
}

#[test]
fn the_log_begins_at_genesis() {
    let mut log = Log::new(counts());
    log.event(0, 0, "u", 0, "2");
    log.event(0, 1, "u", 1, "2");
    log.0.activate(ControlIndex(0), vector(&[1]), counts());
    assert_eq!(log.read(0, &[2], "u", AsOf::At(noon(10))).readings, [count(1)]);
    assert_eq!(log.0.cut(ControlIndex(0), &vector(&[2])).unwrap().totals().records, 1);
}
