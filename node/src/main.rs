//! The binary `featuregrid`.

fn main() {}
