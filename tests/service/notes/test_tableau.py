"""What ``TableResult.print()`` draws; the tables were printed by PyFlink 2.3."""

from __future__ import annotations

from eddyline.kernel.tableau import lines

STREAM = """\
+----+-------------+---------+-------------------------+--------+--------------------------------+--------------------------------+
| op |           a |       c |                      ts |     bo |                              n |                           long |
+----+-------------+---------+-------------------------+--------+--------------------------------+--------------------------------+
| +I |           1 |    1.50 | 2024-01-01 00:00:00.123 |   TRUE |                         <NULL> | a very long string that doe... |
| -D |           2 |    2.50 | 2024-01-01 00:00:00.123 |  FALSE |                              x |                           日本 |
+----+-------------+---------+-------------------------+--------+--------------------------------+--------------------------------+
2 rows in set"""  # noqa: E501
SHOWN = """\
+------+--------+------+
| name |   type | null |
+------+--------+------+
|    a |    INT | TRUE |
|    b | STRING | TRUE |
+------+--------+------+
2 rows in set"""


def test_a_stream_is_drawn_in_widths_of_its_types() -> None:
    columns = ["op", "a", "c", "ts", "bo", "n", "long"]
    types = [
        "op",
        "INT NOT NULL",
        "DECIMAL(5, 2) NOT NULL",
        "TIMESTAMP(3)",
        "BOOLEAN",
        "STRING",
        "STRING",
    ]
    moment = "2024-01-01 00:00:00.123"
    long = "a very long string that does not fit into thirty characters"
    rows = [
        ["+I", "1", "1.50", moment, "TRUE", None, long],
        ["-D", "2", "2.50", moment, "FALSE", "x", "日本"],
    ]
    assert "\n".join(lines(columns, types, rows)) == STREAM


def test_what_a_statement_shows_is_as_wide_as_its_values() -> None:
    columns, types = ["name", "type", "null"], ["STRING", "STRING", "BOOLEAN"]
    rows = [["a", "INT", "TRUE"], ["b", "STRING", "TRUE"]]
    assert "\n".join(lines(columns, types, rows, inferred=True)) == SHOWN
    assert list(lines(["a"], ["INT"], [], inferred=True)) == ["Empty set"]
    one = list(lines(["table name"], ["STRING"], [["x"]], inferred=True))
    assert one[-1] == "1 row in set"
