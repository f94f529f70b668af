//! The answers of the grid as the wire has them, column by column. Knows no call.

use std::sync::Arc;

use featuregrid_actors::shard::Selection;
use featuregrid_protocol::plan::ServiceResult;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::value::{Edge, Reading, Status, Value};
use featuregrid_protocol::wire::v1;
use featuregrid_protocol::wire::v1::feature_column::Values;

use super::encode;
use super::wanted::Wanted;
use crate::assemble::Node;
use crate::grid::Answer;

/// What is wanted, of `answers` to `selections`.
pub(super) fn response(
    node: &Node,
    wanted: &Wanted,
    selections: &[Selection],
    answers: &[Vec<Answer>],
) -> v1::GetFeaturesResponse {
    let plan = node.grid.plan();
    let places = wanted.results.iter().filter_map(|ServiceResult { view, result }| {
        let selection = selections.iter().position(|selection| selection.view == *view)?;
        Some((selection, selections[selection].place(*result)?, plan.views[*view].results().nth(*result)?))
    });
    let places: Vec<(usize, usize, &str)> = places.collect();
    let mut columns: Vec<Column> = places.iter().map(|_| Column::with_capacity(answers.len())).collect();
    // Entity by entity, as the answers lie in memory: another core has just written them.
    for views in answers {
        for ((selection, place, _), column) in places.iter().zip(&mut columns) {
            let reading = &views[*selection].0;
            column.push(&reading.readings[*place], reading.edge);
        }
    }
    let features = places.into_iter().zip(columns).map(|((selection, _, feature), column)| {
        let view = selections[selection].view;
        node.metrics.answered(view, column.counts);
        v1::FeatureColumn {
            view: plan.views[view].name.clone(),
            feature: feature.to_owned(),
            values: Values::of(column.values.iter()),
            statuses: one_for_all(column.statuses),
            flags: one_for_all(column.flags),
        }
    });
    let features = features.collect();
    let mut tokens = Tokens::default();
    let mut columns = Vec::new();
    for (column, Selection { view, .. }) in selections.iter().enumerate() {
        let readings = || answers.iter().map(|views| &views[column].0);
        columns.push(v1::ViewColumn {
            view: plan.views[*view].name.clone(),
            effective_instants_micros: readings().map(|reading| reading.instant.0).collect(),
            newest_events_micros: readings().map(|reading| reading.newest_event.unwrap_or(Timestamp::MIN).0).collect(),
            epochs: readings().map(|reading| node.epochs.get(&reading.range).map_or(0, |epoch| epoch.0)).collect(),
            tokens: answers.iter().map(|views| tokens.place(&views[column].1)).collect(),
        });
    }
    v1::GetFeaturesResponse { features, views: columns, control_index: plan.index.0, tokens: tokens.wire() }
}

/// One feature of the entities so far.
struct Column {
    values: Vec<Value>,
    statuses: Vec<i32>,
    flags: Vec<u32>,
    /// By status.
    counts: [u64; Status::ALL.len()],
}

impl Column {
    fn with_capacity(entities: usize) -> Self {
        let (values, counts) = (Vec::with_capacity(entities), [0; Status::ALL.len()]);
        Self { values, statuses: Vec::with_capacity(entities), flags: Vec::with_capacity(entities), counts }
    }

    fn push(&mut self, reading: &Reading, edge: Edge) {
        self.values.push(reading.value.clone());
        self.statuses.push(encode::status(reading.status).into());
        self.flags.push(encode::flags(reading, edge));
        self.counts[reading.status as usize] += 1;
    }
}

/// A list of which all items are equal is a list of one.
fn one_for_all<T: PartialEq>(mut items: Vec<T>) -> Vec<T> {
    if items.windows(2).all(|pair| pair[0] == pair[1]) {
        items.truncate(1);
    }
    items
}

/// The tokens of a reply, each once: ranges that stand together share one.
#[derive(Default)]
struct Tokens<'a>(Vec<&'a Arc<OffsetVector>>);

impl<'a> Tokens<'a> {
    /// The place of `token`. Askers are answered range by range, so its neighbours are looked at first.
    fn place(&mut self, token: &'a Arc<OffsetVector>) -> u32 {
        let same = |known: &&Arc<OffsetVector>| Arc::ptr_eq(known, token) || ***known == **token;
        let place = self.0.iter().rposition(same).unwrap_or_else(|| {
            self.0.push(token);
            self.0.len() - 1
        });
        place as u32
    }

    fn wire(self) -> Vec<v1::Token> {
        self.0.into_iter().map(|token| encode::token(token)).collect()
    }
}

#[cfg(test)]
mod tests {
    //! Equal tokens travel once.
    use featuregrid_protocol::ids::PartitionId;

    use super::*;

    #[test]
    fn equal_tokens_have_one_place() {
        let token = |next| Arc::new(OffsetVector([(PartitionId(0), next)].into()));
        let (one, same, other) = (token(1), token(1), token(2));
        let mut tokens = Tokens::default();
        assert_eq!([&one, &other, &same, &other].map(|token| tokens.place(token)), [0, 1, 0, 1]);
        assert_eq!(tokens.wire(), [encode::token(&one), encode::token(&other)]);
    }
}
