"""``eddyline template``: kept, shown, tried, carried in and out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import Command

TEXT = '{"n":{{random.number(9)}}}'


@pytest.fixture
def eddyline(tmp_path: Path) -> Command:
    return Command(tmp_path / "data")


def test_a_template_goes_in_is_sent_and_comes_out(eddyline: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text(TEXT + "\n")
    assert eddyline.here("template", "import", str(tmp_path / "mine.txt")).returncode == 0
    listed = eddyline.here("template", "list", "--json").stdout.splitlines()
    assert [r["name"] for r in map(json.loads, listed) if r["kept"]] == ["mine"]
    assert eddyline.here("template", "show", "mine").stdout == TEXT + "\n"
    out = tmp_path / "out.txt"
    assert eddyline.here("template", "export", "mine", str(out)).returncode == 0
    assert out.read_text() == TEXT
    sent = tmp_path / "sent.ndjson"
    to = ("--to", f"file:{sent}", "--total", "3", "--rate", "max")
    assert eddyline.here("generate", "template:mine", *to).returncode == 0
    assert [list(json.loads(r)) for r in sent.read_text().splitlines()] == [["n"]] * 3
    assert eddyline.here("template", "remove", "mine").returncode == 0
    assert "there is no template mine" in eddyline.here("template", "show", "mine").stderr


def test_records_are_shown_before_anything_is_sent(eddyline: Command) -> None:
    made = eddyline.here("template", "test", "Orders", "--count", "2", "--seed", "1").stdout
    assert ["order_id" in json.loads(r) for r in made.splitlines()] == [True, True]
    assert len(eddyline.here("template", "test", TEXT).stdout.splitlines()) == 5
    assert not eddyline.data_dir.exists()


def test_export_to_standard_output(eddyline: Command) -> None:
    done = eddyline.here("template", "export", "Sensors", "-")
    assert done.stdout == eddyline.here("template", "show", "Sensors").stdout
    assert "sensor_id" in done.stdout
    assert not Path("-").exists()


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["show", "nosuch"], "there is no template nosuch", "Sensors"),
        (["remove", "nosuch"], "there is no template nosuch", "Sensors"),
        (["remove", "Sensors"], "Sensors is an example", "kept"),
        (["import", "-"], "needs a name", "import - NAME"),
        (["import", "{{random.numbr}}", "x"], "unknown tag random.numbr", "random.number"),
        (["export", "Sensors", "/nosuch/x"], "cannot write /nosuch/x", ""),
        (["test", "nosuch"], "nosuch", ""),
    ],
)
def test_what_is_wrong_is_said(eddyline: Command, words: list[str], error: str, hint: str) -> None:
    done = eddyline.here("template", *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert error in done.stderr
    assert hint in done.stderr
