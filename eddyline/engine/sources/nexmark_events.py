"""The events of the Nexmark benchmark: persons, auctions and bids of an auction house.

Proportions, identifiers, hot sellers, bidders and auctions, prices and lengths follow the
benchmark's description. Every value depends on the event's number alone (a hash of it stands for a
random number), so that a job that is restarted goes on with the events it would have made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Int64s = npt.NDArray[np.int64]

FIRST_PERSON = FIRST_AUCTION = 1000
FIRST_CATEGORY, CATEGORIES = 10, 5
# Persons and auctions that are drawn: the newest so many, and a few that are yet to come.
ACTIVE_PERSONS, AUCTIONS_IN_FLIGHT, LEAD = 1000, 100, 10
# The hot seller, bidder or auction is the first of the newest batch of so many.
HOT_BATCH = 100
CHANNELS = 10_000
# 2015-07-15 00:00:00 UTC: the first event's time.
BASE_MS = 1_436_918_400_000
STATES = ("AZ", "CA", "ID", "OR", "WA", "WY")
CITIES = (
    "Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle",
    "Kent", "Cheyenne",
)  # fmt: skip
FIRST_NAMES = (
    "Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter",
)  # fmt: skip
LAST_NAMES = (
    "Shultz",
    "Abrams",
    "Spencer",
    "White",
    "Bartels",
    "Walton",
    "Smith",
    "Jones",
    "Noris",
)
HOT_CHANNELS = ("Google", "Facebook", "Baidu", "Apple")
_MIX = tuple(np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_POOL_SIZE = 1 << 20


@dataclass(frozen=True, slots=True)
class NexmarkSettings:
    """Proportions, hot ratios (all but one of so many are hot), sizes in bytes, events a second."""

    persons: int = 1
    auctions: int = 3
    bids: int = 46
    hot_auctions: int = 2
    hot_bidders: int = 4
    hot_sellers: int = 4
    person_size: int = 200
    auction_size: int = 500
    bid_size: int = 100
    rate: int = 10_000

    @property
    def total(self) -> int:
        return self.persons + self.auctions + self.bids


class Draws:
    """Random numbers of events: the same event and purpose give the same one."""

    def __init__(self, events: Int64s) -> None:
        self.events = events
        self._base = events.astype(np.uint64) * np.uint64(64)

    def of(self, purpose: int) -> npt.NDArray[np.float64]:
        """From 0 to below 1, one an event; ``purpose`` is below 64."""
        with np.errstate(over="ignore"):
            x = (self._base + np.uint64(purpose)) * _MIX[0]
            x = (x ^ (x >> np.uint64(30))) * _MIX[1]
            x = (x ^ (x >> np.uint64(27))) * _MIX[2]
        return ((x ^ (x >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def below(self, purpose: int, limit: Int64s | int) -> Int64s:
        """Whole numbers from 0 to below ``limit``."""
        return (self.of(purpose) * limit).astype(np.int64)

    def prices(self, purpose: int) -> Int64s:
        """Cents: from one to a million, evenly spread over the powers of ten, in hundredths."""
        return np.round(10.0 ** (self.of(purpose) * 6) * 100).astype(np.int64)


class NexmarkEvents:
    """Makes the columns of events by their numbers."""

    def __init__(self, settings: NexmarkSettings) -> None:
        self._settings = settings
        letters = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz", np.uint8)
        drawn = Draws(np.arange(_POOL_SIZE)).below(0, len(letters))
        self._pool = letters[drawn]

    def times_ms(self, events: Int64s) -> Int64s:
        """The event time of each event."""
        return BASE_MS + events * 1000 // self._settings.rate

    def kinds(self, events: Int64s) -> Int64s:
        """0 for a person, 1 for an auction, 2 for a bid."""
        s, place = self._settings, events % self._settings.total
        return np.where(place < s.persons, 0, np.where(place < s.persons + s.auctions, 1, 2))

    def persons(self, events: Int64s) -> dict[str, Any]:
        """The columns of events that are persons."""
        draws, s = Draws(events), self._settings
        first, last = draws.below(0, len(FIRST_NAMES)), draws.below(1, len(LAST_NAMES))
        names = _joined(_of(FIRST_NAMES, first), " ", _of(LAST_NAMES, last))
        mailbox = self._texts(draws, 2, np.full(len(events), 7))
        domain = self._texts(draws, 3, np.full(len(events), 5))
        card = [_digits(draws.below(4 + i, 10_000)) for i in range(4)]
        size = np.full(len(events), s.person_size - 100)
        return {
            "id": FIRST_PERSON + self._last_person(events),
            "name": names,
            "emailAddress": _joined(mailbox, "@", domain, ".com"),
            "creditCard": _joined(card[0], " ", card[1], " ", card[2], " ", card[3]),
            "city": _of(CITIES, draws.below(8, len(CITIES))),
            "state": _of(STATES, draws.below(9, len(STATES))),
            "dateTime": self.times_ms(events),
            "extra": self._texts(draws, 10, self._about(draws, 11, size)),
        }

    def auctions(self, events: Int64s) -> dict[str, Any]:
        """The columns of events that are auctions."""
        draws, s, times = Draws(events), self._settings, self.times_ms(events)
        person = self._last_person(events)
        hot = draws.below(0, s.hot_sellers) > 0
        seller = np.where(hot, person // HOT_BATCH * HOT_BATCH, self._any_person(draws, 1, person))
        price = draws.prices(2)
        ahead = events + AUCTIONS_IN_FLIGHT * s.total // s.auctions
        horizon = np.maximum(2 * (self.times_ms(ahead) - times), 1)
        name, description = draws.below(5, 17) + 3, draws.below(6, 97) + 3
        left = s.auction_size - 48 - name - description
        return {
            "id": FIRST_AUCTION + self._last_auction(events),
            "itemName": self._texts(draws, 7, name),
            "description": self._texts(draws, 8, description),
            "initialBid": price,
            "reserve": price + draws.prices(3),
            "dateTime": times,
            "expires": times + 1 + draws.below(4, horizon),
            "seller": FIRST_PERSON + seller,
            "category": FIRST_CATEGORY + draws.below(9, CATEGORIES),
            "extra": self._texts(draws, 10, self._about(draws, 11, left)),
        }

    def bids(self, events: Int64s) -> dict[str, Any]:
        """The columns of events that are bids."""
        draws, s = Draws(events), self._settings
        last, person = self._last_auction(events), self._last_person(events)
        oldest = np.maximum(last - AUCTIONS_IN_FLIGHT, 0)
        some = oldest + draws.below(1, last - oldest + 1 + LEAD)
        hot = draws.below(0, s.hot_auctions) > 0
        auction = np.where(hot, last // HOT_BATCH * HOT_BATCH, some)
        often = draws.below(2, s.hot_bidders) > 0
        bidder = np.where(
            often, person // HOT_BATCH * HOT_BATCH + 1, self._any_person(draws, 3, person)
        )
        channel, url = self._channels(draws)
        size = np.full(len(events), s.bid_size - 32)
        return {
            "auction": FIRST_AUCTION + auction,
            "bidder": FIRST_PERSON + bidder,
            "price": draws.prices(4),
            "channel": channel,
            "url": url,
            "dateTime": self.times_ms(events),
            "extra": self._texts(draws, 8, self._about(draws, 9, size)),
        }

    def _channels(self, draws: Draws) -> tuple[Any, Any]:
        """Half of the bids come over four channels, whose URL is always the same."""
        number = draws.below(6, CHANNELS)
        hot = draws.below(7, len(HOT_CHANNELS))
        is_hot = pa.array(draws.of(5) < 0.5)
        numbers = pa.array(number).cast(pa.string())
        # The URL depends on the channel alone: letters are drawn by its number.
        of_channel = Draws(np.where(draws.of(5) < 0.5, CHANNELS + hot, number))
        parts = [self._texts(of_channel, 40 + i, np.full(len(hot), 5)) for i in range(3)]
        base = _joined(
            "https://www.nexmark.com/", parts[0], "/", parts[1], "/", parts[2], "/item.htm?query=1"
        )
        url = pc.if_else(is_hot, base, _joined(base, "&channel_id=", numbers))
        named = _joined("channel-", numbers)
        return pc.if_else(is_hot, _of(HOT_CHANNELS, hot), named), url

    def _last_person(self, events: Int64s) -> Int64s:
        """The newest person at an event, counted from 0."""
        s = self._settings
        place = np.minimum(events % s.total, max(s.persons - 1, 0))
        return events // s.total * s.persons + place

    def _last_auction(self, events: Int64s) -> Int64s:
        """The newest auction at an event, counted from 0; -1 if there is none yet."""
        s = self._settings
        place = events % s.total - s.persons
        return events // s.total * s.auctions + np.clip(place, -1, s.auctions - 1)

    def _any_person(self, draws: Draws, purpose: int, newest: Int64s) -> Int64s:
        """One of the active persons, or of those that come next."""
        active = np.minimum(newest + 1, ACTIVE_PERSONS)
        return newest + 1 - active + draws.below(purpose, active + LEAD)

    def _about(self, draws: Draws, purpose: int, sizes: Int64s) -> Int64s:
        """Lengths that fill up to a size, a fifth more or less."""
        return np.maximum(sizes * (0.8 + 0.4 * draws.of(purpose)), 0).astype(np.int64)

    def _texts(self, draws: Draws, purpose: int, lengths: Int64s) -> Any:
        """Letters of these lengths, cut from a pool."""
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        starts = draws.below(purpose, _POOL_SIZE)
        places = np.arange(total) + np.repeat(starts - (ends - lengths), lengths)
        data = self._pool[places % _POOL_SIZE]
        offsets = np.concatenate(([0], ends)).astype(np.int32)
        return pa.StringArray.from_buffers(
            len(lengths), pa.py_buffer(offsets), pa.py_buffer(data.tobytes())
        )


def _of(words: tuple[str, ...], places: Int64s) -> Any:
    return pa.array(words).take(pa.array(places))


def _digits(numbers: Int64s) -> Any:
    """Four digits each."""
    return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 4, "0")


def _joined(*parts: Any) -> Any:
    return pc.binary_join_element_wise(*parts, "")
