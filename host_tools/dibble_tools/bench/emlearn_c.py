"""The same forest as C of emlearn's, compiled at -O2: instructions on a Cortex-M0, nanoseconds here, flash and RAM.

emlearn cuts thresholds down to whole numbers and asks x < threshold where scikit-learn asks x <= threshold. So it is
given a forest fitted on readings taken twice, whose thresholds are whole, and features 2 x - 1: the same splits,
exactly. What is counted begins with int16 features, arg-max included.
"""

import re
import tempfile
import warnings
from pathlib import Path

import emlearn
import numpy as np
from sklearn.ensemble import RandomForestClassifier

from dibble_tools.bench import reference
from dibble_tools.bench.results import EMLEARN_INLINE, EMLEARN_TABLES, Figures
from dibble_tools.machines.compiled import CProgram, on_target
from dibble_tools.machines.machine_run import MachineRun
from dibble_tools.machines.targets import ATMEGA328P, CORTEX_M0, Target
from dibble_tools.machines.tools import TooLarge

METHODS = {EMLEARN_INLINE: "inline", EMLEARN_TABLES: "loadable"}
HEADER = """\
#include <stdint.h>
#define EMLEARN_CHANNELS {channels}
#define EMLEARN_MISSING INT32_MIN
typedef struct {{
    int32_t margin;
    int16_t features[EMLEARN_CHANNELS];
    uint8_t class_index, flags, held_index;
    int8_t channel;
}} emlearn_node;
void emlearn_restart(emlearn_node *node);
void emlearn_predict(emlearn_node *node, const int32_t *readings);
int emlearn_self_test(emlearn_node *node);
void emlearn_take(emlearn_node *node, const int32_t *readings, int32_t elapsed);
"""
SOURCE = """\
#include "emlearn.h"
#include "generated.h"
void emlearn_restart(emlearn_node *node) { node->margin = 0; }
int emlearn_self_test(emlearn_node *node) { emlearn_restart(node); return 0; }
void __attribute__((noinline)) emlearn_take(emlearn_node *node, const int32_t *readings, int32_t elapsed)
{
    uint8_t i;
    (void)elapsed;
    for (i = 0; i < EMLEARN_CHANNELS; i++)
        node->features[i] = (int16_t)(2 * readings[i] - 1);
}
void emlearn_predict(emlearn_node *node, const int32_t *readings)
{
    emlearn_take(node, readings, 0);
    node->class_index = (uint8_t)forest_predict(node->features, EMLEARN_CHANNELS);
}
"""
INCLUDE, OWN = re.compile("#include <(eml_.*)>"), r'#include "\1"'
CLASSIFY = "\nint classify(const int16_t *row) {{ return forest_predict(row, {channels}); }}\n"


def csv_bytes(forest: RandomForestClassifier) -> int:
    """Return how large the file is that emlearn-micropython's module reads."""
    return len(generated(forest, "inline", "csv").encode())


def generated(forest: RandomForestClassifier, method: str, form: str = "c") -> str:
    """Return the C that emlearn makes of a forest."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converted = emlearn.convert(forest, dtype="int16_t", method=method)
        text: str = converted.save(file=str(Path(folder) / "forest.out"), name="forest", format=form)
    return text


def pc_nanoseconds(forest: RandomForestClassifier, method: str, rows: np.ndarray) -> float:
    """Return how long a row takes on this computer."""
    text = generated(forest, method) + CLASSIFY.format(channels=rows.shape[1])
    return reference.timed(text, 2 * rows - 1, "int16_t", emlearn.includedir)[1]


def on_boards(forest: RandomForestClassifier, method: str, rows: np.ndarray) -> tuple[Figures, np.ndarray]:
    """Return (figures of the Cortex-M0 and, where it fits, of the ATmega328P; the classes it decides)."""
    source = _source(forest, method, rows.shape[1])
    whole, counted = _counted(source, rows, CORTEX_M0)
    figures: Figures = {"m0_instructions_kernel": counted, "m0_flash_bytes": whole.flash}
    try:
        avr, cycles = _counted(source, rows, ATMEGA328P)
        figures |= {"atmega328p_flash_bytes": avr.flash, "atmega328p_ram_bytes": avr.ram, "atmega328p_cycles": cycles}
    except TooLarge:
        pass
    return figures, whole.decisions.class_index


def _counted(source: CProgram, rows: np.ndarray, target: Target) -> tuple[MachineRun, int]:
    """Return (what the machine computed, its mean cost less that of making int16 of the readings)."""
    whole = on_target(source, rows, None, target)
    taking = on_target(source, rows, None, target, "-DCOUNTED=emlearn_take")
    assert whole.mean_cost is not None and taking.mean_cost is not None
    return whole, whole.mean_cost - taking.mean_cost


def _source(forest: RandomForestClassifier, method: str, channels: int) -> CProgram:
    """Return emlearn's C with a node of dibble's around it; its own headers are spared our warnings."""
    files = {path.name: path.read_text() for path in Path(emlearn.includedir).glob("eml_*.h")}
    files["generated.h"] = generated(forest, method)
    files = {name: f"#pragma GCC system_header\n{INCLUDE.sub(OWN, text)}" for name, text in files.items()}
    files |= {"emlearn.h": HEADER.format(channels=channels), "emlearn.c": SOURCE}
    return CProgram(files, "emlearn", False)
