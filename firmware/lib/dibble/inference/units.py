"""Units of one quantity: how many of a model's steps a sensor's reading is, exactly and in integers."""

from dibble.inference.fixed_point import READING_LIMIT

# Quantity and power of ten of each unit, by its names in small letters.
_UNITS = (
    ("share", -3, "permille ‰"),
    ("share", -2, "pct percent %"),
    ("celsius", -2, "centi_c"),
    ("celsius", -1, "deci_c"),
    ("celsius", 0, "c °c degc deg_c celsius"),
    ("pressure", 0, "pa"),
    ("pressure", 2, "hpa mbar"),
    ("pressure", 3, "kpa"),
    ("resistance", 0, "ohm ohms ω Ω"),
    ("resistance", 3, "kohm kohms kω kΩ"),
    ("speed", -2, "cm_s cm/s"),
    ("speed", 0, "m_s m/s"),
    ("voltage", -3, "mv"),
    ("voltage", 0, "v volt volts"),
    ("mixing", -9, "ppb"),
    ("mixing", -6, "ppm"),
    ("length", -3, "mm"),
    ("length", -2, "cm"),
    ("light", 0, "lux lx"),
    ("angle", 0, "deg °"),
)


def quantity(unit):
    """Return (quantity, power of ten) of a unit's name, ("", 0) of one that isn't known."""
    name = unit.lower().replace(" ", "_")
    for kind, power, names in _UNITS:
        if name in names.split():
            return kind, power
    return "", 0


def steps(sensor_unit, unit, mantissa, exponent):
    """Return (multiplier, divisor) that turn a reading in sensor units into steps of mantissa * 10**exponent units.

    None where the two units aren't of one quantity, or the step is too far from the sensor's.
    """
    kind, power = quantity(sensor_unit)
    model_kind, model_power = quantity(unit)
    if sensor_unit == unit:
        power = model_power = 0
    elif not kind or kind != model_kind:
        return None
    finer = model_power + exponent - power  # powers of ten that a step is larger than a reading's
    if not -6 <= finer <= 6:
        return None
    return (1, mantissa * 10**finer) if finer >= 0 else (10 ** abs(finer), mantissa)


def converted(reading, multiplier, divisor):
    """Return a reading in steps, halves up; what is too large for its multiplier stays at the limit."""
    half = divisor >> 1
    limit = (READING_LIMIT - half) // multiplier
    return (min(limit, max(-limit, reading)) * multiplier + half) // divisor
