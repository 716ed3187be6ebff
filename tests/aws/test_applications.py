"""Applications through boto3, over a whole server: a notebook, and code that runs apart from it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from eddyline.auth.entities import Entities, EntityKind
from eddyline.auth.grants import Grants
from eddyline.aws.service import handlers
from eddyline.aws.services import definition
from eddyline.testing import server
from tests.aws.test_services import client

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/"
TABLES = """
CREATE TABLE IF NOT EXISTS app_in (n BIGINT) WITH ('connector' = 'kinesis', 'stream' = 'app-in',
  'aws.region' = 'us-east-1', 'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json');
CREATE TABLE IF NOT EXISTS app_out (n BIGINT, total BIGINT) WITH ('connector' = 'kinesis',
  'stream' = 'app-out', 'aws.region' = 'us-east-1', 'format' = 'json');
"""
INSERT = "INSERT INTO app_out SELECT n, n * 10 FROM app_in;\n"


def note(*texts: str) -> str:
    paragraphs = [{"text": text, "config": {}, "id": f"p{n}"} for n, text in enumerate(texts)]
    return json.dumps({"paragraphs": paragraphs, "name": "deployed", "id": "2A94M5J1Z"})


def code(text: str) -> dict[str, Any]:
    content = {"CodeContentType": "PLAINTEXT", "CodeContent": {"TextContent": text}}
    return {"ApplicationCodeConfiguration": content}


class Running:
    """A server with clients of it."""

    def __init__(self, eddyline: Any) -> None:
        self.services = eddyline.services
        self.kinesis = eddyline.client()
        self.analytics = client(self.kinesis.meta.endpoint_url, "kinesisanalyticsv2")
        self.data_dir = eddyline.services.data_dir

    def status(self, name: str) -> str:
        described = self.analytics.describe_application(ApplicationName=name)
        return str(described["ApplicationDetail"]["ApplicationStatus"])

    def until(self, look: Callable[[], bool], seconds: float = 120.0) -> None:
        end = time.monotonic() + seconds
        while not look():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.2)

    def put(self, *numbers: int) -> None:
        for n in numbers:
            data = json.dumps({"n": n}).encode()
            self.kinesis.put_record(StreamName="app-in", PartitionKey="k", Data=data)

    def totals(self) -> list[int]:
        iterator = self.kinesis.get_shard_iterator(
            StreamName="app-out",
            ShardId="shardId-000000000000",
            ShardIteratorType="TRIM_HORIZON",
        )["ShardIterator"]
        records = self.kinesis.get_records(ShardIterator=iterator)["Records"]
        return [json.loads(record["Data"])["total"] for record in records]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with server() as eddyline:
        running = Running(eddyline)
        for name in ("app-in", "app-out"):
            running.kinesis.create_stream(StreamName=name, ShardCount=1)
        yield running


def refused(operation: Any, **members: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        operation(**members)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_notebook_gets_the_note_that_its_code_holds(running: Running) -> None:
    analytics = running.analytics
    created = analytics.create_application(
        ApplicationName="lab",
        ApplicationMode="INTERACTIVE",
        RuntimeEnvironment="ZEPPELIN-FLINK-3_0",
        ServiceExecutionRole=ROLE + "unknown",
        ApplicationConfiguration={
            **code(note("%md\n# Hello", "%flink.ssql\nSHOW TABLES")),
            "ZeppelinApplicationConfiguration": {
                "MonitoringConfiguration": {"LogLevel": "INFO"},
                "CatalogConfiguration": {
                    "GlueDataCatalogConfiguration": {
                        "DatabaseARN": f"arn:aws:glue:us-east-1:{ACCOUNT}:database/default_database"
                    }
                },
            },
        },
        Tags=[{"Key": "team", "Value": "blue"}],
    )["ApplicationDetail"]
    assert (created["ApplicationStatus"], created["ApplicationVersionId"]) == ("READY", 1)
    arn = f"arn:aws:kinesisanalytics:us-east-1:{ACCOUNT}:application/lab"
    assert created["ApplicationARN"] == arn
    zeppelin = created["ApplicationConfigurationDescription"][
        "ZeppelinApplicationConfigurationDescription"
    ]
    assert zeppelin["MonitoringConfigurationDescription"] == {"LogLevel": "INFO"}
    glue = zeppelin["CatalogConfigurationDescription"]["GlueDataCatalogConfigurationDescription"]
    assert glue["DatabaseARN"].endswith("database/default_database")
    (kept,) = [n for n in running.services.notes.list() if n.name == "lab"]
    assert kept.paragraphs == 2
    assert analytics.list_tags_for_resource(ResourceARN=arn)["Tags"] == [
        {"Key": "team", "Value": "blue"}
    ]
    url = {"ApplicationName": "lab", "UrlType": "ZEPPELIN_UI_URL"}
    assert refused(analytics.create_application_presigned_url, **url)[0] == "ResourceInUseException"
    analytics.start_application(ApplicationName="lab")
    running.until(lambda: running.status("lab") == "RUNNING")
    assert refused(analytics.start_application, ApplicationName="lab")[0] == (
        "ResourceInUseException"
    )
    analytics.stop_application(ApplicationName="lab")
    running.until(lambda: running.status("lab") == "READY")
    operations = analytics.list_application_operations(ApplicationName="lab")
    rows = operations["ApplicationOperationInfoList"]
    assert [row["Operation"] for row in rows] == [
        "StopApplication",
        "StartApplication",
        "CreateApplication",
    ]
    assert {row["OperationStatus"] for row in rows} == {"SUCCESSFUL"}
    listed = analytics.list_applications()["ApplicationSummaries"]
    assert [a["ApplicationMode"] for a in listed if a["ApplicationName"] == "lab"] == [
        "INTERACTIVE"
    ]


def test_code_runs_apart_stops_with_a_snapshot_and_goes_on_from_it(running: Running) -> None:
    analytics = running.analytics
    analytics.create_application(
        ApplicationName="totals",
        RuntimeEnvironment="FLINK-1_20",
        ServiceExecutionRole=ROLE + "unknown",
        ApplicationConfiguration=code(note("%md\ntext", "%flink.ssql\n" + TABLES + INSERT)),
    )
    running.put(1, 2)
    analytics.start_application(ApplicationName="totals")
    assert running.status("totals") in ("STARTING", "RUNNING")
    running.until(lambda: running.status("totals") == "RUNNING")
    running.until(lambda: running.totals() == [10, 20])
    analytics.stop_application(ApplicationName="totals")
    running.until(lambda: running.status("totals") == "READY")
    (snapshot,) = analytics.list_application_snapshots(ApplicationName="totals")[
        "SnapshotSummaries"
    ]
    assert snapshot["SnapshotStatus"] == "READY"
    running.put(3)
    analytics.start_application(
        ApplicationName="totals",
        RunConfiguration={
            "ApplicationRestoreConfiguration": {
                "ApplicationRestoreType": "RESTORE_FROM_CUSTOM_SNAPSHOT",
                "SnapshotName": snapshot["SnapshotName"],
            }
        },
    )
    running.until(lambda: running.totals() == [10, 20, 30])
    running.until(lambda: running.status("totals") == "RUNNING")
    described = analytics.describe_application(ApplicationName="totals")["ApplicationDetail"]
    stale = {"ApplicationName": "totals", "CurrentApplicationVersionId": 7}
    assert refused(analytics.update_application, **stale)[0] == "ConcurrentModificationException"
    analytics.delete_application(
        ApplicationName="totals", CreateTimestamp=described["CreateTimestamp"]
    )

    def gone() -> bool:
        names = [
            a["ApplicationName"] for a in analytics.list_applications()["ApplicationSummaries"]
        ]
        return "totals" not in names

    running.until(gone)
    assert not [j for j in running.services.jobs.list() if j.session == "application:totals"]


def test_a_role_that_is_known_limits_what_is_written(running: Running) -> None:
    role = "writer"
    Entities(running.data_dir).create(EntityKind.ROLE, role)
    analytics = running.analytics
    analytics.create_application(
        ApplicationName="limited",
        RuntimeEnvironment="FLINK-1_20",
        ServiceExecutionRole=ROLE + role,
        ApplicationConfiguration=code(TABLES + INSERT),
    )
    analytics.start_application(ApplicationName="limited")
    running.until(lambda: running.status("limited") == "READY")
    operations = analytics.list_application_operations(ApplicationName="limited")
    started = operations["ApplicationOperationInfoList"][0]
    assert started["OperationStatus"] == "FAILED"
    response = analytics.describe_application_operation(
        ApplicationName="limited", OperationId=started["OperationId"]
    )["ApplicationOperationInfoDetails"]["OperationFailureDetails"]["ErrorInfo"]["ErrorString"]
    assert "may not write to the stream app-out" in response
    assert f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/app-out" in response
    allow = {"Effect": "Allow", "Action": ["kinesis:Put*", "kinesis:Get*"], "Resource": "*"}
    grants = Grants(running.data_dir, ACCOUNT)
    grants.put(EntityKind.ROLE, role, "write", json.dumps({"Statement": allow}))
    analytics.start_application(ApplicationName="limited")
    running.until(lambda: running.status("limited") == "RUNNING")
    analytics.stop_application(ApplicationName="limited", Force=True)
    running.until(lambda: running.status("limited") == "READY")
    assert (
        analytics.list_application_snapshots(ApplicationName="limited")["SnapshotSummaries"] == []
    )


def test_a_notebook_reads_and_writes_what_its_role_allows(running: Running) -> None:
    role, grants = "notebook-role", Grants(running.data_dir, ACCOUNT)
    Entities(running.data_dir).create(EntityKind.ROLE, role)
    python = """import boto3
from botocore.exceptions import ClientError
try:
    print(boto3.client("kinesis").describe_stream_summary(StreamName="app-out")["ResponseMetadata"])
except ClientError as error:
    print(error.response["Error"]["Code"])"""
    texts = ["%flink.ssql\n" + TABLES, "%flink.ssql\nSELECT n FROM app_in",
             "%flink.ssql\n" + INSERT, "%flink.pyflink\n" + python]  # fmt: skip
    running.analytics.create_application(
        ApplicationName="bounded",
        RuntimeEnvironment="ZEPPELIN-FLINK-3_0",
        ServiceExecutionRole=ROLE + role,
        ApplicationConfiguration=code(note(*texts)),
    )
    notes = running.services.notes
    (kept,) = [n for n in notes.list() if n.name == "bounded"]
    order = notes.view(kept.id).order

    def shown(number: int) -> str:
        notes.run(kept.id, order[number])
        view: Any = None

        def ended() -> bool:
            nonlocal view
            (view,) = [p for p in notes.view(kept.id).paragraphs if p.id == order[number]]
            return view.status in ("FINISHED", "ERROR") or bool(view.jobs)

        running.until(ended)
        return f"{view.status}: " + " ".join(output.text for output in view.outputs)

    assert shown(0).startswith("FINISHED")
    assert "may not read the stream app-in" in shown(1)
    assert "may not write to the stream app-out" in shown(2)
    assert "AccessDeniedException" in shown(3)
    allow = {"Effect": "Allow", "Action": ["kinesis:Put*", "kinesis:Get*"], "Resource": "*"}
    grants.put(EntityKind.ROLE, role, "both", json.dumps({"Statement": allow}))
    assert shown(2).startswith("RUNNING")
    notes.cancel(kept.id)
    running.services.notes.remove(kept.id)
    running.analytics.delete_application(
        ApplicationName="bounded",
        CreateTimestamp=running.services.applications.get("bounded").created_ms / 1000,
    )


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (note("%flink.ssql\nSELECT 1"), "CodeValidationException", "paragraph 1: a SELECT shows"),
        (
            note("%flink.ssql\n" + INSERT + "SET 'a' = 'b'"),
            "CodeValidationException",
            "must precede INSERT",
        ),
        (note("%flink.pyflink\nz.show(1)"), "CodeValidationException", "ZeppelinContext"),
        (note("%flink.ssql\n" + INSERT, INSERT), "CodeValidationException", "only one paragraph"),
        (note("%sh\nls"), "CodeValidationException", "%sh is not allowed"),
        ("SELEC 1", "CodeValidationException", ""),
        ("", "CodeValidationException", "no code"),
    ],
)
def test_code_that_cannot_be_deployed_names_its_paragraph_and_rule(
    running: Running, text: str, error: str, message: str
) -> None:
    refusal = refused(
        running.analytics.create_application,
        ApplicationName="wrong",
        RuntimeEnvironment="FLINK-1_20",
        ServiceExecutionRole=ROLE + "unknown",
        ApplicationConfiguration=code(text),
    )
    assert refusal[0] == error
    assert message in refusal[1]


def test_what_does_not_run_here_says_so(running: Running) -> None:
    analytics = running.analytics
    jar = {"BucketARN": "arn:aws:s3:::b", "FileKey": "a.jar"}
    content = {"CodeContentType": "ZIPFILE", "CodeContent": {"S3ContentLocation": jar}}
    message = refused(
        analytics.create_application,
        ApplicationName="jar",
        RuntimeEnvironment="FLINK-1_20",
        ServiceExecutionRole=ROLE + "unknown",
        ApplicationConfiguration={"ApplicationCodeConfiguration": content},
    )
    assert message[0] == "UnsupportedOperationException"
    assert "Flink cluster" in message[1]
    analytics.create_application(
        ApplicationName="old", RuntimeEnvironment="SQL-1_0", ServiceExecutionRole=ROLE + "unknown"
    )
    message = refused(analytics.start_application, ApplicationName="old")
    assert message[0] == "UnsupportedOperationException"
    missing = refused(analytics.describe_application, ApplicationName="none")
    assert missing[0] == "ResourceNotFoundException"


def test_the_schema_of_a_stream_is_read_from_its_records(running: Running) -> None:
    kinesis = running.kinesis
    kinesis.create_stream(StreamName="readings", ShardCount=1)
    arn = f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/readings"
    ask = {
        "ServiceExecutionRole": ROLE + "unknown",
        "ResourceARN": arn,
        "InputStartingPositionConfiguration": {"InputStartingPosition": "NOW"},
    }
    empty = refused(running.analytics.discover_input_schema, **ask)
    assert empty[0] == "UnableToDetectSchemaException"
    for n in range(3):
        row = {"id": n, "price": 1.5 + n, "when": "2026-11-25T10:00:00Z", "name": "abc"}
        kinesis.put_record(StreamName="readings", PartitionKey="k", Data=json.dumps(row).encode())
    schema = running.analytics.discover_input_schema(**ask)["InputSchema"]
    assert schema["RecordFormat"]["RecordFormatType"] == "JSON"
    assert [(c["Name"], c["SqlType"], c["Mapping"]) for c in schema["RecordColumns"]] == [
        ("id", "INTEGER", "$.id"),
        ("price", "DOUBLE", "$.price"),
        ("when", "TIMESTAMP", "$.when"),
        ("name", "VARCHAR(4)", "$.name"),
    ]


SCHEMA = {
    "RecordFormat": {
        "RecordFormatType": "JSON",
        "MappingParameters": {"JSONMappingParameters": {"RecordRowPath": "$"}},
    },
    "RecordColumns": [{"Name": "n", "SqlType": "INTEGER", "Mapping": "$.n"}],
}
STREAM = f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/app-in"


def test_parts_of_a_sql_application_are_added_and_deleted(running: Running) -> None:
    analytics = running.analytics
    analytics.create_application(
        ApplicationName="legacy",
        RuntimeEnvironment="SQL-1_0",
        ServiceExecutionRole=ROLE + "unknown",
    )
    at = {"ApplicationName": "legacy"}
    source = {
        "NamePrefix": "SOURCE",
        "KinesisStreamsInput": {"ResourceARN": STREAM},
        "InputSchema": SCHEMA,
    }
    added = analytics.add_application_input(**at, CurrentApplicationVersionId=1, Input=source)
    (described,) = added["InputDescriptions"]
    assert (described["InputId"], described["InAppStreamNames"]) == ("1.1", ["SOURCE_001"])
    code_, _ = refused(
        analytics.add_application_input, **at, CurrentApplicationVersionId=1, Input=source
    )
    assert code_ == "InvalidArgumentException"
    processing = {"InputLambdaProcessor": {"ResourceARN": "arn:aws:lambda:us-east-1:1:function:f"}}
    processed = analytics.add_application_input_processing_configuration(
        **at, CurrentApplicationVersionId=2, InputId="1.1", InputProcessingConfiguration=processing
    )
    part = processed["InputProcessingConfigurationDescription"]["InputLambdaProcessorDescription"]
    assert part["ResourceARN"].endswith("function:f")
    sinks = [
        {
            "Name": name,
            "KinesisStreamsOutput": {"ResourceARN": STREAM},
            "DestinationSchema": {"RecordFormatType": "JSON"},
        }
        for name in ("A", "B")
    ]
    for version, sink in enumerate(sinks, 3):
        outputs = analytics.add_application_output(
            **at, CurrentApplicationVersionId=version, Output=sink
        )["OutputDescriptions"]
    assert [row["OutputId"] for row in outputs] == ["1.1", "2.1"]
    code_, _ = refused(
        analytics.delete_application_output, **at, CurrentApplicationVersionId=3, OutputId="1.1"
    )
    assert code_ == "ConcurrentModificationException"
    analytics.delete_application_output(**at, CurrentApplicationVersionId=5, OutputId="1.1")
    assert refused(
        analytics.delete_application_output, **at, CurrentApplicationVersionId=6, OutputId="1.1"
    ) == ("ResourceNotFoundException", "Application legacy has no OutputId 1.1.")
    table = {
        "TableName": "T",
        "S3ReferenceDataSource": {"BucketARN": "arn:aws:s3:::b", "FileKey": "k"},
        "ReferenceSchema": SCHEMA,
    }
    reference = analytics.add_application_reference_data_source(
        **at, CurrentApplicationVersionId=6, ReferenceDataSource=table
    )["ReferenceDataSourceDescriptions"]
    assert [row["ReferenceId"] for row in reference] == ["1.1"]
    analytics.delete_application_reference_data_source(
        **at, CurrentApplicationVersionId=7, ReferenceId="1.1"
    )
    last = analytics.delete_application_input_processing_configuration(
        **at, CurrentApplicationVersionId=8, InputId="1.1"
    )
    assert last["ApplicationVersionId"] == 9
    detail = analytics.describe_application(**at)["ApplicationDetail"]
    sql = detail["ApplicationConfigurationDescription"]["SqlApplicationConfigurationDescription"]
    assert [row["Name"] for row in sql["OutputDescriptions"]] == ["B"]
    assert [row["OutputId"] for row in sql["OutputDescriptions"]] == ["2.1"]
    assert "InputProcessingConfigurationDescription" not in sql["InputDescriptions"][0]
    code_, message = refused(
        analytics.add_application_vpc_configuration,
        **at,
        CurrentApplicationVersionId=9,
        VpcConfiguration={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
    )
    assert (code_, message) == (
        "InvalidArgumentException",
        "AddApplicationVpcConfiguration is not for an application of SQL-1_0.",
    )


def test_a_vpc_configuration_is_kept_without_effect(running: Running) -> None:
    analytics = running.analytics
    detail = analytics.create_application(
        ApplicationName="in-vpc",
        RuntimeEnvironment="FLINK-1_20",
        ServiceExecutionRole=ROLE + "unknown",
        ApplicationConfiguration=code(TABLES + INSERT),
    )["ApplicationDetail"]
    at = {"ApplicationName": "in-vpc"}
    vpc = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    added = analytics.add_application_vpc_configuration(
        **at, ConditionalToken=detail["ConditionalToken"], VpcConfiguration=vpc
    )
    described = added["VpcConfigurationDescription"]
    assert {k: described[k] for k in vpc} == vpc
    assert described["VpcId"].startswith("vpc-")
    assert added["ApplicationVersionId"] == 2
    code_, _ = refused(
        analytics.delete_application_vpc_configuration,
        **at,
        ConditionalToken=detail["ConditionalToken"],
        VpcConfigurationId="1.1",
    )
    assert code_ == "ConcurrentModificationException"
    gone = analytics.delete_application_vpc_configuration(
        **at, CurrentApplicationVersionId=2, VpcConfigurationId=described["VpcConfigurationId"]
    )
    assert gone["ApplicationVersionId"] == 3


def test_enhanced_snapshots_are_none_and_say_so(running: Running) -> None:
    analytics = running.analytics
    assert analytics.list_snapshots()["SnapshotInfoList"] == []
    filters = {"SnapshotStatus": "READY", "SnapshotInitiator": "USER"}
    assert refused(analytics.list_snapshots, **filters)[0] == "InvalidArgumentException"
    created = {"SnapshotCreationTimestamp": 1_700_000_000}
    for operation, more in (
        ("describe_snapshot", {}),
        ("delete_snapshot", created),
        ("list_snapshot_operations", {}),
    ):
        refusal = refused(getattr(analytics, operation), SnapshotName="none", **more)
        assert refusal == ("ResourceNotFoundException", "Snapshot none does not exist."), operation
    analytics.create_application(
        ApplicationName="plain-mode",
        RuntimeEnvironment="FLINK-1_20",
        ServiceExecutionRole=ROLE + "unknown",
        ApplicationConfiguration=code(TABLES + INSERT),
    )
    code_, message = refused(
        analytics.create_snapshot, ApplicationName="plain-mode", SnapshotName="s"
    )
    assert code_ == "UnsupportedOperationException"
    assert "CreateApplicationSnapshot" in message


def test_every_operation_of_the_model_is_answered() -> None:
    from botocore.session import get_session

    model = get_session().get_service_model("kinesisanalyticsv2")
    assert set(handlers(definition("kinesisanalyticsv2"))) == set(model.operation_names)
