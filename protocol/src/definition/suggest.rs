//! Which known name a misspelt one may have meant. Knows no definitions.

use super::mistake::quoted;
use crate::time::zone;

/// Names compared: beyond so many, a person looks them up.
const COMPARED_MAX: usize = 256;
/// Names listed when none is near.
const LISTED_MAX: usize = 12;
/// Characters compared: nearness of longer names is not worth the time.
const COMPARED_CHARS_MAX: usize = 64;

/// "did you mean ..." or, where nothing is near, what there is.
pub(super) fn advice<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    let known: Vec<&str> = known.into_iter().take(COMPARED_MAX).collect();
    match near(given, known.iter().copied()) {
        Some(name) => format!("did you mean {}?", quoted(name)),
        None if !known.is_empty() => {
            let listed: Vec<String> = known.iter().take(LISTED_MAX).map(|name| quoted(name)).collect();
            let more = if known.len() > LISTED_MAX { ", ..." } else { "" };
            format!("there is {}{more}", listed.join(", "))
        }
        None => "there is none yet".to_owned(),
    }
}

/// What to write instead of a name that no time zone has.
pub(crate) fn zone(given: &str) -> String {
    match near(given, zone::names().iter().map(String::as_str)) {
        Some(name) => format!("did you mean {}?", quoted(name)),
        None => "write its name in the IANA database, for example Europe/Berlin".to_owned(),
    }
}

/// The known name that a misspelt one may have meant, if one is near.
#[must_use]
pub fn near<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let tolerated = (given.chars().count() / 3).clamp(1, 3);
    let nearest = known.into_iter().map(|name| (distance(given, name), name)).min_by_key(|(distance, _)| *distance);
    nearest.filter(|(distance, _)| *distance <= tolerated).map(|(_, name)| name)
}

/// Insertions, deletions, replacements and swaps of neighbours that make one of the other, capitals aside.
fn distance(left: &str, right: &str) -> usize {
    let letters =
        |text: &str| -> Vec<char> { text.chars().take(COMPARED_CHARS_MAX).flat_map(char::to_lowercase).collect() };
    let (left, right) = (letters(left), letters(right));
    let mut rows = [Vec::new(), (0..=right.len()).collect::<Vec<usize>>()];
    for (at, letter) in left.iter().enumerate() {
        let mut row = vec![at + 1];
        for (to, other) in right.iter().enumerate() {
            let mut cost = (rows[1][to] + usize::from(letter != other)).min(rows[1][to + 1] + 1).min(row[to] + 1);
            if at > 0 && to > 0 && *letter == right[to - 1] && left[at - 1] == *other {
                cost = cost.min(rows[0][to - 1] + 1);
            }
            row.push(cost);
        }
        rows.swap(0, 1);
        rows[1] = row;
    }
    rows[1][right.len()]
}

#[cfg(test)]
mod tests {
    //! Slips of the finger are near, other words are not.
    use super::*;

    #[test]
    fn near_names_are_suggested() {
        assert_eq!(advice("jsonn", ["json"]), "did you mean `json`?");
        assert_eq!(advice("usr", ["card", "user"]), "did you mean `user`?");
        assert_eq!(advice("amuont", ["count", "amount"]), "did you mean `amount`?");
        assert_eq!(advice("xyz", ["card", "user"]), "there is `card`, `user`");
        assert_eq!(advice("xyz", []), "there is none yet");
        assert_eq!(zone("Europe/Berlni"), "did you mean `Europe/Berlin`?");
        assert_eq!(zone("Mars"), "write its name in the IANA database, for example Europe/Berlin");
    }
}
