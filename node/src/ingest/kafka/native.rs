//! What librdkafka knows and its safe binding does not ask: the names of its settings, and the identities of topics.
//! Knows no rule about either.
//!
//! Beside `batch`, the other file of the node with `unsafe`. What makes it sound: every handle is made and destroyed in
//! one call, owned by a guard, and nothing borrowed from one outlives it.

#![expect(unsafe_code, reason = "librdkafka's list of settings and DescribeTopics have no safe binding")]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::slice;
use std::time::Duration;

use featuregrid_protocol::ids::TopicId;
use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{IsError, KafkaError, RDKafkaErrorCode};

/// Runs its function once, when it goes.
struct Guard<F: FnMut()>(F);

impl<F: FnMut()> Drop for Guard<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Every setting of clients and of topics, aliases included: the first column of the table that librdkafka prints. Its
/// list of values would leave out what has no default.
pub(super) fn setting_names() -> Vec<String> {
    let (mut text, mut length) = (ptr::null_mut::<c_char>(), 0);
    // SAFETY: both are ours and stay where they are until the file is closed.
    let file = unsafe { libc::open_memstream(&raw mut text, &raw mut length) };
    if file.is_null() {
        return Vec::new();
    }
    // SAFETY: the file is open for writing.
    unsafe { sys::rd_kafka_conf_properties_show(file) };
    // SAFETY: opened above, closed once; from here on the text is complete.
    unsafe { libc::fclose(file) };
    if text.is_null() {
        return Vec::new();
    }
    // SAFETY: the text was allocated by open_memstream for whoever called it; freed once, after its last use.
    let _text = Guard(|| unsafe { libc::free(text.cast()) });
    // SAFETY: open_memstream says where the text begins and how long it is.
    let table = unsafe { slice::from_raw_parts(text.cast::<u8>(), length) };
    first_column(&String::from_utf8_lossy(table))
}

fn first_column(table: &str) -> Vec<String> {
    let cells = table.lines().filter_map(|line| line.split_once(" | ")).map(|(cell, _)| cell.trim());
    let is_name = |cell: &str| cell.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte));
    cells.filter(|cell| is_name(cell)).map(str::to_owned).collect()
}

/// The identity of each topic: what a re-created topic of the same name does not share. The default identity where the
/// brokers have none, which those before 2.8 do; none where there is no such topic.
pub(super) fn topic_ids<C: ClientContext>(
    client: &Client<C>,
    topics: &[&str],
    wait: Duration,
) -> Result<BTreeMap<String, Option<TopicId>>, KafkaError> {
    let names: Vec<CString> = topics.iter().filter_map(|name| CString::new(*name).ok()).collect();
    let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    let timed_out = || KafkaError::AdminOp(RDKafkaErrorCode::OperationTimedOut);
    let (handle, op) = (client.native_ptr(), sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
    let millis = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);

    // SAFETY: the names live to the end of this function; the collection copies them.
    let collection = unsafe { sys::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len()) };
    // SAFETY: made above, destroyed once.
    let _collection = Guard(|| unsafe { sys::rd_kafka_TopicCollection_destroy(collection) });
    // SAFETY: the client lives longer than this call.
    let options = unsafe { sys::rd_kafka_AdminOptions_new(handle, op) };
    // SAFETY: made above, destroyed once.
    let _options = Guard(|| unsafe { sys::rd_kafka_AdminOptions_destroy(options) });
    // SAFETY: the options are valid; no text is asked for.
    unsafe { sys::rd_kafka_AdminOptions_set_request_timeout(options, millis, ptr::null_mut(), 0) };
    // SAFETY: the client lives longer than this call.
    let queue = unsafe { sys::rd_kafka_queue_new(handle) };
    // SAFETY: made above, destroyed once, after every event taken from it.
    let _queue = Guard(|| unsafe { sys::rd_kafka_queue_destroy(queue) });

    // SAFETY: everything handed over is valid, and the answer comes to our own queue.
    unsafe { sys::rd_kafka_DescribeTopics(handle, collection, options, queue) };
    // SAFETY: the queue is ours.
    let event = unsafe { sys::rd_kafka_queue_poll(queue, millis) };
    if event.is_null() {
        return Err(timed_out());
    }
    // SAFETY: the poll gave it to us; destroyed once.
    let _event = Guard(|| unsafe { sys::rd_kafka_event_destroy(event) });
    // SAFETY: the event is valid.
    let error = unsafe { sys::rd_kafka_event_error(event) };
    if error.is_error() {
        return Err(KafkaError::AdminOp(error.into()));
    }
    // SAFETY: the event is valid; the call answers null where it is no result of DescribeTopics.
    let result = unsafe { sys::rd_kafka_event_DescribeTopics_result(event) };
    if result.is_null() {
        return Err(timed_out());
    }
    let mut count = 0;
    // SAFETY: the result lives as long as its event, and the count is ours.
    let found = unsafe { sys::rd_kafka_DescribeTopics_result_topics(result, &raw mut count) };
    let mut identities = BTreeMap::new();
    for at in 0..count {
        // SAFETY: the call answered with `count` descriptions, which live as long as the event.
        let (name, identity) = unsafe { describe(*found.add(at)) };
        identities.insert(name, identity?);
    }
    Ok(identities)
}

/// # Safety
/// `topic` leads to a valid description.
unsafe fn describe(topic: *const sys::rd_kafka_TopicDescription_t) -> (String, Result<Option<TopicId>, KafkaError>) {
    // SAFETY: as the caller promises; the name lives as long as the description.
    let name = unsafe { CStr::from_ptr(sys::rd_kafka_TopicDescription_name(topic)) }.to_string_lossy().into_owned();
    // SAFETY: as the caller promises.
    let error = unsafe { sys::rd_kafka_TopicDescription_error(topic) };
    if !error.is_null() {
        // SAFETY: the error lives as long as the description.
        let code: RDKafkaErrorCode = unsafe { sys::rd_kafka_error_code(error) }.into();
        match code {
            RDKafkaErrorCode::NoError => {}
            RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => return (name, Ok(None)),
            code => return (name, Err(KafkaError::AdminOp(code))),
        }
    }
    // SAFETY: as the caller promises; the identity lives as long as the description.
    let uuid = unsafe { sys::rd_kafka_TopicDescription_topic_id(topic) };
    if uuid.is_null() {
        return (name, Ok(Some(TopicId::default())));
    }
    // SAFETY: not null, so valid.
    let halves =
        unsafe { [sys::rd_kafka_Uuid_most_significant_bits(uuid), sys::rd_kafka_Uuid_least_significant_bits(uuid)] };
    let mut id = TopicId::default();
    id.0[..8].copy_from_slice(&halves[0].to_be_bytes());
    id.0[8..].copy_from_slice(&halves[1].to_be_bytes());
    (name, Ok(Some(id)))
}
