"""IAM through boto3 and the AWS CLI, and that what it gives and takes counts at the endpoint."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from eddyline.auth.rights import Rights
from eddyline.auth.signin import SignIn
from eddyline.auth.users import Users
from eddyline.errors import EddylineError
from tests.aws.kinesis.test_command_line import AWS
from tests.aws.test_services import client

ACCOUNT = "000000000000"
TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "kinesisanalytics.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}


def document(action: str = "kinesis:ListStreams", effect: str = "Allow") -> str:
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Account:
    """An endpoint that checks keys, with an administrator."""

    def __init__(self, endpoint: str, directory: Path) -> None:
        self.endpoint = endpoint
        self.directory = directory
        (key,) = Users(directory).access_keys("admin")
        self.keys = {"aws_access_key_id": key.key_id, "aws_secret_access_key": key.secret}
        self.iam = client(endpoint, "iam", **self.keys)

    def of(self, key: dict[str, str], service: str = "kinesis") -> Any:
        return client(
            self.endpoint,
            service,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )


@pytest.fixture(scope="module")
def account(started: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Account:
    directory = tmp_path_factory.mktemp("account")
    users = Users(directory)
    users.add("admin")
    users.add_key("admin")
    return Account(started(data_dir=directory, require_keys=True), directory)


def error(operation: Any, **members: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        operation(**members)
    response = caught.value.response["Error"]
    return response["Code"], response["Message"]


def test_a_user_may_do_what_its_policies_and_groups_allow(account: Account) -> None:
    iam = account.iam
    user = iam.create_user(UserName="ann", Path="/team/", Tags=[{"Key": "t", "Value": "1"}])
    assert user["User"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/ann"
    assert error(iam.create_user, UserName="ANN")[0] == "EntityAlreadyExists"
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    kinesis = account.of(key)
    assert error(kinesis.list_streams)[0] == "AccessDeniedException"
    iam.create_group(GroupName="readers")
    iam.put_group_policy(
        GroupName="readers", PolicyName="streams", PolicyDocument=document("kinesis:List*")
    )
    iam.add_user_to_group(GroupName="readers", UserName="ann")
    until(lambda: kinesis.list_streams()["StreamNames"] == [])
    assert [u["UserName"] for u in iam.get_group(GroupName="readers")["Users"]] == ["ann"]
    (group,) = iam.list_groups_for_user(UserName="ann")["Groups"]
    assert group["GroupName"] == "readers"
    iam.put_user_policy(
        UserName="ann", PolicyName="no", PolicyDocument=document("kinesis:*", "Deny")
    )
    until(lambda: error_or_ok(kinesis.list_streams) == "AccessDeniedException")
    shown = iam.get_user_policy(UserName="ann", PolicyName="no")["PolicyDocument"]
    assert shown["Statement"][0]["Effect"] == "Deny"
    assert iam.list_user_policies(UserName="ann")["PolicyNames"] == ["no"]
    me = account.of(key, "iam")
    assert error(me.get_user)[0] == "AccessDenied"
    assert error(iam.delete_user, UserName="ann")[0] == "DeleteConflict"
    iam.update_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    until(lambda: error_or_ok(kinesis.list_streams) == "UnrecognizedClientException")
    (listed,) = iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]
    assert (listed["Status"], "SecretAccessKey" in listed) == ("Inactive", False)
    iam.update_user(UserName="ann", NewUserName="anna", NewPath="/")
    assert iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["UserName"] == "anna"
    assert iam.get_user(UserName="anna")["User"]["Tags"] == [{"Key": "t", "Value": "1"}]
    iam.tag_user(UserName="anna", Tags=[{"Key": "u", "Value": "2"}])
    iam.untag_user(UserName="anna", TagKeys=["t"])
    assert iam.list_user_tags(UserName="anna")["Tags"] == [{"Key": "u", "Value": "2"}]
    iam.delete_access_key(UserName="anna", AccessKeyId=key["AccessKeyId"])
    assert error(iam.delete_access_key, UserName="anna", AccessKeyId=key["AccessKeyId"])[0] == (
        "NoSuchEntity"
    )
    iam.delete_user_policy(UserName="anna", PolicyName="no")
    iam.remove_user_from_group(GroupName="readers", UserName="anna")
    iam.delete_user(UserName="anna")
    assert error(iam.get_user, UserName="anna") == (
        "NoSuchEntity",
        "The user with name anna cannot be found.",
    )
    iam.delete_group_policy(GroupName="readers", PolicyName="streams")
    iam.update_group(GroupName="readers", NewGroupName="writers")
    iam.delete_group(GroupName="writers")
    assert iam.list_groups()["Groups"] == []


def until(holds: Callable[[], bool]) -> None:
    """Wait for what other processes may remember for a second."""
    import time

    end = time.monotonic() + 10
    while True:
        try:
            if holds():
                return
        except ClientError:
            pass
        assert time.monotonic() < end
        time.sleep(0.1)


def error_or_ok(operation: Any) -> str:
    try:
        operation()
    except ClientError as failure:
        return str(failure.response["Error"]["Code"])
    return "ok"


def test_a_user_of_the_commands_is_an_iam_user_too(account: Account) -> None:
    Users(account.directory).add("cli", policy=document("kinesis:ListStreams"))
    names = {user["UserName"] for user in account.iam.list_users()["Users"]}
    assert {"admin", "cli"} <= names
    results = account.iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/cli",
        ActionNames=["kinesis:ListStreams", "kinesis:PutRecord"],
    )["EvaluationResults"]
    assert [r["EvalDecision"] for r in results] == ["allowed", "implicitDeny"]
    me = account.iam.get_user()["User"]
    assert me["UserName"] == "admin"
    keys = [account.iam.create_access_key(UserName="cli")["AccessKey"] for _ in range(2)]
    assert error(account.iam.create_access_key, UserName="cli") == (
        "LimitExceeded",
        "Cannot exceed quota for AccessKeysPerUser: 2",
    )
    for key in keys:
        account.iam.delete_access_key(UserName="cli", AccessKeyId=key["AccessKeyId"])
    account.iam.delete_user(UserName="cli")
    assert "cli" not in {user.name for user in Users(account.directory).list()}


def test_a_login_profile_is_the_studios_password(account: Account) -> None:
    iam = account.iam
    iam.create_user(UserName="web")
    iam.create_login_profile(UserName="web", Password="correct horse battery")
    assert error(iam.create_login_profile, UserName="web", Password="x" * 12)[0] == (
        "EntityAlreadyExists"
    )
    signin, rights = SignIn(account.directory), Rights(account.directory)
    assert signin.check(signin.sign_in("web", "correct horse battery")) == "web"
    assert not rights.may_open("web", "/notes")
    iam.put_user_policy(
        UserName="web", PolicyName="notes", PolicyDocument=document("eddyline:RunNotes")
    )
    assert rights.may_open("web", "/notes")
    assert not rights.may_open("web", "/users")
    iam.update_login_profile(UserName="web", Password="another horse battery")
    with pytest.raises(EddylineError, match="wrong"):
        signin.sign_in("web", "correct horse battery")
    assert iam.get_login_profile(UserName="web")["LoginProfile"]["UserName"] == "web"
    iam.delete_user_policy(UserName="web", PolicyName="notes")
    assert error(iam.delete_user, UserName="web")[1] == (
        "Cannot delete entity, must delete login profile first."
    )
    iam.delete_login_profile(UserName="web")
    assert error(iam.get_login_profile, UserName="web")[0] == "NoSuchEntity"
    iam.delete_user(UserName="web")


def test_roles_have_trust_policies_descriptions_and_tags(account: Account) -> None:
    iam = account.iam
    made = iam.create_role(
        RoleName="writer",
        AssumeRolePolicyDocument=json.dumps(TRUST),
        Description="writes",
        MaxSessionDuration=7200,
        Tags=[{"Key": "a", "Value": "b"}],
    )["Role"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/writer"
    assert made["AssumeRolePolicyDocument"] == TRUST
    code, message = error(iam.create_role, RoleName="bad", AssumeRolePolicyDocument=document())
    assert (code, message) == ("MalformedPolicyDocument", "Has prohibited field Resource")
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/x"
    refused = {"RoleName": "bad", "AssumeRolePolicyDocument": json.dumps(TRUST)}
    code, _ = error(iam.create_role, **refused, PermissionsBoundary=boundary)
    assert code == "NotImplemented"
    iam.update_role(RoleName="writer", Description="writes more", MaxSessionDuration=3600)
    iam.update_assume_role_policy(
        RoleName="writer",
        PolicyDocument=json.dumps({**TRUST, "Statement": [TRUST["Statement"]]}),
    )
    role = iam.get_role(RoleName="writer")["Role"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("writes more", 3600)
    assert isinstance(role["AssumeRolePolicyDocument"]["Statement"], list)
    described = iam.update_role_description(RoleName="writer", Description="again")["Role"]
    assert described["Description"] == "again"
    iam.tag_role(RoleName="writer", Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_role(RoleName="writer", TagKeys=["a"])
    assert iam.list_role_tags(RoleName="writer")["Tags"] == [{"Key": "c", "Value": "d"}]
    assert iam.list_instance_profiles_for_role(RoleName="writer")["InstanceProfiles"] == []
    iam.put_role_policy(RoleName="writer", PolicyName="put", PolicyDocument=document())
    assert iam.list_role_policies(RoleName="writer")["PolicyNames"] == ["put"]
    assert error(iam.delete_role, RoleName="writer")[1] == (
        "Cannot delete entity, must delete policies first."
    )
    iam.delete_role_policy(RoleName="writer", PolicyName="put")
    names = [r["RoleName"] for r in iam.list_roles()["Roles"]]
    assert names == ["writer"]
    iam.delete_role(RoleName="writer")
    assert error(iam.get_role, RoleName="writer")[0] == "NoSuchEntity"


def test_managed_policies_have_versions_and_are_attached(account: Account) -> None:
    iam = account.iam
    policy = iam.create_policy(
        PolicyName="list", PolicyDocument=document(), Tags=[{"Key": "a", "Value": "b"}]
    )["Policy"]
    arn = policy["Arn"]
    assert (arn, policy["DefaultVersionId"]) == (f"arn:aws:iam::{ACCOUNT}:policy/list", "v1")
    assert error(iam.create_policy, PolicyName="list", PolicyDocument=document())[0] == (
        "EntityAlreadyExists"
    )
    code, _ = error(iam.create_policy, PolicyName="bad", PolicyDocument='{"Statement": 1}')
    assert code == "MalformedPolicyDocument"
    iam.create_role(RoleName="holder", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.attach_role_policy(RoleName="holder", PolicyArn=arn)
    simulated = {
        "PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:role/holder",
        "ActionNames": ["kinesis:ListStreams"],
    }

    def decision() -> str:
        (row,) = iam.simulate_principal_policy(**simulated)["EvaluationResults"]
        return str(row["EvalDecision"])

    assert decision() == "allowed"
    iam.create_policy_version(
        PolicyArn=arn, PolicyDocument=document("kinesis:*", "Deny"), SetAsDefault=True
    )
    assert decision() == "explicitDeny"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    assert decision() == "allowed"
    shown = iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]
    assert shown["Document"]["Statement"][0]["Effect"] == "Deny"
    ids = [v["VersionId"] for v in iam.list_policy_versions(PolicyArn=arn)["Versions"]]
    assert ids == ["v2", "v1"]
    assert error(iam.delete_policy_version, PolicyArn=arn, VersionId="v1")[0] == "DeleteConflict"
    holders = iam.list_entities_for_policy(PolicyArn=arn)
    assert [r["RoleName"] for r in holders["PolicyRoles"]] == ["holder"]
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    (attached,) = iam.list_attached_role_policies(RoleName="holder")["AttachedPolicies"]
    assert attached == {"PolicyName": "list", "PolicyArn": arn}
    assert error(iam.delete_policy, PolicyArn=arn)[0] == "DeleteConflict"
    iam.detach_role_policy(RoleName="holder", PolicyArn=arn)
    assert error(iam.detach_role_policy, RoleName="holder", PolicyArn=arn)[0] == "NoSuchEntity"
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_policy(PolicyArn=arn, TagKeys=["a"])
    assert iam.list_policy_tags(PolicyArn=arn)["Tags"] == [{"Key": "c", "Value": "d"}]
    local = iam.list_policies(Scope="Local")["Policies"]
    assert [p["Arn"] for p in local] == [arn]
    aws = iam.get_paginator("list_policies").paginate(Scope="AWS", PaginationConfig={"PageSize": 2})
    arns = [p["Arn"] for answer in aws for p in answer["Policies"]]
    assert "arn:aws:iam::aws:policy/AdministratorAccess" in arns
    assert len(arns) == len(set(arns)) > 2
    assert error(iam.delete_policy, PolicyArn=arns[0])[0] == "AccessDenied"
    iam.delete_policy(PolicyArn=arn)
    iam.delete_role(RoleName="holder")


def test_a_simulation_of_documents_asks_for_each_action_and_resource(account: Account) -> None:
    statement = {"Effect": "Allow", "Action": "kinesis:Put*", "Resource": "*:stream/a"}
    condition = {"StringEquals": {"aws:username": "ann"}}
    text = json.dumps({"Statement": {**statement, "Condition": condition}})
    arns = [f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{name}" for name in "ab"]
    given = {"PolicyInputList": [text], "ActionNames": ["kinesis:PutRecord"], "ResourceArns": arns}
    key = {"ContextKeyName": "aws:username", "ContextKeyType": "string"}

    def decisions(user: str) -> list[str]:
        entries = [{**key, "ContextKeyValues": [user]}]
        answer = account.iam.simulate_custom_policy(**given, ContextEntries=entries)
        return [row["EvalDecision"] for row in answer["EvaluationResults"]]

    assert decisions("ann") == ["allowed", "implicitDeny"]
    assert decisions("bob") == ["implicitDeny", "implicitDeny"]
    assert error(
        account.iam.simulate_principal_policy,
        PolicySourceArn="arn:aws:iam::000000000000:root",
        ActionNames=["kinesis:PutRecord"],
    )[0] == ("InvalidInput")


def test_a_caller_needs_the_right_to_manage_others(account: Account) -> None:
    iam = account.iam
    iam.create_user(UserName="self")
    own = {"Effect": "Allow", "Action": "iam:*AccessKey*", "Resource": "*:user/${aws:username}"}
    statement = {**own, "Resource": f"arn:aws:iam::{ACCOUNT}:user/self"}
    iam.put_user_policy(
        UserName="self", PolicyName="own", PolicyDocument=json.dumps({"Statement": statement})
    )
    key = iam.create_access_key(UserName="self")["AccessKey"]
    me = account.of(key, "iam")
    (listed,) = me.list_access_keys(UserName="self")["AccessKeyMetadata"]
    assert listed["AccessKeyId"] == key["AccessKeyId"]
    code, message = error(me.create_access_key, UserName="admin")
    assert code == "AccessDenied"
    assert f"iam:CreateAccessKey on resource: arn:aws:iam::{ACCOUNT}:user/admin" in message
    assert error(me.attach_user_policy, UserName="self", PolicyArn="arn:aws:iam::aws:policy/" + (
        "AdministratorAccess"))[0] == "AccessDenied"  # fmt: skip


@pytest.mark.parametrize(
    "policy",
    [
        "no JSON",
        '{"Statement": {"Effect": "Perhaps", "Action": "*", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "*"}}',
        '{"Version": "1999-01-01", "Statement": []}',
    ],
)
def test_a_role_is_not_lent_with_an_invalid_policy(account: Account, policy: str) -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/admin"},
        "Action": "sts:AssumeRole",
    }
    if "lent" not in {r["RoleName"] for r in account.iam.list_roles()["Roles"]}:
        account.iam.create_role(
            RoleName="lent", AssumeRolePolicyDocument=json.dumps({"Statement": trust})
        )
    sts = client(account.endpoint, "sts", **account.keys)
    role = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/lent", "RoleSessionName": "night"}
    assert sts.assume_role(**role, Policy=document())["Credentials"]
    code, _ = error(sts.assume_role, **role, Policy=policy)
    assert code == "MalformedPolicyDocument"


@pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is not installed")
def test_the_aws_cli_manages_roles(account: Account, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": account.endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": account.keys["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": account.keys["aws_secret_access_key"],
    }
    trust = tmp_path / "trust.json"
    trust.write_text(json.dumps(TRUST))

    def aws(*arguments: str) -> Any:
        command = [sys.executable, str(AWS), "iam", *arguments, "--output", "json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else {}

    made = aws(
        "create-role", "--role-name", "by-cli", "--assume-role-policy-document", f"file://{trust}"
    )
    assert made["Role"]["AssumeRolePolicyDocument"] == TRUST
    aws("delete-role", "--role-name", "by-cli")
