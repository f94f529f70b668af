//! The proof of how large an entity can get, part by part, beside what it was held against. Knows no file.

use featuregrid_protocol::limits::{ENTITY_BYTES_MAX, ID_BYTES_MAX, ID_OFFSETS_MAX};
use featuregrid_protocol::plan::{LargestPage, Plan, ViewPlan};
use serde_json::{Value as Json, json};

use crate::cli::output::table;

/// Of one view.
pub(super) fn as_json(plan: &Plan, view: &ViewPlan) -> Json {
    let (source, largest) = (plan.source_of(view), plan.largest_entity(view));
    let page = |page: &LargestPage| {
        let levels = page.levels.iter().map(
            |(level, tiles)| json!({"hop": level.hop.to_string(), "span": level.span.to_string(), "tiles_max": tiles}),
        );
        json!({
            "levels": levels.collect::<Json>(), "bytes_per_tile": page.tile_bytes, "rows_per_tile_max": page.tile_rows,
            "lifetime_bytes": page.lifetime_bytes,
            "raw_rows_max": page.rows, "bytes_per_raw_row": page.row_bytes, "head_bytes": page.head_bytes,
            "bytes_per_position": page.position_bytes, "bytes": page.bytes(),
        })
    };
    // They stand beside the entities, and are bounded for all of them together.
    let ids = source.event_id.is_some().then(|| {
        let known_for = source.ids_known_for().to_string();
        json!({"bytes_per_id": ID_BYTES_MAX, "per_partition_max": ID_OFFSETS_MAX, "known_for": known_for})
    });
    json!({
        "ladders": largest.pages.iter().map(page).collect::<Json>(), "event_ids": ids, "bytes": largest.bytes(),
        "max_entity_bytes": ENTITY_BYTES_MAX,
    })
}

/// Of every view.
pub(super) fn show(plan: &Plan) {
    let rows: Vec<Vec<String>> = plan.views.iter().flat_map(|view| rows(plan, view)).collect();
    table(&["view", "largest entity", "at most", "bytes each", "bytes"], &rows);
}

fn rows(plan: &Plan, view: &ViewPlan) -> Vec<Vec<String>> {
    let largest = plan.largest_entity(view);
    let mut parts: Vec<(String, u64, u64)> = Vec::new();
    for (at, page) in largest.pages.iter().enumerate() {
        let ladder = if largest.pages.len() == 1 { String::new() } else { format!(", ladder {}", at + 1) };
        let mut part = |name: &str, most, each| parts.push((format!("{name}{ladder}"), most, each));
        for (level, tiles) in &page.levels {
            part(&format!("tiles of {}", level.hop), *tiles, page.tile_bytes);
        }
        if page.lifetime_bytes > 0 {
            part("lifetime", 1, page.lifetime_bytes);
        }
        part("raw rows", page.rows, page.row_bytes);
        part("head and key", 1, page.head_bytes);
        part("positions, one partition", 1, page.position_bytes);
    }
    let row = |part: &str, [most, each, bytes]: [Option<u64>; 3]| {
        let number = |number: Option<u64>| number.map_or(String::new(), |number| number.to_string());
        vec![view.name.clone(), part.to_owned(), number(most), number(each), number(bytes)]
    };
    let of_part = |(name, most, each): &(String, u64, u64)| row(name, [Some(*most), Some(*each), Some(most * each)]);
    let mut rows: Vec<Vec<String>> = parts.iter().map(of_part).collect();
    rows.push(row("sum", [None, None, Some(largest.bytes())]));
    rows.push(row("limit", [None, None, Some(ENTITY_BYTES_MAX)]));
    if plan.source_of(view).event_id.is_some() {
        rows.push(row("apart: event ids of a partition", [Some(ID_OFFSETS_MAX), Some(ID_BYTES_MAX), None]));
    }
    rows
}

#[cfg(test)]
mod tests {
    //! The parts add up to the sum, in both forms.
    use featuregrid_protocol::definition;
    use featuregrid_protocol::ids::ControlIndex;

    use super::*;

    const PUSH: &str = include_str!("../../../../tests/accept/push.yaml");

    #[test]
    fn the_parts_are_the_sum() {
        let longer = PUSH.replacen("windows: [", "windows: [lifetime, 30d, ", 1);
        let old = definition::compile(PUSH, "push.yaml", None, ControlIndex(0)).unwrap();
        let new = definition::compile(&longer, "push.yaml", Some(&old), ControlIndex(1)).unwrap();
        for (plan, ladders) in [(&old, 1), (&new, 2)] {
            let view = &plan.views[0];
            let bytes = plan.largest_entity(view).bytes();
            let rows = rows(plan, view);
            let sum = rows.iter().position(|row| row[1] == "sum").unwrap();
            let parts = rows[..sum].iter().map(|row| row[4].parse::<u64>().unwrap());
            assert_eq!((parts.sum::<u64>(), rows[sum][4].parse()), (bytes, Ok(bytes)));

            let told = as_json(plan, view);
            assert_eq!(told["ladders"].as_array().map(Vec::len), Some(ladders));
            let number = |page: &Json, key: &str| page[key].as_u64().unwrap();
            let page = |page: &Json| {
                let tiles: u64 =
                    page["levels"].as_array().unwrap().iter().map(|level| number(level, "tiles_max")).sum();
                let rows = number(page, "raw_rows_max") * number(page, "bytes_per_raw_row");
                let rest = ["lifetime_bytes", "head_bytes", "bytes_per_position"].map(|key| number(page, key));
                tiles * number(page, "bytes_per_tile") + rows + rest.iter().sum::<u64>()
            };
            assert_eq!(told["ladders"].as_array().unwrap().iter().map(page).sum::<u64>(), number(&told, "bytes"));
            assert!(number(&told, "bytes") <= number(&told, "max_entity_bytes"));
            assert_eq!(number(&told["event_ids"], "bytes_per_id"), ID_BYTES_MAX);
        }
    }
}
