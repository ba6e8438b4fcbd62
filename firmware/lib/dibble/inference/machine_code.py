"""Readings in, decision out, where the kernels are machine code: what predictor.py is for those in bytecode.

A call and an attribute cost more than a kernel does, so `predict` is a function with all that it needs at hand, as
the defaults of arguments that nobody else gives. It and its stack have 11 words: with more it would look for room on
the heap. Kernels take addresses. They tell what has changed (see kernels/plan.py): mostly nothing but the margin.
"""

from array import array

from dibble.inference.decision import NO_CLASS, NOVEL, SENSOR_FAULT, Decision
from dibble.inference.fixed_point import MISSING, READING_LIMIT
from dibble.inference.kernels.choice import address
from dibble.inference.kernels.plan import FLAGS, FLAGS_BIT, MARGIN_MASK, STEADY, UNSURE_BELOW, word
from dibble.inference.kernels.rows_plan import VITAL, Rows


class Predictor:
    """As predictor.Predictor, over a kernel's plan.

    Args:
        low, high, unsure_below, hysteresis: as there.
        windows: a WindowsPlan; None where each feature is the last reading of its channel.
        score: the plan of the model's tables.
    Attributes:
        predict: predict(readings=None, elapsed_ms=None), as predictor.Predictor.predict.
        usual: the plan that knows usual rows; None where there is none.
        readings, decision: as there.
        rows: what takes any other row than the array that `readings` was at first, which is the quickest.
    """

    usual = None

    def __init__(self, low, high, windows, score, unsure_below, hysteresis):
        self.predict = None  # first: the later a name comes, the longer it is looked for
        self.readings = array("i", [MISSING] * len(low))
        self.decision = Decision(hysteresis)
        self.low = low
        self.high = high
        self.windows = windows
        self.score = score
        self.unsure_below = unsure_below
        self.rows = Rows(self.readings, low, high)
        self.words = memoryview(score)  # whose words are quicker to get at
        self.words[UNSURE_BELOW] = unsure_below
        self.classify = type(score).classify
        self.score_at = address(score)
        if windows:
            self.values_at = windows.values_at
            half = windows.interval_ms >> 1
            self.shortest_ms = windows.interval_ms - half
            self.longest_ms = windows.interval_ms + half or READING_LIMIT  # rows that stand alone have no gaps
            self.predict = _windowed(self)
        else:
            self.predict = _plain(self)

    def restart(self):
        """Forget past readings and decisions, as after power-on."""
        if self.windows:
            self.windows.restart()
        self.decision.reset()
        self.words[STEADY] = -1

    def gap(self):
        """Forget past readings; decisions count anew."""
        self.windows.restart()
        self.decision.agreed = -1
        self.words[STEADY] = -1

    def last_row(self):
        """Return what was predicted last, by a kernel of codes."""
        from dibble.inference.kernels.coded_plan import ROW

        return self.rows.own if self.words[ROW] == word(address(self.rows.own)) else self.rows.out

    def odd(self, at):
        """Return the decision on a row at an address, of which readings are missing or out of range."""
        windows = self.windows
        found = self.rows.hold(self.rows.at, at, windows.state_at if windows else 0)
        at = self.rows.out_at
        if windows:
            if found & SENSOR_FAULT:
                windows.miss()
            windows.push(windows.plan_at, at)
            at = windows.values_at
        if found & VITAL:
            at = NO_CLASS | SENSOR_FAULT << FLAGS_BIT
        else:
            at = self.found(at, found & 15)
        return self.finish(at, (found >> 8) - 1)

    def any(self, readings):
        """Return the decision on a row of any kind.

        Raises:
            ModelError, TypeError: see predict.
        """
        out = self.rows.out
        most = READING_LIMIT
        i = 0
        try:
            for reading in readings:
                if reading is None or reading == MISSING:
                    out[i] = MISSING
                else:
                    out[i] = most if reading > most else -most if reading < -most else reading
                i += 1
        except (TypeError, IndexError):
            i = -1
        if i != len(out):
            from dibble.inference import errors

            raise errors.no_row(readings, len(out))
        return self.odd(self.rows.out_at)

    def found(self, at, flags=0):
        """Return what the kernel tells of a row at an address; `flags` it has already."""
        if self.usual and self.is_novel(at):
            flags |= NOVEL
        if not flags:
            return self.classify(self.score_at, at)
        self.words[FLAGS] = flags
        found = self.classify(self.score_at, at)
        self.words[FLAGS] = 0
        return found

    def is_novel(self, at):
        """Tell whether a row's combination of values is unusual."""
        found = self.usual_classify(self.usual_at, at)
        if found < -1:
            return False
        lead = found >> 8 & MARGIN_MASK
        return (lead if found & 255 else -lead) < self.least_lead

    def watch(self, usual, least_lead):
        """Take the plan of what is usual: a row where class 1 leads by less than `least_lead` is novel."""
        self.usual = usual
        self.usual_at = address(usual)
        self.usual_classify = type(usual).classify
        self.least_lead = least_lead
        usual[UNSURE_BELOW] = max(least_lead, 0)
        usual[STEADY] = 1
        if not self.windows:
            self.predict = _watched(self)

    def finish(self, found, channel=-1):
        """Return the decision of which the kernel told `found`."""
        decision = self.decision
        if found < -1:
            decision.margin = -2 - found
            return decision
        decision.settle(found & 255, found >> 8 & MARGIN_MASK, found >> FLAGS_BIT, channel)
        self.words[STEADY] = -1 if decision.agreed else decision.held_index
        return decision


def _plain(node):
    own = node.rows.own

    def predict(
        readings=None, elapsed_ms=None, node=node, run=node.classify, at=node.score_at, own=own, row=address(own)
    ):
        if readings is None:
            readings = node.readings
        if readings is not own:
            row = node.rows
            row.box[0] = readings
            if row.take(row.at, row.out_at):
                return node.any(readings)
            row = row.out_at
        readings = run(at, row)
        if readings < -1:
            node = node.decision
            node.margin = -2 - readings
            return node
        if readings == -1:
            return node.odd(row)
        return node.finish(readings)

    return predict


def _watched(node):
    own = node.rows.own

    def predict(readings=None, elapsed_ms=None, node=node, own=own, row=address(own)):
        if readings is None:
            readings = node.readings
        if readings is not own:
            row = node.rows
            row.box[0] = readings
            if row.take(row.at, row.out_at):
                return node.any(readings)
            row = row.out_at
        readings = node.found(row)
        if readings == -1:
            return node.odd(row)
        return node.finish(readings)

    return predict


def _windowed(node):
    own = node.rows.own
    windows = node.windows

    def predict(
        readings=None, elapsed_ms=None, node=node, push=windows.push, at=windows.plan_at, own=own, row=address(own)
    ):
        if elapsed_ms is not None and (elapsed_ms < node.shortest_ms or elapsed_ms > node.longest_ms):
            node.gap()
        if readings is None:
            readings = node.readings
        if readings is not own:
            row = node.rows
            row.box[0] = readings
            if row.take(row.at, row.out_at):
                return node.any(readings)
            row = row.out_at
        if push(at, row):
            return node.odd(row)
        if node.usual:
            readings = node.found(node.values_at)
        else:
            readings = node.classify(node.score_at, node.values_at)
        if readings < -1:
            node = node.decision
            node.margin = -2 - readings
            return node
        return node.finish(readings)

    return predict
