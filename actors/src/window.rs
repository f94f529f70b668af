//! The tile ladder: which rows a window sees at an instant, with bounded memory. Knows no key.
