//! Whatever the order and the parts, a collection is what the multiset of its items says, and reads back from its bytes.

use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::limits::{BUCKETS_MAX, CATEGORIES_MAX, DISTINCT_EXACT_MAX};
use proptest::prelude::*;

use super::*;

const KINDS: [Collects; 8] = [
    Collects::FirstRows(3),
    Collects::LastRows(5),
    Collects::LastDistinct(4),
    Collects::LeastRow,
    Collects::GreatestRow,
    Collects::Distinct,
    Collects::Quantiles,
    Collects::Categories,
];

#[derive(Clone, Debug)]
struct Event {
    ts: i64,
    position: Position,
    word: i64,
    text: Option<String>,
}

impl Event {
    fn item(&self) -> Item<'_> {
        let Self { ts, position, word, text } = self;
        Item { ts: Timestamp(*ts), position: *position, word: *word, text: text.as_deref() }
    }
}

/// Few values, many values, and numbers all over their type; texts or none; several events at one time.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let number = prop_oneof![
        Just(0..5i64).prop_flat_map(|few| few),
        -2000i64..2000,
        any::<i64>(),
        (0u32..63, 0i64..9).prop_map(|(bits, more)| (1i64 << bits).wrapping_add(more)),
        Just(i64::MIN),
    ];
    (1usize..6, any::<bool>()).prop_flat_map(move |(spread, are_texts)| {
        prop::collection::vec((0i64..50, 0u32..3, number.clone()), 0..[1, 10, 100, 400, 800, 2000][spread]).prop_map(
            move |list| {
                let event = |(offset, (ts, partition, number)): (usize, (i64, u32, i64))| {
                    let position = Position { partition: PartitionId(partition), offset: offset as u64 };
                    let text = are_texts.then(|| format!("v{}", number % 300));
                    let word = text.as_deref().map_or(number, text_word);
                    Event { ts, position, word, text }
                };
                list.into_iter().enumerate().map(event).collect()
            },
        )
    })
}

fn collect<'e>(collects: Collects, events: impl IntoIterator<Item = &'e Event>) -> Collection {
    let mut collection = collects.nothing();
    events.into_iter().for_each(|event| collection.add(&event.item()));
    collection
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn parts_and_orders_leave_no_trace(list in events(), parts in 1usize..6, seed: u64) {
        for collects in KINDS {
            let whole = collect(collects, &list);
            let mut shuffled = list.clone();
            shuffled.sort_by_key(|event| mix(event.position.offset as i64 ^ seed as i64));
            prop_assert_eq!(&collect(collects, &shuffled), &whole);
            let part = |part: usize| collect(collects, shuffled.iter().skip(part).step_by(parts));
            let mut merged = part(parts - 1);
            (0..parts - 1).for_each(|at| merged.merge(&part(at)));
            prop_assert_eq!(&merged, &whole, "{:?}", collects);
            prop_assert!(whole.is_of(list.len() as u64));
            let mut bytes = Vec::new();
            whole.put(&mut bytes);
            let mut input = Bytes(&bytes);
            prop_assert_eq!(Collection::take(collects, &mut input), Ok(whole));
            prop_assert!(input.0.is_empty());
        }
    }

    #[test]
    fn rows_are_those_at_the_end(list in events()) {
        let mut sorted = list.clone();
        sorted.sort_by_key(|event| (event.ts, event.position));
        let words = |events: &mut dyn Iterator<Item = &Event>| events.map(|event| event.word).collect::<Vec<_>>();
        let got = |collects| match collect(collects, &list) {
            Collection::Rows(rows) => rows.in_order().map(|row| row.word).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(got(Collects::FirstRows(3)), words(&mut sorted.iter().take(3)));
        prop_assert_eq!(got(Collects::LastRows(5)), words(&mut sorted.iter().rev().take(5)));
        let mut latest: Vec<i64> = Vec::new();
        sorted.iter().rev().for_each(|event| if !latest.contains(&event.word) { latest.push(event.word) });
        latest.truncate(4);
        prop_assert_eq!(got(Collects::LastDistinct(4)), latest);
        // What is kept of fewer is what fewer would have kept.
        let mut fewer = collect(Collects::LastRows(5), &list);
        fewer.keep(Collects::LastRows(2));
        prop_assert_eq!(fewer, collect(Collects::LastRows(2), &list));
    }

    #[test]
    fn a_percentile_is_near_its_number(list in events(), rank: prop::sample::Index) {
        prop_assume!(!list.is_empty());
        let mut numbers: Vec<i64> = list.iter().map(|event| event.word).collect();
        numbers.sort_unstable();
        let at = rank.index(numbers.len());
        let Collection::Quantiles(quantiles) = collect(Collects::Quantiles, &list) else { unreachable!() };
        let got = quantiles.at_rank(at as u64 + 1).unwrap();
        let distance = (i128::from(got) - i128::from(numbers[at])).unsigned_abs();
        let mut different = numbers.clone();
        different.dedup();
        if different.len() <= BUCKETS_MAX {
            prop_assert_eq!(distance, 0);
        }
        let octaves: std::collections::BTreeSet<_> =
            numbers.iter().map(|number| (number.signum(), number.unsigned_abs().leading_zeros())).collect();
        // With so many octaves each of them has at least so many buckets, but for the last doubling.
        let buckets = (BUCKETS_MAX / octaves.len().max(1)).max(2).next_power_of_two() as u128 / 2;
        prop_assert!(distance * buckets <= u128::from(numbers[at].unsigned_abs()), "{got} for {}", numbers[at]);
    }

    #[test]
    fn hostile_bytes_are_damaged_or_a_collection(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for collects in KINDS {
            let mut input = Bytes(&bytes);
            if let Ok(collection) = Collection::take(collects, &mut input) {
                let mut out = Vec::new();
                collection.put(&mut out);
                prop_assert_eq!(&out[..], &bytes[..bytes.len() - input.0.len()]);
            }
        }
    }
}

proptest! {
    /// What a plan says of collections is what they are: of many values, each with a text as long as can be.
    #[test]
    fn a_collection_is_not_larger_than_its_plan_says(list in events(), n in 1u8..=64, are_texts: bool) {
        let keeps = [
            Keeps::first_rows(n), Keeps::last_rows(n), Keeps::last_distinct(n), Keeps::DISTINCT, Keeps::QUANTILES, Keeps::CATEGORIES,
            Keeps::LEAST_ROW, Keeps::GREATEST_ROW,
        ];
        let long = |event: &Event| {
            let text = format!("{:>width$}", event.word, width = TEXT_BYTES_MAX);
            Event { word: text_word(&text), text: Some(text), ..event.clone() }
        };
        let list: Vec<Event> = match are_texts {
            true => list.iter().map(long).collect(),
            false => list.into_iter().map(|event| Event { text: None, ..event }).collect(),
        };
        for keeps in keeps {
            let collects = Collects::of(keeps).next().unwrap();
            let collection = collect(collects, &list);
            let bytes = collection.bytes() + size_of::<Collection>();
            prop_assert!(bytes as u64 <= keeps.collected_bytes_max(are_texts), "{:?}: {}", collects, bytes);
        }
    }
}

#[test]
fn different_values_are_counted_exactly_up_to_the_bound_and_closely_beyond() {
    let count = |n: i64| {
        let mut distinct = Distinct::default();
        (0..n).chain(0..n).for_each(|number| distinct.add(number * 7_919));
        distinct.count()
    };
    for n in [0, 1, 2, DISTINCT_EXACT_MAX as i64] {
        assert_eq!(count(n), n as u64);
    }
    for n in [DISTINCT_EXACT_MAX as i64 + 1, 1000, 10_000, 100_000, 1_000_000] {
        let error = (count(n) as f64 - n as f64).abs() / n as f64;
        assert!(error < 0.1, "{n}: {}", count(n));
    }
    // Over many counts the error is what the registers promise: 1.04 / sqrt(1024).
    let squares = (1..200).map(|times: i64| {
        let mut distinct = Distinct::default();
        (0..3000).for_each(|number| distinct.add(number + times * 1_000_003));
        (distinct.count() as f64 / 3000.0 - 1.0).powi(2)
    });
    let error = (squares.sum::<f64>() / 199.0).sqrt();
    assert!((0.026..0.039).contains(&error), "{error}");
}

#[test]
fn categories_beyond_the_bound_are_counted_together() {
    let event = |number: i64| Event { ts: 0, position: Position::default(), word: number, text: None };
    let of = |n: i64| match collect(Collects::Categories, &(0..n).chain(0..n).map(event).collect::<Vec<_>>()) {
        Collection::Categories(categories) => (categories.by_hash().len(), categories.other),
        other => panic!("{other:?}"),
    };
    assert_eq!(of(CATEGORIES_MAX as i64), (CATEGORIES_MAX, 0));
    assert_eq!(of(CATEGORIES_MAX as i64 + 3), (CATEGORIES_MAX, 6));
}
