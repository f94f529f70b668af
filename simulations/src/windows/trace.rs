//! The hash of everything that a run drew and read, in order. Knows no meaning of it.

use std::fmt::{self, Write as _};

use featuregrid_oracle::Answer;
use featuregrid_protocol::plan::Plan;
use xxhash_rust::xxh3::Xxh3;

use super::log::Step;

/// A hash under way.
#[derive(Clone, Default)]
pub(super) struct Trace(Xxh3);

impl Trace {
    /// Definitions.
    pub(super) fn plan(&mut self, plan: &Plan) {
        self.text(format_args!("{plan:?}"));
    }

    /// A record.
    pub(super) fn step(&mut self, step: &Step) {
        let Step { partition, ref record, drawn } = *step;
        self.numbers([u64::from(partition.0), record.offset, record.log_timestamp.0 as u64, drawn.0 as u64]);
        let payload = record.payload.as_deref().unwrap_or_default();
        self.numbers([u64::from(record.admit), u64::from(record.payload.is_some()), payload.len() as u64]);
        self.0.update(payload);
    }

    /// What was asked and what was answered.
    pub(super) fn read(&mut self, key: &[u8], asked: fmt::Arguments<'_>, answer: &Answer) {
        self.numbers([key.len() as u64]);
        self.0.update(key);
        self.text(asked);
        self.numbers([answer.instant.0 as u64, answer.edge as u64, answer.readings.len() as u64]);
        for reading in &answer.readings {
            let flags = u64::from(reading.inexact_input) | u64::from(reading.partial_coverage) << 1;
            self.numbers([reading.status as u64, flags]);
            self.text(format_args!("{}", reading.value));
        }
    }

    /// Numbers that came of it.
    pub(super) fn numbers<const N: usize>(&mut self, numbers: [u64; N]) {
        numbers.iter().for_each(|number| self.0.update(&number.to_le_bytes()));
    }

    pub(super) fn finish(&self) -> u64 {
        self.0.digest()
    }

    /// Its bytes and an end, without a copy of it.
    fn text(&mut self, text: fmt::Arguments<'_>) {
        let _ = self.write_fmt(text);
        self.0.update(&[0xff]);
    }
}

impl fmt::Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}
