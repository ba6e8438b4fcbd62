"""How pictures look: one width, two themes, colours that colour-blind people tell apart."""

import io
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from PIL import Image

from dibble_tools.common.formatting import tick

WIDTH = 4.6  # inches; shown across a phone, a letter of 10 points is about 11 CSS pixels high
DOTS_PER_INCH = 190
COLOURS = 96
MARKERS = "oD^svPX*"
LINES = ("-", "--", ":", "-.")
NARROWEST = 0.1  # of an axis of shares
ROOM = 0.02
DASHED = LINES[1]


@dataclass(frozen=True)
class Theme:
    """Colours, as CSS writes them; `series` are after Okabe and Ito."""

    back: str
    ink: str
    quiet: str
    grid: str
    series: tuple[str, ...]


LIGHT = Theme(
    back="#ffffff",
    ink="#1f2421",
    quiet="#5d6862",
    grid="#dfe4e0",
    series=("#0072b2", "#d55e00", "#009e73", "#b8578f", "#c98a00", "#56b4e9", "#777777"),
)
DARK = Theme(
    back="#1b201d",
    ink="#e8ece9",
    quiet="#a3aea8",
    grid="#363e39",
    series=("#56b4e9", "#ff8a4c", "#2fc79a", "#e39ac6", "#f0d442", "#9db8ff", "#b5b5b5"),
)


class Drawing(NamedTuple):
    """A figure and what it shows, in words for those who can't see it."""

    figure: Figure
    alt: str


class Picture(NamedTuple):
    """A drawing as PNG files for light and for dark pages."""

    alt: str
    light: bytes
    dark: bytes


Draw = Callable[[Mapping[str, Any], Theme], Drawing | None]


def render(draw: Draw, source: Mapping[str, Any], theme: Theme) -> tuple[bytes, str] | None:
    """Return the PNG and the alt text of what `draw` makes of `source`; None if it has nothing to show.

    The user's own matplotlib settings don't reach the picture, nor does it change them.
    """
    with matplotlib.rc_context(), warnings.catch_warnings():
        # A name in a script that matplotlib's font lacks shows as boxes; the report's tables have it right.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_settings(theme))
        drawing = draw(source, theme)
        if drawing is None:
            return None
        return _png(drawing.figure), drawing.alt


def picture(draw: Draw, source: Mapping[str, Any]) -> Picture | None:
    """Return the picture in both themes; None if there is nothing to show."""
    light, dark = render(draw, source, LIGHT), render(draw, source, DARK)
    return Picture(light[1], light[0], dark[0]) if light and dark else None


def blank(height: float) -> tuple[Figure, Axes]:
    """Return an empty figure of the common width and one pair of axes on it."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.add_subplot()


def short(name: object, letters: int = 26) -> str:
    """Return a name on one line, its middle cut out if it is longer than `letters`."""
    text = re.sub(r"\s+", " ", str(name))
    if len(text) <= letters:
        return text
    tail = (letters - 1) // 2
    return f"{text[: letters - 1 - tail]}…{text[-tail:]}"


def key(name: object) -> str:
    """Return a name for a legend, where matplotlib would drop one that starts with an underscore."""
    return " " + short(name)


def in_percent(axis: Axis) -> None:
    """Write the ticks of an axis of shares as percentages."""
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda share, _: tick(share)))


def up_to_all(axes: Axes, direction: str) -> None:
    """End an axis of shares, "x" or "y", at 100 %, with room for half a marker: there are none beyond."""
    low, high = axes.get_xlim() if direction == "x" else axes.get_ylim()
    low, high = max(low, 0.0), min(high, 1.0)
    high = min(1.0, high + max(0.0, NARROWEST - (high - low)) / 2)
    low = min(low, high - NARROWEST)
    ends = (low, high + ROOM * (high - low) if high == 1 else high)
    axes.set_xlim(ends) if direction == "x" else axes.set_ylim(ends)


def in_counts(axis: Axis) -> None:
    """Write the ticks of a logarithmic axis of counts as 1,000 and 2,000, not as powers."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def name_rows(axes: Axes, names: list[object]) -> None:
    """Name the rows of a horizontal chart, the first on top."""
    axes.set_yticks(range(len(names)), [short(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def legend_below(figure: Figure, columns: int) -> None:
    """Put the legend of everything labelled under the axes."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)


def _png(figure: Figure) -> bytes:
    """Return the figure as a PNG of few colours, a third of the bytes: a report travels by phone."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    file = io.BytesIO()
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(file, format="png", optimize=True)
    return file.getvalue()


def _settings(theme: Theme) -> dict[Any, Any]:
    inks = ("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor")
    return {
        **dict.fromkeys(inks, theme.ink),
        "axes.edgecolor": theme.quiet,
        "axes.facecolor": theme.back,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.dpi": DOTS_PER_INCH,
        "figure.facecolor": theme.back,
        "font.size": 10,
        "grid.color": theme.grid,
        "legend.fontsize": 9,
        "legend.frameon": False,
        "lines.linewidth": 1.8,
        "text.parse_math": False,
        "xtick.color": theme.quiet,
        "xtick.labelsize": 9,
        "ytick.color": theme.quiet,
        "ytick.labelsize": 9,
    }
