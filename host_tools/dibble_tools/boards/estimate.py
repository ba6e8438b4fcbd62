"""What a model takes on a board: bytes, heap, microseconds, energy, days; and whether it fits."""

from dataclasses import dataclass, replace
from typing import Any

from dibble_tools.boards.energy import Budget, budget, listening_budget
from dibble_tools.boards.example import example_config
from dibble_tools.boards.figure import Figure
from dibble_tools.boards.listening import (
    ListeningCost,
    Shares,
    assumed_shares,
    buffers_bytes,
    decision_us,
    listening_cost,
)
from dibble_tools.boards.looks import looks
from dibble_tools.boards.node_memory import (
    SLOTS,
    START_BYTES,
    TLS_BYTES,
    drivers_of,
    heap_bytes,
    library_bytes,
    log_bytes,
    stored,
)
from dibble_tools.boards.prediction import prediction_us
from dibble_tools.boards.schema import Board, Runtime
from dibble_tools.common.errors import InputError
from dibble_tools.machines.replay import middle_cost
from dibble_tools.model.hearing import check_reads
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.limits import estimate as estimate_parts
from dibble_tools.node.config import whole

HEAP_SPREAD = 1.15  # limits.HEAP against counts, and how full a heap in pieces can get
SMALL_MOST = {"forest": 450, "additive": 650}  # bytes of a model that 9 KB of heap takes: `dibble microbit --help`
SMALL_HEAP = 16_000  # below it SMALL_MOST counts
SMALL_LEFT = "the emulated board is exact: `dibble verify --vm microbit`"


@dataclass(frozen=True)
class BoardEstimate:
    """What a model takes on a board under a runtime.

    Attributes:
        model_bytes, files_bytes, flash_left: of the file system; files: library, model with its slots, and log.
        heap: that the loaded model keeps; node_heap: that the node keeps beside it.
        instructions: of a prediction on the 32-bit VM, counted.
        start_left: heap that is left while the node starts; None where the node isn't dibble's own.
        predict_us: by the kernels that run there.
        budget: None where the node isn't dibble's own.
        without_watchdog: what a node would draw whose watchdog keeps it awake, without it; else None.
        listening: of a node that listens, its stages; without_cascade: what it would draw without gate and voice.dib,
            or if it took its costly readings in each cycle.
        looks: share of the cycles in which it takes them.
        misfits: why it doesn't fit; none: it does.
        notes: of the board.
    """

    model_bytes: int
    files_bytes: dict[str, int]
    flash_left: int
    heap: Figure
    node_heap: Figure
    heap_left: Figure
    start_left: Figure | None
    instructions: int
    predict_us: Figure
    budget: Budget | None
    without_watchdog: Budget | None
    listening: ListeningCost | None
    without_cascade: Budget | None
    looks: float
    misfits: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def doubt(self) -> str:
        """Return the doubt that remains where figures are off, "" for none."""
        if self.heap_left.low < 0:
            return f"{-self.heap_left.low:,.0f} bytes of heap may be missing"
        if self.start_left and self.start_left.low < 0:
            return f"{-self.start_left.low:,.0f} bytes of heap may be missing while it starts"
        return ""


def estimate(
    opened: HostModel,
    board: Board,
    runtime_name: str,
    runtime: Runtime,
    config: dict[str, Any],
    interval_s: int | None,
    *,
    voice: HostModel | None = None,
    shares: Shares | None = None,
    seen: float | None = None,
) -> BoardEstimate:
    """Return the estimate.

    Args:
        config: config.json as it is; its drivers and pins' power count, not its pins.
        interval_s: instead of the configuration's.
        voice: voice.dib of a node that listens.
        shares: how much it has to look at; None: as assumed.
        seen: share of cycles in which the gate finds costly readings worth it; None: as assumed, with gate.motion.
    Raises:
        InputError: the interval isn't one of the node's, or there is no costly reading for `seen` to save.
    """
    listens = _listens(opened, config, runtime)
    if interval_s is not None:
        config = {**config, "interval_s": interval_s}
    settings = whole(config)
    size, family = len(opened.blob), opened.content.family_name
    full = runtime.node == "full"
    counted = middle_cost(opened)
    if listens:
        predict_us = decision_us(opened, board, runtime)
    else:
        predict_us = prediction_us(opened, board, runtime, counted.instructions)
    files = {"model": stored(size, runtime.block_bytes) * (1 + (SLOTS if full else 0))}
    if full:
        files |= {"library": library_bytes(runtime_name, runtime, settings), "log": log_bytes(settings)}
    heap = Figure.within(estimate_parts(opened.content, size).heap, HEAP_SPREAD, "counts of the model's parts")
    if runtime.node == "small":
        node_heap = Figure.exact(0, f"not counted: {SMALL_LEFT}")
    else:
        drivers = drivers_of(settings) if full else ()
        radio = full and bool(settings["mqtt"]["host"])
        kept_bytes = heap_bytes(family, drivers, full, radio, runtime_name, listens)
        kept_bytes += buffers_bytes(opened) if listens else 0
        node_heap = Figure.within(kept_bytes, HEAP_SPREAD, "the node's modules on the 32-bit VM")
    start_left = _heap_left(runtime, heap, node_heap).minus(START_BYTES[runtime_name]) if full else None
    if full and settings["mqtt"]["host"] and settings["mqtt"]["ca"]:  # not before it runs
        node_heap = node_heap.plus(
            TLS_BYTES, rests_on=f"the node's modules on the 32-bit VM; TLS: {TLS_BYTES.rests_on}"
        )
    left = _heap_left(runtime, heap, node_heap)
    spent = unwatched = heard = uncut = None
    looked = looks(settings, seen)
    if listens:
        told = shares or assumed_shares(opened, voice, runtime, settings["listen"])
        heard = listening_cost(opened, voice, board, runtime, settings["listen"], told)
        spent, uncut = (listening_budget(board, runtime, settings, stages) for stages in (heard.stages, heard.uncut))
    elif runtime.node != "model only":
        spent = budget(board, runtime, settings, predict_us, len(opened.classes), looks=looked)
        if looked < 1:
            uncut = budget(board, runtime, settings, predict_us, len(opened.classes))
        if spent.rest == "awake" and settings["watchdog_ms"] and settings["sleep"] == "light":
            unwatched = budget(board, runtime, settings, predict_us, len(opened.classes), watchdog=False, looks=looked)
    flash_left = runtime.filesystem_bytes - sum(files.values())
    found = BoardEstimate(
        size,
        files,
        flash_left,
        heap,
        node_heap,
        left,
        start_left,
        counted.instructions,
        predict_us,
        spent,
        unwatched,
        heard,
        uncut if not heard or heard.cascades else None,
        looked,
        (),
        tuple(runtime.notes),
    )
    return replace(found, misfits=_misfits(found, board, runtime, family, settings))


def _listens(model: HostModel, config: dict[str, Any], runtime: Runtime) -> bool:
    """Tell whether a model hears; raise InputError where the node doesn't listen, or can't."""
    if model.content.sound is None or not config.get("listen", {}).get("driver"):
        check_reads(model)
        return False
    if runtime.node != "full":
        raise InputError(f"expected a runtime with the whole node, which listens; there it is {runtime.node}")
    return True


def config_for(name: str, runtime_name: str, runtime: Runtime) -> dict[str, Any]:
    """Return the configuration to reckon with where none is named: the board's example."""
    if runtime.node == "full":
        return example_config(name, runtime_name)
    probe = {"driver": "soil_adc", "pin": 0, "probe_curve": [2300, 1200]}
    return {"watchdog_ms": 0, "sensors": [probe]}


def _heap_left(runtime: Runtime, heap: Figure, node_heap: Figure) -> Figure:
    """Return the heap that is left beside a model and its node."""
    kept = heap.plus(node_heap, rests_on=str(runtime.source("heap_bytes")))
    has, spread = runtime.heap_bytes, runtime.source("heap_bytes").spread
    return Figure(has - kept.value, has / spread - kept.high, has * spread - kept.low, kept.rests_on)


def _misfits(
    found: BoardEstimate, board: Board, runtime: Runtime, family: str, settings: dict[str, Any]
) -> tuple[str, ...]:
    """Return why it doesn't fit, a line each."""
    limits, size, left = board.limits, found.model_bytes, found.heap_left
    why = []
    if size > limits.model_bytes:
        why.append(f"model: expected at most {limits.model_bytes:,} bytes there, got {size:,}")
    if found.heap.value > limits.heap_bytes:
        why.append(f"model's heap: expected at most {limits.heap_bytes:,} bytes there, got {found.heap.value:,.0f}")
    over_tls = TLS_BYTES.value if settings["mqtt"]["host"] and settings["mqtt"]["ca"] else 0
    if left.value < 0 <= left.value + over_tls:
        why.append(
            f"config.mqtt.ca: expected {over_tls:,.0f} bytes of heap for MQTT over TLS, {-left.value:,.0f} of them are "
            "missing: take a larger board, or leave it empty, where passwords may go in the open"
        )
    elif left.value < 0:
        why.append(f"heap: expected {runtime.heap_bytes:,} bytes to do, {-left.value:,.0f} are missing")
    elif found.start_left and found.start_left.value < 0:
        missing = f"{-found.start_left.value:,.0f} are missing while it starts"
        why.append(f"heap: expected {runtime.heap_bytes:,} bytes to do, {missing}")
    if runtime.node == "model only" and left.value < START_BYTES["circuitpython"].low:
        why.append(
            "library: expected room to compile it there, got too little: what fits is the model as Python, compiled: "
            "`dibble export MODEL --to python --small`, then mpy-cross, 5 to 12 KB of heap"
        )
    if found.flash_left < 0:
        why.append(f"file system: expected {runtime.filesystem_bytes:,} bytes to do, {-found.flash_left:,} are missing")
    listens = settings["listen"]["driver"]
    if found.listening and listens not in runtime.hears:
        why.append(f"config.listen.driver: expected one of {', '.join(runtime.hears) or 'none'} there, got {listens}")
    busy = sum(stage.busy.value for stage in found.listening.uncut) if found.listening else 0.0
    if busy > 1 and runtime.viper:
        why.append(f"config.listen: expected a processor that keeps up while there is a sound, got {busy:.1f} of one")
    if not found.listening and found.predict_us.value > limits.predict_us:
        why.append(f"prediction: expected at most {limits.predict_us:,} us there, got {found.predict_us.value:,.0f}")
    if runtime.node == "small" and family not in SMALL_MOST:
        why.append(f"family: expected one of {', '.join(SMALL_MOST)} for the small node, got {family}")
    elif runtime.node == "small" and runtime.heap_bytes < SMALL_HEAP and size > SMALL_MOST[family]:
        why.append(f"model: expected some {SMALL_MOST[family]} bytes at most beside the small node, got {size:,}")
    if settings["watchdog_ms"] > runtime.watchdog_max_ms:
        most = f"at most {runtime.watchdog_max_ms}" if runtime.watchdog_max_ms else "0, as it has no watchdog"
        why.append(f"config.watchdog_ms: expected {most}, got {settings['watchdog_ms']}")
    if settings["mqtt"]["host"] and board.chip.radio != "wifi":
        why.append(f"config.mqtt: expected a board with Wi-Fi, got {board.title}")
    return tuple(why)


def parse_mah(text: str) -> float:
    """Return the capacity of "2500mAh", "2.5Ah" or plain "2500"."""
    number = text.strip().lower()
    factor = 1.0
    if number.endswith("mah"):
        number = number[:-3]
    elif number.endswith("ah"):
        number, factor = number[:-2], 1000.0
    try:
        mah = float(number) * factor
    except ValueError:
        mah = 0.0
    if not 10 <= mah <= 1e6:
        raise InputError(f"--battery: expected a capacity from 10mAh to 1000Ah, such as 2500mAh, got {text!r}")
    return mah
