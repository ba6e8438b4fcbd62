"""The same tables in C, as a person would write it for a compiler: what machine code can be held against."""

import itertools
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from dibble_tools.bench.cases import Case
from dibble_tools.machines.tools import run
from dibble_tools.model.content import Additive, CodeScaler, Forest, Mlp
from dibble_tools.model.reader import LEAVES

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
int (*volatile classified)(const {kind} *) = classify;
int main(void) {{
    struct timespec a, b;
    for (int i = 0; i < {count}; i++) printf("%d\\n", classify(rows[i]));
    double best = 1e18;
    for (int again = 0; again < 9; again++) {{
        clock_gettime(CLOCK_MONOTONIC, &a);
        for (int n = 0; n < {times}; n++) classified(rows[n % {count}]);
        clock_gettime(CLOCK_MONOTONIC, &b);
        double took = (b.tv_sec - a.tv_sec) * 1e9 + b.tv_nsec - a.tv_nsec;
        best = took < best ? took : best;
    }}
    printf("%.2f\\n", best / {times});
}}
"""


def source(case: Case) -> str:
    """Return C that computes what the model does for rows whose features are the last readings, int classify(x)."""
    m = case.model.content
    classes = len(m.classes)
    head = HEAD.format(classes=classes, low=_list(c.low for c in m.channels), span=_list(m.limits))
    body = RANGES.format(inputs=len(m.channels))
    if isinstance(m.family, Forest):
        tables, code = _forest(m.family, classes)
    elif isinstance(m.family, Additive):
        tables, code = _additive(m.family, classes)
    else:
        assert isinstance(m.family, Mlp)
        tables, code = _mlp(m.family)
    head, body = head + tables, body + code
    return head + "__attribute__((noinline)) int classify(const int32_t *x) {\n" + body + "    return top_two();\n}\n"


def _forest(forest: Forest, classes: int) -> tuple[str, str]:
    features, codes, lefts, rights = zip(*forest.nodes, strict=True)
    cuts = [forest.threshold(feature, code) for feature, code in zip(features, codes, strict=True)]
    starts = list(itertools.accumulate(forest.page_nodes, initial=0))[:-1]
    leaves = forest.leaves or [(k, 1) for k in range(classes)]
    head = _table("feature", features) + _table("left", lefts) + _table("right", rights)
    head += _table("cut", cuts, "u8" if max(cuts) < 256 else "i32")
    head += _table("start", starts, "u16") + _table("child", forest.first_followers or [0], "u16")
    head += _table("base", forest.base, "u16")
    head += _table("leaf_class", [leaf[0] for leaf in leaves]) + _table("leaf_amount", [leaf[1] for leaf in leaves])
    return head, FOREST.format(classes=classes, trees=forest.trees, end=LEAVES + len(leaves))


def _additive(tables: Additive, classes: int) -> tuple[str, str]:
    head, body, code_of = _scaled(tables.scalers)
    body += f"    score[0] = {tables.base[0]};\n"
    cells = []
    for term in tables.terms:
        cell = f"c[{code_of[term.a]}]"
        if term.b is not None:
            cell = f"({cell} >> {term.shift_a}) * {term.row} + (c[{code_of[term.b]}] >> {term.shift_b})"
        cells.append(cell)
    for k in range(1, classes):
        for t, term in enumerate(tables.terms):
            head += _table(f"t{t}_{k}", [entry[k - 1] for entry in term.entries])
        sums = "".join(f" + t{t}_{k}[{cell}]" for t, cell in enumerate(cells))
        body += f"    score[{k}] = {tables.base[k]}{sums};\n"
    return head, body


def _mlp(network: Mlp) -> tuple[str, str]:
    head, body, _ = _scaled(network.scalers)
    body += f"    score[0] = {network.base};\n"
    inputs, size = "c", len(network.scalers)
    for n, layer in enumerate(network.layers):
        last = n + 1 == len(network.layers)
        units = len(layer.rows)
        weights = [w for row in layer.weights(size) for w in row]
        head += _table(f"w{n}", weights, "i8" if max(map(abs, weights)) < 128 else "i16")
        head += _table(f"b{n}", layer.biases, "i32") + _table(f"s{n}", layer.shifts)
        out, top = ("score", 65535) if last else (f"h{n}", 255)
        body += "" if last else f"    int32_t h{n}[{units}];\n"
        body += (
            f"    for (int k = 0; k < {units}; k++) {{\n        int32_t q = b{n}[k];\n"
            f"        for (int i = 0; i < {size}; i++) q += w{n}[k * {size} + i] * {inputs}[i];\n"
            f"        q >>= s{n}[k];\n"
            f"        {out}[k + {int(last)}] = q < 0 ? 0 : q > {top} ? {top} : q;\n"
            "    }\n"
        )
        inputs, size = out, units
    return head, body


def nanoseconds(case: Case) -> float:
    """Return how long gcc -O2 takes for a row on this computer; AssertionError where its answers aren't the model's."""
    decisions = case.model.decide(case.many)
    answers, took = timed(source(case), case.many)
    assert answers == [int(c) | int(m) << 8 for c, m in zip(decisions.class_index, decisions.margin, strict=True)]
    return took


def timed(classify: str, rows: np.ndarray, kind: str = "int32_t", include: str = ".") -> tuple[list[int], float]:
    """Return (the answers, nanoseconds a row) of C that has int classify(const KIND *), by gcc -O2 on this computer."""
    text = ",".join("{" + _list(row) + "}" for row in rows.tolist())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        main = TIMED.format(inputs=rows.shape[1], rows=text, count=len(rows), times=TIMES, kind=kind)
        (folder / "model.c").write_text(classify + main)
        run(["gcc", "-O2", "-w", "-I", include, "-o", "model", "model.c", "-lm"], folder)
        *answers, took = run([str(folder / "model")], folder).split()
    return [int(answer) for answer in answers], float(took)


def _scaled(scalers: Sequence[CodeScaler]) -> tuple[str, str, dict[int, int]]:
    """Return C of the scalers, C that makes codes c with them, and which code each feature has."""
    used = [(feature, scaler) for feature, scaler in enumerate(scalers) if scaler.top]
    columns = {
        "from": [feature for feature, _ in used],
        "drop": [s.drop for _, s in used],
        "bias": [s.bias for _, s in used],
        "zero": [s.zero_point for _, s in used],
        "mult": [s.multiplier for _, s in used],
        "shift": [s.shift for _, s in used],
        "top": [s.top for _, s in used],
    }
    logarithmic = any(columns["bias"])
    tables = [
        _table(name, column, "u16" if max(column) < 1 << 16 else "i32")
        for name, column in columns.items()
        if name != "bias" or logarithmic
    ]
    code = SCALE.format(codes=len(used), u=LOG_U if logarithmic else LINEAR_U)
    head = "".join(tables) + (LOG if logarithmic else "")
    return head, code, {feature: k for k, (feature, _) in enumerate(used)}


def _table(name: str, values: Iterable[int], kind: str = "u8") -> str:
    kinds = {"u8": "uint8_t", "i8": "int8_t", "i16": "int16_t", "u16": "uint16_t", "i32": "int32_t"}
    return f"static const {kinds[kind]} {name}[] = {{{_list(values)}}};\n"


def _list(values: Iterable[int]) -> str:
    return ",".join(str(int(value)) for value in values)
