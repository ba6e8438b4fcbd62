"""The same tables in C, as a person would write it for a compiler: what machine code can be held against."""

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from dibble.inference import additive, forest, mlp
from dibble.inference.format import Cursor

from dibble_tools.bench.cases import Case
from dibble_tools.machines.tools import run
from dibble_tools.model.oracle import weights_of
from dibble_tools.model.tree_file import thresholds_of

TIMES = 20_000
HEAD = """\
#include <stdint.h>
static int32_t score[{classes}];
static const int32_t low[] = {{{low}}}, span[] = {{{span}}};
static int top_two(void) {{
    int best = -1, second = -1, winner = 0;
    for (int k = 0; k < {classes}; k++) {{
        if (score[k] > best) {{ second = best; best = score[k]; winner = k; }}
        else if (score[k] > second) second = score[k];
    }}
    return winner | (best - second) << 8;
}}
"""
RANGES = """\
    int32_t v[{inputs}];
    for (int i = 0; i < {inputs}; i++) {{
        v[i] = x[i] - low[i];
        if ((uint32_t)v[i] > (uint32_t)span[i]) return -1;
    }}
"""
FOREST = """\
    for (int k = 0; k < {classes}; k++) score[k] = base[k];
    for (int t = 0; t < {trees}; t++) {{
        int page = t, i = start[t], r;
        for (;;) {{
            r = v[feature[i]] <= cut[i] ? left[i] : right[i];
            if (r < 128) i = start[page] + r;
            else if (r < {end}) break;
            else {{ page = child[page] + r - {end}; i = start[page]; }}
        }}
        score[leaf_class[r - 128]] += leaf_amount[r - 128];
    }}
"""
LOG = """\
static int32_t log2_256(int32_t value) {
    int power = 31 - __builtin_clz(value);
    return (power > 8 ? value >> (power - 8) : value << (8 - power)) + (power - 1) * 256;
}
"""
LINEAR_U, LOG_U = "v[from[k]] >> drop[k]", "bias[k] ? log2_256(v[from[k]] + bias[k]) : v[from[k]] >> drop[k]"
SCALE = """\
    int32_t c[{codes}];
    for (int k = 0; k < {codes}; k++) {{
        int32_t u = {u};
        int32_t q = (u - zero[k]) * mult[k] >> shift[k];
        c[k] = q < 0 ? 0 : q > top[k] ? top[k] : q;
    }}
"""
TIMED = """\
#include <stdio.h>
#include <time.h>
static const {kind} rows[][{inputs}] = {{{rows}}};
int (*volatile judged)(const {kind} *) = judge;
int main(void) {{
    struct timespec a, b;
    for (int i = 0; i < {count}; i++) printf("%d\\n", judge(rows[i]));
    double best = 1e18;
    for (int again = 0; again < 9; again++) {{
        clock_gettime(CLOCK_MONOTONIC, &a);
        for (int n = 0; n < {times}; n++) judged(rows[n % {count}]);
        clock_gettime(CLOCK_MONOTONIC, &b);
        double took = (b.tv_sec - a.tv_sec) * 1e9 + b.tv_nsec - a.tv_nsec;
        best = took < best ? took : best;
    }}
    printf("%.2f\\n", best / {times});
}}
"""


def source(case: Case) -> str:
    """Return C that computes what the model does for rows whose features are the last readings, int judge(x)."""
    m = case.model.model
    cursor, classes = Cursor(m.blob, m.family_at), len(m.classes)
    head = HEAD.format(classes=classes, low=_list(m.low), span=_list(m.limits))
    body = RANGES.format(inputs=len(m.low))
    family = m.blob[5] & 127
    if family == 1:
        layout, tables = forest.read(cursor, m.limits, classes)
        features, codes, lefts, rights, starts, children, end, trees, leaf_classes, amounts, base = tables
        cuts = thresholds_of(m.blob, layout)
        widest = max(max(cut, default=0) for cut in cuts.values())
        head += _table("feature", features) + _table("left", lefts) + _table("right", rights)
        head += _table(
            "cut", [cuts[f][c] for f, c in zip(features, codes, strict=True)], "u8" if widest < 256 else "i32"
        )
        head += _table("start", starts, "u16") + _table("child", children or [0], "u16") + _table("base", base, "u16")
        head += _table("leaf_class", leaf_classes) + _table("leaf_amount", amounts)
        body += FOREST.format(classes=classes, trees=trees, end=end)
    elif family == 2:
        scalers, singles, pairs, tables, _, base = additive.read(cursor, m.limits, classes)
        cells = [f"c[{code}]" for code in singles]
        cells += [f"(c[{a}] >> {drop_a}) * {n} + (c[{b}] >> {drop_b})" for a, drop_a, n, b, drop_b in pairs]
        head += _scalers(scalers)
        body += _scale(scalers) + f"    score[0] = {base[0]};\n"
        for k in range(1, classes):
            for t, table in enumerate(tables):
                head += _table(f"t{t}_{k}", table[k - 1])
            sums = "".join(f" + t{t}_{k}[{cell}]" for t, cell in enumerate(cells))
            body += f"    score[{k}] = {base[k]}{sums};\n"
    else:
        scalers, base, layers = mlp.read(cursor, m.limits, classes)
        head += _scalers(scalers)
        body += _scale(scalers) + f"    score[0] = {base};\n"
        inputs = "c"
        size = len(scalers)
        for n, (form, (rows, biases, shifts, extra)) in enumerate(layers):
            last = n + 1 == len(layers)
            weights = [w for row in rows for w in weights_of(form, row, extra, size).tolist()]
            head += _table(f"w{n}", weights, "i8" if max(map(abs, weights)) < 128 else "i16")
            head += _table(f"b{n}", biases, "i32") + _table(f"s{n}", shifts)
            out, top = ("score", 65535) if last else (f"h{n}", 255)
            body += "" if last else f"    int32_t h{n}[{len(rows)}];\n"
            body += (
                f"    for (int k = 0; k < {len(rows)}; k++) {{\n        int32_t q = b{n}[k];\n"
                f"        for (int i = 0; i < {size}; i++) q += w{n}[k * {size} + i] * {inputs}[i];\n"
                f"        q >>= s{n}[k];\n"
                f"        {out}[k + {int(last)}] = q < 0 ? 0 : q > {top} ? {top} : q;\n"
                "    }\n"
            )
            inputs, size = out, len(rows)
    return head + "__attribute__((noinline)) int judge(const int32_t *x) {\n" + body + "    return top_two();\n}\n"


def nanoseconds(case: Case) -> float:
    """Return how long gcc -O2 takes for a row on this computer; AssertionError where its answers aren't the model's."""
    decisions = case.model.decide(case.many)
    answers, took = timed(source(case), case.many)
    assert answers == [int(c) | int(m) << 8 for c, m in zip(decisions.class_index, decisions.margin, strict=True)]
    return took


def timed(judge: str, rows: np.ndarray, kind: str = "int32_t", include: str = ".") -> tuple[list[int], float]:
    """Return (the answers, nanoseconds a row) of C that has int judge(const KIND *), by gcc -O2 on this computer."""
    text = ",".join("{" + _list(row) + "}" for row in rows.tolist())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        main = TIMED.format(inputs=rows.shape[1], rows=text, count=len(rows), times=TIMES, kind=kind)
        (folder / "model.c").write_text(judge + main)
        run(["gcc", "-O2", "-w", "-I", include, "-o", "model", "model.c", "-lm"], folder)
        *answers, took = run([str(folder / "model")], folder).split()
    return [int(answer) for answer in answers], float(took)


def _scalers(scalers: Sequence[Sequence[int]]) -> str:
    names = ("from", "drop", "bias", "zero", "mult", "shift", "top")
    columns = zip(*scalers, strict=True)
    tables = [
        _table(name, column, "u16" if max(column) < 1 << 16 else "i32")
        for name, column in zip(names, columns, strict=True)
        if name != "bias" or any(column)
    ]
    return "".join(tables) + (LOG if _logarithmic(scalers) else "")


def _scale(scalers: Sequence[Sequence[int]]) -> str:
    return SCALE.format(codes=len(scalers), u=LOG_U if _logarithmic(scalers) else LINEAR_U)


def _logarithmic(scalers: Sequence[Sequence[int]]) -> bool:
    return any(bias for _, _, bias, *_ in scalers)


def _table(name: str, values: Iterable[int], kind: str = "u8") -> str:
    kinds = {"u8": "uint8_t", "i8": "int8_t", "i16": "int16_t", "u16": "uint16_t", "i32": "int32_t"}
    return f"static const {kinds[kind]} {name}[] = {{{_list(values)}}};\n"


def _list(values: Iterable[int]) -> str:
    return ",".join(str(int(value)) for value in values)
