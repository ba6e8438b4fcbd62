"""The decoder of a model's LoRaWAN payloads: JavaScript that The Things Stack and ChirpStack run."""

from pathlib import Path

import jinja2
from dibble.report import lorawan

from dibble_tools.common.shipped import ROOMS
from dibble_tools.model.decisions import FLAG_NAMES
from dibble_tools.model.host_model import HostModel


def write_decoder(model_path: str | Path) -> str:
    """Return the payload formatter of a model file, or of the model.dib in a model's folder.

    Raises:
        InputError: it can't be read as a model.
    """
    opened = HostModel.open(model_path)
    model = opened.content
    class_bits, fields, size = lorawan.plan(len(model.classes), opened.model.low, opened.model.high)
    channels = []
    for index, bits, step in fields:
        channel = opened.channels[index]
        channels.append(
            {
                "name": channel.name,
                "unit": channel.unit,
                "bits": bits,
                "low": channel.low,
                "high": channel.high,
                "step": step,
                "multiplier": channel.mantissa * 10 ** max(channel.exponent, 0),
                "divisor": 10 ** max(-channel.exponent, 0),
            }
        )
    templates = jinja2.FileSystemLoader(ROOMS / "export" / "templates")
    environment = jinja2.Environment(loader=templates, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    return environment.get_template("lorawan_decoder.js.j2").render(
        name=model.name,
        classes=list(model.classes),
        flags=list(FLAG_NAMES),
        channels=channels,
        port=lorawan.PORT,
        size=size,
        tag=opened.blob[-4],
        class_bits=class_bits,
        model_bits=lorawan.MODEL_BITS,
        flag_bits=lorawan.FLAG_BITS,
        margin_bits=lorawan.MARGIN_BITS,
        battery_bits=lorawan.BATTERY_BITS,
        battery_step_mv=lorawan.BATTERY_STEP_MV,
    )
