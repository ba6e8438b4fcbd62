"""All figures of one model: every way to run it that this machine has the tools for."""

from collections.abc import Callable

import numpy as np

from dibble_tools.bench import cortex_m0, counts, exported_c, microbit_call, needs, reference, unix_time
from dibble_tools.bench.cases import DIGITS, Case
from dibble_tools.bench.kept import heap_kept
from dibble_tools.bench.results import (
    BARE,
    CODE,
    EMLEARN_CALL,
    EMLEARN_CLASS,
    EMLEARN_MODULE,
    EXPORTED,
    MICROBIT,
    TABLES,
    THUMB,
    VIPER,
    C,
    Figures,
    Measured,
)
from dibble_tools.machines.microbit_replay import NoRoom, on_microbit, out_of_room
from dibble_tools.machines.vms import VmError, unix_can_exist

MOST_INT16 = 32767
MACHINE_CODE = {"thumb": THUMB, "viper": VIPER, "gcc": C}  # as cortex_m0 names what it counts
Told = Callable[[str], None]


def measure(case: Case, quick: bool, told: Told = lambda step: None) -> Measured:
    """Return all figures of a model; with `quick` only those that are exact and of the 32-bit VM, and bytes."""
    m = case.model.content
    found = Measured(case.name, case.what, m.family_name, len(case.model.blob), m.windowed)
    told("instructions on the 32-bit VM")
    exact(case, found)
    if quick:
        return found
    if unix_can_exist():
        told("nanoseconds on the unix VM")
        on_unix(case, found)
    told("the emulated Cortex-M0")
    on_cortex_m0(case, found)
    if needs.has(*needs.ATMEGA328P):
        told("the simulated ATmega328P")
        found.add(EXPORTED, exported_c.on_atmega328p(case))
    if needs.has(*needs.PC) and not found.windows:
        told("gcc on this computer")
        found.add(C, {"pc_ns_kernel": reference.nanoseconds(case)})
    if case.shipped and needs.has_peers():
        told("other people's exporters")
        beside_peers(case, found)
    return found


def exact(case: Case, found: Measured) -> None:
    """Add what the 32-bit VM counts, and bytes."""
    whole, alone = counts.fuel(case), counts.kernels(case)
    library, imported = counts.bytecode_library(case)
    nothing = counts.heap_per_prediction(case)
    for way, name, size in ((TABLES, "tables", len(case.model.blob)), (CODE, "code", counts.code_bytes(case))):
        found.add(
            way,
            {
                "wasi_instructions_predict": whole[f"predict_{name}"],
                "wasi_instructions_kernel": alone[f"kernel_{name}"],
                "model_bytes": size,
                "kept_heap_bytes": heap_kept(case, code=way == CODE),
                "prediction_heap_bytes": nothing,
            },
        )
    if not found.windows:
        found.add(BARE, {"wasi_instructions_kernel": counts.code_cost(case, ranges=False)})
    found.add(TABLES, {"library_mpy_bytes": library, "import_heap_bytes": imported})
    if unix_can_exist():
        found.add(VIPER, {"model_bytes": len(case.model.blob), "prediction_heap_bytes": nothing})


def on_unix(case: Case, found: Measured) -> None:
    """Add what the unix VM tells: nanoseconds, heap kept, and which files viper needs."""
    for way, viper, code in ((TABLES, False, False), (CODE, False, True), (VIPER, True, False)):
        kernel, whole, filled = unix_time.nanoseconds(case, viper=viper, code=code)
        kept = heap_kept(case, viper=viper, code=code, words=64)
        found.add(way, {"pc_ns_kernel": kernel, "pc_ns_predict": whole, "pc_ns_predict_own": filled})
        found.add(way, {"kept_heap_64_bit_bytes": kept})
    found.add(VIPER, {"library_mpy_bytes": counts.viper_library(case)})


def on_cortex_m0(case: Case, found: Measured) -> None:
    """Add what QEMU's Cortex-M0 counts: predict() by the micro:bit's VM, machine code alone, and C."""
    if needs.has_microbit():
        found.add(MICROBIT, {"m0_instructions_predict": microbit(case)})
    if not needs.has(*needs.CORTEX_M0):
        return
    for name, count in cortex_m0.instructions(case)._asdict().items():
        if count is not None:
            found.add(MACHINE_CODE[name], {"m0_instructions_kernel": count})
    if not found.windows and needs.has_microbit():
        call, whole = called(case)
        found.add(THUMB, {"m0_instructions_called": call, "m0_instructions_predict": whole})
    found.add(EXPORTED, exported_c.on_cortex_m0(case))


def microbit(case: Case) -> int | None:
    """Return Cortex-M0 instructions of predict() on the first row; None where the model doesn't fit."""
    try:
        return on_microbit(case.model, case.rows, None).instructions
    except NoRoom:
        return None


def called(case: Case) -> tuple[float | None, float | None]:
    """Return the means of what the kernel in assembler takes, called by the micro:bit's VM, and of predict() around it.

    None where it doesn't fit. AssertionError where an answer isn't the model's.
    """
    decisions = case.model.decide(case.rows)
    try:
        answers, counts, wholes = zip(*microbit_call.called(case, case.rows.tolist()), strict=True)
    except VmError as error:
        if out_of_room(error):
            return None, None
        raise
    assert list(answers) == (decisions.class_index | decisions.margin << 8).tolist()
    return float(np.mean(counts)), None if None in wholes else float(np.mean(wholes))


def beside_peers(case: Case, found: Measured) -> None:
    """Add what the same forest takes through other people's tools."""
    from dibble_tools.bench import emlearn_c
    from dibble_tools.bench.peers import peers

    assert case.shipped
    for way, figures in peers(case.shipped.fitted(), case.rows, case.many):
        found.add(way, figures)
    twice = 2 * case.shipped.readings(case.model)
    if np.abs(twice).max() > MOST_INT16:
        return
    forest = case.shipped.fitted(twice)
    found.add(EMLEARN_MODULE, {"model_bytes": emlearn_c.csv_bytes(case.shipped.fitted())})
    if case.name == DIGITS:
        quoted: Figures = {"m0_instructions_called": EMLEARN_CALL, "m0_instructions_predict": EMLEARN_CLASS}
        found.add(EMLEARN_MODULE, quoted)
    rows = case.many[: exported_c.ROWS]
    for way, method in emlearn_c.METHODS.items():
        if needs.has(*needs.CORTEX_M0):
            figures, classes = emlearn_c.on_boards(forest, method, rows)
            assert np.array_equal(classes, case.model.decide(rows).class_index)
            found.add(way, figures)
        if needs.has(*needs.PC):
            found.add(way, {"pc_ns_kernel": emlearn_c.pc_nanoseconds(forest, method, case.many)})
