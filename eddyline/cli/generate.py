"""``eddyline generate``: records from a template, into a stream, a file or a pipe."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eddyline.cli.opening import DataDir, Json
from eddyline.cli.sending import (
    EndAfter,
    Endpoint,
    Key,
    Newline,
    Region,
    Sending,
    To,
    only_target,
    positive,
    remote,
    targets_of,
)
from eddyline.cli.terminal import say
from eddyline.errors import EddylineError

if TYPE_CHECKING:
    from eddyline.cli.sending import OpenTargets
    from eddyline.generator.folder import Folder
    from eddyline.generator.job import Generator
    from eddyline.generator.spec import GeneratorSpec

TEMPLATE_BYTES_MAX = 1 << 20

Gzip = Annotated[bool, typer.Option("--gzip", help="Compress every record.")]
RampText = Annotated[str | None, typer.Option(help="Move the rate to another: 1000:60s.")]
SineText = Annotated[str | None, typer.Option(help="Swing around the rate: 0.5:10m.")]
WeekFile = Annotated[str | None, typer.Option(help="JSON file of a week's rates, 7 by 24.")]
ByChance = Annotated[bool, typer.Option("--poisson", help="Let records come by chance.")]
Bursts = Annotated[list[str] | None, typer.Option(help="Multiply the rate: 30s:10s:5.")]
ClockText = Annotated[
    str | None, typer.Option(help="Clock of date.simTime: 2020-01-01..2020-01-08@3600x.")
]
Faults = Annotated[
    list[str] | None,
    typer.Option(help="drop, duplicate, late, torn or outlier: outlier:0.01:field=t:factor=9."),
]
LabelsTo = Annotated[
    str | None, typer.Option(help="Where to tell what faults and bursts did; as --to.")
]


def generate(
    template: Annotated[
        str, typer.Argument(help="A file, template:NAME, the text itself, or - for stdin.")
    ],
    to: To,
    rate: Annotated[str, typer.Option(help="Records a second, or max.")] = "100",
    total: EndAfter = None,
    for_: Annotated[str | None, typer.Option("--for", help="End after 30s, 5m, 2h.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same records each time.")] = None,
    endpoint: Endpoint = None,
    region: Region = None,
    key: Key = "random",
    newline: Newline = False,
    gzip: Gzip = False,
    ramp: RampText = None,
    sine: SineText = None,
    periodic: WeekFile = None,
    poisson: ByChance = False,
    burst: Bursts = None,
    sim: ClockText = None,
    fault: Faults = None,
    labels: LabelsTo = None,
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
      eddyline generate t.txt --to stream:s --burst 30s:10s:5 --labels stream:l
      eddyline generate template:Orders --to stream:s    (eddyline template list)
      eddyline generate t.txt --to stream:views --to clicks=stream:clicks
    """
    from eddyline.generator.spec import GeneratorSpec, parse_duration, parse_rate

    named: dict[str, str] = {}
    own = only_target(to, named)
    spec = GeneratorSpec(
        named_template(template, data_dir) or template_text(template),
        remote(own, endpoint),
        rate=parse_rate(rate),
        total=total,
        duration_s=positive("--for", for_, parse_duration),
        seed=seed,
        newline=newline,
        partition_key=key,
        endpoint=endpoint,
        region=region,
        gzip=gzip,
        labels=labels,
        outputs=tuple((name, remote(text, endpoint)) for name, text in named.items()),
        **course(ramp, sine, periodic, poisson, burst, sim, fault),
    )
    spec.check()
    to_stdout = "-" in (own, labels, *named.values())
    with targets_of(spec, data_dir) as opened:
        sender = _sender(spec, opened, data_dir)
        Sending(sender, as_json=as_json, to_stdout=to_stdout).run()


def _sender(spec: GeneratorSpec, opened: OpenTargets, data_dir: Path | None) -> Generator:
    """The generator; warns about what has no effect in its template."""
    from eddyline.generator.job import Generator

    sender = Generator(
        spec,
        opened.target,
        labels=opened.labels,
        open_output=opened.more,
        files=lists_of(data_dir),
    )
    for warning in sender.warnings:
        say(f"warning: {warning}")
    return sender


def lists_of(data_dir: Path | None) -> Folder:
    """Where a template's files are looked for: as they are named, then in the data directory."""
    from eddyline.cli.opening import settings_of
    from eddyline.generator.folder import Folder
    from eddyline.service.templates import lists_folder

    return Folder((Path(), lists_folder(settings_of(data_dir).data_dir)), confined=False)


def course(
    ramp: str | None,
    sine: str | None,
    periodic: str | None,
    poisson: bool,
    bursts: list[str] | None,
    clock: str | None,
    faults: list[str] | None,
) -> dict[str, Any]:
    """How the rate goes and what goes wrong, as fields of a spec. Raises ``invalid_argument``."""
    from eddyline.generator import options

    return {
        "ramp": options.parse_ramp(ramp) if ramp else None,
        "sine": options.parse_sine(sine) if sine else None,
        "periodic": options.read_week(periodic) if periodic else None,
        "arrivals": "poisson" if poisson else "even",
        "bursts": tuple(options.parse_burst(b) for b in bursts or ()),
        "simulated": options.parse_clock(clock) if clock else None,
        "faults": tuple(options.parse_fault(f) for f in faults or ()),
    }


def named_template(given: str, data_dir: Path | None) -> str | None:
    """The text of ``template:NAME``, a kept one or an example; else None.

    Raises:
        EddylineError: ``not_found``, ``bad_file``.
    """
    kind, _, name = given.partition(":")
    if kind != "template" or not name:
        return None
    from eddyline.cli.opening import settings_of
    from eddyline.service.templates import Templates

    return Templates(settings_of(data_dir).data_dir).read(name)


def template_text(given: str) -> str:
    """The template: of standard input, of a file, or the text itself.

    Raises:
        EddylineError: ``not_found``, ``bad_file``, ``access_denied``.
    """
    if given == "-":
        return _decoded(sys.stdin.buffer.read(TEMPLATE_BYTES_MAX + 1), "standard input")
    path = Path(given)
    is_text = (
        not given.strip() or "{{" in given or "\n" in given or given.lstrip().startswith(("{", "["))
    )
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
