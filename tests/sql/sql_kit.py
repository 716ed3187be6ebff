"""A catalog with the labs' tables, and statements planned over it."""

from __future__ import annotations

from eddyline.catalog.catalog import Catalog
from eddyline.sql import statement as st
from eddyline.sql.parse import parse_script
from eddyline.sql.physical import Plan
from eddyline.sql.planner import Planner

KINESIS = (
    "WITH ('connector' = 'kinesis', 'stream' = 's', 'aws.region' = 'us-east-1', 'format' = 'json')"
)
TABLES = f"""
CREATE TABLE sensor_data (
  sensor_id INTEGER, current_temperature DOUBLE, status VARCHAR(6), event_time TIMESTAMP(3),
  WATERMARK FOR event_time AS event_time - INTERVAL '5' SECOND
) PARTITIONED BY (sensor_id) {KINESIS};
CREATE TABLE sensor_state (
  status VARCHAR(6), num INTEGER, avg_current_temperature DOUBLE, hop_time TIMESTAMP(3)
) {KINESIS};
CREATE TABLE clicks (
  browseraction STRING, site STRING, arrival TIMESTAMP(3) METADATA FROM 'timestamp' VIRTUAL,
  WATERMARK FOR arrival AS arrival
) {KINESIS};
CREATE TABLE rates (page STRING, ctr DOUBLE, n INT NOT NULL) {KINESIS};
CREATE TABLE shown (a STRING, b BIGINT) WITH ('connector' = 'print');
"""


def catalog(more: str = "") -> Catalog:
    """The labs' tables, and what ``more`` creates."""
    made = Catalog(None)
    for statement in parse_script(TABLES + more):
        if isinstance(statement, st.CreateTable):
            made.create_table(Planner(made).table(statement))
        elif isinstance(statement, st.CreateView):
            made.create_view(Planner(made).view(statement))
    return made


def plan(text: str, more: str = "") -> Plan:
    """The plan of one SELECT or INSERT."""
    (statement,) = parse_script(text)
    planner = Planner(catalog(more))
    if isinstance(statement, st.Insert):
        return planner.insert(statement)
    assert isinstance(statement, st.Query)
    return planner.query(statement)


def explain(text: str, more: str = "") -> str:
    """EXPLAIN's answer."""
    (statement,) = parse_script(f"EXPLAIN {text}")
    assert isinstance(statement, st.Explain)
    return Planner(catalog(more)).explain(statement)


def types(text: str) -> str:
    """The result's column types."""
    return ", ".join(str(t) for t in plan(text).root.schema.types)
