"""A picture of a file's readings over time: a strip for each channel, what each stretch was labelled, gaps."""

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from xml.sax.saxutils import escape

import numpy as np

from dibble_tools.common.quantities import UNITS, channel_text, reading_text
from dibble_tools.common.safe_text import plain
from dibble_tools.console.labelled_rows import LABEL, TIME
from dibble_tools.studio.tables import FLAGS, FileTable
from dibble_tools.studio.timeline import ends_of, gap_texts, places_of

WIDTH = 960  # all of it is the rows', so that a place in it is a row or the gap after it
LEAST_WIDTH, MOST_WIDTH = 300, 2000
BAND, STRIP, TITLE, FOOT = 26, 78, 22, 22
MOST_CHANNELS = 16
LETTER = 8.5  # about as wide
GAP_TEXT = 18  # so wide a gap holds words that stand on their end
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b8578f", "#c98a00", "#56b4e9", "#777777")
STYLE = """
text { font: 14px system-ui, sans-serif; fill: #16201a; } .quiet { fill: #4c5851; } .paper { fill: #fff; }
.line { fill: none; stroke: #14613a; stroke-width: 1.6; } .edge { stroke: #c6d0c9; } .label { font-weight: 600; }
.gap { fill: #dfe5e1; } .flag { fill: #b3261e; }
@media (prefers-color-scheme: dark) {
text { fill: #eef2ef; } .quiet { fill: #b3beb7; } .paper { fill: #161b18; }
.line { stroke: #7ddca4; } .edge { stroke: #46524b; } .gap { fill: #2b332f; } .flag { fill: #ff9b95; }
}
"""


def chart_svg(table: FileTable, first: int = 0, last: int | None = None, width: int = WIDTH) -> str:
    """Return the picture of some rows, both ends included, as the text of an SVG file that wide."""
    last = len(table.rows) - 1 if last is None else last
    channels = table.channels[:MOST_CHANNELS]
    shown = slice(first, last + 1)
    labels, times = table.texts(LABEL)[shown], table.texts(TIME)[shown]
    height = BAND + len(channels) * (STRIP + TITLE) + FOOT
    starts, ends = _drawn_at(table.texts(TIME), first, last, width)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        f"<title>{escape(plain(table.name, 80))}</title><style>{STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
        *_bands(labels, colours_of(table.texts(LABEL)), height - FOOT, starts, ends),
        *_gaps(gap_texts(times), starts, ends, height - FOOT),
    ]
    y = BAND
    for name, unit in channels:
        readings = table.readings(name)[shown]
        there = [reading for reading in readings if reading is not None]
        span = f"{_shown(min(there), unit)} to {_shown(max(there), unit)}" if there else "no readings"
        out.append(f'<line class="edge" x1="0" x2="{width}" y1="{y}" y2="{y}"/>')
        out.append(f'<text x="6" y="{y + 16}">{escape(plain(channel_text(name, unit), 60))}</text>')
        out.append(f'<text class="quiet" x="{width - 6}" y="{y + 16}" text-anchor="end">{escape(span)}</text>')
        out.append(f'<path class="line" d="{_path(readings, y + TITLE, STRIP - 8, starts, ends)}"/>')
        y += STRIP + TITLE
    out += _marks(table.texts(FLAGS)[shown], height - FOOT, starts, ends)
    edges = [times[0], times[-1]] if times else ["", ""]
    out.append(f'<text class="quiet" x="6" y="{height - 6}">{escape(plain(edges[0], 40))}</text>')
    out.append(
        f'<text class="quiet" x="{width - 6}" y="{height - 6}" text-anchor="end">{escape(plain(edges[1], 40))}</text>'
    )
    return "\n".join([*out, "</svg>"]) + "\n"


def _drawn_at(times: Sequence[str], first: int, last: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return from where to where on the picture each row of a part lies."""
    places = places_of(times)
    starts, ends = places[first : last + 1], ends_of(places)[first : last + 1]
    if not len(starts):
        return starts, ends
    scale = width / (ends[-1] - starts[0])
    return (starts - starts[0]) * scale, (ends - starts[0]) * scale


def colours_of(labels: Sequence[str]) -> dict[str, str]:
    """Return a colour for each label; the same whatever part is shown."""
    return {label: COLOURS[i % len(COLOURS)] for i, label in enumerate(sorted(set(labels) - {""}))}


def _gaps(lengths: Mapping[int, str], starts: np.ndarray, ends: np.ndarray, height: int) -> list[str]:
    """Return a field for each stretch without readings, how long it was in it where that fits."""
    out = []
    for row, length in lengths.items():
        x, wide = ends[row], starts[row + 1] - ends[row]
        words = f"no readings for {length}"
        out.append(
            f'<rect class="gap" x="{x:.1f}" width="{wide:.1f}" y="{BAND}" height="{height - BAND}"><title>'
            f"{words}</title></rect>"
        )
        if wide >= GAP_TEXT:
            middle, low = x + wide / 2 + 5, height - 8
            out.append(f'<text class="quiet" transform="translate({middle:.1f} {low}) rotate(-90)">{words}</text>')
    return out


def _bands(
    labels: Sequence[str], colours: dict[str, str], height: int, starts: np.ndarray, ends: np.ndarray
) -> list[str]:
    """Return a band behind each stretch of one label, its name above it where that fits."""
    out = []
    at = 0
    for label, rows in groupby(labels):
        count = len(list(rows))
        if label:
            x = starts[at]
            wide = ends[at + count - 1] - x
            fill = f'fill="{colours[label]}"'
            out.append(f'<rect x="{x:.1f}" width="{wide:.1f}" y="0" height="{height}" {fill} fill-opacity=".16"/>')
            out.append(f'<rect x="{x:.1f}" width="{wide:.1f}" y="{BAND - 5}" height="5" {fill}/>')
            fits = int(wide / LETTER) - 1
            if fits >= min(len(label), 3):
                shown = plain(label, 60)
                shown = shown if len(shown) <= fits else shown[: max(fits - 1, 1)] + "…"
                out.append(f'<text class="label" x="{x + 4:.1f}" y="15">{escape(shown)}</text>')
        at += count
    return out


def _marks(flags: Sequence[str], bottom: int, starts: np.ndarray, ends: np.ndarray) -> list[str]:
    """Return a line under each stretch of decisions that weren't to be trusted."""
    out, at = [], 0
    for flag, rows in groupby(flags):
        count = len(list(rows))
        if flag:
            x = starts[at]
            wide = max(ends[at + count - 1] - x, 1)
            out.append(
                f'<rect class="flag" x="{x:.1f}" width="{wide:.1f}" y="{bottom - 5}" height="5">'
                f"<title>{escape(plain(flag, 60))}</title></rect>"
            )
        at += count
    return out


def _path(readings: Sequence[float | None], top: int, height: int, starts: np.ndarray, ends: np.ndarray) -> str:
    """Return a line through the readings, broken at gaps: where several share a dot, their least and greatest."""
    there = [reading for reading in readings if reading is not None]
    if not there:
        return ""
    low, span = min(there), (max(there) - min(there)) or 1.0
    middles = (starts + ends) / 2
    dots = middles.astype(int)
    firsts = [0, *(np.flatnonzero(np.diff(dots)) + 1).tolist(), len(readings)]
    drawn, pen = [], "M"
    for first, after in pairwise(firsts):
        piece = [reading for reading in readings[first:after] if reading is not None]
        if not piece:
            pen = "M"
            continue
        if first and starts[first] > ends[first - 1] + 1e-6:
            pen = "M"
        x = middles[first:after].mean()
        for reading in (piece[0],) if len(piece) == 1 else (min(piece), max(piece)):
            y = top + height * (1 - (reading - low) / span) if max(there) > low else top + height / 2
            drawn.append(f"{pen}{x:.1f} {y:.1f}{'h.1' if pen == 'M' else ''}")
            pen = "L"
    return "".join(drawn)


def _shown(value: float, unit: str) -> str:
    return reading_text(round(value), unit) if unit in UNITS else f"{value:g} {unit}".rstrip()
