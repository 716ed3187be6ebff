"""The account: its limits and its settings, which are kept in ``account.json``."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.instant import Instant
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.log import StreamMode

FILE = "account.json"
_COMMITMENT = "MinimumThroughputBillingCommitment"


def committed(context: KinesisContext) -> bool:
    """Whether the account has committed itself to a minimum of throughput."""
    return _saved(context).get("status") == "ENABLED"


def describe_limits(context: KinesisContext, call: Call) -> Answer:
    infos = context.store.list()
    provisioned = [i for i in infos if i.mode is StreamMode.PROVISIONED]
    limit = context.settings.shard_limit
    return {
        "ShardLimit": limit,
        "OpenShardCount": sum(s.closed_offset is None for i in provisioned for s in i.shards),
        "OnDemandStreamCount": len(infos) - len(provisioned),
        "OnDemandStreamCountLimit": limit,
        **context.account_counts(),
    }


async def describe_account_settings(context: KinesisContext, call: Call) -> Answer:
    return {_COMMITMENT: _described(_saved(context))}


def update_account_settings(context: KinesisContext, call: Call) -> Answer:
    requested = call.request.MinimumThroughputBillingCommitment.Status
    with _locked(context):
        saved = _saved(context)
        if saved.get("status", "DISABLED") != requested:
            when = "started_ms" if requested == "ENABLED" else "ended_ms"
            saved = {**saved, "status": requested, when: context.clock.now_ms()}
            if requested == "ENABLED":
                saved.pop("ended_ms", None)
            _save(context, saved)
    return {_COMMITMENT: _described(saved)}


def _described(saved: dict[str, Any]) -> dict[str, Any]:
    members: dict[str, Any] = {"Status": saved.get("status", "DISABLED")}
    for member, key in (("StartedAt", "started_ms"), ("EndedAt", "ended_ms")):
        if key in saved:
            members[member] = Instant(saved[key])
    return members


def _saved(context: KinesisContext) -> dict[str, Any]:
    try:
        saved = json.loads((context.settings.data_dir / FILE).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return saved if isinstance(saved, dict) else {}


def _save(context: KinesisContext, saved: dict[str, Any]) -> None:
    path = context.settings.data_dir / FILE
    aside = path.with_suffix(".new")
    with aside.open("w") as file:
        json.dump(saved, file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


@contextlib.contextmanager
def _locked(context: KinesisContext) -> Any:
    with (context.settings.data_dir / f"{FILE}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


OPERATIONS = {
    "DescribeAccountSettings": describe_account_settings,
    "DescribeLimits": describe_limits,
    "UpdateAccountSettings": update_account_settings,
}
