"""kill -9 of every process after all operations of the management services: nothing is forgotten.

Each operation that Glue, IAM, STS and Kinesis Data Analytics have here is performed with boto3 on a
server in processes of its own. What is read afterwards is read again after all of them were killed
and the server was restarted.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from eddyline.aws.service import handlers
from eddyline.aws.services import definition
from tests.process_kit import House, until

ACCOUNT = "000000000000"
IAM = f"arn:aws:iam::{ACCOUNT}:"
KINESIS = f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/"
APPLICATION = f"arn:aws:kinesisanalytics:us-east-1:{ACCOUNT}:application/"
GLUE_TABLE = "arn:aws:glue:us-east-1:000000000000:table/gluedb/t"
SERVICES = ("glue", "iam", "sts", "kinesisanalyticsv2")
ALLOW = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "kinesis:*", "Resource": "*"}],
    }
)
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
        ],
    }
)
CODE = """
CREATE TABLE IF NOT EXISTS kill_in (n BIGINT) WITH ('connector' = 'kinesis', 'stream' = 'kill-in',
  'aws.region' = 'us-east-1', 'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json');
CREATE TABLE IF NOT EXISTS kill_out (n BIGINT) WITH ('connector' = 'kinesis',
  'stream' = 'kill-out', 'aws.region' = 'us-east-1', 'format' = 'json');
INSERT INTO kill_out SELECT n * 10 FROM kill_in;
"""
COLUMN = {"RecordColumns": [{"Name": "n", "Mapping": "$.n", "SqlType": "INTEGER"}]}
SCHEMA = {
    "RecordFormat": {
        "RecordFormatType": "JSON",
        "MappingParameters": {"JSONMappingParameters": {"RecordRowPath": "$"}},
    },
    **COLUMN,
}
Call = tuple[str, dict[str, Any]]


class Account:
    """Clients of a server that can be killed, and the operations that were performed."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.performed: set[tuple[str, str]] = set()
        self.clients = {name: self._client(name) for name in (*SERVICES, "kinesis")}

    def _client(self, service: str) -> Any:
        made = boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{self.house.api_port}",
            aws_access_key_id="a",
            aws_secret_access_key="b",
            config=Config(retries={"max_attempts": 0}, read_timeout=30),
        )
        made.meta.events.register("before-call", lambda model, **_: self._note(service, model.name))
        return made

    def _note(self, service: str, operation: str) -> None:
        self.performed.add((service, operation))

    def call(self, service: str, operation: str, **members: Any) -> Any:
        made = self.clients[service]
        names = {v: k for k, v in made.meta.method_to_api_mapping.items()}
        answer = getattr(made, names[operation])(**members)
        answer.pop("ResponseMetadata")
        return answer

    def do(self, service: str, *calls: str | Call) -> None:
        for name, members in ((c, {}) if isinstance(c, str) else c for c in calls):
            self.call(service, name, **members)

    def refused(self, service: str, *calls: Call) -> None:
        for name, members in calls:
            with pytest.raises(ClientError):
                self.call(service, name, **members)


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    house = House(tmp_path / "data", has_studio=True)
    house.start()
    yield Account(house)
    with contextlib.suppress(Exception):
        house.kill()


def glue(account: Account) -> None:
    d = {"DatabaseName": "gluedb"}
    table = {
        "Name": "t",
        "PartitionKeys": [{"Name": "day", "Type": "string"}],
        "StorageDescriptor": {"Columns": [{"Name": "n", "Type": "int"}], "Location": "s3://b/t"},
        "Parameters": {"classification": "json"},
    }
    storage = {"Columns": [{"Name": "n", "Type": "int"}], "Location": "s3://b/t/1"}
    partitions = [{"Values": [day], "StorageDescriptor": storage} for day in ("1", "2", "3", "4")]
    of_t = {**d, "TableName": "t"}
    function = {"FunctionName": "f", "ClassName": "com.example.F", "OwnerType": "USER"}
    connection = {
        "Name": "c",
        "ConnectionType": "KAFKA",
        "ConnectionProperties": {"KAFKA_BOOTSTRAP_SERVERS": "h:9092"},
    }
    account.do(
        "glue",
        ("CreateDatabase", {"DatabaseInput": {"Name": "gluedb"}}),
        ("CreateDatabase", {"DatabaseInput": {"Name": "gone"}}),
        ("UpdateDatabase", {"Name": "gluedb", "DatabaseInput": {
            "Name": "gluedb", "Description": "x"}}),
        ("DeleteDatabase", {"Name": "gone"}),
        *(("CreateTable", {**d, "TableInput": {**table, "Name": n}}) for n in ("t", "u", "v", "w")),
        *(
            ("UpdateTable", {**d, "TableInput": {**table, "Description": text}})
            for text in ("one", "two", "three")
        ),
        ("DeleteTable", {**d, "Name": "u"}),
        ("BatchDeleteTable", {**d, "TablesToDelete": ["v"]}),
        ("CreatePartition", {**of_t, "PartitionInput": partitions[0]}),
        ("BatchCreatePartition", {**of_t, "PartitionInputList": partitions[1:]}),
        ("UpdatePartition", {**of_t, "PartitionValueList": ["1"], "PartitionInput": {
            **partitions[0], "Parameters": {"a": "b"}}}),
        ("DeletePartition", {**of_t, "PartitionValues": ["2"]}),
        ("BatchDeletePartition", {**of_t, "PartitionsToDelete": [{"Values": ["3"]}]}),
        ("CreateUserDefinedFunction", {**d, "FunctionInput": function}),
        ("CreateUserDefinedFunction", {**d, "FunctionInput": {**function, "FunctionName": "g"}}),
        ("UpdateUserDefinedFunction", {**d, "FunctionName": "f", "FunctionInput": {
            **function, "ClassName": "com.example.G"}}),
        ("DeleteUserDefinedFunction", {**d, "FunctionName": "g"}),
        ("CreateConnection", {"ConnectionInput": connection}),
        ("CreateConnection", {"ConnectionInput": {**connection, "Name": "d"}}),
        ("UpdateConnection", {"Name": "c", "ConnectionInput": {**connection, "Description": "x"}}),
        ("DeleteConnection", {"ConnectionName": "d"}),
    )  # fmt: skip
    versions = account.call("glue", "GetTableVersions", **of_t)["TableVersions"]
    oldest = [v["VersionId"] for v in versions][-2:]
    account.do(
        "glue",
        ("DeleteTableVersion", {**of_t, "VersionId": oldest[0]}),
        ("BatchDeleteTableVersion", {**of_t, "VersionIds": oldest[1:]}),
        ("TagResource", {"ResourceArn": GLUE_TABLE, "TagsToAdd": {"a": "1", "b": "2"}}),
        ("UntagResource", {"ResourceArn": GLUE_TABLE, "TagsToRemove": ["a"]}),
    )


def glue_reads(account: Account) -> list[Call]:
    d = {"DatabaseName": "gluedb"}
    of_t = {**d, "TableName": "t"}
    return [
        ("GetDatabase", {"Name": "gluedb"}),
        ("GetDatabases", {}),
        ("GetTable", {**d, "Name": "t"}),
        ("GetTables", d),
        ("GetTableVersions", of_t),
        ("GetTableVersion", of_t),
        ("GetPartition", {**of_t, "PartitionValues": ["1"]}),
        ("GetPartitions", of_t),
        ("BatchGetPartition", {**of_t, "PartitionsToGet": [{"Values": ["1"]}, {"Values": ["4"]}]}),
        ("GetUserDefinedFunction", {**d, "FunctionName": "f"}),
        ("GetUserDefinedFunctions", {**d, "Pattern": ".*"}),
        ("GetConnection", {"Name": "c"}),
        ("GetConnections", {}),
        ("GetTags", {"ResourceArn": GLUE_TABLE}),
        ("SearchTables", {"SearchText": "t"}),
        ("GetPartitionIndexes", of_t),
    ]


def iam(account: Account) -> None:
    policy = {"PolicyArn": f"{IAM}policy/p"}
    tags = {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}
    for kind, name in (("User", "u"), ("Group", "g"), ("Role", "r")):
        more = {"AssumeRolePolicyDocument": TRUST} if kind == "Role" else {}
        for made in (name, f"{name}-gone"):
            account.do("iam", (f"Create{kind}", {f"{kind}Name": made, **more}))
        account.do("iam", (f"Delete{kind}", {f"{kind}Name": f"{name}-gone"}))
    for made in ("p", "p-gone"):
        account.do("iam", ("CreatePolicy", {"PolicyName": made, "PolicyDocument": ALLOW}))
    account.do("iam", ("DeletePolicy", {"PolicyArn": f"{IAM}policy/p-gone"}))
    for _ in range(2):
        account.do("iam", ("CreatePolicyVersion", {**policy, "PolicyDocument": ALLOW}))
    account.do(
        "iam",
        ("SetDefaultPolicyVersion", {**policy, "VersionId": "v3"}),
        ("DeletePolicyVersion", {**policy, "VersionId": "v2"}),
        ("TagPolicy", {**policy, **tags}),
        ("UntagPolicy", {**policy, "TagKeys": ["a"]}),
    )
    for kind, name in (("User", "u"), ("Group", "g"), ("Role", "r")):
        of = {f"{kind}Name": name}
        account.do(
            "iam",
            (f"Put{kind}Policy", {**of, "PolicyName": "in", "PolicyDocument": ALLOW}),
            (f"Put{kind}Policy", {**of, "PolicyName": "gone", "PolicyDocument": ALLOW}),
            (f"Delete{kind}Policy", {**of, "PolicyName": "gone"}),
            (f"Attach{kind}Policy", {**of, **policy}),
            (f"Detach{kind}Policy", {**of, **policy}),
            (f"Attach{kind}Policy", {**of, **policy}),
        )
        if kind != "Group":
            account.do(
                "iam",
                (f"Tag{kind}", {**of, **tags}),
                (f"Untag{kind}", {**of, "TagKeys": ["a"]}),
            )
    keys = [
        account.call("iam", "CreateAccessKey", UserName="u")["AccessKey"]["AccessKeyId"]
        for _ in range(2)
    ]
    of_u, in_g = {"UserName": "u"}, {"UserName": "u", "GroupName": "g"}
    account.do(
        "iam",
        ("UpdateAccessKey", {**of_u, "AccessKeyId": keys[0], "Status": "Inactive"}),
        ("DeleteAccessKey", {**of_u, "AccessKeyId": keys[1]}),
        ("CreateLoginProfile", {**of_u, "Password": "a long Passw0rd!"}),
        ("UpdateLoginProfile", {**of_u, "Password": "another Passw0rd!"}),
        ("DeleteLoginProfile", of_u),
        ("CreateLoginProfile", {**of_u, "Password": "a long Passw0rd!"}),
        ("AddUserToGroup", in_g),
        ("RemoveUserFromGroup", in_g),
        ("AddUserToGroup", in_g),
        ("UpdateUser", {**of_u, "NewPath": "/team/"}),
        ("UpdateGroup", {"GroupName": "g", "NewPath": "/team/"}),
        ("UpdateRole", {"RoleName": "r", "MaxSessionDuration": 7200}),
        ("UpdateRoleDescription", {"RoleName": "r", "Description": "x"}),
        ("UpdateAssumeRolePolicy", {"RoleName": "r", "PolicyDocument": TRUST}),
    )
    account.do("sts", ("AssumeRole", {"RoleArn": f"{IAM}role/r", "RoleSessionName": "one"}))


def iam_reads(account: Account) -> list[Call]:
    policy = {"PolicyArn": f"{IAM}policy/p"}
    calls: list[Call] = [
        (f"{verb}{kind}{what}", {f"{kind}Name": name, **more})
        for kind, name in (("User", "u"), ("Group", "g"), ("Role", "r"))
        for verb, what, more in (
            ("Get", "", {}), ("Get", "Policy", {"PolicyName": "in"}), ("List", "Policies", {}),
        )
    ]  # fmt: skip
    calls += [
        (f"ListAttached{kind}Policies", {f"{kind}Name": name})
        for kind, name in (("User", "u"), ("Group", "g"), ("Role", "r"))
    ]
    (key,) = account.call("iam", "ListAccessKeys", UserName="u")["AccessKeyMetadata"]
    simulated = {"ActionNames": ["kinesis:PutRecord"], "ResourceArns": ["*"]}
    return [
        *calls,
        *((name, {}) for name in ("ListUsers", "ListGroups", "ListRoles", "ListAccountAliases")),
        ("GetAccountSummary", {}),
        ("ListPolicies", {"Scope": "Local"}),
        ("GetPolicy", policy),
        ("GetPolicyVersion", {**policy, "VersionId": "v3"}),
        ("ListPolicyVersions", policy),
        ("ListPolicyTags", policy),
        ("ListEntitiesForPolicy", policy),
        ("ListUserTags", {"UserName": "u"}),
        ("ListRoleTags", {"RoleName": "r"}),
        ("ListGroupsForUser", {"UserName": "u"}),
        ("ListAccessKeys", {"UserName": "u"}),
        ("GetLoginProfile", {"UserName": "u"}),
        ("GetAccessKeyLastUsed", {"AccessKeyId": key["AccessKeyId"]}),
        ("ListInstanceProfilesForRole", {"RoleName": "r"}),
        ("SimulateCustomPolicy", {"PolicyInputList": [ALLOW], **simulated}),
        ("SimulatePrincipalPolicy", {"PolicySourceArn": f"{IAM}user/team/u", **simulated}),
    ]


def sts_reads(account: Account) -> list[Call]:
    (key,) = account.call("iam", "ListAccessKeys", UserName="u")["AccessKeyMetadata"]
    return [("GetCallerIdentity", {}), ("GetAccessKeyInfo", {"AccessKeyId": key["AccessKeyId"]})]


def analytics(account: Account) -> None:
    name = "kinesisanalyticsv2"
    for stream in ("kill-in", "kill-out"):
        account.do("kinesis", ("CreateStream", {"StreamName": stream, "ShardCount": 1}))
        account.clients["kinesis"].get_waiter("stream_exists").wait(
            StreamName=stream, WaiterConfig={"Delay": 1}
        )
    put(account, 1)
    content = {"CodeContentType": "PLAINTEXT", "CodeContent": {"TextContent": CODE}}
    configuration = {"ApplicationCodeConfiguration": content}
    role = {"ServiceExecutionRole": f"{IAM}role/unknown"}
    flink = {"RuntimeEnvironment": "FLINK-1_20", **role, "ApplicationConfiguration": configuration}
    for application in ("job", "ended"):
        account.do(name, ("CreateApplication", {"ApplicationName": application, **flink}))
    book = {"RuntimeEnvironment": "ZEPPELIN-FLINK-3_0", "ApplicationMode": "INTERACTIVE"}
    account.do(name, ("CreateApplication", {"ApplicationName": "book", **book, **role}))
    legacy = {"ApplicationName": "legacy", "RuntimeEnvironment": "SQL-1_0", **role}
    account.do(name, ("CreateApplication", legacy))
    job, tags = {"ApplicationName": "job"}, [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    option = {
        "CloudWatchLoggingOption": {
            "LogStreamARN": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:g:log-stream:s"
        }
    }
    vpc = {"VpcConfiguration": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}
    account.do(
        name,
        ("TagResource", {"ResourceARN": f"{APPLICATION}job", "Tags": tags}),
        ("UntagResource", {"ResourceARN": f"{APPLICATION}job", "TagKeys": ["a"]}),
        ("UpdateApplicationMaintenanceConfiguration", {**job,
            "ApplicationMaintenanceConfigurationUpdate": {
                "ApplicationMaintenanceWindowStartTimeUpdate": "03:00"}}),
        ("DiscoverInputSchema", {**role, "ResourceARN": f"{KINESIS}kill-in",
            "InputStartingPositionConfiguration": {"InputStartingPosition": "TRIM_HORIZON"}}),
    )  # fmt: skip

    def change(operation: str, application: str = "job", **members: Any) -> Any:
        at = {"ApplicationName": application}
        detail = account.call(name, "DescribeApplication", **at)["ApplicationDetail"]
        version = {"CurrentApplicationVersionId": detail["ApplicationVersionId"]}
        return account.call(name, operation, **at, **version, **members)

    for _ in range(2):
        added = change("AddApplicationCloudWatchLoggingOption", **option)
        logging = added["CloudWatchLoggingOptionDescriptions"]
        if len(logging) == 1:
            first = logging[0]["CloudWatchLoggingOptionId"]
            change("DeleteApplicationCloudWatchLoggingOption", CloudWatchLoggingOptionId=first)
    made = change("AddApplicationVpcConfiguration", **vpc)["VpcConfigurationDescription"]
    identifier = made["VpcConfigurationId"]
    change("DeleteApplicationVpcConfiguration", VpcConfigurationId=identifier)
    sql_application(change)
    account.do(name, ("StartApplication", job))
    wait(account, "job", "RUNNING")
    for kept in ("kept", "gone"):
        account.do(name, ("CreateApplicationSnapshot", {**job, "SnapshotName": kept}))
        wait(account, "job", "RUNNING")
    snapshots = "SnapshotDetails"
    described = account.call(name, "DescribeApplicationSnapshot", **job, SnapshotName="gone")
    created = described[snapshots]["SnapshotCreationTimestamp"]
    account.do(name, ("DeleteApplicationSnapshot", {
        **job, "SnapshotName": "gone", "SnapshotCreationTimestamp": created}))  # fmt: skip
    account.do(name, ("StopApplication", job))
    wait(account, "job", "READY")
    change("UpdateApplication", ServiceExecutionRoleUpdate=f"{IAM}role/other")
    account.do(name, ("StartApplication", job), ("StartApplication", {"ApplicationName": "book"}))
    wait(account, "job", "RUNNING")
    wait(account, "book", "RUNNING")
    account.do(name, ("CreateApplicationPresignedUrl", {
        "ApplicationName": "book", "UrlType": "ZEPPELIN_UI_URL"}))  # fmt: skip
    detail = account.call(name, "DescribeApplication", ApplicationName="ended")["ApplicationDetail"]
    account.do(name, ("DeleteApplication", {
        "ApplicationName": "ended", "CreateTimestamp": detail["CreateTimestamp"]}))  # fmt: skip
    snapshot = {"SnapshotName": "none"}
    account.refused(
        name,
        ("RollbackApplication", {"ApplicationName": "legacy", "CurrentApplicationVersionId": 1}),
        ("CreateSnapshot", {**job, **snapshot}),
        ("DescribeSnapshot", snapshot),
        ("DeleteSnapshot", {**snapshot, "SnapshotCreationTimestamp": 1_700_000_000}),
        ("ListSnapshotOperations", snapshot),
        ("DescribeSnapshotOperation", {**snapshot, "SnapshotOperationId": "none"}),
        (
            "ExportSnapshot",
            {
                **snapshot,
                "ExportDestinationConfiguration": {
                    "DestinationType": "S3",
                    "ExportRoleArn": f"{IAM}role/r",
                    "DestinationS3PrefixLocation": {
                        "BucketARN": "arn:aws:s3:::b",
                        "KeyPrefix": "k",
                    },
                },
            },
        ),
        (
            "ImportSnapshot",
            {
                **snapshot,
                "ImportSourceConfiguration": {
                    "SourceType": "S3",
                    "ImportRoleArn": f"{IAM}role/r",
                    "SourceS3PrefixLocation": {"BucketARN": "arn:aws:s3:::b", "KeyPrefix": "k"},
                },
            },
        ),
    )


def sql_application(change: Any) -> None:
    source = {
        "NamePrefix": "SOURCE",
        "KinesisStreamsInput": {"ResourceARN": f"{KINESIS}kill-in"},
        "InputSchema": SCHEMA,
    }
    sink = {
        "KinesisStreamsOutput": {"ResourceARN": f"{KINESIS}kill-out"},
        "DestinationSchema": {"RecordFormatType": "JSON"},
    }
    processor = {"InputLambdaProcessor": {"ResourceARN": "arn:aws:lambda:us-east-1:1:function:f"}}
    table = {
        "TableName": "T",
        "S3ReferenceDataSource": {"BucketARN": "arn:aws:s3:::b", "FileKey": "k"},
        "ReferenceSchema": SCHEMA,
    }
    change("AddApplicationInput", "legacy", Input=source)
    change(
        "AddApplicationInputProcessingConfiguration",
        "legacy",
        InputId="1.1",
        InputProcessingConfiguration=processor,
    )
    change("DeleteApplicationInputProcessingConfiguration", "legacy", InputId="1.1")
    for name in ("A", "B"):
        change("AddApplicationOutput", "legacy", Output={"Name": name, **sink})
    change("DeleteApplicationOutput", "legacy", OutputId="1.1")
    change("AddApplicationReferenceDataSource", "legacy", ReferenceDataSource=table)
    change("DeleteApplicationReferenceDataSource", "legacy", ReferenceId="1.1")


def analytics_reads(account: Account) -> list[Call]:
    job = {"ApplicationName": "job"}
    listed = account.call("kinesisanalyticsv2", "ListApplicationOperations", **job)
    operation = listed["ApplicationOperationInfoList"][0]["OperationId"]
    return [
        ("ListApplications", {}),
        *(("DescribeApplication", {"ApplicationName": n}) for n in ("job", "book", "legacy")),
        ("ListApplicationVersions", job),
        ("DescribeApplicationVersion", {**job, "ApplicationVersionId": 1}),
        ("ListApplicationOperations", job),
        ("DescribeApplicationOperation", {**job, "OperationId": operation}),
        ("ListApplicationSnapshots", job),
        ("DescribeApplicationSnapshot", {**job, "SnapshotName": "kept"}),
        ("ListTagsForResource", {"ResourceARN": f"{APPLICATION}job"}),
        ("ListSnapshots", {}),
    ]


def put(account: Account, number: int) -> None:
    record = {"StreamName": "kill-in", "PartitionKey": "k", "Data": json.dumps({"n": number})}
    account.do("kinesis", ("PutRecord", record))


def wait(account: Account, name: str, status: str) -> None:
    def holds() -> bool:
        answer = account.call("kinesisanalyticsv2", "DescribeApplication", ApplicationName=name)
        return bool(answer["ApplicationDetail"]["ApplicationStatus"] == status)

    until(holds, f"application {name} is {status}", 60)


def totals(account: Account) -> list[int]:
    start = {"ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    shard_iterator = account.call("kinesis", "GetShardIterator", StreamName="kill-out", **start)
    records = account.call("kinesis", "GetRecords", ShardIterator=shard_iterator["ShardIterator"])
    return [json.loads(record["Data"])["n"] for record in records["Records"]]


READS = {
    "glue": glue_reads,
    "iam": iam_reads,
    "sts": sts_reads,
    "kinesisanalyticsv2": analytics_reads,
}


def everything(account: Account) -> dict[str, Any]:
    return {
        f"{service}:{operation}:{json.dumps(members)}": account.call(service, operation, **members)
        for service, reads in READS.items()
        for operation, members in reads(account)
    }


@pytest.mark.timeout(240)
def test_after_all_operations_every_process_is_killed(account: Account) -> None:
    glue(account)
    iam(account)
    analytics(account)
    until(lambda: totals(account) == [10], "the application has written", 60)
    before = everything(account)
    expected = {(s, o) for s in READS for o in handlers(definition(s))}
    assert expected - account.performed == set()

    account.house.kill()
    account.house.start()

    for name in ("job", "book"):
        wait(account, name, "RUNNING")
    after = everything(account)
    assert {k: v for k, v in after.items() if v != before[k]} == {}
    put(account, 2)
    until(lambda: totals(account) == [10, 20], "the application goes on where it was", 60)
