"""The golden vectors of a model file: rows of readings, and what the host decided on them."""

from dibble import ModelError
from dibble.inference.fixed_point import MISSING
from dibble.inference.format import Cursor


def replay(model):
    """Return what Model.self_test() does."""
    cursor = Cursor(model.blob, model.tables_end)
    readings = model.readings
    vectors = cursor.number()
    model.restart()
    for vector in range(vectors):
        for i in range(len(readings)):
            steps = cursor.number()
            readings[i] = model.low[i] + steps - 1 if steps else MISSING
        expected = cursor.byte(), cursor.number(), cursor.byte()
        decision = model.predict()
        got = decision.class_index, decision.margin, decision.flags
        if got != expected:
            raise ModelError("golden vector %d: expected class, margin, flags %r, got %r" % (vector, expected, got))
    model.restart()
    return vectors
