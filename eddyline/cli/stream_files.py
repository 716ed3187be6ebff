"""``eddyline stream backup|restore|export|import``: streams into files and out of them.

All four work beside a running server. A file is written under a temporary name and renamed once it
is complete and on disk; ``-`` stands for standard output or input.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from eddyline.cli.names import stream_names
from eddyline.cli.opening import DataDir, Json, streams
from eddyline.cli.terminal import line, say
from eddyline.errors import EddylineError

Name = Annotated[str, typer.Argument(help="The stream's name.", autocompletion=stream_names)]
To = Annotated[Path, typer.Argument(help="The file to write; - for standard output.")]
From = Annotated[Path, typer.Argument(help="The file to read; - for standard input.")]
Format = Annotated[
    str | None, typer.Option("--format", help="ndjson or parquet; else by the file's name.")
]


def backup(name: Name, file: To, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Write a stream, as it is at this moment, into one file, while it may be in use.

    \b
    Examples:
      eddyline stream backup clicks clicks.eds
      eddyline stream backup clicks - | gzip > clicks.eds.gz
    """
    from eddyline.log.backup import backup as take

    with streams(data_dir) as store, _written(file) as out:
        report = take(store.open(name), out)
    result = {"stream": name, "records": report.records, "bytes": report.bytes, "lost": report.lost}
    _report(result, f"{report.records:,} records of {name} in {file}", as_json, file)


def restore(
    file: From,
    name: Annotated[str | None, typer.Option(help="Another name for the stream.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a stream again from a backup: same records, sequence numbers, shards and tags.

    \b
    Examples:
      eddyline stream restore clicks.eds
      eddyline stream restore clicks.eds --name clicks-yesterday
    """
    from eddyline.log.backup import restore as make

    with _read(file) as source, streams(data_dir, make=True) as store:
        stream = make(store, source, str(file), name)
        records = stream.counters().records_kept
    result = {"stream": stream.name, "records": records}
    _report(result, f"stream {stream.name} restored with {records:,} records", as_json)


def export(
    name: Name, file: To, form: Format = None, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """Write a stream's records as NDJSON or Parquet, one row per record.

    \b
    Examples:
      eddyline stream export clicks clicks.parquet
      eddyline stream export clicks - --format ndjson | head
    """
    from eddyline.log.exchange import export as write
    from eddyline.log.exchange import format_of

    chosen = format_of(file, form)
    with streams(data_dir) as store, _written(file) as out:
        records, lost = write(store.open(name), out, chosen)
    result = {"stream": name, "records": records, "lost": lost, "format": chosen}
    _report(result, f"{records:,} records of {name} in {file}", as_json, file)


def import_(
    name: Name, file: From, form: Format = None, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """Put the records of an exported file into a stream; they get new times of arrival.

    \b
    Examples:
      eddyline stream import clicks clicks.parquet
    """
    from eddyline.log.exchange import format_of, put_file

    chosen = format_of(file, form)
    with streams(data_dir) as store, _read(file) as source:
        records = put_file(store.open(name), source, chosen, str(file))
    _report({"stream": name, "records": records}, f"{records:,} records put", as_json)


def _report(
    result: dict[str, object], message: str, as_json: bool, written: Path | None = None
) -> None:
    lost = result.get("lost")
    if lost:
        say(f"warning: {lost:,} records are lost to damaged blocks; look into the log's messages")
    if as_json:  # stdout may hold the data itself
        line(result, sys.stderr if str(written) == "-" else sys.stdout)
    else:
        say(message)


@contextmanager
def _written(file: Path) -> Iterator[BinaryIO]:
    """The file while it is written; it has its name only once it is complete."""
    if str(file) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    aside = file.with_name(file.name + ".part")
    try:
        with aside.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        aside.replace(file)
    except OSError as error:
        raise _unusable(file, error) from error
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def _read(file: Path) -> Iterator[BinaryIO]:
    if str(file) == "-":
        yield sys.stdin.buffer
        return
    try:
        source = file.open("rb")
    except OSError as error:
        raise _unusable(file, error) from error
    with source:
        yield source


def _unusable(file: Path, error: OSError) -> EddylineError:
    code = "not_found" if isinstance(error, FileNotFoundError) else "bad_file"
    hint = "see that the path is right, may be used, and has room"
    return EddylineError(code, f"{file} cannot be used: {error.strerror}", hint=hint)


def register(to: typer.Typer) -> None:
    """Add the commands."""
    to.command()(backup)
    to.command()(restore)
    to.command()(export)
    to.command("import")(import_)
