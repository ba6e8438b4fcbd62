"""The mlp family in machine code: the plan that its kernel works on."""

from dibble.inference.kernels.coded_plan import begin, end
from dibble.inference.kernels.plan import aligned, place

# Of each layer its form, the most of a sum, where its outputs go, its units end and its inputs lie in the plan, bytes
# of these in whole fours and of all, its zero point, where its first row and its book lie in the file; then a bias and
# a shift for each unit. Inputs and outputs are words, with a zero after those of a hidden layer that a codebook's last
# half byte meets.
LAYER_BYTES = 40
ZERO_POINTS = (128, 32768, 0, 128)


def mlp(blob, parts, low, limits):
    """As mlp_bytecode.mlp, but for inputs within their ranges: returns (plan, scores).

    Args:
        low, limits: each input's least value, and by how much it may lie above that.
    """
    scalers, base, layers = parts
    plan = begin(low, limits, scalers)
    inputs_at, inputs = plan[7], len(low)
    for _, layer in layers[:-1]:
        for _ in range(len(layer[0]) + 1):
            plan.append(0)
    outputs_at = plan[7] + 4 * (inputs + 1)
    layers_at = plan.at()
    scores = 1 + len(layers[-1][1][0])
    scores_at = layers_at + sum([LAYER_BYTES + 8 * len(layer[0]) for _, layer in layers]) + 4 * scores
    for i in range(len(layers)):
        form, (rows, biases, shifts, extra) = layers[i]
        last = i + 1 == len(layers)
        row = 0
        if rows:  # one of form 2 begins with a byte, how many weights it has
            row = place(rows[0][0], blob) - 1 if form == 2 else place(rows[0], blob)
        book = place(extra, blob) if form == 3 else 0
        to = scores_at + 4 if last else outputs_at
        units_end = plan.at() + LAYER_BYTES + 8 * len(rows)
        for word in (form, 65535 if last else 255, to, units_end):
            plan.append(word)
        for word in (inputs_at, 4 * (inputs & ~3), 4 * inputs, ZERO_POINTS[form], row, book):
            plan.append(word)
        for k in range(len(rows)):
            plan.append(biases[k])
            plan.append(shifts[k])
        inputs_at, inputs = outputs_at, len(rows)
        outputs_at += 4 * (inputs + 1)
    end(plan, len(layers), layers_at, [base] + [0] * (scores - 1))
    wide = [form for form, _ in layers if form == 1]  # what is of bytes lies anywhere
    plan.tell(aligned(blob) if wide else blob)
    return plan, memoryview(plan)[scores_at >> 2 :]
