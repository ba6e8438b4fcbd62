"""A node's integers as people say them: units, names of channels, decisions and their reasons."""

from dibble.inference.decision import NOVEL, OUT_OF_RANGE, SENSOR_FAULT, UNSURE

MINUS = "\N{MINUS SIGN}"
# unit -> by what its number is divided, decimals shown, unit for people
UNITS: dict[str, tuple[int, int, str]] = {
    "centi_c": (100, 1, "°C"),
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
FLAG_WORDS = (
    (SENSOR_FAULT, "a sensor is missing"),
    (OUT_OF_RANGE, "a reading lies outside what it was trained on"),
    (NOVEL, "this combination of readings was never seen in training"),
    (UNSURE, "it is a close call"),
)


def reading(value: int | None, unit: str) -> str:
    """Return a reading for people: 2340 centi_c is "23.4 °C"."""
    if value is None:
        return "no reading"
    divisor, decimals, name = UNITS.get(unit, (1, 0, unit))
    number = f"{abs(value) / divisor:,.{decimals}f}"
    sign = MINUS if value < 0 and float(number.replace(",", "")) else ""
    return f"{sign}{number} {name}".rstrip()


def channel(name: str, unit: str) -> str:
    """Return a channel's name for people: soil_moisture_permille is "Soil moisture"."""
    words = name.removesuffix(f"_{unit}").replace("_", " ").strip() or name
    return words[:1].upper() + words[1:]


def doubts(flags: int) -> list[str]:
    """Return why a decision can't be trusted, in words; nothing where it can."""
    return [text for flag, text in FLAG_WORDS if flags & flag]
