"""A sensor's end of scale measured through the node that runs: its readings, taken back to what the sensor gave."""

from collections.abc import Iterable
from statistics import median_low

from dibble_tools.common.errors import InputError
from dibble_tools.console.feed import Feed
from dibble_tools.node.console_lines import Row
from dibble_tools.project.retune import Config, Sensor

# Curves on which no probe's voltage, or touch, is cut off.
WHOLE_CURVE = {"soil_adc": (3400, 0), "seesaw_soil": (0, 2500)}


def median_reading(feed: Feed, config: Config, sensor: Sensor, count: int) -> int:
    """Return the median of the node's next readings of a sensor.

    Raises:
        InputError: the node is another one, has no such channel, or says nothing more.
    """
    found: list[int] = []
    name = config.table["node"]
    for line in feed:
        if isinstance(line, Row):
            if line.node != name:
                raise InputError(
                    f"expected the node {name!r} of {config.path}, got another at the port: name its --port"
                )
            if sensor.channel not in line.readings:
                raise InputError(
                    f"expected a channel {sensor.channel} of {config.path}, but the node doesn't send it: "
                    "its model takes others; measure by a meter, and give the number"
                )
            reading = line.readings[sensor.channel]
            found += [] if reading is None else [reading]
            if len(found) >= count:
                return median_low(found)
    raise InputError(
        f"expected {count} readings of {sensor.channel}, got {len(found)}: wait for more, or --count fewer"
    )


def probe_value(permille: int, curve: Iterable[int]) -> int:
    """Return what a probe gave (mV, or a seesaw's touch) where the node read so much on its curve.

    Raises:
        InputError: it lies at an end of the curve, where the node cuts it off.
    """
    dry, wet = curve
    if not 0 < permille < 1000:
        raise InputError(
            f"expected a reading within the present curve, got {permille} permille, where the node cuts off: "
            "set a wider curve first, or measure by a meter, and give the number"
        )
    return dry + round((wet - dry) * permille / 1000)


def zero_of(ppb: int, zero_uv: int, uv_per_ppm: int) -> int:
    """Return what a gas cell's amplifier gives in the air of now, which the node took for so many ppb.

    Raises:
        InputError: it read none, where the node cuts off.
    """
    if ppb <= 0:
        raise InputError(
            "expected a reading above 0 ppb in clean air, got 0, where the node cuts off: lower zero_uv first "
            "(dibble retune gas CONFIG --zero-uv …), or measure by a meter, and give the number"
        )
    return zero_uv + round(ppb * uv_per_ppm / 1000)
