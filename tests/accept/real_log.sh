#!/usr/bin/env bash
# Acceptance of the real log: what a user types, and the lines it must print. Knows nothing of the code.
#
# Runs from a fresh clone: `tests/accept/real_log.sh`. LINES_COUNT, IDS, PREFILL and FOLD_KEYS shrink it; the figures that
# count are those of the defaults. Step 7 of the issue, the picture of the demo, is looked at by a person.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/checks"

LINES_COUNT=${LINES_COUNT:-100000}
IDS=${IDS:-5000000}
PREFILL=${PREFILL:-5000000}
FOLD_KEYS=${FOLD_KEYS:-10000,1000000,5000000}

peer() { tests/peers/run "$@"; }
serve() { "$fg" serve --listen "$address" --feast "$feast" "$@" >> "$work/serve.txt" 2>&1 & pids+=($!); }
stop() { kill "${pids[-1]}"; wait "${pids[-1]}" || fail "serve did not stop cleanly"; unset 'pids[-1]'; }
# caught_up: waits until everything the log holds is applied.
caught_up() { "$fg" state digest --address "$address" --wait 300s --report json > "$work/digest.json"; }
status() { "$fg" status --address "$address" -o json > "$work/status.json"; }

cargo build --release --features plants
fg=$PWD/target/release/featuregrid
address=127.0.0.1:7471
feast=127.0.0.1:6576
tests/kafka/broker start "$work/kafka" > "$work/broker.txt"
brokers=$(tail -n 1 "$work/broker.txt")

step "1. lateness by partition prefix; a record from the future"
peer kafka create "$brokers" prefix --partitions 2 --config message.timestamp.type=CreateTime
python3 - > "$work/prefix.jsonl" <<'PY'
import json
base = 1767225600  # 2026-01-01T00:00:00Z
def line(partition, second, ahead=0):
    at = base + second
    value = {"user_id": f"u{partition}", "amount": 1, "ts": (at + ahead) * 1000}
    print(json.dumps({"partition": partition, "timestamp": at * 1000, "value": json.dumps(value)}))
for second in (100, 400, 99, 100, 900, 600, 599):
    line(0, second)
line(1, 99)
line(1, 100, ahead=7200)
for n in range(1000):
    line(1, 101 + n % 7)
PY
peer kafka produce "$brokers" prefix < "$work/prefix.jsonl"
topic=(--definitions tests/accept/prefix.yaml --brokers "$brokers")
for order in "" --one-partition-after-the-other; do
  rm -rf "$work/prefix"
  serve "${topic[@]}" --data "$work/prefix" $order
  caught_up; status
  "$fg" dlq ls --address "$address" -o json > "$work/letters.jsonl"
  stop
  same "late of p0" "$(ask 'it["partitions"][0]["late"]' "$work/status.json")" 2
  same "late of p1" "$(ask 'it["partitions"][1]["late"]' "$work/status.json")" 0
  same "dead of p1" "$(ask 'it["partitions"][1]["dead_lettered"]' "$work/status.json")" 1
  same "routed of p1" "$(ask 'it["partitions"][1]["routed"]' "$work/status.json")" 1001
  same "letters" "$(ask 'sorted([l["partition"],l["offset"],l["reason"]] for l in lines)' "$work/letters.jsonl")" \
    '[[0, 2, "late"], [0, 6, "late"], [1, 1, "future"]]'
done

step "2. $LINES_COUNT lines with every kind of mess, and five kill -9"
peer kafka create "$brokers" messy --partitions 4 --config max.message.bytes=12000000
peer mess --lines "$LINES_COUNT" --seed 7 --expect "$work/expected.json" > "$work/messy.jsonl"
peer kafka produce "$brokers" messy < "$work/messy.jsonl"
messy=(--definitions tests/accept/messy.yaml --brokers "$brokers" --data "$work/messy-data" --dead-letters messy.dlq)
for pause in 0.3 0.7 0.2 1.1 0.5; do
  serve "${messy[@]}"; sleep "$pause"; kill -9 "${pids[-1]}"; wait "${pids[-1]}" 2>/dev/null || true
done
serve "${messy[@]}"
caught_up; status
same "accounting" "$(ask 'it["accounting"]' "$work/status.json")" holds
for count in records late dead_lettered tombstones unmatched routed; do
  same "$count" "$(ask "sum(p['$count'] for p in it['partitions'])" "$work/status.json")" "$(ask "it['$count']" "$work/expected.json")"
done
peer kafka consume "$brokers" messy.dlq > "$work/dlq.jsonl"
same "dead letters by name" \
  "$(ask 'sorted(set((int(l["headers"]["__connect.errors.partition"]),int(l["headers"]["__connect.errors.offset"])) for l in lines)).__repr__()' "$work/dlq.jsonl")" \
  "$(ask 'sorted(tuple(p) for p in it["letters"]).__repr__()' "$work/expected.json")"
"$fg" dlq replay --address "$address" --reason late --dry-run -o json > "$work/dry.json"
same "dry run" "$(ask 'it["would_replay"]' "$work/dry.json")" "$(ask 'it["late"]' "$work/expected.json")"
stop

step "3. push: features before and after an event; one id counts once"
serve --definitions tests/accept/push.yaml --data "$work/push"
caught_up
# A user who was seen this morning: for one that was never seen "before" is NOT_FOUND, not 0.
"$fg" push payments '{"user_id":"u1","id":"morning","amount":5,"ts":"2026-01-01T10:00:00Z"}' --address "$address" > /dev/null
at() { printf '{"user_id":"u1","id":"%s","amount":5,"ts":"2026-01-01T12:00:00.%sZ"}' "$1" "$2"; }
push() { "$fg" push payments "$(at "$@")" --features spend --address "$address" -o json > "$work/push.json"; ask '[it["before"]["count_1h"],it["after"]["count_1h"]]' "$work/push.json"; }
same "push .20" "$(push a 20)" "[0, 1]"
same "push .40" "$(push b 40)" "[1, 2]"
same "push .70" "$(push c 70)" "[2, 3]"
same "push .50" "$(push d 50)" "[2, 3]"
same "the same id again" "$(push d 50)" "[2, 3]"
status
same "duplicates" "$(ask 'it["views"][0]["duplicate"]' "$work/status.json")" 1
stop
"$fg" bench memory --ids "$IDS" --report json | tee "$work/ids.json"
[ "$(ask 'it["growth_after_horizon"] < 0.05' "$work/ids.json")" = True ] || fail "ids are kept after their horizon"

step "4. a stalled shard pauses the consumer"
serve --definitions tests/accept/fraud.yaml --brokers "$brokers" --data "$work/stalled" --plant stalled_shard
"$fg" produce payments --brokers "$brokers" --topic payments --count 300000 --create 4 -o json | tee "$work/produced.json"
caught_up; status
stop
same "nothing is lost" "$(ask 'sum(p["records"] for p in it["partitions"])' "$work/status.json")" 300000
same "accounting" "$(ask 'it["accounting"]' "$work/status.json")" holds
grep -q 'consumption paused' "$work/serve.txt" || fail "no pause in the log"
grep -q 'consumption resumed' "$work/serve.txt" || fail "no resume in the log"

step "5. an unmodified Feast client reads through 6566"
serve --definitions tests/accept/fraud.yaml --brokers "$brokers" --data "$work/feast"
caught_up
peer feast --path "http://$feast" --users 50 --featuregrid "$fg" --address "$address" | tee "$work/feast.json"
same "values that differ" "$(ask 'it["differing"]' "$work/feast.json")" 0
same "unknown, null and composite keys" "$(ask 'it["odd_keys"]' "$work/feast.json")" "as expected"
stop

step "6. bench ingest, fold and read"
"$fg" bench ingest --brokers "$brokers" --events "$PREFILL" --report json | tee "$work/ingest.json"
[ "$(ask 'it["ratio"] <= 4' "$work/ingest.json")" = True ] || fail "bench ingest: more than 4 times the plain loop"
"$fg" bench fold --keys "$FOLD_KEYS" --report json | tee "$work/fold.json"
"$fg" bench read --report json | tee "$work/read.json"
for case in 1x30 50x60 1000x10; do
  for load in alone ingesting; do ask "it['$load']['$case']" "$work/read.json"; done
done
ask 'it["redis_mget_1000x10"]' "$work/read.json"

printf '\nreal_log: every check held\n'
