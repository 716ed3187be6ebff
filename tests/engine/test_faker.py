"""The faker connector: published expressions, types, nested values, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from statement_kit import Sql

from eddyline.errors import EddylineError
from eddyline.generator.column import At, spread
from eddyline.generator.datafaker.expression import compile_expression
from eddyline.generator.datafaker.fiction import FICTION
from eddyline.generator.datafaker.providers import CALLS, METHOD_NAMES
from eddyline.generator.methods import METHODS


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    kit = Sql(tmp_path)
    yield kit
    kit.close()


def texts(expression: str, n: int = 300) -> list[str]:
    column = compile_expression(expression)
    now = np.full(n, 1_764_000_000_000)
    spread_texts = spread(
        column.build(np.random.default_rng(1).random((n, column.slots)), At(now, now)), n
    )
    values: list[str] = spread_texts.to_pylist()
    assert max(len(v.encode()) for v in values) <= column.width
    return values


# Expressions of published tables, as they stand there.
@pytest.mark.parametrize(
    ("expression", "shape"),
    [
        ("#{Internet.publicIpV4Address}", r"(\d{1,3}\.){3}\d{1,3}"),
        ("-", "-"),
        (r"#{regexify '(GET|POST|PUT|PATCH){1}'} #{regexify '(/search\.html|/login\.html){1}'}",
         r"(GET|POST|PUT|PATCH) /(search|login)\.html"),
        ("#{regexify '(PL)[0-9]{5}'}", r"PL\d{5}"),
        ("#{regexify '(男|女){1}'}", "男|女"),
        ("#{number.numberBetween '100','10000000'}", r"\d{3,7}"),
        ("#{number.number_between '1','100'}", r"\d{1,2}"),
        ("#{number.numberbetween '0','1000'}", r"\d{1,3}"),
        ("#{Number.randomDouble '2','10','500'}", r"\d{2,3}\.\d\d"),
        ("#{number.random_double '4','0','1'}", r"[01]\.\d{4}"),
        ("#{date.past '15','5','SECONDS'}", r"2025-11-24 15:59:[45]\d\.\d{3}"),
        ("#{date.past '100' 'DAYS'}", r"2025-(08|09|10|11)-.+"),
        ("#{date.future '2','HOURS'}", r"2025-11-24 1[678]:.+"),
        ("#{date.past '5','MINUTES','yyyy-MM-dd''T''HH:mm'}", r"2025-11-24T(15:5\d|16:00)"),
        ("#{Options.option 'chrome', 'firefox', 'safari')}", "chrome|firefox|safari"),
        ("#{numerify 'user_##'}", r"user_\d\d"),
        ("#{bothify '????##@gmail.com'}", r"[a-z]{4}\d\d@gmail\.com"),
        ("#{letterify '??'}", "[a-z]{2}"),
        ("/#{GreekPhilosopher.name}.html", r"/[\w ]+\.html"),
        ("#{Internet.uuid}", r"[0-9a-f-]{36}"),
        ("#{Internet.UUID}", r"[0-9a-f-]{36}"),
        ("#{harry_potter.characters}", r"\D+"),
        ("#{HarryPotter.spell}", r"\D+"),
        ("#{RickAndMorty.location}", ".+"),
        ("#{dr_who.the_doctors}", ".+ Doctor"),
        ("#{superhero.power}", ".+"),
        ("#{Name.first_name} #{Name.lastName}", r"\S+ \S+"),
        ("#{Space.nasaSpaceCraft}", ".+"),
        ("#{space.star}", ".+"),
        ("#{Currency.code}", "[A-Z]{3}"),
        ("#{Lorem.sentence}", r"[A-Z].+\."),
        ("#{lorem.words '2'}", r"\w+ \w+"),
        ("#{bool.bool}", "true|false"),
        ("#{finance.iban}", r"[A-Z]{2}\d\d.+"),
        ("#{Aviation.aircraft}", ".+"),
        ("#{Beer.name}", ".+"),
        ("#{animal.name}", ".+"),
        ("#{Color.name}", ".+"),
        ("#{crypto.sha256}", "[0-9a-f]{64}"),
    ],
)  # fmt: skip
def test_an_expression(expression: str, shape: str) -> None:
    for text in texts(expression):
        assert re.fullmatch(shape, text), text


def test_ends_of_numbers() -> None:
    assert {int(t) for t in texts("#{number.numberBetween '3','6'}")} == {3, 4, 5}
    assert set(texts("#{number.numberBetween '4','4'}")) == {"4"}
    assert set(texts("#{Options.option 'a','b','c'}")) == {"a", "b", "c"}


def test_every_row_of_the_tables_makes_texts() -> None:
    days = " '2020-01-01','2021-01-01'"
    needed = {"options.option": " 'a'", "regexify": " 'a'", "date.between": days}
    needed["timeanddate.between"] = days
    for name in (*CALLS, *FICTION, *METHOD_NAMES):
        assert texts(f"#{{{name}{needed.get(name, '')}}}", 5)
    assert set(METHOD_NAMES.values()) <= set(METHODS)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("#{Nme.fullName}", "did you mean name.fullname"),
        ("#{number.numberBetween 'x','5'}", "whole number"),
        ("#{number.numberBetween '9','5'}", "below min"),
        ("#{regexify '(a'}", "not closed"),
        ("#{date.past '5','PARSECS'}", "no unit of time"),
        ("#{Name.fullName", "without its end"),
        ("#{Options.option}", "options are needed"),
    ],
)
def test_what_cannot_be_meant_is_told(expression: str, words: str) -> None:
    with pytest.raises(EddylineError) as caught:
        compile_expression(expression)
    assert caught.value.code == "invalid_argument"
    assert words in f"{caught.value.message} {caught.value.hint}"


def faker(columns: str, rows: int = 50, **options: str) -> str:
    written = {"number-of-rows": str(rows), "rows-per-second": "1000000", **options}
    pairs = ", ".join(f"'{k}' = '{v}'" for k, v in written.items())
    return f"CREATE TABLE f ({columns}) WITH ('connector' = 'faker', {pairs})"


def fields(**expressions: str) -> dict[str, str]:
    quoted = {name: text.replace("'", "''") for name, text in expressions.items()}
    return {f"fields.{name}.expression": text for name, text in quoted.items()}


def rows(
    sql: Sql, columns: str, n: int = 50, query: str = "SELECT * FROM f", **options: str
) -> Any:
    sql.execute(faker(columns, n, **options))
    return sql.rows(query, records=n)


def test_texts_become_the_columns_types(sql: Sql) -> None:
    expressions = fields(
        i="#{number.numberBetween '0','50'}",
        b="#{number.numberBetween '0','5'}",
        d="#{Number.randomDouble '3','1','9'}",
        m="#{number.randomDouble '3','1','1000'}",
        s="#{Name.fullName}",
        t="#{date.past '15','SECONDS'}",
        day="#{date.past '15','DAYS'}",
        yes="#{bool.bool}",
        fixed="2021-05-06 07:08:09",
    )
    typed_rows = rows(
        sql,
        "i INT, b TINYINT, d DOUBLE, m DECIMAL(10, 2), s STRING, t TIMESTAMP(3), `day` DATE, "
        "yes BOOLEAN, fixed TIMESTAMP(0)",
        **expressions,
    )
    assert len(typed_rows) == 50
    now = datetime.now(UTC).replace(tzinfo=None)
    for i, b, d, m, s, t, day, yes, fixed in typed_rows:
        assert 0 <= i < 50
        assert 0 <= b < 5
        assert 1 <= d <= 9
        assert 1 <= float(m) <= 1000
        assert " " in s
        assert -1 <= (now - datetime.fromisoformat(str(t))).total_seconds() < 60
        assert 0 <= (now.date() - date.fromisoformat(str(day))).days <= 15
        assert yes in (True, False)
        assert str(fixed).startswith("2021-05-06 07:08:09")


def test_nulls_and_collections(sql: Sql) -> None:
    options = {
        **fields(
            spells="#{harry_potter.spell}",
            name="#{superhero.name}",
        ),
        "fields.spells.length": "3",
        "fields.name.null-rate": "0.5",
        "fields.pair.key.expression": "#{number.numberBetween ''1'',''1000000''}",
        "fields.pair.value.expression": "v",
        "fields.pair.length": "2",
        "fields.inner.a.expression": "#{number.numberBetween ''1'',''3''}",
        "fields.inner.b.expression": "x",
    }
    columns = (
        "spells ARRAY<STRING>, name STRING, pair MAP<INT, STRING>, `inner` ROW<a INT, b STRING>"
    )
    typed_rows = rows(sql, columns, 400, **options)
    assert all(len(spells) == 3 for spells, *_ in typed_rows)
    assert 140 < sum(name is None for _, name, *_ in typed_rows) < 260
    assert all(len(dict(pair)) == 2 for _, _, pair, _ in typed_rows)
    assert {(r["a"], r["b"]) for *_, r in typed_rows} == {(1, "x"), (2, "x")}


def test_a_query_reads_the_columns_it_names(sql: Sql) -> None:
    options = fields(a="#{number.numberBetween '0','3'}", b="#{Name.fullName}")
    typed_rows = rows(sql, "a INT, b STRING", 60, "SELECT a + 1 AS x FROM f WHERE a < 2", **options)
    assert set(typed_rows) == {(1,), (2,)}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "'fields.a.expression' is missing"),
        (fields(a="#{Nam.fullName}"), "no provider is called"),
        ({**fields(a="1"), "fields.b.expression": "1"}, "belongs to no column"),
        ({**fields(a="1"), "fields.a.expresion": "1"}, "did you mean 'fields.a.expression'"),
        ({**fields(a="1"), "fields.a.null-rate": "2"}, "a number from 0 to 1"),
        ({**fields(a="1"), "rows-per-seconds": "1"}, "did you mean 'rows-per-second'"),
        (fields(a="one"), "which is no INT"),
    ],
)
def test_a_table_that_cannot_be_meant_is_told(
    options: dict[str, str], words: str, sql: Sql
) -> None:
    with pytest.raises(EddylineError) as caught:
        rows(sql, "a INT", 5, **options)
    assert words in f"{caught.value.message} {caught.value.hint}"
