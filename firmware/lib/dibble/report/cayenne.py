"""CayenneLPP: a report in the format that The Things Stack decodes without a decoder of ours.

Data channel 0 is the class, 1 the flags, 2 the battery; the model's channels follow from 3 on. Units become:

    centi_c                    temperature, 0.1 °C          lux    illuminance
    permille of a ...humidity  relative humidity, 0.5 %     pa     barometer, 0.1 hPa
    other units                analog input in steps of 0.01:
        permille %, mv V, uv mV, cm_s m/s, ppb ppm, ppm thousandths, ohm kilohm, ms s, deg degrees from north,
        west negative, millilog2 doublings, min h, any other as it is

A number that a model tells is one of the node's readings; a unit such as 0.1_pct has its steps before it, and is pct.

A value that its type can't hold is left out, and so is a missing one. Types: IPSO number less 3200,
big-endian (Cayenne LPP specification 2.0).
"""

from dibble.inference.fixed_point import divide

_DIGITAL, _ANALOG, _LUX, _TEMPERATURE, _HUMIDITY, _BAROMETER = 0, 2, 101, 103, 104, 115
_LOW = {_ANALOG: -32768, _TEMPERATURE: -32768}  # 0 for the others
_HIGH = {_DIGITAL: 255, _ANALOG: 32767, _TEMPERATURE: 32767, _HUMIDITY: 255}  # 65535
# Unit -> type, and by what a value is multiplied and divided.
_UNITS = {
    "centi_c": (_TEMPERATURE, 1, 10),
    "pa": (_BAROMETER, 1, 10),
    "lux": (_LUX, 1, 1),
    "permille": (_ANALOG, 10, 1),
    "mv": (_ANALOG, 1, 10),
    "uv": (_ANALOG, 1, 10),
    "cm_s": (_ANALOG, 1, 1),
    "ppb": (_ANALOG, 1, 10),
    "ppm": (_ANALOG, 1, 10),
    "ohm": (_ANALOG, 1, 10),
    "ms": (_ANALOG, 1, 10),
    "um": (_ANALOG, 1, 10),
    "min": (_ANALOG, 5, 3),
    "millilog2": (_ANALOG, 1, 10),
}


def encode(report, limit):
    """Return a report as CayenneLPP of at most `limit` bytes; fields that don't fit any more are left out."""
    out = bytearray()
    decision = report.decision
    _put(out, limit, 0, _DIGITAL, decision.class_index)
    _put(out, limit, 1, _DIGITAL, decision.flags)
    if report.battery_mv is not None:
        _put(out, limit, 2, _ANALOG, divide(report.battery_mv, 10))
    for i in range(len(report.readings)):
        value = report.readings[i]
        name, unit = report.channels[i]
        unit, multiplier, share = _parted(unit)
        # No type holds more, and a product with 100 stays a small int.
        most = 10000000 // multiplier
        if not -most < value < most:  # nor MISSING
            continue
        kind, factor, divisor = _UNITS.get(unit, (_ANALOG, 100, 1))
        if unit == "permille" and "humidity" in name:
            kind, factor, divisor = _HUMIDITY, 1, 5
        elif unit == "deg" and value > 180:
            value -= 360
        _put(out, limit, 3 + i, kind, divide(value * multiplier * factor, share * divisor))
    return out


def _parted(unit):
    """Return (unit, multiplier, divisor) of one with its steps before it: 0.1_pct is pct, 1 and 10."""
    if not "0" <= unit[:1] <= "9":
        return unit, 1, 1
    step, _, unit = unit.partition("_")
    whole, _, decimals = step.partition(".")
    return unit, int(whole + decimals), 10 ** len(decimals)


def _put(out, limit, channel, kind, value):
    short = _HIGH.get(kind) == 255
    if _LOW.get(kind, 0) <= value <= _HIGH.get(kind, 65535) and len(out) + (3 if short else 4) <= limit:
        out.append(channel)
        out.append(kind)
        if not short:
            out.append(value >> 8 & 255)
        out.append(value & 255)
