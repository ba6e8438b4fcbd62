"""A network of maps -> its model file, whose golden vectors are frames drawn from a seed each."""

from collections.abc import Sequence

import numpy as np
from dibble.inference import model_of
from dibble.inference.image import draw
from dibble.inference.parts import IMAGE

from dibble_tools.families.maps.tables import MapsTables
from dibble_tools.model.encoding import number
from dibble_tools.model.evaluator import evaluate
from dibble_tools.model.maps_bytes import image_part
from dibble_tools.model.reader import content_of
from dibble_tools.model.writer import ModelSpec, assemble

SEEDS_TRIED = 24
GOLDEN_FRAMES = 3


def maps_spec(name: str, classes: Sequence[str], tables: MapsTables, unsure_below: int = 0) -> ModelSpec:
    """Return the content of its model file; raise InputError as MapsTables.check does."""
    tables.check()
    parts = {IMAGE: image_part(tables.frame)}
    return ModelSpec(name, [], list(classes), tables, unsure_below=unsure_below, parts=parts)


def export_maps(spec: ModelSpec) -> bytes:
    """Return the bytes of its model file.

    Raises:
        InputError: a value could leave the small ints of a 32-bit board.
    """
    tables = spec.tables
    assert isinstance(tables, MapsTables)
    probe = content_of(assemble(spec, b"", 0))
    frame = tables.frame
    told = (*frame.shape, int(frame.scaled), frame.zero_point, frame.multiplier, frame.shift)
    # Levels and spreads of all kinds: see image.draw.
    seeds = [(k * 5_003 + 977) % 65_536 for k in range(SEEDS_TRIED)]
    drawn = np.zeros((len(seeds), frame.size), dtype=np.int64)
    for seed, row in zip(seeds, drawn, strict=True):
        draw(seed, row, told)
    decisions = evaluate(probe, drawn)
    # One of each class that comes up, then others.
    order = sorted(range(len(seeds)), key=lambda i: list(decisions.class_index[:i]).count(decisions.class_index[i]))
    body = bytearray()
    for i in order[:GOLDEN_FRAMES]:
        body += number(seeds[i]) + bytes((int(decisions.class_index[i]),))
        body += number(int(decisions.margin[i])) + bytes((int(decisions.flags[i]),))
    blob = assemble(spec, bytes(body), min(GOLDEN_FRAMES, len(seeds)))
    model_of(blob)
    return blob
