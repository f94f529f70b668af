//! Words and wire of featuregrid. Knows no clock, socket, disk, thread or random number.
//!
//! | word | meaning | where |
//! |---|---|---|
//! | source | where records come from: topic, fields, event timestamp, allowed lateness | [`plan::SourcePlan`] |
//! | record / event | as read from the log / decoded and timestamped | [`row`] |
//! | feature view | entity + source + filter + aggregations: what one actor holds | [`plan::ViewPlan`] |
//! | derived / on-demand feature | expression over features / plus values sent with the read | [`plan::Derived`], [`request`] |
//! | measure | (filter, value, numeric domain): one column of accumulators | [`plan::Measure`] |
//! | window, hop | what a read looks back on / how coarsely its tail edge is rounded | [`plan::Window`] |
//! | ladder | the slices of an entity from fine (recent) to coarse (old) | [`plan::LadderPlan`] |
//! | frontier, offset vector `v` | per source partition: the next offset to apply and the largest event time seen | [`position`] |
//! | token | an offset vector a reader may demand: read-your-writes | [`position::OffsetVector`] |
//! | range | a prefix of the 64-bit key-hash space: the unit of placement and movement | [`range::RangeId`] |
//! | generation | the name of an immutable set of ranges a node subscribes with | [`ids::Generation`] |
//! | frame | every row of `[from, to)` of one partition for the set of a generation | [`frame::Frame`] |
//! | epoch, lease | version of ownership of a range / a node's right to act | [`manifest`], [`lease`] |
//! | manifest | the one object per range that says who owns it and what of it is durable | [`manifest::Manifest`] |
//! | control log | the numbered entries that change values and are not events | [`control`] |
//!
//! Reading order: [`ids`], [`time`], [`number`], [`key`], [`range`], [`expression`], [`plan`], [`row`], [`position`],
//! [`frame`], then the stored formats [`control`], [`lease`], [`manifest`] and their one [`codec`].

pub mod codec;
pub mod control;
pub mod definition;
pub mod expression;
pub mod frame;
pub mod ids;
pub mod key;
pub mod lease;
pub mod limits;
pub mod manifest;
pub mod number;
pub mod partitioner;
pub mod plan;
pub mod plants;
pub mod position;
pub mod range;
pub mod request;
pub mod row;
pub mod snapshot;
pub mod time;
pub mod topics;
pub mod value;
pub mod varint;
#[cfg(feature = "wire")]
pub mod wire;
