"""The wires of a node as an SVG: the board's header in the middle, each part beside it, a line a wire."""

import re
from dataclasses import dataclass
from xml.sax.saxutils import escape

from dibble_tools.boards.schema import Board, Runtime
from dibble_tools.boards.wires import GROUND, POWER, WiredPart

ROW = 26  # from one pin, or terminal, to the next
BOARD_WIDTH, PART_WIDTH, GAP, EDGE = 190, 250, 170, 24
HEAD = 34  # of a box, above its first row
BETWEEN = 18
LANES, RAIL = 10, 9
TITLE_LETTERS, LONGEST_PLACE = 26, 10  # that a box has room for
STYLE = """
svg { font: 14px system-ui, sans-serif; }
.paper { fill: #fff; } text { fill: #16201a; } .quiet { fill: #4c5851; }
.board { fill: #e4efe7; stroke: #14613a; stroke-width: 2; } .part { fill: #f6f7f6; stroke: #4c5851; }
.title { font-weight: 700; } .used { font-weight: 700; }
.wire { fill: none; stroke-width: 3; } .power { stroke: #b3261e; } .ground { stroke: #222; }
.signal { stroke: #0b5cad; } .ground { stroke-dasharray: 7 4; } .power { stroke-dasharray: 2 3; }
@media (prefers-color-scheme: dark) {
.paper { fill: #161b18; } text { fill: #eef2ef; } .quiet { fill: #b3beb7; }
.board { fill: #22332a; stroke: #7ddca4; } .part { fill: #232b26; stroke: #b3beb7; }
.power { stroke: #ff9b95; } .ground { stroke: #d5dbd7; } .signal { stroke: #8ec5ff; }
}
"""


@dataclass(frozen=True)
class Spot:
    """Where a wire ends on the board: which side, and how high."""

    left: bool
    y: int


def wiring_svg(title: str, board: Board, runtime: Runtime, parts: list[WiredPart]) -> str:
    """Return the picture as the text of an SVG file; its colours follow the reader's light or dark."""
    drawn = [part for part in parts if part.wires]
    spots = _spots(board)
    sides: dict[bool, list[WiredPart]] = {True: [], False: []}
    for part in drawn:
        sides[_is_left(part, spots)].append(part)
    for side, own in sides.items():
        own.sort(key=lambda part, side=side: _height(part, spots, side))  # type: ignore[misc]
    board_rows = max(len(board.header.left), len(board.header.right))
    board_height = HEAD + board_rows * ROW + 10
    heights = {side: sum(_box(part) + BETWEEN for part in own) for side, own in sides.items()}
    crossing = sum(
        all(spot.left != side for spot in spots.get(wire.label, []))
        for side, own in sides.items()
        for part in own
        for wire in part.wires
    )
    height = max(board_height + RAIL * (1 + crossing), *heights.values()) + 2 * EDGE + ROW
    width = 2 * (EDGE + PART_WIDTH + GAP) + BOARD_WIDTH
    board_x = EDGE + PART_WIDTH + GAP
    top = EDGE + ROW
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="t d">',
        f'<title id="t">{escape(title)}</title>',
        f'<desc id="d">{escape(_described(drawn))}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
        f'<text class="title" x="{EDGE}" y="{EDGE + 6}">{escape(title)}</text>',
        f'<text class="quiet" x="{width - EDGE}" y="{EDGE + 6}" text-anchor="end">'
        "blue: signal · red dots: 3.3 V or a pin that feeds · dashes: GND</text>",
    ]
    out += _wires(sides, spots, board_x, top, top + board_height)
    out += _board(board, runtime, drawn, board_x, top, board_height)
    for side, own in sides.items():
        y = top
        for part in own:
            out += _part(part, EDGE if side else width - EDGE - PART_WIDTH, y, side)
            y += _box(part) + BETWEEN
    return "\n".join([*out, "</svg>"]) + "\n"


def _spots(board: Board) -> dict[str, list[Spot]]:
    """Return the places of each label; GND has several."""
    found: dict[str, list[Spot]] = {}
    for left, labels in ((True, board.header.left), (False, board.header.right)):
        for row, label in enumerate(labels):
            if label:
                found.setdefault(label, []).append(Spot(left, HEAD + row * ROW + ROW // 2))
    return found


def _is_left(part: WiredPart, spots: dict[str, list[Spot]]) -> bool:
    """Tell on which side of the board most of a part's signals are."""
    sides = [spots[w.label][0].left for w in part.wires if w.label in spots and w.kind not in (POWER, GROUND)]
    return sum(sides) * 2 >= len(sides) if sides else True


def _height(part: WiredPart, spots: dict[str, list[Spot]], left: bool) -> float:
    ys = [
        spot.y
        for wire in part.wires
        if wire.kind not in (POWER, GROUND)
        for spot in spots.get(wire.label, [])
        if spot.left == left
    ]
    return sum(ys) / len(ys) if ys else 0.0


def _box(part: WiredPart) -> int:
    return HEAD + len(part.wires) * ROW + 6


def _wires(
    sides: dict[bool, list[WiredPart]], spots: dict[str, list[Spot]], board_x: int, top: int, bottom: int
) -> list[str]:
    out = []
    rails = 0
    for left, own in sides.items():
        y = top
        lane = 0
        for part in own:
            for row, wire in enumerate(part.wires):
                from_y = y + HEAD + row * ROW + ROW // 2
                near = [spot for spot in spots.get(wire.label, []) if spot.left == left]
                spot = min(near, key=lambda spot: abs(top + spot.y - from_y), default=None)
                start = EDGE + PART_WIDTH if left else board_x + BOARD_WIDTH + GAP
                end = board_x if left else board_x + BOARD_WIDTH
                middle = start + (end - start) * (0.15 + 0.6 * (lane % LANES) / LANES)
                lane += 1
                if spot:
                    route = f"H{middle:.0f}V{top + spot.y}H{end}"
                elif wire.label in spots:  # on the other side: below the board
                    other = 2 * board_x + BOARD_WIDTH - end
                    beside = other + (RAIL if other > end else -RAIL) * (1 + rails)
                    far = spots[wire.label][0].y + top
                    under = bottom + RAIL * (1 + rails)
                    rails += 1
                    route = f"H{middle:.0f}V{under}H{beside}V{far}H{other}"
                else:
                    continue  # no label: the words at its end say where
                out.append(
                    f'<path class="wire {wire.kind}" d="M{start} {from_y}{route}">'
                    f"<title>{escape(part.name)}: {escape(wire.terminal)} to {escape(wire.label)}</title></path>"
                )
            y += _box(part) + BETWEEN
    return out


def _board(board: Board, runtime: Runtime, parts: list[WiredPart], x: int, top: int, height: int) -> list[str]:
    used = {wire.label for part in parts for wire in part.wires}
    out = [
        f'<rect class="board" x="{x}" y="{top}" width="{BOARD_WIDTH}" height="{height}" rx="10"/>',
        f'<text class="title" x="{x + BOARD_WIDTH / 2}" y="{top + 22}" text-anchor="middle">'
        f"{escape(_short(re.split('[(,]', board.title)[0].strip(), 20))}</text>",
    ]
    for labels, at, anchor in ((board.header.left, x + 12, "start"), (board.header.right, x + BOARD_WIDTH - 12, "end")):
        for row, label in enumerate(labels):
            y = top + HEAD + row * ROW + ROW // 2 + 5
            style = "used" if label in used else "quiet"
            out.append(f'<text class="{style}" x="{at}" y="{y}" text-anchor="{anchor}">{escape(label)}</text>')
    return out


def _part(part: WiredPart, x: int, y: int, left: bool) -> list[str]:
    place = part.place if len(part.place) <= LONGEST_PLACE else f"…{part.place[1 - LONGEST_PLACE :]}"
    most = TITLE_LETTERS - 4 - len(place) if place else TITLE_LETTERS
    out = [
        f'<rect class="part" x="{x}" y="{y}" width="{PART_WIDTH}" height="{_box(part)}" rx="8"/>',
        f'<text class="title" x="{x + 12}" y="{y + 22}">{escape(_short(part.name.split(" (`")[0], most))}</text>',
        f'<text class="quiet" x="{x + PART_WIDTH - 12}" y="{y + 22}" text-anchor="end">{escape(place)}</text>',
    ]
    for row, wire in enumerate(part.wires):
        at = x + PART_WIDTH - 12 if left else x + 12
        anchor = "end" if left else "start"
        text = f"{wire.terminal} → {wire.label}" if left else f"{wire.label} ← {wire.terminal}"
        out.append(
            f'<text x="{at}" y="{y + HEAD + row * ROW + ROW // 2 + 5}" text-anchor="{anchor}">{escape(text)}</text>'
        )
    return out


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _described(parts: list[WiredPart]) -> str:
    return " ".join(
        f"{part.name.replace('`', '')}{', ' + part.place if part.place else ''}: "
        + ", ".join(f"{wire.terminal} to {wire.label}" for wire in part.wires)
        + "."
        for part in parts
    )
