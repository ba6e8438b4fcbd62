"""`dibble studio`: its arguments; the page is dibble_tools.studio's."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from dibble_tools.cli.output import console
from dibble_tools.common.extras import extras_named


@extras_named("studio")
def studio(
    folder: Annotated[Path, typer.Argument(help="project folder, as `dibble new` makes it")] = Path("."),
    port: Annotated[str, typer.Option(help="serial port, name of a virtual board, or auto: the one there is")] = "auto",
    http: Annotated[int, typer.Option(min=0, max=65535, help="port of the page; 0: any that is free")] = 8765,
    fleet: Annotated[
        str | None, typer.Option(help="show its nodes too: the database of `dibble fleet listen`", show_default=False)
    ] = None,
    broker: Annotated[str, typer.Option(help="with --fleet: HOST or HOST:PORT, to bring nodes a model")] = "",
    user: Annotated[str, typer.Option(help="at the broker; its password is in the environment: MQTT_PASSWORD")] = "",
    ca: Annotated[str, typer.Option(help="TLS to the broker: file of its authority, or 'system'")] = "",
    key: Annotated[Path | None, typer.Option(help="of the fleet's nodes: a file, or a folder with NODE.key")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="only say the page's address")] = False,
) -> None:
    """Show the whole journey as a page in your browser: connect, collect, train, deploy, watch. Ctrl-C ends it.

    Only you can open the page, by the address with its token; it needs no network.

    Example: dibble studio orchard-1
    """
    from dibble_tools.studio.server import run
    from dibble_tools.studio.studio import FleetPlace

    given = FleetPlace(fleet, broker, user, ca, str(key or "")) if fleet else None

    def ready(address: str) -> None:
        console.print(f"dibble studio: {address} (Ctrl-C ends it)", markup=False, soft_wrap=True)
        if not no_browser:
            import webbrowser

            webbrowser.open(_private(address, Path(place)).as_uri())

    with tempfile.TemporaryDirectory() as place:
        run(folder, port, http, ready, given)


def _private(address: str, folder: Path) -> Path:
    """Write a page that leads to an address into a folder of one's own: others see a browser's arguments."""
    path = folder / "studio.html"
    path.write_text(f'<!doctype html><meta http-equiv="refresh" content="0;url={address}">', encoding="utf-8")
    path.chmod(0o600)
    return path
