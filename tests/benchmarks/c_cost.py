"""What a C compiler makes of a model's tables: exact instructions on a Cortex-M0 at -O2, cycles on an ATmega328P.

    python tests/benchmarks/c_cost.py [MODEL ...]

Prints a JSON object a line: for each model, and for a forest of scikit-learn's digits (10 trees of 100 leaves)
where none is named, the mean over rows of

    predict   readings in, decision out: all that a node does
    kernel    values in, scores out: codes and tables; null where the model has windows
    tables    codes in, scores out; null likewise

on the Cortex-M0; predict on the ATmega328P in cycles; bytes of flash and RAM. Every decision is compared with
the host's.
"""

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from dibble.inference.features import LAST

from host_tools.apply import made_up_rows
from host_tools.converter import convert
from host_tools.host_model import HostModel
from host_tools.programs.c.machines import Source, on_target
from host_tools.programs.c.source import write_c
from host_tools.programs.c.targets import ATMEGA328P, CORTEX_M0
from host_tools.programs.content import Forest
from host_tools.programs.names import prefix_of
from host_tools.programs.reading import content_of
from host_tools.programs.tools import TooLarge

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


def c_cost(model: HostModel, readings: np.ndarray, elapsed_ms: np.ndarray | None = None) -> dict[str, Any]:
    """Return what a prediction costs in C, over rows within the channels' ranges."""
    content = content_of(model)
    prefix = prefix_of(content.name)
    source = Source(write_c(content), prefix, content.timed)
    elapsed_ms = elapsed_ms if content.timed else None
    expected = model.decide(readings, elapsed_ms).columns()
    found: dict[str, Any] = {"model": content.name, "model_bytes": len(model.blob), "kernel": None, "tables": None}
    m0 = on_target(source, readings, elapsed_ms, CORTEX_M0)
    assert np.array_equal(m0.decisions.columns(), expected)
    found |= {"predict": m0.mean_cost, "cortex_m0_flash": m0.flash, "cortex_m0_ram": m0.ram}
    if all(feature.kind == LAST for feature in content.features):
        channels = ", ".join(str(feature.channel) for feature in content.features)
        encode = SCALE
        if isinstance(content.family, Forest):
            encode = RANK if any(content.family.thresholds) else COPY
        parts = PARTS.format(prefix=prefix, encode=encode, channels=channels)
        counted = dataclasses.replace(source, files={**source.files, "parts.h": parts})
        counts = [
            on_target(
                counted, readings, elapsed_ms, CORTEX_M0, "-include", "parts.h", f"-DCOUNTED={name}", "-Wl,-z,muldefs"
            ).mean_cost
            for name in ("kernel", "encoded")
        ]
        found |= {"kernel": counts[0], "tables": counts[0] - counts[1]}
    try:
        avr = on_target(source, readings, elapsed_ms, ATMEGA328P)
    except TooLarge:
        return found | {"atmega328p_cycles": None, "atmega328p_flash": None, "atmega328p_ram": None}
    assert np.array_equal(avr.decisions.columns(), expected)
    return found | {"atmega328p_cycles": avr.mean_cost, "atmega328p_flash": avr.flash, "atmega328p_ram": avr.ram}


def digits() -> tuple[HostModel, np.ndarray]:
    """Return the forest that emlearn's and m2cgen's figures are of, and rows."""
    from sklearn.datasets import load_digits
    from sklearn.ensemble import RandomForestClassifier

    x, y = load_digits(return_X_y=True)
    forest = RandomForestClassifier(10, max_leaf_nodes=100, random_state=0).fit(x, y)
    return convert(forest, x, name="digits"), x[:200].astype(np.int64)


def models(paths: list[Path]) -> Iterator[tuple[HostModel, np.ndarray, np.ndarray | None]]:
    """Yield models with rows of theirs."""
    for path in paths:
        model = HostModel.open(path)
        readings, elapsed = made_up_rows(model)
        low, high = np.array(model.model.low), np.array(model.model.high)
        yield model, np.clip(readings, low, high), elapsed
    if not paths:
        yield *digits(), None


def main() -> None:
    """Print a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL")
    for model, readings, elapsed in models(parser.parse_args().models):
        print(json.dumps(c_cost(model, readings, elapsed)), flush=True)


if __name__ == "__main__":
    main()
