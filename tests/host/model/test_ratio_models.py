"""Models of ratios: host, VMs and C agree; what a file may say of them; why they decided."""

import struct
import zlib
from fractions import Fraction

import numpy as np
import pytest
from dibble import ModelError
from dibble.inference import ratios
from dibble.inference.decision import NO_CLASS
from dibble.inference.features import LAST, MEAN
from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import Channel
from dibble_tools.data.feature_spec import ChannelRatio, FeatureSpec, log2_1024ths
from dibble_tools.export.c.source import write_c
from dibble_tools.export.python.source import write_python
from dibble_tools.machines.check import check
from dibble_tools.machines.verify import verify
from dibble_tools.model.evaluator import feature_values
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.oracle import ratio_offsets
from dibble_tools.model.writer import ModelSpec, export
from helpers import random_additive
from ratio_models import CHANNELS, FEATURES, ratio_model, rows


def test_the_logarithm_is_within_a_hundredth_of_an_octave() -> None:
    """0.0091 at most, over mantissas of 11 bits and random values; host, board and oracle the same integers."""
    rng = np.random.default_rng(2)
    values = np.concatenate([np.arange(1, 70000), rng.integers(1, 1 << 30, 30000), [102_400_000, (1 << 30) - 1]])
    host = log2_1024ths(values)
    assert np.abs(host / 1024 - np.log2(values)).max() < 0.0091
    assert [ratios.log2(int(value)) for value in values[:: len(values) // 3000]] == host[
        :: len(values) // 3000
    ].tolist()
    assert (np.diff(log2_1024ths(np.sort(values))) >= 0).all()


@pytest.mark.parametrize("family", ["additive", "mlp"])
def test_every_vm_decides_as_the_host(family: str) -> None:
    """Unix with viper and bytecode, 32-bit WASI: class, margin, flags, channel, held class of 500 rows."""
    found = verify(ratio_model(family), rows(500), None, vms=("unix", "wasi"))
    assert [one.problem for one in found] == [""] * len(found) and len(found) == 3
    assert all(one.equal == 500 and one.golden for one in found)


def test_c_decides_as_the_host() -> None:
    (found,) = check(ratio_model("additive"), "c", rows(1500), None, machines=("pc",))
    assert (found.problem, found.equal) == ("", 1500)


def test_offsets_are_what_fractions_say() -> None:
    """Of a row whose logarithms are whole: 2**20, 2**13, 2**16 and so on."""
    model = ratio_model("additive").content
    row = np.array([[1 << 20, 1 << 13, 1 << 16, 1 << 25, 1 << 14]])
    offsets = row - np.array([channel.low for channel in CHANNELS])
    mean = Fraction(20 + 13 + 16 + 25 + 14, 5)
    halves_up = (Fraction(1024) * mean + Fraction(1, 2)).__floor__()
    expected = [7 * 1024 + 9000, 25 * 1024 - halves_up + 4000, -2 * 1024 + 20480, 0]
    expected[1] = min(expected[1], 9000)
    by_title = dict(zip(model.titles[5:], ratio_offsets(model, offsets)[0].tolist(), strict=True))
    assert list(by_title) == [
        "gas_0_ohm/gas_1_ohm",
        "gas_3_ohm/mean of 5",
        "gas_4_ohm/gas_2_ohm",
        "gas_1_ohm/mean of 2",
    ]
    assert list(by_title.values()) == expected
    assert feature_values(model, offsets)[0].tolist() == [
        expected[0],
        offsets[0][2],
        expected[1],
        expected[2],
        expected[3],
    ]


def test_a_missing_reading_is_missing_in_its_ratios_only() -> None:
    model = ratio_model("additive").content
    offsets = np.full((1, 5), 100_000)
    offsets[0, 4] = -1
    assert (ratio_offsets(model, offsets)[0] < 0).tolist() == [False, True, True, False]


def test_why_names_both_steps() -> None:
    node = HostModel(export(small(CHANNELS[:2], FEATURES[0]))).model
    told = set()
    for row in rows(300)[:, :2].tolist():
        if node.predict(row).class_index != NO_CLASS:
            channel, amount = node.explain()
            told.add(node.channel(channel)[:2] if amount else None)
    assert {("gas_0_ohm/gas_1_ohm", "octave/1024"), ("gas_0_ohm", "ohm")} <= told


def test_a_model_without_ratios_is_written_as_before() -> None:
    """In format 2: a node of an older firmware takes it; of ratios it refuses the file by the part's name."""
    plain = ModelSpec("plain", CHANNELS[:2], ["a", "b"], random_additive(5, [10, 20], 2), [])
    assert export(plain)[4] == 2 and ratio_model("mlp").blob[4] == 3
    assert ratio_model("mlp").content.parts == ("ratios",)


def test_a_node_knows_no_gap_where_rows_stand_alone() -> None:
    node = ratio_model("additive").model
    held = [node.predict(row, 600_000).held_index for row in rows(6)]
    node.restart()
    assert held == [node.predict(row).held_index for row in rows(6)]


def small(channels: list[Channel], ratio: FeatureSpec, interval_ms: int = 0) -> ModelSpec:
    """Return a random additive model of a ratio of two channels and these."""
    features = [ratio, FeatureSpec(0, LAST, 1), FeatureSpec(1, LAST, 1)]
    tables = random_additive(5, [feature.limit(channels) for feature in features], 2)
    return ModelSpec("small", channels, ["a", "b"], tables, features, interval_ms)


def changed(blob: bytes, at: int, value: int) -> bytes:
    out = bytearray(blob)
    out[at] = value
    out[-4:] = struct.pack("<I", zlib.crc32(out[:-4]))
    return bytes(out)


def test_what_a_file_may_not_say_of_ratios() -> None:
    """Each byte of the part changed: refused, or another model that decides as the host; nothing else."""
    blob = ratio_model("additive").blob
    start = blob.index(b"ratios") + 7
    refused = 0
    sample = rows(40)
    for at in range(start, start + blob[start - 1]):
        for value in (0, 1, 5, 77, 255, blob[at] ^ 1):
            if value == blob[at]:
                continue
            try:
                model = HostModel(changed(blob, at, value))
                model.model.self_test()
            except ModelError:
                refused += 1
                continue
            decisions = model.decide(sample)
            model.model.restart()
            for i, row in enumerate(sample.tolist()):
                found = model.model.predict(row)
                assert (found.class_index, found.margin) == (decisions.class_index[i], decisions.margin[i])
    assert refused > 50


def test_ratios_of_readings_that_can_be_0_are_refused() -> None:
    channels = [CHANNELS[0], Channel("zero", "ohm", 1, 0, 0, 100)]
    with pytest.raises(InputError, match="gas_0_ohm/zero last: expected a ratio of readings above 0"):
        export(small(channels, FEATURES[0]))


def test_programs_that_know_no_ratios_say_so() -> None:
    with pytest.raises(InputError, match="expected a model without ratios, got 4: --to c writes them"):
        write_python(ratio_model("mlp").content)
    windowed = small(CHANNELS[:2], FeatureSpec(0, MEAN, 3, ChannelRatio(0, (1,), 0, 9000)), 1000)
    with pytest.raises(InputError, match="expected ratios of the last readings, got one of a window"):
        write_c(HostModel(export(windowed)).content)


def test_a_window_sees_a_ratio() -> None:
    """The mean of three ratios, and the last: host and board."""
    ratio = ChannelRatio(0, (1,), -20480, 40960)
    features = [FeatureSpec(0, MEAN, 3, ratio), FeatureSpec(0, LAST, 1, ratio)]
    model = HostModel(
        export(ModelSpec("w", CHANNELS[:2], ["a", "b"], random_additive(5, [40960, 40960], 2), features, 1000))
    )
    assert len(model.content.ratios) == 1
    table = rows(60)[:, :2]
    decisions = model.decide(table)
    expected = zip(decisions.class_index, decisions.margin, decisions.flags, strict=True)
    for row, answer in zip(table.tolist(), expected, strict=True):
        decision = model.model.predict(row)
        assert (decision.class_index, decision.margin, decision.flags) == answer
