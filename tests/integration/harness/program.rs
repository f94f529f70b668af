//! Runs the binary as a user would and keeps what it printed. Knows no command.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// What a finished run left behind.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A run that goes on; killed when the test ends.
pub(crate) struct Program(Child);

/// The binary beside the test's own: `cargo build` makes it, no test does.
fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let profile = test.ancestors().nth(2).expect("tests stand in target/PROFILE/deps");
    let binary = profile.join("featuregrid");
    assert!(binary.exists(), "{} is missing: run `cargo build --features plants` first", binary.display());
    binary
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).stdin(Stdio::null());
    command
}

impl Run {
    /// Runs to the end.
    pub(crate) fn of(arguments: &[&str]) -> Self {
        Self::within(&[], arguments)
    }

    /// Runs to the end, with these variables in its environment.
    pub(crate) fn within(environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let output = command(arguments).envs(environment.iter().copied()).output().expect("the binary starts");
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The JSON object on the last line; the run must have ended well.
    pub(crate) fn report(&self) -> Value {
        assert_eq!(self.code, Some(0), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self.last_line()
    }

    /// The JSON object on the last line, however the run ended.
    pub(crate) fn last_line(&self) -> Value {
        let line = self.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\nstderr: {}", self.stderr))
    }
}

impl Program {
    /// Starts and goes on; its output is the test's.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self(command(arguments).stdout(Stdio::null()).spawn().expect("the binary starts"))
    }

    /// Starts and goes on, with these variables in its environment.
    pub(crate) fn within(environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut command = command(arguments);
        Self(command.envs(environment.iter().copied()).stdout(Stdio::null()).spawn().expect("the binary starts"))
    }

    /// Starts with log lines of this filter in a file.
    pub(crate) fn logged(arguments: &[&str], filter: &str, file: &str) -> Self {
        let lines = std::fs::File::create(file).expect("the log file can be made");
        let mut command = command(arguments);
        command.env("FEATUREGRID_LOG", filter).stdout(Stdio::null()).stderr(lines);
        Self(command.spawn().expect("the binary starts"))
    }

    /// As a crash or an out-of-memory kill would.
    pub(crate) fn kill_9(mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it ends");
    }

    /// As Kubernetes would: SIGTERM; the exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let ended = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().expect("kill starts");
        assert!(ended.success(), "it runs");
        self.0.wait().expect("it ends").code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Already gone after kill_9 or terminate: then this does nothing.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
