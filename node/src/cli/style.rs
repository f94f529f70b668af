//! Emphasis for people's terminals, and none for pipes, `NO_COLOR` or terminals that cannot. Knows no text.

use std::io::IsTerminal as _;

/// How standard output may be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) colours: bool,
    /// Whether what was printed can be printed over.
    pub(super) redraws: bool,
}

impl Style {
    /// Of standard output.
    pub(super) fn stdout() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let capable = std::io::stdout().is_terminal() && variable("TERM").is_none_or(|term| term != "dumb");
        Self { colours: capable && variable("NO_COLOR").is_none(), redraws: capable }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub(super) fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    pub(super) fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// `1234567` as `1,234,567`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    //! Numbers for people; plain text stays plain.
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let shown: Vec<String> = [0, 999, 1000, 20_000, 1_234_567].into_iter().map(thousands).collect();
        assert_eq!(shown, ["0", "999", "1,000", "20,000", "1,234,567"]);
    }

    #[test]
    fn a_pipe_gets_no_escapes() {
        let plain = Style { colours: false, redraws: false };
        assert_eq!((plain.bold("x"), plain.dim("y")), ("x".to_owned(), "y".to_owned()));
        assert_eq!(Style { colours: true, redraws: true }.bold("x"), "\x1b[1mx\x1b[0m");
    }
}
