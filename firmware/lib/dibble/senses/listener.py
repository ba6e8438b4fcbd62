"""Samples in, decisions out: a model that hears single sounds, or decides at each hop, as models/FORMAT.md has it."""

from array import array

from dibble import ModelError
from dibble.inference.format import STREAM, Cursor
from dibble.senses import frames

HOPS = 8  # that the samples are kept of, before the last frame's are moved to the beginning


class Listener:
    """A model and what lies before it: frames of samples, and single sounds out of their rows.

    Args:
        model: a Model with the parts "frames" and "segment"; or of the family stream, with "frames" alone: then each
            frame's row is decided on.
    Attributes:
        rate_hz: samples a second that it takes.
        into: memoryview of 16-bit samples, as many as a hop: to be filled before `hear` is called.
        row: the codes of the last frame.
        values: features of the last sound; None where the model decides at each hop.
        rows: how many rows the last sound took; 1 where the model decides at each hop.
    Raises:
        ModelError: it doesn't listen, or its parts say what can't be.
    """

    def __init__(self, model):
        self.model = model
        spec = _part(model, frames)
        if not frames.holds(spec):
            raise ModelError("the model file contradicts itself: its frames")
        bands = len(spec.widths) - 1
        self.push = self.values = None
        features = bands
        if model.blob[5] != STREAM:
            from dibble.senses import segment

            gate = _part(model, segment)
            if not segment.holds(gate):
                raise ModelError("the model file contradicts itself: its segments")
            features = segment.features_of(gate, bands)
        if features != len(model.low):
            raise ModelError(
                "expected a model of %d features, which its frames and segments have; got %d"
                % (features, len(model.low))
            )
        self.rate_hz = spec.rate_hz
        self.levels, self.row = frames.build(spec)
        if model.blob[5] != STREAM:
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
        if self.push:
            self.push(None)
        self.model.restart()

    def hear(self):
        """Return the Decision on the sound that ended with the samples in `into`; None where none did.

        Of a model that decides at each hop the Decision of this one; None where its strides leave nothing to score.
        """
        self.levels(self.frames[self.at])
        self.at += 1
        if self.at == HOPS:
            self.at = 0
            samples = self.samples
            first = len(samples) - self.keep
            for i in range(self.keep):
                samples[i] = samples[first + i]
        self.into = self.hops[self.at]
        if not self.push:
            self.rows = 1
            decision = self.model.predict(self.row)
            return None if self.model.waits else decision
        self.rows = self.push(self.row)
        if not self.rows:
            return None
        return self.model.predict(self.values)


def _part(model, kind):
    """Return what a part of the model file says, read by its own module."""
    if kind.NAME not in model.parts:
        raise ModelError("expected a model that listens, with the part %r, got one without" % str(kind.NAME, "utf-8"))
    return kind.read(Cursor(model.blob, model.parts[kind.NAME]))
