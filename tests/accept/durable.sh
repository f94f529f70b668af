#!/usr/bin/env bash
# Acceptance of durable state: what a user types, and the lines it must print. Knows nothing of the code.
#
# Runs from a fresh clone: `tests/accept/durable.sh`. ROUNDS, KILLS, SEEDS, EVENTS and ENTITIES shrink it; the figures that
# count are those of the defaults. The long form is `KILLS=200 tests/accept/durable.sh`.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/checks"

ROUNDS=${ROUNDS:-1000}
KILLS=${KILLS:-20}
SEEDS=${SEEDS:-2000}
EVENTS=${EVENTS:-400000}
ENTITIES=${ENTITIES:-1000000}

peer() { tests/peers/run "$@"; }
serve() { "$fg" serve --listen "$address" --feast off --metrics off "$@" >> "$work/serve.txt" 2>&1 & pids+=($!); }
crash() { kill -9 "${pids[-1]}"; wait "${pids[-1]}" 2>/dev/null || true; unset 'pids[-1]'; }
# caught_up: waits until everything the log holds is applied.
caught_up() { "$fg" state digest --address "$address" --wait 300s --report json > "$work/digest.json"; }
status() { "$fg" status --address "$address" -o json > "$work/status.json"; }

cargo build --release --features plants
fg=$PWD/target/release/featuregrid
address=127.0.0.1:7481
tests/kafka/broker start "$work/kafka" > "$work/broker.txt"
brokers=$(tail -n 1 "$work/broker.txt")
tests/s3/server start "$work/s3" > "$work/s3.txt"
. "$work/s3/environment" # AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, BUCKET

step "1. a store that keeps conditions, and one that does not"
"$fg" selftest store --store "s3://$BUCKET/selftest" --writers 16 --rounds "$ROUNDS" | tee "$work/selftest.txt"
for condition in absent etag; do
  grep -qx "$condition: winners_per_round=1 ($ROUNDS/$ROUNDS)" "$work/selftest.txt" || fail "winners ($condition)"
done
python3 tests/s3/careless.py > "$work/careless.txt" & pids+=($!)
until grep -q http "$work/careless.txt"; do sleep 0.1; done
if AWS_ENDPOINT_URL=$(cat "$work/careless.txt") timeout 60 "$fg" serve --definitions tests/accept/fraud.yaml \
  --data "$work/careless" --store "s3://$BUCKET" --listen "$address" --feast off --metrics off 2> "$work/refused.txt"; then
  fail "a store that ignores conditions was taken"
fi
grep -q 'ignores conditions' "$work/refused.txt" || fail "it was not said why: $(cat "$work/refused.txt")"
crash

step "2. $KILLS kill -9 of a node while events flow and clients read"
"$fg" demo fraud --verify --kills "$KILLS" --events "$EVENTS" --brokers "$brokers" --topic killed --store "s3://$BUCKET/killed" \
  --data "$work/killed" --report json | tee "$work/kills.json"
[ "$(ask "it['kills'] >= $KILLS and it['crash_points']['in_upload'] * 5 >= $KILLS and it['crash_points']['upload_to_cas'] * 7 >= $KILLS and it['crash_points']['cas_to_commit'] * 7 >= $KILLS and it['crash_points']['in_recovery'] * 7 >= $KILLS" "$work/kills.json")" = True ] \
  || fail "some crash point was met too rarely"
same "differing" "$(ask 'it["differing"]' "$work/kills.json")" 0
same "token regressions" "$(ask 'it["token_regressions"]' "$work/kills.json")" 0
same "accounting" "$(ask 'it["records"] == it["late"] + it["dead_lettered"] + it["tombstones"] + it["unmatched"] + it["routed"]' "$work/kills.json")" True

step "3. what the topic has forgotten, damage, and another topic of the name"
topic=(--definitions tests/accept/fraud.yaml --brokers "$brokers" --store "s3://$BUCKET/kept" --snapshot-interval 2s)
"$fg" produce payments --brokers "$brokers" --create 4 --events "$EVENTS" --seed 3
serve "${topic[@]}" --data "$work/kept"
caught_up; cp "$work/digest.json" "$work/before.json"
"$fg" snapshot wait --address "$address" --wait 60s
"$fg" snapshot ls --store "s3://$BUCKET/kept" -o json > "$work/snapshots.jsonl"
crash
peer kafka delete-records "$brokers" payments --durable "$work/snapshots.jsonl"
mv "$work/kept" "$work/lost"
serve "${topic[@]}" --data "$work/kept"
caught_up; status
same "state from the store alone" "$(ask 'it["sha256"]' "$work/digest.json")" "$(ask 'it["sha256"]' "$work/before.json")"
ask '"recovery: from=%s replayed_records=%d" % (it["recovery"]["from"], it["recovery"]["replayed_records"])' "$work/status.json"
same "recovered from" "$(ask 'it["recovery"]["from"]' "$work/status.json")" manifest
[ "$(ask "it['recovery']['replayed_records'] < $EVENTS / 10" "$work/status.json")" = True ] || fail "too much was replayed"
"$fg" snapshot verify --store "s3://$BUCKET/kept" | tee "$work/verify.txt"
grep -q 'damaged=0' "$work/verify.txt" || fail "a good snapshot was called damaged"
crash
part=$(find "$work/s3/data/$BUCKET/kept/part" -type f -size +4k | sort | head -n 1)
python3 -c 'import sys; f=open(sys.argv[1],"r+b"); f.seek(300); b=f.read(1); f.seek(300); f.write(bytes([b[0]^1]))' "$part"
if "$fg" snapshot verify --store "s3://$BUCKET/kept" > "$work/damaged.txt" 2>&1; then fail "damage was not noticed"; fi
grep "$(basename "$part")" "$work/damaged.txt" | grep -q checksum || fail "damage is not named: $(cat "$work/damaged.txt")"
mv "$work/kept" "$work/lost-again"
if timeout 120 "$fg" serve "${topic[@]}" --data "$work/kept" --listen "$address" --feast off --metrics off 2> "$work/damage.txt"; then
  fail "a node served a damaged state"
fi
grep -q checksum "$work/damage.txt" || fail "the node did not say what is damaged"
python3 -c 'import sys; f=open(sys.argv[1],"r+b"); f.seek(300); b=f.read(1); f.seek(300); f.write(bytes([b[0]^1]))' "$part"
serve "${topic[@]}" --data "$work/kept"
caught_up
peer kafka recreate "$brokers" payments --partitions 4
"$fg" produce payments --brokers "$brokers" --events 1000 --seed 4
for _ in $(seq 100); do
  status
  [ "$(ask 'all(p["halted"] for p in it["partitions"])' "$work/status.json")" = True ] && break
  sleep 0.1
done
same "every partition has halted" "$(ask 'all("created again" in p["halted"] for p in it["partitions"])' "$work/status.json")" True
"$fg" get user_spend user_id=u1 --address "$address" -o json > "$work/first.json"
sleep 2
"$fg" get user_spend user_id=u1 --address "$address" -o json > "$work/second.json"
[ "$(ask 'it["staleness_ms"]' "$work/second.json")" -gt "$(ask 'it["staleness_ms"]' "$work/first.json")" ] || fail "staleness does not grow"
crash

step "4. every outcome of a conditional write, simulated"
"$fg" sim run durable --seeds "0..$SEEDS" --report json | tee "$work/sim.json"
same "violations" "$(ask 'it["violations"]' "$work/sim.json")" 0
ask '"cas: done=%(done)d lost=%(lost)d conflict409=%(conflict409)d unknown_applied=%(unknown_applied)d unknown_lost=%(unknown_lost)d" % it["cas"]' "$work/sim.json"
[ "$(ask 'all(it["cas"][o] > 0 for o in ("done","lost","conflict409","unknown_applied","unknown_lost"))' "$work/sim.json")" = True ] \
  || fail "an outcome was never met"
"$fg" sim plants | tee "$work/plants.txt"
grep -q 'uncaught 0' "$work/plants.txt" || fail "a planted bug was not caught"

step "5. a minute without the store"
outage=(--definitions tests/accept/fraud.yaml --brokers "$brokers" --store "s3://$BUCKET/outage" --snapshot-interval 5s)
"$fg" produce payments --brokers "$brokers" --topic outage --create 4 --rate 2000/s > "$work/produced.txt" 2>&1 & pids+=($!)
sed 's/topic: .*/topic: outage }/' tests/accept/fraud.yaml > "$work/outage.yaml"
outage[1]=$work/outage.yaml
serve "${outage[@]}" --data "$work/outage"
"$fg" snapshot wait --address "$address" --wait 60s
tests/s3/server pause "$work/s3"
sleep 60
status; cp "$work/status.json" "$work/during.json"
same "alarmed" "$(ask 'it["durability"]["alarm"]' "$work/during.json")" True
[ "$(ask 'it["durability"]["debt_bytes"] <= it["durability"]["debt_bytes_max"] and max(p["lag"] for p in it["partitions"]) < 20000' "$work/during.json")" = True ] \
  || fail "debt is not bounded, or folding stopped"
"$fg" get user_spend user_id=u1 --address "$address" -o json > /dev/null || fail "reads stopped"
tests/s3/server resume "$work/s3"
"$fg" snapshot wait --address "$address" --wait 60s
status
same "caught up" "$(ask 'it["durability"]["alarm"]' "$work/status.json")" False
crash
kill "${pids[-1]}"; unset 'pids[-1]'

step "6. event history"
peer history "$work/s3/data/$BUCKET/kept/history" "$work/before.json" --definitions tests/accept/fraud.yaml | tee "$work/history.json"
same "DuckDB and the oracle differ" "$(ask 'it["differing"]' "$work/history.json")" 0
"$fg" sim served --seed 7 --out "$work/served" --history "s3://$BUCKET/served" --report json | tee "$work/served.json"
for known in as-known as-happened; do
  "$fg" training-set "$work/served/definitions.yaml" --events "s3://$BUCKET/served" --spine "$work/served/spine.jsonl" \
    --known "$known" --compare "$work/served/$known.jsonl" -o "$work/$known.parquet" --report json | tee "$work/$known.json"
  same "differing ($known)" "$(ask 'it["differing"]' "$work/$known.json")" 0
done

step "7. figures beside their limits"
"$fg" bench durable --entities "$ENTITIES" --store "s3://$BUCKET/bench" --report json | tee "$work/durable.json"
[ "$(ask 'it["ingest_cpu_ratio"] <= 1.1 and it["snapshot_stall_ms"]["p99"] <= 5 and it["read_p99_ratio"] <= 1.5' "$work/durable.json")" = True ] \
  || fail "a figure misses its limit"

printf '\ndurable: every check held\n'
