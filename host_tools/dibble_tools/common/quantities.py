"""A node's integers as people say them: 940 centi_c is 9.4 °C."""

import re

MINUTES = "min"  # unit of a time that a model tells
MINUS = "\N{MINUS SIGN}"
# unit -> by what its number is divided, decimals shown, unit for people
UNITS: dict[str, tuple[int, int, str]] = {
    "centi_c": (100, 1, "°C"),
    "deci_c": (10, 1, "°C"),
    "cm_s": (100, 1, "m/s"),
    "permille": (10, 1, "%"),
    "pa": (100, 1, "hPa"),
    "ohm": (1000, 1, "kΩ"),
    "mv": (1000, 2, "V"),
    "ppb": (1, 0, "ppb"),
    "ppm": (1, 0, "ppm"),
    "deg": (1, 0, "°"),
    "um": (1000, 1, "mm"),
    "millilog2": (1000, 2, "octaves"),
    "lux": (1, 0, "lx"),
}


def reading_text(value: int | None, unit: str) -> str:
    """Return a reading for people: 2340 centi_c is "23.4 °C"."""
    if value is None:
        return "no reading"
    if unit == MINUTES:
        return duration_text(value)
    if step := re.fullmatch(r"(\d+(?:\.(\d+))?)_(.+)", unit):  # of a number that a model tells: 0.1_pct
        number = f"{abs(value) * float(step[1]):,.{len(step[2] or '')}f}"
        return f"{MINUS if value < 0 and float(number.replace(',', '')) else ''}{number} {step[3]}"
    divisor, decimals, name = UNITS.get(unit, (1, 0, unit))
    number = f"{abs(value) / divisor:,.{decimals}f}"
    sign = MINUS if value < 0 and float(number.replace(",", "")) else ""
    return f"{sign}{number} {name}".rstrip()


def channel_text(name: str, unit: str) -> str:
    """Return a channel's name for people: soil_moisture_permille is "Soil moisture"."""
    if found := re.fullmatch(r"predicted_time_to_(.+)_min", name):
        return channel_text(f"{found[1]}_in", "")
    words = name.removesuffix(f"_{unit}").replace("_", " ").strip() or name
    return words[:1].upper() + words[1:]


def duration_text(minutes: int) -> str:
    """Return minutes as people say them: "45 min", "18 h", "3.5 days"."""
    if abs(minutes) < 120:
        return f"{minutes} min"
    hours = minutes / 60
    return f"{hours:.3g} h" if abs(hours) < 72 else f"{hours / 24:.3g} days"


def clock_text(seconds: float) -> str:
    """Return a stretch of time: "9:40", "1:05:00"."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
