"""``eddyline generate``: what it counts is what is there."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from command import Command

from eddyline.cli.sending import Sending
from eddyline.generator.counters import Counters

TEMPLATE = '{"n":{{random.number(9)}},\n "s":"{{random.arrayElement(["a","b"])}}"}'


@pytest.fixture
def eddyline(tmp_path: Path) -> Command:
    return Command(tmp_path / "data")


def test_into_a_stream_without_a_server(eddyline: Command, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(TEMPLATE + "\n")
    eddyline.here("stream", "create", "s", "--shards", "1")
    to = ("--to", "stream:s", "--rate", "max", "--total", "1200")
    (*_, message) = eddyline.rows("generate", str(tmp_path / "t.txt"), *to, "--json")
    assert message["done"] is True
    assert (message["sent"], message["accepted"], message["failed"]) == (1200, 1200, 0)
    records = [json.loads(r) for r in eddyline.records("s")]
    assert len(records) == 1200
    assert {r["s"] for r in records} == {"a", "b"}


def test_the_same_seed_gives_the_same_records(eddyline: Command) -> None:
    def made(seed: str) -> str:
        return eddyline("generate", TEMPLATE, "--to", "-", "--total", "50", "--rate", "max",
                        "--seed", seed).stdout  # fmt: skip

    assert made("1") == made("1") != made("2")


def test_standard_input_to_a_file_and_figures_beside_it(eddyline: Command, tmp_path: Path) -> None:
    out = tmp_path / "out.ndjson"
    done = eddyline("generate", "-", "--to", f"file:{out}", "--total", "7", stdin='{"a":1}\n')
    assert out.read_text() == '{"a":1}\n' * 7
    assert done.stdout == ""
    assert done.stderr.startswith("7 accepted, ")


def test_figures_leave_stdout_to_the_records(eddyline: Command) -> None:
    done = eddyline("generate", "x", "--to", "-", "--total", "1")
    assert (done.returncode, done.stdout) == (1, "")
    done = eddyline("generate", '{"a":1}', "--to", "-", "--total", "2", "--json")
    assert done.stdout == '{"a":1}\n' * 2
    assert json.loads(done.stderr)["accepted"] == 2


def test_it_ends_after_its_time_at_its_rate(eddyline: Command) -> None:
    eddyline.here("stream", "create", "s", "--shards", "1")
    args = ("--to", "stream:s", "--rate", "40", "--for", "1500ms", "--json")
    last = eddyline.rows("generate", TEMPLATE, *args)[-1]
    assert (last["accepted"], last["done"]) == (60, True)
    assert last["elapsed_s"] > 59 / 40


class UntilTold:
    """A sender that ends once its counters have been reported."""

    def __init__(self) -> None:
        self._listening = threading.Event()

    @property
    def counters(self) -> Counters:
        self._listening.set()
        return Counters(accepted=7)

    def run(self, stop: threading.Event) -> Counters:
        assert self._listening.wait(60)
        return self.counters


def test_progress_is_told_before_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    Sending(UntilTold(), as_json=True, to_stdout=False).run()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(t["accepted"], t["done"]) for t in lines] == [(7, False), (7, True)]


def test_ctrl_c_tells_what_was_taken(eddyline: Command) -> None:
    eddyline.here("stream", "create", "s", "--shards", "1")
    words = eddyline.words("generate", TEMPLATE, "--to", "stream:s", "--rate", "100", "--json")
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["accepted"] > 0
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().splitlines()
        assert process.wait(30) == 130
    last = json.loads(rest[-1])
    assert last["done"]
    assert len(eddyline.records("s")) == last["accepted"]


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["nosuch.txt", "--to", "-"], "there is no template file nosuch.txt", "name a file"),
        (["{{random.numbr()}}", "--to", "-"], "unknown tag random.numbr", "random.number"),
        (["{{rnd}}", "--to", "-"], "unknown tag rnd", "{{rnd = random.uuid}}"),
        (["", "--to", "-"], "the template is empty", ""),
        (["{}", "--to", "stream:q"], "there is no stream q", "eddyline stream create q"),
        (["{}", "--to", "q"], "target 'q' is none of", "write stream:q"),
        (["{}", "--to", "-", "--rate", "x"], "'x' is no rate", "records a second"),
        (["{}", "--to", "-", "--rate", "0"], "rate is 0", ""),
        (["{}", "--to", "-", "--for", "soon"], "'soon' is no duration", "30s"),
        (["{}", "--to", "-", "--for", "0s"], "--for is 0s", ""),
        (["{}", "--to", "-", "--endpoint", "http://x"], "--endpoint needs a stream", "--to stream"),
        (["{}", "--to", "file:/nosuch/a"], "there is no directory /nosuch", "mkdir -p /nosuch"),
        (["{}", "--to", "-", "--key", "k"], "partition key 'k' is none of", ""),
        (["{}", "--to", "-", "--to", "file:x"], "--to names 2 targets: -, file:x", "record.next"),
        (["{}", "--to", "-", "--to", "c=stream:s"], "sends nothing to c", "record.next"),
        (["{}", "--to", "c=stream:s"], "--to names no target", ""),
    ],
)
def test_what_is_wrong_is_said(
    eddyline: Command, arguments: list[str], error: str, hint: str
) -> None:
    eddyline.here("stream", "create", "s")
    done = eddyline.here("generate", *arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert error in done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_ends_the_run_quietly(eddyline: Command) -> None:
    words = eddyline.words("generate", '{"n":{{sequence.next}}}', "--to", "-", "--rate", "max")
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == '{"n":1}\n'
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 0


def test_one_turn_goes_to_two_streams(eddyline: Command) -> None:
    eddyline.here("stream", "create", "views", "--shards", "1")
    eddyline.here("stream", "create", "clicks", "--shards", "1")
    template = (
        '{"view":{{n = sequence.next}}}{{record.next({"to":"stream:clicks"})}}{"click":{{n}}}'
    )
    eddyline.rows("generate", template, "--to", "stream:views", "--total", "6", "--json")
    assert eddyline.records("views") == [f'{{"view":{n}}}' for n in (1, 2, 3)]
    assert eddyline.records("clicks") == [f'{{"click":{n}}}' for n in (1, 2, 3)]


def test_an_argument_without_effect_is_said(eddyline: Command) -> None:
    done = eddyline("generate", "{{random.uuid(9)}}", "--to", "-", "--total", "1")
    assert "warning: random.uuid: the argument 9 has no effect" in done.stderr
