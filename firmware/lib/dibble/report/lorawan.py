"""A decision in at most 12 bytes for LoRaWAN; host_tools/dibble_tools/export/lorawan.py writes the decoder of a model.

Sent on the application port PORT, which stands for this layout. Fields follow one another bit by bit,
the highest bit of a byte and of a number first; the last byte ends in zeros:

    8   the lowest byte of the model file's CRC-32: a payload of another model isn't decoded
    4   flags
    c   class, 2**c - 1: none;  c: bits of the number of classes
    c   held class, likewise
    8   margin: below 16 itself; else 16 * (e + 1) + m for (16 + m) * 2**e, rounded down, m of 0..15
    10  battery in steps of 16 mV plus 1; 0: unknown, 1023: 16,336 mV or more
    b   the number, of a model that tells one, as a channel of its range
    b   each channel that still fits, in the model's order: 0 missing, 1 below its range, 2 above,
        3 + k for low + k * step, or high where that is lower; step is the least that needs b <= 16 bits
"""

from dibble.inference.fixed_point import MISSING

PORT = 21
MAX_BYTES = 12
MODEL_BITS, FLAG_BITS, MARGIN_BITS, BATTERY_BITS = 8, 4, 8, 10
BATTERY_STEP_MV = 16
MOST_STEPS = 65532  # code 3 + 65532 is the last of 16 bits


def bits_of(value):
    """Return how many binary digits a number >= 0 takes."""
    bits = 0
    while value >> bits:
        bits += 1
    return bits


def plan(classes, low, high):
    """Return (class bits, [(channel, bits, step)], bytes) of a model's payload.

    Args:
        classes: number of classes.
        low, high: each channel's valid range; spans below 2**30.
    """
    class_bits = bits_of(classes)
    used = MODEL_BITS + FLAG_BITS + 2 * class_bits + MARGIN_BITS + BATTERY_BITS
    fields = []
    for i in range(len(low)):
        span = high[i] - low[i]
        # Rounded up so that no sum leaves the small ints.
        step = max(1, (span - 1) // MOST_STEPS + 1)
        bits = bits_of(4 + (span - 1) // step)
        if used + bits <= 8 * MAX_BYTES:
            used += bits
            fields.append((i, bits, step))
    return class_bits, fields, (used + 7) >> 3


def ranges(model, number):
    """Return (lows, highs) of a payload's fields: the number's, where there is a Number, before the channels'."""
    if not number:
        return model.low, model.high
    return [number.low] + list(model.low), [number.high] + list(model.high)


def margin_code(margin):
    """Return a margin of 0..2**19 - 1 in 8 bits; a larger one as the largest."""
    exponent = 0
    while margin >> exponent > 31:
        exponent += 1
    return min(255, 16 * exponent + (margin >> exponent))


class Packer:
    """Packs a model's decisions.

    Args:
        model: a Model.
    """

    def __init__(self, model):
        self._model = model
        self._number = None
        if b"number" in model.parts:
            from dibble.inference.number import number_of

            self._number = number_of(model)
        self._low, self._high = ranges(model, self._number)
        self._class_bits, self._fields, size = plan(len(model.classes), self._low, self._high)
        self._payload = bytearray(size)
        self._at = 0

    def pack(self, decision, readings, battery_mv):
        """Return the payload, a bytearray that the next call overwrites.

        Args:
            decision: a Decision.
            readings: one int a channel, MISSING where there is none.
            battery_mv: None where unknown.
        """
        payload = self._payload
        for i in range(len(payload)):
            payload[i] = 0
        self._at = 0
        blob = self._model.blob
        self._put(blob[len(blob) - 4], MODEL_BITS)
        self._put(decision.flags, FLAG_BITS)
        none = (1 << self._class_bits) - 1
        self._put(min(decision.class_index, none), self._class_bits)
        self._put(min(decision.held_index, none), self._class_bits)
        self._put(margin_code(decision.margin), MARGIN_BITS)
        steps = 0 if battery_mv is None else 1 + (battery_mv + BATTERY_STEP_MV // 2) // BATTERY_STEP_MV
        self._put(min(steps, (1 << BATTERY_BITS) - 1), BATTERY_BITS)
        for channel, bits, step in self._fields:
            low = self._low[channel]
            if not self._number:
                reading = readings[channel]
            else:
                reading = readings[channel - 1] if channel else self._number.steps(decision)
            if reading == MISSING:
                code = 0
            elif reading < low:
                code = 1
            elif reading > self._high[channel]:
                code = 2
            else:
                above = reading - low
                code = 3 + above // step + (above % step + step // 2) // step
            self._put(code, bits)
        return payload

    def _put(self, value, bits):
        while bits:
            bits -= 1
            if value >> bits & 1:
                self._payload[self._at >> 3] |= 128 >> (self._at & 7)
            self._at += 1
