#!/usr/bin/env bash
# Acceptance of the spine: what a user types, and the lines it must print. Knows nothing of the code.
#
# Runs from a fresh clone: `tests/accept/spine.sh`. SEEDS=0..300 shortens the simulation, EVENTS and
# PREFILL shrink the Kafka parts; the figures that count are those of the defaults.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/checks"

SEEDS=${SEEDS:-0..2000}
RANDOM_SEEDS=${RANDOM_SEEDS:-0..1000}
EVENTS=${EVENTS:-1000000}
PREFILL=${PREFILL:-5000000}

# expect FILE TEXT...: every TEXT stands somewhere in FILE, letter by letter.
expect() {
  local file=$1; shift
  for text in "$@"; do grep -qF -- "$text" "$file" || { cat "$file" >&2; fail "missing: $text"; }; done
}
# field NAME FILE: the value of a top-level key of the JSON object on the last line.
field() { tail -n 1 "$2" | python3 -c 'import json,sys; v=json.loads(sys.stdin.read())
for k in sys.argv[1].split("."): v=v[k]
print(json.dumps(v) if isinstance(v,(dict,list)) else v)' "$1"; }
positive() { [ "$(field "$1" "$2")" -gt 0 ] || fail "$1 is not above 0 in $2"; }
zero() { [ "$(field "$1" "$2")" -eq 0 ] || fail "$1 is not 0 in $2"; }

step "1. the README's two commands in a fresh clone"
git clone --quiet . "$work/clone"
grep -qF './.ci/demo' README.md && grep -qF './.ci/test' README.md || fail "the README does not name the two commands"
(cd "$work/clone" && timeout -s INT "${DEMO_SECONDS:-900}" ./.ci/demo --for 20s) | tee "$work/demo.txt"
expect "$work/demo.txt" "spend_1h" "purchases_24h" "freshness"
(cd "$work/clone" && ./.ci/test) | tee "$work/test.txt"
grep -E '^[0-9]+ passed, 0 failed' "$work/test.txt" || fail "the test command"

cargo build --release --features plants
fg=$PWD/target/release/featuregrid

step "2. the simulation, all scenarios, $SEEDS"
"$fg" sim run all --seeds "$SEEDS" --report json | tee "$work/sim.json"
for key in violations rows_lost differing; do zero "$key" "$work/sim.json"; done
for mark in nacks stale_generation_frames misrouted_reads owner_changes activations unknown_applied unknown_lost; do
  positive "marks.$mark" "$work/sim.json"
done
"$fg" sim run all --seeds 0..3 --report json > "$work/once.json"
"$fg" sim run all --seeds 0..3 --report json > "$work/twice.json"
[ "$(field trace_hash "$work/once.json")" = "$(field trace_hash "$work/twice.json")" ] || fail "trace_hash differs"

"$fg" sim plants --report json | tee "$work/plants.json"       # every plant against its own scenario
zero uncaught "$work/plants.json"
[ "$(field plants "$work/plants.json")" -ge 30 ] || fail "too few plants"
for plant in a2_included_from a3_old_generation a6_stale_map b3_zombie_index b5_dead_owner_ahead c1_unknown_release c7_v_regresses max_offset_dedup; do
  "$fg" sim plants "$plant" --seeds "$RANDOM_SEEDS" --report json | tee "$work/plant.json"
  zero uncaught "$work/plant.json"
  printf '%s median seed %s\n' "$plant" "$(field median_seed "$work/plant.json")"
done

step "3. a real Kafka topic of $EVENTS events"
tests/kafka/broker start "$work/kafka" > "$work/broker.txt"
brokers=$(tail -n 1 "$work/broker.txt")
"$fg" demo fraud --brokers "$brokers" --topic payments --events "$EVENTS" --seed 7 --verify --report json | tee "$work/verify.json"
zero differing "$work/verify.json"
positive late "$work/verify.json"; positive dead_lettered "$work/verify.json"; positive compared "$work/verify.json"
[ "$(field accounting "$work/verify.json")" = holds ] || fail "the accounting equations"
if "$fg" demo fraud --events 20000 --seed 7 --verify --plant tail_off_by_one > "$work/plant.txt"; then fail "the plant was not caught"; fi
expect "$work/plant.txt" "view key feature as_of want got"

step "4. one digest, whatever the ranges, the order and the crashes"
digest() { "$fg" state digest "$@" --report json > "$work/digest.json"; field sha256 "$work/digest.json"; }
topic=(--definitions tests/accept/fraud.yaml --brokers "$brokers")
d64=$(digest "${topic[@]}" --data "$work/d64" --ranges 64)
d256=$(digest "${topic[@]}" --data "$work/d256" --ranges 256)
serial=$(digest "${topic[@]}" --data "$work/serial" --ranges 256 --one-partition-after-the-other)
"$fg" serve "${topic[@]}" --data "$work/served" --listen 127.0.0.1:7461 > "$work/serve1.txt" 2>&1 & pids+=($!)
sleep 2; kill -9 "${pids[-1]}"; wait "${pids[-1]}" 2>/dev/null || true
"$fg" serve "${topic[@]}" --data "$work/served" --listen 127.0.0.1:7461 > "$work/serve2.txt" 2>&1 & pids+=($!)
restarted=$(digest --address 127.0.0.1:7461 --wait 120s)
kill "${pids[-1]}"; wait "${pids[-1]}" || fail "serve did not stop cleanly"
printf '64: %s\n256: %s\nserial: %s\nrestarted: %s\n' "$d64" "$d256" "$serial" "$restarted"
[ "$d64" = "$d256" ] && [ "$d256" = "$serial" ] && [ "$serial" = "$restarted" ] || fail "the digests differ"

step "5. eval"
cat > "$work/edge.yaml" <<'YAML'
project: edge
entities:
  user: { join_keys: [user_id] }
sources:
  payments:
    kafka: { topic: payments }
    format: json
    fields: { user_id: user_id, amount: { path: amount, type: decimal(2) } }
    event_timestamp: ts
feature_views:
  spend:
    entity: user
    source: payments
    features:
      count: { count: true, windows: [5m, 1h] }
      total: { sum: amount, windows: [1h] }
YAML
echo '{"user_id":"u1","amount":10,"ts":"2026-01-01T12:00:00Z"}' > "$work/edge.jsonl"
for at in 12:00:00Z 12:00:00.000001Z 12:05:00Z 12:05:04.999999Z 12:05:05Z; do
  echo "{\"user_id\":\"u1\",\"as_of\":\"2026-01-01T$at\"}"
done > "$work/spine.jsonl"
"$fg" eval "$work/edge.yaml" --events "$work/edge.jsonl" --spine "$work/spine.jsonl" 2>/dev/null | tee "$work/eval.jsonl"
got=$(python3 -c 'import json,sys
for line in sys.stdin:
    row=json.loads(line); s=row["status"]["count_5m"]
    print("NOT_FOUND" if s=="NOT_FOUND" else row["features"]["count_5m"], end=" ")' < "$work/eval.jsonl")
[ "$got" = "NOT_FOUND 1 1 1 0 " ] || fail "count_5m was: $got"
for i in 0 1 2 3 4 5 6 7 8 9; do echo "{\"user_id\":\"u2\",\"amount\":0.1,\"ts\":\"2026-01-01T12:00:0${i}Z\"}"; done > "$work/tenths.jsonl"
echo '{"user_id":"u2","as_of":"2026-01-01T12:01:00Z"}' > "$work/tenths.spine"
"$fg" eval "$work/edge.yaml" --events "$work/tenths.jsonl" --spine "$work/tenths.spine" 2>/dev/null | tee "$work/tenths.out"
expect "$work/tenths.out" '"total_1h":1}'
cat > "$work/wrong.yaml" <<'YAML'
project: wrong
entities:
  user: { join_keys: [user_id] }
sources:
  payments:
    kafka: { topic: payments }
    format: jsonn
    fields: { user_id: user_id, amount: { path: amount, type: decimal(99) } }
    event_timestamp: ts
feature_views:
  spend:
    entity: usr
    source: payments
    features:
      total: { sum: amount, windows: [5q] }
      big: { count: true, where: amount >> 3, windows: [1h] }
YAML
if "$fg" eval "$work/wrong.yaml" --events "$work/edge.jsonl" --spine "$work/spine.jsonl" 2> "$work/wrong.txt"; then fail "wrong.yaml was accepted"; fi
cat "$work/wrong.txt"
expect "$work/wrong.txt" "wrong.yaml:7:13" "wrong.yaml:8:63" "wrong.yaml:12:13" "wrong.yaml:15:39" "wrong.yaml:16:41"

step "6. bench memory: one hot key over thirty days"
"$fg" bench memory --keys 1 --events 10000000 --span 30d --report json | tee "$work/memory.json"
[ "$(field bytes_per_entity "$work/memory.json")" -le 24576 ] || fail "bytes_per_entity"

step "7. bench ingest and fold, beside their limits"
"$fg" bench ingest --brokers "$brokers" --events "$PREFILL" --report json | tee "$work/ingest.json"
positive events "$work/ingest.json"
"$fg" bench fold --report json | tee "$work/fold.json"

printf '\nspine: every check held\n'
