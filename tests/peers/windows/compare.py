"""Our windows beside another engine's: DuckDB's RANGE frames, Flink's TUMBLE and HOP written as SQL, days of a time zone,
sessions as gaps and islands, the last events as ranks.

    compare.py [--featuregrid PROGRAM] [--events N] [--asked N] [--seed S]

Random events go through `featuregrid eval`; the same events and instants go into DuckDB, which knows nothing of tiles. A line
for each definition says how many values were compared and how many differ; the exit code is 1 if one does. What is and is
not comparable: README.md beside this file.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

# The last weekend of October in Berlin lies within: a day of 25 hours.
START = datetime(2026, 10, 23, tzinfo=timezone.utc)
DAYS = 4
USERS = 12
DISORDER = timedelta(minutes=20)
MICROS = 1_000_000

# Name, seconds, seconds of its hop.
ROLLING = [("1m", 60, 1), ("10m", 600, 5), ("1h", 3600, 60), ("24h", 86_400, 1800)]
# Those that are also asked for with `hop: exact`: with a minute an entity could be too large, so late may events be here.
EXACT = ROLLING[1:]
# Name of the result, seconds of the window, seconds of its slide.
FLINK = [("last_tumbling_5m", 300, 300), ("last_tumbling_1h", 3600, 3600), ("last_tumbling_1d", 86_400, 86_400),
         ("hopping_1h", 3600, 900), ("hopping_1d", 86_400, 3600)]
CURRENT = [("tumbling_5m", 300), ("tumbling_1h", 3600)]
# A gap, and how far back sessions are looked for, on the hop of such a gap; so many last events. In seconds.
GAP, WITHIN, SESSION_HOP, LAST = 300, 6 * 3600, 60, 10

# Our operator, and what SQL says of the rows `{f}`. Amounts are whole cents (`c`), `o` is the place of a row in the total
# order. A quotient of two whole numbers below 2^53 is rounded once, as ours is.
OPERATORS = {
    "count": "count(c) {f}",
    "sum": "coalesce(sum(c) {f}, 0)",
    "min": "min(c) {f}",
    "max": "max(c) {f}",
    "mean": "(sum(c) {f})::DOUBLE / (100 * nullif(count(c) {f}, 0))::DOUBLE",
    "variance": "var_pop(c / 100.0::DOUBLE) {f}",
    "variance_sample": "var_samp(c / 100.0::DOUBLE) {f}",
    "first": "arg_min(c, o) {f}",
    "last": "arg_max(c, o) {f}",
    "median": "quantile_disc(c, 0.5) {f}",
    "distinct_count": "count(DISTINCT c) {f}",
}
DIFFERENT = list(OPERATORS).index("distinct_count")
CENTS = {"sum", "min", "max", "first", "last", "median"}


def definitions() -> str:
    windows = [name for name, _, _ in ROLLING] + ["tumbling 5m", "tumbling 1h", "tumbling 5m last", "tumbling 1h last",
               "tumbling 1d last", "hopping 1h every 15m", "hopping 1d every 1h", "calendar day Europe/Berlin",
               "calendar day Europe/Berlin last", "lifetime", f"last {LAST}", "session 5m within 6h", "session 5m within 6h last"]
    # count(c) of SQL counts what is not null.
    of = lambda name: 'true, where: "!is_null(amount)"' if name == "count" else "amount"
    features = "".join(f"      {name}: {{ {name}: {of(name)}, windows: [{', '.join(windows)}] }}\n" for name in OPERATORS)
    exact = ", ".join(name for name, _, _ in EXACT)
    features += "".join(
        f"      {name}_exact: {{ {name}: {of(name)}, windows: [{exact}], hop: exact }}\n" for name in OPERATORS)
    return f"""project: peers
entities:
  user: {{ join_keys: [user_id] }}
sources:
  payments:
    kafka: {{ topic: payments }}
    format: json
    fields: {{ user_id: user_id, amount: {{ path: amount, type: decimal(2) }} }}
    event_timestamp: ts
    allowed_lateness: 40m
feature_views:
  spend:
    entity: user
    source: payments
    features:
{features}"""


def written(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def draw(seed: int, events: int, asked: int) -> tuple[list[tuple[str, datetime, int | None]], list[tuple[str, datetime]]]:
    """Events in order of arrival, some of them on the edges of windows; and questions, most of them beside an event."""
    dice = random.Random(seed)
    users = [f"u{n}" for n in range(USERS)]
    weights = [1 / (1 + n) for n in range(USERS)]
    clock, lines = START, []
    for _ in range(events):
        clock += timedelta(microseconds=dice.randrange(2 * DAYS * 86_400_000_000 // events))
        ts = clock - DISORDER * dice.random() ** 4
        if dice.random() < 0.2:  # on an edge
            step = dice.choice([1, 60, 300])
            ts = START + timedelta(seconds=(ts - START) // timedelta(seconds=step) * step)
        ts = max(ts, START)
        cents = None if dice.random() < 0.03 else dice.choice([dice.randrange(-500, 500), dice.randrange(10**9)])
        lines.append((dice.choices(users, weights)[0], ts, cents))
    questions = []
    for _ in range(asked):
        user, ts, _ = dice.choice(lines)
        width = timedelta(seconds=dice.choice([0] + [seconds for _, seconds, _ in ROLLING]))
        near = ts + width + timedelta(microseconds=dice.choice([-1, 0, 1, dice.randrange(10**9)]))
        questions.append((user if dice.random() < 0.9 else "nobody", near))
    return lines, questions


def ours(program: str, lines: list[Any], questions: list[Any]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        (at / "definitions.yaml").write_text(definitions())
        payload = lambda user, ts, cents: {"user_id": user, "ts": written(ts)} | (
            {} if cents is None else {"amount": f"{'-' * (cents < 0)}{abs(cents) // 100}.{abs(cents) % 100:02}"})
        (at / "events.jsonl").write_text("".join(json.dumps(payload(*line)) + "\n" for line in lines))
        row = lambda user, as_of: json.dumps({"user_id": user, "as_of": written(as_of)})
        (at / "spine.jsonl").write_text("".join(row(*question) + "\n" for question in questions))
        done = subprocess.run([program, "eval", at / "definitions.yaml", "--events", at / "events.jsonl",
                               "--spine", at / "spine.jsonl"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"windows: {program} eval failed:\n{done.stderr}")
    print(done.stderr.strip())
    if f"routed {len(lines)}\n" not in done.stderr:
        sys.exit("windows: not every event was taken, so the engines would not see the same ones")
    # A number as it is written: 0.1 is ten cents.
    return [json.loads(line, parse_float=str) for line in done.stdout.splitlines()]


class Peer:
    """The same events in DuckDB."""

    def __init__(self, lines: list[Any], questions: list[Any]) -> None:
        self.sql = duckdb.connect()
        self.sql.execute("SET TimeZone = 'UTC'")
        self.sql.execute("CREATE TABLE events (u VARCHAR, ts TIMESTAMP, c BIGINT, o BIGINT)")
        self.sql.execute("CREATE TABLE asked (q BIGINT, u VARCHAR, t TIMESTAMP)")
        bare = lambda at: at.replace(tzinfo=None)
        order = sorted(range(len(lines)), key=lambda at: (lines[at][1], at))
        place = {at: n for n, at in enumerate(order)}
        self.fill("events", [(u, bare(ts), c, place[at]) for at, (u, ts, c) in enumerate(lines)])
        self.fill("asked", [(n, u, bare(t)) for n, (u, t) in enumerate(questions)])

    def fill(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        columns = [list(column) for column in zip(*rows)]
        self.sql.execute(f"INSERT INTO {table} SELECT {', '.join('unnest(?)' for _ in columns)}", columns)

    def rows(self, query: str) -> dict[int, tuple[Any, ...]]:
        return {row[0]: row[1:] for row in self.sql.execute(query).fetchall()}

    def framed(self, seconds: int, hop: int | None) -> dict[int, tuple[Any, ...]]:
        """SQL's own rolling window: questions stand among the events as rows without an amount.

        A RANGE frame cannot round its tail, so only instants on a hop are asked: there nothing is to be rounded. And of one
        microsecond after an instant on a hop, where the frame is the one that SQL means by CURRENT ROW. Without a hop all are
        asked, at the instant."""
        frame = f"""OVER (PARTITION BY u ORDER BY ts RANGE BETWEEN INTERVAL {seconds} SECOND PRECEDING AND {{}})"""
        found = {}
        for late, end in [(0, "INTERVAL 1 MICROSECOND PRECEDING"), (1, "CURRENT ROW")][:2 if hop else 1]:
            values = ", ".join(text.format(f=frame.format(end)) for text in OPERATORS.values())
            found |= self.rows(f"""
                WITH merged AS (
                  SELECT NULL AS q, u, ts, c, o FROM events
                  UNION ALL SELECT q, u, t - INTERVAL {late} MICROSECOND, NULL, NULL FROM asked
                  WHERE (epoch_us(t) - {late}) % {hop * MICROS if hop else 1} = 0)
                SELECT * FROM (SELECT q, {values} FROM merged) WHERE q IS NOT NULL""")
        return found

    def where(self, condition: str, source: str = "events") -> dict[int, tuple[Any, ...]]:
        values = ", ".join(text.format(f="") for text in OPERATORS.values())
        return self.rows(f"""
            SELECT q, {values} FROM asked LEFT JOIN (SELECT * FROM {source}) e ON e.u = asked.u AND {condition} GROUP BY q""")

    def last(self, most: int) -> dict[int, tuple[Any, ...]]:
        """Of all events before an instant that have an amount, the last ones in the total order."""
        values = ", ".join(text.format(f="") for text in OPERATORS.values())
        return self.rows(f"""
            SELECT q, {values} FROM (
              SELECT q, c, o, row_number() OVER (PARTITION BY q ORDER BY o DESC) AS nth
              FROM asked LEFT JOIN events e ON e.u = asked.u AND ts < t AND c IS NOT NULL)
            WHERE nth <= {most} GROUP BY q""")

    def session(self, ago: int) -> dict[int, tuple[Any, ...]]:
        """Gaps and islands: an event more than a gap after the one before it begins a session. The one under way is so many
        before the newest, which is under way itself as long as it is no older than the gap; else it has none."""
        values = ", ".join(text.format(f="") for text in OPERATORS.values())
        begin = f"epoch_us(t) - {WITHIN * MICROS} - (epoch_us(t) - {WITHIN * MICROS}) % {SESSION_HOP * MICROS}"
        return self.rows(f"""
            WITH seen AS (
              SELECT q, t, ts, c, o, coalesce(ts - lag(ts) OVER w > INTERVAL {GAP} SECOND, FALSE)::INT AS begins
              FROM asked JOIN events e ON e.u = asked.u AND ts < t AND epoch_us(ts) >= {begin}
              WINDOW w AS (PARTITION BY q ORDER BY o)),
            numbered AS (SELECT *, sum(begins) OVER (PARTITION BY q ORDER BY o) AS nth FROM seen),
            newest AS (
              SELECT q, max(nth) + (max(ts) < any_value(t) - INTERVAL {GAP} SECOND)::INT - {ago} AS nth
              FROM numbered GROUP BY q)
            SELECT asked.q, {values} FROM asked LEFT JOIN newest USING (q) LEFT JOIN numbered USING (q, nth) GROUP BY asked.q""")

    def flink(self, size: int, slide: int) -> dict[int, tuple[Any, ...]]:
        """Each event is copied into every window [start, start + size) with a start on the slide, as Flink assigns it; of the
        windows that a watermark at the instant has closed, the one that closed last."""
        windows = f"""
            events, (SELECT unnest(range({size // slide})) AS n),
            LATERAL (SELECT epoch_us(ts) - epoch_us(ts) % {slide * MICROS} - n * {slide * MICROS} AS start)
            WHERE start > epoch_us(ts) - {size * MICROS}"""
        closed = f"start + {size * MICROS} = epoch_us(t) - epoch_us(t) % {slide * MICROS}"
        return self.where(closed, windows)


def number(name: str, got: Any) -> int | float:
    """As SQL has it: amounts are whole cents."""
    return int(Decimal(got).scaleb(2)) if name in CENTS else float(got)


def allowed(name: str, want: float, different: int) -> float:
    """How far a value may be from the true one: not at all, but where protocol/SEMANTICS.md says that it is an estimate."""
    if name == "distinct_count" and different > 128:
        return 5 * 0.033 * want  # five times the standard error
    if name == "median" and different > 256:
        return abs(want) / 8
    # SQL folds a variance over doubles: it is theirs whose last digits are not those of the exact one.
    return 1e-9 * abs(want) if name.startswith("variance") else 0


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--featuregrid", default="target/debug/featuregrid")
    words.add_argument("--events", type=int, default=6000)
    words.add_argument("--asked", type=int, default=3000)
    words.add_argument("--seed", type=int, default=7)
    words.add_argument("--show", type=int, default=3, help="how many differences of a definition are shown")
    given = words.parse_args()

    lines, questions = draw(given.seed, given.events, given.asked)
    # Of every other question the instant moves onto a hop, and of half of these one microsecond further.
    for at in range(0, len(questions), 2):
        user, t = questions[at]
        hop = ROLLING[at // 2 % len(ROLLING)][2]
        questions[at] = (user, START + (t - START) // timedelta(seconds=hop) * timedelta(seconds=hop)
                         + timedelta(microseconds=at // 8 % 2))
    answers, peer = ours(given.featuregrid, lines, questions), Peer(lines, questions)
    cases: list[tuple[str, str, dict[int, tuple[Any, ...]]]] = []
    for name, seconds, hop in ROLLING:
        cases.append((f"RANGE {name}, instants on its hop", name, peer.framed(seconds, hop)))
        tail = f"epoch_us(t) - {seconds * MICROS} - (epoch_us(t) - {seconds * MICROS}) % {hop * MICROS}"
        cases.append((f"join {name}, tail on {hop}s", name, peer.where(f"epoch_us(ts) >= {tail} AND ts < t")))
    for name, seconds, _ in EXACT:
        cases.append((f"RANGE {name}, exact at any instant", f"exact_{name}", peer.framed(seconds, None)))
    for name, size, slide in FLINK:
        cases.append((f"Flink {'TUMBLE' if size == slide else 'HOP'} {size}s, {slide}s", name, peer.flink(size, slide)))
    for name, size in CURRENT:
        begun = f"epoch_us(t) - epoch_us(t) % {size * MICROS}"
        cases.append((f"TUMBLE {size}s under way", name, peer.where(f"epoch_us(ts) >= {begun} AND ts < t")))
    day = "date_trunc('day', timezone('Europe/Berlin', timezone('UTC', {})))"
    cases.append(("day in Berlin", "calendar_day", peer.where(f"{day.format('ts')} = {day.format('t')} AND ts < t")))
    before = f"{day.format('ts')} = {day.format('t')} - INTERVAL 1 DAY"
    cases.append(("day in Berlin before", "last_calendar_day", peer.where(before)))
    cases.append(("lifetime", "lifetime", peer.where("ts < t")))
    cases.append((f"last {LAST} events", f"last_{LAST}", peer.last(LAST)))
    cases.append(("session of 5m", "session_5m", peer.session(0)))
    cases.append(("session of 5m before", "last_session_5m", peer.session(1)))

    compared = estimated = differing = 0
    for title, window, wanted in cases:
        wrong = 0
        values = 0
        for q, row in wanted.items():
            features, status = answers[q]["features"], answers[q]["status"]
            for name, want in zip(OPERATORS, row):
                # Of whom nothing is known SQL has no rows, and nulls but for counts and sums.
                got = features[f"{name}_{window}"]
                if status[f"{name}_{window}"] == "NOT_FOUND" and name in ("count", "sum", "distinct_count"):
                    got = 0
                values += 1
                if got is None or want is None:
                    differs = got is not want
                else:
                    room = allowed(name, want, row[DIFFERENT])
                    estimated += room > 0 and not name.startswith("variance")
                    differs = abs(number(name, got) - want) > room
                if differs:
                    wrong += 1
                    if wrong <= given.show:
                        print(f"  {title}: {name}_{window} of {questions[q]}: we {got}, they {want}")
        print(f"{title:32} compared {values:7} differing {wrong}")
        if values < 11 * 50:
            sys.exit(f"windows: {title}: too few values for a comparison")
        compared, differing = compared + values, differing + wrong
    print(json.dumps({"duckdb": duckdb.__version__, "compared": compared, "estimated": estimated, "differing": differing}))
    sys.exit(differing > 0)


main()
