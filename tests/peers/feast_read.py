"""An unmodified Feast client (0.66, `online_store: remote`) that reads featuregrid's Feast port and checks each value.

    feast_read.py --path URL --users N --featuregrid BIN --address HOST:PORT

Reads users u1..uN of the view in tests/accept/fraud.yaml, then asks `featuregrid get` for the same users at the instant of
Feast's reply (its header featuregrid-instant), and prints {"users", "compared", "present", "differing", "odd_keys"}. What is asked
of odd keys is what Feast's own server (0.66, SQLite store) was seen to do, but for one thing: it answers 500 where a
request is wrong, which makes its client try again three times; ours says 400.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.permissions.client.http_auth_requests_wrapper import get_http_auth_requests_session
from feast.protos.feast.serving.ServingService_pb2 import FieldStatus
from feast.types import Float64, Int64, String

DEFINITIONS = Path(__file__).resolve().parents[1] / "accept" / "fraud.yaml"
INSTANT = "featuregrid-instant"
# Feast has no other words; a status that it lacks cannot be compared.
STATUSES = {"PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE"}
Features = dict[str, tuple[Any, str]]  # of one entity: name -> (value, status)


class Reader:
    """Feast's client over a throw-away repository, and `featuregrid get` beside it."""

    def __init__(self, arguments: argparse.Namespace, folder: str) -> None:
        self.arguments = arguments
        definitions = yaml.safe_load(DEFINITIONS.read_text())
        ((self.view, definition),) = definitions["feature_views"].items()
        self.fields = [
            Field(name=f"{name}_{window}", dtype=Int64 if "count" in feature else Float64)
            for name, feature in definition["features"].items()
            for window in feature["windows"]
        ]
        self.features = [f"{self.view}:{field.name}" for field in self.fields]
        repository = {"project": definitions["project"], "provider": "local", "registry": f"{folder}/registry.db"}
        repository |= {"online_store": {"type": "remote", "path": arguments.path}, "entity_key_serialization_version": 3}
        Path(folder, "feature_store.yaml").write_text(yaml.safe_dump(repository))
        self.store = FeatureStore(repo_path=folder)
        user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.STRING)
        source = FileSource(path=f"{folder}/none.parquet", timestamp_field="event_timestamp")
        schema = [Field(name="user_id", dtype=String), *self.fields]
        self.store.apply([user, source, FeatureView(name=self.view, entities=[user], schema=schema, source=source)])
        # The client does not show the headers of its replies; its HTTP session, which it keeps, does.
        remote = self.store.config.online_store
        limits = (remote.connection_pool_size, remote.connection_idle_timeout, remote.connection_retries)
        session = get_http_auth_requests_session(self.store.config.auth_config, *limits)
        self.instants: list[str | None] = []
        session.hooks["response"].append(lambda reply, **_: self.instants.append(reply.headers.get(INSTANT)))

    def feast(self, rows: list[dict[str, Any]]) -> tuple[str, list[Features]]:
        """What the client reads, and the instant of the reply."""
        reply = self.store.get_online_features(features=self.features, entity_rows=rows)
        instant = self.instants[-1] if self.instants else None
        if instant is None:
            raise SystemExit(f"feast: {self.arguments.path} replies without the header {INSTANT}")
        values, columns = reply.to_dict(), zip(reply.proto.metadata.feature_names.val, reply.proto.results)
        statuses = {name: [FieldStatus.Name(status) for status in column.statuses] for name, column in columns}
        names = [field.name for field in self.fields]
        if missing := set(names) - set(values):
            raise SystemExit(f"feast: not in the reply: {sorted(missing)}")
        return instant, [{name: (values[name][row], statuses[name][row]) for name in names} for row in range(len(rows))]

    def get(self, user: str, instant: str) -> Features:
        """What `featuregrid get` says of the user at that instant."""
        options = ["--address", self.arguments.address, "--report", "json", "--as-of", instant]
        command = [self.arguments.featuregrid, "get", self.view, f"user_id={user}", *options]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60)
        if done.returncode != 0:
            raise SystemExit(f"feast: {' '.join(command)} ended with {done.returncode}")
        reply = json.loads(done.stdout.splitlines()[-1])
        return {field.name: (reply["features"][field.name], reply["status"][field.name]) for field in self.fields}

    def differing(self, user: str, instant: str, read: Features) -> int:
        """How many features of the user differ; each is named on stderr."""
        differ = 0
        for name, want in self.get(user, instant).items():
            got = read[name]
            if got[0] != want[0] or (want[1] in STATUSES and got[1] != want[1]):
                differ += 1
                print(f"feast: {user} {name} at {instant}: Feast read {got}, get says {want}", file=sys.stderr)
        return differ

    def post(self, **entities: list[Any]) -> tuple[int, Any]:
        """A plain request, for what the client would wrap in an error of its own."""
        body = json.dumps({"features": self.features, "entities": entities}).encode()
        url, headers = f"{self.arguments.path}/get-online-features", {"content-type": "application/json"}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            with contextlib.suppress(ValueError):
                return error.code, json.load(error)
            return error.code, None

    def odd_keys(self) -> str:
        """`as expected`, or what was not."""
        wrong: list[str] = []
        _, (unknown,) = self.feast([{"user_id": "nobody has this name"}])
        if set(unknown.values()) != {(None, "NOT_FOUND")}:
            wrong.append(f"an unknown key reads {unknown}, want nothing but (None, NOT_FOUND)")
        # A key column that the view does not have changes nothing.
        instant, (composite,) = self.feast([{"user_id": "u1", "card_id": "c1"}])
        if self.differing("u1", instant, composite):
            wrong.append("a composite key does not read as its user_id alone")
        # The whole request is refused, in the form that Feast's client reads: a JSON string.
        refused = {"a null key": {"user_id": ["u1", None]}, "a composite key without user_id": {"card_id": ["c1"]}}
        for name, entities in refused.items():
            status, body = self.post(**entities)
            if status != 400 or not isinstance(body, str):
                wrong.append(f"{name} answers {status} {str(body)[:200]}, want 400 and a JSON string")
        return "; ".join(wrong) or "as expected"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--path", required=True, help="URL of the Feast port")
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--featuregrid", required=True, help="the binary")
    parser.add_argument("--address", required=True, help="of gRPC, for `featuregrid get`")
    arguments = parser.parse_args()
    # Only the report goes to stdout, whatever Feast has to say.
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        reader = Reader(arguments, folder)
        users = [f"u{number}" for number in range(1, arguments.users + 1)]
        instant, rows = reader.feast([{"user_id": user} for user in users])
        differing = sum(reader.differing(user, instant, row) for user, row in zip(users, rows))
        present = sum(status == "PRESENT" for row in rows for _, status in row.values())
        if present == 0:
            raise SystemExit(f"feast: none of u1..u{arguments.users} is known: nothing was compared")
        report = {"users": len(users), "compared": len(users) * len(reader.fields), "present": present}
        report |= {"differing": differing, "odd_keys": reader.odd_keys()}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
