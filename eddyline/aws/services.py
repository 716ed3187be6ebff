"""The AWS services that the endpoint has: one row per service.

To add a service write a package with a subclass of ``ServiceContext`` and modules of handlers, and
add a row here. The rows have what routing needs, so that a model is loaded with the first request
to its service. ``tests/aws/test_services.py`` compares the rows with botocore's models.
"""

from __future__ import annotations

from eddyline.aws.service import ServiceDefinition

SERVICES: tuple[ServiceDefinition, ...] = (
    ServiceDefinition(
        name="kinesis",
        prefix="kinesis",
        signing="kinesis",
        target="Kinesis_20131202",
        context="eddyline.aws.kinesis.context:KinesisContext",
        modules=(
            "eddyline.aws.kinesis.account",
            "eddyline.aws.kinesis.streams.capacity",
            "eddyline.aws.kinesis.channels.operations",
            "eddyline.aws.kinesis.consumers.operations",
            "eddyline.aws.kinesis.streams.encryption",
            "eddyline.aws.kinesis.records.iterators",
            "eddyline.aws.kinesis.streams.monitoring",
            "eddyline.aws.kinesis.policies",
            "eddyline.aws.kinesis.queues.operations",
            "eddyline.aws.kinesis.queues.records",
            "eddyline.aws.kinesis.records.reading",
            "eddyline.aws.kinesis.records.putting",
            "eddyline.aws.kinesis.streams.resharding",
            "eddyline.aws.kinesis.streams.retention",
            "eddyline.aws.kinesis.streams.shards",
            "eddyline.aws.kinesis.streams.lifecycle",
            "eddyline.aws.kinesis.consumers.subscription",
            "eddyline.aws.kinesis.tags",
        ),
        eager=True,
    ),
    ServiceDefinition(
        name="firehose",
        prefix="firehose",
        signing="firehose",
        target="Firehose_20150804",
        context="eddyline.aws.firehose.context:FirehoseContext",
        modules=(
            "eddyline.aws.firehose.delivery_streams",
            "eddyline.aws.firehose.records",
            "eddyline.aws.firehose.tags",
        ),
        errors={"not_found": "ResourceNotFoundException"},
        started_by="firehose.db",
    ),
    ServiceDefinition(
        name="glue",
        prefix="glue",
        signing="glue",
        target="AWSGlue",
        context="eddyline.aws.glue.context:GlueContext",
        modules=(
            "eddyline.aws.glue.databases",
            "eddyline.aws.glue.functions",
            "eddyline.aws.glue.partitions",
            "eddyline.aws.glue.tables",
            "eddyline.aws.glue.tags",
        ),
        errors={
            "already_exists": "AlreadyExistsException",
            "conflict": "ConcurrentModificationException",
            "invalid_argument": "InvalidInputException",
            "not_found": "EntityNotFoundException",
        },
    ),
    ServiceDefinition(
        name="kinesisanalyticsv2",
        prefix="kinesisanalytics",
        signing="kinesisanalytics",
        target="KinesisAnalytics_20180523",
        context="eddyline.aws.kinesisanalyticsv2.context:AnalyticsContext",
        modules=(
            "eddyline.aws.kinesisanalyticsv2.applications",
            "eddyline.aws.kinesisanalyticsv2.enhanced",
            "eddyline.aws.kinesisanalyticsv2.parts",
            "eddyline.aws.kinesisanalyticsv2.snapshots",
        ),
        errors={
            "access_denied": "InvalidApplicationConfigurationException",
            "bad_file": "CodeValidationException",
            "conflict": "ConcurrentModificationException",
            "in_use": "ResourceInUseException",
            "not_deployable": "CodeValidationException",
            "python_denied": "AccessDeniedException",
            "sql_semantic": "CodeValidationException",
            "sql_syntax": "CodeValidationException",
            "sql_unsupported": "UnsupportedOperationException",
        },
    ),
    ServiceDefinition(
        name="iam",
        prefix="iam",
        signing="iam",
        version="2010-05-08",
        context="eddyline.aws.identity:IdentityContext",
        modules=(
            "eddyline.aws.iam.credentials",
            "eddyline.aws.iam.entities",
            "eddyline.aws.iam.policies",
            "eddyline.aws.iam.simulation",
        ),
        errors={
            "already_exists": "EntityAlreadyExistsException",
            "conflict": "DeleteConflictException",
            "invalid_argument": "ValidationException",
            "not_found": "NoSuchEntityException",
        },
    ),
    ServiceDefinition(
        name="sts",
        prefix="sts",
        signing="sts",
        version="2011-06-15",
        context="eddyline.aws.identity:IdentityContext",
        modules=("eddyline.aws.sts",),
    ),
)


def definition(name: str) -> ServiceDefinition:
    """The row of a service, by botocore's name for it. Raises KeyError."""
    return {row.name: row for row in SERVICES}[name]
