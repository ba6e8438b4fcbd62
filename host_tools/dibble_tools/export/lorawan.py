"""The decoder of a model's LoRaWAN payloads: JavaScript that The Things Stack and ChirpStack run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jinja2
from dibble.report import lorawan

from dibble_tools.common.shipped import ROOMS
from dibble_tools.model.decisions import FLAG_NAMES
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.number import Quantity


def write_decoder(model_path: str | Path) -> str:
    """Return the payload formatter of a model file, or of the model.dib in a model's folder.

    Raises:
        InputError: it can't be read as a model.
    """
    opened = HostModel.open(model_path)
    model = opened.content
    number = model.number
    low, high = lorawan.ranges(opened.model, number.channel if number else None)
    class_bits, fields, size = lorawan.plan(len(model.classes), low, high)
    described = [*([replace(number.channel, name=number.reading)] if number else []), *opened.channels]
    channels = []
    for index, bits, step in fields:
        channel = described[index]
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
        number=_told(number) if number else None,
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


def _told(number: Quantity) -> dict[str, Any]:
    """Return what the decoder says of a model's number beside its value."""
    step = number.channel.mantissa * 10.0**number.channel.exponent
    return {
        "name": number.reading,
        "unit": number.channel.unit,
        "within": round(number.spread * step, 9),
        "percent": number.coverage,
    }
