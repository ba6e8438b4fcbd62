"""How long a prediction takes on a board: instructions counted on the 32-bit VM, of which kernels' take less there."""

import numpy as np

from dibble_tools.boards.figure import Figure
from dibble_tools.boards.listening import CYCLES, OTHER_CORES, bytecode_us
from dibble_tools.boards.schema import Board, Runtime
from dibble_tools.machines.replay import kernel_cost, own_python_cost
from dibble_tools.model.content import Maps
from dibble_tools.model.host_model import HostModel

# Cortex-M0 instructions of all kernels of a network of maps: those of their calls, and for each that their bytecode
# takes of the 32-bit VM; five networks by `python -m dibble_tools.bench.maps`, none off by more than a fifth.
MAPS = {"assembler": (25_000, 0.0012), "viper": (60_000, 0.0085)}
MAPS_SPREAD = 1.3


def prediction_us(model: HostModel, board: Board, runtime: Runtime, instructions: int) -> Figure:
    """Return the time of a prediction that takes so many instructions in bytecode."""
    if not runtime.viper:
        return bytecode_us(instructions, runtime)
    if isinstance(model.content.family, Maps):
        own = min(own_python_cost(model), instructions)
        return _maps_us(instructions - own, board, runtime).plus(
            bytecode_us(own, runtime), rests_on=f"{maps_kernels(runtime)} on a Cortex-M0, counted; its own Python"
        )
    source = runtime.source("us_per_instruction")
    each = Figure.within(runtime.us_per_instruction, source.spread, str(source))
    middle = np.array([[limit // 2 for limit in model.content.limits]], dtype=np.int64)
    kernel = min(kernel_cost(model, middle), instructions)
    viper = Figure.within(kernel * runtime.viper_share, runtime.source("viper_share").spread, "")
    spent = Figure.exact(instructions - kernel, "").plus(viper, rests_on="")
    return spent.times(each, f"kernels in viper, {kernel / instructions:.0%} of the bytecode's work; {source}")


def maps_kernels(runtime: Runtime) -> str:
    """Return which kernels of maps run there: "assembler" or "viper"."""
    return "assembler" if runtime.mpy_arch.startswith("armv") else "viper"


def network_us(board: Board, runtime: Runtime) -> tuple[float, float]:
    """Return microseconds of a network of maps: of its kernels' calls, and for each instruction of their bytecode."""
    if not runtime.viper:
        return 0.0, runtime.us_per_instruction
    calls, share = MAPS[maps_kernels(runtime)]
    cycle_us = CYCLES / board.chip.mhz
    return calls * cycle_us, share * cycle_us


def _maps_us(bytecode: int, board: Board, runtime: Runtime) -> Figure:
    """Return the time of kernels of maps that take so many instructions in bytecode."""
    once, each = network_us(board, runtime)
    spread = 1.0 if board.chip.core == "Cortex-M0+" else OTHER_CORES
    return Figure.within(once + each * bytecode, MAPS_SPREAD * spread, "")
