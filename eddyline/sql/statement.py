"""Statements: one dataclass per kind, each with its text and its place in the script."""

from __future__ import annotations

from dataclasses import dataclass, field

from eddyline.errors import Span
from eddyline.record.types import DataType
from eddyline.sql import syntax


@dataclass(frozen=True, slots=True)
class StatementSource:
    """Where a statement stands: its own text, the whole script, and its place in it.

    hints: names of hints that change no result here. state_ttls: name or alias of a table, and the
    duration that STATE_TTL gives it.
    """

    text: str
    script: str
    span: Span
    hints: tuple[str, ...] = ()
    state_ttls: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """A column of CREATE TABLE: exactly one of type (physical), metadata, computed."""

    name: str
    type: DataType | None
    span: Span
    metadata: bool = False
    metadata_key: str | None = None
    virtual: bool = False
    computed: syntax.Expression | None = None
    computed_text: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class WatermarkDefinition:
    """WATERMARK FOR column AS expression."""

    column: str
    expression: syntax.Expression
    expression_text: str
    span: Span


@dataclass(frozen=True, slots=True)
class LikeClause:
    """``LIKE table (INCLUDING | EXCLUDING | OVERWRITING feature …)``.

    rules: (feature, mode) in the order of the statement, for example ("OPTIONS", "EXCLUDING").
    """

    name: syntax.Name
    rules: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CreateTable:
    """CREATE [OR REPLACE] [TEMPORARY] TABLE [IF NOT EXISTS]; ``like`` and ``query`` (AS SELECT)
    are its other forms. order: the query's columns in another order, when only names stand in
    parentheses. distribution: the text behind DISTRIBUTED."""

    source: StatementSource
    name: syntax.Name
    columns: tuple[ColumnDefinition, ...]
    watermark: WatermarkDefinition | None
    primary_key: tuple[str, ...]
    partitioned_by: tuple[str, ...]
    options: dict[str, str]
    comment: str | None
    temporary: bool
    if_not_exists: bool
    query: syntax.Query | None = None
    or_replace: bool = False
    like: LikeClause | None = None
    order: tuple[str, ...] = ()
    distribution: str | None = None


@dataclass(frozen=True, slots=True)
class CreateView:
    """CREATE [TEMPORARY] VIEW [IF NOT EXISTS] name [(columns)] AS query."""

    source: StatementSource
    name: syntax.Name
    columns: tuple[str, ...]
    query: syntax.Query
    query_text: str
    comment: str | None
    temporary: bool
    if_not_exists: bool
    or_replace: bool = False


@dataclass(frozen=True, slots=True)
class DropTable:
    """DROP [TEMPORARY] TABLE [IF EXISTS]."""

    source: StatementSource
    name: syntax.Name
    if_exists: bool
    temporary: bool


@dataclass(frozen=True, slots=True)
class DropView:
    """DROP [TEMPORARY] VIEW [IF EXISTS]."""

    source: StatementSource
    name: syntax.Name
    if_exists: bool
    temporary: bool


@dataclass(frozen=True, slots=True)
class CreateDatabase:
    """CREATE DATABASE [IF NOT EXISTS] name [COMMENT …] [WITH (…)]."""

    source: StatementSource
    name: syntax.Name
    if_not_exists: bool
    comment: str | None = None
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DropDatabase:
    """DROP DATABASE [IF EXISTS] [RESTRICT | CASCADE]."""

    source: StatementSource
    name: syntax.Name
    if_exists: bool
    cascade: bool


@dataclass(frozen=True, slots=True)
class CreateFunction:
    """CREATE [OR REPLACE] [TEMPORARY [SYSTEM]] FUNCTION [IF NOT EXISTS] name AS '…' LANGUAGE x."""

    source: StatementSource
    name: syntax.Name
    reference: str
    language: str
    temporary: bool
    system: bool
    if_not_exists: bool
    or_replace: bool


@dataclass(frozen=True, slots=True)
class DropFunction:
    """DROP [TEMPORARY [SYSTEM]] FUNCTION [IF EXISTS] name."""

    source: StatementSource
    name: syntax.Name
    if_exists: bool
    temporary: bool
    system: bool


@dataclass(frozen=True, slots=True)
class PlacedColumn:
    """A column that ALTER TABLE adds or changes, and where it goes.

    after: the column it follows; "" for FIRST; None: at the end, or where it was.
    """

    column: ColumnDefinition
    after: str | None = None


@dataclass(frozen=True, slots=True)
class AddElements:
    """ADD or MODIFY of columns, a watermark, a primary key, a distribution."""

    modify: bool
    columns: tuple[PlacedColumn, ...] = ()
    watermark: WatermarkDefinition | None = None
    primary_key: tuple[str, ...] = ()
    distribution: str | None = None


@dataclass(frozen=True, slots=True)
class DropElements:
    """DROP of columns, or of the WATERMARK, PRIMARY KEY or DISTRIBUTION named in ``part``."""

    columns: tuple[str, ...] = ()
    part: str | None = None


@dataclass(frozen=True, slots=True)
class RenameColumn:
    """RENAME old TO new."""

    old: str
    new: str


SchemaChange = AddElements | DropElements | RenameColumn


@dataclass(frozen=True, slots=True)
class AlterTable:
    """ALTER TABLE [IF EXISTS]: exactly one of rename, set, reset and a change of the schema."""

    source: StatementSource
    name: syntax.Name
    rename: str | None = None
    set_options: dict[str, str] | None = None
    reset_options: tuple[str, ...] = ()
    change: SchemaChange | None = None
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class AlterView:
    """ALTER VIEW: RENAME TO or AS query."""

    source: StatementSource
    name: syntax.Name
    rename: str | None = None
    query: syntax.Query | None = None
    query_text: str = ""


@dataclass(frozen=True, slots=True)
class AlterDatabase:
    """ALTER DATABASE name SET (…)."""

    source: StatementSource
    name: syntax.Name
    options: dict[str, str]


@dataclass(frozen=True, slots=True)
class CreateCatalog:
    """CREATE CATALOG [IF NOT EXISTS] name [COMMENT …] WITH (…)."""

    source: StatementSource
    name: syntax.Name
    options: dict[str, str]
    comment: str | None
    if_not_exists: bool


@dataclass(frozen=True, slots=True)
class AlterCatalog:
    """ALTER CATALOG name SET (…) | RESET (…) | COMMENT '…'."""

    source: StatementSource
    name: syntax.Name
    set_options: dict[str, str] = field(default_factory=dict)
    reset_options: tuple[str, ...] = ()
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class DropCatalog:
    """DROP CATALOG [IF EXISTS] name."""

    source: StatementSource
    name: syntax.Name
    if_exists: bool


@dataclass(frozen=True, slots=True)
class AddJar:
    """ADD JAR or REMOVE JAR 'path'."""

    source: StatementSource
    path: str
    remove: bool


@dataclass(frozen=True, slots=True)
class UseModules:
    """USE MODULES name, …"""

    source: StatementSource
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompilePlan:
    """COMPILE PLAN 'path' [IF NOT EXISTS] FOR an INSERT or a statement set; ``execute``:
    COMPILE AND EXECUTE PLAN."""

    source: StatementSource
    path: str
    if_not_exists: bool
    statement: Insert | StatementSet
    execute: bool = False


@dataclass(frozen=True, slots=True)
class ExecutePlan:
    """EXECUTE PLAN 'path'."""

    source: StatementSource
    path: str


@dataclass(frozen=True, slots=True)
class UseDatabase:
    """USE database."""

    source: StatementSource
    name: syntax.Name


@dataclass(frozen=True, slots=True)
class UseCatalog:
    """USE CATALOG catalog."""

    source: StatementSource
    name: syntax.Name


@dataclass(frozen=True, slots=True)
class Pattern:
    """``[NOT] LIKE`` or ``[NOT] ILIKE`` of SHOW."""

    text: str
    negated: bool = False
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Show:
    """SHOW what: TABLES, VIEWS, DATABASES, CATALOGS, FUNCTIONS, JOBS, COLUMNS, MODULES,
    PARTITIONS, CREATE TABLE | VIEW | CATALOG, CURRENT CATALOG | DATABASE.

    full: FULL MODULES, USER FUNCTIONS. partition: (column, value) of SHOW PARTITIONS.
    """

    source: StatementSource
    what: str
    name: syntax.Name | None = None
    like: Pattern | None = None
    full: bool = False
    partition: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Describe:
    """DESCRIBE of a table or view; ``what`` is CATALOG, DATABASE, FUNCTION or JOB otherwise."""

    source: StatementSource
    name: syntax.Name
    extended: bool = False
    what: str = "TABLE"


@dataclass(frozen=True, slots=True)
class SetOption:
    """SET 'key' = 'value'; both None: SET alone lists all."""

    source: StatementSource
    key: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class ResetOption:
    """RESET ['key']."""

    source: StatementSource
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT to look at."""

    source: StatementSource
    query: syntax.Query


@dataclass(frozen=True, slots=True)
class Insert:
    """INSERT INTO | OVERWRITE table [PARTITION (…)] [(columns)] query [ON CONFLICT DO …].

    partition: (column, constant) pairs. by_name: the query's columns go to those of their name
    (CREATE TABLE … AS SELECT).
    """

    source: StatementSource
    name: syntax.Name
    columns: tuple[str, ...]
    query: syntax.Query
    column_spans: tuple[Span, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    partition: tuple[tuple[str, syntax.Expression], ...] = ()
    overwrite: bool = False
    on_conflict: str | None = None
    by_name: bool = False


@dataclass(frozen=True, slots=True)
class StatementSet:
    """BEGIN STATEMENT SET; … END: inserts that run as one job."""

    source: StatementSource
    inserts: tuple[Insert, ...]


@dataclass(frozen=True, slots=True)
class Explain:
    """EXPLAIN [details] of a query, an insert or a statement set."""

    source: StatementSource
    statement: Query | Insert | StatementSet
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StopJob:
    """STOP JOB 'id' [WITH SAVEPOINT]."""

    source: StatementSource
    job: str
    savepoint: bool


@dataclass(frozen=True, slots=True)
class Help:
    """HELP."""

    source: StatementSource


Statement = (
    CreateTable
    | CreateView
    | DropTable
    | DropView
    | CreateDatabase
    | DropDatabase
    | CreateFunction
    | DropFunction
    | AlterTable
    | AlterView
    | AlterDatabase
    | CreateCatalog
    | AlterCatalog
    | DropCatalog
    | AddJar
    | UseModules
    | CompilePlan
    | ExecutePlan
    | UseDatabase
    | UseCatalog
    | Show
    | Describe
    | SetOption
    | ResetOption
    | Query
    | Insert
    | StatementSet
    | Explain
    | StopJob
    | Help
)
