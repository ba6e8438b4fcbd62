"""Samples in, decisions out: a model that hears single sounds, as models/FORMAT.md has it."""

from array import array

from dibble import ModelError
from dibble.inference.format import Cursor
from dibble.senses import frames, segment

HOPS = 8  # that the samples are kept of, before the last frame's are moved to the beginning


class Listener:
    """A model and what lies before it: frames of samples, and single sounds out of their rows.

    Args:
        model: a Model with the parts "frames" and "segment".
        before: a Model with the same two parts that decides first, on the same features; None: there is none.
        skip: its class (an index) after which the other doesn't decide any more.
    Attributes:
        rate_hz: samples a second that it takes.
        into: memoryview of 16-bit samples, as many as a hop: to be filled before `hear` is called.
        row: the codes of the last frame.
        values: features of the last sound.
        rows: how many rows the last sound took; 0: none ended with the last hop.
        skipped: the first model was sure that the last sound isn't worth the other.
        gone_on: hops for which the gate may stay open after the last loud one, and be open at most.
    Raises:
        ModelError: it doesn't listen, its parts say what can't be, or those of the two differ.
    """

    def __init__(self, model, before=None, skip=-1):
        self.model = model
        self._before = before
        self._skip = skip
        self.skipped = False
        spec = frames.read(_part(model, frames.NAME))
        gate = segment.read(_part(model, segment.NAME))
        if not frames.holds(spec) or not segment.holds(gate):
            raise ModelError("the model file contradicts itself: its frames or its segments")
        bands = len(spec.widths) - 1
        if segment.features_of(gate, bands) != len(model.low):
            raise ModelError(
                "expected a model of %d features, which its frames and segments have; got %d"
                % (segment.features_of(gate, bands), len(model.low))
            )
        if before:
            for name in (frames.NAME, segment.NAME):
                if _bytes(before, name) != _bytes(model, name):
                    raise ModelError("expected two models with the same %s, got others" % str(name, "utf-8"))
        self.rate_hz = spec.rate_hz
        self.gone_on = gate.tail, gate.most
        self.levels, self.row = frames.build(spec)
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

    def restart(self):
        """Forget what was heard, as after power-on."""
        for i in range(len(self.samples)):
            self.samples[i] = 0
        self.at = 0
        self.into = self.hops[0]
        self.push(None)
        self.model.restart()

    def hear(self):
        """Return the Decision on the sound that ended with the samples in `into`; None where none did."""
        self.levels(self.frames[self.at])
        self.pass_over()
        self.rows = self.push(self.row)
        self.skipped = False
        if not self.rows:
            return None
        if self._before:
            first = self._before.predict(self.values)
            self.skipped = not first.flags and first.class_index == self._skip
            if self.skipped:
                return None
        return self.model.predict(self.values)

    def pass_over(self):
        """Take the samples in `into` for what comes before the next, without a look at them."""
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
