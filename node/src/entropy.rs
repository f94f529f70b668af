//! Random bytes from the operating system. Knows no generator: nothing here needs many.

/// Sixteen random bytes; where the system has none, the clock and the process id, which differ between two lives.
#[must_use]
pub fn bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        let now = crate::clock::wall().0 as u128;
        bytes = (now << 32 | u128::from(std::process::id())).to_le_bytes();
    }
    bytes
}

/// A random number.
#[must_use]
pub fn number() -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
