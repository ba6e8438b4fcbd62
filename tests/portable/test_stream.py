"""The stream family: random networks of every kind of layer, held against the sums that models/FORMAT.md tells of."""

from dibble.inference import stream as family
from dibble.inference.format import Cursor
from dibble.inference.kernels.stream_bytecode import stream as bytecode
from dibble.inference.stream import DEPTHWISE8, FULL4, FULL8, MEAN
from support import Random, heap_lock, heap_unlock

# (kind, units, taps, stride): of a mean taps are log2 of its hops.
NETWORKS = (
    (5, 3, ((FULL8, 0, 1, 1),)),
    (20, 12, ((FULL8, 8, 3, 1), (DEPTHWISE8, 0, 5, 1), (FULL4, 12, 1, 1), (MEAN, 0, 2, 1), (FULL8, 0, 1, 1))),
    (7, 2, ((FULL4, 4, 2, 2), (FULL8, 8, 3, 1), (DEPTHWISE8, 0, 2, 3), (FULL4, 0, 2, 1))),
    (
        4,
        5,
        (
            (DEPTHWISE8, 0, 3, 1),
            (FULL4, 4, 5, 1),
            (MEAN, 0, 0, 1),
            (FULL8, 16, 2, 2),
            (MEAN, 0, 4, 1),
            (FULL4, 0, 1, 1),
        ),
    ),
)
HOPS = 40


def number(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def network(inputs, classes, shapes, seed):
    """Return (file, layers): the file's bytes, and each layer as (kind, taps, stride, weights, biases, shifts)."""
    random = Random(seed)
    out = bytearray(number(len(shapes)))
    layers = []
    for i in range(len(shapes)):
        kind, units, taps, stride = shapes[i]
        last = i + 1 == len(shapes)
        if kind == MEAN:
            out.extend(bytes([kind, taps, 1]))
            layers.append((kind, 1 << taps, 1, (), (), ()))
            continue
        out.extend(bytes([kind, taps, stride]))
        if kind == DEPTHWISE8:
            units = inputs
        elif last:
            units = classes
        else:
            out.append(units)
        size = taps if kind == DEPTHWISE8 else taps * inputs
        least, count = (-8, 16) if kind == FULL4 else (-127, 255)
        weights = [[least + random.below(count) for _ in range(size)] for _ in range(units)]
        biases = []
        for row in weights:
            low = sum([w for w in row if w < 0])
            biases.append(-255 * low if last else random.below(4000) - 2000 - 128 * sum(row))
        shifts = [9] * units if last else [(3 if kind == FULL4 else 7) + random.below(3) for _ in range(units)]
        out.extend(bytes(shifts[:1] if last else shifts))
        for bias in biases:
            out.extend(number(-2 * bias - 1 if bias < 0 else 2 * bias))
        fours = units + 3 >> 2
        for four in range(fours):
            own = [weights[k] if k < units else [0] * size for k in range(4 * four, 4 * four + 4)]
            for j in range(size):
                if kind == FULL4:
                    out.extend(bytes([own[k][j] + 8 | own[k + 1][j] + 8 << 4 for k in (0, 2)]))
                else:
                    out.extend(bytes([row[j] + 128 for row in own]))
        layers.append((kind, taps, stride, weights, biases, shifts))
        inputs = units
    return bytes(out), layers


class Plain:
    """A layer as FORMAT.md tells of it: all its inputs are kept."""

    def __init__(self, inputs, layer, last):
        self.kind, self.taps, self.stride, self.weights, self.biases, self.shifts = layer
        self.seen = [[0] * inputs for _ in range(self.taps)]
        self.last = last
        self.count = 0

    def push(self, row):
        """Return its outputs; None where it waits."""
        self.seen = self.seen[1:] + [row]
        self.count += 1
        if self.count % self.stride:
            return None
        if self.kind == MEAN:
            return [(sum(column) + self.taps // 2) // self.taps for column in zip(*self.seen)]
        out = []
        for k in range(len(self.weights)):
            if self.kind == DEPTHWISE8:
                inputs = [hop[k] for hop in self.seen]
            else:
                inputs = [code for hop in self.seen for code in hop]
            total = self.biases[k]
            for weight, code in zip(self.weights[k], inputs):
                total += weight * code
            total = total // (1 << self.shifts[k])
            out.append(total if self.last else max(0, min(255, total)))
        return out


def plain(inputs, layers, rows):
    """Return the last scores at each hop, None before the first; and whether they are of this hop."""
    run = []
    for i in range(len(layers)):
        run.append(Plain(inputs, layers[i], i + 1 == len(layers)))
        inputs = len(layers[i][3]) or inputs
    found = []
    for row in rows:
        row = list(row)
        for layer in run:
            row = layer.push(row)
            if row is None:
                break
        found.append(row)
    return found


def random_rows(inputs, random):
    rows = []
    for i in range(HOPS):
        largest = (256, 60, 1)[i // 4 % 3]
        rows.append(
            bytes([255 - random.below(largest) if i % 7 == 3 else random.below(largest) for _ in range(inputs)])
        )
    return rows


def test_every_kernel_has_the_sums():
    for seed in range(len(NETWORKS)):
        inputs, classes, shapes = NETWORKS[seed]
        blob, layers = network(inputs, classes, shapes, seed + 1)
        rows = random_rows(inputs, Random(seed))
        expected = plain(inputs, layers, rows)
        assert len([row for row in expected if row]) > 5
        for make in (bytecode, family.stream):
            run, scores = make(blob, family.read(Cursor(blob, 0), b"\xff" * inputs, classes), classes)
            for again in range(2):
                for row, wanted in zip(rows, expected):
                    heap_lock()
                    try:
                        found = run(row)
                    finally:
                        heap_unlock()
                    if wanted is None:
                        assert found == -1, found
                        continue
                    assert list(scores)[:classes] == wanted, (seed, make, list(scores)[:classes], wanted)
                    best = sorted(wanted)
                    assert found == wanted.index(best[-1]) | (best[-1] - best[-2]) << 8, found
                run(None)  # forgets all of it


def test_the_reader_ends_where_the_tables_do():
    for seed in range(len(NETWORKS)):
        inputs, classes, shapes = NETWORKS[seed]
        blob, _ = network(inputs, classes, shapes, seed)
        cursor = Cursor(blob, 0)
        family.read(cursor, b"\xff" * inputs, classes)
        assert cursor.at == len(blob)
