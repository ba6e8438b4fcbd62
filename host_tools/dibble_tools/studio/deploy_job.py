"""The jobs at the board: `dibble deploy`'s own functions, with their steps for the page; or only a new start."""

import io
from pathlib import Path
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.common.terminal import Console
from dibble_tools.deploy.board_state import look
from dibble_tools.deploy.deploying import deploy
from dibble_tools.deploy.drive import deploy_to_drive, find_drive
from dibble_tools.deploy.first_run import FirstRun, wait_for_node
from dibble_tools.deploy.report import deploy_table, show, told
from dibble_tools.deploy.request import Request, stages_beside
from dibble_tools.deploy.transfer import TrialError
from dibble_tools.link.session import Session
from dibble_tools.model.host_model import HostModel
from dibble_tools.studio.job_process import run, tell

WIDTH = 70  # of the log's tables


def work(asked: dict[str, Any]) -> dict[str, Any]:
    """Bring a board to what is asked for, or only start its program anew.

    Args:
        asked: port; restart, True to write nothing; rollback, True for the model of before; model and config as
            paths, or None; virtual, True where the board has no drive of its own.
    Returns:
        words for people, and what the node "said" at its start, so that who hears it next knows its fields.
    """
    port = asked["port"]
    if asked["restart"]:
        return _result(_start(port), [])
    model, config = asked["model"], asked["config"]
    request = Request(
        HostModel.open(Path(model)) if model else None,
        Path(config) if config else None,
        stages=stages_beside(Path(model)) if model else {},
    )
    drive = None if asked["virtual"] else _drive(port)
    if drive and asked.get("rollback"):
        raise InputError("expected a MicroPython board to go back on: on CircuitPython, deploy the model of before")
    if drive:
        board, plan = deploy_to_drive(drive, request)
        _log(board, deploy_table(plan, True))
        return {"words": [f"Written to the drive of {board}. It starts anew by itself."], "said": ""}
    steps: list[str] = []
    back = bool(asked.get("rollback"))

    def step(text: str) -> None:
        steps.append(text)
        tell(step=text, share=None, log=text)

    try:
        outcome = deploy(
            port,
            request,
            rollback=back,
            step=step,
            progress=lambda done, all_: tell(step=steps[-1], share=done / all_),
        )
    except TrialError as error:
        raise InputError(f"the board refuses it, and runs what it ran before: {error}") from None
    console = _console()
    show(console, outcome)
    _log_text(console)
    done = "Everything is on the board" if outcome.written else "Everything was on the board already"
    done = "The model of before runs again" if back else done
    return _result(outcome.first_run or _start(port), [f"{done} ({outcome.seconds:.0f} s)."])


def _drive(port: str) -> Path | None:
    """Return the drive of the board at a port where it runs CircuitPython."""
    drive = find_drive()
    if drive is None:
        return None
    with Session.open(port) as session:
        return drive if look(session).runtime == "circuitpython" else None


def _start(port: str) -> FirstRun:
    tell(step="starting the node", log="starting the node")
    with Session.open(port) as session:
        session.restart()
        first_run = wait_for_node(session)
    for text in told(first_run):
        tell(log=text)
    return first_run


def _result(first_run: FirstRun, words: list[str]) -> dict[str, Any]:
    last = told(first_run)[-1]
    if first_run.errors or not first_run.works:
        raise InputError(f"the node doesn’t work yet: {last}")
    return {"words": [*words, last[:1].upper() + last[1:] + "."], "said": first_run.said}


def _console() -> Console:
    return Console(file=io.StringIO(), width=WIDTH, no_color=True)


def _log(*parts: Any) -> None:
    console = _console()
    console.print(*parts, markup=False)
    _log_text(console)


def _log_text(console: Console) -> None:
    assert isinstance(console.file, io.StringIO)
    for line in console.file.getvalue().splitlines():
        if line.strip():
            tell(log=line.rstrip())


if __name__ == "__main__":
    run(work)
