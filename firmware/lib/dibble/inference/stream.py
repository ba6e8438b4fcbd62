"""Stream family: a small network over rows of codes as they come, whose layers remember the rows before.

A layer sees its last inputs, of so many hops, at once: its own window of the stream. Such windows lie in memory as one
piece, since each row is kept twice, at its place and as far behind as the window is long. Where a layer has a stride,
it and all behind it wait for so many of its inputs.
"""

from array import array

from dibble.inference import errors
from dibble.inference.decision import UNSURE, Decision
from dibble.inference.kernels.choice import KIND
from dibble.inference.kernels.generator import started

if KIND == "bytecode":
    from dibble.inference.kernels.stream_bytecode import stream
else:
    from dibble.inference.kernels.stream_plan import stream

FULL8, FULL4, DEPTHWISE8, MEAN = range(4)
MOST_STEPS = 7  # log2 of a mean's hops
TOGETHER = 4  # units whose weights lie side by side


def read(cursor, limits, classes):
    """Return the layers: (kind, inputs, units, taps, stride, biases, shifts, weights, steps).

    biases, shifts: of each unit, 0 of those that fill the last four up; weights: a bytes-like for each four units, in
    the file: see models/FORMAT.md. Of a mean over 2**steps hops all three are empty; its taps are one more than these,
    as the row that leaves is still to be seen.
    """
    layers = []
    inputs = len(limits)
    count = cursor.number()
    for i in range(count):
        last = i + 1 == count
        kind = cursor.byte()
        taps = cursor.byte()
        stride = cursor.byte()
        if kind == MEAN and taps <= MOST_STEPS:
            layers.append((kind, inputs, inputs, (1 << taps) + 1, stride, (), b"", (), taps))
            continue
        if kind >= MEAN:
            raise ValueError("a layer of kind %d, %d" % (kind, taps))
        units = inputs if kind == DEPTHWISE8 else classes if last else cursor.byte()
        fours = (units + TOGETHER - 1) // TOGETHER
        shifts = bytearray(fours * TOGETHER)
        common = cursor.byte() if last else None
        biases = array("i", [0] * len(shifts))
        for k in range(units):
            shifts[k] = cursor.byte() if common is None else common
        for k in range(units):
            biases[k] = cursor.signed()
        size = taps << 2 if kind == DEPTHWISE8 else taps * inputs << (2 if kind == FULL8 else 1)
        rows = [cursor.take(size) for _ in range(fours)]
        layers.append((kind, inputs, units, taps, stride, biases, shifts, rows, 0))
        inputs = units
    return layers


def build(cursor, low, limits, classes):
    """Return (f, scores) of the network that the file holds at the cursor: see stream_bytecode.stream."""
    return stream(cursor.blob, read(cursor, limits, classes), classes)


def begin(model, low, high, score, unsure_below, hysteresis):
    """Make a Model one of rows of codes.

    Args:
        score: the kernel that `build` returned.
    Sets:
        model.readings: bytearray, a code for each channel, 0 at first.
        model.predict: predict(row=None) of bytes or a bytearray as long; left out: `readings` as it stands. Returns
            model.decision, overwritten; as it was where a stride has nothing scored anew, and `model.waits` is true.
        model.restart: forgets all rows and decisions, as after power-on.
    """
    model.low = low
    model.high = high
    model.windows = None
    model.score = score
    model.unsure_below = unsure_below
    model.decision = Decision(hysteresis)
    model.readings = bytearray(len(low))
    model.waits = True

    def predict(row=None, elapsed_ms=None, own=model.readings, run=started(_decisions(model))):
        if row is None:
            return run(own)
        if len(row) != len(own):
            raise errors.no_row(row, len(own))
        return run(row)

    def restart():
        score(None)
        model.decision.reset()
        model.waits = True

    model.predict = predict
    model.restart = restart


def _decisions(model):
    score = model.score
    decision = model.decision
    unsure_below = model.unsure_below
    row = yield
    while True:
        found = score(row)
        if found < 0:
            model.waits = True
        else:
            model.waits = False
            margin = found >> 8
            # The held class once more, and to be trusted: all else stays as it is.
            if found & 255 == decision.held_index and not decision.agreed and margin >= unsure_below:
                decision.margin = margin
            else:
                decision.settle(found & 255, margin, UNSURE if margin < unsure_below else 0, -1)
        row = yield decision
