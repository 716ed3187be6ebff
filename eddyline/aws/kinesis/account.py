"""The account: its limits and its settings, which are kept in ``account.json``."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.instant import Instant
from eddyline.aws.kinesis.context import Home
from eddyline.log import StreamMode

FILE = "account.json"
_COMMITMENT = "MinimumThroughputBillingCommitment"


def committed(home: Home) -> bool:
    """Whether the account has committed itself to a minimum of throughput."""
    return _saved(home).get("status") == "ENABLED"


def describe_limits(home: Home, call: Call) -> Answer:
    infos = home.store.list()
    provisioned = [i for i in infos if i.mode is StreamMode.PROVISIONED]
    limit = home.settings.shard_limit
    return {
        "ShardLimit": limit,
        "OpenShardCount": sum(s.closed_offset is None for i in provisioned for s in i.shards),
        "OnDemandStreamCount": len(infos) - len(provisioned),
        "OnDemandStreamCountLimit": limit,
        **home.account_counts(),
    }


async def describe_account_settings(home: Home, call: Call) -> Answer:
    return {_COMMITMENT: _described(_saved(home))}


def update_account_settings(home: Home, call: Call) -> Answer:
    wanted = call.request.MinimumThroughputBillingCommitment.Status
    with _locked(home):
        saved = _saved(home)
        if saved.get("status", "DISABLED") != wanted:
            when = "started_ms" if wanted == "ENABLED" else "ended_ms"
            saved = {**saved, "status": wanted, when: home.clock.now_ms()}
            if wanted == "ENABLED":
                saved.pop("ended_ms", None)
            _save(home, saved)
    return {_COMMITMENT: _described(saved)}


def _described(saved: dict[str, Any]) -> dict[str, Any]:
    members: dict[str, Any] = {"Status": saved.get("status", "DISABLED")}
    for member, key in (("StartedAt", "started_ms"), ("EndedAt", "ended_ms")):
        if key in saved:
            members[member] = Instant(saved[key])
    return members


def _saved(home: Home) -> dict[str, Any]:
    try:
        found = json.loads((home.settings.data_dir / FILE).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _save(home: Home, saved: dict[str, Any]) -> None:
    path = home.settings.data_dir / FILE
    aside = path.with_suffix(".new")
    with aside.open("w") as file:
        json.dump(saved, file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


@contextlib.contextmanager
def _locked(home: Home) -> Any:
    with (home.settings.data_dir / f"{FILE}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


OPERATIONS = {
    "DescribeAccountSettings": describe_account_settings,
    "DescribeLimits": describe_limits,
    "UpdateAccountSettings": update_account_settings,
}
