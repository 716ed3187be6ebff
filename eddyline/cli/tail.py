"""``eddyline stream tail``: a stream's records in order of arrival, from a chosen place on."""

from __future__ import annotations

import base64
import re
import string
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eddyline.cli.names import stream_names
from eddyline.cli.opening import DataDir, Json, streams
from eddyline.cli.terminal import line, say
from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError, nearest

if TYPE_CHECKING:
    from eddyline.log import ShardInfo, Slice, Stream
    from eddyline.log.reader import StreamSnapshot

READ_RECORDS, READ_BYTES = 10_000, 4 << 20
POLL_S = 0.02
# How often new shards are looked for.
DISCOVERY_S = 1.0
_NEWEST = re.compile(r"-(\d{1,9})")
_AGE = re.compile(r"\d+(\.\d+)?\s*(ms|s|m|h|d)", re.IGNORECASE)
FIELDS = ("data", "key", "arrival", "shard", "sequence", "offset")

Place = Callable[[int], int]


def tail(
    name: Annotated[str, typer.Argument(help="The stream's name.", autocompletion=stream_names)],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="latest (the default), oldest, -10 (the newest ten), 5m (the last five minutes), "
            "or a time: 2026-11-24T12:00:00Z.",
        ),
    ] = None,
    shard: Annotated[
        str | None, typer.Option(help="Only this shard: its number or its id.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="End after this many records.", min=0)] = None,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Wait for more.")] = True,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="text, hex, base64, or a line with fields in braces, "
            "for example '{arrival} {key} {data}'.",
        ),
    ] = "text",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Show a stream's records as they arrive, until Ctrl-C.

    Records of several shards are merged by their time of arrival. The fields of --format are
    {data}, {key}, {arrival}, {shard}, {sequence} and {offset}. With --json each record is one
    object; data that is not UTF-8 text is under "data_base64".

    \b
    Examples:
      eddyline stream tail clicks
      eddyline stream tail clicks --from oldest --no-follow --json
      eddyline stream tail clicks --from -10
      eddyline stream tail clicks --from 5m --shard 0
      eddyline stream tail clicks --from 2026-11-24T12:00:00Z --limit 10
      eddyline stream tail clicks --format '{arrival} {key} {data}'
    """
    show = _json if as_json else _printer(format_)
    with streams(data_dir) as store:
        stream = store.open(name)
        shards = _chosen(stream, shard)
        place = start_of(stream, shards, from_ or "latest")
        merged = Merged(stream, {s.index: place(s.index) for s in shards}, grows=shard is None)
        if from_ is None and limit != 0:
            _say_older(stream, shards)
        left = limit if limit is not None else sys.maxsize
        pause = threading.Event()
        while left > 0:
            records = merged.read(left)
            for record in records:
                show(record)
            sys.stdout.flush()
            left -= len(records)
            if not records and not follow:
                return
            if not records:
                SYSTEM.wait(pause, POLL_S)


@dataclass(frozen=True, slots=True)
class TailedRecord:
    """One record and its place. ``arrival_ms``: epoch ms."""

    shard: ShardInfo
    offset: int
    arrival_ms: int
    key: str
    data: bytes

    @property
    def sequence_number(self) -> str:
        """The number that Kinesis clients see."""
        from eddyline.log.sequence import sequence_number

        return sequence_number(self.shard.index, self.shard.created_ms, self.offset)


class Merged:
    """Reads shards in order of arrival, beginning at the given offsets.

    ``grows``: shards that appear later are read too, from their beginning.
    """

    def __init__(self, stream: Stream, places: dict[int, int], *, grows: bool) -> None:
        self._stream = stream
        self._places = places
        self._shards = {s.index: s for s in stream.shards()}
        self._grows = grows
        self._warned: set[tuple[int, int]] = set()
        self._discovered = SYSTEM.monotonic()

    def read(self, limit: int) -> list[TailedRecord]:
        """The records that have arrived since the last call, ``limit`` at most."""
        if self._grows and SYSTEM.monotonic() - self._discovered >= DISCOVERY_S:
            self._discover()
        with self._stream.snapshot() as snapshot:
            slices = {shard: self._slice(snapshot, shard, limit) for shard in self._places}
        ready = [r for shard, part in slices.items() for r in self._records(shard, part)]
        horizon = self._horizon(slices)
        ready = [r for r in ready if r.arrival_ms <= horizon]
        ready.sort(key=lambda r: (r.arrival_ms, r.shard.index, r.offset))
        del ready[limit:]
        for shard, part in slices.items():
            if not len(part):  # it may have skipped damaged blocks
                self._places[shard] = part.next_offset
        for record in ready:
            self._places[record.shard.index] = record.offset + 1
        return ready

    def _slice(self, snapshot: StreamSnapshot, shard: int, limit: int) -> Slice:
        place = self._places[shard]
        part = snapshot.read(shard, place, min(limit, READ_RECORDS), READ_BYTES)
        if part.damage is not None and (shard, part.first_offset) not in self._warned:
            self._warned.add((shard, part.first_offset))
            say(f"warning: {part.damage.message}")
        return part

    def _horizon(self, slices: dict[int, Slice]) -> int:
        """The latest arrival up to which every shard has been read, in epoch ms."""
        unfinished = (p for p in slices.values() if len(p) and p.next_offset < p.tip_offset)
        return min((int(part.arrival_ms[-1]) for part in unfinished), default=sys.maxsize)

    def _records(self, shard: int, part: Slice) -> Iterator[TailedRecord]:
        info = self._shards[shard]
        rows = zip(
            part.arrival_ms.tolist(), part.keys.to_pylist(), part.data.to_pylist(), strict=True
        )
        for n, (arrival_ms, key, data) in enumerate(rows):
            yield TailedRecord(info, part.first_offset + n, arrival_ms, key, data)

    def _discover(self) -> None:
        self._discovered = SYSTEM.monotonic()
        for info in self._stream.shards():
            if info.index not in self._places:
                self._shards[info.index] = info
                self._places[info.index] = self._stream.bounds(info.index)[0]


def start_of(stream: Stream, shards: list[ShardInfo], where: str) -> Place:
    """The offset at which to begin in a shard, for the text of ``--from``.

    Raises:
        EddylineError: ``invalid_argument`` for a text that names no place.
    """
    word = where.strip().lower()
    if word in ("oldest", "latest"):
        end = 0 if word == "oldest" else 1
        return lambda shard: stream.bounds(shard)[end]
    newest = _NEWEST.fullmatch(word)
    if newest:
        return _newest(stream, shards, int(newest[1])).__getitem__
    at_ms = _moment_ms(where.strip())
    return lambda shard: stream.offset_at(shard, at_ms)


def _newest(stream: Stream, shards: list[ShardInfo], count: int) -> dict[int, int]:
    """Where the newest ``count`` records of all the shards together begin, by shard."""
    starts = {s.index: stream.bounds(s.index)[1] for s in shards}
    candidates: list[tuple[int, int, int]] = []  # (arrival, shard, offset)
    for shard in starts:
        oldest, end = stream.bounds(shard)
        offset = max(oldest, end - count)
        while offset < end:
            part = stream.read(shard, offset, READ_RECORDS, READ_BYTES)
            arrivals = part.arrival_ms.tolist()
            candidates += [(a, shard, part.first_offset + n) for n, a in enumerate(arrivals)]
            offset = max(part.next_offset, offset + 1)
    candidates.sort()
    for _, shard, offset in candidates[max(0, len(candidates) - count) :]:
        starts[shard] = min(starts[shard], offset)
    return starts


def _moment_ms(where: str) -> int:
    """Epoch ms of an age (5m) or of a time in ISO 8601; UTC unless it names an offset."""
    if _AGE.fullmatch(where):
        from eddyline.generator.spec import parse_duration

        return SYSTEM.now_ms() - round(parse_duration(where) * 1000)
    try:
        at = datetime.fromisoformat(where)
    except ValueError:
        msg = f"{where!r} is not a place in a stream"
        hint = "write latest, oldest, -10, 5m, or a time as in 2026-11-24T12:00:00Z"
        raise EddylineError("invalid_argument", msg, hint=hint) from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return round(at.timestamp() * 1000)


def _chosen(stream: Stream, shard: str | None) -> list[ShardInfo]:
    """All shards, or the one of that number or id. Raises ``not_found``."""
    every = list(stream.shards())
    if shard is None:
        return every
    ids = [s.shard_id for s in every]
    matches = [s for s in every if shard in (s.shard_id, str(s.index))]
    if not matches:
        msg = f"stream {stream.name} has no shard {shard}"
        hint = f"it has {', '.join((nearest(shard, ids) or ids)[:5])}"
        raise EddylineError("not_found", msg, hint=hint)
    return matches


def _say_older(stream: Stream, shards: list[ShardInfo]) -> None:
    """Tell a person who waits for records that there are some already."""
    older = 0
    for info in shards:
        oldest, following = stream.bounds(info.index)
        older += following - oldest
    if older:
        records = "1 older record" if older == 1 else f"{older:,} older records"
        say(f"{records}; use --from oldest, --from -10 or --from 5m to see them")


def _json(record: TailedRecord) -> None:
    place = {
        "shard": record.shard.shard_id,
        "offset": record.offset,
        "sequence_number": record.sequence_number,
        "arrival_ms": record.arrival_ms,
        "key": record.key,
    }
    try:
        line({**place, "data": record.data.decode()}, flush=False)
    except UnicodeDecodeError:
        text = base64.b64encode(record.data).decode()
        line({**place, "data_base64": text}, flush=False)


def _text(record: TailedRecord) -> str:
    return record.data.decode("utf-8", "backslashreplace")


_FORMATS: dict[str, Callable[[TailedRecord], str]] = {
    "text": _text,
    "hex": lambda record: record.data.hex(),
    "base64": lambda record: base64.b64encode(record.data).decode(),
}


def _printer(form: str) -> Callable[[TailedRecord], None]:
    """What prints a record in a format. Raises ``invalid_argument``."""
    made = _FORMATS.get(form) or _line_of(form)
    return lambda record: print_line(made(record))


def print_line(text: str) -> None:
    """A line to stdout; the caller flushes."""
    sys.stdout.write(text + "\n")


def _line_of(form: str) -> Callable[[TailedRecord], str]:
    """A line with fields in braces. Raises ``invalid_argument`` for any other field."""
    hint = f"--format is {', '.join(_FORMATS)}, or a line with {{{'}, {'.join(FIELDS)}}}"
    try:
        fields = [name for _, name, spec, how in string.Formatter().parse(form) if name is not None]
    except ValueError as error:
        msg = f"--format {form!r} cannot be read: {error}"
        raise EddylineError("invalid_argument", msg, hint=hint) from None
    unknown = [name for name in fields if name not in FIELDS]
    if unknown or not fields:
        what = f"has no field {{{unknown[0]}}}" if unknown else "names no field"
        raise EddylineError("invalid_argument", f"--format {form!r} {what}", hint=hint)
    form = form.replace("\\t", "\t").replace("\\n", "\n")
    return lambda record: form.format_map(_fields(record))


def _fields(record: TailedRecord) -> dict[str, Any]:
    arrival = datetime.fromtimestamp(record.arrival_ms / 1000, UTC)
    return {
        "data": _text(record),
        "key": record.key,
        "arrival": arrival.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "shard": record.shard.shard_id,
        "sequence": record.sequence_number,
        "offset": record.offset,
    }
