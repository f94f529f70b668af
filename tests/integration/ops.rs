//! Every operator over every kind of window, from a definition to a client of a running node.

use crate::harness::Run;

#[test]
fn every_operator_over_every_window_is_served() {
    let report = Run::of(&["ops", "--verify", "--events", "4000", "--report", "json"]).report();
    assert_eq!(report["tested"], report["cells"], "{report}");
    assert_eq!((report["differing"].as_u64(), report["restarts"].as_u64()), (Some(0), Some(1)), "{report}");
    assert!(report["late"].as_u64() > Some(0) && report["compared"].as_u64() > Some(100_000), "{report}");
}
