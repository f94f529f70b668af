//! Percentiles and distinct counts: exact while there are few different numbers, and what is answered beyond.

use featuregrid_protocol::expression::{Type, read};
use featuregrid_protocol::ids::ColumnId;
use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{Items, Measure, Operator, Percent};
use featuregrid_protocol::value::{Reading, Value};

use super::plans::{amount, kind, plan, rows, vip};
use super::{AsOf, Log, count, noon, present, seconds};

/// Percentiles of the amount in five minutes.
fn log<const N: usize>(percents: [&str; N]) -> Log {
    let features = percents.map(|percent| (percentile(percent), 1, 300));
    Log::new(plan(&[(0, &features)], vec![rows(), amount()]))
}

fn percentile(percent: &str) -> Operator {
    Operator::Percentile(Percent::read(percent).unwrap())
}

/// After everything pushed, in hundredths.
fn read_all(log: &mut Log) -> Vec<i128> {
    let readings = log.read(0, &[1_000_000], "u", AsOf::At(noon(seconds(1)))).readings;
    let value = |reading: &Reading| match reading.value {
        Value::Decimal { unscaled, scale: 2 } => unscaled,
        ref other => panic!("{other}"),
    };
    readings.iter().map(value).collect()
}

/// An event for each of these hundredths, a microsecond apart.
fn amounts(log: &mut Log, from: i64, hundredths: impl IntoIterator<Item = i64>) {
    for (micros, hundredths) in (from..).zip(hundredths) {
        log.says(micros, &format!(r#""amount":{hundredths}e-2"#));
    }
}

#[test]
fn the_nearest_rank() {
    let mut log = log(["0.0001", "9.9999", "10", "10.0001", "50", "90", "95", "99.9999"]);
    // Not in order; and so often that ranks are seen to be of rows.
    amounts(&mut log, 0, [70, -30, 100, 20, 60, 10, 90, 40, 80, 50]);
    assert_eq!(read_all(&mut log), [-30, -30, -30, 10, 50, 90, 100, 100]);
    amounts(&mut log, 10, [7; 90]);
    assert_eq!(read_all(&mut log), [-30, 7, 7, 7, 7, 7, 50, 100]);
}

#[test]
fn the_257th_number_makes_buckets() {
    let mut log = log(["0.0001", "50", "99", "99.6", "99.9"]);
    amounts(&mut log, 0, 1..257);
    assert_eq!(read_all(&mut log), [1, 128, 254, 255, 256]);
    // Those that are there already make none.
    amounts(&mut log, 256, 1..257);
    assert_eq!(read_all(&mut log), [1, 128, 254, 255, 256]);
    // With 8 bits of precision 257 numbers have 257 buckets; with 7 the last two share one, whose middle is 256.
    amounts(&mut log, 512, [257, 257]);
    assert_eq!(read_all(&mut log), [1, 129, 255, 256, 256]);
}

#[test]
fn numbers_below_zero_have_buckets_of_their_own() {
    let mut log = log(["0.0001", "1", "50", "99", "99.9999"]);
    amounts(&mut log, 0, -128..128);
    assert_eq!(read_all(&mut log), [-128, -126, -1, 125, 127]);
    // 257 numbers. With 6 bits, 64 to 127 stand alone and so do 128 and -128: as many. With 5, two of 64 to 127 share a
    // bucket, and 128 shares one with 129, 130 and 131: its middle is 129.
    amounts(&mut log, 256, [128]);
    assert_eq!(read_all(&mut log), [-129, -126, 0, 126, 129]);
}

#[test]
fn the_ends_of_the_range() {
    let mut log = log(["0.0001", "25", "50", "75", "99.9999"]);
    amounts(&mut log, 0, [i64::MAX, 0, i64::MIN, -1, 1]);
    let (least, most) = (i128::from(i64::MIN), i128::from(i64::MAX));
    assert_eq!(read_all(&mut log), [least, -1, 0, 1, most]);
    // With 6 bits: 1 to 127 alone, 64 pairs, and 256 in one of four; the bucket of the largest begins at 127 x 2^56, and
    // the middle of that of the smallest is out of range.
    amounts(&mut log, 5, 2..257);
    let middle = (127 << 56) + (1 << 55) - 1;
    assert_eq!(read_all(&mut log), [least, 62, 127, 192, middle]);
}

#[test]
fn buckets_are_those_of_the_window() {
    let list = [(percentile("99.9"), 1, 300), (percentile("99.9"), 1, 0), (Operator::Median, 1, 300)];
    let mut log = Log::new(plan(&[(0, &list)], vec![rows(), amount()]));
    amounts(&mut log, 0, [256]);
    amounts(&mut log, seconds(400), (1..256).chain([257]));
    let readings = log.read(0, &[u64::MAX], "u", AsOf::At(noon(seconds(401)))).readings;
    let cents = |unscaled| present(Value::Decimal { unscaled, scale: 2 });
    assert_eq!(readings, [cents(257), cents(256), cents(128)]);
}

#[test]
fn different_numbers_are_counted_to_128_and_then_estimated() {
    let list = [(Operator::DistinctCount, 1, 300), (Operator::Count, 1, 300)];
    let mut log = Log::new(plan(&[(0, &list)], vec![rows(), amount()]));
    let mut read = |micros, hundredths: std::ops::Range<i64>| {
        amounts(&mut log, micros, hundredths);
        log.read(0, &[1_000_000], "u", AsOf::At(noon(seconds(1)))).readings
    };
    assert_eq!(read(0, -128..0), [count(128), count(128)]);
    assert_eq!(read(128, -128..0), [count(128), count(256)]);
    // An estimate by another program.
    assert_eq!(read(256, -129..-128), [count(128), count(257)]);
    assert_eq!(read(257, -200..-129), [count(195), count(328)]);
}

#[test]
fn of_texts_hashes_are_counted_and_of_truths_both() {
    let hash =
        read("hash(type, 9223372036854775807)", &[("", Type::Text), ("", Type::Text), ("type", Type::Text)], true);
    let hash = Measure {
        id: ColumnId(9),
        filter: None,
        value: Some((hash.unwrap(), Items::Numbers(Domain::Int))),
        rank: None,
    };
    let list = [1, 2, 3].map(|column| (Operator::DistinctCount, column, 300));
    let mut log = Log::new(plan(&[(0, &list)], vec![rows(), hash, vip(), kind()]));
    for (micros, rest) in
        (0..).zip([r#""a","vip":true"#, r#""b","vip":true"#, r#""a","vip":false"#, r#""","vip":null"#])
    {
        log.says(micros, &format!(r#""type":{rest}"#));
    }
    let readings = log.read(0, &[1000], "u", AsOf::At(noon(seconds(1)))).readings;
    assert_eq!(readings, [count(3), count(2), count(3)]);
}
