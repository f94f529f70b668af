//! For every zone that is built in.

use super::*;
use crate::plan::Zone;

#[test]
fn steps_are_those_of_the_offsets() {
    let steps = [
        ("UTC", 86_400),
        ("Africa/Abidjan", 86_400),
        ("Europe/Berlin", 3_600),
        ("Asia/Tokyo", 3_600),
        ("Asia/Kolkata", 1_800),
        ("Australia/Lord_Howe", 1_800),
        ("Asia/Kathmandu", 900),
        // It was ahead by 44 minutes and 30 seconds until 1972.
        ("Africa/Monrovia", 900),
    ];
    for (name, seconds) in steps {
        assert_eq!(step(&find(name).unwrap()), Span::seconds(seconds), "{name}");
    }
}

#[test]
fn every_zone_is_found_by_a_name_that_fits() {
    let names = names();
    assert!(names.len() > 500, "{}", names.len());
    for name in &names {
        assert!(Zone::new(name).is_some(), "{name}");
        let found = find(name).map(|zone| zone.iana_name().map(str::to_owned));
        assert!(found.is_some_and(|found| found.as_deref() == Some(name)), "{name}");
    }
}

/// Each is a multiple of the next: tiles of one are whole sums of another's.
#[test]
fn steps_divide_each_other() {
    assert!(STEPS.windows(2).all(|pair| pair[0] % pair[1] == 0));
}

#[test]
fn what_is_no_name_is_no_zone() {
    assert!(find("europe/berlin").is_some(), "capitals do not matter");
    assert!(find("Mars").is_none() && find("").is_none() && find("Etc/Unknown").is_none());
}
