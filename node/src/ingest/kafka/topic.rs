//! Creates topics, and says which are missing. Knows no record.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;

use super::Cluster;

/// How long a new topic may take to be known everywhere.
const APPEAR_MAX: Duration = Duration::from_secs(60);

/// Creates a topic with the brokers' own settings, but kept for ever, and waits until its partitions can be asked for;
/// whether it was created now.
///
/// # Errors
/// When the brokers say no, or nobody answers.
pub async fn create_topic(cluster: impl Into<Cluster>, topic: &str, partitions: u32) -> anyhow::Result<bool> {
    let cluster = cluster.into();
    let brokers = cluster.brokers();
    let admin: AdminClient<DefaultClientContext> = cluster.client().create().context("Kafka admin client")?;
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

/// Which of these topics are not there, or have a partition without a leader; asks the brokers, and blocks meanwhile.
///
/// # Errors
/// When nobody answers.
pub fn missing_topics(cluster: &Cluster, topics: &[String]) -> anyhow::Result<Vec<String>> {
    // A consumer, because it creates no topic by asking for it.
    let client: BaseConsumer = cluster.consumer().create().context("Kafka client")?;
    let ask = |topic: &String| {
        let metadata = client.fetch_metadata(Some(topic), super::ASK);
        let metadata = metadata.with_context(|| format!("asking for topic `{topic}` at {}", cluster.brokers()))?;
        let is_led = |topic: &rdkafka::metadata::MetadataTopic| {
            !topic.partitions().is_empty() && topic.partitions().iter().all(|partition| partition.leader() >= 0)
        };
        Ok(metadata.topics().iter().any(is_led))
    };
    let mut missing = Vec::new();
    for topic in topics {
        let there: anyhow::Result<bool> = ask(topic);
        if !there? {
            missing.push(topic.clone());
        }
    }
    Ok(missing)
}

fn is_known(admin: &AdminClient<DefaultClientContext>, topic: &str, partitions: u32) -> bool {
    let Ok(metadata) = admin.inner().fetch_metadata(Some(topic), Duration::from_secs(5)) else { return false };
    let led = |topic: &rdkafka::metadata::MetadataTopic| topic.partitions().iter().filter(|p| p.leader() >= 0).count();
    metadata.topics().iter().any(|topic| led(topic) >= partitions as usize)
}
