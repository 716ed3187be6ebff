"""``eddyline up``: the studio and the AWS endpoint, until Ctrl-C."""

from __future__ import annotations

from typing import Annotated

import typer

from eddyline.cli.opening import DataDir, Json
from eddyline.cli.terminal import line


def up(
    data_dir: DataDir = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the studio; 0: a free one.")] = None,
    api_port: Annotated[
        int | None, typer.Option(help="Port of the AWS endpoint; 0: a free one.")
    ] = None,
    api_workers: Annotated[int | None, typer.Option(help="Processes of the endpoint.")] = None,
    allow_host: Annotated[
        str | None, typer.Option(help="Further names it answers to, by commas (containers).")
    ] = None,
    tls: Annotated[
        bool | None, typer.Option("--tls", help="The AWS endpoint and the studio over TLS.")
    ] = None,
    require_keys: Annotated[
        bool | None, typer.Option("--require-keys", help="Check signatures and policies.")
    ] = None,
    studio: Annotated[bool, typer.Option("--studio/--no-studio", help="The web studio.")] = True,
    as_json: Json = False,
) -> None:
    """Start the studio and the AWS endpoint, and serve until Ctrl-C.

    With --json the addresses come as one object once everything answers.

    \b
    Examples:
      eddyline up
      eddyline up --data-dir /srv/eddyline --api-port 4600
      eddyline up --no-studio --api-port 0 --json
      eddyline up --host 0.0.0.0 --allow-host lab.example.org --tls
    """
    from eddyline.server import Server
    from eddyline.service.child import leave
    from eddyline.settings import load

    settings = load(
        data_dir=data_dir,
        host=host,
        port=port,
        api_port=api_port,
        api_workers=api_workers,
        allow_host=allow_host,
        tls=tls,
        require_keys=require_keys,
    )
    server = Server(settings, studio=studio)
    server.run((lambda: line(server.addresses())) if as_json else None)
    leave(0)


def register(to: typer.Typer) -> None:
    """Add the command."""
    to.command("up")(up)
