"""Models that decide though a reading is missing: host, VMs and exports agree; what a file may say; a node with one."""

import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from dibble import ModelError
from dibble.inference.decision import NO_CLASS, OUT_OF_RANGE, SENSOR_FAULT, UNSURE
from dibble.inference.features import LAST
from dibble.inference.fixed_point import MISSING
from dibble.inference.model import Model
from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import Channel
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.export.microbit.node import _check_model
from dibble_tools.model.content import Content
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import ModelSpec, export
from generated_forms import run
from helpers import random_additive
from random_models import FAMILIES, Case, random_case, random_stand_ins, windows
from ratio_models import CHANNELS as GAS
from ratio_models import FEATURES as RATIOS

CHANNELS = [Channel(f"x{i}", "", 1, 0, -50 * i, 1000) for i in range(4)]
STAND_INS = [500, 0, None, 1150]


def spec_of(family: str, *, windowed: bool, seed: int = 4) -> ModelSpec:
    """Return random tables over four channels, of which the third has nothing that stands in for it."""
    rng = np.random.default_rng(seed)
    features = windows(rng, CHANNELS) if windowed else []
    limits = [f.limit(CHANNELS) for f in features] or [c.high - c.low for c in CHANNELS]
    spec = FAMILIES[family](rng, CHANNELS, features, limits, ["a", "b", "c"])
    spec = replace(spec, interval_ms=60_000 * windowed, hysteresis=2, name=f"{family} {windowed}")
    margins = HostModel(export(spec)).decide(rows_with_holes(200).clip(0, 1000)).margin
    return replace(spec, unsure_below=int(np.quantile(margins, 0.2)), stand_ins=STAND_INS)


def rows_with_holes(rows: int, seed: int = 5) -> np.ndarray:
    """Return rows of which some half miss a reading, and some have one beyond its range."""
    rng = np.random.default_rng(seed)
    readings = np.column_stack([rng.integers(c.low, c.high + 1, rows) for c in CHANNELS])
    readings[rng.random(readings.shape) < 0.15] = MISSING
    readings[rng.random(readings.shape) < 0.02] = 2000
    return readings


def case_of(family: str, *, windowed: bool, rows: int = 300) -> Case:
    spec, readings = spec_of(family, windowed=windowed), rows_with_holes(rows)
    model = HostModel(
        export(spec, [[0 if r == MISSING else min(r, 1000) for r in row] for row in readings[:3].tolist()])
    )
    return Case(spec.name, spec, model, readings, None, model.decide(readings))


@pytest.mark.parametrize("windowed", [False, True])
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_form_goes_on_without_a_reading_as_the_host_does(family: str, windowed: bool) -> None:
    """Viper and bytecode with the heap locked, the model's code, C and Python; every second row misses a reading."""
    case = case_of(family, windowed=windowed)
    stood_in = (case.expected.flags & SENSOR_FAULT > 0) & (case.expected.class_index != NO_CLASS)
    assert stood_in.sum() > 60 and (case.expected.class_index == NO_CLASS).sum() > 20
    assert (case.expected.flags[stood_in] & OUT_OF_RANGE > 0).sum() > 1
    forms = ("tables, viper", "tables, bytecode", "python", "c, sanitized") + (() if family == "mlp" else ("code",))
    assert [(form, run(form, case).problem) for form in forms] == [(form, "") for form in forms]


@pytest.mark.parametrize("form", ["tables, 32 bits", "code, 32 bits"])
def test_so_it_is_on_the_32_bit_vm(form: str) -> None:
    assert run(form, case_of("boosted", windowed=True)).problem == ""


def test_a_missing_reading_is_decided_as_what_stands_in_for_it() -> None:
    """The same class and margin as the row that reads it, of a model without stand-ins."""
    spec = spec_of("boosted", windowed=False)
    plain = HostModel(export(replace(spec, stand_ins=[])))
    readings = np.where(rows_with_holes(400) > 1000, 7, rows_with_holes(400))
    filled = readings.copy()
    for i, offset in enumerate(STAND_INS):
        if offset is not None:
            filled[readings[:, i] == MISSING, i] = CHANNELS[i].low + offset
    got, expected = HostModel(export(spec)).decide(readings), plain.decide(filled)
    assert got.class_index.tolist() == expected.class_index.tolist()
    assert got.margin.tolist() == expected.margin.tolist()
    missing = (readings == MISSING).any(axis=1)
    assert (got.flags & UNSURE).tolist() == (expected.flags & UNSURE).tolist()
    assert (got.flags & SENSOR_FAULT > 0).tolist() == missing.tolist()
    assert got.channel[missing].tolist() == (readings == MISSING).argmax(axis=1)[missing].tolist()


def test_the_held_class_follows_decisions_with_a_stand_in() -> None:
    """Without its second sensor for good, a node still turns from one class to another."""
    spec = replace(spec_of("additive", windowed=False), unsure_below=0)
    model = HostModel(export(spec))
    readings = np.where(rows_with_holes(400) == MISSING, 40, rows_with_holes(400)).clip(0, 1000)
    readings[:, 1] = MISSING
    told = model.decide(readings)
    assert (told.flags == SENSOR_FAULT).all() and len(set(told.held_index[5:].tolist())) > 1


def test_the_next_reading_fills_the_windows_anew() -> None:
    """After a gap of one reading a mean is that of the newest, as it is where nothing stands in."""
    model = HostModel(export(spec_of("additive", windowed=True)))
    plain = HostModel(export(replace(spec_of("additive", windowed=True), stand_ins=[])))
    readings = np.array([[300, 200, 100, 400]] * 6 + [[300, MISSING, 100, 400]] + [[350, 20, 90, 410]] * 3)
    got, expected = model.decide(readings).columns(), plain.decide(readings).columns()
    assert got[7:, :4].tolist() == expected[7:, :4].tolist()
    assert got[6, 0] != NO_CLASS and expected[6, 0] == NO_CLASS


def test_a_model_without_stand_ins_is_written_as_before() -> None:
    spec = spec_of("additive", windowed=False)
    assert export(replace(spec, stand_ins=[]))[4] == 2
    assert export(replace(spec, stand_ins=[None] * 4))[4] == 2
    content = HostModel(export(spec)).content
    assert content.parts == ("stand_ins",) and content.stand_ins == tuple(STAND_INS)


def test_a_stand_in_beyond_its_channel_is_refused() -> None:
    blob = bytearray(export(spec_of("additive", windowed=False)))
    at = blob.index(b"stand_ins") + 10
    assert blob[at : at + 2] == bytes((501 & 127 | 128, 501 >> 7))
    blob[at + 1] = 100
    blob[-4:] = struct.pack("<I", zlib.crc32(blob[:-4]))
    with pytest.raises(ModelError, match="stands in for channel 0"):
        Model(bytes(blob))


def test_ratios_and_stand_ins_exclude_each_other() -> None:
    tables = random_additive(5, [feature.limit(GAS) for feature in RATIOS], 2)
    with pytest.raises(InputError, match="either ratios or stand-ins"):
        export(ModelSpec("both", GAS, ["a", "b"], tables, RATIOS, stand_ins=[1, 2, 3, 4, 5]))


def test_why_counts_the_stand_in() -> None:
    """An additive model's reason is that of the row that reads the stand-in."""
    features = [FeatureSpec(i, LAST, 1) for i in range(4)]
    for listed in ([], features):
        node = HostModel(export(replace(spec_of("additive", windowed=False, seed=6), features=listed))).model
        node.predict([100, MISSING, 300, 700])
        told = node.explain()
        node.predict([100, CHANNELS[1].low, 300, 700])
        assert told == node.explain()


def test_the_micro_bit_refuses_it_by_name() -> None:
    with pytest.raises(InputError, match="tolerate-missing"):
        _check_model(HostModel(export(spec_of("additive", windowed=False))))


def test_random_models_have_stand_ins_of_every_kind() -> None:
    """Of the random models that all forms are held against, a half has some; ends of ranges and holes among them."""
    contents: list[Content] = [random_case(seed, 1).model.content for seed in range(16)]
    having = [content for content in contents if content.stand_ins]
    assert 3 < len(having) < 13
    told = [offset for content in having for offset in content.stand_ins]
    assert None in told and 0 in told
    assert random_stand_ins(CHANNELS, 3) == random_stand_ins(CHANNELS, 3)
