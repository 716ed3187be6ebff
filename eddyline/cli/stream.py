"""``eddyline stream``: the streams of a data directory, opened by the command itself."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eddyline.cli import stream_files
from eddyline.cli.names import stream_names
from eddyline.cli.opening import DataDir, Json, streams
from eddyline.cli.tail import tail
from eddyline.cli.terminal import line, listing, moment, outcome, say
from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError

if TYPE_CHECKING:
    from eddyline.log import Stream

READ_BYTES = 4 << 20
# Records of standard input that are put together.
PUT_RECORDS = 500
KEY_CHARACTERS_MAX = 256
STATS_S = 1.0

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Create, list, describe, fill, watch, back up and delete streams.

\b
Examples:
  eddyline stream create clicks --shards 2
  echo '{"n":1}' | eddyline stream put clicks
  eddyline stream tail clicks --from oldest --json
  eddyline stream stats clicks
  eddyline stream backup clicks clicks.eds""",
)
Name = Annotated[str, typer.Argument(help="The stream's name.", autocompletion=stream_names)]
NewName = Annotated[str, typer.Argument(help="The stream's name.")]


@app.command()
def create(
    name: NewName,
    shards: Annotated[int | None, typer.Option(help="Shards of a provisioned stream.")] = None,
    on_demand: Annotated[bool, typer.Option("--on-demand", help="On-demand mode.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Create a stream; on-demand unless --shards is given.

    \b
    Examples:
      eddyline stream create clicks
      eddyline stream create clicks --shards 2
    """
    from eddyline.log import StreamMode

    if on_demand and shards is not None:
        raise EddylineError("invalid_argument", "give --shards or --on-demand, not both")
    mode = StreamMode.ON_DEMAND if shards is None else StreamMode.PROVISIONED
    with streams(data_dir, make=True) as store:
        stream = _summary(store.create(name, shards, mode))
    outcome(stream, f"stream {name} created", as_json)


@app.command("list")
def list_streams(data_dir: DataDir = None, as_json: Json = False) -> None:
    """All streams.

    \b
    Examples:
      eddyline stream list
      eddyline stream list --json
    """
    with streams(data_dir) as store:
        summaries = [_summary(store.open(info.name)) for info in store.list()]
    columns = (
        ("stream", lambda s: s["name"]),
        ("status", lambda s: s["status"]),
        ("mode", lambda s: s["mode"]),
        ("shards", lambda s: s["shards"]),
        ("records", lambda s: f"{s['records']:,}"),
        ("MiB", lambda s: s["bytes"] / 2**20),
        ("retention h", lambda s: s["retention_hours"]),
        ("created (UTC)", lambda s: moment(s["created_ms"])),
    )
    listing(summaries, columns, as_json, "no streams; eddyline stream create NAME makes one")


@app.command()
def describe(name: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
    """A stream's shards: their hash keys and what they hold.

    \b
    Examples:
      eddyline stream describe clicks
    """
    with streams(data_dir) as store:
        stream = store.open(name)
        shards = [_shard(stream, info) for info in stream.shards()]
        whole = _summary(stream)
    if not as_json:
        say(
            f"{whole['name']}: {whole['status']}, {whole['mode']}, {whole['records']:,} records, "
            f"{whole['bytes']:,} bytes, kept {whole['retention_hours']} h, "
            f"created {moment(whole['created_ms'])} UTC"
        )
    columns = tuple(
        (k, lambda s, k=k: s[k]) for k in ("shard", "open", "oldest", "next", "hash_keys")
    )
    listing(shards, columns, as_json, "no shards")


def _summary(stream: Stream) -> dict[str, Any]:
    info, figures = stream.info(), stream.counters()
    return {
        "name": info.name,
        "status": str(info.status),
        "mode": str(info.mode),
        "shards": sum(s.closed_offset is None for s in info.shards),
        "records": figures.records_kept,
        "bytes": figures.bytes_kept,
        "retention_hours": info.retention_hours,
        "created_ms": info.created_ms,
    }


def _shard(stream: Stream, info: Any) -> dict[str, Any]:
    oldest, following = stream.bounds(info.index)
    return {
        "shard": info.shard_id,
        "open": info.closed_offset is None,
        "oldest": oldest,
        "next": following,
        "hash_keys": f"{info.starting_hash_key}..{info.ending_hash_key}",
    }


@app.command()
def delete(name: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Delete a stream and all its records.

    \b
    Examples:
      eddyline stream delete clicks
    """
    with streams(data_dir) as store:
        store.delete(name)
    outcome({"stream": name, "deleted": True}, f"stream {name} deleted", as_json)


@app.command()
def scale(
    name: Name,
    shards: Annotated[int, typer.Argument(help="The number of open shards it is to have.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Split and merge shards until a stream has this many, all of the same size.

    \b
    Examples:
      eddyline stream scale clicks 4
    """
    with streams(data_dir) as store:
        store.open(name).scale(shards)
    plural = "" if shards == 1 else "s"
    result = {"stream": name, "shards": shards}
    outcome(result, f"stream {name} has {shards} open shard{plural}", as_json)


@app.command()
def put(
    name: Name,
    data: Annotated[str | None, typer.Option(help="One record; else lines of stdin.")] = None,
    key: Annotated[
        str | None, typer.Option(help="Partition key; without it each record gets its own.")
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Put one record, or each line of standard input as a record.

    \b
    Examples:
      eddyline stream put clicks --data '{"n":1}' --key a
      tail -f app.log | eddyline stream put clicks
    """
    with streams(data_dir) as store:
        stream = store.open(name)
        if data is not None:
            count = _put(stream, [data.encode()], key)
        else:
            count = sum(_put(stream, chunk, key) for chunk in _chunks())
    message = f"{count:,} record{'' if count == 1 else 's'} put"
    outcome({"stream": name, "records": count}, message, as_json)


def _chunks() -> Iterator[list[bytes]]:
    """Lines of standard input: what has come goes at once, at most so many together."""
    rest, source = b"", sys.stdin.fileno()
    while read := os.read(source, READ_BYTES):
        *lines, rest = (rest + read).split(b"\n")
        records = [line.removesuffix(b"\r") for line in lines if line.strip()]
        for at in range(0, len(records), PUT_RECORDS):
            yield records[at : at + PUT_RECORDS]
    if rest.strip():
        yield [rest]


def _put(stream: Stream, records: list[bytes], key: str | None) -> int:
    import uuid

    from eddyline.log import PutBatch

    _check(stream, records, key)
    keys = [key or uuid.uuid4().hex for _ in records]
    stream.put(PutBatch(keys, records)).result()
    return len(records)


def _check(stream: Stream, records: list[bytes], key: str | None) -> None:
    """As the Kinesis API has it, whose clients are to read them."""
    from eddyline.aws.kinesis.flags import Flags

    if key is not None and len(key) > KEY_CHARACTERS_MAX:
        msg = f"the partition key has {len(key)} characters"
        raise EddylineError("invalid_argument", msg, hint=f"at most {KEY_CHARACTERS_MAX}")
    most = Flags(stream.attributes()).max_record_kib << 10
    largest = max(records, key=len)
    if len(largest) > most:
        msg = f"a record of {len(largest):,} bytes is too large for stream {stream.name}"
        hint = f"it takes {most:,} bytes per record; UpdateMaxRecordSize raises that"
        starts = largest[:40].decode("utf-8", "backslashreplace")
        detail = f"it begins with {starts}"
        raise EddylineError("invalid_argument", msg, detail=detail, hint=hint)


@app.command()
def stats(
    name: Name,
    for_: Annotated[str | None, typer.Option("--for", help="End after 30s, 5m.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Records and bytes per second, once a second, until Ctrl-C.

    \b
    Examples:
      eddyline stream stats clicks
      eddyline stream stats clicks --for 10s --json
    """
    from eddyline.generator.spec import parse_duration

    left = parse_duration(for_) if for_ else float("inf")
    pause = threading.Event()
    with streams(data_dir) as store:
        stream = store.open(name)
        before, at = stream.counters(), SYSTEM.monotonic()
        while left > 0:
            SYSTEM.wait(pause, min(STATS_S, left))
            now, then = stream.counters(), SYSTEM.monotonic()
            seconds = then - at
            left -= seconds
            records = (now.records_total - before.records_total) / seconds
            rate = (now.bytes_total - before.bytes_total) / seconds
            before, at = now, then
            if as_json:
                figures = {"records_per_s": round(records, 1), "bytes_per_s": round(rate)}
                line({"time_ms": SYSTEM.now_ms(), **figures, "records": now.records_kept})
            else:
                rates = f"{records:10,.1f} records/s {rate / 1024:10,.1f} KiB/s"
                sys.stdout.write(f"{rates}   {now.records_kept:,} kept\n")
                sys.stdout.flush()


def register(to: typer.Typer) -> None:
    """Add the commands."""
    app.command()(tail)
    stream_files.register(app)
    to.add_typer(app, name="stream")
