"""Frames that a model was judged on, with what it decided, and what each decision looked at."""

import io
from collections.abc import Sequence

import numpy as np

from dibble_tools.common.extras import extras_named

COLUMNS = 2


def examples_png(
    frames: np.ndarray, maps: np.ndarray, true: Sequence[str], decided: Sequence[str], names: Sequence[str]
) -> bytes:
    """Return a picture of frames in pairs: as they are, and with the regions whose cover makes the decision waver.

    Args:
        frames: codes (rows, height, width, depth); maps: by how much a lead falls (rows, height, width).
    """
    with extras_named():
        from matplotlib.figure import Figure
    rows = -(-len(frames) // COLUMNS)
    figure = Figure(figsize=(4.4 * COLUMNS, 2.1 * rows), layout="constrained")
    axes = figure.subplots(rows, 2 * COLUMNS, squeeze=False)
    for one in axes.flat:
        one.axis("off")
    for i, (frame, fall) in enumerate(zip(frames, maps, strict=True)):
        place = axes[i // COLUMNS]
        shown = frame[..., 0] if frame.shape[2] == 1 else frame.astype(np.uint8)
        colour = "tab:green" if true[i] == decided[i] else "tab:red"
        for k in range(2):
            one = place[2 * (i % COLUMNS) + k]
            one.imshow(shown, cmap="gray", vmin=0, vmax=255)
        one.imshow(np.maximum(fall, 0), cmap="inferno", alpha=0.65)
        title = f"{decided[i]}" if true[i] == decided[i] else f"{decided[i]}, is {true[i]}"
        place[2 * (i % COLUMNS)].set_title(title, color=colour, fontsize=15)
        one.set_title(names[i][-24:], fontsize=11, color="tab:gray")
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=80, transparent=True)
    return out.getvalue()
