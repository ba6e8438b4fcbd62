"""What a hop of a network over rows costs: exact instructions in assembler, viper and C on a Cortex-M0.

Every count comes with the answer, which has to be the host's. Of each network too: instructions a multiply-add, all in.

python -m dibble_tools.bench.stream_net
"""

from array import array
from typing import NamedTuple

import numpy as np
from dibble.inference.parts import CELLS
from rich.table import Table

from dibble_tools.bench.cortex_m0 import FIRMWARE_KERNELS, code_of, functions, listed, run
from dibble_tools.bench.machine_code import machine_code
from dibble_tools.common.terminal import Console
from dibble_tools.data.channels import Channel
from dibble_tools.families.stream.network import DEPTHWISE, FULL, MEAN, LayerShape
from dibble_tools.families.stream.tables import StreamLayer, StreamTables
from dibble_tools.model.content import Stream
from dibble_tools.model.encoding import number
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.oracle import stream_scores
from dibble_tools.model.reader import kernel_tables
from dibble_tools.model.writer import ModelSpec, export

KINDS = {kind: FIRMWARE_KERNELS / f"stream_{kind}.py" for kind in ("thumb", "viper")}
GCC = "classify"
WAITS = 0x3FFFFFFF  # as kernels.c prints -1
AIMS = {"streaming": 5.0, "dense": 3.9}


class HopCounts(NamedTuple):
    """Instructions of each hop: of a Cortex-M0 by assembler, viper and gcc -O2."""

    thumb: list[int]
    viper: list[int]
    gcc: list[int]


def on_cortex_m0(model: HostModel, rows: np.ndarray) -> HopCounts:
    """Return the instructions of each hop from a fresh start; AssertionError where an answer isn't the host's."""
    network = model.content.family
    assert isinstance(network, Stream)
    wanted = answers(network, rows)
    plan = plan_of(model)
    begin = "for (unsigned i = 0; i < sizeof plan / 4; i++) plan[i] = fresh[i];\nplan[0] = (Word)blob;"
    calls = []
    for kind in (*KINDS, GCC):
        calls += [begin, *(f"count({kind}, (const int32_t *)rows[{i}]);" for i in range(len(rows)))]
    words = listed(word & 0xFFFFFFFF for word in plan)
    codes = ",".join("{" + listed(row) + "}" for row in rows)
    tables = (
        f"static const uint8_t __attribute__((aligned(4))) blob[] = {{{listed(model.blob)}}};\n"
        f"static const uint32_t fresh[] = {{{words}}};\nstatic uint32_t plan[sizeof fresh / 4];\n"
        f"static const uint8_t rows[][{rows.shape[1]}] = {{{codes}}};\n" + source(network) + code_of(KINDS)
    )
    numbers = np.array(run(tables, calls)).reshape(3, len(rows), 2)
    for kind, own in zip((*KINDS, GCC), numbers, strict=True):
        assert own[:, 0].tolist() == wanted, (kind, own[:, 0].tolist(), wanted)
    return HopCounts(*numbers[:, :, 1].tolist())


def answers(network: Stream, rows: np.ndarray) -> list[int]:
    """Return what a kernel answers at each hop: winner | margin << 8."""
    scores, hops = stream_scores(network, rows)
    found = [WAITS] * len(rows)
    for hop, own in zip(hops.tolist(), scores, strict=True):
        top = np.sort(own)
        found[hop] = int(own.argmax()) | int(top[-1] - top[-2]) << 8
    return found


def plan_of(model: HostModel) -> array:
    """Return the plan that the firmware's own Python makes; its first word has to become the file's."""
    files = [FIRMWARE_KERNELS / f"{file}.py" for file in ("plan", "stream_plan")]
    make = functions(files, hop=None)["stream"]
    f, _ = make(model.blob, kernel_tables(model.blob), len(model.classes))
    plan: array = f.__defaults__[0]
    return plan


def code_bytes() -> dict[str, int]:
    """Return the bytes of each kernel's machine code."""
    return {kind: len(machine_code(file, kind)) for kind, file in KINDS.items()}


def products(network: Stream) -> float:
    """Return the multiply-adds of a hop, the mean where layers have strides."""
    total, every = 0.0, 1
    for layer in network.layers:
        every *= layer.stride
        total += sum(map(len, layer.rows)) / every
    return total


LAYER_C = """\
static const {kind} w{n}[{units}][{size}] = {{{weights}}};
static const int32_t b{n}[] = {{{biases}}};
static const uint8_t s{n}[] = {{{shifts}}};
"""
FULL_C = """\
    for (int k = 0; k < {units}; k++) {{
        int32_t sum = b{n}[k];
        for (int i = 0; i < {size}; i++) sum += w{n}[k][i] * x[i];
        sum >>= s{n}[k];
        {store}
    }}
"""
DEPTHWISE_C = """\
    for (int k = 0; k < {units}; k++) {{
        int32_t sum = b{n}[k];
        for (int i = 0; i < {taps}; i++) sum += w{n}[k][i] * x[i * {units} + k];
        sum >>= s{n}[k];
        {store}
    }}
"""
MEAN_C = """\
    for (int k = 0; k < {units}; k++) {{
        sums{n}[k] += x[{taps} * {units} + k] - x[k];
        int32_t sum = (sums{n}[k] + {half}) >> {steps};
        {store}
    }}
"""
SEEN_C = """\
    x = h{n} + at{n} + {inputs};
    at{n} = at{n} + {inputs} == {span} ? 0 : at{n} + {inputs};
    if (--left{n}) return -1;
    left{n} = {stride};
"""
TOP_TWO = """\
    int best = -1, second = -1, winner = 0;
    for (int k = 0; k < {classes}; k++) {{
        if (score[k] > best) {{ second = best; best = score[k]; winner = k; }}
        else if (score[k] > second) second = score[k];
    }}
    return winner | (best - second) << 8;
}}
"""


def source(network: Stream) -> str:
    """Return C that computes the same, as a person would write it for a compiler."""
    head, body = "", ""
    for n, layer in enumerate(network.layers):
        taps = layer.taps + (layer.kind == "mean")
        span = taps * layer.inputs
        head += f"static uint8_t h{n}[{2 * span}];\nstatic int at{n}, left{n} = {layer.stride};\n"
        numbers = {"n": n, "units": layer.units, "inputs": layer.inputs, "taps": layer.taps, "span": span}
        numbers |= {"size": layer.taps * layer.inputs, "stride": layer.stride}
        if n + 1 < len(network.layers):
            behind = network.layers[n + 1]
            twin = (behind.taps + (behind.kind == "mean")) * behind.inputs
            clamped = "sum < 0 ? 0 : sum > 255 ? 255 : sum"
            store = f"h{n + 1}[at{n + 1} + k] = h{n + 1}[at{n + 1} + k + {twin}] = {clamped};"
        else:
            store = "score[k] = sum;"
        body += SEEN_C.format(**numbers)
        if layer.kind == "mean":
            head += f"static int32_t sums{n}[{layer.units}];\n"
            steps = layer.taps.bit_length() - 1
            body += MEAN_C.format(store=store, half=layer.taps // 2, steps=steps, **numbers)
            continue
        head += LAYER_C.format(
            kind="int8_t",
            weights=",".join("{" + listed(row) + "}" for row in layer.rows),
            biases=listed(layer.biases),
            shifts=listed(layer.shifts),
            **numbers,
        )
        body += (DEPTHWISE_C if layer.kind == "depthwise8" else FULL_C).format(store=store, **numbers)
    first = network.layers[0]
    span = first.taps * first.inputs
    enter = f"    for (int i = 0; i < {first.inputs}; i++) h0[at0 + i] = h0[at0 + i + {span}] = row[i];\n"
    classes = network.layers[-1].units
    return (
        f"{head}static int32_t score[{classes}];\nstatic Word classify(const int32_t *codes) {{\n"
        f"    const uint8_t *row = (const uint8_t *)codes, *x;\n{enter}{body}" + TOP_TWO.format(classes=classes)
    )


def drawn(inputs: int, shapes: list[LayerShape], seed: int = 0) -> StreamTables:
    """Return tables of these shapes, their figures drawn by chance so that most units move."""
    rng = np.random.default_rng(seed)
    bands, layers = inputs, []
    for shape in shapes:
        if shape.kind == MEAN:
            layers.append(StreamLayer(shape))
            continue
        size = (shape.units, shape.taps) if shape.kind == DEPTHWISE else (shape.units, shape.taps, inputs)
        top = 127 if shape.bits == 8 else 7
        weights = rng.integers(-top, top + 1, size)
        flat = weights.reshape(shape.units, -1)
        if shape is shapes[-1]:
            layers.append(_scoring(shape, weights, np.zeros(shape.units, np.int64)))
            continue
        spread = top * 60 * np.sqrt(flat.shape[1])
        biases = -120 * flat.sum(axis=1) + rng.integers(0, int(spread), shape.units)
        shift = max(int(np.ceil(np.log2(spread / 100))), 0)
        layers.append(
            StreamLayer(
                shape, weights, tuple(biases.tolist()), tuple((shift + rng.integers(0, 2, shape.units)).tolist())
            )
        )
        inputs = shape.units
    # As much of each class in the mean: whichever leads then is the rows' doing.
    network = model_of(StreamTables(bands, tuple(layers))).content.family
    assert isinstance(network, Stream)
    scores, _ = stream_scores(network, codes(bands, 60))
    last = layers[-1]
    assert last.weights is not None
    usual = np.rint(scores.mean(axis=0)).astype(np.int64) << last.shifts[0]
    layers[-1] = _scoring(last.shape, last.weights, np.array(last.biases) - usual)
    return StreamTables(bands, tuple(layers))


def _scoring(shape: LayerShape, weights: np.ndarray, biases: np.ndarray) -> StreamLayer:
    """Return a last layer whose biases are raised alike, so that no score is below 0, and shifted so that all fit."""
    flat = weights.reshape(shape.units, -1)
    biases = biases - (biases + 255 * np.minimum(flat, 0).sum(axis=1)).min()
    most = int((biases + 255 * np.maximum(flat, 0).sum(axis=1)).max())
    shift = max(most.bit_length() - 16, 0)
    return StreamLayer(shape, weights, tuple(biases.tolist()), (shift,) * shape.units)


def model_of(tables: StreamTables, golden: int = 0) -> HostModel:
    """Return the model of tables over rows of codes, whose classes have letters."""
    classes = [chr(97 + k) for k in range(tables.layers[-1].shape.units)]
    channels = [Channel(f"band {i}", "", 1, 0, 0, 255) for i in range(tables.inputs)]
    spec = ModelSpec("drawn", channels, classes, tables, parts={CELLS: number(tables.inputs)})
    return HostModel(export(spec, codes(tables.inputs, golden).tolist()))


def codes(inputs: int, hops: int, seed: int = 0) -> np.ndarray:
    """Return rows of codes (hops, inputs), int64: noise, and some that go to the ends."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 256, (hops, inputs))
    rows[3::7] = np.where(rng.random(rows[3::7].shape) < 0.5, 0, 255)
    rows[5::11] = 255
    return rows


STREAMING = [
    LayerShape(FULL, 32, 3),
    LayerShape(DEPTHWISE, 32, 7),
    LayerShape(FULL, 32),
    LayerShape(DEPTHWISE, 32, 7),
    LayerShape(FULL, 48),
    LayerShape(MEAN, 48, 16),
    LayerShape(FULL, 12),
]
TAPS = [LayerShape(FULL, 24, 4), LayerShape(FULL, 24, 4), LayerShape(FULL, 24, 4), LayerShape(FULL, 12, 4)]
NETWORKS = {
    "streaming: taps, depthwise, pointwise, mean": (20, STREAMING),
    "the same, pointwise of 4 bits": (
        20,
        [LayerShape(s.kind, s.units, s.taps, bits=4 if s.kind == FULL else 8) for s in STREAMING],
    ),
    "streaming: taps alone": (20, TAPS),
    "dense 64-64-12": (64, [LayerShape(FULL, 64), LayerShape(FULL, 12)]),
    "dense 64-64-12 of 4 bits": (64, [LayerShape(FULL, 64, bits=4), LayerShape(FULL, 12, bits=4)]),
}


def main() -> None:
    """Count and print."""
    table = Table(title="instructions of a hop, and of a multiply-add, all in", title_justify="left")
    for column in ("network", "multiply-adds", "assembler", "viper", "gcc -O2"):
        table.add_column(column, justify="right")
    for name, (inputs, shapes) in NETWORKS.items():
        model = model_of(drawn(inputs, shapes))
        counts = on_cortex_m0(model, codes(inputs, 24))
        network = model.content.family
        assert isinstance(network, Stream)
        each = products(network)
        cells = [f"{np.mean(own):,.0f} ({np.mean(own) / each:.2f})" for own in counts]
        table.add_row(name, f"{each:,.0f}", *cells)
    Console().print(table)
    sizes = code_bytes()
    Console().print(", ".join(f"{kind}: {size:,} bytes of code" for kind, size in sizes.items()), markup=False)


if __name__ == "__main__":
    main()
