"""Shapes of networks that fit a number of bytes: which compete when frames are learned."""

from collections.abc import Sequence

from dibble_tools.families.maps.network import KERNEL, Shape

PATTERNS: tuple[tuple[tuple[float, int], ...], ...] = (
    ((1.5, 1), (2, 2), (3, 2)),
    ((2, 2), (3, 2)),
    ((2, 2), (2, 1), (3, 2), (3, 1)),
    ((2, 2),),
)  # units of each block, in those of the first layer, and its stride
SHARES = 1.0, 0.4  # of the bytes
MULTIPLE, FIRST_MOST = 2, 48  # units of the first layer
UNIT_BYTES, STEP_BYTES, HEAD_BYTES = 5, 25, 150  # in a file, beside a byte a weight


def bytes_of(shape: Shape, depth: int, classes: int) -> int:
    """Return about how long the model file is."""
    weights, units, before = shape.first * KERNEL**2 * depth, shape.first, shape.first
    for wider, _ in shape.blocks:
        weights += before * (KERNEL**2 + wider)
        units += before + wider
        before = wider
    steps = 3 + 2 * len(shape.blocks)
    return HEAD_BYTES + STEP_BYTES * steps + weights + before * classes + UNIT_BYTES * (units + classes)


def shapes_within(most: int, depth: int, classes: int, strides: Sequence[int]) -> list[Shape]:
    """Return different shapes of up to about `most` bytes, those that use them best first; the smallest at least.

    Args:
        strides: of the first layer.
    """
    found: list[Shape] = []
    for share in SHARES:
        for pattern in PATTERNS:
            for stride in strides:
                shape = _widest(pattern, stride, share * most, depth, classes)
                if shape is not None and shape not in found:
                    found.append(shape)
    return found or [_shape(PATTERNS[-1], MULTIPLE, max(strides))]


def _widest(pattern: Sequence[tuple[float, int]], stride: int, most: float, depth: int, classes: int) -> Shape | None:
    for first in range(FIRST_MOST, 0, -MULTIPLE):
        shape = _shape(pattern, first, stride)
        if bytes_of(shape, depth, classes) <= most:
            return shape
    return None


def _shape(pattern: Sequence[tuple[float, int]], first: int, stride: int) -> Shape:
    blocks = tuple((MULTIPLE * round(first * wider / MULTIPLE), own) for wider, own in pattern)
    return Shape(first, blocks, stride)
