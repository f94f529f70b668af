//! W1 is what it says: reproducible, of the declared size and shares, and its own account agrees with the oracle's.

use std::collections::BTreeMap;

use featuregrid_oracle::{Oracle, Record};
use featuregrid_protocol::definition;
use featuregrid_protocol::ids::{ControlIndex, Offset};
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::OffsetVector;

use super::*;

fn plan() -> Plan {
    definition::compile(DEFINITIONS, "fraud.yaml", None, ControlIndex(0)).unwrap()
}

fn check(parameters: Parameters) -> Expected {
    let mut workload = W1::new(parameters);
    let mut oracle = Oracle::new();
    let plan = plan();
    let view = plan.views[0].id;
    oracle.activate(ControlIndex(0), OffsetVector::default(), plan);
    let mut next: BTreeMap<PartitionId, Offset> = BTreeMap::new();
    for produced in workload.by_ref() {
        let offset = next.entry(produced.partition).or_default();
        let Produced { log_timestamp, payload, .. } = produced;
        let record = Record { offset: *offset, log_timestamp, admit: false, payload };
        oracle.push(produced.partition, record).unwrap();
        *offset += 1;
    }
    let totals = oracle.cut(ControlIndex(0), &OffsetVector(next)).unwrap().totals();
    let view = totals.views.get(&view).copied().unwrap_or_default();
    let expected = workload.expected();
    let judged = Expected {
        records: totals.records,
        late: totals.late,
        dead_lettered: totals.dead_lettered,
        tombstones: totals.tombstones,
        unmatched: totals.unmatched,
        routed: totals.routed,
        rejected: view.rejected,
    };
    assert_eq!(judged, expected);
    assert_eq!(view.rows, expected.routed + expected.rejected);
    expected
}

#[test]
fn the_oracle_agrees_with_the_account() {
    let expected = check(Parameters::new(7, 100_000));
    assert_eq!(expected.records, 100_000);
    assert!((900..1100).contains(&expected.late), "{expected:?}");
    assert!((60..140).contains(&expected.dead_lettered), "{expected:?}");
    assert_eq!(expected.tombstones, 0);
}

#[test]
fn sparse_and_odd_settings_keep_their_account() {
    // Minutes between the records of a partition: a late one waits until its partition allows it.
    check(Parameters { late: 20_000, ..Parameters::new(1, 2_000) });
    check(Parameters { users: 1, span: Span::seconds(30 * 86_400), ..Parameters::new(2, 20_000) });
    let odd = Parameters { partitions: 1, malformed: 30_000, tombstones: 30_000, ..Parameters::new(3, 5_000) };
    let expected = check(odd);
    assert!(expected.tombstones > 1_000 && expected.rejected > 300, "{expected:?}");
    assert_eq!(check(Parameters::new(4, 0)), Expected::default());
}

#[test]
fn the_definitions_are_the_thirty_features_it_is_made_for() {
    let plan = plan();
    assert_eq!(plan.views.iter().map(|view| view.features.len()).collect::<Vec<_>>(), [30]);
    assert_eq!(plan.sources[0].allowed_lateness, ALLOWED_LATENESS);
    assert!(LATE_BY > ALLOWED_LATENESS + Parameters::new(0, 0).disorder);
}

#[test]
fn equal_parameters_make_equal_records() {
    let records = |seed| W1::new(Parameters::new(seed, 1_000)).collect::<Vec<_>>();
    assert_eq!(records(5), records(5));
    assert_ne!(records(5), records(6));
}

#[test]
fn records_are_of_the_declared_size_and_spread() {
    let records: Vec<Produced> = W1::new(Parameters::new(7, 20_000)).collect();
    let bytes: usize = records.iter().filter_map(|record| record.payload.as_ref()).map(Vec::len).sum();
    let mean = bytes / records.len();
    assert!((290..330).contains(&mean), "{mean} bytes");
    let first = records.first().unwrap().log_timestamp;
    let last = records.last().unwrap().log_timestamp;
    assert_eq!(first, Parameters::new(7, 1).start);
    assert!(last - first > Span::seconds(48 * 3600 - 60) && last - first < Span::seconds(48 * 3600));
    for partition in 0..4 {
        let share = records.iter().filter(|record| record.partition == PartitionId(partition)).count();
        assert!(share > 3_000, "partition {partition}: {share}");
    }
    let users: std::collections::BTreeSet<_> = records.iter().map(|record| &record.key).collect();
    assert!(users.len() > 8_000, "{} users", users.len());
}
