"""The nexmark connector: the auction house of the Nexmark benchmark, as its generator makes it."""

from __future__ import annotations

from eddyline.options import any_table
from eddyline.options.connector import Changes, Connector
from eddyline.options.option import BOOLEAN, MEMORY, Option, integer

_COUNT = integer(1, 1_000_000_000)
_SHARE = integer(0, 1_000_000)
EVENTS = Option("events.num", integer(0), "0", "How many events are made; 0: no end.")
RATE = Option("first-event.rate", _COUNT, "10000", "Events a second of event time.")
FAST = Option(
    "max-emit-speed",
    BOOLEAN,
    "true",
    "Whether events come as fast as they are read, not at their rate.",
)
PERSONS = Option("person.proportion", _SHARE, "1", "So many persons come with so many auctions …")
AUCTIONS = Option("auction.proportion", _COUNT, "3", "… and so many bids.")
BIDS = Option("bid.proportion", _SHARE, "46", "Bids beside the persons and auctions above.")
PERSON_SIZE = Option("person.avg-size", MEMORY, "200 b", "The bytes of a person on average.")
AUCTION_SIZE = Option("auction.avg-size", MEMORY, "500 b", "The bytes of an auction on average.")
BID_SIZE = Option("bid.avg-size", MEMORY, "100 b", "The bytes of a bid on average.")
HOT_AUCTIONS = Option(
    "bid.hot-ratio.auctions", _COUNT, "2", "All bids but one of so many go to the hot auction."
)
HOT_BIDDERS = Option(
    "bid.hot-ratio.bidders", _COUNT, "4", "All bids but one of so many come from the hot bidder."
)
HOT_SELLERS = Option(
    "auction.hot-ratio.sellers",
    _COUNT,
    "4",
    "All auctions but one of so many are the hot seller's.",
)
_STEADY = "the rate is steady here"
NEXT_RATE = Option("next-event.rate", _COUNT, None, "The rate of later events.", no_effect=_STEADY)

NEXMARK = Connector(
    "nexmark",
    "Rows are the events of the Nexmark benchmark: event_type (0 a person, 1 an auction, 2 a bid) "
    "and the rows person, auction and bid, of which one is there.",
    (
        EVENTS,
        RATE,
        NEXT_RATE,
        FAST,
        PERSONS,
        AUCTIONS,
        BIDS,
        PERSON_SIZE,
        AUCTION_SIZE,
        BID_SIZE,
        HOT_AUCTIONS,
        HOT_BIDDERS,
        HOT_SELLERS,
        any_table.SCAN_PARALLELISM,
        *any_table.WATERMARKS_WITHOUT_ARRIVAL,
    ),
    source=True,
    sink=Changes.NONE,
    formatted=False,
)
