"""What names mean at one place of a query, and how an error there is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from eddyline.catalog.catalog import Catalog, CatalogObject
from eddyline.catalog.function import CatalogFunction
from eddyline.errors import EddylineError, Span, nearest
from eddyline.functions.registry import CallContext
from eddyline.record.types import DataType, Root
from eddyline.sql import syntax as s
from eddyline.sql.options import SessionConfig
from eddyline.sql.typed import Apply, Ref, Typed

# Functions that Flink's parser knows and its catalog of functions does not, so that a function of
# this name wins, as in PyFlink's documentation.
PARSER_ONLY = {"HASH_CODE"}


@dataclass(frozen=True, slots=True)
class ScopeField:
    """A visible column: its name, the table's alias, and the node's column behind it.

    hidden: only reachable with the qualifier (the right side's copy of a USING column).
    """

    name: str
    qualifier: str | None
    column: str
    type: DataType
    hidden: bool = False

    @property
    def ref(self) -> Ref:
        return Ref(self.column, self.type)


@dataclass(slots=True)
class StateTtls:
    """The hint STATE_TTL of a statement: name or alias of a table to milliseconds, and which names
    a join or a grouping has used."""

    by_name: Mapping[str, int]
    used: set[str] = field(default_factory=set)

    def take(self, name: str) -> int | None:
        """What the hint says of a table."""
        if name in self.by_name:
            self.used.add(name)
        return self.by_name.get(name)


@dataclass(frozen=True, slots=True)
class Environment:
    """What a statement is bound in: catalog, session, common table expressions, its text."""

    catalog: Catalog
    config: SessionConfig
    source: str
    warnings: list[str]
    database: tuple[str, str] | None = None  # catalog and database of the view being read
    ctes: Mapping[str, tuple[s.With, Environment]] = field(default_factory=dict)
    depth: int = 0
    outer: Scope | None = None  # the columns of the query around a subquery
    state_ttls: StateTtls = field(default_factory=lambda: StateTtls({}))

    @property
    def context(self) -> CallContext:
        return self.config.context

    def state_ttl_ms(self, fields: Sequence[ScopeField]) -> int | None:
        """What the hint STATE_TTL says of the table whose columns these are, if it names it."""
        qualifiers = {f.qualifier for f in fields}
        name = qualifiers.pop() if len(qualifiers) == 1 else None
        return None if name is None else self.state_ttls.take(name)

    def warn(self, text: str) -> None:
        """Something the user should know, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def error(
        self, message: str, span: Span, hint: str | None = None, code: str = "sql_semantic"
    ) -> EddylineError:
        """An error at a place of the statement."""
        return EddylineError(code, message, hint=hint, span=span, source=self.source)

    def unsupported(self, what: str, span: Span, hint: str | None = None) -> EddylineError:
        """Valid Flink SQL that is not supported here."""
        return self.error(f"{what} is not supported yet", span, hint, "sql_unsupported")

    @contextmanager
    def at(self, span: Span) -> Iterator[None]:
        """Give errors raised inside that have no place this one."""
        try:
            yield
        except EddylineError as e:
            if e.span is None:
                e.span, e.source = span, self.source
            raise

    def resolve(self, parts: tuple[str, ...], span: Span) -> CatalogObject:
        """The table or view of that name; names in a view are looked up in its own database."""
        with self.at(span):
            if self.database and len(parts) < 3:
                return self.catalog.resolve((*self.database[: 3 - len(parts)], *parts))
            return self.catalog.resolve(parts)

    def function(self, name: str, *, built_in: bool) -> CatalogFunction | None:
        """The Python function that a name calls.

        Only system functions hide built-in ones; any function hides ``PARSER_ONLY``.
        """
        function = self.catalog.function(name, system=True)
        if function is None and (not built_in or name.upper() in PARSER_ONLY):
            function = self.catalog.function(name, system=False)
        return function

    def inside(self, outer: Scope) -> Environment:
        """The environment of a subquery that may read the columns of ``outer``."""
        return replace(self, outer=outer)

    def with_ctes(self, more: tuple[s.With, ...]) -> Environment:
        """The environment with further common table expressions, each seeing those before it."""
        env = self
        for cte in more:
            env = replace(env, ctes={**env.ctes, cte.name: (cte, env)})
        return env


@dataclass(frozen=True, slots=True)
class Scope:
    """The columns that can be named."""

    fields: tuple[ScopeField, ...]

    def resolve(self, name: s.Name, env: Environment) -> Typed:
        """The column a name means; in a subquery it may be one of the query around it.

        Raises:
            EddylineError: ``sql_semantic`` if there is none, or more than one.
        """
        if env.outer is None or self._knows(name):
            return self._resolve(name, env)
        if env.outer._knows(name):
            return marked(env.outer._resolve(name, replace(env, outer=None)))
        return self._resolve(name, env)

    def _knows(self, name: s.Name) -> bool:
        """Whether the first part of a name means something here."""
        if len(name.parts) > 1 and self._knows_qualifier(name.parts[-2]):
            return True
        if self._row_behind_qualifier(name) is not None:
            return True
        return any(f.name == name.parts[0] and not f.hidden for f in self.fields)

    def _resolve(self, name: s.Name, env: Environment) -> Typed:
        if len(name.parts) > 1 and self._knows_qualifier(name.parts[-2]):
            return self._qualified(name, env)
        first = [f for f in self.fields if f.name == name.parts[0] and not f.hidden]
        if len(name.parts) > 1 and first and first[0].type.root is Root.ROW:
            return _path_into(first[0].ref, name.parts[1:], name, env)
        row = self._row_behind_qualifier(name)
        if row is not None:
            return _path_into(row.ref, name.parts[2:], name, env)
        if len(name.parts) > 1:
            return self._unknown_table(name, env)
        if len(first) > 1:
            where = " and ".join(sorted({f.qualifier or "the subquery" for f in first}))
            msg = f"column {name} is ambiguous"
            raise env.error(msg, name.span, f"it is in {where}: write the table's name before it")
        if not first:
            raise env.error(f"there is no column {name}", name.span, self._hint(name.parts[-1]))
        return first[0].ref

    def _row_behind_qualifier(self, name: s.Name) -> ScopeField | None:
        """The row of ``t.row.field``."""
        if len(name.parts) < 3:
            return None
        qualifier, column = name.parts[:2]
        rows = [f for f in self.fields if f.qualifier == qualifier and f.name == column]
        return rows[0] if rows and rows[0].type.root is Root.ROW else None

    def _knows_qualifier(self, qualifier: str) -> bool:
        return any(f.qualifier == qualifier for f in self.fields)

    def _qualified(self, name: s.Name, env: Environment) -> Typed:
        qualifier, column = name.parts[-2:]
        fields = [f for f in self.fields if f.qualifier == qualifier and f.name == column]
        if len(fields) == 1:
            return fields[0].ref
        if fields:
            raise env.error(f"column {name} is ambiguous", name.span, "give them different aliases")
        own = [f.name for f in self.fields if f.qualifier == qualifier]
        near = nearest(column, own)
        hint = f"did you mean {near[0]}?" if near else f"{qualifier} has {', '.join(own[:12])}"
        span = name.spans[-1] if name.spans else name.span
        raise env.error(f"there is no column {column} in {qualifier}", span, hint)

    def _unknown_table(self, name: s.Name, env: Environment) -> Typed:
        known = sorted({f.qualifier for f in self.fields if f.qualifier})
        near = nearest(name.parts[-2], known)
        hint = f"did you mean {near[0]}?" if near else None
        if hint is None and known:
            hint = f"here the tables are called {', '.join(known)}"
        span = name.spans[-2] if len(name.spans) > 1 else name.span
        raise env.error(f"there is no table {name.parts[-2]} here", span, hint)

    def _hint(self, column: str) -> str:
        names = list(dict.fromkeys(f.name for f in self.fields))
        near = nearest(column, names)
        if near:
            return f"did you mean {' or '.join(near)}?"
        if not names:
            return "there is no FROM"
        more = ", …" if len(names) > 12 else ""
        return f"the columns are {', '.join(names[:12])}{more}"


_MARK = "\0outer:"


def outer_name(column: str) -> str:
    """What a column of the query around a subquery is called inside the subquery's plan."""
    return _MARK + column


def is_outer(name: str) -> bool:
    """Whether a name is one that ``outer_name`` made."""
    return name.startswith(_MARK)


def marked(e: Typed) -> Typed:
    """An expression over the query around a subquery, as the subquery's plan holds it."""
    if isinstance(e, Ref):
        return Ref(outer_name(e.name), e.type.plain())
    if isinstance(e, Apply):
        return replace(e, args=tuple(marked(a) for a in e.args))
    return e


def _path_into(row: Typed, fields: tuple[str, ...], name: s.Name, env: Environment) -> Typed:
    """Fields of a row: ``a.b.c``."""
    typed = row
    for part in fields:
        typed = field_of(typed, part, name.span, env)
    return typed


def field_of(row: Typed, name: str, span: Span, env: Environment) -> Typed:
    """A field of a ROW value.

    Raises:
        EddylineError: ``sql_semantic``.
    """
    kind = row.type
    if kind.root is not Root.ROW:
        raise env.error(f"a value of type {kind} has no fields", span)
    if name not in kind.names:
        near = nearest(name, list(kind.names))
        hint = f"did you mean {near[0]}?" if near else f"the fields are {', '.join(kind.names)}"
        raise env.error(f"there is no field {name}", span, hint)
    child = kind.children[kind.names.index(name)]
    child = child.null() if kind.nullable else child
    quoted = name.replace("'", "''").replace("{", "{{").replace("}", "}}")
    return Apply(f".{name}", (row,), f"struct_extract({{0}}, '{quoted}')", child)
