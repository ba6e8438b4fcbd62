"""What a channel's readings are, in words: for the comments of a program."""

from dibble_tools.data.channels import Channel

UNITS = {
    "c": "degrees Celsius",
    "centi_c": "hundredths of a degree Celsius",
    "cm_s": "cm a second",
    "hpa": "hPa",
    "kpa": "kPa",
    "lux": "lux",
    "m_s": "m a second",
    "mm": "mm",
    "ms": "ms",
    "mv": "mV",
    "ohm": "ohms",
    "pa": "Pa",
    "pct": "per cent",
    "percent": "per cent",
    "permille": "per mille",
    "ppb": "parts per billion",
    "ppm": "parts per million",
    "um": "thousandths of a mm",
}


def about(channel: Channel) -> dict[str, str | int]:
    """Return a channel's name, low and high, its steps in words, and its range, in its unit where a step isn't 1."""
    unit = UNITS.get(channel.unit, channel.unit)
    one = (channel.mantissa, channel.exponent) == (1, 0)
    step = "" if one else f"steps of {_decimal(channel.mantissa, channel.exponent)}"
    ends = [_decimal(end * channel.mantissa, channel.exponent) for end in (channel.low, channel.high)]
    in_unit = "" if one else f" ({ends[0]} to {ends[1]})"
    return {
        "name": channel.name,
        "steps": " ".join(filter(None, (step, unit))) or "a number of no unit",
        "low": channel.low,
        "high": channel.high,
        "range": f"{channel.low} to {channel.high}{in_unit}",
    }


def _decimal(number: int, exponent: int) -> str:
    """Return number * 10**exponent in digits."""
    if exponent >= 0:
        return str(number * 10**exponent)
    digits = f"{abs(number):0{1 - exponent}}"
    text = f"{digits[:exponent]}.{digits[exponent:]}".rstrip("0").rstrip(".")
    return f"-{text}" if number < 0 else text
