//! The reference page of operators and windows. Knows no layout but Markdown's.

use std::fmt::Write as _;

use featuregrid_actors::aggregate::narrow_bytes;
use featuregrid_protocol::limits::{INSTANT_STEP, TILES_MAX};
use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{Argument, Calendar, Items, Keeps, LadderPlan, Level, Operator, Unit, Window};
use featuregrid_protocol::time::Span;

use super::catalogue::{KINDS, cells};

/// What the page takes operators to read.
const NUMBERS: Items = Items::Numbers(Domain::Int);
/// Zones whose midnights are multiples of a day, an hour, a half and a quarter.
const PLACES: [&str; 4] = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu"];

/// The whole page; its last line counts.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Operators and windows\n\nWritten by `featuregrid ops --markdown` from the registry that the code runs by; a test compares both. What the words mean\nexactly: [SEMANTICS.md](SEMANTICS.md).\n\n## Operators\n\n| operator | reads | answers | of nothing | keeps of a tile | bytes | exactness |\n|---|---|---|---|---|---|---|\n",
    );
    for operator in Operator::ALL {
        let told = operator.describe();
        let reads = match operator.argument() {
            Argument::Rows => "events",
            Argument::Number => "a number",
            Argument::Truth => "true or false",
            Argument::Any => "a number, text, true or false",
        };
        let keeps = operator.keeps(NUMBERS);
        let kept = Keeps::NAMES.iter().filter(|(what, ..)| keeps.has(*what)).map(|(_, name, _)| *name);
        let kept: Vec<&str> = std::iter::once("how many").chain(kept).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| {} | {reads} | {} | {} | {} | {} | {} |",
            written(operator),
            told.answers,
            told.empty,
            kept.join(", "),
            bytes(operator),
            told.error
        );
    }
    page.push_str(
        "\nFeatures that read the same events and numbers share what is kept: `mean` beside `sum` costs nothing. Bytes are of one tile\nwhile its counts fit 32 bits and its sums 64; beyond that a tile grows, and no sum ever overflows. With a number to read, a\ntile also counts those that are none. What is collected (rows, different values, a distribution, counts by value) is bounded by a\nrule that looks at the events alone; a text takes up to 128 bytes more for each value that is kept. `n` and `k` are at most 64,\nhere 3. A `baseline` is a window or, for example, `decay 1h`; here it is a window. Every operator is a function of the events\nalone, in whatever order they come.\n\n| kept | two tiles are merged by |\n|---|---|\n| how many | added |\n",
    );
    for (_, name, merged) in Keeps::NAMES {
        let _ = writeln!(page, "| {name} | {merged} |");
    }
    page.push_str("\n## Windows\n\n| window | written | holds at an instant `t` |\n|---|---|---|\n");
    for kind in KINDS {
        let _ = writeln!(page, "| {} | `{}` | {} |", kind.name, kind.written, kind.holds);
    }
    page.push_str(&tiles());
    let cells = cells().count();
    let _ = writeln!(
        page,
        "\nEvery operator over every window, but `rate` over lifetime, sessions, the last events and the calendar, which have no\nlength, those that decay over a half-life alone, anomalies, which are not exact, and `min_by` and `max_by`, which compare all events of a\ntime. Over the last events every operator keeps these of a tile, whatever it answers. `featuregrid ops --verify` asks a running node for each.\n\nops={} windows={} cells={cells}",
        Operator::ALL.len(),
        KINDS.len()
    );
    page
}

/// Its key, and that of its parameter.
fn written(operator: Operator) -> String {
    let by = operator.is_ranked().then_some("by");
    match operator.parameter().map(|(key, _)| key).or(by) {
        Some(key) if operator.baseline().is_some() => format!("`{}`, `{key}`, `baseline`", operator.name()),
        Some(key) => format!("`{}`, `{key}`", operator.name()),
        None => format!("`{}`", operator.name()),
    }
}

/// Of one tile: its cell in narrow form, and what is collected of numbers.
fn bytes(operator: Operator) -> String {
    let keeps = operator.keeps(NUMBERS);
    let cell = narrow_bytes(operator.argument() != Argument::Rows, keeps);
    match keeps.collected_bytes_max(operator.is_ranked()) {
        0 => cell.to_string(),
        most => format!("{cell} + at most {most}"),
    }
}

/// Of units of the calendar: what they are made of, and how many of it.
fn tiles() -> String {
    let mut text = String::from(
        "\nEdges lie between tiles: a rolling window's on its hop, those of the others on their length or their `every`, the calendar's on\nwhat midnights of the zone are multiples of; a session is told from tiles no longer than its gap. An entity keeps a tile for each of these pieces in which it has events, however\nmany. Inside of a tile lies the edge of an exact window alone: its tiles, a ladder of their own, keep up to 256 events each as they\nare. The most tiles of a unit of the calendar, which without a zone is UTC's:\n\n| zone | a tile is | hour | day | week | month | month, the last |\n|---|---|---|---|---|---|---|\n",
    );
    for place in PLACES {
        let tile = |unit| Calendar::new(unit, place).map(|calendar| calendar.hop.to_string()).unwrap_or_default();
        let most = |unit, is_complete| {
            let tail = Window::Calendar { calendar: Calendar::new(unit, place)?, is_complete }.tail()?;
            // The finer level holds the slack.
            let levels = vec![Level { hop: INSTANT_STEP, span: Span(0) }, tail];
            let tiles =
                LadderPlan { levels, lifetime: false, exact: false, columns: Vec::new() }.tiles_max(Span(0)).last()?;
            Some(if tiles > TILES_MAX as i64 { format!("{tiles}, refused") } else { tiles.to_string() })
        };
        let current = Unit::ALL.map(|unit| most(unit, false).unwrap_or_default());
        let last = most(Unit::Month, true).unwrap_or_default();
        let (hour, day) = (tile(Unit::Hour), tile(Unit::Day));
        let tile = if hour == day { day } else { format!("{day}; of hours {hour}") };
        let _ = writeln!(text, "| {place} | {tile} | {} | {last} |", current.join(" | "));
    }
    let _ = writeln!(
        text,
        "\nAt most {TILES_MAX} tiles are possible in all; `featuregrid validate` prints those of a view, and its bytes."
    );
    text
}

#[cfg(test)]
mod tests {
    //! The page in the repository is the one that is written.

    #[test]
    fn the_page_is_current() {
        let kept = include_str!("../../../protocol/OPERATORS.md");
        assert!(kept == super::markdown(), "run: featuregrid ops --markdown > protocol/OPERATORS.md");
    }
}
