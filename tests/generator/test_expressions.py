"""Arithmetic and conditions over named values: what they give, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from eddyline.errors import EddylineError
from eddyline.generator.folder import Folder
from eddyline.generator.template import compile_template

VALUES = (
    '{{set whole = random.arrayElement([3])}}{{set real = random.arrayElement([2.5])}}'
    '{{set word = random.arrayElement(["ab"])}}{{set yes = random.arrayElement([true])}}'
    '{{set gone = random.arrayElement([1]) | null(1)}}'
)  # fmt: skip


def one(expression: str, values: str = VALUES) -> str:
    template = compile_template(f"{values}[{{{{({expression})}}}}]")
    record = bytes(template.render(1, np.random.default_rng(1), 0)[0].as_py())
    assert len(record) <= template.record_bytes_max
    return record.decode()[1:-1]


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("whole + 1", "4"),
        ("whole * real", "7.5"),
        ("whole * real * 2", "15"),
        ("whole / 2", "1.5"),
        ("whole // 2", "1"),
        ("whole % 2 = 1", "true"),
        ("-real", "-2.5"),
        ("round(real * 1.111, 2)", "2.78"),
        ("0.1 + 0.2", "0.3"),
        ("whole / 0", "null"),
        ("sqrt(0 - whole + whole)", "0"),
        ("CASE WHEN whole > 2 THEN 'many' ELSE 'few' END", "many"),
        ("if(real < 1, 'cold', 'warm')", "warm"),
        ('if(real > 1, "warm", "cold")', "warm"),
        ("word || '-' || whole", "ab-3"),
        ("upper(word)", "AB"),
        ("lpad(whole, 4, '0')", "0003"),
        ("length(word)", "2"),
        ("word = 'ab' AND NOT yes", "false"),
        ("word LIKE 'a%'", "true"),
        ("whole BETWEEN 1 AND 3 OR whole IN (7, 8)", "true"),
        ("gone + 1", "null"),
        ("coalesce(gone, 9)", "9"),
        ("gone IS NULL", "true"),
        ("greatest(whole, real, 7)", "7"),
        ("CAST(real AS INT) + 1", "3"),
        ("('a' || ')')", "a)"),
        ("'}} ' || word", "}} ab"),
    ],
)
def test_a_result(expression: str, result: str) -> None:
    assert one(expression) == result


def test_expressions_are_named_and_written_again() -> None:
    text = (
        '{"price":{{price = random.number({"min":1,"max":9})}},"n":{{n = random.number(5)}},'
        '"total":{{total = (price * n)}},"kind":"{{= if(total > 20, "big", "small")}}",'
        '"again":{{total}},"rare":{{(n * 2) | null(0.5)}}}'
    )
    rows = [
        json.loads(r.as_py())
        for r in compile_template(text).render(500, np.random.default_rng(1), 0)
    ]
    for row in rows:
        assert row["total"] == row["again"] == row["price"] * row["n"]
        assert row["kind"] == ("big" if row["total"] > 20 else "small")
        assert row["rare"] in (None, row["n"] * 2)
    assert {row["rare"] is None for row in rows} == {True, False}


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("read_csv('/etc/passwd')", "READ_CSV cannot be used"),
        ("(SELECT 1)", "cannot be used"),
        ("whole; DROP TABLE batch", "not one expression"),
        ("getenv('HOME')", "getenv cannot be used"),
        ("random()", "cannot be used"),
        ("now()", "cannot be used"),
        ("rond(whole)", "did you mean round"),
        ("hole + 1", "named values are whole"),
        ("whole +", "cannot be read"),
        ("whole > 1 ? 'a' : 'b'", "CASE WHEN"),
        ("word * 2", "word is a text"),
        ("batch.whole", "not a named value"),
        ("lpad(word, whole)", "need a length"),
        ("CAST(word AS BLOB)", "types are"),
    ],
)
def test_what_is_not_allowed_is_told(expression: str, words: str) -> None:
    with pytest.raises(EddylineError) as caught:
        one(expression)
    assert caught.value.code == "template_error"
    assert caught.value.span is not None
    assert words in f"{caught.value.message} {caught.value.hint}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cities.csv").write_text("city;country;share\nBern;CH;1\nGraz;AT;3\nLinz;AT;0\n")
    (tmp_path / "words.txt").write_text("one\n\ntwo\nthree\n")
    return tmp_path


def lines(text: str, folder: Path, n: int = 400) -> list[str]:
    template = compile_template(text, Folder((folder,)))
    records = template.render(n, np.random.default_rng(2), 0)
    return [r.decode() for r in records.to_pylist()]


def test_columns_of_a_file_stay_together(folder: Path) -> None:
    pair = '{{file.value("cities.csv","city")}} {{file.value("cities.csv","country")}}'
    assert set(lines(pair, folder)) == {"Bern CH", "Graz AT", "Linz AT"}
    weighted = '{{file.value({"file":"cities.csv","column":"city","weight":"share"})}}'
    drawn = lines(weighted, folder, 4000)
    assert drawn.count("Graz") == pytest.approx(3000, abs=150)
    assert "Linz" not in drawn


def test_rows_come_one_after_the_other(folder: Path) -> None:
    assert lines('{{file.value({"file":"words.txt","order":"next"})}}', folder, 4) == [
        "one", "two", "three", "one",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ('"missing.csv"', "there is no file missing.csv"),
        ('"../cities.csv"', "outside of the folder"),
        ('"cities.csv"', "several columns"),
        ('"cities.csv","town"', "there is city"),
        ('{"file":"cities.csv","column":"city","weight":"country"}', "not all numbers"),
        ('{"file":"cities.csv","column":"city","order":"backwards"}', "order is"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(call: str, words: str, folder: Path) -> None:
    with pytest.raises(EddylineError) as caught:
        lines("{{file.value(" + call + ")}}", folder)
    assert words in f"{caught.value.message} {caught.value.hint}"
