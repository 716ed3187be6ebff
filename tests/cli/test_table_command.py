"""``eddyline table``: inferred from a stream, listed, shown, renamed, dropped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import Command


@pytest.fixture
def eddyline(tmp_path: Path) -> Command:
    command = Command(tmp_path / "data")
    assert command.here("stream", "create", "web-clicks").returncode == 0
    rows = "".join(json.dumps({"page": f"/p{n}", "ms": n}) + "\n" for n in range(3))
    assert command("stream", "put", "web-clicks", stdin=rows).returncode == 0
    return command


def test_a_table_is_inferred_created_shown_renamed_and_dropped(eddyline: Command) -> None:
    inferred = eddyline.here("table", "infer", "web-clicks")
    assert "page STRING" in inferred.stdout
    assert "ms INT" in inferred.stdout
    assert eddyline.here("table", "list", "--json").stdout == ""
    made = eddyline.here("table", "infer", "web-clicks", "--create", "--json")
    assert json.loads(made.stdout)["created"] == "default_catalog.default_database.web_clicks"
    [row] = map(json.loads, eddyline.here("table", "list", "--json").stdout.splitlines())
    assert (row["name"], row["location"], row["columns"]) == ("web_clicks", "web-clicks", 3)
    shown = eddyline.here("table", "show", "web_clicks")
    assert shown.stdout.startswith("CREATE TABLE `default_catalog`.`default_database`.`web_clicks`")
    columns = json.loads(eddyline.here("table", "show", "web_clicks", "--json").stdout)["columns"]
    assert {"name": "ms", "type": "INT"} in columns
    assert eddyline.here("table", "rename", "web_clicks", "old").returncode == 0
    unasked = eddyline.here("table", "drop", "old")
    assert unasked.returncode == 1
    assert "--yes" in unasked.stderr
    assert eddyline.here("table", "drop", "old", "--yes").returncode == 0
    assert "there is no table or view old" in eddyline.here("table", "show", "old").stderr


def test_an_unknown_stream_has_no_table(eddyline: Command) -> None:
    refused = eddyline.here("table", "infer", "nosuch")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "nosuch" in refused.stderr
