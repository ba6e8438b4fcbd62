"""Random networks of maps, as unkind as the model file allows."""

import numpy as np
from dibble_tools.families.maps.tables import Frame, MapLayer, MapsTables
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.maps_file import export_maps, maps_spec

CLASSES = ("nobody", "deer", "dog", "farmer", "stone")


def random_network(seed: int, *, wide: bool = False) -> MapsTables:
    """Return a network of all kinds of layers, sides and strides, of a frame that even a micro:bit's RAM holds."""
    rng = np.random.default_rng(seed)
    scaled = seed % 3 == 1
    frame = Frame(
        int(rng.integers(5, 13)),
        int(rng.integers(5, 13)),
        1 if scaled else int(rng.choice([1, 1, 3])),
        scaled,
        int(rng.integers(-400, 400)) if scaled else 0,
        int(rng.integers(1, 256)) if scaled else 1,
        int(rng.integers(2, 10)) if scaled else 0,
    )
    layers: list[MapLayer] = []
    shapes = [frame.shape]
    for i in range(int(rng.integers(2, 6))):
        layer = _layer(rng, i, shapes, int(rng.integers(60, 90)) if wide else int(rng.integers(1, 20)))
        if min(layer.out_shape(shapes[layer.inputs[0]])) >= 1:
            layers.append(layer)
            shapes.append(layer.out_shape(shapes[layer.inputs[0]]))
        if len(layers) < i + 1:
            break
    height, width, depth = shapes[-1]
    classes = int(rng.integers(1, 6))
    inputs = height * width * depth
    most = max(1, min(127, 65535 * 4 // (inputs * 255 * 2)))
    weights = rng.integers(-most, most + 1, (classes, height, width, depth))
    least = int(-np.minimum(weights, 0).reshape(classes, -1).sum(1).min()) * 255
    shift = 2 if least + np.maximum(weights, 0).reshape(classes, -1).sum(1).max() * 255 < 65535 * 4 else 6
    end = MapLayer("conv", (len(layers),), weights, (least,) * classes, (shift,) * classes, (height, width))
    return MapsTables(frame, [*layers, end])


def _layer(rng: np.random.Generator, before: int, shapes: list[tuple[int, int, int]], units: int) -> MapLayer:
    shape = shapes[-1]
    kind = str(rng.choice(["conv", "conv", "depthwise", "depthwise", "pool", "add", "add"]))
    kernel = (min(int(rng.integers(1, 5)), shape[0]), min(int(rng.integers(1, 5)), shape[1]))
    if kind == "depthwise" and rng.random() < 0.6:
        kernel = (3, 3)
    stride = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    pads = tuple(int(rng.integers(0, k)) for k in (*kernel, *kernel))
    twins = [i for i, other in enumerate(shapes[:-1]) if other == shape]
    if kind == "add" and not twins:
        kind, kernel, stride, pads, units = "conv", (3, 3), (1, 1), (1, 1, 1, 1), shape[2]  # a twin for the next
    if kind == "add":
        numbers = {"multiplier": int(rng.integers(1, 200)), "multiplier_b": int(rng.integers(1, 200))}
        return MapLayer(kind, (before, int(rng.choice(twins))), **numbers, bias=int(rng.integers(-900, 900)), shift=8)
    around = {"kernel": kernel, "stride": stride}
    if kind == "pool":
        mean = {"multiplier": int(rng.integers(1, 400)), "bias": int(rng.integers(-99, 99)), "shift": 8}
        pads = (0, 0, 0, 0) if rng.random() < 0.5 else pads
        return MapLayer(kind, (before,), pads=pads, **around, **(mean if rng.random() < 0.5 else {}))
    units = shape[2] if kind == "depthwise" else units
    weights = rng.integers(-127, 128, (units, *kernel, *((shape[2],) if kind == "conv" else ())))
    shift = 7 + int(np.log2(weights[0].size) / 2)
    shifts = rng.integers(max(shift - 1, 0), shift + 2, units).tolist()
    biases = rng.integers(-6_000, 25_000, units).tolist()
    if rng.random() < 0.2:
        biases[0] = int(rng.choice([-(2**29), 2**29]))
    return MapLayer(kind, (before,), weights, tuple(biases), tuple(shifts), pads=pads, **around)


def random_maps(seed: int, *, wide: bool = False) -> tuple[MapsTables, HostModel]:
    """Return a random network, and the model of its file."""
    tables = random_network(seed, wide=wide)
    spec = maps_spec("random", CLASSES[: tables.classes], tables, unsure_below=int(seed) % 40)
    return tables, HostModel(export_maps(spec))


def random_frames(seed: int, frame: Frame, rows: int) -> np.ndarray:
    """Return frames of readings (rows, readings), int64: noise, and as many zeros; every fourth of one level only."""
    rng = np.random.default_rng(seed)
    shape = rows, frame.size
    if frame.scaled:
        found = frame.zero_point + (rng.integers(-60, 320, shape) << frame.shift) // frame.multiplier
        return np.clip(found, -32767, 32767)
    found = np.where(rng.random(shape) < 0.5, 0, rng.integers(0, 256, shape))
    found[::4] = rng.integers(0, 256, (len(found[::4]), 1))
    return found
