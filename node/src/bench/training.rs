//! A training set from Parquet to Parquet on one thread, beside only decoding the same file. Knows no command line.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use featuregrid_actors::training::Known;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_simulations::random::Random;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::cpu;
use super::rows::{DISORDER, START};
use crate::store::Folder;
use crate::training::spine::Spine;
use crate::training::{Asked, build, table};

const USERS: u64 = 100_000;
const PARTITIONS: u64 = 4;
const SPAN: Span = Span::seconds(48 * 3600);
/// Rows of one batch of the files that are made.
const BATCH: u64 = 65_536;
/// From an event to its being visible.
const DELAY: Span = Span::millis(50);

/// CPU time of one training set.
#[derive(Clone, Copy, Debug)]
pub struct Training {
    /// Of all of it: both files read, every row answered, the table written.
    pub whole: Duration,
    /// Of writing the table alone.
    pub written: Duration,
    /// Of decoding the events' columns and doing nothing with them.
    pub decoded: Duration,
}

/// Makes files of W1's events and rows, and a training set of them for each way of knowing.
///
/// # Errors
/// When a file cannot be written or read.
pub fn training(plan: &Arc<Plan>, events: u64, rows: u64) -> anyhow::Result<[(&'static str, Training); 2]> {
    let folder = Folder::open(None)?;
    let path = |name: &str| folder.path().join(name);
    write_events(&path("events.parquet"), events)?;
    write_spine(&path("spine.parquet"), rows)?;
    let decoded = spent(|| decode(&path("events.parquet")))?.1;
    let one = |known| -> anyhow::Result<Training> {
        let memory = usize::MAX;
        let given = [path("events.parquet").display().to_string()];
        let (set, built) =
            spent(|| build(plan, Spine::read(&path("spine.parquet"), plan, memory)?, &given, Asked { known, memory }))?;
        let written = spent(|| table::write(&set, &path("table.parquet")))?.1;
        Ok(Training { whole: built + written, written, decoded })
    };
    Ok([("as happened", one(Known::AsHappened)?), ("as known", one(Known::AsKnown)?)])
}

fn spent<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Duration)> {
    let before = cpu::used();
    let done = work()?;
    Ok((done, cpu::used() - before))
}

fn decode(path: &Path) -> anyhow::Result<()> {
    for batch in ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.build()? {
        std::hint::black_box(batch?.num_rows());
    }
    Ok(())
}

/// A few users do most.
fn user(random: &mut Random) -> u64 {
    let among = 1 + random.below(USERS);
    random.below(among)
}

fn instants(of: impl Iterator<Item = Timestamp>) -> ArrayRef {
    Arc::new(of.map(|at| Some(at.0)).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

fn write(
    path: &Path,
    count: u64,
    mut batch: impl FnMut(u64, u64) -> anyhow::Result<RecordBatch>,
) -> anyhow::Result<()> {
    let mut writer = ArrowWriter::try_new(File::create(path)?, batch(0, 0)?.schema(), None)?;
    for from in (0..count).step_by(BATCH as usize) {
        writer.write(&batch(from, (from + BATCH).min(count))?)?;
    }
    writer.close()?;
    Ok(())
}

fn write_events(path: &Path, events: u64) -> anyhow::Result<()> {
    const KINDS: [&str; 5] = ["purchase", "view", "view", "cart", "refund"];
    let mut random = Random::new(3);
    let mut next = [0i64; PARTITIONS as usize];
    write(path, events, |from, to| {
        let clock =
            |event: u64| START + Span((i128::from(SPAN.0) * i128::from(event) / i128::from(events.max(1))) as i64);
        let users: Vec<u64> = (from..to).map(|_| user(&mut random)).collect();
        let mut offset = |user: &u64| {
            let next = &mut next[(user % PARTITIONS) as usize];
            *next += 1;
            *next - 1
        };
        let offsets = users.iter().map(&mut offset).collect::<Int64Array>();
        let times: Vec<Timestamp> =
            (from..to).map(|event| clock(event) - Span(random.between(0, DISORDER.0))).collect();
        let amounts = users.iter().map(|_| i128::from(random.between(1, 50_000))).collect::<Vec<_>>();
        let kinds = users.iter().map(|_| KINDS[random.below(5) as usize]);
        let partitions = users.iter().map(|user| (user % PARTITIONS) as i64).collect::<Int64Array>();
        let columns: [(&str, ArrayRef); 8] = [
            ("partition", Arc::new(partitions)),
            ("offset", Arc::new(offsets)),
            ("log_timestamp", instants((from..to).map(clock))),
            ("applied_at", instants((from..to).map(|event| clock(event) + DELAY))),
            ("event_timestamp", instants(times.into_iter())),
            ("user_id", Arc::new(StringArray::from_iter_values(users.iter().map(|user| format!("u{user}"))))),
            ("type", Arc::new(StringArray::from_iter_values(kinds))),
            ("amount", Arc::new(Decimal128Array::from(amounts).with_precision_and_scale(18, 2)?)),
        ];
        Ok(RecordBatch::try_from_iter(columns)?)
    })
}

fn write_spine(path: &Path, rows: u64) -> anyhow::Result<()> {
    let mut random = Random::new(4);
    write(path, rows, |from, to| {
        let users = StringArray::from_iter_values((from..to).map(|_| format!("u{}", user(&mut random))));
        let as_of =
            instants((from..to).map(|_| START + Span(random.between(0, SPAN.0))).collect::<Vec<_>>().into_iter());
        let labels = (from..to).map(|row| (row % 2) as i64).collect::<Int64Array>();
        let columns: [(&str, ArrayRef); 3] =
            [("user_id", Arc::new(users)), ("as_of", as_of), ("label", Arc::new(labels))];
        Ok(RecordBatch::try_from_iter(columns)?)
    })
}
