"""Do a configuration, a model and a board go together? Answered on the host, before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dibble import ConfigError
from dibble.config import check_board as check_fits_board
from dibble.config import check_classes
from dibble.drivers import driver
from dibble.inference.units import steps

from dibble_tools.boards.catalogue import watchdog_most_ms
from dibble_tools.boards.wiring import check_wiring
from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import LIBRARY
from dibble_tools.deploy.board_state import BoardState, OnBoard, digest_of
from dibble_tools.model.hearing import check_reads
from dibble_tools.model.host_model import HostModel
from dibble_tools.node.config import sensors_of
from dibble_tools.node.files import MpyFormat, merged_file, mpy_version, source_of

LEAST_VERSION = (1, 22)
LEAST_HEAP_BYTES = 40000
PARTS = "dibble.inference.parts"  # the module that says which optional parts a firmware knows


class DriveNeeded(InputError):
    """The board takes files by its drive, not by its port."""


@dataclass(frozen=True)
class Bounds:
    """What a board has of what a configuration may ask for too much of.

    Attributes:
        flash_bytes: size of its file system.
        watchdog_ms: the most that its watchdog takes; 0: not known, or it has none.
        runtime: that it runs.
    """

    flash_bytes: int
    watchdog_ms: int
    runtime: str

    @classmethod
    def of(cls, state: BoardState) -> "Bounds":
        most_ms = watchdog_most_ms(state.runtime, machine=state.machine)
        return cls(state.block_bytes * state.blocks, most_ms, state.runtime)


def check_board(state: BoardState) -> None:
    """Refuse a board on which the node can't run.

    Raises:
        InputError: why.
    """
    if state.runtime == "circuitpython":
        raise DriveNeeded(
            "this board runs CircuitPython, which takes files by its drive CIRCUITPY: mount it, or name it with --drive"
        )
    if state.runtime != "micropython":
        raise InputError(f"expected a board with MicroPython or CircuitPython, got {state.runtime!r}")
    if state.version[:2] < LEAST_VERSION:
        raise InputError(
            f"expected MicroPython {'.'.join(map(str, LEAST_VERSION))} or newer, got {state.version_text} on "
            f"{state.machine}: flash a newer one from micropython.org/download"
        )
    if not state.block_bytes * state.blocks:
        raise InputError(
            f"{state.machine}: expected a file system on its flash, got none that is mounted: erase the flash (RP2: "
            "flash_nuke.uf2, ESP32: esptool erase_flash) and put MicroPython on it anew, which makes one"
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


def check_file(model: HostModel, on_board: Mapping[str, OnBoard] | None, mpy: MpyFormat | None = None) -> None:
    """Refuse a model file that no board can prove, or whose optional parts the board's firmware may not know.

    Args:
        on_board: the files of a board whose firmware stays; None: it gets this one's.
        mpy: what compiled files it reads.
    Raises:
        InputError: why.
    """
    if not model.content.golden:
        raise InputError(
            f"the model {model.content.name!r}: expected golden vectors, by which the board proves that it computes "
            "what the host computed, got none: export it again with rows of its readings as `golden`"
        )
    if model.content.parts and on_board is not None:
        source = source_of(PARTS)
        same = {f"lib/{source.relative_to(LIBRARY.parent).as_posix()}": source.read_bytes()}
        if mpy is not None:
            same |= merged_file(PARTS, mpy)
        if not any(name in on_board and on_board[name].digest == digest_of(own) for name, own in same.items()):
            raise InputError(
                f"the model has optional parts ({', '.join(model.content.parts)}): expected a firmware that is known "
                "to read them, got another on the board: deploy it, too, without --only"
            )


def check_together(
    config: dict[str, Any], bounds: Bounds, model: HostModel | None, stages: Mapping[str, HostModel | None]
) -> None:
    """Refuse a configuration that its board or its models don't go with, as the node would.

    Args:
        config: whole, with its defaults.
        model: that the node will run; None: none, or not known.
        stages: gate.dib and voice.dib, of those that the configuration asks for; None: none, or not known.
    Raises:
        InputError: names the key, the channel, or the interval.
    """
    try:
        check_fits_board(config, bounds.flash_bytes, bounds.watchdog_ms)
        tells_novel = model is None or model.content.novelty is not None
        gate, voice = (_classes(stages.get(name)) for name in ("gate.dib", "voice.dib"))
        check_classes(config, _classes(model), gate, tells_novel, voice)
        check_wiring(config, bounds.runtime)
        _check_runtime(config, bounds.runtime)
        sensors = sensors_of(config)
    except ConfigError as error:
        raise InputError(str(error)) from None
    if not model:
        return
    if config["listen"]["driver"] and model.content.sound is not None:
        _check_voice(model, stages.get("voice.dib"))
        return  # a node that listens: its sensors' readings are another matter
    check_reads(model)
    if model.content.family_name == "maps":
        _check_eye(model, sensors)
        return
    units = dict(zip(sensors.names, sensors.units, strict=True))
    for channel in model.channels:
        name, unit, mantissa, exponent = channel.name, channel.unit, channel.mantissa, channel.exponent
        if name not in units:
            raise InputError(
                f"the model's channel {name}: expected a sensor of the configuration that gives it, "
                f"got {', '.join(units) or 'none'}: add the sensor, or name its channel with `channels`"
            )
        if steps(units[name], unit, mantissa, exponent) is None:
            raise InputError(
                f"the model's channel {name}: expected steps of 1 {units[name]}, as the sensor gives, or of a unit "
                f"of the same quantity, got {mantissa} x 10**{exponent} {unit}: train on the node's own readings"
            )
    windows = model.model.windows
    if windows and windows.is_gap(config["interval_s"] * 1000):
        raise InputError(
            f"config.interval_s: expected near {model.content.interval_ms / 1000:g}, which the model was trained at, "
            f"got {config['interval_s']}: its features look back over readings, so set that interval_s, or train on "
            "readings of the node's own interval, or with `last` alone as --features"
        )


def awaited(config: dict[str, Any]) -> list[str]:
    """Return what there is to tell of the actions of a node without a model: whatever they name is unknown to it.

    Args:
        config: whole, with its defaults.
    """
    named = sorted(
        {f"class {name}" if (name := each["class"]) else f"flag {each['flag']}" for each in config["actions"]}
    )
    return [f"config.actions switch nothing before a model comes that tells {', '.join(named)}"] if named else []


def _check_voice(model: HostModel, voice: HostModel | None) -> None:
    """Refuse a first stage that doesn't hear as the model does: what one has computed is what the other takes."""
    if voice is None:
        return
    own, other = ((file.content.family_name == "stream", file.content.sound) for file in (model, voice))
    if other != own:
        got = "one that takes readings of sensors" if voice.content.sound is None else "others"
        raise InputError(
            "voice.dib: expected the frames and segments of model.dib, and that both decide at each hop or both on "
            f"whole sounds, got {got}: train both with the same --rate, --frame, --hop and --bands"
        )


def _check_eye(model: HostModel, sensors: Any) -> None:
    """Refuse a model of frames where no array or camera of the configuration has frames of its size and kind."""
    rows, columns, depth = model.model.image
    eyes = [sensor.driver for sensor in sensors.all if hasattr(sensor.driver, "heat")]
    pictures = [eye.image for eye in eyes if hasattr(eye, "image")]
    frames = [(eye.heat.rows, eye.heat.columns, 1) for eye in eyes if not hasattr(eye, "image")]
    wide = model.model.frame[3]
    if (rows, columns, depth) in (frames if wide else pictures):
        return
    if (rows, columns, depth) in frames:
        raise InputError("the model sees bytes, as of a picture: expected one of 16-bit readings for a thermal array")
    if (rows, columns, depth) in pictures:
        raise InputError("the model sees 16-bit readings, as of a thermal array: expected one of bytes for a camera")
    got = ", ".join(f"{high} x {broad}" + (f" x {deep}" if deep > 1 else "") for high, broad, deep in frames + pictures)
    what = "a thermal array" if wide else "a camera's picture"
    raise InputError(
        f"the model sees frames of {rows} x {columns} x {depth}: expected {what} of that size in the "
        f"configuration, got {got or 'none'}"
    )


def _check_runtime(config: dict[str, Any], runtime: str) -> None:
    """Refuse a driver that another runtime has."""
    for i, sensor in enumerate(config["sensors"]):
        module: Any = driver(sensor["driver"])
        if getattr(module, "RUNTIME", runtime) != runtime:
            raise InputError(
                f"config.sensors[{i}].driver: expected one that {runtime} runs, got {sensor['driver']}, which is for "
                f"{module.RUNTIME}: stock MicroPython has no camera"
            )


def _classes(file: HostModel | None) -> tuple[str, ...] | None:
    return tuple(file.classes) if file else None
