//! Records read back in order and by partition; ends are told; the file outlives the process.
use std::path::Path;

use super::*;

fn append(user: u32) -> NewRecord {
    let payload = (!user.is_multiple_of(5)).then(|| format!("{{\"user\":{user}}}").into_bytes());
    NewRecord {
        admit: false,
        source: SourceId(0),
        key: Some(format!("u{user}").into_bytes()),
        timestamp: Timestamp(i64::from(user)),
        payload,
    }
}

/// Offset, timestamp, payload.
type Row = (Offset, i64, Option<Vec<u8>>);

/// Everything from `from` on, per partition, and the ends told.
fn drain(log: &EmbeddedLog, from: Offset) -> (BTreeMap<PartitionId, Vec<Row>>, usize) {
    let start: Vec<_> = log.partitions().unwrap().into_iter().map(|partition| (partition, from)).collect();
    let mut reader = log.open(&start).unwrap();
    let mut read: BTreeMap<PartitionId, Vec<_>> = BTreeMap::new();
    let mut ends = 0;
    while ends < start.len() {
        let mut sink = |event: LogEvent<'_>| match event {
            LogEvent::Record(partition, record, _) => {
                let row = (record.offset, record.log_timestamp.0, record.payload.map(<[u8]>::to_vec));
                read.entry(partition).or_default().push(row);
            }
            LogEvent::End(..) => ends += 1,
        };
        reader.poll(Duration::from_millis(1), &mut sink).unwrap();
    }
    (read, ends)
}

fn open(path: &Path) -> EmbeddedLog {
    EmbeddedLog::open(&path.join("log.redb"), 1).unwrap()
}

#[test]
fn records_read_back_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let topic = {
        let log = open(folder.path());
        log.append(&(0..3000).map(append).collect::<Vec<_>>()).unwrap();
        log.append(&(3000..5000).map(append).collect::<Vec<_>>()).unwrap();
        log.topic(PartitionId(0))
    };
    let log = open(folder.path());
    assert_eq!(log.topic(PartitionId(0)), topic);
    let (read, _) = drain(&log, 0);
    assert_eq!(read.len(), PARTITIONS as usize);
    assert_eq!(read.values().map(Vec::len).sum::<usize>(), 5000);
    for (partition, records) in &read {
        let offsets: Vec<_> = records.iter().map(|record| record.0).collect();
        assert_eq!(offsets, (0..records.len() as u64).collect::<Vec<_>>());
        assert_eq!(log.bounds(*partition).unwrap(), Bounds { earliest: 0, end: records.len() as u64 });
        for (_, timestamp, payload) in records {
            let expected = append(*timestamp as u32);
            assert_eq!(*payload, expected.payload);
            assert_eq!(PartitionId(expected.partition(PARTITIONS)), *partition);
        }
    }
    let (tail, _) = drain(&log, 1000);
    assert!(tail.values().all(|records| records[0].0 == 1000));
}

#[test]
fn a_reader_is_woken_by_an_append_and_told_the_end_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let mut reader =
        log.open(&[(PartitionId(0), 0), (PartitionId(1), 0), (PartitionId(2), 0), (PartitionId(3), 0)]).unwrap();
    let (mut ends, mut records) = (0, 0);
    for round in 0..20 {
        if round == 5 {
            log.append(&[append(1)]).unwrap();
        }
        let mut sink = |event: LogEvent<'_>| match event {
            LogEvent::Record(..) => records += 1,
            LogEvent::End(..) => ends += 1,
        };
        reader.poll(Duration::from_millis(1), &mut sink).unwrap();
    }
    assert_eq!((records, ends), (1, 5));
    assert!(matches!(log.open(&[(PartitionId(0), 99)]), Err(LogError::Truncated { wanted: 99, .. })));
}

#[test]
fn what_is_there_is_read_while_more_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    log.append(&(0..10).map(append).collect::<Vec<_>>()).unwrap();
    // As an append whose disk takes long.
    let _appending = log.shared.appending.lock().unwrap();
    let (read, _) = drain(&log, 0);
    assert_eq!(read.values().map(Vec::len).sum::<usize>(), 10);
    assert_eq!(log.ends().0.values().sum::<u64>(), 10);
}
