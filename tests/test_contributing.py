"""What CONTRIBUTING.md promises: a new thing is a row of a table, in places that exist.

Here rows are added while the test runs. That an engine is one row as well is seen in
``tests/service/test_engines.py``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from eddyline.aws.call import Answer, Call
from eddyline.aws.glue import databases
from eddyline.aws.glue.context import GlueContext
from eddyline.catalog.catalog import Catalog
from eddyline.catalog.options import check_options
from eddyline.errors import EddylineError
from eddyline.functions.registry import FUNCTIONS, Arguments, Built, CallContext, Function
from eddyline.options.connectors import CONNECTORS
from eddyline.options.option import STRING as TEXT
from eddyline.options.option import Option
from eddyline.record.types import INT
from eddyline.sql import statement as st
from eddyline.sql.parse import parse_script
from eddyline.sql.physical import Calc, Plan
from eddyline.sql.planner import Planner
from tests.aws.local_kit import Local

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
PLACES = sorted(set(re.findall(r"`((?:eddyline|tests)/[\w/.]*)`", GUIDE)))
TABLE = "CREATE TABLE t (a STRING) WITH ('connector' = 'print', 'print-suffix' = '.')"


def planned(text: str, catalog: Catalog) -> Plan:
    (statement,) = parse_script(text)
    assert isinstance(statement, st.Query)
    return Planner(catalog).query(statement)


@pytest.mark.parametrize("place", PLACES)
def test_places_in_the_guide_exist(place: str) -> None:
    assert (ROOT / place).exists()


def test_a_function_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(args: Arguments, context: CallContext) -> Built:
        return Built(INT, "len(string_split({0}, ' '))")

    row = Function(("WORD_COUNT",), (1, 1), build, "Number of words.", ("WORD_COUNT('a b')", 2))
    with pytest.raises(EddylineError, match="WORD_COUNT"):
        planned("SELECT WORD_COUNT('a b')", Catalog(None))
    monkeypatch.setitem(FUNCTIONS, "WORD_COUNT", row)
    plan = planned("SELECT WORD_COUNT(a) FROM (VALUES ('a b')) AS v (a)", Catalog(None))
    assert plan.root.schema.types == (INT,)
    calc = plan.root.input
    assert isinstance(calc, Calc)
    assert "string_split" in calc.projections[0].expr.text


def test_an_option_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    (statement,) = parse_script(TABLE)
    assert isinstance(statement, st.CreateTable)
    catalog = Catalog(None)
    table = Planner(catalog).table(statement)
    with pytest.raises(EddylineError, match="print-suffix"):
        check_options(table)
    suffix = Option("print-suffix", TEXT, None, "What stands behind each row.")
    known = CONNECTORS["print"]
    monkeypatch.setitem(CONNECTORS, "print", replace(known, options=(*known.options, suffix)))
    check_options(table)
    assert suffix.read(table.options) == "."


def test_an_operation_is_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def encryption(context: GlueContext, call: Call) -> Answer:
        at_rest = {"CatalogEncryptionMode": "DISABLED"}
        return {"DataCatalogEncryptionSettings": {"EncryptionAtRest": at_rest}}

    monkeypatch.setitem(databases.OPERATIONS, "GetDataCatalogEncryptionSettings", encryption)
    answer = Local(tmp_path, "glue").call("GetDataCatalogEncryptionSettings")
    assert answer["DataCatalogEncryptionSettings"]["EncryptionAtRest"] == {
        "CatalogEncryptionMode": "DISABLED"
    }
