//! `featuregrid sim` without the rest of the node: `cargo run -p featuregrid-simulations --example sim -- list`.

use std::process::ExitCode;

fn main() -> ExitCode {
    featuregrid_simulations::cli::run(std::env::args_os())
}
