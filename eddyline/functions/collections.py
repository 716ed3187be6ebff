"""Functions of arrays, maps and rows."""

from __future__ import annotations

from eddyline.functions.casts import cast
from eddyline.functions.registry import (
    UNBOUNDED,
    Arguments,
    Built,
    CallContext,
    Function,
    check,
    mismatch,
    register,
    strict,
)
from eddyline.functions.unify import common_of
from eddyline.record.types import (
    BOOLEAN,
    INT,
    STRING,
    DataType,
    Root,
    array,
    duckdb_type,
    map_of,
    row,
)


def _array(args: Arguments, context: CallContext) -> Built:
    if not args:
        raise mismatch("ARRAY", args, "at least one element")
    element = common_of([a.type for a in args])
    if element is None:
        raise mismatch("ARRAY", args, "elements of one type")
    items = ", ".join(
        cast(f"{{{i}}}", a.type, element, context, attempt=False) for i, a in enumerate(args)
    )
    kind = array(element.plain())
    return Built(kind.not_null(), f"CAST([{items}] AS {duckdb_type(kind)})")


def _map(args: Arguments, context: CallContext) -> Built:
    if not args or len(args) % 2:
        raise mismatch("MAP", args, "keys and values by turns")
    key, value = (common_of([a.type for a in args[i::2]]) for i in (0, 1))
    if key is None or value is None:
        raise mismatch("MAP", args, "keys of one type and values of one type")
    kind = map_of(key.plain(), value.plain())
    to = duckdb_type(kind)
    literals = {a.text for a in args[::2]}
    if len(args) == 2 or (None not in literals and len(literals) == len(args) // 2):
        keys, values = (", ".join(f"{{{i}}}" for i in range(n, len(args), 2)) for n in (0, 1))
        return Built(kind.not_null(), f"CAST(map([{keys}], [{values}]) AS {to})")
    # DuckDB's map() refuses equal keys. In Flink the last of them counts.
    pairs = [f"CAST(map([{{{i}}}], [{{{i + 1}}}]) AS {to})" for i in range(0, len(args), 2)]
    return Built(kind.not_null(), f"map_concat({', '.join(pairs)})")


def _row(args: Arguments, context: CallContext) -> Built:
    names = tuple(f"EXPR${i}" for i in range(len(args)))
    kind = row(names, tuple(a.type.plain() for a in args))
    items = ", ".join(f'"{n}" := {{{i}}}' for i, n in enumerate(names))
    return Built(kind.not_null(), f"struct_pack({items})")


def _item(args: Arguments, context: CallContext) -> Built:
    kind = args[0].type
    if kind.root is Root.ARRAY:
        check("[]", args[1:], ("integer",))
        place = args[1].integer
        if place is not None and place < 1:
            raise mismatch("[]", args, "a place from 1 on")
        # DuckDB would count a negative place from the end.
        at = "{1}" if place else "CASE WHEN ({1}) > 0 THEN ({1}) END"
        return Built(kind.children[0].null(), f"({{0}})[{at}]")
    if kind.root is Root.MAP:
        return Built(kind.children[1].null(), "({0})[{1}]")
    if kind.root is Root.ROW and (place := args[1].integer) is not None:
        if not 1 <= place <= len(kind.children):
            raise mismatch("[]", args, f"a place from 1 to {len(kind.children)}")
        field = kind.children[place - 1]
        name = kind.names[place - 1].replace("'", "''")
        text = f"struct_extract({{0}}, '{name}')".replace("{", "{{").replace("}", "}}")
        return Built(strict(field, args[:1]), text.replace("{{0}}", "{0}"))
    raise mismatch("[]", args, "an array or row and a place, or a map and a key")


def _of_element(
    name: str, template: str, doc: str, example: tuple[str, object], *, boolean: bool = False
) -> Function:
    """A function of an array and an element of it."""

    def builder(args: Arguments, context: CallContext) -> Built:
        check(name, args[:1], ("array",))
        element = args[0].type.children[0]
        text = cast("{1}", args[1].type, element, context, attempt=False)
        kind = BOOLEAN if boolean else args[0].type.plain()
        return Built(strict(kind, args[:1]), template.replace("{1}", text))

    return Function((name,), (2, 2), builder, doc, example)


def _arrays(
    name: str, arity: tuple[int, int], template: str, doc: str, example: tuple[str, object]
) -> Function:
    """A function of arrays of one type, giving such an array."""

    def builder(args: Arguments, context: CallContext) -> Built:
        check(name, args, ("array",))
        if common_of([a.type for a in args]) is None:
            raise mismatch(name, args, "arrays of one type")
        return Built(strict(args[0].type.plain(), args), template)

    return Function((name,), arity, builder, doc, example)


def _extreme(name: str) -> Function:
    word = {"ARRAY_MAX": "list_max", "ARRAY_MIN": "list_min"}[name]

    def builder(args: Arguments, context: CallContext) -> Built:
        check(name, args, ("array",))
        return Built(args[0].type.children[0].null(), f"{word}({{0}})")

    value = 2 if name == "ARRAY_MAX" else 1
    doc = "The greatest element." if name == "ARRAY_MAX" else "The least element."
    return Function((name,), (1, 1), builder, doc, (f"{name}(ARRAY[1, 2])", value))


def _position(args: Arguments, context: CallContext) -> Built:
    check("ARRAY_POSITION", args[:1], ("array",))
    return Built(strict(INT, args), "CAST(coalesce(list_position({0}, {1}), 0) AS INTEGER)")


def _join(args: Arguments, context: CallContext) -> Built:
    check("ARRAY_JOIN", args, ("array", "text"))
    items = "list_filter({0}, lambda _x: _x IS NOT NULL)"
    if len(args) == 3:
        items = "list_transform({0}, lambda _x: coalesce(_x, {2}))"
    return Built(strict(STRING, args), f"array_to_string({items}, {{1}})")


def _slice(args: Arguments, context: CallContext) -> Built:
    """Places count from 1 (0 counts as 1), negative ones from the end; the outside is cut off."""
    check("ARRAY_SLICE", args, ("array", "integer"))
    length = "len({0})"

    def place(i: int) -> str:
        return (
            f"(CASE WHEN ({{{i}}}) < 0 THEN {length} + 1 + ({{{i}}}) "
            f"WHEN ({{{i}}}) = 0 THEN 1 ELSE ({{{i}}}) END)"
        )

    first, last = place(1), place(2) if len(args) == 3 else length
    outside = f"{first} > {last} OR {first} > {length} OR {last} < 1"
    some = " OR ".join(f"({{{i}}}) IS NULL" for i in range(len(args)))
    kind = strict(args[0].type.plain(), args)
    value = (
        f"(CASE WHEN {some} THEN NULL WHEN {outside} THEN CAST([] AS {duckdb_type(kind)}) "
        f"ELSE list_slice({{0}}, greatest({first}, 1), {last}) END)"
    )
    return Built(kind, value)


def _keys(place: int) -> Function:
    name = ("MAP_KEYS", "MAP_VALUES")[place]

    def builder(args: Arguments, context: CallContext) -> Built:
        check(name, args, ("map",))
        kind: DataType = array(args[0].type.children[place])
        return Built(strict(kind, args), f"{name.lower()}({{0}})")

    value = ("a", 1)[place]
    doc = ("The keys of a map.", "The values of a map.")[place]
    return Function((name,), (1, 1), builder, doc, (f"{name}(MAP['a', 1])[1]", value))


def _from_arrays(args: Arguments, context: CallContext) -> Built:
    check("MAP_FROM_ARRAYS", args, ("array",))
    kind = map_of(args[0].type.children[0], args[1].type.children[0])
    # DuckDB's map() refuses equal keys. The last of them counts.
    later = "NOT list_contains(({0})[_i + 1:], _e[1])"
    last = f"map_from_entries(list_filter(list_zip({{0}}, {{1}}), lambda _e, _i: {later}))"
    keys = "list_filter({0}, lambda _k: _k IS NOT NULL)"
    repeated = f"{{1}} IS NOT NULL AND len(list_distinct({{0}})) < len({keys})"
    text = (
        f"CASE WHEN {repeated} THEN CAST({last} AS {duckdb_type(kind)}) ELSE map({{0}}, {{1}}) END"
    )
    return Built(strict(kind, args), text)


def _element(args: Arguments, context: CallContext) -> Built:
    check("ELEMENT", args, ("array",))
    one = "CASE WHEN len({0}) > 1 THEN error('ELEMENT needs an array of one element')"
    kind = args[0].type.children[0].null()
    return Built(kind, f"({one}::{duckdb_type(kind)} ELSE ({{0}})[1] END)")


def _widened(first: DataType, common: DataType) -> bool:
    """Whether the elements of the first array keep their type; texts may become longer ones."""
    before, after = first.children[0], common.children[0]
    return before.root is after.root or (before.is_text and after.is_text)


def _sets(name: str, doc: str, of: str, example: tuple[str, object]) -> Function:
    """A function of two arrays as sets; elements stay in their order of appearance, once each."""

    def builder(args: Arguments, context: CallContext) -> Built:
        check(name, args, ("array",))
        kind = common_of([a.type for a in args])
        if kind is None or not _widened(args[0].type, kind):
            raise mismatch(name, args, "arrays of one type")
        once = f"list_filter({of}, lambda _x, _i: list_position({of}, _x) = _i)"
        some = "{0} IS NULL OR {1} IS NULL"
        text = f"(CASE WHEN {some} THEN NULL ELSE CAST({once} AS {duckdb_type(kind)}) END)"
        return Built(strict(kind.plain(), args), text)

    return Function((name,), (2, 2), builder, doc, example)


_BOTH = "list_filter({0}, lambda _y: coalesce(list_position({1}, _y), 0) > 0)"


def _entries(args: Arguments, context: CallContext) -> Built:
    check("MAP_ENTRIES", args, ("map",))
    key, value = args[0].type.children
    entry = row(("key", "value"), (key, value))
    return Built(strict(array(entry), args), "map_entries({0})")


_WITH_NEW_KEYS = (
    "map_from_entries(list_concat(map_entries(_a), list_filter(map_entries(_m), "
    "lambda _e: NOT list_contains(map_keys(_a), _e.key))))"
)


def _map_union(args: Arguments, context: CallContext) -> Built:
    """The last map's entries, then those of earlier maps whose keys are not there yet."""
    check("MAP_UNION", args, ("map",))
    kind = common_of([a.type for a in args])
    if kind is None:
        raise mismatch("MAP_UNION", args, "maps of one type")
    some = " OR ".join(f"({{{i}}}) IS NULL" for i in range(len(args)))
    maps = [f"CAST({{{i}}} AS {duckdb_type(kind)})" for i in reversed(range(len(args)))]
    union = f"list_reduce([{', '.join(maps)}], lambda _a, _m: {_WITH_NEW_KEYS})"
    return Built(strict(kind.plain(), args), f"(CASE WHEN {some} THEN NULL ELSE {union} END)")


def _array_concat(args: Arguments, context: CallContext) -> Built:
    check("ARRAY_CONCAT", args, ("array",))
    kind = common_of([a.type for a in args])
    if kind is None:
        raise mismatch("ARRAY_CONCAT", args, "arrays of one type")
    text = "{0}"
    for i in range(1, len(args)):
        text = f"list_concat({text}, {{{i}}})"
    some = " OR ".join(f"({{{i}}}) IS NULL" for i in range(len(args)))
    value = f"(CASE WHEN {some} THEN NULL ELSE CAST({text} AS {duckdb_type(kind)}) END)"
    return Built(strict(kind.plain(), args), value)


def _sorted_array(args: Arguments, context: CallContext) -> Built:
    """NULL comes first in ascending order and last in descending order, unless it is said."""
    check("ARRAY_SORT", args, ("array", "boolean"))
    kind = strict(args[0].type.plain(), args)
    up = "{1}" if len(args) > 1 else "TRUE"
    first = "{2}" if len(args) > 2 else up
    pieces = [
        f"WHEN {('' if a else 'NOT ')}({up}) AND {('' if n else 'NOT ')}({first}) "
        f"THEN list_sort({{0}}, '{'ASC' if a else 'DESC'}', 'NULLS {'FIRST' if n else 'LAST'}')"
        for a in (True, False)
        for n in (True, False)
    ]
    return Built(kind, f"(CASE {' '.join(pieces)} END)")


_ORDERED = "list_filter({0}, lambda _x, _i: list_position({0}, _x) = _i)"
register((_extreme("ARRAY_MAX"), _extreme("ARRAY_MIN"), _keys(0), _keys(1)))
register(
    (
        Function(
            ("ARRAY",), (0, UNBOUNDED), _array, "An array of its elements.", ("ARRAY[1, 2][2]", 2)
        ),
        Function(
            ("MAP",), (0, UNBOUNDED), _map, "A map of keys and values.", ("MAP['a', 1]['a']", 1)
        ),
        Function(
            ("ROW",), (1, UNBOUNDED), _row, "A row of its fields.", ("ROW(1, 'a') IS NULL", False)
        ),
        Function(
            ("ITEM",), (2, 2), _item, "An element by place (from 1) or key.", ("ARRAY[5, 6][1]", 5)
        ),
        Function(("ELEMENT",), (1, 1), _element, "The only element.", ("ELEMENT(ARRAY[7])", 7)),
        _of_element(
            "ARRAY_CONTAINS",
            # A NULL is sought among NULLs: list_contains passes over them.
            "(CASE WHEN {0} IS NULL THEN NULL WHEN {1} IS NULL THEN "
            "len(list_filter({0}, lambda _x: _x IS NULL)) > 0 "
            "ELSE coalesce(list_contains({0}, {1}), FALSE) END)",
            "Whether the value, which may be NULL, is in the array.",
            ("ARRAY_CONTAINS(ARRAY[1, 2], 2)", True),
            boolean=True,
        ),
        _of_element(
            "ARRAY_APPEND",
            "list_append({0}, {1})",
            "With one more at the end.",
            ("ARRAY_APPEND(ARRAY[1], 2)[2]", 2),
        ),
        _of_element(
            "ARRAY_PREPEND",
            "list_prepend({1}, {0})",
            "With one more at the front.",
            ("ARRAY_PREPEND(ARRAY[1], 2)[1]", 2),
        ),
        _of_element(
            "ARRAY_REMOVE",
            "list_filter({0}, lambda _x: _x IS DISTINCT FROM {1})",
            "Without that element.",
            ("CARDINALITY(ARRAY_REMOVE(ARRAY[1, 2], 2))", 1),
        ),
        _arrays(
            "ARRAY_DISTINCT",
            (1, 1),
            _ORDERED,
            "Each element once.",
            ("CARDINALITY(ARRAY_DISTINCT(ARRAY[1, 1]))", 1),
        ),
        _arrays(
            "ARRAY_REVERSE",
            (1, 1),
            "list_reverse({0})",
            "Backwards.",
            ("ARRAY_REVERSE(ARRAY[1, 2])[1]", 2),
        ),
        Function(
            ("ARRAY_CONCAT",),
            (1, UNBOUNDED),
            _array_concat,
            "One behind the other.",
            ("CARDINALITY(ARRAY_CONCAT(ARRAY[1], ARRAY[2]))", 2),
        ),
        Function(
            ("ARRAY_SORT",),
            (1, 3),
            _sorted_array,
            "In order; FALSE sorts backwards, a third argument says whether NULL is first.",
            ("ARRAY_SORT(ARRAY[2, 1])[1]", 1),
        ),
        _sets(
            "ARRAY_UNION",
            "Elements of either array, once each.",
            "list_concat({0}, {1})",
            ("CARDINALITY(ARRAY_UNION(ARRAY[1, 2], ARRAY[2, 3]))", 3),
        ),
        _sets(
            "ARRAY_INTERSECT",
            "Elements that both arrays have, once each.",
            _BOTH,
            ("ARRAY_INTERSECT(ARRAY[1, 2], ARRAY[2, 3])[1]", 2),
        ),
        Function(
            ("MAP_ENTRIES",),
            (1, 1),
            _entries,
            "The pairs of a map, as rows of key and value.",
            ("CARDINALITY(MAP_ENTRIES(MAP['a', 1]))", 1),
        ),
        Function(
            ("MAP_UNION",),
            (1, UNBOUNDED),
            _map_union,
            "The pairs of all maps; the last value of a key stays.",
            ("MAP_UNION(MAP['a', 1], MAP['a', 2])['a']", 2),
        ),
        _sets(
            "ARRAY_EXCEPT",
            "Elements not in the second, once each.",
            "list_filter({0}, lambda _y: coalesce(list_position({1}, _y), 0) = 0)",
            ("ARRAY_EXCEPT(ARRAY[1, 2], ARRAY[1])[1]", 2),
        ),
        Function(
            ("ARRAY_POSITION",),
            (2, 2),
            _position,
            "Its place, 0 if it is not there.",
            ("ARRAY_POSITION(ARRAY[5, 6], 6)", 2),
        ),
        Function(
            ("ARRAY_JOIN",),
            (2, 3),
            _join,
            "Elements put together with a separator.",
            ("ARRAY_JOIN(ARRAY['a', 'b'], '-')", "a-b"),
        ),
        Function(
            ("ARRAY_SLICE",),
            (2, 3),
            _slice,
            "From a place to a place.",
            ("ARRAY_SLICE(ARRAY[1, 2, 3], 2, 3)[1]", 2),
        ),
        Function(
            ("MAP_FROM_ARRAYS",),
            (2, 2),
            _from_arrays,
            "A map of keys and values.",
            ("MAP_FROM_ARRAYS(ARRAY['a'], ARRAY[1])['a']", 1),
        ),
    )
)
