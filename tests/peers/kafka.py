"""An independent Kafka client (librdkafka) for tests: makes topics, writes lines into them, reads them to their end.

    kafka.py create BROKERS TOPIC --partitions N [--config KEY=VALUE ...]
    kafka.py produce BROKERS TOPIC [--compression C] [--transactional [--abort-every N]] < records.jsonl
    kafka.py consume BROKERS TOPIC > records.jsonl

A line is {"partition", "timestamp" in ms, "key"?, "value": text or null, "headers"?: {name: text}}; what is consumed also has
its "offset". Knows nothing of featuregrid.
"""

import argparse
import json
import sys
import time
import uuid
from contextlib import suppress
from itertools import count, islice
from typing import Any, Iterable

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

WAIT_SECONDS = 60  # a broker that restarts answers within it
MESSAGE_BYTES_MAX = 64 << 20  # more than any topic takes: what is too large is the broker's to refuse
TRANSACTION_LINES = 1000


def create(arguments: argparse.Namespace) -> None:
    """Makes the topic and waits until each of its partitions has a leader."""
    admin = AdminClient({"bootstrap.servers": arguments.brokers})
    config = dict(pair.split("=", 1) for pair in arguments.config)
    topic = NewTopic(arguments.topic, num_partitions=arguments.partitions, replication_factor=1, config=config)
    admin.create_topics([topic], request_timeout=WAIT_SECONDS)[arguments.topic].result()
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        found = admin.list_topics(arguments.topic, timeout=WAIT_SECONDS).topics[arguments.topic]
        if len(found.partitions) == arguments.partitions and all(p.leader >= 0 for p in found.partitions.values()):
            return
        time.sleep(0.05)
    raise SystemExit(f"kafka: {arguments.topic} has partitions without a leader after {WAIT_SECONDS} s")


class Sender:
    """Sends lines in order and remembers whether the broker refused one."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.topic: str = arguments.topic
        self.refused: list[str] = []
        settings = {"bootstrap.servers": arguments.brokers, "message.max.bytes": MESSAGE_BYTES_MAX}
        # Idempotence also keeps each partition in the order of the lines.
        settings |= {"acks": "all", "enable.idempotence": True, "compression.type": arguments.compression}
        if arguments.transactional:
            settings["transactional.id"] = f"peer-{uuid.uuid4()}"
        self.producer = Producer(settings)

    def delivered(self, error: KafkaError | None, message: Any) -> None:
        if error is not None:
            self.refused.append(f"partition {message.partition()}: {error}")

    def send(self, records: Iterable[dict[str, Any]]) -> None:
        for record in records:
            message = {name: record[name] for name in ("partition", "timestamp", "key", "headers") if name in record}
            while True:
                with suppress(BufferError):  # more in flight than librdkafka keeps
                    self.producer.produce(self.topic, record["value"], on_delivery=self.delivered, **message)
                    break
                self.producer.poll(0.1)
            self.producer.poll(0)

    def settle(self) -> None:
        """Waits until all that was sent is written, or says what was not."""
        left = self.producer.flush(WAIT_SECONDS)
        if self.refused or left:
            raise SystemExit(f"kafka: {len(self.refused)} refused, {left} unanswered; first: {self.refused[:1]}")


def produce(arguments: argparse.Namespace) -> None:
    """Writes the lines; returns when all of them are acknowledged. A transaction that is aborted is then written again:
    who reads what is committed sees every line once, at offsets with holes."""
    sender = Sender(arguments)
    records = map(json.loads, sys.stdin)
    if not arguments.transactional:
        sender.send(records)
        return sender.settle()
    producer = sender.producer
    producer.init_transactions(WAIT_SECONDS)
    for number in count(1):
        if not (lines := list(islice(records, TRANSACTION_LINES))):
            return
        repeated = arguments.abort_every and number % arguments.abort_every == 0
        for end in [producer.abort_transaction] * bool(repeated) + [producer.commit_transaction]:
            producer.begin_transaction()
            sender.send(lines)
            sender.settle()  # else it might be aborted before anything of it reached the log
            end(WAIT_SECONDS)


def text(raw: Any) -> str | None:
    return raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw


def consume(arguments: argparse.Namespace) -> None:
    """Prints every committed record of every partition, each partition in its order."""
    settings = {"bootstrap.servers": arguments.brokers, "group.id": "peer", "enable.auto.commit": False}
    consumer = Consumer(settings | {"isolation.level": "read_committed", "enable.partition.eof": True})
    topic = consumer.list_topics(arguments.topic, timeout=WAIT_SECONDS).topics[arguments.topic]
    if topic.error is not None:
        raise KafkaException(topic.error)
    consumer.assign([TopicPartition(arguments.topic, partition, OFFSET_BEGINNING) for partition in topic.partitions])
    unread = set(topic.partitions)
    while unread:
        message = consumer.poll(WAIT_SECONDS)
        if message is None:
            raise SystemExit(f"kafka: no answer for {WAIT_SECONDS} s about partitions {sorted(unread)} of {arguments.topic}")
        if (error := message.error()) is not None:
            if error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            unread.remove(message.partition())
            continue
        where = {"partition": message.partition(), "offset": message.offset(), "timestamp": message.timestamp()[1]}
        headers = {name: text(value) for name, value in message.headers() or []}
        print(json.dumps(where | {"key": text(message.key()), "value": text(message.value()), "headers": headers}))
    consumer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for command in (create, produce, consume):
        added = commands.add_parser(command.__name__, description=command.__doc__)
        added.set_defaults(run=command)
        added.add_argument("brokers")
        added.add_argument("topic")
        if command is create:
            added.add_argument("--partitions", type=int, required=True)
            added.add_argument("--config", nargs="+", action="extend", default=[], metavar="KEY=VALUE")
        if command is produce:
            added.add_argument("--compression", default="none", choices=["none", "gzip", "snappy", "lz4", "zstd"])
            added.add_argument("--transactional", action="store_true", help=f"{TRANSACTION_LINES} lines each")
            added.add_argument("--abort-every", type=int, metavar="N", help="abort and repeat every Nth transaction")
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except KafkaException as error:
        raise SystemExit(f"kafka: {arguments.command} {arguments.topic}: {error}") from None


if __name__ == "__main__":
    main()
