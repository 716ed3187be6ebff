"""Upsert keys: columns by which a later change of a row can be told to replace the earlier one.

A table with a primary key takes changes of a query only if one of the query's upsert keys lies
within that key; else rows of different keys would replace each other. The rules are Flink's, so
that both refuse the same statements and EXPLAIN CHANGELOG_MODE shows the same changes.
"""

from __future__ import annotations

from itertools import islice, product

from eddyline.record.types import INTEGERS
from eddyline.sql import logical as lg
from eddyline.sql.physical import WindowKind
from eddyline.sql.typed import Apply, Ref, Typed, conjuncts, refs
from eddyline.sql.windowing import equal_refs

Key = frozenset[str]
Keys = frozenset[Key]
_NONE: Keys = frozenset()
# No row but one: every column is a key, and so is none at all.
_SINGLE: Keys = frozenset({frozenset()})
# So many spellings of one key are followed, where columns were selected several times.
_SPELLINGS_MAX = 16


def upsert_keys(node: lg.Node) -> Keys:
    """The node's upsert keys; one that is empty says that there is a single row."""
    if isinstance(node, lg.Scan):
        return _of_scan(node)
    if isinstance(node, lg.Values):
        return _SINGLE if len(node.rows) == 1 else _NONE
    if isinstance(node, lg.Calc):
        return _through(node.projections, upsert_keys(node.input))
    if isinstance(node, lg.GroupBy):
        bounds = node.window.names[:2] if node.window else ()
        return frozenset({frozenset((*_varying(node), *bounds))})
    if isinstance(node, lg.Rank):
        return _of_rank(node)
    if isinstance(node, lg.Join | lg.LookupJoin | lg.TemporalJoin):
        return _of_join(node)
    if isinstance(node, lg.Sort):
        return _containing(upsert_keys(node.input), {k.column for k in node.keys})
    if isinstance(node, lg.Over):
        return _containing(upsert_keys(node.input), set(node.partition_by))
    if isinstance(node, lg.WindowTable) and node.window.kind is not WindowKind.TUMBLE:
        return frozenset(key | {*node.names[:2]} for key in upsert_keys(node.input))
    if isinstance(node, lg.Unnest):
        ordinal = {node.made[-1]} if node.ordinality else None
        return frozenset(k | ordinal for k in upsert_keys(node.input)) if ordinal else _NONE
    if isinstance(node, _OF_OWN_ROWS):
        return _NONE
    (below,) = lg.children(node)
    return upsert_keys(below)


# What each of these gives is no row of its input.
_OF_OWN_ROWS = (lg.Union, lg.Expand, lg.Match, lg.ToChangelog, lg.FromChangelog, lg.Hotspots)


def _of_scan(node: lg.Scan) -> Keys:
    names = {stored: name for name, stored in node.stored}
    key = [names.get(column, column) for column in node.table.primary_key]
    return frozenset({frozenset(key)}) if key and set(key) <= set(node.schema.names) else _NONE


def _varying(node: lg.GroupBy) -> tuple[str, ...]:
    """The keys of a grouping that are no constants."""
    if not isinstance(node.input, lg.Calc):
        return node.keys
    computed = dict(node.input.projections)
    return tuple(key for key in node.keys if refs(computed[key]))


def _of_rank(node: lg.Rank) -> Keys:
    """A Top-N without partitions is sorted, so that what it is sorted by must be in the key."""
    partition = set(node.partition_by)
    sorted_by = partition or {k.column for k in node.order}
    keys = set(_containing(upsert_keys(node.input), sorted_by))
    if node.function == "ROW_NUMBER":
        if node.first == node.last == 1:
            keys.add(frozenset(partition))
        elif node.rank is not None:
            keys.add(frozenset({*partition, node.rank}))
    return frozenset(keys)


def join_columns(node: lg.AnyJoin) -> tuple[set[str], set[str]]:
    """The columns of either side that a join finds equal, by their names in the join's output."""
    pairs = [pair for c in conjuncts(node.condition) if (pair := equal_refs(c)) is not None]
    columns = {column for pair in pairs if _crosses(pair, node) for column in pair}
    return columns & set(node.left_names), columns & set(node.right_names)


def _crosses(pair: tuple[str, str], node: lg.AnyJoin) -> bool:
    return (pair[0] in node.left_names) != (pair[1] in node.left_names)


def side_keys(side: lg.Node, names: tuple[str, ...]) -> Keys:
    """The upsert keys of a join's side, by the names of the join's output."""
    outer = dict(zip(side.schema.names, names, strict=True))
    return frozenset(frozenset(outer[c] for c in key) for key in upsert_keys(side))


def _of_join(node: lg.AnyJoin) -> Keys:
    left, right = side_keys(node.left, node.left_names), side_keys(node.right, node.right_names)
    on_left, on_right = join_columns(node)
    if node.kind in ("SEMI", "ANTI"):
        return _containing(left, on_left)
    one_left, one_right = (
        any(key <= columns for key in keys)
        for keys, columns in ((left, on_left), (right, on_right))
    )
    kept_left, kept_right = _containing(left, on_left), _containing(right, on_right)
    keys = {a | b for a, b in product(kept_left, kept_right)}
    if one_right and node.kind in ("INNER", "LEFT"):
        # The rows of the left side each have one partner at most, wherever they are joined.
        keys |= left if isinstance(node, lg.LookupJoin) else kept_left
    if one_left and node.kind in ("INNER", "RIGHT"):
        keys |= kept_right
    return frozenset(keys)


def _containing(keys: Keys, columns: set[str]) -> Keys:
    """The keys with all these columns: rows that are distributed by other ones may overtake each
    other."""
    return frozenset(key for key in keys if columns <= key)


def _through(projections: tuple[tuple[str, Typed], ...], keys: Keys) -> Keys:
    passed: dict[str, list[str]] = {}
    for name, e in projections:
        source = _source(e)
        if source is not None:
            passed.setdefault(source, []).append(name)
    out: set[Key] = set()
    for key in keys:
        if all(column in passed for column in key):
            spelled = product(*(passed[column] for column in sorted(key)))
            out |= {frozenset(names) for names in islice(spelled, _SPELLINGS_MAX)}
    return frozenset(out)


def _source(e: Typed) -> str | None:
    """The column whose values an expression keeps apart."""
    if isinstance(e, Ref):
        return e.name
    if isinstance(e, Apply) and e.name == "NOT NULL":
        return _source(e.args[0])
    if isinstance(e, Apply) and e.name == "CAST" and len(e.args) == 1:
        below, to = e.args[0], e.type
        if isinstance(below, Ref) and below.type.root in INTEGERS:
            wider = to.root in INTEGERS[INTEGERS.index(below.type.root) :]
            return below.name if wider or to.is_text else None
    return None
