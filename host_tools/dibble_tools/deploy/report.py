"""What a deploy did, as a table."""

from rich.table import Table

from dibble_tools.common.terminal import Console
from dibble_tools.deploy.deploying import Outcome
from dibble_tools.deploy.first_run import FirstRun
from dibble_tools.deploy.plan import BOOT_STATE, Plan

LIBRARY = "lib/"


def show(console: Console, outcome: Outcome) -> None:
    """Print what a deploy to a board found and did, and what its node says."""

    def say(text: str) -> None:
        console.print(text, markup=False, emoji=False, soft_wrap=True)

    state = outcome.state
    free = state.free_blocks * state.block_bytes
    say(
        f"{state.machine}: {state.runtime} {state.version_text}, heap {state.heap_bytes} bytes, flash {free} bytes free"
    )
    for note in outcome.notes:
        say(f"note: {note}")
    if outcome.image:
        say(f"ROMFS partition: {'' if outcome.written else 'would be '}written, {len(outcome.image)} bytes")
    elif not outcome.plan:
        say(f"nothing to do: {outcome.plan.unchanged} files are there already")
    if outcome.plan:
        console.print(deploy_table(outcome.plan, outcome.written))
    if outcome.first_run:
        for text in told(outcome.first_run):
            say(text)
    say(f"{outcome.seconds:.1f} s, {outcome.sent_bytes} bytes sent")


def deploy_table(plan: Plan, written: bool) -> Table:
    """Return a table: the library in one row, every other file in its own."""
    table = Table(title="written" if written else "would be written")
    table.add_column("file")
    table.add_column("bytes", justify="right")
    library = [content for path, content in plan.writes.items() if path.startswith(LIBRARY)]
    if library:
        table.add_row(f"lib/dibble, {len(library)} files", str(sum(map(len, library))))
    for path, content in plan.writes.items():
        if not path.startswith(LIBRARY):
            table.add_row(path, str(len(content)))
    for path in plan.removals:
        if path not in BOOT_STATE:
            table.add_row(path, "removed")
    table.add_section()
    table.add_row(f"unchanged: {plan.unchanged}", str(plan.size))
    return table


def told(first_run: FirstRun) -> list[str]:
    """Return what a node said at its start, and whether it works."""
    lines = [f"the node says: {kind}: {text}" for kind, text in first_run.events if kind != "model"]
    if first_run.works:
        return [*lines, f"the node runs, with {first_run.model or 'no model: it logs only'}"]
    return [*lines, "the node hasn't completed a cycle yet; it said last:", first_run.said.rstrip() or "nothing"]
