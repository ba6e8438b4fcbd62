"""The job that records takes of a sound: `dibble collect --sound`'s own functions, with words for the page."""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

from dibble_tools.console.sound_takes import FLOOR_S, RATE_HZ, Chunk, Takes, collect_sound, from_board
from dibble_tools.studio.job_process import run, tell

KEY = "r"  # pressed for who wants no sound to begin a take


def work(asked: dict[str, Any]) -> dict[str, Any]:
    """Record until there are so many takes, or it is asked to end; the node runs again then.

    Args:
        asked: port; folder; label; speaker; take_s; count; at_once: takes follow each other, no sound begins them.
    """
    takes = Takes(Path(asked["folder"]), asked["speaker"], asked["take_s"])
    label, count = asked["label"], asked["count"]
    tell(step="starting the board's microphone; its node rests meanwhile", share=0)
    chunks = watched(from_board(asked["port"]), takes, label, count, at_once=asked["at_once"])
    pressed = (lambda: KEY) if asked["at_once"] else None
    collect_sound(chunks, takes, {KEY: label}, label, pressed, lambda text: tell(log=text), count)
    return {"words": words_of(takes, label, count), "said": ""}


def watched(
    chunks: Generator[Chunk, None, None], takes: Takes, label: str, count: int, *, at_once: bool
) -> Generator[Chunk, None, None]:
    """Pass chunks on, and tell the page what became of each and what is to be done next."""
    heard, shown, again = 0, "", False
    with closing(chunks):
        for chunk in chunks:
            torn, written = takes.torn, takes.written
            yield chunk
            heard += len(chunk.samples)
            again = takes.torn > torn or (again and takes.written == written)
            if takes.torn > torn:
                tell(log=f"not written: a take of “{label}”, of which samples were lost; {takes.lost} in all")
            now = f"{takes.written + 1} of {count}"
            if takes.busy:
                step = f"“{label}”, {now}: recording"
            elif heard < FLOOR_S * RATE_HZ and not at_once:
                step = "be quiet for a second: it hears how quiet it is here"
            else:
                step = (
                    f"“{label}”, {now}: {'samples of the last take were lost, say it again' if again else 'say it now'}"
                )
            if step != shown:
                tell(step=step, share=takes.written / count)
                shown = step


def words_of(takes: Takes, label: str, count: int) -> list[str]:
    """Return what came of it, for people."""
    number = "1 take is" if takes.written == 1 else f"{takes.written} takes are"
    words = [f"{number} written, of {count}: “{label}” has {takes.counts[label]} now."]
    if not takes.written and not takes.torn:
        words.append("No sound stood out of the quiet: go nearer, speak louder, or let it begin without a sound.")
    if takes.lost:
        words.append(
            f"{takes.lost:,} samples were lost; takes that weren't whole for it, so not written: {takes.torn}."
        )
    return words


if __name__ == "__main__":
    run(work)
