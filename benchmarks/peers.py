"""The servers measured beside ours: each installed from its registry into a place of its own.

Nothing of them is part of the product; ``make bench`` fetches them once into ``.bench``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ports import free_port, wait_for

HOME = Path(__file__).parents[1] / ".bench"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A running server: who, where, and its process."""

    name: str
    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Peer:
    """How a peer is installed and started; ``{port}`` is filled in."""

    name: str
    npm: str | None
    pypi: tuple[str, ...]
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


PEERS = (
    Peer(
        "kinesalite",
        "kinesalite",
        (),
        ("node", "{npm}/kinesalite/cli.js", "--port", "{port}", "--createStreamMs", "0",
         "--deleteStreamMs", "0", "--shardLimit", "1000"),
    ),
    Peer("moto", None, ("moto[server]",), ("{venv}/bin/moto_server", "-p", "{port}")),
    Peer(
        "ministack",
        None,
        ("ministack", "cbor2"),
        ("{venv}/bin/ministack",),
        (("GATEWAY_PORT", "{port}"), ("SERVICES", "kinesis"), ("LOG_LEVEL", "ERROR")),
    ),
    Peer(
        "kinesis-mock",
        "kinesis-local",
        (),
        ("sh", "-c", "cd {npm}/kinesis-local && exec node main.js"),
        (("KINESIS_MOCK_PLAIN_PORT", "{port}"), ("KINESIS_MOCK_TLS_PORT", "{spare}"),
         ("CREATE_STREAM_DURATION", "0ms"), ("DELETE_STREAM_DURATION", "0ms"),
         ("SHARD_LIMIT", "1000"), ("LOG_LEVEL", "ERROR")),
    ),
)  # fmt: skip


def install(peer: Peer) -> None:
    """Fetch the peer, once."""
    if peer.npm and not (HOME / "node_modules" / peer.npm).exists():
        HOME.mkdir(exist_ok=True)
        (HOME / "package.json").write_text("{}")
        subprocess.run(["npm", "install", "--silent", peer.npm], cwd=HOME, check=True)
    if peer.pypi and not _venv(peer).exists():
        subprocess.run([sys.executable, "-m", "venv", str(_venv(peer))], check=True)
        pip = [str(_venv(peer) / "bin" / "pip"), "install", "-q", *peer.pypi]
        subprocess.run(pip, check=True)


def _venv(peer: Peer) -> Path:
    return HOME / f"venv-{peer.name}"


@contextmanager
def running(peer: Peer) -> Iterator[Endpoint]:
    """The peer, started on a free port."""
    install(peer)
    port, spare = free_port(), free_port()
    places = {
        "port": str(port),
        "spare": str(spare),
        "npm": str(HOME / "node_modules"),
        "venv": str(_venv(peer)),
    }
    command = [part.format(**places) for part in peer.command]
    more = {key: value.format(**places) for key, value in peer.environment}
    scratch = HOME / f"run-{peer.name}"
    scratch.mkdir(parents=True, exist_ok=True)
    with (scratch / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=scratch, env={**os.environ, **more}, stdout=log, stderr=log
        )
        try:
            wait_for(port, process)
            yield Endpoint(peer.name, f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.kill()
            process.wait()
            shutil.rmtree(scratch, ignore_errors=True)
