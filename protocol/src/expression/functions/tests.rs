//! The page of semantics has every function as it is.

use super::*;

const PAGE: &str = include_str!("../../../EXPRESSIONS.md");

#[test]
fn the_page_lists_every_function() {
    let table = markdown();
    assert!(PAGE.contains(&table), "protocol/EXPRESSIONS.md needs this table:\n\n{table}");
}
