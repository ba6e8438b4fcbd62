"""A model file holds: its golden vectors, rows with what the host decided on them, and that its bytes have passed."""

from dibble import ModelError
from dibble.inference.fixed_point import MISSING
from dibble.inference.format import CRC_BYTES, PASSES, Cursor


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


def keep_pass(path, identity):
    """Keep beside `path` that a model file passed, and the one before it."""
    kept = b""
    try:
        try:
            with open(path + PASSES, "rb") as file:
                kept = file.read(CRC_BYTES)
        except OSError:
            pass
        with open(path + PASSES, "wb") as file:
            file.write(identity + kept)
    except OSError:
        pass  # not to be written: then it is checked each time
