//! The reference page of operators and windows. Knows no layout but Markdown's.

use std::fmt::Write as _;

use featuregrid_actors::aggregate::{collected_bytes_max, narrow_bytes};
use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{Argument, Items, Keeps, Operator};

use super::catalogue::{KINDS, cells};

/// What the page takes operators to read.
const NUMBERS: Items = Items::Numbers(Domain::Int);

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
        "\nFeatures that read the same events and numbers share what is kept: `mean` beside `sum` costs nothing. Bytes are of one tile\nwhile its counts fit 32 bits and its sums 64; beyond that a tile grows, and no sum ever overflows. With a number to read, a\ntile also counts those that are none. What is collected (rows, different values, a distribution, counts by value) is bounded by a\nrule that looks at the events alone; a text takes up to 128 bytes more for each value that is kept. `n` and `k` are at most 64,\nhere 3. Every operator is a function of the events alone, in whatever order they come.\n\n| kept | two tiles are merged by |\n|---|---|\n| how many | added |\n",
    );
    for (_, name, merged) in Keeps::NAMES {
        let _ = writeln!(page, "| {name} | {merged} |");
    }
    page.push_str("\n## Windows\n\n| window | written | holds at an instant `t` |\n|---|---|---|\n");
    for kind in KINDS {
        let _ = writeln!(page, "| {} | `{}` | {} |", kind.name, kind.written, kind.holds);
    }
    let cells = cells().count();
    let _ = writeln!(
        page,
        "\nEvery operator over every window, but `rate` over what has no length. `featuregrid ops --verify` asks a running node for each.\n\nops={} windows={} cells={cells}",
        Operator::ALL.len(),
        KINDS.len()
    );
    page
}

/// Its key, and that of its parameter.
fn written(operator: Operator) -> String {
    match operator.parameter() {
        Some((key, _)) => format!("`{}`, `{key}`", operator.name()),
        None => format!("`{}`", operator.name()),
    }
}

/// Of one tile: its cell in narrow form, and what is collected of numbers.
fn bytes(operator: Operator) -> String {
    let keeps = operator.keeps(NUMBERS);
    let cell = narrow_bytes(operator.argument() != Argument::Rows, keeps);
    match collected_bytes_max(NUMBERS, keeps) {
        0 => cell.to_string(),
        most => format!("{cell} + at most {most}"),
    }
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
