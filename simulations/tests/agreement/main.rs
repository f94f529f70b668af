//! The record path of the product (reader, frames, shard) against the oracle, on payloads of every odd shape, under
//! changing definitions; and what that comparison is worth. Knows no network and no faults: the simulation adds those.

#![expect(clippy::expect_used, reason = "what cannot happen in this test fails it")]

mod boundaries;
mod expressions;

use std::sync::Mutex;

use featuregrid_simulations::windows::case::Case;
use featuregrid_simulations::windows::{Report, compare, one};

/// A plant is chosen for the whole process: whoever runs the product is alone.
static ALONE: Mutex<()> = Mutex::new(());

fn differences(report: &Report) -> String {
    let lines = report.differences.iter().take(20).map(|it| format!("case {}: {}", it.case.number, it.line));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_product_and_the_oracle_agree() {
    let _alone = ALONE.lock().expect("no other test failed");
    let report = compare(3, 1_000_000);
    assert_eq!(report.differing, 0, "{}", differences(&report));
    let drawn = &report.drawn;
    for (name, histogram) in drawn.histograms() {
        println!("{name} {histogram:#?}");
    }
    // Those that read rows over all, numbers, truths and texts; 16 over numbers, two over truths, fourteen over any of the
    // three; but different texts are counted as numbers. And what is derived.
    assert_eq!(drawn.operators.len(), 6 * 4 + 16 + 2 + 14 * 3 - 1 + 1, "{:?}", drawn.operators);
    assert!(drawn.operators.values().all(|times| *times > 400), "{:?}", drawn.operators);
    let often = [
        (&drawn.windows, 7, 1_000),
        (&drawn.window_lengths, 6, 1_000),
        (&drawn.shifts, 3, 1_000),
        (&drawn.statuses, 7, 100),
        (&drawn.flags, 5, 2),
        (&drawn.instants, 8, 50),
        (&drawn.scales, 4, 20),
        (&drawn.sizes, 3, 10),
        (&drawn.lateness, 6, 10),
        (&drawn.lags, 5, 2),
        (&drawn.fates, 5, 500),
        (&drawn.events, 9, 5),
    ];
    for (at, (histogram, names, least)) in often.into_iter().enumerate() {
        assert!(histogram.len() >= names, "{at}: {histogram:?}");
        assert!(histogram.values().all(|times| *times > least), "{at}: {histogram:?}");
    }
}

#[test]
fn calendars_agree_beside_their_boundaries() {
    let _alone = ALONE.lock().expect("no other test failed");
    let compared = boundaries::check_all().unwrap_or_else(|difference| panic!("{difference}"));
    assert!(compared > 400_000, "{compared} values beside boundaries of the calendar");
}

#[test]
fn a_seed_says_everything() {
    let _alone = ALONE.lock().expect("no other test failed");
    let (first, again, other) = (compare(5, 20_000), compare(5, 20_000), compare(6, 20_000));
    assert_eq!((first.compared, &first.trace_hash), (again.compared, &again.trace_hash));
    assert_ne!(first.trace_hash, other.trace_hash);
    // A case alone is the case that was one of many.
    let alone: Vec<Report> = (0..first.cases).map(|number| one(Case { seed: 5, number })).collect();
    assert_eq!(alone.iter().map(|case| case.compared).sum::<u64>(), first.compared);
}

#[cfg(feature = "plants")]
mod plants {
    //! Wrong rules of the record path, each of which must make the two differ.
    use featuregrid_protocol::plants::{Plant, choose};

    use super::*;

    const CAUGHT: &[Plant] = &[
        Plant::IdKeptTooShort,
        Plant::IdKeptByArrival,
        Plant::TailOffByOne,
        Plant::ExactNotCut,
        Plant::TFromWallClock,
        Plant::LateMovesPrefix,
        Plant::FoldWrongHop,
        Plant::HeadInclusive,
        Plant::CurrentIncluded,
        Plant::RawByArrival,
        Plant::RoundHalfUp,
        Plant::TornSnapshot,
        Plant::NullDecides,
        Plant::QuotientTruncated,
        Plant::ProductWraps,
        Plant::ZoneForgotten,
        Plant::ListsByArrival,
        Plant::OtherForgotten,
        Plant::TrainingSeesLater,
    ];

    #[test]
    fn every_wrong_rule_is_caught_by_a_case_that_shows_it_alone() {
        let _alone = ALONE.lock().expect("no other test failed");
        for plant in CAUGHT {
            choose(Some(*plant));
            let missed = compare(1, 300_000);
            let first = missed.differences.first().map(|first| (first.case, one(first.case)));
            choose(None);
            let Some((case, alone)) = first else { panic!("{} was not caught", plant.name()) };
            println!("{} is caught by case {}", plant.name(), case.number);
            assert!(alone.differing > 0, "{}: {case:?} alone shows nothing", plant.name());
        }
    }
}
