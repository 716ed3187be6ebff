"""The syntax tree: what was written, each piece with its place in the text.

Nothing here knows types or tables; ``bind`` gives a tree its meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from eddyline.errors import Span
from eddyline.record.types import DataType
from eddyline.sql.syntax_matching import MatchRecognize as MatchRecognize
from eddyline.sql.syntax_matching import PatternVariable as PatternVariable

NOWHERE = Span(0, 0, 0)


# --- expressions -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name:
    """``a``, ``t.a``, ``db.t.a``; ``spans`` are the places of the parts."""

    parts: tuple[str, ...]
    span: Span
    spans: tuple[Span, ...] = ()

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. kind: number, string, boolean, null, bytes, DATE, TIME, TIMESTAMP."""

    kind: str
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class IntervalLiteral:
    """``INTERVAL '1:30' MINUTE TO SECOND``; units are upper case."""

    text: str
    unit: str
    to: str | None
    negative: bool
    span: Span


@dataclass(frozen=True, slots=True)
class TimeBetween:
    """``(left - right) unit [TO unit]``."""

    left: Expression
    right: Expression
    unit: str
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """``-x``, ``+x``, ``NOT x``."""

    op: str
    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands; ``op`` is upper case, ``<>`` for both spellings of it."""

    op: str
    left: Expression
    right: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Is:
    """``x IS [NOT] NULL | TRUE | FALSE | UNKNOWN``."""

    operand: Expression
    what: str
    negated: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Between:
    """``x [NOT] BETWEEN [SYMMETRIC] a AND b``."""

    operand: Expression
    low: Expression
    high: Expression
    negated: bool
    symmetric: bool
    span: Span


@dataclass(frozen=True, slots=True)
class InList:
    """``x [NOT] IN (a, b)``."""

    operand: Expression
    items: tuple[Expression, ...]
    negated: bool
    span: Span


@dataclass(frozen=True, slots=True)
class InQuery:
    """``x [NOT] IN (SELECT …)``."""

    operand: Expression
    query: Query
    negated: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Exists:
    """``EXISTS (SELECT …)``."""

    query: Query
    span: Span


@dataclass(frozen=True, slots=True)
class ScalarQuery:
    """``(SELECT …)`` as a value."""

    query: Query
    span: Span


@dataclass(frozen=True, slots=True)
class Like:
    """``x [NOT] LIKE p [ESCAPE e]``; similar: SIMILAR TO."""

    operand: Expression
    pattern: Expression
    escape: Expression | None
    negated: bool
    similar: bool
    span: Span


@dataclass(frozen=True, slots=True)
class CaseExpression:
    """``CASE [x] WHEN a THEN b … [ELSE c] END``."""

    operand: Expression | None
    whens: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class CastExpression:
    """``CAST(x AS type)``, ``TRY_CAST(x AS type)``."""

    operand: Expression
    type: DataType
    attempt: bool
    span: Span


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """``name(args)``; ``star`` for COUNT(*). ``parens`` is False for CURRENT_TIMESTAMP."""

    name: str
    args: tuple[Expression, ...]
    span: Span
    name_span: Span
    distinct: bool = False
    star: bool = False
    filter: Expression | None = None
    over: Over | None = None
    parens: bool = True
    order_by: tuple[OrderItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a frame. kind: UNBOUNDED PRECEDING, PRECEDING, CURRENT ROW, FOLLOWING,
    UNBOUNDED FOLLOWING; ``distance`` is a number of rows or an interval."""

    kind: str
    distance: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class FrameClause:
    """``ROWS | RANGE BETWEEN start AND end``."""

    unit: str
    start: Bound
    end: Bound
    span: Span


@dataclass(frozen=True, slots=True)
class Over:
    """``OVER ([name] PARTITION BY … ORDER BY … frame)``; ``name`` is a window of the WINDOW
    clause."""

    partition_by: tuple[Expression, ...]
    order_by: tuple[OrderItem, ...]
    frame: FrameClause | None
    name: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Unit:
    """A time unit as an argument: EXTRACT(YEAR FROM x), FLOOR(x TO DAY)."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class NamedArgument:
    """``size => INTERVAL '10' SECOND``."""

    name: str
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class TableArgument:
    """``TABLE t [PARTITION BY k]`` or ``(SELECT …)`` as an argument."""

    relation: Relation
    partition_by: tuple[Expression, ...]
    order_by: tuple[OrderItem, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Descriptor:
    """``DESCRIPTOR(a, b)``."""

    names: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Construct:
    """``ARRAY[…]``, ``MAP[…]``, ``ROW(…)``; kind is the word."""

    kind: str
    items: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    """``x[i]``."""

    operand: Expression
    index: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class FieldOf:
    """``f(x).name``: a field of a row that is not a plain name."""

    operand: Expression
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Star:
    """``*`` or ``t.*``."""

    qualifier: str | None
    span: Span


Expression = (
    Name
    | Literal
    | IntervalLiteral
    | Unary
    | TimeBetween
    | Binary
    | Is
    | Between
    | InList
    | InQuery
    | Exists
    | ScalarQuery
    | Like
    | CaseExpression
    | CastExpression
    | FunctionCall
    | Unit
    | NamedArgument
    | TableArgument
    | Descriptor
    | Construct
    | Index
    | FieldOf
    | Star
)


# --- queries ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderItem:
    """``x [ASC|DESC] [NULLS FIRST|LAST]``."""

    expression: Expression
    descending: bool
    nulls_first: bool | None
    span: Span


@dataclass(frozen=True, slots=True)
class SelectItem:
    """``x [AS alias]``."""

    expression: Expression
    alias: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class TableName:
    """A table or view by name, with OPTIONS hints and an alias.

    as_of: ``FOR SYSTEM_TIME AS OF x``.
    """

    name: Name
    alias: str | None
    columns: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    span: Span
    as_of: Expression | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """``[LATERAL] (SELECT …) [AS alias [(columns)]]``."""

    query: Query
    alias: str | None
    columns: tuple[str, ...]
    span: Span
    lateral: bool = False


@dataclass(frozen=True, slots=True)
class Unnest:
    """``UNNEST(collection) [WITH ORDINALITY] [AS alias (columns)]``."""

    collection: Expression
    ordinality: bool
    alias: str | None
    columns: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class TableFunctionCall:
    """``[LATERAL] [TABLE(] f(…) [)] [AS alias]``."""

    call: FunctionCall
    alias: str | None
    columns: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class JoinClause:
    """kind: INNER, LEFT, RIGHT, FULL, CROSS; SEMI and ANTI do not exist in Flink's syntax."""

    left: Relation
    right: Relation
    kind: str
    condition: Expression | None
    using: tuple[str, ...]
    natural: bool
    span: Span


Relation = TableName | Derived | Unnest | TableFunctionCall | JoinClause | MatchRecognize


@dataclass(frozen=True, slots=True)
class GroupingSets:
    """``GROUPING SETS ((a, b), (a), ())``, ``CUBE (a, b)`` or ``ROLLUP (a, b)``.

    groups: the members in parentheses; of CUBE and ROLLUP, what is grouped by one after the other.
    A member of GROUPING SETS may be such a phrase itself.
    """

    kind: str
    groups: tuple[tuple[Expression, ...] | GroupingSets, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Grouping:
    """GROUP BY."""

    items: tuple[Expression | GroupingSets, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Select:
    """SELECT … FROM … WHERE … GROUP BY … HAVING … WINDOW … QUALIFY …

    windows: the named windows of the WINDOW clause.
    """

    items: tuple[SelectItem, ...]
    distinct: bool
    source: Relation | None
    where: Expression | None
    group_by: Grouping | None
    having: Expression | None
    span: Span
    windows: tuple[tuple[str, Over], ...] = ()
    qualify: Expression | None = None


@dataclass(frozen=True, slots=True)
class ValuesClause:
    """VALUES (…), (…)"""

    rows: tuple[tuple[Expression, ...], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class SetOperation:
    """UNION, INTERSECT or EXCEPT of two bodies."""

    op: str
    all: bool
    left: Body
    right: Body
    span: Span


@dataclass(frozen=True, slots=True)
class With:
    """One common table expression."""

    name: str
    columns: tuple[str, ...]
    query: Query
    span: Span


@dataclass(frozen=True, slots=True)
class Query:
    """WITH … body ORDER BY … LIMIT … OFFSET …"""

    body: Body
    span: Span
    ctes: tuple[With, ...] = ()
    order_by: tuple[OrderItem, ...] = ()
    limit: int | None = None
    offset: int = 0
    hints: tuple[str, ...] = field(default=())


Body = Select | ValuesClause | SetOperation | Query
