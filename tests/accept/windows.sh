#!/usr/bin/env bash
# Acceptance of the window engine: what a user types, and the lines it must print. Knows nothing of the code.
#
# Runs from a fresh clone: `tests/accept/windows.sh`. COMPARED, EVENTS and KEYS shrink it; the figures that count are those
# of the defaults.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/checks"

COMPARED=${COMPARED:-1000000}
EVENTS=${EVENTS:-100000000}
KEYS=${KEYS:-1000000}
FOLD_KEYS=${FOLD_KEYS:-10000,1000000,5000000}

cargo build --release --features plants
cargo build --features plants
fg=$PWD/target/release/featuregrid

step "1. every operator over every window, from a definition to a client of a running node"
"$fg" ops --markdown > "$work/ops.md"
diff "$work/ops.md" protocol/OPERATORS.md || fail "protocol/OPERATORS.md is not what ops --markdown prints"
tail -n 1 "$work/ops.md"
"$fg" ops --verify --report json | tee "$work/ops.json"
same "operators by windows that were tested" "$(ask 'it["tested"]' "$work/ops.json")" "$(ask 'it["cells"]' "$work/ops.json")"
same "values that differ" "$(ask 'it["differing"]' "$work/ops.json")" 0
[ "$(ask 'it["late"] > 0 and it["restarts"] > 0' "$work/ops.json")" = True ] || fail "no late data, or no restart"

step "2. random definitions, events and orders against the oracle, debug and release"
for build in debug release; do
  "target/$build/featuregrid" sim windows --compare "$COMPARED" --seed 7 --report json | tee "$work/windows-$build.json"
  same "differing ($build)" "$(ask 'it["differing"]' "$work/windows-$build.json")" 0
  [ "$(ask "it['compared'] >= $COMPARED" "$work/windows-$build.json")" = True ] || fail "too few values were compared"
done
same "one trace" "$(ask 'it["trace_hash"]' "$work/windows-debug.json")" "$(ask 'it["trace_hash"]' "$work/windows-release.json")"

step "3. what was served is what training reproduces"
"$fg" sim served --seed 7 --out "$work/served" --report json | tee "$work/served.json"
[ "$(ask 'it["late_corrections"] > 0 and it["restarts"] > 0' "$work/served.json")" = True ] || fail "nothing was late, or nothing restarted"
for known in as-known as-happened; do
  "$fg" training-set "$work/served/definitions.yaml" --events "$work/served/events.parquet" --spine "$work/served/spine.jsonl" \
    --known "$known" --compare "$work/served/$known.jsonl" -o "$work/$known.parquet" --report json | tee "$work/$known.json"
  same "differing ($known)" "$(ask 'it["differing"]' "$work/$known.json")" 0
  same "rows ($known)" "$(ask 'it["rows"]' "$work/$known.json")" "$(ask 'it["served"]' "$work/served.json")"
done

step "4. exact to the last bit"
cat > "$work/exact.yaml" <<'YAML'
project: exact
entities:
  user: { join_keys: [user_id] }
sources:
  events:
    kafka: { topic: events }
    format: json
    fields: { user_id: user_id, tenth: { path: tenth, type: decimal(2) }, large: { path: large, type: int } }
    event_timestamp: ts
feature_views:
  exact:
    entity: user
    source: events
    features:
      tenths: { sum: tenth, window: 1h }
      variance: { variance: large, window: 1h }
      sample: { variance_sample: large, window: 1h }
      total: { sum: large, window: 1h }
      sessions: { count: true, window: session 30s }
YAML
python3 - "$work" <<'PY'
import json, sys
work = sys.argv[1]
line = lambda user, second, **values: json.dumps({"user_id": user, "ts": 1767225600000 + second * 1000, **values})
events = [line("tenths", n, tenth="0.10") for n in range(10)]
events += [line("spread", n, large=10**9 + v) for n, v in enumerate((4, 7, 13, 16))]
events += [line("spike", n, large=v) for n, v in enumerate((1, 300000000, 2))]
events += [line("bad", 0, large=1), '{"user_id":"bad","ts":1767225601000,"large":1e400}', line("bad", 2, large=2)]
events += [line("session", s) for s in (0, 50, 25)]
open(f"{work}/exact.jsonl", "w").write("\n".join(events) + "\n")
spine = [{"user_id": user, "as_of": "2026-01-01T00:00:51Z"} for user in ("tenths", "spread", "spike", "bad", "session")]
open(f"{work}/exact-spine.jsonl", "w").write("\n".join(map(json.dumps, spine)) + "\n")
PY
"$fg" eval "$work/exact.yaml" --events "$work/exact.jsonl" --spine "$work/exact-spine.jsonl" > "$work/exact.out"
same "ten tenths" "$(ask 'lines[0]["features"]["tenths"]' "$work/exact.out")" 1
same "population variance" "$(ask 'lines[1]["features"]["variance"]' "$work/exact.out")" 22.5
same "sample variance" "$(ask 'lines[1]["features"]["sample"]' "$work/exact.out")" 30.0
same "a spike stays" "$(ask 'lines[2]["features"]["total"]' "$work/exact.out")" 300000003
same "what is no number leaves others alone" "$(ask 'lines[3]["features"]["total"]' "$work/exact.out")" 3
same "and is said" "$(ask 'lines[3]["flags"]["total"]' "$work/exact.out")" '["inexact_input"]'
same "a late event bridges two sessions" "$(ask 'lines[4]["features"]["sessions"]' "$work/exact.out")" 3

step "5. figures beside their limits"
"$fg" bench fold --keys "$FOLD_KEYS" --report json | tee "$work/fold.json"
"$fg" bench windows --report json | tee "$work/windows.json"
"$fg" bench memory --keys "$KEYS" --events "$EVENTS" --zipf 1.0 --span 30d --report json | tee "$work/memory.json"
[ "$(ask 'it["count_and_sum_bytes_per_entity"] <= 1700 and it["full_bytes_per_entity"] <= 5000' "$work/memory.json")" = True ] \
  || fail "an entity takes more than its limit"
"$fg" bench training --report json | tee "$work/training.json"

printf '\nwindows: every check held\n'
