"""``eddyline generate``: records from a template, into a stream, a file or a pipe."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from eddyline.cli.opening import DataDir, Json
from eddyline.errors import EddylineError

TEMPLATE_BYTES_MAX = 1 << 20


def generate(
    template: Annotated[str, typer.Argument(help="A file, the template's text, or - for stdin.")],
    to: Annotated[str, typer.Option("--to", help="stream:NAME, kinesis:NAME, file:PATH or -.")],
    rate: Annotated[str, typer.Option(help="Records a second, or max.")] = "100",
    total: Annotated[int | None, typer.Option(help="End after so many records.")] = None,
    for_: Annotated[str | None, typer.Option("--for", help="End after 30s, 5m, 2h.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same records each time.")] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="URL of a Kinesis endpoint that holds the stream.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="The endpoint's region.")] = None,
    key: Annotated[
        str, typer.Option(help="Partition key: random, field:NAME or fixed:TEXT.")
    ] = "random",
    newline: Annotated[
        bool, typer.Option("--newline", help="End records of a stream in a newline.")
    ] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Send records made from a template until --total, --for or Ctrl-C.

    Counted is what was acknowledged; the exit code is 0 only if nothing was given up. With --json
    the counters come as one object a second, the last one with "done": true.

    \b
    Examples:
      eddyline generate sensor.txt --to stream:my-input-stream --rate 5
      eddyline generate '{"n":{{random.number(9)}}}' --to - --total 10
      eddyline generate - --to file:a.ndjson --rate max --total 1000000 < t
      eddyline generate t.txt --to stream:s --endpoint http://127.0.0.1:4567
    """
    from eddyline.cli.sending import Sending, positive, remote, target_of
    from eddyline.generator.job import Generator
    from eddyline.generator.spec import GeneratorSpec, parse_duration, parse_rate

    spec = GeneratorSpec(
        template_text(template),
        remote(to, endpoint),
        rate=parse_rate(rate),
        total=total,
        duration_s=positive("--for", for_, parse_duration),
        seed=seed,
        newline=newline,
        partition_key=key,
        endpoint=endpoint,
        region=region,
    )
    spec.check()
    with target_of(spec, data_dir) as target:
        Sending(Generator(spec, target), as_json=as_json, to_stdout=to == "-").run()


def template_text(given: str) -> str:
    """The template: of standard input, of a file, or the text itself.

    Raises:
        EddylineError: ``not_found``, ``bad_file``, ``access_denied``.
    """
    if given == "-":
        return _decoded(sys.stdin.buffer.read(TEMPLATE_BYTES_MAX + 1), "standard input")
    path = Path(given)
    is_text = "{{" in given or "\n" in given or given.lstrip().startswith(("{", "["))
    try:
        if path.is_file():
            with path.open("rb") as file:
                return _decoded(file.read(TEMPLATE_BYTES_MAX + 1), given)
    except OSError as error:
        if not is_text:
            raise EddylineError("access_denied", f"cannot read {given}: {error.strerror}") from None
    if is_text:
        return given
    hint = "name a file, or write the template itself: '{\"n\":{{random.number(9)}}}'"
    raise EddylineError("not_found", f"there is no template file {given}", hint=hint)


def _decoded(data: bytes, where: str) -> str:
    if len(data) > TEMPLATE_BYTES_MAX:
        msg = f"the template in {where} is longer than {TEMPLATE_BYTES_MAX:,} bytes"
        raise EddylineError("bad_file", msg, hint="a file of records is sent by eddyline replay")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise EddylineError("bad_file", f"{where} is not UTF-8 text") from None
    # An editor's last newline is not part of the record.
    return text.removesuffix("\n").removesuffix("\r")


def register(to: typer.Typer) -> None:
    """Add the command."""
    to.command("generate")(generate)
