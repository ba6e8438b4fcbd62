"""Networks of maps: the same scores by the layers, the file's oracle, and kernels of each kind on each VM."""

import functools
import zlib

import numpy as np
import pytest
from dibble import ModelError
from dibble.inference import maps, model_of, pages
from dibble.inference.fixed_point import MISSING
from dibble.inference.kernels import maps_words as words
from dibble_tools.bench import maps as bench
from dibble_tools.common.errors import InputError
from dibble_tools.families.maps.tables import Frame, MapLayer, MapsTables
from dibble_tools.machines.replay import on_unix, on_wasi
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.maps_file import export_maps, maps_spec
from dibble_tools.model.oracle import class_scores
from random_maps import random_frames, random_maps

SEEDS = range(24)
ROWS = 4


@functools.cache
def case(seed: int) -> tuple[MapsTables, HostModel, np.ndarray]:
    tables, model = random_maps(seed)
    return tables, model, random_frames(seed, tables.frame, ROWS)


def values(model: HostModel, frames: np.ndarray) -> np.ndarray:
    return frames - [channel.low for channel in model.channels]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_file_says_scores_as_the_layers_do(seed):
    tables, model, frames = case(seed)
    scores = class_scores(model.content, values(model, frames))
    assert scores.tolist() == tables.scores(frames.reshape(ROWS, *tables.frame.shape)).tolist()


def test_the_random_networks_have_all_there_is():
    kinds = {
        (layer.kind, layer.kind == "pool" and not layer.multiplier) for seed in SEEDS for layer in case(seed)[0].layers
    }
    assert kinds == {("conv", False), ("depthwise", False), ("add", False), ("pool", False), ("pool", True)}
    every = [layer for seed in SEEDS for layer in case(seed)[0].layers]
    assert {layer.kernel == (3, 3) for layer in every if layer.kind == "depthwise"} == {True, False}
    assert {layer.weights[0].shape[1] % 4 for layer in every if layer.kind == "conv"} == {0, 1, 2, 3}
    assert any(any(layer.pads) for layer in every) and {layer.stride[0] for layer in every} == {1, 2}


@pytest.mark.parametrize("seed", SEEDS)
def test_bytecode_decides_as_numpy(seed):
    _, model, frames = case(seed)
    model.cross_check(frames)
    assert model.model.self_test() == 3


def test_a_missing_reading_is_told():
    _, model, frames = case(1)
    broken = frames[:2].copy()
    broken[1, [3, 5]] = MISSING
    model.cross_check(broken)
    assert model.model.predict(None).flags == 4


@pytest.mark.parametrize("vm", ["wasi", "unix", "viper"])
def test_every_vm_decides_as_numpy(vm):
    for seed in {"wasi": (13, 5, 6, 8), "unix": (16, 11), "viper": (0, 1, 5, 8, 14)}[vm]:
        _, model, frames = case(seed)
        frames = frames.copy()
        frames[-1, 1] = MISSING if case(seed)[0].frame.scaled else frames[-1, 1]
        run = on_wasi(model, frames, None) if vm == "wasi" else on_unix(model, frames, None, viper=vm == "viper")
        assert run.kernels == ("viper" if vm == "viper" else "bytecode") and run.golden == 3
        assert run.decisions.columns().tolist() == model.decide(frames).columns().tolist()


@pytest.mark.parametrize("kind", bench.KINDS)
def test_machine_code_scores_as_numpy_on_a_cortex_m0(kind):
    """Each count comes with the scores, which are held against the oracle's."""
    for seed in range(0, 24, 3):
        _, model, frames = case(seed)
        bench.on_cortex_m0(model, frames[1], kind)


AROUND = {"kernel": (3, 3), "pads": (1, 1, 1, 1)}
LIMITS = {  # instructions of a multiply-add, all in: of a layer of so many channels, where no input is 0
    "pointwise": (4.3, MapLayer("conv", (0,), np.full((64, 1, 1, 64), 3), (0,) * 64, (9,) * 64)),
    "full": (4.5, MapLayer("conv", (0,), np.full((16, 3, 3, 8), 3), (0,) * 16, (9,) * 16, **AROUND)),
    "depthwise": (
        7.0,
        MapLayer("depthwise", (0,), np.full((64, 3, 3), 3), (0,) * 64, (9,) * 64, (3, 3), pads=(1,) * 4),
    ),
}


@pytest.mark.parametrize("kind", LIMITS)
def test_instructions_of_a_multiply_add(kind):
    most, layer = LIMITS[kind]
    depth = layer.weights.shape[3] if kind != "depthwise" else 64
    height, width, units = layer.out_shape((8, 8, depth))
    mean = MapLayer("pool", (1,), kernel=(height, width), multiplier=1, shift=6)
    end = MapLayer("conv", (2,), np.ones((2, 1, 1, units), dtype=np.int64), (0, 0), (0, 0))
    tables = MapsTables(Frame(8, 8, depth), [layer, mean, end])
    model = HostModel(export_maps(maps_spec("shape", ["a", "b"], tables)))
    frame = np.random.default_rng(0).integers(1, 256, tables.frame.size)
    first = next(count for count in bench.on_cortex_m0(model, frame, "thumb") if count.multiply_adds)
    assert first.instructions <= most * first.multiply_adds


def test_a_file_that_lies_is_refused_or_stays_within_its_arena():
    """Each byte before the weights changed in turn, the CRC right again: here an index beyond the arena would raise."""
    tables, model, frames = case(8)
    blob, end = model.blob, model.model.steps[0][3]
    refused = 0
    for at in range(6, end):
        for mask in (1, 16, 128):
            lie = blob[:at] + bytes((blob[at] ^ mask,)) + blob[at + 1 : -4]
            lie += zlib.crc32(lie).to_bytes(4, "little")
            try:
                liar = model_of(lie)
            except ModelError:
                refused += 1
                continue
            work = sum(plan[words.UNITS] * plan[words.OUT_WIDTH] * plan[words.OUT_HEIGHT] for _, plan, *_ in liar.steps)
            if liar.size == tables.frame.size and work < 9999:
                liar.predict(frames[1].tolist())
    assert refused > end


def test_a_larger_file_is_read_layer_by_layer(tmp_path, monkeypatch):
    _, model, frames = case(9)
    (tmp_path / "model.dib").write_bytes(model.blob)
    monkeypatch.setattr(maps, "BUFFER_BYTES", 64)
    with open(tmp_path / "model.dib", "rb") as file:
        node = model_of(pages.contents(tmp_path / "model.dib", file, len(model.blob)))
    assert isinstance(node.blob, pages.Pages) and node.self_test() == 3
    for row, expected in zip(frames.tolist(), model.decide(frames).columns().tolist(), strict=True):
        decision = node.predict(row)
        assert [decision.class_index, decision.margin, decision.flags] == expected[:3]


def test_a_frame_of_another_size_is_refused():
    _, model, _ = case(0)
    height, width, depth = model.model.image
    with pytest.raises(ModelError, match=rf"expected a frame of {height} x {width} x {depth} = \d+ readings, got 3"):
        model.model.predict([1, 2, 3])


def test_a_pixel_of_more_readings_than_the_file_tells_is_refused():
    end = MapLayer("conv", (0,), np.ones((2, 2, 2, 256), dtype=np.int64), (0, 0), (8, 8), (2, 2))
    with pytest.raises(InputError, match="expected a frame of up to 255 readings a pixel, got 256"):
        maps_spec("deep", ["a", "b"], MapsTables(Frame(2, 2, 256), [end]))


def test_scores_that_could_leave_16_bits_are_refused():
    last = MapLayer("conv", (0,), np.full((2, 4, 4, 1), 100), (0, 0), (0, 0), (4, 4))
    with pytest.raises(InputError, match=r"expected scores within 0\.\.65535, got 0\.\.408000"):
        MapsTables(Frame(4, 4), [last]).check()
