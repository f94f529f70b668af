//! The reference page of operators and windows. Knows no layout but Markdown's.

use std::fmt::Write as _;

use featuregrid_actors::aggregate::narrow_bytes;
use featuregrid_protocol::plan::{Argument, Keeps, Operator};

use super::catalogue::{KINDS, cells};

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
        };
        let kept = Keeps::NAMES.iter().filter(|(what, ..)| operator.keeps().has(*what)).map(|(_, name, _)| *name);
        let kept: Vec<&str> = std::iter::once("how many").chain(kept).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| `{}` | {reads} | {} | {} | {} | {} | {} |",
            operator.name(),
            told.answers,
            told.empty,
            kept.join(", "),
            narrow_bytes(operator.argument() == Argument::Number, operator.keeps()),
            told.error
        );
    }
    page.push_str(
        "\nFeatures that read the same events and numbers share what is kept: `mean` beside `sum` costs nothing. Bytes are of one tile\nwhile its counts fit 32 bits and its sums 64; beyond that a tile grows, and no sum ever overflows. With a number to read, a\ntile also counts those that are none. Every operator is a function of the events alone, in whatever order they come.\n\n| kept | two tiles are merged by |\n|---|---|\n| how many | added |\n",
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

#[cfg(test)]
mod tests {
    //! The page in the repository is the one that is written.

    #[test]
    fn the_page_is_current() {
        let kept = include_str!("../../../protocol/OPERATORS.md");
        assert!(kept == super::markdown(), "run: featuregrid ops --markdown > protocol/OPERATORS.md");
    }
}
