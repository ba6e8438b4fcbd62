"""The models a node runs: taken from their slots, installed from a file, held against the node's sensors.

The slots are what counts. Beside them may lie the same model's bytes in a ROMFS, to be used in place, and its code:
whichever is another model's, or isn't whole, is passed over.
"""

import gc
import sys
from array import array

from dibble import ModelError, RecordError
from dibble.forgetting import CHECKS, FIRST_LOOK, forget, start_only
from dibble.inference import contents, model_of, passed
from dibble.inference.fixed_point import MISSING
from dibble.inference.kernels.choice import KIND
from dibble.inference.predictor import Predictor
from dibble.storage.slots import END_BYTES

ROM = "/rom/"
STARTING = ("__init__", "_begin", "_read", "_kernel", "_windows", "self_test")  # methods that only a start calls
STARTING += ("begin", "filling", "_program", "_ratio_steps")
CODE = "_code"  # of a module's name: that of the model's file comes before it


class Classifier:
    """A model, and which of the node's readings it takes.

    Args:
        blob: the model file's bytes.
        sensors: has names, units and values.
        interval_ms: of the node's cycle.
        code, checked: see model_of.
    Attributes:
        model: the Model.
        kernel: "code", or the kind of kernels that run its tables.
        in_place: whether its bytes lie in the flash.
        hears: whether it takes a stream's samples instead of readings.
        sees: the sensors.Sensor, an array or a camera, whose frames it takes instead of readings; None: readings.
        identity: 4 bytes, the CRC of its file.
        name, names, classes: the model's, its channels' and its classes'.
        readings: array("i") of the last readings it decided on, in the sensors' units.
    Raises:
        ModelError: the file isn't whole, computes otherwise than the host did, or wants what no sensor gives, or a
            stream that config.listen doesn't name.
    """

    @start_only
    def __init__(self, blob, sensors, interval_ms, code=None, checked=False):
        model = model_of(blob, code, checked)
        forget(*CHECKS)
        model.self_test()
        _reads_no_more(model)
        if model.windows and model.windows.is_gap(interval_ms):
            raise ModelError(
                "expected interval_s near %d, which the model was trained at, got %d"
                % (model.interval_ms // 1000, interval_ms // 1000)
            )
        self.model = model
        self.kernel = "code" if code else KIND
        self.in_place = False
        self.identity = bytes(blob[-4:])
        self.names = []
        self._values = sensors.values
        self._places = bytearray()
        self._factors = []  # multiplier and divisor of each channel, where any is in another unit of its quantity
        from dibble.inference.description import Description

        description = Description(model)
        self.name, self.classes = description.name, description.classes
        self.hears = b"frames" in model.parts
        if self.hears and not sensors.hears:
            raise ModelError("expected config.listen, as a model that hears wants it, got none")
        self.sees, self._frame = _eye_for(model, sensors) if b"image" in model.parts else (None, None)
        self.readings = () if self.sees else model.readings
        for i in range(0 if self.hears else len(self.readings)):
            name, unit, mantissa, exponent, _, _ = description.channel(i)
            if name not in sensors.names:
                raise ModelError(
                    "expected a sensor for the model's channel %s, got %s" % (name, ", ".join(sensors.names))
                )
            place = sensors.names.index(name)
            factors = (1, 1)
            if unit != sensors.units[place] or mantissa != 1 or exponent:
                from dibble.inference.units import steps

                factors = steps(sensors.units[place], unit, mantissa, exponent)
                if factors is None:
                    raise ModelError(
                        "%s: expected steps of %d x 10**%d %s, as the model was trained with, got 1 %s from the sensor"
                        % (name, mantissa, exponent, unit, sensors.units[place])
                    )
            self.names.append(name)
            self._places.append(place)
            self._factors.append(factors)
        if all([factors == (1, 1) for factors in self._factors]):
            self._factors = []
        else:
            self.readings = array("i", model.readings)

    def decide(self, elapsed_ms):
        """Return the decision on the sensors' last readings, or on what an array sees.

        An array that wasn't read in this cycle saw nothing new: the decision stands, as hysteresis counts looks.
        """
        if self.sees:
            if not self.sees.looked:
                return self.model.decision
            return self.model.predict(None if self.sees.fault else self._frame)
        readings = self.readings
        values = self._values
        i = 0
        for place in self._places:
            readings[i] = values[place]
            i += 1
        if self._factors:
            self._convert()
        return self.model.predict(None, elapsed_ms)

    def _convert(self):
        from dibble.inference.units import converted

        steps = self.model.readings
        i = 0
        for multiplier, divisor in self._factors:
            reading = self.readings[i]
            steps[i] = reading if reading == MISSING else converted(reading, multiplier, divisor)
            i += 1


@start_only
def _reads_no_more(model):
    """Give up, after the start, what read a model's file: no other is read in this life."""
    kinds = [type(model), Predictor]
    if model.windows:
        from dibble.inference.features import Past
        from dibble.inference.windows import read

        kinds += [type(model.windows), Past]
        start_only(read)
    for kind in kinds:
        for name in STARTING:
            if name in kind.__dict__:
                start_only(kind.__dict__[name])
    tables = getattr(getattr(model, "tables", None), "__dict__", {})  # a model as code, or of frames, has none
    for name in ("read", "build", "width_of", "_read_pages", "_place"):  # of a forest; other families have some
        if name in tables:
            start_only(tables[name])
    start_only(contents)
    start_only(model_of)
    start_only(passed)


@start_only
def _eye_for(model, sensors):
    """Return (the first sensor whose frames a model sees, by their size, its frame); raise ModelError where none is.

    Readings of 16 bits are a thermal array's, codes of 8 a camera's.
    """
    rows, columns, depth = model.image
    for sensor in sensors.all:
        eye = sensor.driver
        if hasattr(eye, "image"):
            if eye.image == model.image and not model.frame[3]:
                return sensor, eye.codes
        elif hasattr(eye, "heat") and (eye.heat.rows, eye.heat.columns, 1) == model.image and model.frame[3]:
            return sensor, eye.heat.above
    if model.frame[3]:
        raise ModelError("expected a thermal array of %d x %d pixels, as the model sees, got none" % (rows, columns))
    raise ModelError(
        "expected a camera's picture of %d x %d pixels in %s, as the model sees, got none"
        % (rows, columns, "colour" if depth == 3 else "grey")
    )


@start_only
def install(path, slots, rejected, sensors, interval_ms, signatures=None):
    """Put the model file at `path` into the older slot, unless the newest slot holds it already.

    Args:
        signatures: storage.signatures.Signatures where the node has a key, else None.
    Returns:
        "" where there was nothing to do, else what happened.
    """
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - END_BYTES, 0))
            end = file.read(END_BYTES)
        if slots.holds(size, end):
            return ""
        blob = contents(path)
        if signatures:
            signatures.accept(path, blob)
        _checked(path, blob, sensors, interval_ms)
        return "model %s: generation %d" % (path, slots.write(blob, rejected))
    except OSError:
        return ""
    except (ModelError, RecordError) as error:
        return "model %s isn't used: %s" % (path, error)
    except MemoryError:
        return "model %s isn't used: it takes more memory than there is" % path


@start_only
def _checked(path, blob, sensors, interval_ms, code=None):
    """Return the Classifier of a model's bytes; what these say is checked once, as its pass is kept.

    Args:
        path: of the file that is installed to the model's slots; its pass lies beside it.
    """
    identity = bytes(blob[-END_BYTES:])
    if passed(path, identity):
        return Classifier(blob, sensors, interval_ms, code, True)
    try:
        classifier = Classifier(blob, sensors, interval_ms, code)
        from dibble.inference.golden import keep_pass

        keep_pass(path, identity)
        return classifier
    finally:
        forget(*CHECKS + FIRST_LOOK)


@start_only
def recall(path, slots, rejected, sensors, interval_ms, notes):
    """Return the Classifier of the newest slot that isn't rejected; None where there is none, or it can't be used.

    Args:
        path: of the file that is installed to these slots.
        notes: list that what there is to tell is added to.
    """
    copy = _in_rom(path)
    blob = slots.newest(rejected, copy)
    if copy and blob is copy:
        try:
            classifier = _with_code(path, blob, sensors, interval_ms, notes)
            classifier.in_place = True
            if getattr(classifier.model.score, "file", blob) is not blob:
                notes.append(
                    "%s%s isn't aligned, so it is copied to RAM: write it by `dibble deploy --romfs`" % (ROM, path)
                )
            return classifier
        except ModelError as error:
            notes.append("%s%s isn't used: %s" % (ROM, path, error))
            blob = slots.newest(rejected)
    if blob is not None:
        try:
            return _with_code(path, blob, sensors, interval_ms, notes)
        except ModelError as error:
            notes.append("model generation %d isn't used: %s" % (slots.generation, error))
    return None


@start_only
def _in_rom(path):
    try:
        return contents(ROM + path)
    except OSError:
        return b""


@start_only
def _with_code(path, blob, sensors, interval_ms, notes):
    """Return the Classifier of a model's bytes, by its code where there is such; raise ModelError as it does."""
    name = path[: path.rfind(".")] + CODE
    note = ""
    try:
        code = _code_of(name, bytes(blob[-END_BYTES:]))
        if code:
            return _checked(path, blob, sensors, interval_ms, code)
    except Exception as error:  # in whatever way a file fails that isn't whole, or is wrong: the tables are there
        note = "%s isn't used: %r" % (name, error)
    classifier = _checked(path, blob, sensors, interval_ms)
    if note:
        notes.append(note)
    return classifier


@start_only
def _code_of(name, identity):
    """Return the module that was made of the model file which ends so; None where there is none, or another's."""
    try:
        code = __import__(name)
    except ImportError:
        return None
    if code.CRC == (identity[3] << 8 | identity[2], identity[1] << 8 | identity[0]):
        return code
    del code, sys.modules[name]
    gc.collect()
    return None


@start_only
def class_of(classifier, name, where, notes):
    """Return the index of a class that the configuration names; -1: none; `notes` takes where a model lacks it."""
    if not classifier:
        return -1  # that there is none is told already
    classes = classifier.classes
    if name in classes:
        return classes.index(name)
    notes.append("config.%s: expected a class of the model (%s), got %s" % (where, ", ".join(classes), name))
    return -1
