"""NDJSON files: one JSON object per line, sent as it stands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np
import pyarrow as pa

from eddyline.generator.replay.batch import Facts, ReplayBatch, whole
from eddyline.generator.replay.instant import read_times
from eddyline.generator.replay.text import BadLines, TextLines, read_lines
from eddyline.generator.replay.time_field import SAMPLE_LINES, find_time
from eddyline.generator.replay.time_pattern import TimePattern


class NdjsonReader:
    """Reads one object per line; the time is a top-level field, detected by name or form."""

    def __init__(
        self,
        source: IO[bytes],
        path: Path,
        time_field: str | None,
        pattern: TimePattern | None = None,
    ) -> None:
        self._source = source
        self._path = path
        self.facts = Facts("ndjson", time_field, pattern)
        self.faults = BadLines()
        self._decode: Callable[[bytes], Any] | None = None

    def batches(self) -> Iterator[ReplayBatch]:
        for lines in read_lines(self._source, self._path, self.faults):
            if self._decode is None:
                self._find_time(lines)
                self._decode = _decoder(self.facts.time_field)
            batch = self._timed(lines) if self.facts.style else self._plain(lines)
            if len(batch):
                yield batch

    def _find_time(self, lines: TextLines) -> None:
        sample = _sample(lines)
        names = list(dict.fromkeys(k for row in sample for k in row))
        if not sample:
            return

        def texts(name: str) -> list[str]:
            return [str(row.get(name)) for row in sample]

        find_time(self.facts, self._path, names, texts, noun="field", place="the first records of ")

    def _plain(self, lines: TextLines) -> ReplayBatch:
        kept = [line for _, line, _ in self._objects(lines)]
        return whole(pa.array(kept, pa.binary()).cast(pa.string()))

    def _timed(self, lines: TextLines) -> ReplayBatch:
        style = self.facts.style
        assert style is not None
        key = json.dumps(self.facts.time_field).encode()
        numbers: list[int] = []
        cuts: list[tuple[bytes, bytes, bytes]] = []
        for number, line, record in self._objects(lines):
            cut = _cut(line, key, record.time)
            if cut is None:
                self.faults.add(number, f"no field {self.facts.time_field}")
            else:
                numbers.append(number)
                cuts.append(cut)
        columns = zip(*cuts, strict=True) if cuts else ((), (), ())
        head, time, tail = (pa.array(c, pa.binary()).cast(pa.string()) for c in columns)
        ms, valid = read_times(time, style)
        for row in np.flatnonzero(~valid):
            self.faults.add(numbers[row], f"{time[int(row)].as_py()!r} is no {style.value} time")
        batch = ReplayBatch(head, time, tail, ms)
        return batch if valid.all() else batch.take(np.flatnonzero(valid))

    def _objects(self, lines: TextLines) -> Iterator[tuple[int, bytes, Any]]:
        decode = self._decode
        assert decode is not None
        for number, line in enumerate(lines.lines, lines.first):
            text = line.strip()
            if not text:
                continue
            try:
                record = decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self.faults.add(number, _reason(error))
                continue
            yield number, text, record


def _decoder(name: str | None) -> Callable[[bytes], Any]:
    """Checks a whole line and lends the raw text of the time field."""
    rename = {"time": name} if name else None
    struct = msgspec.defstruct("Timed", [("time", msgspec.Raw, msgspec.Raw(b""))], rename=rename)
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(struct).decode
    return decode


def _reason(error: Exception) -> str:
    text = str(error)
    return "no JSON object" if "Expected `object`" in text else f"no JSON: {text}"


def _cut(line: bytes, key: bytes, raw: Any) -> tuple[bytes, bytes, bytes] | None:
    """The line around the text of its time."""
    value = bytes(raw)
    if not value:
        return None
    text = value[1:-1] if value[:1] == b'"' else value
    place = line.find(key)
    if place < 0 or line.find(key, place + len(key)) >= 0:
        return _cut_slowly(line, key, text)
    start = line.index(text, place + len(key))
    return line[:start], text, line[start + len(text) :]


def _cut_slowly(line: bytes, key: bytes, text: bytes) -> tuple[bytes, bytes, bytes]:
    """As ``_cut``, where the key's text occurs elsewhere too: rewritten around a mark."""
    row = json.loads(line)
    name = json.loads(key)
    mark = "\x00time\x00"
    was_text = isinstance(row[name], str)
    row[name] = mark
    written = json.dumps(row, ensure_ascii=False).encode()
    quoted = json.dumps(mark).encode()
    head, _, tail = written.partition(quoted)
    return (head + b'"', text, b'"' + tail) if was_text else (head, text, tail)


def _sample(lines: TextLines) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for line in lines.lines[:SAMPLE_LINES]:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows
