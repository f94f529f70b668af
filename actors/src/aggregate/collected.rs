//! From a collection to the value of a feature. Knows no window and no default.

use featuregrid_protocol::plan::{Items, Operator};
use featuregrid_protocol::value::{Counts, Value};

use super::anomaly;
use super::answer::item;
use super::collection::{Categories, Category, Collection};
use super::moments::Moments;
use super::ratio;

/// There were more different values than are counted one by one: what is known all the same, or null.
#[derive(Debug, PartialEq)]
pub(super) struct Overflow(pub(super) Value);

/// The value of `n` rows that were collected so.
pub(super) fn value(operator: Operator, items: Items, n: u64, collected: &Collection) -> Result<Value, Overflow> {
    let of = |word, text: &Option<Box<str>>| match text {
        Some(text) => Value::Text(text.clone()),
        None => item(word, items),
    };
    match collected {
        Collection::Rows(rows) => {
            let mut values = rows.in_order().map(|row| of(row.word, &row.text));
            Ok(match operator {
                Operator::First | Operator::Last => values.next().unwrap_or(Value::Null),
                Operator::MinBy | Operator::MaxBy => {
                    let label = rows.in_order().next().and_then(|row| row.text.as_deref());
                    label.map_or(Value::Null, |label| labelled(label, items))
                }
                Operator::FirstN(most) | Operator::LastN(most) | Operator::LastNDistinct(most) => {
                    Value::List(values.take(most.into()).collect())
                }
                _ => Value::Null,
            })
        }
        Collection::Distinct(distinct) => Ok(Value::Int(distinct.count().into())),
        Collection::Quantiles(quantiles) => {
            let percent = if let Operator::Percentile(percent) = operator { percent } else { Operator::HALF };
            Ok(quantiles.at_rank(percent.rank(n)).filter(|_| n > 0).map_or(Value::Null, |number| item(number, items)))
        }
        Collection::Categories(categories) => {
            categorical(operator, n, categories, |category| of(category.word, &category.text))
        }
    }
}

/// The value that stands beside a rank.
fn labelled(label: &str, items: Items) -> Value {
    match items {
        Items::Texts => Value::Text(label.into()),
        Items::Numbers(_) | Items::Truths => label.parse().map_or(Value::Null, |word| item(word, items)),
    }
}

/// How many of `n` rows are anomalies beside a baseline, or which part of them; null where that tells nothing.
pub(super) fn anomalies(operator: Operator, n: u64, collected: &Collection, baseline: &Moments) -> Value {
    let (Collection::Quantiles(numbers), Some(told)) = (collected, operator.baseline()) else { return Value::Null };
    match (operator, anomaly::count(numbers, baseline, told.sigmas)) {
        (Operator::AnomalyCount(_), Some(count)) => Value::Int(count.into()),
        (Operator::AnomalyRate(_), Some(count)) if n > 0 => Value::Float(part(count, n)),
        _ => Value::Null,
    }
}

fn categorical(
    operator: Operator,
    n: u64,
    categories: &Categories,
    of: impl Fn(&Category) -> Value,
) -> Result<Value, Overflow> {
    let by_frequency = categories.by_frequency();
    if operator == Operator::Histogram {
        let values = by_frequency.into_iter().map(|category| (of(category), category.n)).collect();
        let counts = Value::Counts(Box::new(Counts { values, other: categories.other }));
        return if categories.other > 0 { Err(Overflow(counts)) } else { Ok(counts) };
    }
    if categories.other > 0 {
        return Err(Overflow(Value::Null));
    }
    let share = |category: &&Category| Value::Float(part(category.n, n));
    let first = by_frequency.first();
    Ok(match operator {
        Operator::Mode => first.map_or(Value::Null, |category| of(category)),
        Operator::ModeShare => first.map_or(Value::Null, share),
        Operator::TopK(most) => Value::List(by_frequency.into_iter().take(most.into()).map(of).collect()),
        Operator::TopKShare(most) => Value::List(by_frequency.iter().take(most.into()).map(share).collect()),
        Operator::Entropy if n > 0 => Value::Float(entropy(categories, n)),
        _ => Value::Null,
    })
}

/// Of at least one row; what each category has to say is added up in order of hash, so that every node adds the same.
fn entropy(categories: &Categories, n: u64) -> f64 {
    let surprise = |category: &Category| {
        let part = part(category.n, n);
        part * libm::log(part)
    };
    let sum = categories.by_hash().iter().fold(0.0, |sum, category| sum - surprise(category));
    // One category says nothing; its logarithm may be minus zero.
    if sum > 0.0 { sum } else { 0.0 }
}

fn part(count: u64, n: u64) -> f64 {
    ratio::nearest(count.into(), n.into())
}
