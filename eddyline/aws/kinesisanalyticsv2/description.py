"""An application's configuration as AWS describes it, and the changes that an update means.

AWS names each part three times: ``X`` in a configuration, ``XDescription`` in an answer,
``XUpdate`` in a change. The rules here turn one into the other; what does not follow them is in a
table.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from eddyline.aws.errors import AwsError
from eddyline.aws.instant import Instant
from eddyline.aws.kinesisanalyticsv2.context import AnalyticsContext
from eddyline.service.applications.model import SQL, Application, Document

# Parts of a configuration whose members have names of their own in a description.
_RENAMED = {
    "Inputs": "InputDescriptions",
    "Outputs": "OutputDescriptions",
    "ReferenceDataSources": "ReferenceDataSourceDescriptions",
    "EnvironmentProperties": "EnvironmentPropertyDescriptions",
    "PropertyGroups": "PropertyGroupDescriptions",
    "VpcConfigurations": "VpcConfigurationDescriptions",
    "S3ContentLocation": "S3ContentLocationDescription",
    "MavenReference": "MavenReferenceDescription",
    "KinesisStreamsInput": "KinesisStreamsInputDescription",
    "KinesisFirehoseInput": "KinesisFirehoseInputDescription",
    "KinesisStreamsOutput": "KinesisStreamsOutputDescription",
    "KinesisFirehoseOutput": "KinesisFirehoseOutputDescription",
    "LambdaOutput": "LambdaOutputDescription",
    "S3ReferenceDataSource": "S3ReferenceDataSourceDescription",
    "InputLambdaProcessor": "InputLambdaProcessorDescription",
}
_IDS = {
    "InputDescriptions": "InputId",
    "OutputDescriptions": "OutputId",
    "ReferenceDataSourceDescriptions": "ReferenceId",
    "VpcConfigurationDescriptions": "VpcConfigurationId",
}
_DEFAULTS: dict[str, Document] = {
    "CheckpointConfiguration": {
        "ConfigurationType": "DEFAULT",
        "CheckpointingEnabled": True,
        "CheckpointInterval": 60000,
        "MinPauseBetweenCheckpoints": 5000,
    },
    "MonitoringConfiguration": {
        "ConfigurationType": "DEFAULT",
        "MetricsLevel": "APPLICATION",
        "LogLevel": "INFO",
    },
    "ParallelismConfiguration": {
        "ConfigurationType": "DEFAULT",
        "Parallelism": 1,
        "ParallelismPerKPU": 1,
        "AutoScalingEnabled": False,
    },
}


def described(context: AnalyticsContext, application: Application) -> Document:
    """ApplicationDetail."""
    configuration = application.configuration
    detail: Document = {
        "ApplicationARN": context.application_arn(application.name),
        "ApplicationName": application.name,
        "RuntimeEnvironment": application.runtime,
        "ApplicationStatus": application.status,
        "ApplicationVersionId": application.version,
        "CreateTimestamp": Instant(application.created_ms),
        "LastUpdateTimestamp": Instant(application.updated_ms),
        "ApplicationConfigurationDescription": _configuration(application, configuration),
        "ApplicationMaintenanceConfigurationDescription": maintenance(application),
        "ConditionalToken": token_of(application),
    }
    if application.description:
        detail["ApplicationDescription"] = application.description
    if application.role:
        detail["ServiceExecutionRole"] = application.role
    if application.mode != SQL:
        detail["ApplicationMode"] = application.mode
    if application.log_streams:
        detail["CloudWatchLoggingOptionDescriptions"] = [
            {"CloudWatchLoggingOptionId": key, "LogStreamARN": arn}
            for key, arn in application.log_streams.items()
        ]
    if application.version > 1:
        detail["ApplicationVersionUpdatedFrom"] = application.version - 1
    return detail


def token_of(application: Application) -> str:
    """The token that an update may give instead of a version."""
    text = f"{application.name}:{application.created_ms}:{application.version}"
    return sha256(text.encode()).hexdigest()


def maintenance(application: Application) -> Document:
    """The window of eight hours in which AWS may patch an application; here nothing is patched."""
    hour, minute = (int(part) for part in application.maintenance.split(":"))
    return {
        "ApplicationMaintenanceWindowStartTime": application.maintenance,
        "ApplicationMaintenanceWindowEndTime": f"{(hour + 8) % 24:02d}:{minute:02d}",
    }


def _configuration(application: Application, given: Document) -> Document:
    shown = _described_part({k: v for k, v in given.items() if k not in _OWN})
    code = given.get("ApplicationCodeConfiguration")
    if code is not None:
        shown["ApplicationCodeConfigurationDescription"] = _code(code)
    if application.mode == "STREAMING":
        flink = given.get("FlinkApplicationConfiguration") or {}
        parts = {name: {**_DEFAULTS[name], **(flink.get(name) or {})} for name in _DEFAULTS}
        described_flink = _described_part(parts)
        parallelism = described_flink["ParallelismConfigurationDescription"]
        parallelism["CurrentParallelism"] = parallelism["Parallelism"]
        shown["FlinkApplicationConfigurationDescription"] = described_flink
        snapshots = given.get("ApplicationSnapshotConfiguration") or {"SnapshotsEnabled": True}
        shown["ApplicationSnapshotConfigurationDescription"] = snapshots
        shown["RunConfigurationDescription"] = _run(application.run)
    return shown


# Parts that are not described by the rules alone.
_OWN = (
    "ApplicationCodeConfiguration",
    "FlinkApplicationConfiguration",
    "ApplicationSnapshotConfiguration",
)


def _run(run: Document) -> Document:
    restore = run.get("ApplicationRestoreConfiguration") or {
        "ApplicationRestoreType": "RESTORE_FROM_LATEST_SNAPSHOT"
    }
    flink = run.get("FlinkRunConfiguration") or {"AllowNonRestoredState": False}
    return {
        "ApplicationRestoreConfigurationDescription": restore,
        "FlinkRunConfigurationDescription": flink,
    }


def _code(code: Document) -> Document:
    content = code.get("CodeContent") or {}
    shown: Document = {"CodeContentType": code["CodeContentType"]}
    inner: Document = {}
    if content.get("TextContent") is not None:
        inner["TextContent"] = content["TextContent"]
        inner["CodeSize"] = len(content["TextContent"].encode())
    if content.get("S3ContentLocation") is not None:
        inner["S3ApplicationCodeLocationDescription"] = content["S3ContentLocation"]
    if inner:
        shown["CodeContentDescription"] = inner
    return shown


def _described_part(given: Document) -> Document:
    """Each part under its name in a description; ids are numbers within their list."""
    shown: Document = {}
    for key, value in given.items():
        nested = isinstance(value, dict) and not _is_leaf(key)
        name = _RENAMED.get(key)
        if name is None:
            name = f"{key}Description" if nested and key.endswith(_SUFFIXES) else key
        if key == "CustomArtifactsConfiguration":
            name = "CustomArtifactsConfigurationDescription"
        if isinstance(value, list) and value and isinstance(value[0], dict):
            rows = [_described_part(row) for row in value]
            if name in _IDS:
                for number, row in enumerate(rows, 1):
                    row.setdefault(_IDS[name], f"{number}.1")
                    if name == "InputDescriptions":
                        row["InAppStreamNames"] = [f"{row['NamePrefix']}_001"]
            shown[name] = rows
        else:
            shown[name] = _described_part(value) if nested else value
    return shown


_SUFFIXES = ("Configuration",)


def _is_leaf(key: str) -> bool:
    return key in ("PropertyMap", "InputSchema", "ReferenceSchema", "DestinationSchema")


def updated(before: Document, change: Document) -> Document:
    """A configuration with an ApplicationConfigurationUpdate.

    Raises:
        AwsError: ``UnsupportedOperationException`` for parts of SQL-1_0 applications.
    """
    if "SqlApplicationConfigurationUpdate" in change or "VpcConfigurationUpdates" in change:
        part = next(k for k in change if k.startswith(("Sql", "Vpc")))
        message = f"{part} is not supported here"
        raise AwsError("UnsupportedOperationException", message)
    after = dict(before)
    for key, value in change.items():
        name = _configured(key)
        if name == "EnvironmentProperties" or not isinstance(value, dict):
            after[name] = value
        else:
            after[name] = updated(after.get(name) or {}, value)
    content = after.get("CodeContent")
    if content is not None and set(content) & {"TextContent"} and "CodeContentUpdate" in change:
        after["CodeContent"] = {k: v for k, v in content.items() if k == "TextContent"}
    return after


def _configured(key: str) -> str:
    """The name in a configuration of a part's update."""
    if key == "EnvironmentPropertyUpdates":
        return "EnvironmentProperties"
    return key.removesuffix("Update")


def checked_text(text: Any, what: str, high: int) -> None:
    """Refuse a text that is too long, in AWS's words."""
    if isinstance(text, str) and len(text) > high:
        message = (
            f"1 validation error detected: Value at '{what}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {high}"
        )
        raise AwsError("ValidationException", message)
