//! Which topics the grid's state was made of: an object for each, written when it is first read. Knows no log client: it is
//! told what there is.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_actors::ports::Key;
use featuregrid_protocol::ids::TopicId;
use featuregrid_protocol::topics::KnownTopic;

use super::object::ObjectStore;
use super::once::{OnceError, settle};

/// What was read, and what of it is known here already.
#[derive(Debug)]
pub struct KnownTopics {
    store: Arc<dyn ObjectStore>,
    known: BTreeMap<String, TopicId>,
}

impl KnownTopics {
    /// Those that a store holds.
    #[must_use]
    pub fn of(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, known: BTreeMap::new() }
    }

    /// A topic of this name and identity is there: the identity that was read under the name, if it is another one. A
    /// name that is met for the first time is remembered.
    ///
    /// # Errors
    /// See [`OnceError`].
    pub async fn meet(&mut self, name: &str, id: TopicId) -> Result<Option<TopicId>, OnceError> {
        let known = match self.known.get(name) {
            Some(known) => *known,
            None => {
                let record = KnownTopic { name: name.to_owned(), id };
                let settled = settle(&*self.store, Key::Topic(name.to_owned()), &record).await?.id;
                self.known.insert(name.to_owned(), settled);
                settled
            }
        };
        Ok((known != id).then_some(known))
    }
}

#[cfg(test)]
mod tests {
    //! The first identity of a name stays; damage is noticed.
    use super::*;
    use crate::store::local::LocalStore;

    #[tokio::test]
    async fn the_first_identity_of_a_name_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let open = || KnownTopics::of(Arc::new(LocalStore::open(folder.path()).unwrap()));
        let mut topics = open();
        assert_eq!(topics.meet("a", TopicId([1; 16])).await.unwrap(), None);
        assert_eq!(topics.meet("b", TopicId([2; 16])).await.unwrap(), None);
        let mut again = open();
        for _ in 0..2 {
            assert_eq!(again.meet("a", TopicId([3; 16])).await.unwrap(), Some(TopicId([1; 16])));
        }
        assert_eq!(again.meet("b", TopicId([2; 16])).await.unwrap(), None);
        std::fs::write(folder.path().join("topic/a"), b"nonsense").unwrap();
        assert!(matches!(open().meet("a", TopicId([1; 16])).await, Err(OnceError::Damaged(..))));
    }
}
