//! Escaped surrogates stand in pairs, or a text means nothing. Knows no field.

/// Whether every `\ud800` to `\udbff` in valid JSON is followed by one of `\udc00` to `\udfff`, and none of those stands
/// alone. What is not valid JSON may answer either way.
pub(super) fn are_paired(json: &str) -> bool {
    let bytes = json.as_bytes();
    let mut at = 0;
    while let Some(step) = bytes[at..].iter().position(|byte| *byte == b'\\') {
        at += step;
        match unit(bytes, at) {
            Some(0xd800..0xdc00) => match unit(bytes, at + 6) {
                Some(0xdc00..0xe000) => at += 12,
                _ => return false,
            },
            Some(0xdc00..0xe000) => return false,
            Some(_) => at += 6,
            None => at += 2,
        }
        if at >= bytes.len() {
            break;
        }
    }
    true
}

/// The code unit escaped at `at`.
fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
}
