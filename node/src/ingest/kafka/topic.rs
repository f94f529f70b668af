//! Creates topics. Knows no record.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;

/// How long a new topic may take to be known everywhere.
const APPEAR_MAX: Duration = Duration::from_secs(60);

/// Creates a topic with the brokers' own settings, but kept for ever, and waits until its partitions can be asked for;
/// whether it was created now.
///
/// # Errors
/// When the brokers say no, or nobody answers.
pub async fn create_topic(brokers: &str, topic: &str, partitions: u32) -> anyhow::Result<bool> {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", brokers).create().context("Kafka admin client")?;
    let new = NewTopic::new(topic, partitions as i32, TopicReplication::Fixed(-1)).set("retention.ms", "-1");
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
    let results =
        admin.create_topics([&new], &options).await.with_context(|| format!("creating `{topic}` at {brokers}"))?;
    match results.into_iter().next() {
        Some(Ok(_)) => {}
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => return Ok(false),
        Some(Err((_, code))) => bail!("creating `{topic}` at {brokers}: {code}"),
        None => bail!("creating `{topic}` at {brokers}: no answer"),
    }
    // The controller has it; other parts of the cluster, and of a busy broker, hear of it a little later.
    let late = Instant::now() + APPEAR_MAX;
    while !is_known(&admin, topic, partitions) {
        if Instant::now() >= late {
            bail!("`{topic}` was created at {brokers} and did not appear; look at the brokers' logs");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(true)
}

fn is_known(admin: &AdminClient<DefaultClientContext>, topic: &str, partitions: u32) -> bool {
    let Ok(metadata) = admin.inner().fetch_metadata(Some(topic), Duration::from_secs(5)) else { return false };
    let led = |topic: &rdkafka::metadata::MetadataTopic| topic.partitions().iter().filter(|p| p.leader() >= 0).count();
    metadata.topics().iter().any(|topic| led(topic) >= partitions as usize)
}
