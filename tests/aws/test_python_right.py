"""Nobody has Python executed without the right to: each way in, tried by a user who lacks it."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.exceptions import ClientError

from eddyline.auth.entities import Entities, EntityKind
from eddyline.auth.grants import Grants
from eddyline.auth.rights import RUN_PYTHON, Rights
from eddyline.auth.signin import SignIn
from eddyline.auth.users import Users
from eddyline.testing import TestServer, server
from tests.aws.test_applications import INSERT, ROLE, TABLES, code, note
from tests.aws.test_services import client

NO_PYTHON = ["kinesisanalytics:*", "glue:*", "iam:PassRole", "kinesis:*", "sts:*"]
FUNCTION = "CREATE TEMPORARY FUNCTION f AS 'stolen.f' LANGUAGE PYTHON;\n"
STOLEN = "from pyflink.table.udf import udf\nopen({mark!r}, 'w')\n" + (
    "@udf(result_type='BIGINT')\ndef f(x):\n    return x\n"
)


def allowing(*actions: str) -> str:
    return json.dumps({"Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}})


class Guarded:
    """A server that checks keys, with ``ann`` who may run Python and ``bob`` who may not."""

    def __init__(self, running: TestServer, folder: Path) -> None:
        self.running = running
        self.users = Users(running.data_dir)
        self.mark = folder / "executed"
        (folder / "stolen.py").write_text(STOLEN.format(mark=str(self.mark)))
        self.python = f"open({str(self.mark)!r}, 'w')"
        self.function = f"SET 'python.files' = '{folder}';\n{FUNCTION}"

    def of(self, user: str, service: str = "kinesisanalyticsv2") -> Any:
        (key,) = self.users.access_keys(user)
        keys = {"aws_access_key_id": key.key_id, "aws_secret_access_key": key.secret}
        return client(self.running.endpoint_url, service, **keys)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    directory = tmp_path_factory.mktemp("guarded")
    users = Users(directory)
    policies = {"ann": allowing(*NO_PYTHON, RUN_PYTHON), "bob": allowing(*NO_PYTHON)}
    for name, policy in policies.items():
        users.add(name, policy=policy)
        users.add_key(name)
    with server(studio=True, data_dir=directory, require_keys=True) as running:
        for stream in ("app-in", "app-out"):
            running.services.streams.create(stream, 1)
        yield Guarded(running, tmp_path_factory.mktemp("stolen"))


def refused(operation: Any, **members: Any) -> str:
    with pytest.raises(ClientError) as caught:
        operation(**members)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def streaming(name: str, text: str) -> dict[str, Any]:
    return {
        "ApplicationName": name,
        "RuntimeEnvironment": "FLINK-1_20",
        "ServiceExecutionRole": ROLE + "unknown",
        "ApplicationConfiguration": code(text),
    }


def codes(guarded: Guarded) -> dict[str, str]:
    """Application code that has Python executed, by what does it."""
    return {
        "a function": TABLES + guarded.function + INSERT,
        "a function of a note": note(
            "%flink.ssql\n" + TABLES + guarded.function, "%flink.ssql\n" + INSERT
        ),
        "Python of a note": note(
            "%flink.pyflink\n" + guarded.python, "%flink.ssql\n" + TABLES + INSERT
        ),
    }


def test_an_application_with_python_needs_the_right_at_every_step(guarded: Guarded) -> None:
    ann, bob = guarded.of("ann"), guarded.of("bob")
    plain = streaming("plain", TABLES + INSERT)
    bob.create_application(**plain)
    for number, (what, text) in enumerate(codes(guarded).items()):
        name = f"python-{number}"
        message = refused(bob.create_application, **streaming(name, text))
        assert message.startswith("AccessDeniedException: "), what
        assert "Python" in message, what
        content = {"CodeContentUpdate": {"TextContentUpdate": text}}
        change = {"ApplicationCodeConfigurationUpdate": content}
        updating = {
            "ApplicationName": "plain",
            "CurrentApplicationVersionId": 1,
            "ApplicationConfigurationUpdate": change,
        }
        assert "AccessDeniedException" in refused(bob.update_application, **updating), what
        ann.create_application(**streaming(name, text))
        assert "AccessDeniedException" in refused(bob.start_application, ApplicationName=name)
    plain_change = {"ApplicationCodeConfigurationUpdate": {"CodeContentUpdate": {
        "TextContentUpdate": TABLES + INSERT}}}  # fmt: skip
    ann.update_application(
        ApplicationName="python-0",
        CurrentApplicationVersionId=1,
        ApplicationConfigurationUpdate=plain_change,
    )
    back = {"ApplicationName": "python-0", "CurrentApplicationVersionId": 2}
    assert "AccessDeniedException" in refused(bob.rollback_application, **back)
    assert not guarded.mark.exists()


def test_glue_keeps_a_function_and_runs_nothing(guarded: Guarded) -> None:
    given = {"FunctionName": "f", "ClassName": "stolen.f", "OwnerName": "bob"}
    glue = guarded.of("bob", "glue")
    glue.create_user_defined_function(DatabaseName="default_database", FunctionInput=given)
    bob = guarded.of("bob")
    text = TABLES + "INSERT INTO app_out SELECT n, f(n) FROM app_in;\n"
    bob.create_application(**streaming("by-glue", text))
    bob.start_application(ApplicationName="by-glue")
    operation = {}
    while operation.get("OperationStatus") in (None, "IN_PROGRESS"):
        rows = bob.list_application_operations(ApplicationName="by-glue")
        operation = rows["ApplicationOperationInfoList"][0]
    assert operation["OperationStatus"] == "FAILED"
    assert not guarded.mark.exists()


def test_a_link_opens_the_studio_with_the_callers_rights(guarded: Guarded) -> None:
    directory = guarded.running.data_dir
    ann, bob = guarded.of("ann"), guarded.of("bob")
    created = ann.create_application(
        ApplicationName="book",
        RuntimeEnvironment="ZEPPELIN-FLINK-3_0",
        ServiceExecutionRole=ROLE + "unknown",
    )
    assert created["ApplicationDetail"]["ApplicationMode"] == "INTERACTIVE"
    ann.start_application(ApplicationName="book")
    signin, rights = SignIn(directory), Rights(directory)

    def user_of(analytics: Any) -> str:
        url = analytics.create_application_presigned_url(
            ApplicationName="book", UrlType="ZEPPELIN_UI_URL"
        )["AuthorizedUrl"]
        session = signin.redeem(parse_qs(urlsplit(url).query)["token"][0])
        assert session is not None
        user = signin.check(session)
        assert user is not None
        return user

    assert (user_of(ann), user_of(bob)) == ("ann", "bob")
    assert rights.may_open("ann", "/notes")
    assert not rights.may_open("bob", "/notes")
    account = guarded.running.settings.account_id
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:user/bob"}}
    trust = {"Version": "2012-10-17", "Statement": {**trust, "Action": "sts:AssumeRole"}}
    Entities(directory).create(EntityKind.ROLE, "Opener", trust=json.dumps(trust))
    Grants(directory, account).put(EntityKind.ROLE, "Opener", "may", allowing(*NO_PYTHON))
    sts = guarded.of("bob", "sts")

    def assumed(**more: str) -> Any:
        given = {
            "RoleArn": f"arn:aws:iam::{account}:role/Opener",
            "RoleSessionName": "session",
            **more,
        }
        keys = sts.assume_role(**given)["Credentials"]
        return client(
            guarded.running.endpoint_url,
            "kinesisanalyticsv2",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    assert user_of(assumed()) == "role/Opener"
    assert not rights.may_open("role/Opener", "/notes")
    Grants(directory, account).put(EntityKind.ROLE, "Opener", "python", allowing(RUN_PYTHON))
    assert rights.may_open("role/Opener", "/notes")
    limited = assumed(Policy=allowing("kinesisanalytics:*"))
    link = {"ApplicationName": "book", "UrlType": "ZEPPELIN_UI_URL"}
    message = refused(limited.create_application_presigned_url, **link)
    assert message.startswith("AccessDeniedException: A session that a policy of its own limits")


def test_an_iam_user_has_no_rights_in_the_studio_until_a_policy_gives_them(tmp_path: Path) -> None:
    entities, grants = Entities(tmp_path), Grants(tmp_path, "000000000000")
    rights = Rights(tmp_path)
    entities.create(EntityKind.USER, "eve")
    assert not rights.may_open("eve", "/notes")
    entities.create(EntityKind.GROUP, "analysts")
    entities.join("analysts", "eve")
    grants.put(EntityKind.GROUP, "analysts", "notes", allowing(RUN_PYTHON))
    assert rights.may_open("eve", "/notes")
    grants.put(
        EntityKind.USER, "eve", "never",
        json.dumps({"Statement": {"Effect": "Deny", "Action": "eddyline:*", "Resource": "*"}}),
    )  # fmt: skip
    assert not rights.may_open("eve", "/notes")
    assert not rights.may_open("nobody", "/notes")


def test_only_its_owner_can_reach_the_socket_and_the_data(guarded: Guarded) -> None:
    """The commands, ``eddyline sql`` too, act for whoever may open these: the server's user."""
    directory = guarded.running.data_dir
    for path in (directory, directory / "control.sock"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


WHO = """
import boto3
print(boto3.client("sts").get_caller_identity()["Arn"].rpartition(":")[2])
"""


def test_python_of_a_note_calls_with_the_rights_of_the_user_who_runs_it(guarded: Guarded) -> None:
    notes = guarded.running.services.notes
    note_id = notes.create("Whose keys", ["%md\nbegin"])

    def run(code: str, user: str | None) -> str:
        paragraph = notes.add(note_id, f"%flink.pyflink\n{code}")
        notes.run(note_id, paragraph, user)
        end = time.monotonic() + 60
        while True:
            (view,) = [p for p in notes.view(note_id).paragraphs if p.id == paragraph]
            if view.status in ("FINISHED", "ERROR", "ABORT"):
                return "".join(o.text for o in view.outputs)
            assert time.monotonic() < end, view
            time.sleep(0.05)

    # One process, and boto3's own session, for both.
    assert run(WHO, "ann") == "user/ann\n"
    assert run(WHO, "bob") == "user/bob\n"
    assert run("print(len(boto3.client('kinesis').list_streams()['StreamNames']))", "ann") == "2\n"
    assert "AccessDenied" in run("boto3.client('iam').list_users()", "ann")
    assert "security token" in run(WHO, None)
