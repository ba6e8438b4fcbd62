"""The models a node runs: taken from their slots, installed from a file, held against the node's sensors."""

from dibble import ModelError, RecordError
from dibble.inference.model import Model


class Classifier:
    """A model, and which of the node's readings it takes.

    Args:
        blob: the model file's bytes.
        sensors: has names, units and values.
        interval_ms: of the node's cycle.
    Attributes:
        model: the Model.
        identity: 4 bytes, the CRC of its file.
        names: of its channels.
    Raises:
        ModelError: the file isn't whole, computes otherwise than the host did, or wants what no sensor gives.
    """

    def __init__(self, blob, sensors, interval_ms):
        model = Model(blob)
        model.self_test()
        if model.windows and model.windows.is_gap(interval_ms):
            raise ModelError(
                "expected interval_s near %d, which the model was trained at, got %d"
                % (model.interval_ms // 1000, interval_ms // 1000)
            )
        self.model = model
        self.identity = bytes(blob[-4:])
        self.names = []
        self._values = sensors.values
        self._places = bytearray()
        for i in range(len(model.readings)):
            name, unit, mantissa, exponent, _, _ = model.channel(i)
            if name not in sensors.names:
                raise ModelError(
                    "expected a sensor for the model's channel %s, got %s" % (name, ", ".join(sensors.names))
                )
            place = sensors.names.index(name)
            if unit != sensors.units[place] or mantissa != 1 or exponent:
                raise ModelError(
                    "%s: expected steps of %d x 10**%d %s, which the model was trained with, got 1 %s from the sensor"
                    % (name, mantissa, exponent, unit, sensors.units[place])
                )
            self.names.append(name)
            self._places.append(place)

    def decide(self, elapsed_ms):
        """Return the decision on the sensors' last readings."""
        readings = self.model.readings
        values = self._values
        i = 0
        for place in self._places:
            readings[i] = values[place]
            i += 1
        return self.model.predict(None, elapsed_ms)


def install(path, slots, rejected, sensors, interval_ms):
    """Put the model file at `path` into the older slot, unless the newest slot holds it already.

    Returns:
        "" where there was nothing to do, else what happened.
    """
    try:
        with open(path, "rb") as file:
            blob = file.read()
    except OSError:
        return ""
    if blob == slots.newest():
        return ""
    try:
        Classifier(blob, sensors, interval_ms)
        return "model %s: generation %d" % (path, slots.write(blob, rejected))
    except (ModelError, RecordError) as error:
        return "model %s isn't used: %s" % (path, error)


def recall(slots, rejected, sensors, interval_ms):
    """Return (the Classifier of the newest slot that isn't rejected, ""), or (None, why it can't be used).

    (None, "") where there is none at all.
    """
    blob = slots.newest(rejected)
    if blob is None:
        return None, ""
    try:
        return Classifier(blob, sensors, interval_ms), ""
    except ModelError as error:
        return None, "model generation %d isn't used: %s" % (slots.generation, error)
