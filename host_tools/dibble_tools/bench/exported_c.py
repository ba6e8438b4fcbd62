"""What a C compiler makes of an exported model: exact instructions on a Cortex-M0 at -O2, cycles on an ATmega328P.

Of each the mean over rows, every decision compared with the host's:

    predict   readings in, decision out: all that a node does
    kernel    values in, scores out: codes and tables; not of a model with windows
    tables    codes in, scores out; likewise
"""

import dataclasses

import numpy as np
from dibble.inference.features import LAST

from dibble_tools.bench.cases import Case
from dibble_tools.bench.results import Figures
from dibble_tools.export.c.source import write_c
from dibble_tools.export.names import prefix_of
from dibble_tools.machines.compiled import CProgram, on_target
from dibble_tools.machines.targets import ATMEGA328P, CORTEX_M0
from dibble_tools.machines.tools import TooLarge
from dibble_tools.model.content import Content, Forest

ROWS = 200
# The model's own static functions, on values that are readings less the channels' lows.
PARTS = """\
#include "{prefix}.c"
#define ENCODE(i, value) {encode}
static const uint8_t channel_of[FEATURES] = {{ {channels} }};
uint8_t coded[FEATURES];
uint16_t reached[CLASSES];
static void encoded({prefix}_node *node, const int32_t *readings, int32_t elapsed)
{{
    uint_fast8_t i;
    (void)node, (void)elapsed;
    for (i = 0; i < FEATURES; i++)
        coded[i] = ENCODE(i, (uint32_t)(readings[channel_of[i]] - lows[channel_of[i]]));
}}
static void kernel({prefix}_node *node, const int32_t *readings, int32_t elapsed)
{{
    encoded(node, readings, elapsed);
    family(coded, reached);
}}
/* Only one of them is counted. */
static void (*const both[])({prefix}_node *, const int32_t *, int32_t) __attribute__((unused)) = {{encoded, kernel}};
#undef CHANNELS
"""
RANK, COPY, SCALE = "code_of((uint8_t)(i), value)", "(uint8_t)(value)", "scaled(&family_scalers[i], value)"


def on_cortex_m0(case: Case) -> Figures:
    """Return instructions and bytes of flash; AssertionError where it decides anything else than the host."""
    content, source, rows = _exported(case)
    m0 = on_target(source, rows, None, CORTEX_M0)
    assert np.array_equal(m0.decisions.columns(), case.model.decide(rows).columns())
    figures: Figures = {"m0_instructions_predict": m0.mean_cost, "m0_flash_bytes": m0.flash, "m0_ram_bytes": m0.ram}
    if any(feature.kind != LAST for feature in content.features):
        return figures
    kernel, encoded = (_part(content, source, rows, name) for name in ("kernel", "encoded"))
    return figures | {"m0_instructions_kernel": kernel, "m0_instructions_tables": kernel - encoded}


def on_atmega328p(case: Case) -> Figures:
    """Return cycles, and bytes of flash and RAM of the whole program; nothing where it doesn't fit."""
    _, source, rows = _exported(case)
    try:
        avr = on_target(source, rows, None, ATMEGA328P)
    except TooLarge:
        return {}
    assert np.array_equal(avr.decisions.columns(), case.model.decide(rows).columns())
    return {
        "atmega328p_flash_bytes": avr.flash,
        "atmega328p_ram_bytes": avr.ram,
        "atmega328p_cycles": avr.mean_cost,
    }


def _exported(case: Case) -> tuple[Content, CProgram, np.ndarray]:
    content = case.model.content
    return content, CProgram(write_c(content), prefix_of(content.name), content.timed), case.many[:ROWS]


def _part(content: Content, source: CProgram, rows: np.ndarray, name: str) -> int:
    """Return the instructions of a part of a prediction."""
    encode = SCALE
    if isinstance(content.family, Forest):
        encode = RANK if any(content.family.thresholds) else COPY
    channels = ", ".join(str(feature.channel) for feature in content.features)
    parts = PARTS.format(prefix=source.prefix, encode=encode, channels=channels)
    counted = dataclasses.replace(source, files={**source.files, "parts.h": parts})
    options = ("-include", "parts.h", f"-DCOUNTED={name}", "-Wl,-z,muldefs")
    cost = on_target(counted, rows, None, CORTEX_M0, *options).mean_cost
    assert cost is not None
    return cost
