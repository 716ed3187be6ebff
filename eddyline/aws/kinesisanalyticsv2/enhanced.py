"""Enhanced snapshots, which are not scoped to an application: there are none here.

AWS takes them of applications in a snapshot mode that this server does not have. Lists are empty,
what names a snapshot is answered as for one that does not exist, and what would make one is refused
and says what to call instead.
"""

from __future__ import annotations

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesisanalyticsv2.context import AnalyticsContext

FILTERS = (
    "SourceApplicationName",
    "SnapshotInitiator",
    "SnapshotInitiatorOperation",
    "SnapshotStatus",
)


def list_snapshots(context: AnalyticsContext, call: Call) -> Answer:
    given = [name for name in FILTERS if getattr(call.request, name) is not None]
    if len(given) > 1:
        message = f"Only one filter may be specified, not {' and '.join(given)}."
        raise AwsError("InvalidArgumentException", message)
    return {"SnapshotInfoList": []}


def create_snapshot(context: AnalyticsContext, call: Call) -> Answer:
    name = context.application(call.request.ApplicationName).name
    message = (
        f"Application {name} does not use the ENHANCED_SNAPSHOTS snapshot mode; "
        "CreateApplicationSnapshot takes a snapshot of it."
    )
    raise AwsError("UnsupportedOperationException", message)


def import_snapshot(context: AnalyticsContext, call: Call) -> Answer:
    message = (
        "A savepoint of Apache Flink cannot be read here; start the application with empty state "
        "(SKIP_RESTORE_FROM_SNAPSHOT)."
    )
    raise AwsError("UnsupportedOperationException", message)


def no_snapshot(context: AnalyticsContext, call: Call) -> Answer:
    message = f"Snapshot {call.request.SnapshotName} does not exist."
    raise AwsError("ResourceNotFoundException", message)


OPERATIONS = {
    "CreateSnapshot": create_snapshot,
    "DeleteSnapshot": no_snapshot,
    "DescribeSnapshot": no_snapshot,
    "DescribeSnapshotOperation": no_snapshot,
    "ExportSnapshot": no_snapshot,
    "ImportSnapshot": import_snapshot,
    "ListSnapshotOperations": no_snapshot,
    "ListSnapshots": list_snapshots,
}
