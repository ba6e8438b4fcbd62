"""A picture of a file's readings: a strip for each channel over the same rows, and what each stretch was labelled."""

from collections.abc import Sequence
from itertools import groupby
from xml.sax.saxutils import escape

from dibble_tools.common.quantities import UNITS, channel_text, reading_text
from dibble_tools.common.safe_text import plain
from dibble_tools.console.labelled_rows import LABEL, TIME
from dibble_tools.studio.tables import FLAGS, FileTable

WIDTH = 960  # all of it is the rows', so that a place in it is a row
LEAST_WIDTH, MOST_WIDTH = 300, 2000
BAND, STRIP, TITLE, FOOT = 26, 78, 22, 22
MOST_CHANNELS = 16
LETTER = 8.5  # about as wide
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b8578f", "#c98a00", "#56b4e9", "#777777")
STYLE = """
text { font: 14px system-ui, sans-serif; fill: #16201a; } .quiet { fill: #4c5851; } .paper { fill: #fff; }
.line { fill: none; stroke: #14613a; stroke-width: 1.6; } .edge { stroke: #c6d0c9; } .label { font-weight: 600; }
.flag { fill: #b3261e; }
@media (prefers-color-scheme: dark) {
text { fill: #eef2ef; } .quiet { fill: #b3beb7; } .paper { fill: #161b18; }
.line { stroke: #7ddca4; } .edge { stroke: #46524b; } .flag { fill: #ff9b95; }
}
"""


def chart_svg(table: FileTable, first: int = 0, last: int | None = None, width: int = WIDTH) -> str:
    """Return the picture of some rows, both ends included, as the text of an SVG file that wide."""
    last = len(table.rows) - 1 if last is None else last
    channels = table.channels[:MOST_CHANNELS]
    labels, times = table.texts(LABEL)[first : last + 1], table.texts(TIME)[first : last + 1]
    height = BAND + len(channels) * (STRIP + TITLE) + FOOT
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        f"<title>{escape(plain(table.name, 80))}</title><style>{STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
        *_bands(labels, colours_of(table.texts(LABEL)), height - FOOT, width),
    ]
    y = BAND
    for name, unit in channels:
        readings = table.readings(name)[first : last + 1]
        there = [reading for reading in readings if reading is not None]
        span = f"{_shown(min(there), unit)} to {_shown(max(there), unit)}" if there else "no readings"
        out.append(f'<line class="edge" x1="0" x2="{width}" y1="{y}" y2="{y}"/>')
        out.append(f'<text x="6" y="{y + 16}">{escape(plain(channel_text(name, unit), 60))}</text>')
        out.append(f'<text class="quiet" x="{width - 6}" y="{y + 16}" text-anchor="end">{escape(span)}</text>')
        out.append(f'<path class="line" d="{_path(readings, y + TITLE, STRIP - 8, width)}"/>')
        y += STRIP + TITLE
    out += _marks(table.texts(FLAGS)[first : last + 1], height - FOOT, width)
    ends = [times[0], times[-1]] if times else ["", ""]
    out.append(f'<text class="quiet" x="6" y="{height - 6}">{escape(plain(ends[0], 40))}</text>')
    out.append(
        f'<text class="quiet" x="{width - 6}" y="{height - 6}" text-anchor="end">{escape(plain(ends[1], 40))}</text>'
    )
    return "\n".join([*out, "</svg>"]) + "\n"


def colours_of(labels: Sequence[str]) -> dict[str, str]:
    """Return a colour for each label; the same whatever part is shown."""
    return {label: COLOURS[i % len(COLOURS)] for i, label in enumerate(sorted(set(labels) - {""}))}


def _bands(labels: Sequence[str], colours: dict[str, str], height: int, width: int) -> list[str]:
    """Return a band behind each stretch of one label, its name above it where that fits."""
    out = []
    step = width / max(len(labels), 1)
    at = 0
    for label, rows in groupby(labels):
        count = len(list(rows))
        if label:
            x, wide = at * step, count * step
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


def _marks(flags: Sequence[str], bottom: int, width: int) -> list[str]:
    """Return a line under each stretch of decisions that weren't to be trusted."""
    out, at, step = [], 0, width / max(len(flags), 1)
    for flag, rows in groupby(flags):
        count = len(list(rows))
        if flag:
            x, wide = at * step, max(count * step, 1)
            out.append(
                f'<rect class="flag" x="{x:.1f}" width="{wide:.1f}" y="{bottom - 5}" height="5">'
                f"<title>{escape(plain(flag, 60))}</title></rect>"
            )
        at += count
    return out


def _path(readings: Sequence[float | None], top: int, height: int, width: int) -> str:
    """Return a line through the readings: where they are denser than the picture, their least and greatest."""
    there = [reading for reading in readings if reading is not None]
    if not there:
        return ""
    low, span = min(there), (max(there) - min(there)) or 1.0
    step = width / len(readings)
    each = max(1, len(readings) // width)
    drawn, pen = [], "M"
    for start in range(0, len(readings), each):
        piece = [reading for reading in readings[start : start + each] if reading is not None]
        if not piece:
            pen = "M"
            continue
        x = (start + min(each, len(readings) - start) / 2) * step
        for reading in (piece[0],) if each == 1 else (min(piece), max(piece)):
            y = top + height * (1 - (reading - low) / span) if max(there) > low else top + height / 2
            drawn.append(f"{pen}{x:.1f} {y:.1f}{'h.1' if pen == 'M' else ''}")
            pen = "L"
    return "".join(drawn)


def _shown(value: float, unit: str) -> str:
    return reading_text(round(value), unit) if unit in UNITS else f"{value:g} {unit}".rstrip()
