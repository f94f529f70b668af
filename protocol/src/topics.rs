//! The stored record of which topics a node has read. Knows no client.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::TopicId;

/// The identity of each topic, by name, as it was when it was first read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicTable(pub BTreeMap<String, TopicId>);
