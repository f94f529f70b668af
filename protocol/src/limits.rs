//! Every bound in one place, each with its reason. Knows no configuration: what a user may turn lives there.

use crate::time::Span;

/// Longest value of one join key, bytes: keys are copied into every row, so they stay small.
pub const KEY_PART_BYTES_MAX: usize = 1024;
/// Largest record payload that is decoded, bytes: Kafka's usual `message.max.bytes` with room for 10 MB topics.
pub const RECORD_BYTES_MAX: usize = 10 << 20;
/// Measures of one view: a row's presence bits are one word.
pub const MEASURES_PER_VIEW_MAX: usize = 64;
/// Views of one project: a row names its view in 16 bits; far more than a team reads.
pub const VIEWS_MAX: usize = 1024;
/// Sources of one project: each has its own log client and its own clock in every frontier.
pub const SOURCES_MAX: usize = 64;
/// Levels of one ladder: each is a pass boundary of every read.
pub const LEVELS_MAX: usize = 16;
/// Tiles of one ladder, all levels: a read of the longest window passes over each.
pub const TILES_MAX: usize = 4096;
/// Largest entity of one view, bytes, by its plan alone: a page is copied whole when it outgrows its slot, and hot keys of
/// every view must fit beside each other.
pub const ENTITY_BYTES_MAX: u64 = 32 << 20;
/// Longest text that is kept of a row, bytes: it stands in every tile that counts it. A longer one is no value of its
/// measure, and the window says so.
pub const TEXT_BYTES_MAX: usize = 128;
/// Values of one list (`last_n`, `top_k`): each is kept in every tile.
pub const LIST_ITEMS_MAX: u8 = 64;
/// Different values that a tile keeps one by one for a distinct count: as many words as the registers they become.
pub const DISTINCT_EXACT_MAX: usize = 128;
/// Different numbers, or buckets of them, that a tile keeps for percentiles: 4 KiB, and no error above 1/64 where the
/// numbers lie within a factor of 16.
pub const BUCKETS_MAX: usize = 256;
/// Categories that a tile counts one by one: those of a model's input, not those of a search index.
pub const CATEGORIES_MAX: usize = 64;
/// Rows of one tile that are kept where windows are cut at the very tick, and of the piece of time about such a cut: a few
/// KiB, ten times what hops of minutes hold of a busy user or card.
pub const EXACT_ROWS_MAX: usize = 256;
/// Raw rows an entity keeps before they become tiles: enough for the usual read to be exact, few enough to scan.
pub const RAW_ROWS_MAX: usize = 64;
/// How far behind the newest event time rows stay raw.
pub const SLACK_EXACT: Span = Span::seconds(10);
/// Instants that tiled events blur are rounded down to multiples of this.
pub const INSTANT_STEP: Span = Span::seconds(5);
/// Rows of one frame: large enough that per-frame costs vanish, small enough that a read waits < 1 ms for it.
pub const FRAME_ROWS_MAX: usize = 512;
/// Records one frame may cover, so that intervals without rows still end.
pub const FRAME_RECORDS_MAX: u64 = 4096;
/// Decoded chunks a reader keeps for subscribers that fall behind, per partition; older intervals are re-read from the log.
pub const RING_CHUNKS_MAX: usize = 256;
/// Frames in flight to one subscriber of one partition before it is switched to replay.
pub const FRAME_CREDITS: usize = 8;
/// An event id is known to records that follow it by at most so many offsets on its partition, whatever their event
/// times: where event time stands still, every id would be kept for ever. Ids are known for seven minutes at 10 000
/// records a second, more than producers retry (two by default), and take at most 0.4 GB for each view of a partition
/// ([`ID_BYTES_MAX`] each). What is a duplicate depends on it, so it can only change with the meaning of state.
pub const ID_OFFSETS_MAX: u64 = 1 << 22;
/// The most that a known event id takes, bytes: itself and its place in an index, both with room to grow.
pub const ID_BYTES_MAX: u64 = 100;
/// Row batches in flight to one shard: bounds its mailbox and the time a read waits.
pub const SHARD_ROW_BATCHES_MAX: usize = 4;
/// Read batches in flight to one shard.
pub const SHARD_READ_BATCHES_MAX: usize = 64;
/// An idle reader proves that nothing was lost this often.
pub const IDLE_FRAME_EVERY: Span = Span::millis(100);
/// A receiver that misses frames says so at most this often per group: one gap makes every frame in flight arrive
/// early, and each answer would send all of them again.
pub const NACK_EVERY: Span = Span::millis(50);
/// A receiver that heard nothing for a group for so long subscribes again: three idle frames were lost, or the reader
/// restarted without knowing it.
pub const RESUBSCRIBE_AFTER: Span = Span::millis(300);
/// A question to the control log, the broker or a second reader is asked again after so long without an answer.
pub const ASK_AGAIN_AFTER: Span = Span::millis(300);
/// A subscriber that said nothing for so long is forgotten; it subscribes again if it lives. Ten missed answers to idle
/// frames each second, for three seconds.
pub const SUBSCRIPTION_SILENCE: Span = Span::seconds(3);
/// Subscriptions of one partition: sixteen nodes whose 256 ranges all stand at different offsets.
pub const SUBSCRIPTIONS_MAX: usize = 4096;
/// Replays of one partition that run at once, each with a consumer of its own; the others wait for their turn.
pub const REPLAYS_MAX: usize = 16;
/// The side ahead waits for the side behind at most this long in a row, so that a stuck one stops nobody.
pub const JOIN_HOLD_MAX: Span = Span::millis(500);
/// After it waited in vain, the side ahead goes on for so long before it waits again.
pub const JOIN_HOLD_REST: Span = Span::seconds(1);
/// A lease holder trusts its lease this long after a successful renewal was sent.
pub const LEASE_HOLDER: Span = Span::seconds(2);
/// A successor waits this long after the last change of the lease it saw (PROTOCOLS C1, trace C8).
pub const LEASE_SUCCESSOR: Span = Span::seconds(3);
/// A holder renews this often.
pub const LEASE_RENEW_EVERY: Span = Span::millis(500);
/// A prepared control entry may hold the grid this long before anybody may abort it.
pub const HOLD_MAX: Span = Span::seconds(2);
/// A former owner answers with a hint this long after a planned move.
pub const MOVED_HINT: Span = Span::seconds(10);
/// A request to the store that was not answered after this long counts as unknown: below half of [`LEASE_HOLDER`], so that
/// one lost renewal does not cost the lease.
pub const STORE_DEADLINE: Span = Span::millis(900);
/// The same for data objects, which have up to hundreds of megabytes: 5 MB/s is a store in trouble.
pub const PART_DEADLINE: Span = Span::seconds(60);
/// A refused or unknown request is sent again after this long: a few tries fit into a lease, and a store in trouble is spared.
pub const STORE_RETRY_AFTER: Span = Span::millis(100);
/// Reads one machine has on their way to the store: enough to hide its latency, few enough not to be throttled.
pub const STORE_READS_MAX: usize = 32;
/// A node looks for the next control entry, or for the decision it waits for, this often: a small part of [`HOLD_MAX`].
pub const CONTROL_POLL_EVERY: Span = Span::millis(200);
/// A held node repeats its report this often, because messages are lost.
pub const REPORT_EVERY: Span = Span::millis(200);
/// An aborted proposal is tried again under the next number after this long: time for a takeover to make progress.
pub const PROPOSE_RETRY_AFTER: Span = Span::seconds(1);
/// A node reads the manifests of ranges it wishes to own, and the leases it waits for, this often.
pub const RECONCILE_EVERY: Span = Span::millis(500);
/// Both sides of a planned move repeat themselves this often.
pub const MOVE_RESEND_EVERY: Span = Span::millis(200);
/// A successor that has not caught up after this long keeps its predecessor the owner: restoring tens of GB takes minutes.
pub const MOVE_CATCH_UP_MAX: Span = Span::seconds(600);
/// A successor this close (offsets, all partitions together) is let in: the rest passes while the cut is committed.
pub const MOVE_LAG_MAX: u64 = 1000;
/// An owner that has stopped effects for a move and got no cut to commit resumes after this long.
pub const MOVE_CUT_MAX: Span = Span::seconds(5);
/// After a release the successor may be silent this long before the former owner claims the range back.
pub const MOVE_SILENCE_MAX: Span = Span::seconds(5);
/// Largest stored small object (manifest, lease, control entry), bytes: a hostile length must not allocate.
pub const OBJECT_BYTES_MAX: usize = 4 << 20;
/// What one slice of a snapshot encodes, words of pages: less than a millisecond, which rows and reads behind it wait.
pub const SLICE_WORDS: usize = 16 << 10;
/// Ranges of a node that are made durable at once: copies of pages and parts on their way stay few.
pub const WALKS_MAX: usize = 4;
/// A snapshot that failed is tried again after this long, or after an interval where that is shorter.
pub const SNAPSHOT_RETRY_AFTER: Span = Span::seconds(1);
/// Parts that nothing refers to stay this long by the store's own clock: longer than anybody restores.
pub const GARBAGE_AGE: Span = Span::seconds(3600);
/// A node looks for garbage this often: a listing costs a request for a thousand parts.
pub const GARBAGE_EVERY: Span = Span::seconds(600);
/// Deltas of one range before it gets a new base: each is one more read when the range stands up.
pub const DELTAS_MAX: usize = 16;
/// A block of a part before compression, bytes, unless one entity is larger: a read of one entity fetches little more than
/// it needs, and zstd has enough to find what repeats.
pub const BLOCK_BYTES: usize = 64 << 10;
/// A block that one entity fills, bytes: its pages of several views, each at most [`ENTITY_BYTES_MAX`]. A hostile length
/// is refused before memory is asked for.
pub const PAGE_RECORD_BYTES_MAX: u64 = 256 << 20;
/// The head of a part before compression, bytes: mostly event ids, of which a range knows a share of [`ID_OFFSETS_MAX`].
pub const HEAD_BYTES_MAX: u64 = 512 << 20;
/// Largest stored data object (base, delta, event history), bytes: a snapshot of more is several; below what a signed
/// 32-bit length holds.
pub const PART_BYTES_MAX: usize = 1 << 30;
/// Largest definitions file, bytes.
pub const DEFINITIONS_BYTES_MAX: usize = 1 << 20;
/// Nesting of a definitions file: a view's window stands six deep; more is no definition, and reading must not recurse far.
pub const DEFINITIONS_DEPTH_MAX: usize = 16;
/// Mistakes listed for one definitions file: more than a person corrects in one go.
pub const MISTAKES_MAX: usize = 100;
/// Longest name in definitions, characters: names stand in every reply.
pub const NAME_CHARS_MAX: usize = 128;
/// Join keys of one entity: with parts of [`KEY_PART_BYTES_MAX`] a row's key length still fits 16 bits.
pub const JOIN_KEYS_MAX: usize = 8;
/// Fields of one source: each is looked for in every record.
pub const FIELDS_MAX: usize = 1024;
/// Steps of the path of one field.
pub const PATH_STEPS_MAX: usize = 32;
/// Text of one expression, bytes: its parser recurses, and with so many it needs less than half of a stack of 2 MiB.
pub const EXPRESSION_BYTES_MAX: usize = 2048;
/// Nesting of one expression: what walks it recurses.
pub const EXPRESSION_DEPTH_MAX: usize = 64;
/// Values and operations of one expression: it runs for every record, or at every read.
pub const EXPRESSION_PARTS_MAX: usize = 256;
/// A compiled regular expression, bytes: a few hundred times the usual one.
pub const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Results of one view: a read answers all of them.
pub const FEATURES_PER_VIEW_MAX: usize = 1024;
/// Request values that one view declares: a request of a model has tens of columns.
pub const REQUEST_VALUES_PER_VIEW_MAX: usize = 256;
/// Request values of one read, columns times entities: with [`READ_ENTITIES_MAX`] entities 64 columns, and then 10 MB in
/// memory for each view that declares all of them.
pub const REQUEST_VALUES_MAX: usize = 1 << 18;
/// One request value that is text, bytes: what expressions compare with is shorter, and each is copied and walked at a read.
pub const REQUEST_TEXT_BYTES_MAX: usize = 4096;
/// Texts of all request values of one read together, bytes: as large as a request of the usual gRPC client may be.
pub const REQUEST_BYTES_MAX: usize = 4 << 20;
/// Entries of one feature service: a model with more inputs names whole views.
pub const SERVICE_ENTRIES_MAX: usize = 4096;
/// Windows of one series: a year of days.
pub const SERIES_WINDOWS_MAX: i64 = 366;
/// Ladders of one view: each keeps a page of its own per entity, and a read visits all.
pub const LADDERS_PER_VIEW_MAX: usize = 8;
/// Half-lives that a decayed feature looks back on, the one under way included: what is older weighs less than 2^-47, and
/// sums of squares stay below 2^255 for 2^57 rows.
pub const HALF_LIVES_KEPT: i64 = 48;
/// Longest duration in definitions: a hundred years, so that no sum of instants and spans leaves the range of an i64.
pub const DURATION_MAX: Span = Span::seconds(36_500 * 86_400);
/// Restarts of one supervised actor in a node's life: a record that fails an actor fails it again at every replay, so
/// more would only hide it.
pub const CHILD_RESTARTS_MAX: u32 = 5;
/// Entities of one read: with thirty features each, a reply of a few megabytes.
pub const READ_ENTITIES_MAX: usize = 4096;
/// Body of one request to Feast's HTTP API, bytes: [`READ_ENTITIES_MAX`] keys of [`KEY_PART_BYTES_MAX`].
pub const FEAST_BODY_BYTES_MAX: usize = 4 << 20;
/// Values (entities times features) of one reply of Feast's HTTP API: each takes about 50 bytes of JSON, so 13 MB.
pub const FEAST_VALUES_MAX: usize = 1 << 18;
/// Requests of Feast's HTTP API that are worked on at once: each holds its body and its reply; the others wait.
pub const FEAST_REQUESTS_MAX: usize = 32;
/// From the head of a request of Feast's HTTP API to its reply, its wait for a turn and its body included.
pub const FEAST_REQUEST_TIME_MAX: Span = Span::seconds(5);
/// One line of a file, bytes: the largest payload, each of its bytes escaped by six letters, and what stands beside it.
pub const FILE_LINE_BYTES_MAX: usize = 7 * RECORD_BYTES_MAX;
/// How often a training set reads its events, each time for another part of its keys, because all of them at once do not
/// fit its memory: by then a machine with more of it is cheaper than the time.
pub const TRAINING_PARTS_MAX: u64 = 64;
