"""Texts of the Table API as SQL: columns under reserved names, functions behind their argument."""

from __future__ import annotations

import pytest

from eddyline.kernel.column_choices import range_, with_columns, without_columns
from eddyline.kernel.expressions import col
from eddyline.kernel.table import Table
from eddyline.kernel.table_text import as_sql, parts
from eddyline.kernel.table_windows import Slide

TYPES = {
    "value": "INT", "timestamp": "TIMESTAMP(3)", "time": "TIME(0)", "date": "DATE",
    "user": "STRING", "price": "INT", "ticker": "STRING", "year": "INT", "end": "INT",
    "r": "ROW<`sum` INT>",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("sum(value)", "sum(`value`)"),
        ("ticker, value.sum as total", "ticker, SUM(`value`) as total"),
        ("price.avg() as value", "AVG(`price`) as `value`"),
        ("price.isNull", "(`price` IS NULL)"),
        ("r.sum", "`r`.sum"),
        ("user = 'value' and not value > 10", "`user` = 'value' and not `value` > 10"),
        ("`value` + value -- value", "`value` + `value` -- value"),
        ("cast(value as timestamp(3)) as time", "cast(`value` as timestamp(3)) as `time`"),
        ("date '2024-01-01' < date", "date '2024-01-01' < `date`"),
        ("extract(year from timestamp) = year", "extract(year from `timestamp`) = `year`"),
        ("timestampdiff(year, timestamp, time)", "timestampdiff(year, `timestamp`, `time`)"),
        ("timestamp + interval '1' year", "`timestamp` + interval '1' year"),
        ("floor(timestamp to year)", "floor(`timestamp` to year)"),
        ("trim(both from user)", "trim(both from `user`)"),
        ("case when end > 1 then year end", "case when `end` > 1 then `year` end"),
        ("count(distinct user), count(*)", "count(distinct `user`), count(*)"),
        ("value between value and year", "`value` between `value` and `year`"),
        ("month + null", "month + null"),
        ("price.power(2) as p", "POWER(`price`, 2) as p"),
        ("user.like('a%') && price === 2", "(`user` LIKE 'a%') AND price = 2"),
        ("price !== 1 && price > 2 || value > 3", "price <> 1 AND price > 2 OR `value` > 3"),
        ("user || 'x' = 'ax'", "`user` || 'x' = 'ax'"),
        ("price.between(1, value + 1)", "(`price` BETWEEN 1 AND  `value` + 1)"),
        ("user.substring(1, price.power(2))", "SUBSTRING(`user`, 1,  POWER(`price`, 2))"),
        ("value.cast(DOUBLE)", "CAST(`value` AS DOUBLE)"),
        ("user.regexpReplace('a', 'b')", "REGEXP_REPLACE(`user`, 'a',  'b')"),
        ("price.between(1)", "price.between(1)"),
    ],
)
def test_a_column_is_quoted_where_an_operand_stands(text: str, sql: str) -> None:
    assert as_sql(text, lambda: TYPES) == sql


def test_the_schema_is_requested_only_for_reserved_words_and_suffixes() -> None:
    def never() -> dict[str, str]:
        raise AssertionError

    assert as_sql("upper(ticker) AS t, price * 2", never) == "upper(ticker) AS t, price * 2"


def test_a_table_gives_its_columns_as_attributes() -> None:
    table = Table("SELECT * FROM quotes")
    table._types = TYPES
    assert (
        table.where(table.price > 1)._query
        == "SELECT * FROM (SELECT * FROM quotes) WHERE (`price` > 1)"
    )
    with pytest.raises(AttributeError, match=r"no column fly .*Table\.fly is not available here"):
        table.fly()


def test_columns_are_chosen_by_range_and_by_place() -> None:
    table = Table("SELECT * FROM quotes")
    table._types = {"a": "INT", "b": "INT", "c": "INT", "d": "INT"}
    chosen = table.select(with_columns(range_("a", "b"), 4), col("c"))
    assert chosen._query == "SELECT `a`, `b`, `d`, `c` AS `c` FROM (SELECT * FROM quotes)"
    assert (
        table.select(without_columns(range_(1, 3)))._query
        == "SELECT `d` FROM (SELECT * FROM quotes)"
    )
    with pytest.raises(ValueError, match="there is no column z; there are a, b, c, d"):
        table.select(with_columns(col("z")))


def test_keys_in_one_text_are_separate() -> None:
    assert parts("ticker, f(a, b), m['x,y'], w") == ["ticker", "f(a, b)", "m['x,y']", "w"]


def test_a_sliding_window_in_text() -> None:
    table = Table("SELECT * FROM quotes")
    table._types = TYPES
    window = Slide.over("10.seconds").every("5.seconds").on("timestamp").alias("w")
    made = (
        table.window(window).group_by("ticker, w").select("ticker, price.min as p, w.end as time")
    )
    call = "`timestamp`, INTERVAL '5' SECOND, INTERVAL '10' SECOND"
    assert made._query == (
        f"SELECT ticker, MIN(`price`) as p, HOP_END({call}) as `time` FROM (SELECT * FROM quotes) "
        f"GROUP BY ticker, HOP({call})"
    )
