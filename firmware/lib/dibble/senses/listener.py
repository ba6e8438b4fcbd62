"""Samples in, decisions out: a model that hears single sounds, or decides at each hop, as models/FORMAT.md has it."""

from array import array

from dibble import ModelError
from dibble.inference.format import STREAM, Cursor
from dibble.senses import frames

TAIL_MS, MOST_MS = 500, 4000  # of a gate before a model that decides at each hop
HOPS = 8  # that the samples are kept of, before the last frame's are moved to the beginning


class Listener:
    """A model and what lies before it: frames of samples, and single sounds out of their rows.

    Args:
        model: a Model with the parts "frames" and "segment"; or of the family stream, with "frames" alone: then each
            frame's row is decided on.
        before: a Model of the same kind, with the same parts, that decides first, on the same features; None: none.
        skip: its class (an index) after which the other doesn't decide any more.
    Attributes:
        rate_hz: samples a second that it takes.
        into: memoryview of 16-bit samples, as many as a hop: to be filled before `hear` is called.
        row: the codes of the last frame.
        values: features of the last sound; None where the model decides at each hop.
        rows: how many rows the last sound took, 0: none ended with the last hop; 1 where the model decides at each hop.
        skipped: the first model was sure that the last sound isn't worth the other.
        gone_on: hops for which a gate may stay open after the last loud one, and be open at most.
        each_hop: the model decides at each hop.
    Raises:
        ModelError: it doesn't listen, its parts say what can't be, or those of the two differ.
    """

    def __init__(self, model, before=None, skip=-1):
        self.model = model
        self._before = before
        self._skip = skip
        self.skipped = False
        spec = frames.read(_part(model, frames.NAME))
        if not frames.holds(spec):
            raise ModelError("the model file contradicts itself: its frames")
        bands = len(spec.widths) - 1
        self.push = self.values = None
        self.each_hop = model.blob[5] == STREAM
        features = bands
        hop_ms = max(1, spec.hop * 1000 // spec.rate_hz)
        self.gone_on = TAIL_MS // hop_ms + 1, MOST_MS // hop_ms + 1
        names = [frames.NAME]
        if not self.each_hop:
            from dibble.senses import segment

            names.append(segment.NAME)
            gate = segment.read(_part(model, segment.NAME))
            if not segment.holds(gate):
                raise ModelError("the model file contradicts itself: its segments")
            features = segment.features_of(gate, bands)
            self.gone_on = gate.tail, gate.most
        if features != len(model.low):
            raise ModelError(
                "expected a model of %d features, which its frames and segments have; got %d"
                % (features, len(model.low))
            )
        if before:
            if self.each_hop != (before.blob[5] == STREAM):
                raise ModelError("expected two models that both decide at each hop, or both on whole sounds")
            for name in names:
                if _bytes(before, name) != _bytes(model, name):
                    raise ModelError("expected two models with the same %s, got others" % str(name, "utf-8"))
        self._left = 0  # hops for which the other model goes on
        self.rate_hz = spec.rate_hz
        self.levels, self.row = frames.build(spec)
        if not self.each_hop:
            self.push, self.values = segment.build(gate, bands)
        self.rows = 0
        size = 1 << spec.log2
        self.keep = size - spec.hop
        self.samples = array("h", [0] * (size + (HOPS - 1) * spec.hop))
        whole = memoryview(self.samples)
        places = [i * spec.hop for i in range(HOPS)]
        self.hops = [whole[at + self.keep : at + size] for at in places]
        self.frames = [whole[at : at + size] for at in places]
        self.at = 0
        self.into = self.hops[0]
        self._short = -(-self.keep // spec.hop)  # hops until a frame is whole: what isn't would be a false quiet

    def restart(self):
        """Forget what was heard, as after power-on."""
        for i in range(len(self.samples)):
            self.samples[i] = 0
        self.at = 0
        self.into = self.hops[0]
        self._short = -(-self.keep // len(self.into))
        if self.push:
            self.push(None)
        self.model.restart()

    def hear(self):
        """Return the Decision on the sound that ended with the samples in `into`; None where none did.

        The first samples of all only fill a frame. Of a model that decides at each hop the Decision of this one; None
        where its strides leave nothing to score.
        """
        self.skipped = False
        if self._short:
            self.pass_over()
            self.rows = 0
            return None
        self.levels(self.frames[self.at])
        self.pass_over()
        if self.each_hop:
            self.rows = 1
            self.skipped = self._before is not None and self._goes_by()
            if self.skipped:
                return None
            decision = self.model.predict(self.row)
            return None if self.model.waits else decision
        self.rows = self.push(self.row)
        if not self.rows:
            return None
        if self._before:
            first = self._before.predict(self.values)
            self.skipped = not first.flags and first.class_index == self._skip
            if self.skipped:
                return None
        return self.model.predict(self.values)

    def _goes_by(self):
        """Tell whether the first model says that this hop isn't worth the other, which has to begin anew after it."""
        first = self._before.predict(self.row)
        if not self._before.waits and (first.flags or first.class_index != self._skip):
            if not self._left:
                self.model.restart()
            self._left = self.gone_on[0]
        elif self._left:
            self._left -= 1
        return not self._left

    def pass_over(self):
        """Take the samples in `into` for what comes before the next, without a look at them."""
        if self._short:
            self._short -= 1
        self.at += 1
        if self.at == HOPS:
            self.at = 0
            samples = self.samples
            first = len(samples) - self.keep
            for i in range(self.keep):
                samples[i] = samples[first + i]
        self.into = self.hops[self.at]


def _part(model, name):
    """Return a Cursor at what a part of the model file says."""
    if name not in model.parts:
        raise ModelError("expected a model that listens, with the part %r, got one without" % str(name, "utf-8"))
    return Cursor(model.blob, model.parts[name])


def _bytes(model, name):
    """Return a part's bytes: its length is the number before them."""
    at = _part(model, name).at
    return bytes(model.blob[at : at + model.blob[at - 1]])
