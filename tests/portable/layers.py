"""One layer of a network, by each kernel set this VM has."""

from array import array

from dibble.inference import mlp as family
from dibble.inference.kernels.mlp_bytecode import mlp as bytecode
from support import heap_lock, heap_unlock, in_file

DENSE8, DENSE16, SPARSE8, CODEBOOK4 = range(4)


def run(x, form, rows, biases, shifts, extra, top):
    """Return what a layer makes of the inputs x, clamped to 0..top: 255 of a hidden layer, 65535 of the last.

    Args:
        rows: bytes of each unit; for SPARSE8 inputs and weights.
    """
    inputs, units = len(x), len(rows)
    scalers = [(i, 0, 0, 0, 1, 0, 255) for i in range(inputs)]
    flat = []
    for row in rows:
        flat += [bytes([len(row[0])]), row[0], row[1]] if form == SPARSE8 else [row]
    # After a hidden layer comes one that hands its outputs on.
    hand_on = [bytes([129 if i == k else 128 for i in range(units)]) for k in range(units)]
    book = [extra] if form == CODEBOOK4 else []
    file, placed = in_file(flat + hand_on + book)
    ends = placed[len(flat) : len(flat) + units]
    rows = placed[: len(flat)]
    if form == SPARSE8:
        rows = [(rows[3 * i + 1], rows[3 * i + 2]) for i in range(units)]
    if book:
        extra = placed[-1]
    found = []
    for make, in_place in ((bytecode, False), (family.mlp, family.KIND != "bytecode")):
        own = [array("H", bytes(row)) for row in rows] if form == DENSE16 and not in_place else rows
        layers = [(form, (own, array("i", biases), bytes(shifts), extra))]
        if top == 255:
            layers.append((DENSE8, (ends, array("i", [0] * units), bytes(units), 128)))
        score, out = make(file, (scalers, 0, layers), array("i", [0] * inputs), [255] * inputs)
        row = array("i", x)
        heap_lock()
        try:
            score(row)
            lead = score(row)
        finally:
            heap_unlock()
        found.append((list(out)[1:], lead))
    assert found[0] == found[1], found
    return found[0][0]
