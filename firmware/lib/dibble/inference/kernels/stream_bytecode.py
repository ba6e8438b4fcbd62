"""Kernels of the stream family in plain bytecode, for every interpreter: see generator.py, stream.py.

A layer's generator takes the window that its newest input ends, and writes its units' outputs, twice, to the history
of the layer behind: the exact sum of weight * input plus bias, shifted right and clamped to 0..255. The host proves
that no sum on the way leaves the small ints of a 32-bit VM, and that the last layer's, which are scores, are within
0..65535.
"""

from array import array

from dibble.inference.kernels.generator import started


class History:
    """The last rows that a layer was given.

    Attributes:
        rows: bytearray; each row lies in it twice, `span` bytes apart.
        windows: of each place of the newest row, all `taps` rows, the oldest first.
        at: array: place of the newest row in bytes, which of `windows` it ends, inputs until the next is due.
    """

    def __init__(self, inputs, taps, stride):
        self.inputs = inputs
        self.stride = stride
        self.span = inputs * taps
        self.rows = bytearray(2 * self.span)
        whole = memoryview(self.rows)
        self.windows = [whole[i * inputs : i * inputs + self.span] for i in range(1, taps + 1)]
        self.at = array("i", (0, 0, stride))

    def restart(self):
        for i in range(len(self.rows)):
            self.rows[i] = 0
        self.at[0] = self.at[1] = 0
        self.at[2] = self.stride


def stream(blob, layers, classes):
    """Return (f(row), scores): f takes a row of codes, and returns winner | margin << 8; -1 where it waits.

    With None for a row it forgets all rows before.

    Args:
        blob: not used here.
        layers: from `stream.read`.
    """
    histories = [History(layer[1], layer[3], layer[4]) for layer in layers]
    scores = array("i", [0] * (classes + 3))
    run = []
    for i in range(len(layers)):
        kind, inputs, _, taps, _, biases, shifts, rows, steps = layers[i]
        to = Scores(scores) if i + 1 == len(layers) else histories[i + 1]
        if kind == 3:
            run.append(started(_mean(inputs, taps, steps, to)))
        elif kind == 2:
            run.append(started(_depthwise(inputs, rows, biases, shifts, to)))
        else:
            run.append(started((_full4 if kind else _full8)(rows, biases, shifts, to)))
    return started(_stream(histories, run, scores, classes)), scores


class Scores:
    """Where the last layer writes: no history.

    Attributes:
        rows, at, span: as a History's.
    """

    span = 0

    def __init__(self, scores):
        self.rows = scores
        self.at = array("i", (0,))


def _stream(histories, run, scores, classes):
    first = histories[0]
    found = -1
    while True:
        row = yield found
        if row is None:
            for history in histories:
                history.restart()
            for layer in run:
                layer(None)
            found = -1
            continue
        rows = first.rows
        i = first.at[0]
        span = first.span
        for code in row:
            rows[i] = rows[i + span] = code
            i += 1
        i = 0
        found = 0
        for layer in run:
            history = histories[i]
            at = history.at
            newest = at[1]
            at[1] = newest + 1
            at[0] += history.inputs
            if at[0] == history.span:
                at[0] = at[1] = 0
            at[2] -= 1
            if at[2]:
                found = -1
                break
            at[2] = history.stride
            layer(history.windows[newest])
            i += 1
        if found < 0:
            continue
        best = second = -1
        winner = i = 0
        while i < classes:
            score = scores[i]
            if score > best:
                second = best
                best = score
                winner = i
            elif score > second:
                second = score
            i += 1
        found = winner | best - second << 8


def _writer(to, totals, biases, shifts):
    """Write the outputs of the four units from `four` on, of which totals holds the sums; its fifth comes off each."""
    rows = to.rows
    span = to.span
    places = to.at
    four = yield
    while True:
        at = places[0] + four
        excess = totals[4]
        for i in range(4):
            total = totals[i] + biases[four] - excess >> shifts[four]
            if span:
                rows[at] = rows[at + span] = 0 if total < 0 else 255 if total > 255 else total
            else:
                rows[at] = total
            at += 1
            four += 1
        four = yield


def _full8(rows, biases, shifts, to):
    totals = array("i", [0] * 5)
    write = started(_writer(to, totals, biases, shifts))
    while True:
        window = yield
        if window is None:
            continue
        totals[4] = sum(window) << 7
        four = 0
        for row in rows:
            a = b = c = d = i = 0
            for x in window:
                a += row[i] * x
                b += row[i + 1] * x
                c += row[i + 2] * x
                d += row[i + 3] * x
                i += 4
            totals[0] = a
            totals[1] = b
            totals[2] = c
            totals[3] = d
            write(four)
            four += 4


def _full4(rows, biases, shifts, to):
    """The upper weight of a byte counts 16 times what the lower one does: both in one sum, less the lower one's."""
    totals = array("i", [0] * 5)
    write = started(_writer(to, totals, biases, shifts))
    while True:
        window = yield
        if window is None:
            continue
        totals[4] = sum(window) << 3
        four = 0
        for row in rows:
            a = b = c = d = i = 0
            for x in window:
                w = row[i]
                a += (w & 15) * x
                b += w * x
                w = row[i + 1]
                c += (w & 15) * x
                d += w * x
                i += 2
            totals[0] = a
            totals[1] = b - a >> 4
            totals[2] = c
            totals[3] = d - c >> 4
            write(four)
            four += 4


def _depthwise(inputs, rows, biases, shifts, to):
    totals = array("i", [0] * 5)
    write = started(_writer(to, totals, biases, shifts))
    while True:
        window = yield
        if window is None:
            continue
        four = 0
        for row in rows:
            size = len(row)
            for unit in range(4):
                total = 0
                at = four + unit
                i = unit
                while i < size:
                    total += (row[i] - 128) * window[at]
                    at += inputs
                    i += 4
                totals[unit] = total
            write(four)
            four += 4


def _mean(inputs, taps, steps, to):
    """The sum of each input over the last 2**steps hops moves by what comes and what leaves."""
    sums = array("i", [0] * inputs)
    half = 1 << steps >> 1
    newest = (taps - 1) * inputs
    while True:
        window = yield
        if window is None:
            for i in range(inputs):
                sums[i] = 0
            continue
        rows = to.rows
        span = to.span
        at = to.at[0]
        i = 0
        while i < inputs:
            total = sums[i] + window[newest + i] - window[i]
            sums[i] = total
            rows[at] = rows[at + span] = total + half >> steps
            at += 1
            i += 1
