"""Statements: one dataclass a kind, each with its text and its place in the script."""

from __future__ import annotations

from dataclasses import dataclass

from eddyline.errors import Span
from eddyline.record.types import DataType
from eddyline.sql import syntax


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement stands: its own text, the whole script, and its place in it.

    hints: names of hints that change no result here.
    """

    text: str
    script: str
    span: Span
    hints: tuple[str, ...] = ()


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
class CreateTable:
    """CREATE [TEMPORARY] TABLE [IF NOT EXISTS]; ``like`` and ``query`` are its other forms."""

    source: Source
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


@dataclass(frozen=True, slots=True)
class CreateView:
    """CREATE [TEMPORARY] VIEW [IF NOT EXISTS] name [(columns)] AS query."""

    source: Source
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

    source: Source
    name: syntax.Name
    if_exists: bool
    temporary: bool


@dataclass(frozen=True, slots=True)
class DropView:
    """DROP [TEMPORARY] VIEW [IF EXISTS]."""

    source: Source
    name: syntax.Name
    if_exists: bool
    temporary: bool


@dataclass(frozen=True, slots=True)
class CreateDatabase:
    """CREATE DATABASE [IF NOT EXISTS]."""

    source: Source
    name: syntax.Name
    if_not_exists: bool
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class DropDatabase:
    """DROP DATABASE [IF EXISTS] [RESTRICT | CASCADE]."""

    source: Source
    name: syntax.Name
    if_exists: bool
    cascade: bool


@dataclass(frozen=True, slots=True)
class CreateFunction:
    """CREATE [OR REPLACE] [TEMPORARY [SYSTEM]] FUNCTION [IF NOT EXISTS] name AS '…' LANGUAGE x."""

    source: Source
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

    source: Source
    name: syntax.Name
    if_exists: bool
    temporary: bool
    system: bool


@dataclass(frozen=True, slots=True)
class AlterTable:
    """ALTER TABLE: exactly one of rename, set, reset."""

    source: Source
    name: syntax.Name
    rename: str | None = None
    set_options: dict[str, str] | None = None
    reset_options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UseDatabase:
    """USE database."""

    source: Source
    name: syntax.Name


@dataclass(frozen=True, slots=True)
class UseCatalog:
    """USE CATALOG catalog."""

    source: Source
    name: syntax.Name


@dataclass(frozen=True, slots=True)
class Show:
    """SHOW what: TABLES, VIEWS, DATABASES, CATALOGS, FUNCTIONS, JOBS, COLUMNS, MODULES,
    CREATE TABLE, CREATE VIEW, CURRENT CATALOG, CURRENT DATABASE. ``like`` is a LIKE pattern."""

    source: Source
    what: str
    name: syntax.Name | None = None
    like: str | None = None


@dataclass(frozen=True, slots=True)
class Describe:
    """DESCRIBE table."""

    source: Source
    name: syntax.Name


@dataclass(frozen=True, slots=True)
class SetOption:
    """SET 'key' = 'value'; both None: SET alone lists all."""

    source: Source
    key: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class ResetOption:
    """RESET ['key']."""

    source: Source
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT to look at."""

    source: Source
    query: syntax.Query


@dataclass(frozen=True, slots=True)
class Insert:
    """INSERT INTO table [PARTITION (…)] [(columns)] query."""

    source: Source
    name: syntax.Name
    columns: tuple[str, ...]
    query: syntax.Query
    column_spans: tuple[Span, ...] = ()
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class StatementSet:
    """BEGIN STATEMENT SET; … END: inserts that run as one job."""

    source: Source
    inserts: tuple[Insert, ...]


@dataclass(frozen=True, slots=True)
class Explain:
    """EXPLAIN [details] of a query, an insert or a statement set."""

    source: Source
    statement: Query | Insert | StatementSet
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StopJob:
    """STOP JOB 'id' [WITH SAVEPOINT]."""

    source: Source
    job: str
    savepoint: bool


@dataclass(frozen=True, slots=True)
class Help:
    """HELP."""

    source: Source


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
