"""The docs as tests: reference pages are current, links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from click import Context, Group

from eddyline.cli.main import app
from eddyline.sql.parse import parse_script

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)]*)?\)")


def generator() -> Any:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sorted(generator().PAGES))
def test_reference_page_is_current(name: str) -> None:
    made = generator()
    page = ROOT / "docs" / "reference" / name
    assert page.read_text() == made.HEAD + made.PAGES[name](), "run make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link, _ in _LINK.findall(page.read_text()):
        assert (page.parent / link).exists(), f"{page.name} links to {link}"


FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    pytest.param(body, id=f"{page.stem}-{n}")
    for page in PAGES
    if page.name != "README.md"
    for n, body in enumerate(FENCE.findall(page.read_text()))
]


@pytest.mark.parametrize("text", EXAMPLES)
def test_python_examples_run(text: str) -> None:
    exec(compile(text, "example", "exec"), {})


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        waiting += [page.parent / link for link, _ in _LINK.findall(page.read_text())]
    missing = {page.name for page in PAGES} - {page.name for page in reached}
    assert not missing


def test_every_page_is_in_the_sites_contents() -> None:
    contents = (ROOT / "mkdocs.yml").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        assert str(page.relative_to(ROOT / "docs")) in contents


FENCES = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SQL = [
    pytest.param(body, id=f"{page.stem}-{n}")
    for page in PAGES
    for n, (language, body) in enumerate(FENCES.findall(page.read_text()))
    if language == "sql"
]


@pytest.mark.parametrize("text", SQL)
def test_sql_examples_are_read(text: str) -> None:
    assert parse_script(text)


def commands() -> list[Any]:
    """Each call of ``eddyline`` in a page's blocks, without its options in brackets."""
    calls = []
    for page in PAGES:
        for language, body in FENCES.findall(page.read_text()):
            lines = body.replace("\\\n", " ").splitlines() if language in ("", "console") else []
            for line in lines:
                call = re.search(r"(?:^|\| )\$? ?eddyline ([^#\n]*)", line)
                if call and call[1].count('"') % 2 == 0:  # a text over several lines is no call
                    text = re.sub(r"\[[^\]']*\]", "", call[1].strip())
                    calls.append(pytest.param(text, id=f"{page.stem}: {text[:50]}"))
    return calls


@pytest.mark.parametrize("text", commands())
def test_commands_in_the_docs_have_such_options(text: str) -> None:
    """Every command and option that a page shows exists; nothing is run."""
    words = shlex.split(re.sub(r"'\{.*\}'", "template", text))
    for end, word in enumerate(words):
        if word in ("&", ">", "<", "|", "&&"):
            words = words[:end]
            break
    group = typer.main.get_command(app)
    context = group.make_context("eddyline", list(words), resilient_parsing=True)
    while isinstance(group, Group) and words:
        _, command, words = group.resolve_command(context, words)
        context = Context(command, info_name=command.name, parent=context)
        group = command
    group.make_parser(context).parse_args(list(words))


def test_the_glossary_is_in_order_and_defines_each_term_once() -> None:
    rows = [
        line
        for line in (ROOT / "docs" / "glossary.md").read_text().splitlines()
        if line[:2] == "| "
    ]
    terms = [row.split("|")[1].strip() for row in rows[1:]]
    assert terms == sorted(set(terms), key=str.lower)
    assert len(terms) > 40
