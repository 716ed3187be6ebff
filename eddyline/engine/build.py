"""From a plan to operators: one table, plan node to builder.

Every node of the plan has a row; a missing one is an error when this module is imported, not
when somebody's query meets it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from eddyline.clock import Clock
from eddyline.engine.database import Database
from eddyline.engine.layout import named
from eddyline.engine.metrics import Figures
from eddyline.engine.operators.assign_watermark import AssignWatermark
from eddyline.engine.operators.calc import Calc
from eddyline.engine.operators.changelog import FromChangelog, ToChangelog
from eddyline.engine.operators.current_watermark import CurrentWatermark
from eddyline.engine.operators.deduplicate import deduplicate
from eddyline.engine.operators.expand import Expand
from eddyline.engine.operators.final import Final
from eddyline.engine.operators.forest import Forest
from eddyline.engine.operators.group_aggregate import GroupAggregate
from eddyline.engine.operators.hotspots import Hotspots
from eddyline.engine.operators.interval_join import IntervalJoin
from eddyline.engine.operators.join import Join
from eddyline.engine.operators.limit import Limit
from eddyline.engine.operators.lookup_join import LookupJoin
from eddyline.engine.operators.match import Match
from eddyline.engine.operators.operator import Operator, OperatorContext
from eddyline.engine.operators.over_changes import OverChanges
from eddyline.engine.operators.over_time import OverByTime
from eddyline.engine.operators.processing_time import ProcessingTime
from eddyline.engine.operators.rank import Rank
from eddyline.engine.operators.scan import Scan
from eddyline.engine.operators.semi_join import SemiJoin
from eddyline.engine.operators.session_aggregate import SessionAggregate
from eddyline.engine.operators.session_table import SessionTable
from eddyline.engine.operators.sort import Sort
from eddyline.engine.operators.temporal_join import TemporalJoin
from eddyline.engine.operators.union import Union
from eddyline.engine.operators.unnest import Unnest
from eddyline.engine.operators.values import Values
from eddyline.engine.operators.window_aggregate import WindowAggregate
from eddyline.engine.operators.window_join import WindowJoin
from eddyline.engine.operators.window_rank import WindowRank
from eddyline.engine.operators.window_table import WindowTable
from eddyline.engine.remote_stream import is_remote
from eddyline.engine.sinks.blackhole import Blackhole
from eddyline.engine.sinks.collect import Collect
from eddyline.engine.sinks.filesystem import FilesystemSink
from eddyline.engine.sinks.overwrite import OverwritingSink
from eddyline.engine.sinks.print import Print
from eddyline.engine.sinks.sink import Listener, Sink
from eddyline.engine.sinks.sink_set import SinkSet
from eddyline.engine.sinks.stream import StreamSink
from eddyline.engine.sources.filesystem import FilesystemSource
from eddyline.engine.sources.source import Source, SourceContext
from eddyline.errors import EddylineError
from eddyline.options.connectors import connector_of
from eddyline.options.connectors.kinesis import STREAM
from eddyline.settings import Settings
from eddyline.sql import physical as plan
from eddyline.sql.physical_ordered import OverTime
from eddyline.sql.typed import Typed

Inputs = tuple[Operator, ...]


@dataclass(frozen=True, slots=True)
class BuildContext:
    """What building needs: the job's identity and everything an operator may hold on to."""

    job_id: str
    incarnation: int
    zone: str
    db: Database
    settings: Settings
    clock: Clock
    figures: Figures
    listener: Listener
    streams: Any
    durable: bool = False  # the state outlives the process
    idle_timeout_ms: int | None = None
    directory: Path | None = None
    state_ttl_ms: int = 0

    def context(self, name: str) -> OperatorContext:
        shared = (self.db, self.settings, self.clock, self.figures, self.zone, self.directory)
        return OperatorContext(name, *shared, state_ttl_ms=self.state_ttl_ms)


Builder = Callable[[BuildContext, OperatorContext, Inputs, Any], Operator]


def _scan(w: BuildContext, context: OperatorContext, inputs: Inputs, node: plan.Scan) -> Operator:
    options = node.table.options
    name = connector_of(options.get("connector", "")).name
    source = SourceContext(
        node.table.path.name,
        w.settings,
        w.clock,
        options,
        idle_timeout_ms=w.idle_timeout_ms,
        figures=w.figures,
        warn=w.listener.on_text,
    )
    return Scan(context, node, _source(w, name, source, node))


def _source(w: BuildContext, name: str, context: SourceContext, node: plan.Scan) -> Source:
    if name == "filesystem":
        return FilesystemSource(context, node)
    if name == "kinesis" and is_remote(context.options, w.settings):
        from eddyline.engine.sources.remote_kinesis import RemoteKinesisSource

        return RemoteKinesisSource(context)
    if name == "kinesis":
        from eddyline.engine.sources.kinesis import KinesisSource

        with _stream_known(context.name, context.options):
            return KinesisSource(context, w.streams)
    if name in ("kafka", "upsert-kafka"):
        from eddyline.engine.sources.kafka import KafkaSource

        return KafkaSource(context, keyed="key.format" in context.options)
    if name == "jdbc":
        from eddyline.engine.sources.jdbc import JdbcSource

        return JdbcSource(context, node)
    if name == "datagen":
        from eddyline.engine.sources.datagen import DatagenSource

        return DatagenSource(context, node.columns)
    if name == "faker":
        from eddyline.engine.sources.faker import FakerSource

        return FakerSource(context, node.columns)
    if name == "nexmark":
        from eddyline.engine.sources.nexmark import NexmarkSource

        return NexmarkSource(context, node.columns)
    msg = f"table {node.table.path.name}: connector '{name}' cannot be read from"
    hint = "kinesis, filesystem, kafka, jdbc, datagen, faker and nexmark can"
    raise EddylineError("sql_semantic", msg, hint=hint)


def _sink(w: BuildContext, context: OperatorContext, inputs: Inputs, node: plan.Sink) -> Operator:
    options = node.table.options
    name = connector_of(options.get("connector", "")).name
    if name == "kinesis" and is_remote(options, w.settings):
        from eddyline.engine.sinks.remote_stream import RemoteStreamSink

        return RemoteStreamSink(context, inputs, node, w.job_id)
    if name == "kinesis":
        with _stream_known(node.table.path.name, options):
            stream = w.streams.open(STREAM.read(options))
        return StreamSink(context, inputs, node, stream, w.job_id, w.incarnation)
    if name == "filesystem":
        kind = OverwritingSink if node.overwrite else FilesystemSink
        return kind(context, inputs, node, w.job_id)
    if name in ("kafka", "upsert-kafka"):
        from eddyline.engine.sinks.kafka import KafkaSink

        return KafkaSink(context, inputs, node, w.job_id)
    if name == "jdbc":
        from eddyline.engine.sinks.jdbc import JdbcSink

        return JdbcSink(context, inputs, node, w.job_id)
    if name == "print":
        return Print(context, inputs, node, w.listener)
    if name == "blackhole":
        return Blackhole(context, inputs, node.schema)
    msg = f"table {node.table.path.name}: connector '{name}' cannot be written to"
    raise EddylineError(
        "sql_semantic", msg, hint="kinesis, filesystem, kafka, jdbc, print and blackhole can"
    )


@contextmanager
def _stream_known(table: str, options: dict[str, str]) -> Iterator[None]:
    """Say which table wants the stream that is not there, and how to make it."""
    try:
        yield
    except EddylineError as error:
        if error.code != "not_found":
            raise
        name = STREAM.read(options)
        hint = f"create it (eddyline stream create {name}), or name another in 'stream'"
        message = f"table {table}: there is no stream {name}"
        raise EddylineError("not_found", message, hint=hint) from error


def _window_aggregate(
    w: BuildContext, context: OperatorContext, inputs: Inputs, node: plan.WindowAggregate
) -> Operator:
    if node.window.kind is plan.WindowKind.SESSION:
        return SessionAggregate(context, inputs, node)
    return WindowAggregate(context, inputs, node)


def _over(w: BuildContext, context: OperatorContext, inputs: Inputs, node: plan.Over) -> Operator:
    by_time = node.time in (OverTime.ROWTIME, OverTime.PROCTIME)
    return OverByTime(context, inputs, node) if by_time else OverChanges(context, inputs, node)


NODES: dict[type[Any], Builder] = {
    plan.Scan: _scan,
    plan.Values: lambda w, c, i, n: Values(c, n),
    plan.Calc: lambda w, c, i, n: Calc(c, i, n),
    plan.AssignWatermark: lambda w, c, i, n: AssignWatermark(c, i, n),
    plan.WindowTable: lambda w, c, i, n: WindowTable(c, i, n),
    plan.SessionTable: lambda w, c, i, n: SessionTable(c, i, n),
    plan.WindowAggregate: _window_aggregate,
    plan.GroupAggregate: lambda w, c, i, n: GroupAggregate(c, i, n),
    plan.Join: lambda w, c, i, n: Join(c, i, n),
    plan.WindowJoin: lambda w, c, i, n: WindowJoin(c, i, n),
    plan.IntervalJoin: lambda w, c, i, n: IntervalJoin(c, i, n),
    plan.Forest: lambda w, c, i, n: Forest(c, i, n, w.listener, w.durable),
    plan.Hotspots: lambda w, c, i, n: Hotspots(c, i, n, w.durable),
    plan.Union: lambda w, c, i, n: Union(c, i, n.schema),
    plan.Limit: lambda w, c, i, n: Limit(c, i, n),
    plan.Sort: lambda w, c, i, n: Sort(c, i, n),
    plan.Final: lambda w, c, i, n: Final(c, i, n),
    plan.Rank: lambda w, c, i, n: Rank(c, i, n),
    plan.WindowRank: lambda w, c, i, n: WindowRank(c, i, n),
    plan.Deduplicate: lambda w, c, i, n: deduplicate(c, i, n),
    plan.Over: _over,
    plan.Unnest: lambda w, c, i, n: Unnest(c, i, n),
    plan.Expand: lambda w, c, i, n: Expand(c, i, n),
    plan.ProcessingTime: lambda w, c, i, n: ProcessingTime(c, i, n),
    plan.CurrentWatermark: lambda w, c, i, n: CurrentWatermark(c, i, n),
    plan.Match: lambda w, c, i, n: Match(c, i, n),
    plan.ToChangelog: lambda w, c, i, n: ToChangelog(c, i, n),
    plan.FromChangelog: lambda w, c, i, n: FromChangelog(c, i, n),
    plan.SemiJoin: lambda w, c, i, n: SemiJoin(c, i, n),
    plan.TemporalJoin: lambda w, c, i, n: TemporalJoin(c, i, n),
    plan.LookupJoin: lambda w, c, i, n: LookupJoin(c, i, n),
    plan.Sink: _sink,
    plan.SinkSet: lambda w, c, i, n: SinkSet(c, i, n.schema),
    plan.Collect: lambda w, c, i, n: Collect(c, i, n.schema, w.listener),
}
_missing = set(get_args(plan.Node)) - set(NODES)
if _missing:
    msg = f"plan nodes without an operator: {_missing}"
    raise ImportError(msg)


def build(
    root: plan.Root,
    context: BuildContext,
    node_names: Sequence[str] | None = None,
    *,
    share: bool = True,
) -> Sink:
    """The operators; their root is a sink.

    node_names: a name for each node in ``walk``'s order; None for those of a new job. share: a node
    that the plan holds several times (``sql/sharing.py``) becomes one operator, under the name of
    its first place; else one for each place, as in jobs that older versions have begun.
    """
    names = iter(node_names or [name for name, _ in named(root)])
    readers: dict[int, set[int]] = defaultdict(set)
    for reader in plan.walk(root) if share else ():
        for node in plan.inputs(reader):
            readers[id(node)].add(id(reader))
    made: dict[int, Operator] = {}

    def make(node: plan.Node) -> Operator:
        inputs = tuple(make(child) for child in plan.inputs(node))
        name = next(names)
        if share and id(node) in made:
            return made[id(node)]
        operator = NODES[type(node)](context, context.context(name), inputs, node)
        operator.conditions = _conditions(node)
        operator.readers = max(1, len(readers[id(node)]))
        made[id(node)] = operator
        return operator

    top = make(root)
    assert isinstance(top, Sink)
    return top


def _conditions(node: Any) -> tuple[Typed, ...]:
    """What a join or a pattern evaluates over several rows."""
    if isinstance(node, plan.Calc):  # it names its rows itself
        return ()
    if isinstance(node, plan.Match):
        return tuple(step.condition for step in node.steps if step.condition is not None)
    tree = getattr(node, "condition_tree", None)
    return () if tree is None else (tree,)


def operators(root: Operator) -> Iterator[Operator]:
    """The operator and all below it, inputs first, each once."""
    seen: set[int] = set()

    def visit(operator: Operator) -> Iterator[Operator]:
        if id(operator) not in seen:
            seen.add(id(operator))
            for child in operator.inputs:
                yield from visit(child)
            yield operator

    return visit(root)


def keyed_files(root: Operator) -> dict[str, dict[str, Any]]:
    """What of the operators' files of rows counts."""
    saved = {op.name: op.keyed.save() for op in operators(root) if op.keyed is not None}
    return {name: files for name, files in saved.items() if files is not None}
