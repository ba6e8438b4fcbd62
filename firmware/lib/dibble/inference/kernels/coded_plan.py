"""The beginning of a plan that the kernel of codes works on, which is the additive's and the mlp's alike."""

from dibble.inference.kernels.choice import KIND
from dibble.inference.kernels.plan import HEAD_WORDS, STEADY, Plan

if KIND == "thumb":
    from dibble.inference.kernels.coded_thumb import classify
else:
    from dibble.inference.kernels.coded_viper import classify

ROW = HEAD_WORDS + 7
WORDS = ROW + 1  # at the plan's beginning; AT and END are places in the plan, in bytes: those of each plan, then
# LAYERS (0: additive), INPUTS_END, CODES_AT, SCORES_AT, SCORES_END, PARTS_AT and PARTS_END (of the terms or layers),
# ROW (the low half of the last row's address, which the kernel leaves there).
#
# Then of each input low, span, bias (0: not logarithmic), drop, zero point, multiplier, shift, top; its code; a zero;
# the terms or layers; each class's base, and its score. Nothing but low and a unit's bias is below 0.


class Coded(Plan):
    """A plan of codes: classify(inputs) returns what plan.py says."""

    classify = __call__ = classify


def begin(low, limits, scalers):
    """Return a plan that turns inputs into codes.

    Args:
        low, limits: each input's least value, and by how much it may lie above that.
        scalers: see scale.scale; one for an input at most.
    """
    plan = Coded("i", [0] * WORDS)
    plan[STEADY] = -1
    scaler_of = [(0, 0, 0, 0, 0, 0, 0)] * len(low)
    for scaler in scalers:
        scaler_of[scaler[0]] = scaler
    for i in range(len(low)):
        _, drop, bias, zero_point, multiplier, shift, top = scaler_of[i]
        for word in (low[i], limits[i], bias, drop, zero_point, multiplier, shift, top):
            plan.append(word)
    plan[6] = plan[7] = plan.at()
    for _ in range(len(low) + 1):
        plan.append(0)
    return plan


def end(plan, layers, parts_at, base):
    """Write what is left of the plan: its head, each class's base and its score."""
    plan[5] = layers
    plan[10] = parts_at
    plan[11] = plan.at()
    for score in base:
        plan.append(score)
    plan[8] = plan.at()
    for score in base:
        plan.append(score)
    plan[9] = plan.at()
