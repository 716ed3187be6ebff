"""The queries of the Nexmark benchmark over its events, as one SELECT each.

q6 cannot be written in Flink's SQL. q14 counts a letter by REPLACE where the benchmark calls a Java
function. q12 goes by the clock, so that its rows differ from run to run.
"""

from __future__ import annotations

PERSON = (
    "id BIGINT, name VARCHAR, emailAddress VARCHAR, creditCard VARCHAR, city VARCHAR, "
    "state VARCHAR, `dateTime` TIMESTAMP(3), extra VARCHAR"
)
AUCTION = (
    "id BIGINT, itemName VARCHAR, description VARCHAR, initialBid BIGINT, reserve BIGINT, "
    "`dateTime` TIMESTAMP(3), expires TIMESTAMP(3), seller BIGINT, category BIGINT, extra VARCHAR"
)
BID = (
    "auction BIGINT, bidder BIGINT, price BIGINT, channel VARCHAR, url VARCHAR, "
    "`dateTime` TIMESTAMP(3), extra VARCHAR"
)
EVENTS = f"""
CREATE TABLE nexmark (
  event_type INT,
  person ROW<{PERSON}>,
  auction ROW<{AUCTION}>,
  bid ROW<{BID}>,
  `dateTime` AS CASE event_type WHEN 0 THEN person.`dateTime` WHEN 1 THEN auction.`dateTime`
                                ELSE bid.`dateTime` END,
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
)"""
VIEWS = """
CREATE VIEW person AS SELECT person.id, person.name, person.emailAddress, person.creditCard,
  person.city, person.state, `dateTime`, person.extra FROM nexmark WHERE event_type = 0;
CREATE VIEW auction AS SELECT auction.id, auction.itemName, auction.description,
  auction.initialBid, auction.reserve, `dateTime`, auction.expires, auction.seller,
  auction.category, auction.extra FROM nexmark WHERE event_type = 1;
CREATE VIEW bid AS SELECT bid.auction, bid.bidder, bid.price, bid.channel, bid.url, `dateTime`,
  bid.extra FROM nexmark WHERE event_type = 2;
CREATE VIEW bid_by_clock AS SELECT *, PROCTIME() AS clock FROM bid"""
_LEVELS = (
    ("1", "price < 10000"),
    ("2", "price >= 10000 AND price < 1000000"),
    ("3", "price >= 1000000"),
)


def _counted(what: str, name: str) -> str:
    """A count of all bids, and of those of each level of price."""
    levels = (f"COUNT({what}) FILTER (WHERE {c}) AS level{n}_{name}" for n, c in _LEVELS)
    return ", ".join([f"COUNT({what}) AS total_{name}", *levels])


_BIDS = _counted("*", "bids")
_REPORT = ", ".join([_BIDS, _counted("DISTINCT bidder", "bidders"),
                     _counted("DISTINCT auction", "auctions")])  # fmt: skip
_DAY = "DATE_FORMAT(`dateTime`, 'yyyy-MM-dd')"
_BIDS_IN_TIME = (
    "auction AS a JOIN bid AS b ON a.id = b.auction "
    "AND b.`dateTime` BETWEEN a.`dateTime` AND a.expires"
)
QUERIES: dict[str, str] = {
    "q0": "SELECT auction, bidder, price, `dateTime`, extra FROM bid",
    "q1": "SELECT auction, bidder, 0.908 * price AS price, `dateTime`, extra FROM bid",
    "q2": "SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0",
    "q3": (
        "SELECT p.name, p.city, p.state, a.id FROM auction AS a JOIN person AS p "
        "ON a.seller = p.id WHERE a.category = 10 AND p.state IN ('OR', 'ID', 'CA')"
    ),
    "q4": (
        "SELECT category, AVG(final) AS price FROM (SELECT a.id, a.category, MAX(b.price) AS final "
        f"FROM {_BIDS_IN_TIME} GROUP BY a.id, a.category) GROUP BY category"
    ),
    "q5": (
        "WITH counts AS (SELECT auction, COUNT(*) AS num, window_start, window_end FROM TABLE(HOP("
        "TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND)) "
        "GROUP BY auction, window_start, window_end), "
        "most AS (SELECT MAX(num) AS num, window_start, window_end FROM counts "
        "GROUP BY window_start, window_end) "
        "SELECT counts.auction, counts.num FROM counts JOIN most ON counts.window_start = "
        "most.window_start AND counts.window_end = most.window_end AND counts.num >= most.num"
    ),
    "q7": (
        "SELECT b.auction, b.price, b.bidder, b.`dateTime`, b.extra FROM bid AS b JOIN (SELECT "
        "MAX(price) AS price, window_time AS `dateTime` FROM TABLE(TUMBLE(TABLE bid, "
        "DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, "
        "window_time) AS m ON b.price = m.price AND b.`dateTime` BETWEEN "
        "m.`dateTime` - INTERVAL '10' SECOND AND m.`dateTime`"
    ),
    "q8": (
        "SELECT p.id, p.name, p.window_start FROM (SELECT id, name, window_start, window_end FROM "
        "TABLE(TUMBLE(TABLE person, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND)) "
        "GROUP BY id, name, window_start, window_end) AS p JOIN (SELECT seller, window_start, "
        "window_end FROM TABLE(TUMBLE(TABLE auction, DESCRIPTOR(`dateTime`), "
        "INTERVAL '10' SECOND)) GROUP BY seller, window_start, window_end) AS a ON p.id = a.seller "
        "AND p.window_start = a.window_start AND p.window_end = a.window_end"
    ),
    "q9": (
        "SELECT id, itemName, description, initialBid, reserve, started, expires, seller, "
        "category, extra, auction, bidder, price, bid_at, bid_extra FROM (SELECT a.id, a.itemName, "
        "a.description, a.initialBid, a.reserve, a.`dateTime` AS started, a.expires, a.seller, "
        "a.category, a.extra, b.auction, b.bidder, b.price, b.`dateTime` AS bid_at, "
        "b.extra AS bid_extra, ROW_NUMBER() OVER (PARTITION BY a.id ORDER BY b.price DESC, "
        f"b.`dateTime` ASC) AS place FROM {_BIDS_IN_TIME}) WHERE place <= 1"
    ),
    "q10": (
        f"SELECT auction, bidder, price, `dateTime`, extra, {_DAY} AS dt, "
        "DATE_FORMAT(`dateTime`, 'HH:mm') AS hm FROM bid"
    ),
    "q11": (
        "SELECT bidder, COUNT(*) AS bids, window_start, window_end FROM TABLE(SESSION(TABLE bid "
        "PARTITION BY bidder, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND)) "
        "GROUP BY bidder, window_start, window_end"
    ),
    "q12": (
        "SELECT bidder, COUNT(*) AS bids, window_start, window_end FROM TABLE(TUMBLE("
        "TABLE bid_by_clock, DESCRIPTOR(clock), INTERVAL '10' SECOND)) "
        "GROUP BY bidder, window_start, window_end"
    ),
    "q13": (
        "SELECT b.auction, b.bidder, b.price, b.`dateTime`, s.`value` FROM bid_by_clock "
        "AS b JOIN side_input FOR SYSTEM_TIME AS OF b.clock AS s "
        "ON MOD(b.auction, 10000) = s.key"
    ),
    "q14": (
        "SELECT auction, bidder, 0.908 * price AS price, CASE WHEN HOUR(`dateTime`) >= 8 AND "
        "HOUR(`dateTime`) <= 18 THEN 'dayTime' WHEN HOUR(`dateTime`) <= 6 OR HOUR(`dateTime`) >= "
        "20 THEN 'nightTime' ELSE 'otherTime' END AS bid_time, `dateTime`, extra, "
        "CHAR_LENGTH(extra) - CHAR_LENGTH(REPLACE(extra, 'c', '')) AS c_counts "
        "FROM bid WHERE 0.908 * price > 1000000 AND 0.908 * price < 50000000"
    ),
    "q15": f"SELECT {_DAY} AS d, {_REPORT} FROM bid GROUP BY {_DAY}",
    "q16": (
        f"SELECT channel, {_DAY} AS d, MAX(DATE_FORMAT(`dateTime`, 'HH:mm')) AS m, {_REPORT} "
        f"FROM bid GROUP BY channel, {_DAY}"
    ),
    "q17": (
        f"SELECT auction, {_DAY} AS d, {_BIDS}, MIN(price) AS lowest, MAX(price) AS highest, "
        f"AVG(price) AS average, SUM(price) AS total FROM bid GROUP BY auction, {_DAY}"
    ),
    "q18": (
        "SELECT auction, bidder, price, channel, url, `dateTime`, extra FROM (SELECT *, "
        "ROW_NUMBER() OVER (PARTITION BY bidder, auction ORDER BY `dateTime` DESC) AS place "
        "FROM bid) WHERE place <= 1"
    ),
    "q19": (
        "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) "
        "AS place FROM bid) WHERE place <= 10"
    ),
    "q20": (
        "SELECT b.auction, b.bidder, b.price, b.channel, b.url, b.`dateTime` AS bid_at, "
        "b.extra AS bid_extra, a.itemName, a.description, a.initialBid, a.reserve, "
        "a.`dateTime` AS started, a.expires, a.seller, a.category, a.extra FROM bid AS b "
        "JOIN auction AS a ON b.auction = a.id WHERE a.category = 10"
    ),
    "q21": (
        "SELECT auction, bidder, price, channel, CASE WHEN LOWER(channel) = 'apple' THEN '0' WHEN "
        "LOWER(channel) = 'google' THEN '1' WHEN LOWER(channel) = 'facebook' THEN '2' WHEN "
        "LOWER(channel) = 'baidu' THEN '3' ELSE REGEXP_EXTRACT(url, "
        "'(&|^)channel_id=([^&]*)', 2) END AS channel_id FROM bid WHERE REGEXP_EXTRACT(url, "
        "'(&|^)channel_id=([^&]*)', 2) IS NOT NULL OR LOWER(channel) IN "
        "('apple', 'google', 'facebook', 'baidu')"
    ),
    "q22": (
        "SELECT auction, bidder, price, channel, SPLIT_INDEX(url, '/', 3) AS dir1, "
        "SPLIT_INDEX(url, '/', 4) AS dir2, SPLIT_INDEX(url, '/', 5) AS dir3 FROM bid"
    ),
}
