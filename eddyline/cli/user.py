"""``eddyline user``: who may sign in to the studio, and with which access keys the API is called.

Everything is in the data directory, so these commands work beside a running server, which sees a
change within a second.
"""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eddyline.cli.opening import DataDir, Json, settings_of
from eddyline.cli.terminal import line, listing, moment, say
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

Name = Annotated[str, typer.Argument(help="The user's name.")]
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
    name: Name,
    data_dir: DataDir = None,
    password: Annotated[
        bool, typer.Option("--password/--no-password", help="Without one: access keys only.")
    ] = True,
    policy: Policy = None,
) -> None:
    """Add a user."""
    document = None if policy is None else _document(policy)
    secret = _password(name) if password else None
    _users(data_dir).add(name, secret, document)
    say(f"user {name} is added")


@app.command("list")
def list_users(data_dir: DataDir = None, as_json: Json = False) -> None:
    """All users."""
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
def remove(name: Name, data_dir: DataDir = None) -> None:
    """Remove a user, with keys and sessions."""
    _users(data_dir).remove(name)
    say(f"user {name} is removed")


@app.command()
def passwd(name: Name, data_dir: DataDir = None) -> None:
    """Change a password; whoever was signed in with it is signed out."""
    _users(data_dir).set_password(name, _password(name))
    say(f"the password of {name} is changed")


@app.command()
def policy(
    name: Name,
    file: Annotated[Path | None, typer.Argument(help="IAM policy document (JSON).")] = None,
    data_dir: DataDir = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="Remove the policy: no limits.")
    ] = False,
) -> None:
    """Show or change what a user may do."""
    users = _users(data_dir)
    if file is None and not everything:
        sys.stdout.write((users.policy(name) or "") + "\n")
        return
    if file is not None and everything:
        msg = "give a file or --everything, not both"
        raise EddylineError("invalid_argument", msg)
    users.set_policy(name, None if file is None else _document(file))
    say(f"user {name} may do {'everything' if file is None else 'what the policy allows'}")


@app.command()
def link(data_dir: DataDir = None) -> None:
    """A link to the studio of the running server that signs in once."""
    from eddyline.auth.signin import SignIn
    from eddyline.server import url
    from eddyline.service.directory import DataDirectory

    directory = DataDirectory(settings_of(data_dir).data_dir)
    told = directory.holder() or {}
    if not told.get("port"):
        msg = f"no studio is running on {directory.path}"
        raise EddylineError("not_running", msg, hint="eddyline up")
    sys.stdout.write(SignIn(directory.path).link(url(told["host"], told["port"])) + "\n")


@keys.command("add")
def add_key(name: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Make an access key and print it as an AWS client wants it."""
    made = _users(data_dir).add_key(name)
    if as_json:
        line({"user": made.user, "access_key_id": made.key_id, "secret_access_key": made.secret})
        return
    sys.stdout.write(f"export AWS_ACCESS_KEY_ID={made.key_id}\n")
    sys.stdout.write(f"export AWS_SECRET_ACCESS_KEY={made.secret}\n")


@keys.command("list")
def list_keys(
    name: Annotated[str | None, typer.Argument(help="Of this user only.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Access keys, without their secrets."""
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
    key_id: Annotated[str, typer.Argument(help="The access key.")], data_dir: DataDir = None
) -> None:
    """Remove an access key; requests signed with it are refused within a second."""
    _users(data_dir).remove_key(key_id)
    say(f"access key {key_id} is removed")


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
