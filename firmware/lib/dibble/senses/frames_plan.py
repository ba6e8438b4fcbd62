"""The front end of sound in machine code: the plan that its kernel works on. See frames.py."""

from array import array

from dibble.inference.kernels.choice import KIND, address
from dibble.inference.kernels.plan import word

if KIND == "thumb":
    from dibble.senses.frames_thumb import levels
else:
    from dibble.senses.frames_viper import levels

# Words at its beginning: the row's address, then where in the plan, in bytes, sines, orders, spectrum, and bands begin,
# and these end; a frame's samples and log2 of them, the first bin, the floor. Sines are half
# words, and so is where each four values of the spectrum lie, in bytes; a band has its width and 4096 // width << 8.
WORDS = 11


class FramePlan(array):
    """Words of a front end: levels(samples) overwrites `row`, which lies where it is as long as it's kept."""

    levels = levels


def frames(spec, sine, reversed_bits):
    """As frames.build: return (f, row).

    Args:
        sine, reversed_bits: of frames.sines and frames.reversed_bits.
    """
    row = bytearray(len(spec.widths) - 1)
    plan = FramePlan("i", [0] * WORDS)
    plan[7] = 1 << spec.log2
    plan[8] = spec.log2
    plan[9] = spec.first
    plan[10] = spec.floor
    plan[2] = 4 * len(plan)
    _append_halves(plan, sine)
    plan[3] = 4 * len(plan)
    _append_halves(plan, reversed_bits, 4)
    plan[4] = 4 * len(plan)
    for _ in range(1 << spec.log2):
        plan.append(0)
    plan[5] = 4 * len(plan)
    for width in spec.widths:
        plan.append(width | 4096 // width << 8)
    plan[6] = 4 * len(plan)
    plan.row = row
    plan[0] = word(address(row))
    plan[1] = word(address(row) >> 32)
    return plan.levels, row


def _append_halves(plan, values, shift=0):
    """Append two values, shifted left, in each word."""
    for i in range(0, len(values), 2):
        plan.append(values[i] << shift | (values[i + 1] << shift + 16 if i + 1 < len(values) else 0))
