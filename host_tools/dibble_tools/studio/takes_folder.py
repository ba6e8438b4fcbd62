"""The project's takes of sounds, clips/LABEL/SPEAKER_N.wav, as the page lists, draws, plays and deletes them."""

import contextlib
from collections import Counter
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import plain
from dibble_tools.console.sound_takes import judged_take_by_take, to_train
from dibble_tools.data.sound.recordings import FULL_SCALE, WAV, at_its_own_rate
from dibble_tools.studio.project import Project
from dibble_tools.studio.state import State

FOLDER = "clips"
MOST_SHOWN = 40
MOST_BYTES = 4_000_000  # of a recording that is drawn
WIDTH, HEIGHT = 480, 72
STYLE = """
.paper { fill: #f1f5f1; } .line { fill: none; stroke: #14613a; stroke-width: 1; }
@media (prefers-color-scheme: dark) { .paper { fill: #232b26; } .line { stroke: #7ddca4; } }
"""


class TakesFolder:
    """Shows itself in the state's part "clips"; any thread may call."""

    def __init__(self, project: Project, state: State) -> None:
        self._project = project
        self._state = state

    @property
    def folder(self) -> Path:
        return self._project.folder / FOLDER

    def look(self) -> None:
        """Read the folder anew, the newest take first."""
        found = sorted(self._paths().items(), key=lambda item: _changed_ns(item[1]), reverse=True)
        counts = Counter(path.parent.name for _, path in found)
        labels = [{"name": name, "words": _takes(count)} for name, count in sorted(counts.items())]
        left = len(found) - MOST_SHOWN
        self._state.put(
            clips={
                "microphone": self._project.microphone,
                "labels": labels,
                "takes": [_described(name, path) for name, path in found[:MOST_SHOWN]],
                "more": f"{_takes(left)} more, older, in {FOLDER}/" if left > 0 else "",
                "next": to_train(FOLDER, counts) if len(counts) > 1 else "",
            }
        )

    def learned_from(self) -> dict[str, Any]:
        """Return what a training is told of the takes.

        Raises:
            InputError: there are not yet two sounds.
        """
        counts = Counter(name.partition("/")[0] for name in self._paths())
        if len(counts) < 2:
            raise InputError(f"expected takes of two sounds or more in {FOLDER}/, got {len(counts)}: record another")
        return {"clips": str(self.folder), "own": judged_take_by_take(counts)}

    def path(self, name: object) -> Path:
        """Return a take by its path in the folder.

        Raises:
            InputError: there is none of that name.
        """
        found = self._paths()
        if not isinstance(name, str) or name not in found:
            raise InputError(f"expected a take that is in {FOLDER}/, got {name!r}: was it deleted?")
        return found[name]

    def delete(self, name: object) -> None:
        """Delete a take, and its label's folder with the last one.

        Raises:
            InputError: there is no such take, or it can't be deleted.
        """
        path = self.path(name)
        try:
            path.unlink()
        except OSError as error:
            raise InputError(f"{name}: expected a file that can be deleted, got: {error.strerror}") from None
        with contextlib.suppress(OSError):  # others are in it
            path.parent.rmdir()
        self.look()

    def waveform(self, name: object) -> str:
        """Return the picture of a take, the text of an SVG file: the span of the samples in each of its columns.

        Raises:
            InputError: there is no such take, or it can't be read.
        """
        path = self.path(name)
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{name}: expected at most {MOST_BYTES // 1_000_000} MB, got more: it isn't drawn")
        samples, _ = at_its_own_rate(path)
        heights = HEIGHT / 2 - samples * (HEIGHT / 2 / FULL_SCALE)
        columns = np.array_split(heights, min(WIDTH, len(heights)))
        step = WIDTH / len(columns)
        path_text = "".join(
            f"M{(i + 0.5) * step:.1f} {column.min() - 0.5:.1f}V{column.max() + 0.5:.1f}"
            for i, column in enumerate(columns)
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">'
            f"<title>{escape(plain(str(name), 80))}</title><style>{STYLE}</style>"
            f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/><path class="line" d="{path_text}"/></svg>\n'
        )

    def _paths(self) -> dict[str, Path]:
        """Return the takes by their paths in the folder."""
        found = [path for path in self.folder.glob("*/*") if path.suffix.lower() == WAV and path.is_file()]
        inside = [path for path in found if path.resolve().is_relative_to(self._project.folder)]
        return {path.relative_to(self.folder).as_posix(): path for path in inside}


def _described(name: str, path: Path) -> dict[str, Any]:
    return {"name": name, "label": path.parent.name, "file": plain(path.name, 60), "version": _changed_ns(path)}


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # deleted meanwhile
        return 0


def _takes(count: int) -> str:
    return "1 take" if count == 1 else f"{count:,} takes"
