"""Do a configuration, a model and a board go together? Answered on the host, before anything is written."""

from typing import Any

from dibble.drivers import channels_of

from dibble_tools.common.errors import InputError
from dibble_tools.deploy.board_state import BoardState
from dibble_tools.model.host_model import HostModel
from dibble_tools.node.files import mpy_version

LEAST_VERSION = (1, 22)
LEAST_HEAP_BYTES = 40000


def check_board(state: BoardState) -> None:
    """Refuse a board on which the node can't run.

    Raises:
        InputError: why.
    """
    if state.runtime == "circuitpython":
        raise InputError("this board runs CircuitPython: mount its drive CIRCUITPY, and name it with --drive")
    if state.runtime != "micropython":
        raise InputError(f"expected a board with MicroPython or CircuitPython, got {state.runtime!r}")
    if state.version[:2] < LEAST_VERSION:
        raise InputError(
            f"expected MicroPython {'.'.join(map(str, LEAST_VERSION))} or newer, got {state.version_text} on "
            f"{state.machine}: flash a newer one from micropython.org/download"
        )
    if not state.has_sums:
        raise InputError(
            f"{state.machine}: expected hashlib.sha256 and binascii.crc32 in its MicroPython, got none: "
            "dibble needs a larger board; for a micro:bit there is `dibble microbit`"
        )
    if state.heap_bytes < LEAST_HEAP_BYTES:
        raise InputError(
            f"{state.machine}: expected {LEAST_HEAP_BYTES} bytes of free heap, got {state.heap_bytes}: "
            "the node would run out of memory"
        )


def readable_mpy(state: BoardState) -> bool:
    """Tell whether the board reads what mpy-cross writes."""
    return state.mpy is not None and state.mpy.version == mpy_version()


def drivers_of(config: dict[str, Any]) -> list[str]:
    return sorted({sensor["driver"] for sensor in config["sensors"]})


def check_model(model: HostModel, config: dict[str, Any]) -> None:
    """Refuse a model that wants what the configuration's sensors don't give, as the node would.

    Args:
        config: whole, with its defaults.
    Raises:
        InputError: names the channel, or the interval.
    """
    units: dict[str, str] = {}
    for channels in channels_of(config["sensors"])[0]:
        units.update(channels)
    for channel in model.channels:
        name, unit, mantissa, exponent = channel.name, channel.unit, channel.mantissa, channel.exponent
        if name not in units:
            raise InputError(
                f"the model's channel {name}: expected a sensor of the configuration that gives it, "
                f"got {', '.join(units) or 'none'}: add the sensor, or name its channel with `channels`"
            )
        if unit != units[name] or mantissa != 1 or exponent:
            raise InputError(
                f"the model's channel {name}: expected steps of 1 {units[name]}, as the sensor gives, "
                f"got {mantissa} x 10**{exponent} {unit}: train on the node's own readings"
            )
    windows = model.model.windows
    if windows and windows.is_gap(config["interval_s"] * 1000):
        raise InputError(
            f"config.interval_s: expected near {model.content.interval_ms // 1000}, which the model was trained at, "
            f"got {config['interval_s']}"
        )
