"""The planner: a parsed statement in, a plan for the engine or an object for the catalog out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from json import dumps

from eddyline.catalog.catalog import Catalog
from eddyline.catalog.table import CatalogTable, CatalogView
from eddyline.errors import EddylineError
from eddyline.record.schema import Column, Schema
from eddyline.sql import physical as p
from eddyline.sql import statement as st
from eddyline.sql.bind.conflicts import check_keys, needs_row_before
from eddyline.sql.bind.definitions import altered_table, define_table, define_view
from eddyline.sql.bind.queries import bind_query, final
from eddyline.sql.bind.relation import Relation, projected
from eddyline.sql.bind.scope import Environment, StateTtls
from eddyline.sql.bind.sinks import SinkTarget, bind_insert, refuse_updates
from eddyline.sql.changes import insert_only
from eddyline.sql.explain import execution_nodes, tree
from eddyline.sql.logical import Node
from eddyline.sql.options import SessionConfig, duration_ms
from eddyline.sql.physical_plan import physical
from eddyline.sql.rules import optimized
from eddyline.sql.sharing import with_shared_sources


class Planner:
    """Plans statements of one session: its catalog, its options."""

    def __init__(self, catalog: Catalog, config: SessionConfig | None = None) -> None:
        self._catalog = catalog
        self._config = config or SessionConfig()
        self.warnings: tuple[str, ...] = ()

    def query(self, statement: st.Query) -> p.Plan:
        """A SELECT, its rows for the caller.

        Raises:
            EddylineError: ``sql_semantic``, ``sql_unsupported`` or ``not_found``, with the place.
        """
        env = self._environment(statement.source)
        node, schema = self._select(statement, env)
        root = p.Collect(physical(node), schema)
        return self._plan(root, statement.source, insert_only(node), env)

    def insert(self, statement: st.Insert) -> p.Plan:
        """An INSERT INTO, its rows for a table.

        Raises:
            EddylineError: as ``query``; also for rows that do not fit the table.
        """
        env = self._environment(statement.source)
        root, steady = self._sink(statement, env)
        return self._plan(root, statement.source, steady, env)

    def insert_set(self, statement: st.StatementSet) -> p.Plan:
        """A STATEMENT SET: one plan for all its INSERTs.

        Raises:
            EddylineError: as ``insert``; for tables that are both added to and overwritten.
        """
        env = self._environment(statement.source)
        sinks, steady = [], True
        for insert in statement.inserts:
            own = self._environment(insert.source)
            sink, is_steady = self._sink(insert, own)
            env.warnings.extend(w for w in own.warnings if w not in env.warnings)
            sinks.append(sink)
            steady = steady and is_steady
        root = p.SinkSet(_one_each(sinks), Schema(()))
        return self._plan(root, statement.source, steady, env)

    def _sink(self, statement: st.Insert, env: Environment) -> tuple[p.Sink, bool]:
        """An INSERT's sink, and whether no row for it is ever taken back."""
        target, node = self._target(statement, env)
        sink = p.Sink(
            physical(node), target.table, target.columns, target.partition_by, target.columns,
            statement.overwrite,
        )  # fmt: skip
        return sink, insert_only(node)

    def _plan(
        self,
        root: p.Root,
        source: st.StatementSource,
        steady: bool,
        env: Environment,
    ) -> p.Plan:
        ttl_ms = self._config.state_ttl_ms
        if ttl_ms and any(isinstance(n, p.Forest) for n in p.walk(root)):
            env.warn(_FOREST_TTL)
        rows = (source.text, steady, tuple(env.warnings))
        return p.Plan(with_shared_sources(root), *rows, state_ttl_ms=ttl_ms)

    def explain(self, statement: st.Explain) -> str:
        """The plan as text.

        Raises:
            EddylineError: as ``query``.
        """
        inner = statement.statement
        queries = inner.inserts if isinstance(inner, st.StatementSet) else (inner,)
        if "JSON_EXECUTION_PLAN" in statement.details:
            return self._execution_plan(queries)
        return "\n\n".join(self._explained(query, statement.details) for query in queries)

    def table(self, statement: st.CreateTable) -> CatalogTable:
        """The table that a CREATE TABLE describes; it is not put into the catalog here.

        What the user should know of it is in ``warnings`` afterwards.

        Raises:
            EddylineError: ``sql_semantic`` or ``sql_unsupported``, with the place.
        """
        env = self._environment(statement.source)
        table = define_table(statement, env)
        self.warnings = tuple(env.warnings)
        return table

    def altered(self, statement: st.AlterTable) -> CatalogTable:
        """The table as an ALTER TABLE of its schema leaves it; warnings as ``table``.

        Raises:
            EddylineError: as ``table``; ``not_found``.
        """
        env = self._environment(statement.source)
        with env.at(statement.name.span):
            old = self._catalog.table(statement.name.parts)
        table = altered_table(statement, old, env)
        self.warnings = tuple(env.warnings)
        return table

    def view(self, statement: st.CreateView) -> CatalogView:
        """The view that a CREATE VIEW describes; warnings as ``table``.

        Raises:
            EddylineError: as ``query``.
        """
        env = self._environment(statement.source)
        if statement.source.state_ttls:
            what, hint = "the hint STATE_TTL in a view", "write it in the query that reads the view"
            raise env.unsupported(what, statement.source.span, hint)
        view = define_view(statement, env)
        self.warnings = tuple(env.warnings)
        return view

    def _environment(self, source: st.StatementSource) -> Environment:
        warnings = [f"the hint {name} changes nothing on one machine" for name in source.hints]
        ttls = StateTtls({name: duration_ms(text, "STATE_TTL") for name, text in source.state_ttls})
        return Environment(self._catalog, self._config, source.script, warnings, state_ttls=ttls)

    def _select(self, statement: st.Query, env: Environment) -> tuple[Node, Schema]:
        """The rows, and their columns under the names that a user sees."""
        relation = self._bound(statement, env)
        relation = projected(relation.node, ((f.name, f.ref) for f in relation.visible))
        node = optimized(relation.node)
        names = (f.name for f in relation.fields)
        columns = zip(names, node.schema, strict=True)
        return node, Schema(tuple(Column(name, c.type) for name, c in columns))

    def _bound(self, statement: st.Query | st.Insert, env: Environment) -> Relation:
        """The query's rows; in batch mode only those that remain when its input has ended."""
        relation = bind_query(statement.query, env)
        unused = sorted(set(env.state_ttls.by_name) - env.state_ttls.used)
        if unused:
            message = f"the hint STATE_TTL names {', '.join(unused)}"
            raise env.error(message, statement.source.span, _TTL_NAMES)
        return replace(relation, node=final(relation.node)) if env.config.is_batch else relation

    def _target(self, statement: st.Insert, env: Environment) -> tuple[SinkTarget, Node]:
        target = bind_insert(self._bound(statement, env), statement, env)
        node = optimized(target.node)
        refuse_updates(node, target.table, statement.name.span, env)
        if self._config.value("table.exec.sink.require-on-conflict"):
            check_keys(node, statement, target.table, env)
        return target, node

    def _explained(self, statement: st.Query | st.Insert, details: tuple[str, ...]) -> str:
        env = self._environment(statement.source)
        node, top, both = self._topped(statement, env)
        notes = [f"warning: {w}" for w in env.warnings]
        notes += [_NOTES[d] for d in details if d in _NOTES]
        return "\n".join([tree(node, top, both=both), *notes])

    def _execution_plan(self, queries: Iterable[st.Query | st.Insert]) -> str:
        """The plan as JSON, in the form that Flink's plan visualizer reads."""
        nodes: list[dict[str, object]] = []
        for statement in queries:
            node, top, _ = self._topped(statement, self._environment(statement.source))
            nodes += execution_nodes(node, top, len(nodes) + 1)
        return dumps({"nodes": nodes}, indent=2)

    def _topped(self, statement: st.Query | st.Insert, env: Environment) -> tuple[Node, str, bool]:
        """A statement's plan, a line that says what becomes of its rows, and whether whoever takes
        them needs the row before an update."""
        if isinstance(statement, st.Insert):
            target, node = self._target(statement, env)
            top = f"Sink({target.table.path}: {', '.join(target.columns.names)})"
            return node, top, needs_row_before(node, target.table)
        node, schema = self._select(statement, env)
        return node, f"Result({', '.join(schema.names)})", False


def _one_each(sinks: list[p.Sink]) -> tuple[p.Sink, ...]:
    """One sink for each table: several INSERTs into one are a UNION ALL."""
    by_table: dict[str, list[p.Sink]] = {}
    for sink in sinks:
        by_table.setdefault(str(sink.table.path), []).append(sink)
    united = []
    for path, same in by_table.items():
        first = same[0]
        if len(same) == 1:
            united.append(first)
            continue
        if any(replace(s, input=first.input) != first for s in same):
            msg = f"the statement set both adds to table {path} and overwrites it"
            raise EddylineError("sql_semantic", msg, hint="write INTO or OVERWRITE in all INSERTs")
        rows = p.Union(tuple(s.input for s in same), first.input.schema)
        united.append(replace(first, input=rows))
    return tuple(united)


# What EXPLAIN adds for details that change nothing in the tree.
_NOTES = {
    "ESTIMATED_COST": "note: costs are not estimated, because there are no statistics",
    "PLAN_ADVICE": "note: no advice for this plan",
}
_TTL_NAMES = (
    "it names a table, or its alias, that the statement joins or groups; for all other state write "
    "SET 'table.exec.state.ttl'"
)
_FOREST_TTL = (
    "table.exec.state.ttl is not applied to RANDOM_CUT_FOREST: a key's forest is kept until the "
    "memory for forests is needed for others"
)
