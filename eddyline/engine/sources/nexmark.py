"""The nexmark connector: events of the Nexmark benchmark as rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.sources.nexmark_events import Int64s, NexmarkEvents, NexmarkSettings
from eddyline.engine.sources.paced import Offsets, PacedSource
from eddyline.engine.sources.source import SourceContext
from eddyline.errors import EddylineError
from eddyline.options.connectors import nexmark as options
from eddyline.record.schema import Schema
from eddyline.record.types import DataType, Root, arrow_type

_KINDS = ("person", "auction", "bid")
_COLUMNS = ("event_type", *_KINDS)
_FIELDS = {
    "person": "id, name, emailAddress, creditCard, city, state, dateTime, extra",
    "auction": "id, itemName, description, initialBid, reserve, dateTime, expires, seller, "
    "category, extra",
    "bid": "auction, bidder, price, channel, url, dateTime, extra",
}
_TEXTS = (
    "name", "emailAddress", "creditCard", "city", "state", "extra", "itemName", "description",
    "channel", "url",
)  # fmt: skip


class NexmarkSource(PacedSource):
    """Event ``n`` is the same in every run of every job."""

    def __init__(self, context: SourceContext, schema: Schema) -> None:
        given = context.options
        settings = NexmarkSettings(
            persons=options.PERSONS.read(given),
            auctions=options.AUCTIONS.read(given),
            bids=options.BIDS.read(given),
            hot_auctions=options.HOT_AUCTIONS.read(given),
            hot_bidders=options.HOT_BIDDERS.read(given),
            hot_sellers=options.HOT_SELLERS.read(given),
            person_size=options.PERSON_SIZE.read(given),
            auction_size=options.AUCTION_SIZE.read(given),
            bid_size=options.BID_SIZE.read(given),
            rate=options.RATE.read(given),
        )
        for column in schema:
            _check(column.name, column.type, context.name)
        self._events = NexmarkEvents(settings)
        total = options.EVENTS.read(given) or None
        fast = options.FAST.read(given)
        rate = float("inf") if fast else float(settings.rate)
        super().__init__(context, schema, total, rate)

    def _columns(self, offset: Offsets, now_ms: int) -> list[Any]:
        kinds = self._events.kinds(offset)
        return [self._column(c.name, c.type, offset, kinds) for c in self._schema]

    def _column(self, name: str, kind: DataType, offset: Offsets, kinds: Int64s) -> Any:
        target = arrow_type(kind)
        if name == "event_type":
            return pa.array(kinds).cast(target)
        chosen = kinds == _KINDS.index(name)
        make: dict[str, Callable[[Int64s], dict[str, Any]]] = {
            "person": self._events.persons,
            "auction": self._events.auctions,
            "bid": self._events.bids,
        }
        made = make[name](offset[chosen])
        fields = [_as(made[n], t) for n, t in zip(kind.names, kind.children, strict=True)]
        rows = pa.StructArray.from_arrays(fields, fields=list(target))
        # Every event takes its own row; those of another kind take none.
        places = pa.array(np.cumsum(chosen) - 1, mask=~chosen)
        return rows.take(places)


def _as(values: Any, kind: DataType) -> Any:
    target = arrow_type(kind)
    if kind.is_timestamp:
        return pa.array(values).cast(pa.timestamp("ms")).cast(target)
    return (values if isinstance(values, pa.Array) else pa.array(values)).cast(target)


def _check(name: str, kind: DataType, table: str) -> None:
    """Refuse columns that an event does not have."""
    if name not in _COLUMNS:
        msg = f"table {table}: there is no column {name} in the events of nexmark"
        raise EddylineError("sql_semantic", msg, hint=f"there are {', '.join(_COLUMNS)}")
    if name == "event_type":
        fits = kind.is_integer
    else:
        known = _FIELDS[name].split(", ")
        fits = kind.root is Root.ROW and set(kind.names) <= set(known)
        fits = fits and all(_fits(n, t) for n, t in zip(kind.names, kind.children, strict=True))
    if not fits:
        hint = "event_type is INT" if name == "event_type" else f"its fields are {_FIELDS[name]}"
        msg = f"table {table}: column {name} of nexmark cannot be {kind.null()}"
        raise EddylineError("sql_semantic", msg, hint=hint)


def _fits(field: str, kind: DataType) -> bool:
    if field in ("dateTime", "expires"):
        return kind.is_timestamp
    return kind.is_text if field in _TEXTS else kind.root is Root.BIGINT
