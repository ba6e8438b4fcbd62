"""A whole deploy to an empty virtual board beside `mpremote cp -r` of the same bytes; a deploy of all over another; a
deploy of nothing new.

python tests/benchmarks/deploy_speed.py [--times 3]
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "host" / "support")]

from deploy_bench import old_firmware  # noqa: E402
from dibble_tools.deploy.deploying import Outcome, deploy  # noqa: E402
from dibble_tools.deploy.request import Request  # noqa: E402
from dibble_tools.model.host_model import HostModel  # noqa: E402
from dibble_tools.virtual_board.board import VirtualBoard  # noqa: E402
from node_helpers import soil_model  # noqa: E402

NAME = "deploy-speed"


def timed(act: Callable[[], object]) -> float:
    started = time.monotonic()
    act()
    return time.monotonic() - started


def measure(folder: Path) -> dict[str, float]:
    """Return seconds of each."""
    found: dict[str, float] = {}
    steps: list[float] = []

    def run(board: VirtualBoard) -> Outcome:
        steps.clear()
        outcome = deploy(board.port, request, step=lambda text: steps.append(time.monotonic()))
        assert not outcome.first_run or outcome.first_run.works
        return outcome

    with VirtualBoard.start(folder / "flash", name=NAME, flash="2m", sensors=True) as board:
        (folder / "config.json").write_text(json.dumps(board.config))
        request = Request(HostModel.tested(soil_model(400)), folder / "config.json")
        outcome = run(board)
        found["deploy to an empty board"] = steps[-1] - steps[0]
        found["... and the node's first decision"] = outcome.seconds
        found["deploy of nothing new"] = timed(lambda: run(board))
    for path, content in outcome.plan.writes.items():
        (folder / "files" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "files" / path).write_bytes(content)
    with VirtualBoard.start(folder / "flash2", name=NAME, flash="2m") as board:
        command = ["mpremote", "connect", os.path.realpath(board.port), "cp", "-r", f"{folder / 'files'}/.", ":/"]
        found["mpremote cp -r"] = timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    with VirtualBoard.start(folder / "flash3", name=NAME, flash="2m", sensors=True) as board:
        with old_firmware(folder / "old"):
            run(board)
        outcome = run(board)
        found[f"deploy of {len(outcome.plan.writes)} files that changed"] = steps[-1] - steps[0]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3)
    for _ in range(parser.parse_args().times):
        folder = Path(tempfile.mkdtemp())
        try:
            found = measure(folder)
        finally:
            shutil.rmtree(folder)
        cp = found["mpremote cp -r"]
        print(
            "; ".join(f"{what} {seconds:.1f} s ({seconds / cp:.2f} x)" for what, seconds in found.items()), flush=True
        )


if __name__ == "__main__":
    main()
