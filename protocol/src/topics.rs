//! The stored record of which topic a name was when it was first read. Knows no client.

use serde::{Deserialize, Serialize};

use crate::ids::TopicId;

/// The identity of a topic, as it was when the grid first read it: written once for each name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownTopic {
    /// The topic's name.
    pub name: String,
    /// What a re-created topic of that name does not share.
    pub id: TopicId,
}
