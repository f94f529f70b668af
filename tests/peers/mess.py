"""Records with every kind of mess, in the shape of tests/accept/messy.yaml, as lines for `kafka.py produce`.

    mess.py --lines N --seed S --expect FILE > records.jsonl

FILE gets what must become of them, {"records", "late", "dead_lettered", "tombstones", "unmatched", "routed", "letters"}, where the
letters are [partition, offset] of every late and dead record if the topic was empty. It is counted by what is put in, and
agrees with protocol/SEMANTICS.md only if featuregrid does. Knows nothing of featuregrid but what that page says.
"""

import argparse
import json
import random
from datetime import datetime, timezone
from typing import Any, Callable

PARTITIONS = 4
USERS = 2000
START_MS = 1767225600000  # 2026-01-01T00:00:00Z
STEP_MS = 250
DISORDER_MS = 2000
ALLOWED_LATENESS_MS = 60_000
# As protocol/src/limits.rs has it; above it is dead. The topic takes 12,000,000.
RECORD_BYTES_MAX = 10 << 20
# How many of 100,000 lines.
KINDS = {"malformed": 37, "null_key": 11, "tombstone": 5, "large": 3, "filtered": 20_000, "late": 400}

Body = dict[str, Any]


def without(body: Body, *names: str) -> Body:
    return {name: value for name, value in body.items() if name not in names}


# Ways to be malformed, and whether the time of the event is still believed, so that it moves what counts as late.
MALFORMED: list[tuple[Callable[[Body], str], bool]] = [
    (lambda body: json.dumps(body)[:-7], False),  # ends in the middle
    (lambda body: json.dumps([body]), False),  # no object
    (lambda body: json.dumps(body) + json.dumps(body), False),  # two of them
    (lambda body: "", False),
    (lambda body: json.dumps(body | {"note": "\ud800"}), False),  # half a surrogate pair
    (lambda body: json.dumps(without(body, "ts")), False),
    (lambda body: json.dumps(body | {"ts": None}), False),
    (lambda body: json.dumps(body | {"ts": "yesterday"}), False),
    (lambda body: json.dumps(body | {"ts": "2026-01-01T00:00:00"}), False),  # no zone
    (lambda body: json.dumps(body | {"ts": body["ts"] / 1000}), False),  # not whole
    (lambda body: json.dumps(body | {"amount": "a lot"}), True),
    (lambda body: json.dumps(body | {"amount": True}), True),
    (lambda body: json.dumps(body | {"amount": [1]}), True),
    (lambda body: json.dumps(body | {"kind": 7}), True),
]


class Mess:
    """Writes records one by one and keeps the account of what it wrote."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.offsets = [0] * PARTITIONS
        self.newest: list[int | None] = [None] * PARTITIONS  # the prefix max, in ms
        self.malformed = 0
        self.letters: list[tuple[int, int]] = []

    def body(self, user: int, ts: int) -> Body:
        cents = self.draw.randint(1, 100_000)
        amount = self.draw.choice([cents / 100, cents / 100, f"{cents / 100:.2f}", None])
        return {"user_id": f"u{user}", "kind": "purchase", "amount": amount, "ts": ts}

    def record(self, fate: str, number: int, user: int) -> dict[str, Any]:
        """One record that shall have this fate."""
        partition, at = user % PARTITIONS, START_MS + number * STEP_MS
        body = self.body(user, at - self.draw.randint(0, DISORDER_MS))
        newest, moves = self.newest[partition], fate in ("good", "filtered", "null_key")
        if fate == "filtered":
            body["kind"] = self.draw.choice(["view", "cart", "Purchase", "", None])
        elif fate == "null_key":
            body = self.draw.choice([body | {"user_id": None}, without(body, "user_id")])
        elif fate == "late":
            assert newest is not None, "a partition begins with a good record"
            body["ts"] = newest - ALLOWED_LATENESS_MS - self.draw.choice([1, self.draw.randint(1, 3_600_000)])
            body["kind"] = self.draw.choice(["purchase", "view"])
        ts = body["ts"]
        if fate in ("good", "filtered", "late") and self.draw.random() < 0.1:
            at_utc = datetime.fromtimestamp(ts // 1000, timezone.utc)
            body["ts"] = f"{at_utc:%Y-%m-%dT%H:%M:%S}.{ts % 1000:03}Z"
        value: str | None = json.dumps(body)
        if fate == "tombstone":
            value = None
        elif fate == "large":
            bytes_wanted = RECORD_BYTES_MAX + self.draw.choice([1, self.draw.randint(1, 500_000)])
            empty = json.dumps(body | {"pad": ""})
            value = json.dumps(body | {"pad": "x" * (bytes_wanted - len(empty))})
        elif fate == "malformed":
            spoil, moves = MALFORMED[self.malformed % len(MALFORMED)]
            self.malformed += 1
            value = spoil(body)
        if moves:
            self.newest[partition] = max(ts, newest or ts)
        if fate in ("late", "malformed", "null_key", "large"):
            self.letters.append((partition, self.offsets[partition]))
        self.offsets[partition] += 1
        key = {} if fate == "null_key" else {"key": f"u{user}"}
        return {"partition": partition, "timestamp": at, **key, "value": value}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=100_000, help="at least 100")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--expect", required=True, metavar="FILE")
    arguments = parser.parse_args()
    lines: int = arguments.lines
    if lines < 100:
        parser.error("--lines: at least 100, so that every kind has its place")

    # However few the lines, each kind has one. Each partition begins with a good record, and the rest is shuffled.
    counts = {kind: max(1, round(of_100_000 * lines / 100_000)) for kind, of_100_000 in KINDS.items()}
    mess = Mess(arguments.seed)
    good = lines - sum(counts.values())
    fates = [kind for kind, count in counts.items() for _ in range(count)] + ["good"] * (good - PARTITIONS)
    mess.draw.shuffle(fates)
    for number, fate in enumerate(["good"] * PARTITIONS + fates):
        user = number if number < PARTITIONS else mess.draw.randrange(USERS)
        print(json.dumps(mess.record(fate, number, user)))

    dead = counts["malformed"] + counts["null_key"] + counts["large"]
    expected = {"records": lines, "late": counts["late"], "dead_lettered": dead, "tombstones": counts["tombstone"]}
    expected |= {"unmatched": counts["filtered"], "routed": good, "letters": mess.letters}
    with open(arguments.expect, "w", encoding="utf-8") as file:
        json.dump(expected, file)
        file.write("\n")


if __name__ == "__main__":
    main()
