"""Backup, restore, export and import as commands: what goes out comes in again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def command(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        words = [sys.executable, "-m", "eddyline.cli.main", "stream", *map(str, arguments)]
        words += ["--data-dir", str(tmp_path / "data")]
        return subprocess.run(words, capture_output=True, input=stdin, timeout=60)

    return command


@pytest.fixture
def clicks(run: Run) -> str:
    run("create", "clicks", "--shards", 2)
    run("put", "clicks", stdin=b'{"n":1}\n{"n":2}\n\xff\x00\n')
    return "clicks"


def rows(out: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def data(records: list[dict[str, object]]) -> list[object]:
    return sorted(str(r.get("data", r.get("data_base64"))) for r in records)


def test_a_backup_and_its_restore(run: Run, clicks: str, tmp_path: Path) -> None:
    file = tmp_path / "clicks.eds"
    done = run("backup", clicks, file, "--json")
    assert rows(done.stdout)[0]["records"] == 3
    assert b"exists already" in run("restore", file).stderr
    assert b"restored with 3 records" in run("restore", file, "--name", "copy").stderr
    numbers = [
        sorted(
            str(r["sequence_number"])
            for r in rows(run("export", n, "-", "--format", "ndjson").stdout)
        )
        for n in (clicks, "copy")
    ]
    assert numbers[0] == numbers[1]
    file.write_bytes(file.read_bytes()[:-5])
    cut = run("restore", file, "--name", "other")
    assert cut.returncode != 0
    assert b"damaged or cut short" in cut.stderr
    assert {r["name"] for r in rows(run("list", "--json").stdout)} == {clicks, "copy"}


@pytest.mark.parametrize("suffix", ["ndjson", "parquet"])
def test_an_export_and_its_import(run: Run, clicks: str, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"out.{suffix}"
    assert run("export", clicks, file).returncode == 0
    assert not list(tmp_path.glob("*.part"))
    if suffix == "parquet":
        table = pq.read_table(file)
        assert table.column_names == [
            "shard",
            "sequence_number",
            "arrival",
            "partition_key",
            "data",
        ]
        assert sorted(table["data"].to_pylist()) == [b'{"n":1}', b'{"n":2}', b"\xff\x00"]
    run("create", "copy")
    assert b"3 records put" in run("import", "copy", file).stderr
    both = [rows(run("export", n, "-", "--format", "ndjson").stdout) for n in (clicks, "copy")]
    assert data(both[0]) == data(both[1])
    assert sorted(str(r["partition_key"]) for r in both[0]) == sorted(
        str(r["partition_key"]) for r in both[1]
    )


def test_a_file_that_is_none(run: Run, clicks: str, tmp_path: Path) -> None:
    file = tmp_path / "in.ndjson"
    file.write_text('{"partition_key":"k","data":"a"}\n{"key":"k"}\n')
    done = run("import", clicks, file)
    assert done.returncode != 0
    assert b"line 2 is no record" in done.stderr
    assert b"hint:" in done.stderr
    bad = tmp_path / "in.parquet"
    bad.write_bytes(b"PAR1")
    assert b"no Parquet file of records" in run("import", clicks, bad).stderr
    assert b"which format" in run("export", clicks, tmp_path / "x").stderr
    assert b"cannot be used" in run("restore", tmp_path / "nothing.eds").stderr
    assert b"not a backup" in run("restore", bad).stderr


def test_scaling(run: Run, clicks: str) -> None:
    assert run("scale", clicks, 3).returncode == 0
    shards = rows(run("describe", clicks, "--json").stdout)
    assert sum(bool(s["open"]) for s in shards) == 3
