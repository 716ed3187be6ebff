"""Each option of a connector that is documented with an effect has a reader.

What the effect is, the tests of the connector show; here no row may be without one.
"""

from __future__ import annotations

import ast
import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import eddyline
from eddyline.catalog.options import check_options, option_warnings
from eddyline.catalog.table import CatalogTable, ObjectPath, TableColumn
from eddyline.errors import EddylineError
from eddyline.options import any_table
from eddyline.options.connector import Connector
from eddyline.options.connectors import CONNECTORS
from eddyline.options.connectors.filesystem import SUCCESS_FILE
from eddyline.options.connectors.kinesis import STREAM, STREAM_NAME_RULE
from eddyline.options.formats import FORMATS
from eddyline.options.option import Option
from eddyline.record import types as t

ROOT = Path(eddyline.__file__).parent
# Read by being there: their rows are the check's own, or the planner's; or by their prefix.
BY_NAME = {"format", "properties.*"}
# Functions that read the option that they are given.
READERS = {"offsets"}


def read_options() -> set[str]:
    """Names of constants on which ``read`` or ``get`` is called anywhere in the product."""
    names = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            if ast.unparse(node.func).rpartition(".")[2] in READERS:
                names.add(ast.unparse(node.args[0]).rpartition(".")[2])
            if not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr in ("read", "get", "given"):
                owner = node.func.value
                names |= {owner.id} if isinstance(owner, ast.Name) else set()
                names |= {owner.attr} if isinstance(owner, ast.Attribute) else set()
    return names


def is_same(option: Option[Any], row: Option[Any]) -> bool:
    """Whether a row is the option, which another connector may require or not."""
    return replace(option, required=row.required) == row


def constants(rows: Any) -> dict[str, str]:
    """Option name to the name of its constant."""
    import importlib
    import pkgutil

    import eddyline.options

    out = {}
    for info in pkgutil.walk_packages(eddyline.options.__path__, "eddyline.options."):
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            if isinstance(value, Option) and any(is_same(value, row) for row in rows):
                out[value.name] = name
    return out


def test_each_option_with_an_effect_is_read_through_its_row() -> None:
    every = [*CONNECTORS.values(), *FORMATS.values()]
    rows = [o for c in every for o in (*c.options, *getattr(c, "column_settings", ()))]
    rows = [o for o in rows if o.no_effect is None and o.name not in BY_NAME]
    named, read = constants(rows), read_options()
    assert [o.name for o in rows if named.get(o.name) not in read] == []


def table(connector: str, **options: str) -> CatalogTable:
    columns = (TableColumn("a", t.INT),)
    written = {"connector": connector, **options}
    return CatalogTable(ObjectPath("c", "d", "x"), columns, primary_key=("a",), options=written)


REQUIRED = {
    "kinesis": {"stream": "s", "format": "json"},
    "filesystem": {"path": "/tmp", "format": "json"},
    "jdbc": {"url": "jdbc:sqlite:x", "table-name": "t"},
    "kafka": {"topic": "t", "properties.bootstrap.servers": "h:9092", "format": "json"},
    "upsert-kafka": {
        "topic": "t",
        "properties.bootstrap.servers": "h:9092",
        "key.format": "json",
        "value.format": "json",
    },
}


@pytest.mark.parametrize("name", CONNECTORS)
def test_options_without_effect_are_warned_about(name: str) -> None:
    idle = [o for o in CONNECTORS[name].options if o.no_effect is not None]
    for option in idle:
        key = option.name.replace("*", "any")
        value = option.default or {"integer": "1", "duration": "1 s"}.get(option.kind.name, "x")
        one = table(name, **REQUIRED.get(name, {}), **{key: value})
        check_options(one)
        (sentence,) = option_warnings(one)
        assert f"'{key}' has no effect" in sentence


@pytest.mark.parametrize("name", CONNECTORS)
def test_each_default_is_of_its_kind(name: str) -> None:
    for option in (*CONNECTORS[name].options, *CONNECTORS[name].column_settings):
        if option.default is not None:
            assert option.get({}) is not None


def test_watermark_options_are_those_of_all_sources() -> None:
    for row in CONNECTORS.values():
        if row.source and row.name != "jdbc":
            assert {o.name for o in any_table.WATERMARKS} <= {o.name for o in row.options}


# Options whose value may be blank: texts, prefixes, credentials.
MAY_BE_BLANK = {
    "aws.credentials.basic.accesskeyid", "aws.credentials.basic.secretkey",
    "aws.credentials.profile.name", "key.fields-prefix", "password", "print-identifier",
    "properties.*", "scan.stream.initpos-timestamp", "scan.stream.initpos-timestamp-format",
    "sink.partitioner-field-delimiter", "username", "fields.*",
}  # fmt: skip


# The fewest options of each connector.
FEWEST = {
    "kinesis": {"stream": "s", "format": "json"},
    "filesystem": {"path": "/a", "format": "json"},
    "kafka": {"topic": "t", "properties.bootstrap.servers": "h:1", "format": "json"},
    "upsert-kafka": {
        "topic": "t", "properties.bootstrap.servers": "h:1", "key.format": "json",
        "value.format": "json",
    },
    "jdbc": {"url": "jdbc:postgresql://h/d", "table-name": "t"},
    "datagen": {},
    "faker": {"fields.a.expression": "#{Name.name}"},
    "nexmark": {"events": "10"},
    "print": {},
    "blackhole": {},
}  # fmt: skip


@pytest.mark.parametrize("connector", CONNECTORS.values(), ids=list(CONNECTORS))
@pytest.mark.parametrize("value", ["", "  "])
def test_a_blank_value_is_refused(connector: Connector, value: str) -> None:
    columns = (TableColumn("a", t.STRING),)
    accepted = []
    for option in connector.options:
        if option.no_effect is None and option.name not in MAY_BE_BLANK:
            options = {"connector": connector.name, **FEWEST[connector.name], option.name: value}
            table = CatalogTable(
                ObjectPath("c", "d", "o"), columns, primary_key=("a",), options=options
            )
            with contextlib.suppress(EddylineError):
                check_options(table)
                accepted.append(option.name)
    assert accepted == []


@pytest.mark.parametrize("name", ["a b", "größe", "x" * 129, "arn:aws:kinesis:r:1:stream/a b"])
def test_a_text_that_names_no_stream_is_refused(name: str) -> None:
    with pytest.raises(EddylineError, match="option 'stream'") as refused:
        STREAM.read({"stream": name})
    assert STREAM_NAME_RULE in (refused.value.hint or "")


@pytest.mark.parametrize("name", ["a/b", "..", "/etc/x"])
def test_a_files_name_has_no_path(name: str) -> None:
    with pytest.raises(EddylineError, match="success-file"):
        SUCCESS_FILE.read({SUCCESS_FILE.name: name})
