"""The end of `dibble demo`: the orchard's model on a virtual board, deployed, watched and its log fetched."""

import contextlib
import json
import tempfile
from pathlib import Path

from dibble_tools.common.shipped import MODELS
from dibble_tools.common.terminal import Console
from dibble_tools.console.feed import Feed, from_port
from dibble_tools.console.monitor import monitor
from dibble_tools.deploy.deploying import deploy
from dibble_tools.deploy.request import Request
from dibble_tools.log.fetch import fetch
from dibble_tools.model.host_model import HostModel
from dibble_tools.virtual_board.board import VirtualBoard

MODEL = MODELS / "orchard"
SPEED = 600  # ten minutes, a cycle, in a second
DECISIONS = 4


def run(console: Console) -> bool:
    """Show a node's way to a board and its log's way back; return whether all of it held."""
    with tempfile.TemporaryDirectory(prefix="dibble-") as folder, console.status("starting a virtual board") as status:
        place = Path(folder)
        name = f"demo-{place.name[-8:]}"  # of its own, beside whatever runs
        with VirtualBoard.start(place / "flash", name=name, speed=SPEED, sensors=True) as board:
            config = place / "config.json"
            config.write_text(json.dumps(board.config))
            outcome = deploy(board.port, Request(HostModel.open(MODEL), config), step=status.update)
            first_run = outcome.first_run
            if first_run is None or not first_run.works:
                console.print("the node on the virtual board didn't start", first_run and first_run.said, markup=False)
                return False
            console.print(
                f"virtual board: {len(outcome.plan.writes)} files deployed through its serial port, self-test passed "
                f"there; the node runs {first_run.model} and says:",
                markup=False,
                soft_wrap=True,
            )
            status.update("watching the node")
            plain = Console(file=console.file, force_terminal=False, highlight=False, width=console.width)
            with contextlib.closing(from_port(board.port)) as pieces:
                monitor(Feed(pieces, first_run.headers), plain, rows=DECISIONS)
            status.update("fetching its log")
            fetched = fetch(board.port, place / "log", [MODEL], status.update)
    missing = fetched.records.missing_count() or len(fetched.records.damage)
    console.print(
        f"fetched its log: {len(fetched.records.rows)} records, each CRC right, missing or damaged: {missing}",
        markup=False,
        soft_wrap=True,
    )
    return missing == 0 and len(fetched.records.rows) >= DECISIONS
