"""The stream family in machine code: the plan that its kernel works on."""

from dibble.inference.kernels.choice import KIND, address
from dibble.inference.kernels.plan import HEAD_WORDS, Plan

if KIND == "thumb":
    from dibble.inference.kernels.stream_thumb import hop
else:
    from dibble.inference.kernels.stream_viper import hop

# Words at the plan's beginning, after the file's address: where in the plan, in bytes, the layers begin, the scores
# begin, and these end; then the layers.
LAYERS_AT, SCORES_AT, SCORES_END = range(2, 5)
# Words of a layer: its kind; where its newest row goes, where its history begins, and where it begins anew; bytes of a
# row and of all it sees; inputs until it is due, and its stride; where the layer behind begins, 0 where there is none;
# where its units begin and end; where its weights lie in the file, or a mean's sums in the plan; bytes of four units'
# weights, or the half and the shift of a mean, << 8.
# Its units are biases of each four, then their shifts in a word.
KIND_OF, SLOT, FIRST, AGAIN, ROW, SPAN, LEFT, STRIDE, BEHIND, UNITS_AT, UNITS_END, WEIGHTS, SIZE = range(13)
LAYER_WORDS = 13


def stream(blob, layers, classes):
    """As stream_bytecode.stream.

    Args:
        layers: from `stream.read`, whose weights lie in the blob.
    """
    plan = Plan("i", [0] * HEAD_WORDS)
    layers_at = plan.at()
    for _ in range(len(layers) * LAYER_WORDS):
        plan.append(0)
    heads = [layers_at // 4 + i * LAYER_WORDS for i in range(len(layers))]
    for head, layer in zip(heads, layers):
        _, _, units, _, _, biases, shifts, rows, _ = layer
        plan[head + UNITS_AT] = plan.at()
        for k in range(0, len(biases), 4):
            for i in range(4):
                plan.append(biases[k + i])
            plan.append(shifts[k] | shifts[k + 1] << 8 | shifts[k + 2] << 16 | shifts[k + 3] << 24)
        plan[head + UNITS_END] = plan.at()
    plan[LAYERS_AT] = layers_at
    plan[SCORES_AT] = plan.at()
    plan[SCORES_END] = plan.at() + 4 * classes
    for _ in range(classes + 3):
        plan.append(0)
    state_at = len(plan)
    for i in range(len(layers)):
        kind, inputs, units, taps, stride, _, _, rows, steps = layers[i]
        head = heads[i]
        size = inputs * taps
        at = plan.at()
        plan[head] = kind
        plan[head + FIRST] = at
        plan[head + AGAIN] = at + size
        plan[head + ROW] = inputs
        plan[head + SPAN] = size
        plan[head + STRIDE] = stride
        plan[head + BEHIND] = 4 * heads[i + 1] if i + 1 < len(layers) else 0
        words = 2 * size + 3 >> 2
        if kind == 3:
            plan[head + WEIGHTS] = at + 4 * words
            plan[head + SIZE] = 1 << steps >> 1 | steps << 8
            words += inputs
        else:
            plan[head + WEIGHTS] = address(rows[0]) - address(blob)
            plan[head + SIZE] = len(rows[0])
        for _ in range(words):
            plan.append(0)
    plan.tell(blob)
    words = memoryview(plan)
    _restart(words, heads, state_at)

    def f(row, plan=plan, at=address(plan), run=hop):
        if row is None:
            _restart(words, heads, state_at)
            return -1
        return run(at, row)

    return f, words[plan[SCORES_AT] >> 2 :]


def _restart(words, heads, state_at):
    """Forget all rows."""
    for i in range(state_at, len(words)):
        words[i] = 0
    for head in heads:
        words[head + SLOT] = words[head + FIRST]
        words[head + LEFT] = words[head + STRIDE]
