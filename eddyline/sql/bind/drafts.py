"""A table's definition while it is put together: from a statement, a table LIKE, or ALTER TABLE.

A draft holds definitions as they were written; ``eddyline.sql.bind.definitions`` checks the whole
draft, so that a computed column or a watermark is bound again after every change of the columns
it reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from eddyline.catalog.table import CatalogTable, ColumnKind, TableColumn
from eddyline.errors import EddylineError, Span, nearest
from eddyline.sql import statement as st
from eddyline.sql.bind.names import names_in
from eddyline.sql.bind.scope import Environment
from eddyline.sql.parse import parse_expression

NOWHERE = Span(1, 1)


@dataclass(slots=True)
class TableDraft:
    """A table's columns, watermark, keys and options, not yet checked."""

    columns: list[st.ColumnDefinition] = field(default_factory=list)
    watermark: st.WatermarkDefinition | None = None
    primary_key: tuple[str, ...] = ()
    partitioned_by: tuple[str, ...] = ()
    options: dict[str, str] = field(default_factory=dict)
    comment: str | None = None
    distribution: str | None = None

    @property
    def names(self) -> list[str]:
        return [c.name for c in self.columns]

    def place(self, name: str) -> int | None:
        """Where the column of that name stands, or None."""
        return next((n for n, c in enumerate(self.columns) if c.name == name), None)


def draft_of_statement(statement: st.CreateTable) -> TableDraft:
    """What a CREATE TABLE itself says."""
    return TableDraft(
        list(statement.columns),
        statement.watermark,
        statement.primary_key,
        statement.partitioned_by,
        dict(statement.options),
        statement.comment,
        statement.distribution,
    )


def draft_of_table(table: CatalogTable, span: Span) -> TableDraft:
    """The definition of a table of the catalog; errors about it point at ``span``."""
    watermark = None
    if table.watermark is not None:
        text = table.watermark.expression
        expression = parse_expression(text)
        watermark = st.WatermarkDefinition(table.watermark.column, expression, text, span)
    return TableDraft(
        [_definition(c, span) for c in table.columns],
        watermark,
        table.primary_key,
        table.partitioned_by,
        dict(table.options),
        table.comment,
        table.distribution,
    )


def _definition(c: TableColumn, span: Span) -> st.ColumnDefinition:
    if c.kind is ColumnKind.COMPUTED:
        assert c.expression is not None
        bound = parse_expression(c.expression)
        return st.ColumnDefinition(
            c.name, None, span, computed=bound, computed_text=c.expression, comment=c.comment
        )
    metadata = c.kind is ColumnKind.METADATA
    kind = c.type.plain() if c.type.nullable else c.type.plain().not_null()
    return st.ColumnDefinition(
        c.name, kind, span, metadata, c.metadata_key, c.virtual, comment=c.comment
    )


# What LIKE copies; physical columns and their comments are always copied.
_DEFAULTS = {
    "CONSTRAINTS": "INCLUDING",
    "DISTRIBUTION": "INCLUDING",
    "GENERATED": "INCLUDING",
    "METADATA": "INCLUDING",
    "OPTIONS": "OVERWRITING",
    "PARTITIONS": "INCLUDING",
    "WATERMARKS": "INCLUDING",
}
_NEVER_OVERWRITTEN = ("ALL", "CONSTRAINTS", "DISTRIBUTION", "PARTITIONS")


def merged_like(
    own: TableDraft, base: TableDraft, like: st.LikeClause, env: Environment
) -> TableDraft:
    """The draft of CREATE TABLE … LIKE: what the statement says, on top of the copied table.

    Raises:
        EddylineError: ``sql_semantic`` for a part that both define and that may not be
            overwritten.
    """
    rules = _rules(like, env)
    span = like.name.span
    if rules["PARTITIONS"] == "INCLUDING" and own.partitioned_by and base.partitioned_by:
        raise _twice("PARTITIONED BY", "PARTITIONS", "EXCLUDING", span, env)
    if rules["CONSTRAINTS"] == "INCLUDING" and own.primary_key and base.primary_key:
        raise _twice("the primary key", "CONSTRAINTS", "EXCLUDING", span, env)
    draft = TableDraft(comment=own.comment)
    draft.columns = _merged_columns(own, base, rules, span, env)
    draft.options = _merged_options(own, base, rules["OPTIONS"], span, env)
    draft.primary_key = own.primary_key
    draft.partitioned_by = own.partitioned_by
    draft.watermark, draft.distribution = own.watermark, own.distribution
    if rules["CONSTRAINTS"] != "EXCLUDING":
        draft.primary_key = own.primary_key or base.primary_key
    if rules["PARTITIONS"] != "EXCLUDING":
        draft.partitioned_by = own.partitioned_by or base.partitioned_by
    if rules["DISTRIBUTION"] != "EXCLUDING":
        draft.distribution = own.distribution or base.distribution
    if rules["WATERMARKS"] != "EXCLUDING":
        both = own.watermark and base.watermark
        if both and own.watermark.column == base.watermark.column:  # type: ignore[union-attr]
            if rules["WATERMARKS"] != "OVERWRITING":
                raise _twice("the watermark", "WATERMARKS", "OVERWRITING", span, env)
        elif both:
            raise env.error("a table has one watermark", span, "write EXCLUDING WATERMARKS")
        draft.watermark = own.watermark or base.watermark
    return draft


def _rules(like: st.LikeClause, env: Environment) -> dict[str, str]:
    rules = dict(_DEFAULTS)
    written: set[str] = set()
    for feature, mode in like.rules:
        if feature in written:
            raise env.error(f"LIKE names {feature} twice", like.name.span)
        if mode == "OVERWRITING" and feature in _NEVER_OVERWRITTEN:
            hint = "GENERATED, METADATA, OPTIONS and WATERMARKS can be overwritten"
            raise env.error(f"{feature} cannot be OVERWRITING", like.name.span, hint)
        written.add(feature)
        if feature == "ALL":
            rules = dict.fromkeys(rules, mode)
    return rules | {f: mode for f, mode in like.rules if f != "ALL"}


def _twice(what: str, feature: str, mode: str, span: Span, env: Environment) -> EddylineError:
    msg = f"both this table and the one it is LIKE define {what}"
    return env.error(msg, span, f"write {mode} {feature} behind LIKE")


def _merged_options(
    own: TableDraft, base: TableDraft, mode: str, span: Span, env: Environment
) -> dict[str, str]:
    if mode == "EXCLUDING":
        return own.options
    if mode == "INCLUDING":
        for key in own.options:
            if key in base.options:
                raise _twice(f"option '{key}'", "OPTIONS", "OVERWRITING", span, env)
    return base.options | own.options


def _merged_columns(
    own: TableDraft, base: TableDraft, rules: dict[str, str], span: Span, env: Environment
) -> list[st.ColumnDefinition]:
    feature_of = {True: "GENERATED", False: "METADATA"}
    columns: dict[str, st.ColumnDefinition] = {}
    for c in base.columns:
        special = c.computed is not None or c.metadata
        if not special or rules[feature_of[c.computed is not None]] != "EXCLUDING":
            columns[c.name] = c
    for c in own.columns:
        old = columns.get(c.name)
        if old is not None:
            same_kind = (old.computed is None, old.metadata) == (c.computed is None, c.metadata)
            special = c.computed is not None or c.metadata
            feature = feature_of[c.computed is not None]
            if not (same_kind and special):
                msg = f"column {c.name} is in the table that this one is LIKE"
                raise env.error(msg, c.span, "leave it out here: it is copied")
            if rules[feature] != "OVERWRITING":
                raise _twice(f"column {c.name}", feature, "OVERWRITING", span, env)
        columns[c.name] = c
    return list(columns.values())


def altered(
    draft: TableDraft, change: st.SchemaChange, name: str, span: Span, env: Environment
) -> TableDraft:
    """The draft after an ALTER TABLE.

    Raises:
        EddylineError: ``sql_semantic`` for a column that is not there, is there already, or is
            read by another part of the table.
    """
    if isinstance(change, st.RenameColumn):
        _renamed(draft, change, name, span, env)
    elif isinstance(change, st.DropElements):
        _dropped(draft, change, name, span, env)
    elif change.modify:
        _modified(draft, change, name, span, env)
    else:
        _added(draft, change, name, span, env)
    return draft


def _known(draft: TableDraft, column: str, name: str, span: Span, env: Environment) -> int:
    place = draft.place(column)
    if place is None:
        near = nearest(column, draft.names)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(draft.names)}"
        raise env.error(f"table {name} has no column {column}", span, hint)
    return place


def _put(draft: TableDraft, placed: st.PlacedColumn, name: str, env: Environment) -> None:
    """Put a column where it belongs; one without a place goes to the end."""
    if placed.after is None:
        draft.columns.append(placed.column)
    elif placed.after == "":
        draft.columns.insert(0, placed.column)
    else:
        place = _known(draft, placed.after, name, placed.column.span, env)
        draft.columns.insert(place + 1, placed.column)


def _added(
    draft: TableDraft, change: st.AddElements, name: str, span: Span, env: Environment
) -> None:
    for part, there, new in (
        ("a watermark", draft.watermark, change.watermark),
        ("a primary key", draft.primary_key, change.primary_key),
        ("a distribution", draft.distribution, change.distribution),
    ):
        if there and new:
            hint = "ALTER TABLE … MODIFY replaces it"
            raise env.error(f"table {name} has {part} already", span, hint)
    for placed in change.columns:
        if draft.place(placed.column.name) is not None:
            msg = f"table {name} has a column {placed.column.name} already"
            raise env.error(msg, placed.column.span, "ALTER TABLE … MODIFY changes it")
        _put(draft, placed, name, env)
    _set_parts(draft, change)


def _modified(
    draft: TableDraft, change: st.AddElements, name: str, span: Span, env: Environment
) -> None:
    for part, there, new in (
        ("watermark", draft.watermark, change.watermark),
        ("primary key", draft.primary_key, change.primary_key),
        ("distribution", draft.distribution, change.distribution),
    ):
        if new and not there:
            raise env.error(f"table {name} has no {part} to change", span, "use ADD")
    for placed in change.columns:
        place = _known(draft, placed.column.name, name, placed.column.span, env)
        old = draft.columns[place]
        column = placed.column
        if column.comment is None and old.comment is not None:
            column = replace(column, comment=old.comment)
        if placed.after is None:
            draft.columns[place] = column
        else:
            del draft.columns[place]
            _put(draft, replace(placed, column=column), name, env)
    _set_parts(draft, change)


def _set_parts(draft: TableDraft, change: st.AddElements) -> None:
    draft.watermark = change.watermark or draft.watermark
    draft.primary_key = change.primary_key or draft.primary_key
    draft.distribution = change.distribution or draft.distribution


_PARTS = {
    "WATERMARK": ("watermark", None),
    "PRIMARY KEY": ("primary_key", ()),
    "DISTRIBUTION": ("distribution", None),
}


def _dropped(
    draft: TableDraft, change: st.DropElements, name: str, span: Span, env: Environment
) -> None:
    if change.part is not None:
        attribute, empty = _PARTS[change.part]
        if not getattr(draft, attribute):
            raise env.error(f"table {name} has no {change.part.lower()}", span)
        setattr(draft, attribute, empty)
        return
    for column in change.columns:
        _known(draft, column, name, span, env)
        if change.columns.count(column) > 1:
            raise env.error(f"column {column} is there twice", span)
    _refuse_read(draft, change.columns, name, span, env)
    draft.columns = [c for c in draft.columns if c.name not in change.columns]
    if not draft.columns:
        raise env.error(f"table {name} would have no column left", span, "DROP TABLE drops it")


def _renamed(
    draft: TableDraft, change: st.RenameColumn, name: str, span: Span, env: Environment
) -> None:
    place = _known(draft, change.old, name, span, env)
    if draft.place(change.new) is not None:
        raise env.error(f"table {name} has a column {change.new} already", span)
    _refuse_read(draft, (change.old,), name, span, env, keys=False)
    draft.columns[place] = replace(draft.columns[place], name=change.new)
    renamed = {change.old: change.new}
    draft.primary_key = tuple(renamed.get(k, k) for k in draft.primary_key)
    draft.partitioned_by = tuple(renamed.get(k, k) for k in draft.partitioned_by)


def _refuse_read(
    draft: TableDraft,
    columns: tuple[str, ...],
    name: str,
    span: Span,
    env: Environment,
    *,
    keys: bool = True,
) -> None:
    """A column that another part of the table reads stays, as in Flink."""
    for column in columns:
        reader = _reader(draft, column, columns, keys)
        if reader is not None:
            msg = f"column {column} of table {name} is read by {reader}"
            raise env.error(msg, span, "change or drop that first")


def _reader(draft: TableDraft, column: str, leaving: Iterable[str], keys: bool) -> str | None:
    """The part of the table that reads a column, or None."""
    for c in draft.columns:
        if c.computed is not None and c.name not in leaving and column in names_in(c.computed):
            return f"the computed column {c.name}"
    w = draft.watermark
    if w is not None and (w.column == column or column in names_in(w.expression)):
        return "the watermark"
    if keys and column in draft.primary_key:
        return "the primary key"
    if keys and column in draft.partitioned_by:
        return "PARTITIONED BY"
    return None
