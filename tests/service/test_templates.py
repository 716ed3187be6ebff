"""Named templates: examples, files, and what a name may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from eddyline.errors import EddylineError
from eddyline.generator.template import samples
from eddyline.service.templates import EXAMPLES, Templates


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    return Templates(tmp_path)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_renders(name: str) -> None:
    assert all(samples(EXAMPLES[name], 5, seed=1))


def test_five_to_begin_with(templates: Templates) -> None:
    assert templates.names() == list(EXAMPLES)
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize("name", ["mine", "a/b", "..", ".", "Ünï %41", "x" * 80, "-"])
def test_a_template_is_kept_under_its_name(templates: Templates, name: str, tmp_path: Path) -> None:
    templates.save(name, "{{random.uuid}}")
    assert templates.read(name) == "{{random.uuid}}"
    assert templates.names() == [*EXAMPLES, name]
    assert [f.parent for f in tmp_path.rglob("*.template")] == [tmp_path / "templates"]
    templates.remove(name)
    assert templates.names() == list(EXAMPLES)


def test_a_kept_one_stands_before_an_example(templates: Templates) -> None:
    templates.save("Clicks", "mine")
    assert templates.read("Clicks") == "mine"
    assert templates.names() == list(EXAMPLES)
    templates.remove("Clicks")
    assert templates.read("Clicks") == EXAMPLES["Clicks"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\nb"])
def test_names_that_cannot_be(templates: Templates, name: str) -> None:
    with pytest.raises(EddylineError) as caught:
        templates.save(name, "x")
    assert caught.value.code == "invalid_argument"


def test_one_that_is_not_there(templates: Templates) -> None:
    with pytest.raises(EddylineError, match="there is no template gone"):
        templates.read("gone")
