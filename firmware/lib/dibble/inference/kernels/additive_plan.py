"""The additive family in machine code: the plan that its kernel works on."""

from dibble.inference.kernels.coded_plan import begin, end
from dibble.inference.kernels.plan import place


def additive(blob, parts, low, limits):
    """As additive_bytecode.additive, but for inputs within their ranges: returns (plan, scores).

    A term of the plan: where its code lies among the codes, where its first table lies in the file, the cells of a
    table, and those of a row; of a pair these, not 0, and then the first code's shift, where the other lies, its shift.

    Args:
        low, limits: each input's least value, and by how much it may lie above that.
    """
    scalers, singles, pairs, tables, _, base = parts
    plan = begin(low, limits, scalers)
    terms_at = plan.at()
    terms = [(i, 0, 0, 0, 0) for i in singles] + pairs
    for i in range(len(terms) if len(base) > 1 else 0):
        a, drop_a, n, b, drop_b = terms[i]
        for word in (4 * scalers[a][0], place(tables[i][0], blob), len(tables[i][0]), n):
            plan.append(word)
        for word in (drop_a, 4 * scalers[b][0], drop_b) if n else ():
            plan.append(word)
    end(plan, 0, terms_at, base)
    plan.tell(blob)
    scores = len(plan) - len(base)
    return plan, memoryview(plan)[scores:]
