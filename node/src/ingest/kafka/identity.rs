//! The identity of a topic as the client learns it, which it says in a line of its log alone. Knows no queue.
//!
//! Should a later release of the library say it in other words, nothing is learnt here, and the watch over topics finds a
//! re-created one as it does elsewhere, a moment later; a test with a real broker holds the words.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use featuregrid_protocol::ids::TopicId;
use rdkafka::ClientConfig;

/// Lets a client say it: lines about metadata, of which there are a few each time that is asked for.
pub(super) fn let_tell(config: &mut ClientConfig) {
    let debug = match config.get("debug") {
        Some(asked) if !asked.is_empty() => format!("{asked},metadata"),
        _ => "metadata".to_owned(),
    };
    config.set("debug", debug);
}

/// What a client learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Learnt<'t> {
    pub(super) topic: &'t str,
    pub(super) is: TopicId,
}

/// `... Topic NAME changed id from ID to ID`; the first one it learns it learns in place of no id.
pub(super) fn learnt(line: &str) -> Option<Learnt<'_>> {
    let (topic, ids) = line.split_once(" changed id from ")?;
    let (_, topic) = topic.rsplit_once("Topic ")?;
    let (_, is) = ids.split_once(" to ")?;
    let bytes = BASE64_STANDARD_NO_PAD.decode(is.trim()).ok()?;
    Some(Learnt { topic, is: TopicId(bytes.try_into().ok()?) })
}

#[cfg(test)]
mod tests {
    //! The line of librdkafka 2.12, and lines like it.
    use super::*;

    #[test]
    fn the_new_identity_is_read() {
        let line = "[thrd:main]: Topic my Topic-1 changed id from AAAAAAAAAAAAAAAAAAAAAA to EjRWeJq83vABAgMEBQYH//";
        let mut id = TopicId([0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1, 2, 3, 4, 5, 6, 7, 0xff]);
        assert_eq!(learnt(&line.replace("my Topic-1", "payments")), None, "more than sixteen bytes");
        id.0[15] = 8;
        let line = line.replace("EjRWeJq83vABAgMEBQYH//", "EjRWeJq83vABAgMEBQYHCA").replace("my Topic-1", "payments");
        assert_eq!(learnt(&line), Some(Learnt { topic: "payments", is: id }));
        assert_eq!(learnt("[thrd:main]: Topic payments [0] Leader 1 Epoch 0"), None);
    }

    #[test]
    fn what_a_user_wants_to_see_stays() {
        let mut config = ClientConfig::new();
        config.set("debug", "broker,topic");
        let_tell(&mut config);
        assert_eq!(config.get("debug"), Some("broker,topic,metadata"));
    }
}
