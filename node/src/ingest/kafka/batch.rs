//! Many messages with one call into librdkafka, which the safe binding does not offer: it makes an event, a shared
//! pointer and a timestamp of its own for each message. Knows no offset rule: what came is handed on as it is.
//!
//! Measured beside the binding's `poll` by `featuregrid bench ingest` (stage `poll`): see the changelog for the figures.
//!
//! The library's own log lines come through a queue of their own, and are read after a batch was taken and before it is
//! handed on: whatever the library learnt before it fetched a message is known before the message is looked at.
//!
//! Beside `native`, the other file of the node with `unsafe`. What makes it sound: the queues are the consumer's own and are destroyed before
//! it; a message is borrowed only inside the call of the sink, and destroyed after it, also when the sink panics.

#![expect(unsafe_code, reason = "librdkafka's batch call has no safe binding")]

use std::ffi::{CStr, c_char, c_int};
use std::marker::PhantomData;
use std::ptr;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;

use super::ADMIT_HEADER_C;
use crate::ingest::{Header, Headers, POLL_RECORDS_MAX};

/// A message, borrowed from librdkafka.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) offset: i64,
    pub(super) key: Option<&'a [u8]>,
    pub(super) payload: Option<&'a [u8]>,
    /// Milliseconds since 1970, if the broker says.
    pub(super) timestamp: Option<i64>,
    pub(super) headers: RawHeaders<'a>,
    /// Whether it carries the header that admits it in spite of lateness.
    pub(super) admit: bool,
}

/// Takes what a poll found.
pub(super) trait Poll {
    /// A log line of the library: how bad it is (syslog's levels), and its text.
    fn line(&mut self, level: i32, text: &str);
    /// Topic, partition, and the message or why there is none.
    fn found(&mut self, topic: &CStr, partition: i32, found: Result<Message<'_>, Absent>);
}

/// Why there is no message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Absent {
    /// The partition is read up to this offset, markers and aborted records included. The client's own position is not
    /// to be asked: after a batch it stands one further (librdkafka 2.12).
    End(i64),
    /// The client's error.
    Error(RDKafkaErrorCode),
}

/// The queue of a consumer, and that of its log lines.
pub(super) struct BatchQueue {
    queue: ptr::NonNull<sys::rd_kafka_queue_t>,
    lines: ptr::NonNull<sys::rd_kafka_queue_t>,
    messages: Vec<*mut sys::rd_kafka_message_t>,
    /// Outlives the queue.
    _consumer: Arc<BaseConsumer>,
}

// SAFETY: librdkafka's handles may be used from any thread, and the messages of a batch never outlive a call.
unsafe impl Send for BatchQueue {}

impl BatchQueue {
    /// The queue that all assigned partitions forward to; `None` if the consumer has none.
    pub(super) fn new(consumer: Arc<BaseConsumer>) -> Option<Self> {
        // SAFETY: the client pointer is valid while the consumer lives; the queue counts as a reference to it.
        let queue = ptr::NonNull::new(unsafe { sys::rd_kafka_queue_get_consumer(consumer.client().native_ptr()) })?;
        // SAFETY: as above.
        let lines = ptr::NonNull::new(unsafe { sys::rd_kafka_queue_new(consumer.client().native_ptr()) })?;
        // What the library said while the client was made stands among the messages already, and is told by whoever takes
        // those; without this, to standard error.
        // SAFETY: the client is valid, and the function asks nothing of it.
        unsafe { sys::rd_kafka_set_logger(consumer.client().native_ptr(), Some(tell_line)) };
        // SAFETY: client and queue are valid; the client holds a reference to the queue of its own.
        unsafe { sys::rd_kafka_set_log_queue(consumer.client().native_ptr(), lines.as_ptr()) };
        let messages = vec![ptr::null_mut(); POLL_RECORDS_MAX];
        Some(Self { queue, lines, messages, _consumer: consumer })
    }

    /// Hands on the library's log lines so far: how bad each is (syslog's levels), and its text.
    fn read_lines(&self, lines: &mut dyn FnMut(i32, &str)) {
        loop {
            // SAFETY: the queue is ours; the event is destroyed below.
            let event = unsafe { sys::rd_kafka_queue_poll(self.lines.as_ptr(), 0) };
            if event.is_null() {
                return;
            }
            let (mut fac, mut text, mut level) = (ptr::null(), ptr::null(), 0);
            // SAFETY: the event is valid, and the results are ours; it answers -1 where it is no log line.
            let told = unsafe { sys::rd_kafka_event_log(event, &raw mut fac, &raw mut text, &raw mut level) };
            if told == 0 && !text.is_null() {
                // SAFETY: the text ends with a zero and lives as long as its event.
                lines(level, &unsafe { CStr::from_ptr(text) }.to_string_lossy());
            }
            // SAFETY: the poll gave it to us; destroyed once.
            unsafe { sys::rd_kafka_event_destroy(event) };
        }
    }

    /// Puts what is there behind the first `from` messages, without waiting; how many.
    fn take(&mut self, from: usize) -> usize {
        let room = &mut self.messages[from..];
        // SAFETY: the array has room for as many pointers as are asked for.
        let count = unsafe { sys::rd_kafka_consume_batch_queue(self.queue.as_ptr(), 0, room.as_mut_ptr(), room.len()) };
        usize::try_from(count).unwrap_or(0)
    }

    /// Takes what is there, at most [`POLL_RECORDS_MAX`] messages or errors; waits at most `wait` for the first. Hands on
    /// the log lines up to here, then each message or error with its topic and partition.
    pub(super) fn poll(&mut self, wait: Duration, mut to: impl Poll) {
        let mut count = self.take(0);
        if count == 0 {
            // The batch call waits until its array is full; this one until there is anything.
            let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
            // SAFETY: the queue is ours; the message is destroyed with the others.
            let first = unsafe { sys::rd_kafka_consume_queue(self.queue.as_ptr(), wait) };
            if !first.is_null() {
                self.messages[0] = first;
                count = 1 + self.take(1);
            }
        }
        let batch = Taken(&self.messages[..count]);
        self.read_lines(&mut |level, text| to.line(level, text));
        for message in batch.0 {
            // SAFETY: the call returned `count` valid messages, which are ours until `Taken` destroys them.
            let (topic, partition, found) = unsafe { read(*message) };
            to.found(topic, partition, found);
        }
    }
}

impl Drop for BatchQueue {
    fn drop(&mut self) {
        // SAFETY: taken in `new`, destroyed once, before the consumer it belongs to.
        unsafe { sys::rd_kafka_queue_destroy(self.queue.as_ptr()) };
        // SAFETY: as above.
        unsafe { sys::rd_kafka_queue_destroy(self.lines.as_ptr()) };
    }
}

/// Levels up to here are told to whoever reads our log: syslog's warnings, and worse.
const WARNING: i32 = 4;

/// A log line of the library as one of ours.
pub(super) fn tell(level: i32, line: &str) {
    if level <= WARNING {
        tracing::warn!(line, "librdkafka");
    } else {
        tracing::debug!(line, "librdkafka");
    }
}

/// The same for the library itself, which calls it with texts that end with a zero.
unsafe extern "C" fn tell_line(_: *const sys::rd_kafka_t, level: c_int, _: *const c_char, text: *const c_char) {
    // SAFETY: as the library promises.
    tell(level, &unsafe { CStr::from_ptr(text) }.to_string_lossy());
}

/// Messages that are to be destroyed.
struct Taken<'a>(&'a [*mut sys::rd_kafka_message_t]);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        for message in self.0 {
            // SAFETY: each was returned by the batch call and is destroyed once.
            unsafe { sys::rd_kafka_message_destroy(*message) };
        }
    }
}

/// # Safety
/// The pointer leads to a message that lives as long as the result is used.
unsafe fn read<'a>(pointer: *mut sys::rd_kafka_message_t) -> (&'a CStr, i32, Result<Message<'a>, Absent>) {
    // SAFETY: as the caller promises.
    let message = unsafe { &*pointer };
    let topic = if message.rkt.is_null() {
        c"" // an error of the client as a whole
    } else {
        // SAFETY: the topic's name lives as long as its handle, which the message holds.
        unsafe { CStr::from_ptr(sys::rd_kafka_topic_name(message.rkt)) }
    };
    if message.err != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        let absent = match message.err.into() {
            RDKafkaErrorCode::PartitionEOF => Absent::End(message.offset),
            code => Absent::Error(code),
        };
        return (topic, message.partition, Err(absent));
    }
    let bytes = |pointer: *mut std::ffi::c_void, length| {
        // SAFETY: librdkafka says where a key or payload begins and how long it is; null is none.
        (!pointer.is_null()).then(|| unsafe { slice::from_raw_parts(pointer.cast::<u8>(), length) })
    };
    let (key, payload) = (bytes(message.key, message.key_len), bytes(message.payload, message.len));
    let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    // SAFETY: the message is valid, and `kind` is ours.
    let timestamp = unsafe { sys::rd_kafka_message_timestamp(pointer, &raw mut kind) };
    // SAFETY: the message is valid.
    let headers = unsafe { RawHeaders::of(pointer) };
    let admit = headers.has(ADMIT_HEADER_C);
    let timestamp = (timestamp >= 0).then_some(timestamp);
    (topic, message.partition, Ok(Message { offset: message.offset, key, payload, headers, timestamp, admit }))
}

/// The headers of a message, undecoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawHeaders<'a> {
    /// Null where there are none.
    list: *mut sys::rd_kafka_headers_t,
    message: PhantomData<&'a sys::rd_kafka_message_t>,
}

impl RawHeaders<'_> {
    /// # Safety
    /// The pointer leads to a valid message that lives as long as the result is used.
    unsafe fn of(pointer: *mut sys::rd_kafka_message_t) -> Self {
        let mut list = ptr::null_mut();
        // SAFETY: as the caller promises; the list belongs to the message.
        let error = unsafe { sys::rd_kafka_message_headers(pointer, &raw mut list) };
        let found = error == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        Self { list: if found { list } else { ptr::null_mut() }, message: PhantomData }
    }

    fn has(&self, name: &CStr) -> bool {
        if self.list.is_null() {
            return false;
        }
        let (mut value, mut size) = (ptr::null(), 0);
        // SAFETY: the list is valid, the name ends with a zero, and the results are ours.
        let error = unsafe { sys::rd_kafka_header_get_last(self.list, name.as_ptr(), &raw mut value, &raw mut size) };
        error == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
    }
}

impl Headers for RawHeaders<'_> {
    fn list(&self) -> Vec<Header> {
        let mut headers = Vec::new();
        while !self.list.is_null() {
            let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
            // SAFETY: the list is valid, and the results are ours.
            let error = unsafe {
                sys::rd_kafka_header_get_all(self.list, headers.len(), &raw mut name, &raw mut value, &raw mut size)
            };
            if error != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                break;
            }
            // SAFETY: a name ends with a zero and lives as long as the list.
            let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
            // SAFETY: librdkafka says where a value begins and how long it is; null is none.
            let value = (!value.is_null()).then(|| unsafe { slice::from_raw_parts(value.cast::<u8>(), size) }.to_vec());
            headers.push((name, value));
        }
        headers
    }
}
