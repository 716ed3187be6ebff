"""``eddyline template``: the generator's templates kept by name in a data directory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eddyline.cli.names import template_names
from eddyline.cli.opening import DataDir, Json
from eddyline.cli.terminal import line, listing, outcome, say
from eddyline.errors import EddylineError

if TYPE_CHECKING:
    from eddyline.service.templates import Templates

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""List, show, test, import, export and remove the generator's templates.

They are those of the studio's Generator page. generate sends them as template:NAME.

\b
Examples:
  eddyline template list
  eddyline template test Orders
  eddyline template import sensors.txt "My sensors"
  eddyline generate template:"My sensors" --to stream:my-input-stream""",
)
Name = Annotated[str, typer.Argument(help="The template's name.", autocompletion=template_names)]


@app.command("list")
def list_templates(data_dir: DataDir = None, as_json: Json = False) -> None:
    """All templates: the examples, then those that were kept.

    \b
    Examples:
      eddyline template list
    """
    kept = _templates(data_dir)
    rows = [
        {"name": name, "kept": kept.is_kept(name), "template": kept.read(name)}
        for name in kept.names()
    ]
    columns = (
        ("template", lambda r: r["name"]),
        ("", lambda r: "kept" if r["kept"] else "example"),
        ("text", lambda r: " ".join(r["template"].split())[:70]),
    )
    listing(rows, columns, as_json, "no templates")


@app.command()
def show(name: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
    """A template's text, to stdout.

    \b
    Examples:
      eddyline template show Orders
    """
    text = _templates(data_dir).read(name)
    if as_json:
        line({"name": name, "template": text})
    else:
        sys.stdout.write(text.removesuffix("\n") + "\n")


@app.command("test")
def made(
    template: Annotated[str, typer.Argument(help="A name, a file, the text itself, or -.")],
    count: Annotated[int, typer.Option(help="How many records.", min=1, max=1000)] = 5,
    seed: Annotated[int | None, typer.Option(help="The same records each time.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Records made from a template, to stdout; nothing is sent.

    \b
    Examples:
      eddyline template test Orders --count 2
      eddyline template test '{"n":{{random.number(9)}}}' --json
    """
    from eddyline.cli.generate import lists_of, template_text
    from eddyline.generator.template import compile_template, samples

    kept = _templates(data_dir)
    text = kept.read(template) if template in kept.names() else template_text(template)
    files = lists_of(data_dir)
    for warning in compile_template(text, files).warnings:
        say(f"warning: {warning}")
    for record in samples(text, count, seed=seed, files=files):
        if as_json:
            line({"record": record})
        else:
            sys.stdout.write(record + "\n")


@app.command("import")
def bring(
    file: Annotated[str, typer.Argument(help="A file, or - for stdin.")],
    name: Annotated[str | None, typer.Argument(help="Its name; else the file's.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Keep a file's template under a name, if it can be rendered.

    \b
    Examples:
      eddyline template import sensors.txt "My sensors"
    """
    from eddyline.cli.generate import lists_of, template_text
    from eddyline.generator.template import compile_template

    if name is None and file == "-":
        msg = "the template needs a name"
        raise EddylineError("invalid_argument", msg, hint="eddyline template import - NAME")
    text = template_text(file)
    for warning in compile_template(text, lists_of(data_dir)).warnings:
        say(f"warning: {warning}")
    name = name or Path(file).stem
    _templates(data_dir).save(name, text)
    outcome({"name": name.strip(), "kept": True}, f"template {name.strip()} is kept", as_json)


@app.command()
def export(
    name: Name,
    file: Annotated[str, typer.Argument(help="The file to write, or - for stdout.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write a template into a file.

    \b
    Examples:
      eddyline template export Orders orders.txt
      eddyline template export Orders - | sed s/old/new/ > new.txt
    """
    if file == "-":
        show(name, data_dir, as_json)
        return
    text = _templates(data_dir).read(name)
    try:
        Path(file).write_text(text, "utf-8")
    except OSError as error:
        raise EddylineError("access_denied", f"cannot write {file}: {error.strerror}") from None
    outcome({"name": name, "file": str(file)}, f"template {name} is in {file}", as_json)


@app.command()
def remove(name: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Remove a template that was kept; an example of the same name shows again.

    \b
    Examples:
      eddyline template remove "My sensors"
    """
    kept = _templates(data_dir)
    if not kept.is_kept(name):
        kept.read(name)  # says so if there is none
        hint = "only kept ones can be removed"
        raise EddylineError("invalid_argument", f"{name} is an example", hint=hint)
    kept.remove(name)
    outcome({"name": name, "removed": True}, f"template {name} is removed", as_json)


def _templates(data_dir: Path | None) -> Templates:
    from eddyline.cli.opening import settings_of
    from eddyline.service.templates import Templates

    return Templates(settings_of(data_dir).data_dir)


def register(to: typer.Typer) -> None:
    """Add the commands."""
    to.add_typer(app, name="template")
