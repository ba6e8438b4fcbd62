"""The job that brings a node's log home: `dibble fetch`'s own function."""

from pathlib import Path
from typing import Any

from dibble_tools.log.fetch import fetch
from dibble_tools.studio.job_process import run, tell


def work(asked: dict[str, Any]) -> dict[str, Any]:
    """Fetch the log of the node at a port; it runs on.

    Args:
        asked: port; out, the folder; models as paths.
    """

    def step(text: str) -> None:
        tell(step=text, log=text)

    found = fetch(asked["port"], Path(asked["out"]), [Path(text) for text in asked["models"]], step)
    records = found.records
    for text in (*found.notes, *(f"damaged: {text}" for text in records.damage)):
        tell(log=text)
    words = [f"{len(records.rows):,} records are home, {found.new:,} of them new: log/log.csv. Label them in step 3."]
    if records.damage or records.missing:
        words.append(
            f"{records.missing_count():,} are missing and {len(records.damage)} damaged: the log below says which."
        )
    return {"words": words, "said": ""}


if __name__ == "__main__":
    run(work)
