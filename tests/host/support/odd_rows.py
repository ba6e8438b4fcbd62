"""Rows with gaps, missing readings and such out of range, given to the kernels that take them without a VM.

Assembler and viper's machine code for the same processor run on an emulated Cortex-M0, as machine_code.Predictor.odd
has them run: after each row what is told of it, each feature and each word of the past have to be what bytecode's
windows say, and a plain reading of models/FORMAT.md what is told.
"""

import itertools
from array import array
from typing import Any

import numpy as np
from dibble.inference import features as board
from dibble.inference.decision import OUT_OF_RANGE, SENSOR_FAULT
from dibble.inference.fixed_point import MISSING
from dibble_tools.bench import cortex_m0
from dibble_tools.bench.machine_code import machine_codes
from dibble_tools.data.channels import Channel
from dibble_tools.data.feature_spec import windows_of
from random_models import channels_at_random, random_readings, random_stand_ins
from random_models import windows as features_at_random

VITAL = 128
GAPS = 0.03  # of rows, which come after one
BATCH = 200  # rows of one past
DRIVER = """
static Word self[4];
static Word hold(Word *rows, const int32_t *row, Word *states) {
    const Word *code = (const Word *)((Word)hold_code | 1);
#ifdef VIPER
    Word arguments[] = {(Word)rows, (Word)row, (Word)states};
    return ((Function *)code)(self, 3, 0, arguments);
#else
    typedef Word Hold(Word *rows, const int32_t *row, Word *states);
    return ((Hold *)code)(rows, row, states);
#endif
}
static uint32_t plan[3000], held[100];
static Word push(const int32_t *row);
static void print(Word value);
static Word push_any(const int32_t *row, Word *states) {
    Word found = 0;
    if (push(row)) {
        found = hold(held, row, states);
        if (found & 4) plan[0] = 1;
        if (push((const int32_t *)held + 13)) return 1;
    }
    return found;
}
static void check(const uint32_t *windows, int words, const uint32_t *rows, int channels, int values, int states,
                  int places_end, const int32_t *row, const uint8_t *gap, int count) {
    for (int k = 0; k < words; k++) plan[k] = windows[k];
    for (int k = 0; k < 13 + 4 * channels; k++) held[k] = rows[k];
    for (int i = 0; i < count; i++, row += channels) {
        if (gap[i]) {
            plan[0] = 1;
            for (int k = 0; k < places_end; k++) plan[states + k] = k < channels;
        }
        print(push_any(row, plan + states));
        Word sum = 0;
        for (int k = values; k < words; k++) sum = (sum * 31 + plan[k]) & 0x3FFFFFFF;
        print(sum);
    }
}
"""


class PastCase:
    """One model's windows, rows for them, and what has to come of these.

    Args:
        seed: of channels, windows, stand-ins, rows and gaps.
    """

    def __init__(self, seed: int, rows: int = BATCH) -> None:
        rng = np.random.default_rng(seed)
        self.channels = channels_at_random(rng)
        self.features = features_at_random(rng, self.channels)
        self.stand_ins = random_stand_ins(self.channels, seed) or [None] * len(self.channels)
        self.readings = random_readings(rng, self.channels, rows)
        self.gap = rng.random(rows) < GAPS
        self.lows = array("i", [c.low for c in self.channels])
        self.spans = [c.high - c.low for c in self.channels]

    def plans(self) -> tuple[Any, array]:
        """Return the windows' plan, and that of what holds rows, as the firmware's own Python makes them."""
        files = [cortex_m0.FIRMWARE_KERNELS / f"{name}.py" for name in ("plan", "features_plan")]
        scope = cortex_m0.functions(files, KIND="thumb", push=None, **vars(board))
        told = [(f.channel, f.kind, f.size) for f in self.features]
        rows = cortex_m0.functions(
            [cortex_m0.FIRMWARE_KERNELS / f"{name}.py" for name in ("plan", "rows_plan")],
            take=lambda at, out_at: 1,
            hold=None,
            MISSING=MISSING,
        )["Rows"]
        high = array("i", [c.high for c in self.channels])
        taken = rows(self.lows, self.lows, high)
        taken.stand_in([-1 if offset is None else offset for offset in self.stand_ins])
        return scope["WindowsPlan"](told, self.spans, 0, self.lows), taken.plan

    def expected(self) -> list[int]:
        """Return for each row what is told of it, and a sum over all values and words of the past."""
        windows = windows_of(self.features, self.spans, 0)
        found = []
        for row, gap in zip(self.readings.tolist(), self.gap, strict=True):
            if gap:
                windows.restart()
            offsets = [self.offset(i, reading) for i, reading in enumerate(row)]
            windows.push(offsets)
            total = 0
            for word in itertools.chain(windows.values, windows.state):
                total = (total * 31 + word) & 0x3FFFFFFF
            found += [told(row, self.channels, self.stand_ins), total]
        return found

    def offset(self, channel: int, reading: int) -> int:
        if reading == MISSING:
            return ~(self.stand_ins[channel] or 0)
        return min(max(reading - self.lows[channel], 0), self.spans[channel])


def told(row: list[int], channels: list[Channel], stand_ins: list[int | None]) -> int:
    """Return the flags of a row, and above them its first channel that is missing, or else out of range."""
    missing = [i for i, reading in enumerate(row) if reading == MISSING]
    beyond = [i for i, c in enumerate(channels) if row[i] != MISSING and not c.low <= row[i] <= c.high]
    flags = OUT_OF_RANGE * bool(beyond) | SENSOR_FAULT * bool(missing)
    if any(stand_ins[i] is None for i in missing):
        flags |= VITAL
    return flags | (missing or beyond or [-1])[0] + 1 << 8


def kernel_differences(kind: str, pasts: list[PastCase]) -> int:
    """Return how many rows of these pasts "thumb" or "viper" takes otherwise than expected."""
    codes = cortex_m0.code_of({kind: cortex_m0.FIRMWARE_KERNELS / f"features_{kind}.py"})
    _, hold = machine_codes(cortex_m0.FIRMWARE_KERNELS / f"rows_{kind}.py", kind)
    aligned = "static const uint8_t __attribute__((aligned(4)))"
    tables = "#define VIPER\n" if kind == "viper" else ""
    tables += codes + f"{aligned} {'viper' if kind == 'thumb' else 'thumb'}_code[4];\n"
    tables += f"{aligned} hold_code[] = {{{cortex_m0.listed(hold)}}};\n#define push {kind}\nstatic Word blob[1];\n"
    tables += DRIVER
    calls, expected = list[str](), list[list[int]]()
    for n, past in enumerate(pasts):
        windows, rows = past.plans()
        values = (windows.values_at - windows.plan_at) // 4
        state = (windows.state_at - windows.plan_at) // 4
        for name, words in (("windows", windows.plan), ("taken", rows), ("rows", past.readings.ravel())):
            listed = cortex_m0.listed(int(word) & 0xFFFFFFFF for word in words)
            tables += f"static const uint32_t {name}{n}[] = {{{listed}}};\n"
        tables += f"static const uint8_t gap{n}[] = {{{cortex_m0.listed(past.gap)}}};\n"
        of_plans = f"windows{n}, {len(windows.plan)}, taken{n}, {len(past.channels)}, {values}, {state}"
        of_plans += f", {windows.places_end}"
        calls.append(f"check({of_plans}, (const int32_t *)rows{n}, gap{n}, {len(past.gap)});")
        expected.append(past.expected())
    numbers = cortex_m0.run(tables, calls)
    wanted = list(itertools.chain(*expected))
    assert len(numbers) == len(wanted), (len(numbers), len(wanted))
    return sum(numbers[i : i + 2] != wanted[i : i + 2] for i in range(0, len(wanted), 2))
