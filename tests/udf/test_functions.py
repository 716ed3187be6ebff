"""Python functions in SQL: every kind, their values, their errors, and that the worker survives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eddyline.udf.process import PROCESS
from tests.udf.session_kit import LocalSession

NAMES = (
    "price twice hash_code adds parsed parts counts net next_day field_of kinds words split "
    "weighted median forever dies greedy mistyped shorter"
)
ROWS = "(VALUES (1, '1.5 €'), (2, CAST(NULL AS STRING)), (3, '4')) AS t (i, s)"


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSession]:
    local = LocalSession(tmp_path_factory.mktemp("data"), function_timeout_ms=2000)
    local.rows(f"SET 'python.files' = '{Path(__file__).parent}'")
    for name in NAMES.split():
        local.rows(f"CREATE TEMPORARY FUNCTION {name} AS 'shop.{name}' LANGUAGE PYTHON")
    yield local
    PROCESS.close()


CASES = {
    f"SELECT i, price(s), twice(i) FROM {ROWS} WHERE price(s) IS NULL OR twice(i) > 5": [
        ["2", None, "4"],
        ["3", "4.0", "6"],
    ],
    f"SELECT twice(CAST(NULL AS INT)), adds(i, 1), HASH_CODE('ab') FROM {ROWS} WHERE i = 1": [
        [None, "2", "25"]
    ],
    "SELECT parsed('/home 120').page, parsed('/home 120').ms + 1": [["/home", "121"]],
    "SELECT parts('/a/b'), counts('abca'), net(11.90), next_day(TIMESTAMP '2026-01-31 10:00:00')": [
        ["[a, b]", "{a=2, b=1, c=1}", "10.00", "2026-02-01 10:00:00.000"]
    ],
    "SELECT field_of(CAST(ROW(1, 2) AS ROW<a INT, b INT>))": [["4"]],
    "SELECT kinds(1, 1.5, 'x', TRUE, TIMESTAMP '2026-01-01 00:00:00', DATE '2026-01-01', "
    "ARRAY[1], MAP['a', 1], CAST(NULL AS INT))": [
        ["int Decimal str bool datetime date list dict NoneType"]
    ],
    "SELECT i, w, n FROM (VALUES (1, 'a bb'), (2, '')) AS t (i, s), "
    "LATERAL TABLE(words(s)) AS r (w, n)": [["1", "a", "1"], ["1", "bb", "2"]],
    "SELECT i, w FROM (VALUES (1, 'a bb'), (2, '')) AS t (i, s) "
    "LEFT JOIN LATERAL TABLE(words(s)) AS r (w, n) ON TRUE": [
        ["1", "a"],
        ["1", "bb"],
        ["2", None],
    ],
    "SELECT x FROM LATERAL TABLE(split('a,b')) AS r (x)": [["a"], ["b"]],
    "SELECT k, weighted(v, w), median(v), COUNT(*) FROM (VALUES (1, 10, 1), (1, 40, 3), "
    "(2, CAST(NULL AS INT), 1)) AS t (k, v, w) GROUP BY k": [
        ["1", "32.5", "25.0", "2"],
        ["2", None, None, "1"],
    ],
    # Counts grow, so that the outer aggregate's rows are taken back.
    "SELECT median(n) FROM (SELECT k, COUNT(*) AS n FROM (VALUES (1), (1), (1), (2)) AS t (k) "
    "GROUP BY k)": [["2.0"]],
    f"SELECT median(DISTINCT i) FILTER (WHERE i > 1) FROM {ROWS}": [["2.5"]],
}


@pytest.mark.parametrize("query", CASES)
def test_functions_give_what_python_gives(sql: LocalSession, query: str) -> None:
    assert sorted(sql.rows(query)) == sorted(CASES[query])


ERRORS = {
    "SELECT price('x')": [
        'function price failed in line 5 (return float(text.strip("€ "))): '
        "ValueError: could not convert string to float: 'x'; the call was price('x')",
        "(line 1, column 8)",
        "let the function return None",
    ],
    f"SELECT mistyped(i) FROM {ROWS}": ["returned 'abc' (str) for mistyped(3), which is no INT"],
    f"SELECT shorter(i) FROM {ROWS}": ["function shorter returned"],
    "SELECT adds(1)": ["adds takes 2 arguments (BIGINT, BIGINT), not 1 (line 1, column 8)"],
    "SELECT adds('a', 1)": ["adds takes BIGINT here, not CHAR(1)", "CAST(… AS BIGINT)"],
    "SELECT words('a')": ["words is a table function", "LATERAL TABLE(words(x))"],
    "SELECT x FROM LATERAL TABLE(price('1')) AS r (x)": ["price is a scalar function"],
    "SELECT forever(1)": ["function forever did not return within 2 s in line 3 (while x:)"],
    "SELECT dies(1)": ["ended with code 3 while it ran dies"],
    "SELECT greedy(1)": ["function greedy needs more memory than 2,048 MiB in line 3"],
    "CREATE FUNCTION f AS 'shop.undecorated' LANGUAGE PYTHON": ["has no result type", "@udf("],
    "CREATE FUNCTION f AS 'nowhere.f' LANGUAGE PYTHON": ["No module named 'nowhere'"],
    "CREATE FUNCTION f AS 'com.example.Distance'": ["Java", "write Distance in Python"],
    "CREATE TEMPORARY FUNCTION price AS 'shop.price' LANGUAGE PYTHON": ["exists already"],
    "DROP FUNCTION price": ["price is temporary: write DROP TEMPORARY FUNCTION price"],
}


@pytest.mark.parametrize("statement", ERRORS)
def test_errors_say_what_happened_and_the_next_call_works(
    sql: LocalSession, statement: str
) -> None:
    error = sql.error(statement)
    assert all(words in error for words in ERRORS[statement]), error
    assert sql.rows("SELECT twice(21)") == [["42"]]


def test_a_system_function_hides_a_built_in_one_and_others_do_not(sql: LocalSession) -> None:
    sql.rows("CREATE FUNCTION IF NOT EXISTS `upper` AS 'shop.counts' LANGUAGE PYTHON")
    assert sql.rows("SELECT UPPER('aa')") == [["AA"]]
    sql.rows("CREATE TEMPORARY SYSTEM FUNCTION `UPPER` AS 'shop.counts' LANGUAGE PYTHON")
    assert sql.rows("SELECT upper('aa')") == [["{a=2}"]]
    assert ["upper"] in sql.rows("SHOW USER FUNCTIONS")
    sql.rows("DROP TEMPORARY SYSTEM FUNCTION `upper`; DROP FUNCTION `upper`;")
    assert sql.rows("DROP FUNCTION IF EXISTS `upper`") == [
        ["There is no function upper; nothing was dropped."]
    ]
    assert sql.rows("SELECT upper('aa')") == [["AA"]]
