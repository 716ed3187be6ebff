"""``eddyline user``: who may sign in to the studio, and with which access keys the API is called.

Everything is in the data directory, so these commands work beside a running server, which sees a
change within a second.
"""

from __future__ import annotations

import getpass
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eddyline.cli.names import user_names
from eddyline.cli.opening import DataDir, Json, settings_of
from eddyline.cli.terminal import line, listing, moment, outcome
from eddyline.errors import EddylineError

if TYPE_CHECKING:
    from eddyline.auth.users import Users

app = typer.Typer(
    no_args_is_help=True,
    help="""Who may sign in, and with which access keys.

\b
Examples:
  eddyline user add ann               asks for a password
  eddyline user add robot --no-password --policy read-only.json
  eddyline user key add robot         prints what an AWS client needs
  eddyline user link                  a link that signs in once

A password is asked for, or read from standard input, or from
EDDYLINE_PASSWORD. A user without a policy may do everything.""",
)
keys = typer.Typer(no_args_is_help=True, help="Access keys: add, list, remove.")
app.add_typer(keys, name="key")

NewName = Annotated[str, typer.Argument(help="The user's name.")]
Name = Annotated[str, typer.Argument(help="The user's name.", autocompletion=user_names)]
Policy = Annotated[
    Path | None, typer.Option("--policy", help="File with an IAM policy document (JSON).")
]
VARIABLE = "EDDYLINE_PASSWORD"


def _users(data_dir: Path | None) -> Users:
    from eddyline.auth.users import Users
    from eddyline.service.directory import DataDirectory

    directory = DataDirectory(settings_of(data_dir).data_dir)
    directory.prepare()
    return Users(directory.path)


@app.command()
def add(
    name: NewName,
    data_dir: DataDir = None,
    password: Annotated[
        bool, typer.Option("--password/--no-password", help="Without one: access keys only.")
    ] = True,
    policy: Policy = None,
    generator_only: Annotated[
        bool, typer.Option("--generator-only", help="May use the generator and nothing else.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add a user.

    \b
    Examples:
      eddyline user add ann
      echo "$PASSWORD" | eddyline user add ann
      eddyline user add robot --no-password --policy read-only.json
      eddyline user add student --generator-only
    """
    if generator_only and policy is not None:
        msg = "--generator-only is a policy; give either it or --policy"
        raise EddylineError("invalid_argument", msg, hint="leave one of the two out")
    from eddyline.auth.rights import GENERATOR_ONLY

    document = None if policy is None else _document(policy)
    document = GENERATOR_ONLY if generator_only else document
    secret = _password(name) if password else None
    _users(data_dir).add(name, secret, document)
    result = {"user": name, "password": password, "policy": document is not None}
    outcome(result, f"user {name} is added", as_json)


@app.command("list")
def list_users(data_dir: DataDir = None, as_json: Json = False) -> None:
    """All users.

    \b
    Examples:
      eddyline user list
      eddyline user list --json
    """
    columns = (
        ("user", lambda u: u["name"]),
        ("password", lambda u: "yes" if u["password"] else "no"),
        ("keys", lambda u: u["keys"]),
        ("may", lambda u: "what its policy allows" if u["policy"] else "everything"),
        ("since (UTC)", lambda u: moment(u["created_ms"])),
    )
    rows: list[dict[str, Any]] = [
        {
            "name": u.name,
            "password": u.has_password,
            "keys": u.keys,
            "policy": u.policy is not None,
            "created_ms": u.created_ms,
        }
        for u in _users(data_dir).list()
    ]
    listing(rows, columns, as_json, "no users; eddyline user add NAME")


@app.command()
def remove(name: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Remove a user, with keys and sessions.

    \b
    Examples:
      eddyline user remove ann
    """
    _users(data_dir).remove(name)
    outcome({"user": name, "removed": True}, f"user {name} is removed", as_json)


@app.command()
def passwd(name: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Change a password; whoever is signed in as this user is signed out.

    \b
    Examples:
      eddyline user passwd ann
    """
    _users(data_dir).set_password(name, _password(name))
    outcome({"user": name, "changed": True}, f"the password of {name} is changed", as_json)


@app.command()
def policy(
    name: Name,
    file: Annotated[Path | None, typer.Argument(help="IAM policy document (JSON).")] = None,
    data_dir: DataDir = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="Remove the policy: no limits.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show or change what a user may do.

    \b
    Examples:
      eddyline user policy ann
      eddyline user policy ann read-only.json
      eddyline user policy ann --everything
    """
    users = _users(data_dir)
    if file is None and not everything:
        document = users.policy(name)
        if as_json:
            line({"user": name, "policy": json.loads(document) if document else None})
        else:
            sys.stdout.write((document or "") + "\n")
        return
    if file is not None and everything:
        msg = "give a file or --everything, not both"
        raise EddylineError("invalid_argument", msg)
    users.set_policy(name, None if file is None else _document(file))
    may = "everything" if file is None else "what the policy allows"
    outcome({"user": name, "policy": file is not None}, f"user {name} may do {may}", as_json)


@app.command()
def link(data_dir: DataDir = None, as_json: Json = False) -> None:
    """A link to the studio of the running server that signs in once.

    \b
    Examples:
      eddyline user link
    """
    from eddyline.auth.signin import SignIn
    from eddyline.server import url
    from eddyline.service.directory import DataDirectory

    directory = DataDirectory(settings_of(data_dir).data_dir)
    holder = directory.holder() or {}
    if not holder.get("port"):
        msg = f"no studio is running on {directory.path}"
        raise EddylineError("not_running", msg, hint="eddyline up")
    address = SignIn(directory.path).link(url(holder["host"], holder["port"]))
    if as_json:
        line({"link": address})
    else:
        sys.stdout.write(address + "\n")


@keys.command("add")
def add_key(name: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Make an access key and print it as an AWS client expects it.

    \b
    Examples:
      eddyline user key add robot
      eval "$(eddyline user key add robot)"
    """
    key = _users(data_dir).add_key(name)
    if as_json:
        line({"user": key.user, "access_key_id": key.key_id, "secret_access_key": key.secret})
        return
    sys.stdout.write(f"export AWS_ACCESS_KEY_ID={key.key_id}\n")
    sys.stdout.write(f"export AWS_SECRET_ACCESS_KEY={key.secret}\n")


@keys.command("list")
def list_keys(
    name: Annotated[str | None, typer.Argument(help="Of this user only.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Access keys, without their secrets.

    \b
    Examples:
      eddyline user key list
    """
    columns = (
        ("access key", lambda k: k["access_key_id"]),
        ("user", lambda k: k["user"]),
        ("since (UTC)", lambda k: moment(k["created_ms"])),
    )
    rows = [
        {"access_key_id": k.key_id, "user": k.user, "created_ms": k.created_ms}
        for k in _users(data_dir).access_keys(name)
    ]
    listing(rows, columns, as_json, "no access keys; eddyline user key add NAME")


@keys.command("remove")
def remove_key(
    key_id: Annotated[str, typer.Argument(help="The access key.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Remove an access key; requests signed with it are refused within a second.

    \b
    Examples:
      eddyline user key remove AKIA0123456789EXAMPLE
    """
    _users(data_dir).remove_key(key_id)
    outcome({"access_key_id": key_id, "removed": True}, f"access key {key_id} is removed", as_json)


def _password(name: str) -> str:
    """From the environment, the terminal (twice, unseen) or standard input."""
    given = os.environ.get(VARIABLE)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass(f"password of {name}: ")
    if getpass.getpass("once more: ") != first:
        msg = "the passwords differ; nothing was changed"
        raise EddylineError("invalid_argument", msg, hint="try again")
    return first


def _document(file: Path) -> str:
    """A policy document that can be understood. Raises ``not_found``, ``invalid_argument``."""
    from eddyline.auth.policy import parse

    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"the policy {file} cannot be read: {error}"
        raise EddylineError("not_found", msg, hint="give a file with a policy document") from None
    parse(text)
    return text


def register(to: typer.Typer) -> None:
    """Add the commands."""
    to.add_typer(app, name="user")
