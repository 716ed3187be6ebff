"""The reference pages, written from the tables the product itself reads.

    python docs/generate.py            (make docs)

``tests/test_docs.py`` fails where a page is not what this makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

HOME = Path(__file__).parent
HEAD = "<!-- written by docs/generate.py; change the tables it reads, then run make docs -->\n\n"


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(c) for c in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _code(text: object) -> str:
    return f"`{text}`" if str(text) else ""


def settings() -> str:
    from eddyline.settings import documented

    rows = [
        (_code(name), _code(default), _code("EDDYLINE_" + name.upper()), meaning)
        for name, default, meaning in documented()
    ]
    return (
        "# Settings\n\nEach has a default, an environment variable, and for the commonest ones an "
        "option of `eddyline up`.\n\n" + table(("setting", "default", "variable", "meaning"), rows)
    )


def errors() -> str:
    from eddyline.errors import ERRORS

    rows = [(_code(c), e.status, e.domain.value, e.meaning) for c, e in ERRORS.items()]
    return (
        "# Errors\n\nEvery failure carries a code, a sentence that says what and where, and where "
        "possible a hint that says what to do. `--json` and the studio show the same.\n\n"
        + table(("code", "HTTP", "whose move", "meaning"), rows)
    )


def functions() -> str:
    from eddyline.functions import AGGREGATES, FUNCTIONS
    from eddyline.functions.unsupported import UNSUPPORTED

    scalars = {id(f): f for f in FUNCTIONS.values()}.values()
    named = [f for f in scalars if f.names[0][0].isalpha()]
    signs = [f for f in scalars if not f.names[0][0].isalpha()]
    rows = [
        (", ".join(_code(n) for n in f.names), f.doc, _code(f.example[0]), _code(f.example[1]))
        for f in (*sorted(named, key=lambda f: f.names[0]), *signs)
    ]
    sums = [
        (_code(a.name), a.doc, _code(a.example[0]), _code(a.example[1]))
        for a in sorted(AGGREGATES.values(), key=lambda a: a.name)
    ]
    lacks = [(_code(name), reason) for name, reason in sorted(UNSUPPORTED.items())]
    return (
        "# SQL functions\n\nThey mean what Apache Flink 2.3 means by them.\n\n"
        + table(("function", "what it gives", "example", "value"), rows)
        + "\n## Aggregates\n\nExamples are over a column `x` with the rows 1, 2, 4 and NULL.\n\n"
        + table(("aggregate", "what it gives", "example", "value"), sums)
        + "\n## Not here\n\nFunctions of Flink that are refused, and what to do instead.\n\n"
        + table(("function", "why, or what instead"), lacks)
    )


def connectors() -> str:
    from eddyline.options.connector import Changes
    from eddyline.options.connectors import ALIASES, CONNECTORS
    from eddyline.options.formats import FORMATS
    from eddyline.options.option import Option

    def options(rows: Iterable[Option[Any]], prefix: str = "") -> str:
        kept = [o for o in rows if o.no_effect is None]
        out = table(("option", "kind", "default", "meaning"), [_option(o, prefix) for o in kept])
        idle = [(_code(prefix + o.name), o.no_effect) for o in rows if o.no_effect is not None]
        if idle:
            out += "\nAccepted with a warning, because they change nothing here:\n\n"
            out += table(("option", "why"), idle)
        return out

    def _option(o: Option[Any], prefix: str) -> tuple[object, ...]:
        names = ", ".join(_code(prefix + n) for n in o.spellings)
        default = "required" if o.required else "" if o.default is None else _code(o.default)
        kind = ", ".join(_code(k) for k in o.kind.name.split("|")) if "|" in o.kind.name else None
        return (names, kind or o.kind.name, default, o.meaning + (" Ours alone." * o.extension))

    takes = {Changes.INSERTS: "new rows", Changes.UPSERTS: "changes, by the primary key",
             Changes.ALL: "all changes"}  # fmt: skip
    sinks = [
        (_code(c.name), takes[c.sink], c.guarantee)
        for c in CONNECTORS.values()
        if c.sink is not Changes.NONE
    ]
    parts = [
        "# Connectors and formats\n\nWhat a table's WITH clause may say. An option that is not "
        "here is refused, with the nearest name; one that changes nothing is answered with a "
        "warning.\n"
        "\n## What a sink takes, and how often a row arrives\n\n"
        "After a crash a job continues where its last committed micro-batch ended.\n\n"
        + table(("sink", "takes", "a row arrives"), sinks)
        + "\nOther names of a connector: "
        + ", ".join(f"{_code(a)} is {_code(b)}" for a, b in ALIASES.items())
        + ".\n"
    ]
    for row in CONNECTORS.values():
        can = {"source": row.source, "sink": row.sink is not Changes.NONE}
        ways = ", ".join(way for way, is_there in can.items() if is_there)
        parts.append(f"\n## {row.name}\n\n{row.meaning} ({ways})\n")
        if row.extra:
            parts.append(f"\nNeeds `pip install 'eddyline[{row.extra}]'`.\n")
        if row.metadata:
            parts.append("\n" + _metadata(row.metadata))
        if row.options:
            parts.append("\n" + options(row.options))
        if row.column_settings:
            parts.append("\nOf each column:\n\n" + options(row.column_settings, "fields.#."))
    for name, form in FORMATS.items():
        parts.append(f"\n## format {name}\n\n{form.meaning}\n")
        if form.extra:
            parts.append(f"\nNeeds `pip install 'eddyline[{form.extra}]'`.\n")
        if form.metadata:
            parts.append("\n" + _metadata(form.metadata))
        if form.options:
            parts.append("\n" + options(form.options, name + "."))
    return "".join(parts)


def _metadata(rows: Iterable[Any]) -> str:
    return table(
        ("metadata", "type", "meaning"), [(_code(m.key), _code(m.type), m.meaning) for m in rows]
    )


def sql_options() -> str:
    from eddyline.sql.options import OPTIONS

    rows = [
        (_code(k), _code(o.default), o.meaning, "yes" if o.honoured else "kept, without effect")
        for k, o in OPTIONS.items()
    ]
    return (
        "# SQL options\n\nWhat `SET 'key' = 'value'` may say in a note, a script or the shell. An "
        "unknown key is kept and answered with a warning.\n\n"
        + table(("key", "default", "meaning", "honoured"), rows)
    )


def generator_methods() -> str:
    from eddyline.generator.methods import METHODS, UNSUPPORTED
    from eddyline.generator.methods.aliases import ALIASES
    from eddyline.generator.methods.around import FILTERS

    own = [m for m in METHODS.values() if m.name not in ALIASES]
    rows = [(_code(m.name + m.forms), m.doc, _code(m.example)) for m in own]
    others = [(_code(name), _code(of)) for name, of in sorted(ALIASES.items())]
    filters = [(_code(n + f.forms), f.doc, _code(f.example)) for n, f in FILTERS.items()]
    lacks = [(_code(name), reason) for name, reason in sorted(UNSUPPORTED.items())]
    return (
        "# Methods of templates\n\nWhat may stand in a tag; [the language](../generator.md).\n\n"
        + table(("method", "what it gives", "example"), sorted(rows))
        + "\n## Other names\n\nNames that take the same arguments and give the same.\n\n"
        + table(("name", "method"), others)
        + "\n## Filters\n\nWhat may follow a value after a bar.\n\n"
        + table(("filter", "what it does", "example"), filters)
        + "\n## Not here\n\nNames of other generators that are refused, and why.\n\n"
        + table(("method", "why, or what instead"), lacks)
    )


def benchmarks() -> str:
    return (HOME.parent / "BENCHMARKS.md").read_text()


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings,
    "errors.md": errors,
    "functions.md": functions,
    "connectors.md": connectors,
    "sql-options.md": sql_options,
    "generator-methods.md": generator_methods,
    "benchmarks.md": benchmarks,
}


def main() -> None:
    """Write all pages."""
    (HOME / "reference").mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (HOME / "reference" / name).write_text(HEAD + page())


if __name__ == "__main__":
    main()
