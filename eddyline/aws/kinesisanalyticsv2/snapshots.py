"""Snapshots of applications, and the schema of a stream's records."""

from __future__ import annotations

import json
import re
from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.instant import Instant
from eddyline.aws.kinesisanalyticsv2.context import AnalyticsContext, paged
from eddyline.errors import EddylineError
from eddyline.service.applications.model import Document, Snapshot
from eddyline.service.stream_sample import newest

SAMPLE = 100
SHOWN = 10
_INTEGER_MAX = 2**31
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?")


def create_application_snapshot(context: AnalyticsContext, call: Call) -> Answer:
    name = context.application(call.request.ApplicationName).name
    context.applications.take_snapshot(name, call.request.SnapshotName)
    return {}


def describe_application_snapshot(context: AnalyticsContext, call: Call) -> Answer:
    name = context.application(call.request.ApplicationName).name
    snapshot = context.applications.snapshot(name, call.request.SnapshotName)
    return {"SnapshotDetails": _shown(snapshot)}


def list_application_snapshots(context: AnalyticsContext, call: Call) -> Answer:
    name = context.application(call.request.ApplicationName).name
    page, more = paged(context.applications.snapshots(name), call.request)
    return {"SnapshotSummaries": [_shown(snapshot) for snapshot in page], **more}


def delete_application_snapshot(context: AnalyticsContext, call: Call) -> Answer:
    request = call.request
    name = context.application(request.ApplicationName).name
    snapshot = context.applications.snapshot(name, request.SnapshotName)
    if abs(request.SnapshotCreationTimestamp * 1000 - snapshot.created_ms) >= 1000:
        message = "The SnapshotCreationTimestamp is not that of the snapshot."
        raise AwsError("InvalidArgumentException", message)
    context.applications.delete_snapshot(name, snapshot.name)
    return {}


def _shown(snapshot: Snapshot) -> Document:
    return {
        "SnapshotName": snapshot.name,
        "SnapshotStatus": snapshot.status,
        "ApplicationVersionId": snapshot.version,
        "SnapshotCreationTimestamp": Instant(snapshot.created_ms),
        "RuntimeEnvironment": snapshot.runtime,
    }


def discover_input_schema(context: AnalyticsContext, call: Call) -> Answer:
    """The columns of a stream's newest records, which are JSON objects or lines of CSV."""
    request = call.request
    if request.ResourceARN is None:
        message = "ResourceARN is required here: the schema of objects in S3 is not read."
        raise AwsError("InvalidArgumentException", message)
    stream = request.ResourceARN.rpartition("/")[2]
    try:
        records = newest(context.store, stream, SAMPLE)
    except EddylineError as error:
        if error.code not in ("not_found", "invalid_argument"):
            raise
        message = f"The stream {request.ResourceARN} does not exist."
        raise AwsError("InvalidArgumentException", message) from None
    texts = [record.data.decode(errors="replace") for record in records]
    raw = texts[-SHOWN:]
    if not texts:
        message = f"The stream {stream} has no records from which a schema could be seen."
        raise AwsError("UnableToDetectSchemaException", message)
    rows = [row for text in texts for row in _objects(text)]
    if rows:
        columns = _columns(rows)
        parsed = [[_text(row.get(c["_key"])) for c in columns] for row in rows[-SHOWN:]]
        mapping: Document = {"JSONMappingParameters": {"RecordRowPath": "$"}}
        kind = "JSON"
    else:
        lines = [line.split(",") for text in texts for line in text.strip().splitlines()]
        width = len(lines[0]) if lines else 0
        if width < 2 or any(len(line) != width for line in lines):
            message = "The records are neither JSON objects nor lines of CSV of one width."
            more = {"RawInputRecords": raw, "ProcessedInputRecords": raw}
            raise AwsError("UnableToDetectSchemaException", message, more)
        numbered = [{f"COL_{n}": _value(v) for n, v in enumerate(line)} for line in lines]
        columns = _columns(numbered)
        parsed = lines[-SHOWN:]
        mapping = {
            "CSVMappingParameters": {"RecordRowDelimiter": "\n", "RecordColumnDelimiter": ","}
        }
        kind = "CSV"
    schema = {
        "RecordFormat": {"RecordFormatType": kind, "MappingParameters": mapping},
        "RecordEncoding": "UTF-8",
        "RecordColumns": [
            {
                "Name": c["Name"],
                "SqlType": c["SqlType"],
                **({"Mapping": f"$.{c['_key']}"} if kind == "JSON" else {}),
            }
            for c in columns
        ],
    }
    return {
        "InputSchema": schema,
        "ParsedInputRecords": parsed,
        "ProcessedInputRecords": raw,
        "RawInputRecords": raw,
    }


def _objects(text: str) -> list[Document]:
    """The JSON objects of a record, which may hold several lines or a list."""
    try:
        value = json.loads(text)
    except ValueError:
        rows: list[Document] = []
        for line in text.strip().splitlines():
            try:
                value = json.loads(line)
            except ValueError:
                return []
            if not isinstance(value, dict):
                return []
            rows.append(value)
        return rows
    values = value if isinstance(value, list) else [value]
    return [v for v in values if isinstance(v, dict)]


def _columns(rows: list[Document]) -> list[Document]:
    keys = dict.fromkeys(key for row in rows for key in row)
    return [
        {
            "Name": re.sub(r"\W", "_", str(key)),
            "SqlType": _sql_type([r[key] for r in rows if r.get(key) is not None]),
            "_key": key,
        }
        for key in keys
    ]


def _sql_type(values: list[Any]) -> str:
    if values and all(isinstance(v, bool) for v in values):
        return "BOOLEAN"
    if values and all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        return "INTEGER" if all(abs(v) < _INTEGER_MAX for v in values) else "BIGINT"
    if values and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return "DOUBLE"
    texts = [_text(v) for v in values]
    if texts and all(_TIMESTAMP.fullmatch(text) for text in texts):
        return "TIMESTAMP"
    longest = max((len(text) for text in texts), default=1)
    length = 4
    while length < longest:
        length *= 2
    return f"VARCHAR({length})"


def _value(text: str) -> Any:
    try:
        number = json.loads(text)
    except ValueError:
        return text
    return number if isinstance(number, int | float) else text


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


OPERATIONS = {
    "CreateApplicationSnapshot": create_application_snapshot,
    "DeleteApplicationSnapshot": delete_application_snapshot,
    "DescribeApplicationSnapshot": describe_application_snapshot,
    "DiscoverInputSchema": discover_input_schema,
    "ListApplicationSnapshots": list_application_snapshots,
}
