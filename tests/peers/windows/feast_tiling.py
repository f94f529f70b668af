"""Feast's tiling on five numbers, by its own modules as they are installed: the negative example of the comparison.

    feast_tiling.py

100 and 5, five minutes apart, a gap, 7 and 3; a window of ten minutes with tiles of five. Each pair of lines is what Feast
says of the window that ends there, and what is in it. What it shows: README.md beside this file.
"""

import json
from datetime import timedelta
from importlib.metadata import version

import pandas as pd
from feast.aggregation import Aggregation
from feast.aggregation.tiling.orchestrator import apply_sawtooth_window_tiling
from feast.aggregation.tiling.tile_subtraction import convert_cumulative_to_windowed

WINDOW, HOP = timedelta(minutes=10), timedelta(minutes=5)
START = pd.Timestamp("2026-01-01T12:00:00")
EVENTS = [(0, 100.0), (5, 5.0), (15, 7.0), (20, 3.0)]


def main() -> None:
    # Their modules compute in milliseconds from what pandas keeps in nanoseconds.
    at = pd.Series([START + timedelta(minutes=minute) for minute, _ in EVENTS]).astype("datetime64[ns]")
    events = pd.DataFrame({"user": "u1", "at": at, "amount": [amount for _, amount in EVENTS]})
    wanted = [Aggregation("amount", function, WINDOW) for function in ("sum", "count", "max", "min", "mean")]
    names = {one.function: one.resolved_name(WINDOW) for one in wanted}
    tiles = apply_sawtooth_window_tiling(events, wanted, ["user"], "at", WINDOW, HOP)
    answers = convert_cumulative_to_windowed(tiles, ["user"], "at", WINDOW, wanted)

    wrong = 0
    for answer in answers.to_dict("records"):
        end = answer["at"]
        held = [amount for minute, amount in EVENTS if end - WINDOW <= START + timedelta(minutes=minute) < end]
        truth = {"sum": sum(held), "count": len(held), "max": max(held, default=None), "min": min(held, default=None),
                 "mean": sum(held) / len(held) if held else None}
        differ = [function for function in names if answer[names[function]] != truth[function]]
        wrong += len(differ)
        for who, values in [("feast", {f: answer[name] for f, name in names.items()}), ("truth", truth)]:
            print(f"{end:%H:%M} {who}", *(f"{f}={'none' if v is None else f'{v:g}'}" for f, v in values.items()))
    after = answers["at"].max()
    print(json.dumps({"feast": version("feast"), "pandas": pd.__version__, "differing": wrong, "last_window": f"{after:%H:%M}"}))


main()
