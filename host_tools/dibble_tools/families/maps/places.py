"""Where each map lies in a node's arena: maps that are needed at the same time never share a byte.

A map that a layer sees with pads is stored with them around it, so that no kernel has to ask where a map ends.
"""

from dataclasses import dataclass

from dibble_tools.common.errors import InputError
from dibble_tools.families.maps.tables import MapsTables


@dataclass(frozen=True)
class MapPlace:
    """Where a map lies.

    Attributes:
        at: of its first pixel, pads left out.
        row: bytes from one row to the next.
        shape: height, width, depth.
        pads: rows above, columns left, rows below, columns right.
        pad_code: of these.
    """

    at: int
    row: int
    shape: tuple[int, int, int]
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    pad_code: int = 0

    @property
    def first(self) -> int:
        """Where it begins, pads included."""
        return self.at - self.pads[0] * self.row - self.pads[1] * self.shape[2]

    def around(self) -> tuple[int, int, int, int, int] | None:
        """Return (begin, bytes before the first row, between two, after the last, code); None: it has no pads."""
        top, left, bottom, right = self.pads
        depth = self.shape[2]
        if not any(self.pads):
            return None
        between = (left + right) * depth
        return self.first, top * self.row + left * depth, between, right * depth + bottom * self.row, self.pad_code


def places(tables: MapsTables) -> tuple[list[MapPlace], int]:
    """Return the place of each map, the frame's first, and the arena's bytes.

    Scores take 2 bytes a class, at an even place.
    """
    shapes = tables.shapes()
    last = len(tables.layers)
    pads = [_pads(tables, i) for i in range(last + 1)]
    sizes, rows = [], []
    for i, (height, width, depth) in enumerate(shapes):
        top, left, bottom, right = pads[i][0]
        rows.append((left + width + right) * depth)
        sizes.append((top + height + bottom) * rows[i] if i < last else 2 * depth + 1)
    until = [max([i, *(k + 1 for k, layer in enumerate(tables.layers) if i in layer.inputs)]) for i in range(last + 1)]
    begin: dict[int, int] = {}
    for i in sorted(range(last + 1), key=lambda i: -sizes[i]):
        # The lowest place that no map which lives at the same time has.
        taken = sorted((begin[k], begin[k] + sizes[k]) for k in begin if k <= until[i] and i <= until[k])
        at = 0
        for first, end in taken:
            if at + sizes[i] <= first:
                break
            at = max(at, end)
        begin[i] = at
    begin[last] += begin[last] % 2  # scores are written by halfwords
    found = []
    for i, shape in enumerate(shapes):
        own, code = pads[i]
        found.append(MapPlace(begin[i] + own[0] * rows[i] + own[1] * shape[2], rows[i], shape, own, code))
    return found, max(begin[i] + sizes[i] for i in begin)


def _pads(tables: MapsTables, map_: int) -> tuple[tuple[int, int, int, int], int]:
    """Return the pads that a map needs around it, and their code."""
    padded = [layer for layer in tables.layers if map_ in layer.inputs and any(layer.pads)]
    codes = {layer.pad_code for layer in padded}
    if len(codes) > 1:
        raise InputError(f"map {map_}: expected one code around it, got {sorted(codes)}")
    sides = zip(*(layer.pads for layer in padded), strict=True)
    top, left, bottom, right = (max(side) for side in sides) if padded else (0, 0, 0, 0)
    return (top, left, bottom, right), codes.pop() if codes else 0
