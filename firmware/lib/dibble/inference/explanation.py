"""Why an additive model decided as it did."""

from array import array

from dibble import ModelError
from dibble.inference.additive import read
from dibble.inference.decision import NO_CLASS
from dibble.inference.fixed_point import MISSING
from dibble.inference.format import ADDITIVE, Cursor
from dibble.inference.scale import scale


def explain(model):
    """Return what Model.explain() does, from the tables in the model's file and the last row."""
    winner = model.decision.class_index
    if winner == NO_CLASS or model.blob[5] & 127 != ADDITIVE:
        raise ModelError("expected a decision of an additive model, which alone can tell why")
    if model.windows:
        values = model.windows.values
    else:
        row, low, high = model.last_row(), model.low, model.high
        values = []
        for i in range(len(low)):
            if row[i] is None or row[i] == MISSING:
                values.append(model.stand_ins[i])
            else:
                values.append(min(max(row[i], low[i]), high[i]) - low[i])
    parts = read(Cursor(model.blob, model.family_at), model.limits, len(model.classes))
    feature, amount = push(parts, len(model.limits), values, winner)
    return (model.windows.features[feature][0] if model.windows else feature), amount


def push(parts, features, values, winner):
    """Return (feature, amount): what moved a row's margin most from where training rows are on average.

    Args:
        parts: from `additive.read`.
        features: how many there are.
        values: one value a feature, 0..its limit.
        winner: the class decided; amount is the change of its score less the runner-up's.
    """
    scalers, singles, pairs, tables, centres, base = parts
    codes = [_code(scaler, values[scaler[0]]) for scaler in scalers]
    cells = [codes[i] for i in singles]
    of = [(scalers[i][0],) for i in singles]
    for a, drop_a, n, b, drop_b in pairs:
        cells.append((codes[a] >> drop_a) * n + (codes[b] >> drop_b))
        of.append((scalers[a][0], scalers[b][0]))
    scores = [base[0]]
    for column in range(len(base) - 1):
        scores.append(base[column + 1] + sum([tables[t][column][cells[t]] for t in range(len(cells))]))
    other = 1 if winner == 0 else 0
    for i in range(len(scores)):
        if i != winner and scores[i] > scores[other]:
            other = i
    amounts = array("i", [0] * features)
    for t in range(len(cells)):
        lead = 0
        for sign, column in ((1, winner - 1), (-1, other - 1)):
            if column >= 0:
                lead += sign * (tables[t][column][cells[t]] - centres[t][column])
        if len(of[t]) == 2:
            amounts[of[t][1]] += lead - (lead >> 1)
            lead >>= 1
        amounts[of[t][0]] += lead
    best = 0
    for i in range(features):
        if abs(amounts[i]) > abs(amounts[best]):
            best = i
    return best, amounts[best]


def _code(scaler, value):
    """Return one value's code: see scale.scale."""
    codes = bytearray(1)
    scale([(0,) + scaler[1:]], [0x3FFFFFFF], codes)([value])
    return codes[0]
