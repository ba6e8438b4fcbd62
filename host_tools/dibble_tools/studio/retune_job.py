"""The job that measures a soil probe or a gas cell at the board, and sets it anew: `dibble retune --measure`."""

from pathlib import Path
from typing import Any

from dibble_tools.common.quantities import channel_text
from dibble_tools.console.feed import Feed
from dibble_tools.console.on_demand import from_board
from dibble_tools.project.measure import WHOLE_CURVE, median_reading, probe_value, zero_of
from dibble_tools.project.retune import GAS, SOIL, Config, set_gas_zero, set_soil
from dibble_tools.studio.job_process import run, tell

EVERY_S = 1.0
READINGS = 5


def work(asked: dict[str, Any]) -> dict[str, Any]:
    """Measure one end of a sensor's scale, and write it to config.json.

    Args:
        asked: port; config, its path; end: "dry", "wet" or "zero"; sensor: its channel or pin, None where it's alone.
    """
    config, end = Config(Path(asked["config"])), asked["end"]
    sensor = config.sensor(GAS if end == "zero" else SOIL, asked["sensor"])
    curve = WHOLE_CURVE.get(sensor.settings["driver"], (0, 0))
    before: dict[str, object] = {"zero_uv": 0} if end == "zero" else {"probe_curve": list(curve)}
    tell(step=f"reading {sensor.channel} {READINGS} times")
    found = median_reading(Feed(from_board(asked["port"], EVERY_S, {sensor.index: before})), config, sensor, READINGS)
    if end == "zero":
        value = zero_of(found, 0, sensor.settings["uv_per_ppm"])
        set_gas_zero(config, sensor, value)
        measured = f"the amplifier gives {value / 1000:.1f} mV in this air"
    else:
        value = probe_value(found, curve)
        set_soil(config, sensor, value if end == "dry" else None, value if end == "wet" else None)
        unit = "mV" if sensor.settings["driver"] == "soil_adc" else "counts of touch"
        measured = f"the probe gives {value} {unit} in what is {end}"
    for line in config.difference():
        tell(log=line)
    words = [f"{channel_text(sensor.channel, 'ppb' if end == 'zero' else 'permille')}: {measured}."]
    if config.difference():
        config.save()
        words.append("config.json is written, the one before is config.json.bak. Deploy brings it to the board.")
    else:
        words.append("config.json says so already.")
    return {"words": words, "said": ""}


if __name__ == "__main__":
    run(work)
