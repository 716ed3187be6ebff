"""Top-N: the rows of each partition whose rank lies in a range, as a changelog.

Of rows that are never taken back, those beyond the range are forgotten at once.
"""

from __future__ import annotations

from eddyline.engine.operators.accumulate import listed
from eddyline.engine.operators.difference import SEQ, PartitionChanges
from eddyline.engine.operators.operator import Operator, OperatorContext
from eddyline.engine.operators.rank_rows import rank_rows
from eddyline.record.types import quote
from eddyline.sql.physical_ordered import Rank as RankNode

_RANK = quote("$rank")


class Rank(PartitionChanges):
    """ROW_NUMBER, RANK or DENSE_RANK over each partition.

    ``newest_first``: of equal rows the later one is the better one (for a deduplication).
    """

    def __init__(
        self,
        context: OperatorContext,
        inputs: tuple[Operator, ...],
        node: RankNode,
        *,
        newest_first: bool = False,
    ) -> None:
        super().__init__(context, inputs, node.schema, node.partition_by)
        self._node = node
        if self._steady and not self._retention.on:
            self._row_way = rank_rows(self.keyed, node, newest_first=newest_first)
        numbers = node.function == "ROW_NUMBER"
        order = [k.text() for k in node.order]
        order += [f"{SEQ} {'DESC' if newest_first else 'ASC'}"] if numbers else []
        self._order = f"ORDER BY {', '.join(order)}"
        last = node.last
        self._beyond = f"{_RANK} > {quote(last) if isinstance(last, str) else last}"
        if last is None:
            self._beyond = "FALSE"

    def _ranked(self) -> str:
        window = f"({self._partition()} {self._order})"
        return f"SELECT *, {self._node.function}() OVER {window} AS {_RANK} FROM {self._near} s"

    def _result(self) -> str:
        columns = list(self._below)
        if self._node.rank is not None:
            columns.append(f"{_RANK} AS {quote(self._node.rank)}")
        order = ", ".join([*listed(self._keys), _RANK, SEQ])
        return (
            f"SELECT {', '.join(columns)} FROM ({self._ranked()}) WHERE "
            f"{_RANK} >= {self._node.first} AND NOT ({self._beyond}) ORDER BY {order}"
        )

    def _trim(self) -> None:
        if self._steady and isinstance(self._node.last, int):
            self._forget_near(
                f"{SEQ} IN (SELECT {SEQ} FROM ({self._ranked()}) WHERE {self._beyond})"
            )

    def _pairs(self) -> list[str]:
        one = self._node.first == self._node.last
        if self._node.rank is None and not one:
            return []
        rank = [] if self._node.rank is None else [self._node.rank]
        return [*self._node.partition_by, *rank]
