"""The model file: whole or refused, and all that goes in comes out."""

import dataclasses
import struct
import zlib

import numpy as np
import pytest
from dibble import ModelError
from dibble.inference import load
from dibble.inference.features import DELTA, LAST, MEAN, SLOPE
from dibble.inference.fixed_point import MISSING, READING_LIMIT
from dibble.inference.model import Model
from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import Channel
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.families.forest.integer_trees import IntegerTrees
from dibble_tools.model.golden import golden_rows
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import check_bounds, export, forest_spec
from helpers import random_rows, random_spec

STUMP = IntegerTrees([(0, 10, -1, -2)], [0], 2)
GOLDEN_BYTES = 1 + 2 * 4  # two vectors of one reading


def channel(low: int, high: int, name: str = "soil", unit: str = "permille") -> Channel:
    return Channel(name, unit, 1, 0, low, high)


def stump(low: int, high: int, features: tuple[FeatureSpec, ...] = ()):
    interval = 60_000 if features else 0
    return forest_spec("stump", [channel(low, high)], ["dry", "wet"], STUMP, features, interval_ms=interval)


@pytest.fixture(scope="module")
def blob() -> bytes:
    spec = random_spec(3, trees=3, depth=4)
    blob = export(spec, random_rows(3, spec.channels, 4).clip([-100, -20_000, 0], [120, 30_000, 1_000_000]).tolist())
    assert len(blob) <= 400
    return blob


def sealed(body: bytes | bytearray) -> bytes:
    """Return the body with its length and CRC repaired."""
    body = bytearray(body)
    body[6:10] = struct.pack("<I", len(body) + 4)
    return bytes(body) + struct.pack("<I", zlib.crc32(body))


def test_whole_file_is_read(blob: bytes) -> None:
    assert Model(blob).self_test() == 4
    assert sealed(blob[:-4]) == blob


def test_every_flipped_bit_is_refused(blob: bytes) -> None:
    for bit in range(8 * len(blob)):
        damaged = bytearray(blob)
        damaged[bit >> 3] ^= 1 << (bit & 7)
        with pytest.raises(ModelError):
            Model(bytes(damaged))


def test_every_truncation_is_refused(blob: bytes) -> None:
    for size in range(len(blob)):
        with pytest.raises(ModelError):
            Model(blob[:size])


def test_every_truncation_is_refused_even_with_length_and_crc_repaired(blob: bytes) -> None:
    for size in range(10, len(blob) - 4):
        with pytest.raises(ModelError):
            Model(sealed(blob[:size]))


def test_every_changed_byte_raises_nothing_but_model_error_with_the_crc_repaired(blob: bytes) -> None:
    for position in range(10, len(blob) - 4):
        for value in (0, 1, 127, 128, 255, blob[position] ^ 1):
            damaged = bytearray(blob[:-4])
            damaged[position] = value
            try:
                model = Model(sealed(damaged))
            except ModelError:
                continue
            assert len(model.blob) == len(blob)


def test_bytes_behind_the_end_are_refused(blob: bytes) -> None:
    with pytest.raises(ModelError, match="the file's header tells another length: cut short, copy it again"):
        Model(blob + b"\0")


def test_empty_file_is_refused(tmp_path) -> None:
    path = tmp_path / "empty.dib"
    path.write_bytes(b"")
    with pytest.raises(ModelError, match=r"^expected a model file, got 0 bytes$"):
        load(str(path))


def test_random_bytes_are_refused() -> None:
    rng = np.random.default_rng(0)
    for size in (1, 13, 14, 15, 100, 5000):
        for _ in range(20):
            raw = rng.bytes(size)
            with pytest.raises(ModelError):
                Model(raw)
            if size > 14:
                with pytest.raises(ModelError):
                    Model(sealed(b"DIBL\x01\x01" + raw[6:-4]))


def test_another_magic_is_told(blob: bytes) -> None:
    with pytest.raises(ModelError, match=r"^expected a model file that starts with b'DIBL', got b'DIBB'$"):
        Model(sealed(b"DIBB" + blob[4:-4]))


def test_another_format_is_told(blob: bytes) -> None:
    with pytest.raises(ModelError, match=r"^expected model format 2 or 3, got 4: update the firmware or export again$"):
        Model(sealed(blob[:4] + b"\4" + blob[5:-4]))


def test_another_family_is_told(blob: bytes) -> None:
    with pytest.raises(ModelError, match=r"^expected a family from 1 to 5, got 9: update the firmware$"):
        Model(sealed(blob[:5] + b"\x09" + blob[6:-4]))


def test_damage_is_told_by_the_crc(blob: bytes) -> None:
    damaged = bytearray(blob)
    damaged[-5] ^= 1
    with pytest.raises(ModelError, match=r"^the model file's CRC-32 doesn't match its bytes: damaged, copy it again$"):
        Model(bytes(damaged))


def test_crc_is_zlibs(blob: bytes) -> None:
    assert struct.unpack("<I", blob[-4:])[0] == zlib.crc32(blob[:-4])


def test_names_units_ranges_and_classes_come_back() -> None:
    channels = [
        Channel("Bodenfeuchte 10 cm – Süd", "‰", 1, 0, 0, 1000),
        Channel("温度", "°C", 25, -2, -160, 240),
        Channel("gas", "ohm", 100, 9, 1, READING_LIMIT - 1),
        Channel("x", "", 255, -9, -300, -299),
        Channel("n" * 60, "u" * 20, 1, -6, 1 - READING_LIMIT, 0),
    ]
    classes = ["trocken", "mäßig", "濡れ", "🌧"]
    trees = IntegerTrees([(1, 200, -1, -4)], [0], 4)
    spec = forest_spec("Gewächshaus №1", channels, classes, trees, unsure_below=300, hysteresis=200)
    model = HostModel(export(spec))
    assert model.channels == channels
    assert model.classes == tuple(classes)
    assert model.content.name == "Gewächshaus №1"
    assert (model.content.unsure_below, model.model.decision.hysteresis) == (300, 200)
    assert (model.content.interval_ms, len(model.content.golden), model.model.windows) == (0, 0, None)


def test_windows_and_interval_come_back() -> None:
    features = [FeatureSpec(2, SLOPE, 6), FeatureSpec(0, LAST, 1), FeatureSpec(1, MEAN, 255), FeatureSpec(0, DELTA, 2)]
    spec = random_spec(1, features, hysteresis=3)
    node = Model(export(spec))
    assert [FeatureSpec(*feature) for feature in node.windows.features] == spec.features
    assert node.interval_ms == 60_000


def test_longest_interval_comes_back() -> None:
    spec = dataclasses.replace(stump(0, 100, (FeatureSpec(0, MEAN, 3),)), interval_ms=8 * 24 * 3600 * 1000)
    assert Model(export(spec)).interval_ms == 691_200_000


def test_changed_leaf_fails_the_self_test_though_the_crc_holds() -> None:
    blob = export(stump(0, 20), [[10], [11]])
    assert Model(blob).self_test() == 2
    body, golden = bytearray(blob[:-4]), GOLDEN_BYTES
    assert body[-golden - 2 : -golden] == bytes((128, 129))
    body[-golden - 2] = 129
    with pytest.raises(ModelError, match=r"golden vector 0: expected .*\(0, 1, 0\), got \(1, 1, 0\)$"):
        Model(sealed(body)).self_test()


def test_changed_threshold_fails_the_self_test_though_the_crc_holds() -> None:
    blob = export(stump(0, 20), [[10], [11]])
    body, golden = bytearray(blob[:-4]), GOLDEN_BYTES
    assert body[-golden - 3] == 10
    body[-golden - 3] = 11
    with pytest.raises(ModelError, match=r"golden vector 1: expected .*\(1, 1, 0\), got \(0, 1, 0\)$"):
        Model(sealed(body)).self_test()


def test_self_test_replays_from_a_fresh_start_and_leaves_one() -> None:
    spec = random_spec(2, [FeatureSpec(0, MEAN, 4), FeatureSpec(1, LAST, 1)], hysteresis=2)
    rows = random_rows(2, spec.channels, 6)
    low = [c.low for c in spec.channels]
    high = [c.high for c in spec.channels]
    rows = np.where(rows == MISSING, MISSING, rows.clip(low, high))
    node = Model(export(spec, rows.tolist()))
    fresh = [int(node.predict(row).class_index) for row in rows.tolist()]
    assert node.self_test() == 6
    assert [int(node.predict(row).class_index) for row in rows.tolist()] == fresh


def test_golden_rows_show_a_missing_and_an_out_of_range_reading() -> None:
    spec = random_spec(5)
    rows = golden_rows(spec, random_rows(5, spec.channels, 500), None)
    node = Model(export(spec, rows))
    assert node.self_test() == len(rows)
    assert [node.predict(row).flags & 6 for row in rows[-2:]] == [2, 4]


@pytest.mark.parametrize(
    ("low", "high"),
    [(1 - READING_LIMIT, -READING_LIMIT + 50), (READING_LIMIT - 60, READING_LIMIT - 1), (-536870911, 536870911)],
)
def test_ranges_at_the_limits_are_exported(low: int, high: int) -> None:
    node = Model(export(stump(low, high), [[low], [low + 10], [low + 11], [high]]))
    assert node.self_test() == 4
    assert [node.predict([reading]).class_index for reading in (low + 10, low + 11)] == [0, 1]


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (-READING_LIMIT, 0),
        (-(2**30), 0),
        (0, READING_LIMIT),
        (0, 2**30),
        (1 - READING_LIMIT, READING_LIMIT - 1),
        (-(2**29), 2**29),
        (5, 4),
    ],
)
def test_ranges_beyond_the_limits_are_refused(low: int, high: int) -> None:
    with pytest.raises(InputError) as caught:
        check_bounds(stump(low, high))
    for part in ("'soil'", "1,073,741,823", f"{low:,} .. {high:,}", "--channel"):
        assert part in str(caught.value)


def test_window_beyond_the_limits_is_refused() -> None:
    spec = stump(0, 10_000_000, (FeatureSpec(0, MEAN, 255),))
    with pytest.raises(InputError) as caught:
        export(spec)
    for part in ("mean:255", "'soil'", "1,073,741,823", "take a shorter window"):
        assert part in str(caught.value)


@pytest.mark.parametrize("size", [2, 3, 24, 100])
def test_slope_is_refused_from_the_very_span_on_that_leaves_small_ints(size: int) -> None:
    # 6 * (n * n : 4) * span, plus half the divisor; or n * (n - 1) * span.
    allowed = min(
        READING_LIMIT // (size * (size - 1)),
        (READING_LIMIT - size * (size + 1) // 2) // (6 * (size * size // 4)),
    )
    check_bounds(stump(0, allowed, (FeatureSpec(0, SLOPE, size),)))
    with pytest.raises(InputError, match=f"slope:{size}"):
        check_bounds(stump(0, allowed + 1, (FeatureSpec(0, SLOPE, size),)))


def test_loading_a_file_is_reading_its_bytes(tmp_path, blob: bytes) -> None:
    path = tmp_path / "model.dib"
    path.write_bytes(blob)
    assert load(str(path)).self_test() == 4


def test_golden_rows_do_without_the_odd_two_where_bytes_are_scarce() -> None:
    spec = random_spec(5)
    rows = golden_rows(spec, random_rows(5, spec.channels, 500), None, 1, odd=False)
    assert len(rows) == 1
    assert Model(export(spec, rows)).self_test() == 1


def test_a_file_without_optional_parts_is_of_format_2(blob: bytes) -> None:
    assert blob[4] == 2 and Model(blob).parts == {}


def test_optional_parts_are_read_and_passed_over(monkeypatch, blob: bytes) -> None:
    monkeypatch.setattr("dibble.inference.parts.KNOWN", (b"map", b"stream"))  # where it lies now: a node forgets it
    spec = dataclasses.replace(random_spec(3, trees=3, depth=4), parts={b"stream": b"abc", b"map": b""})
    written = export(spec)
    model = HostModel(written)
    assert written[4] == 3 and model.content.parts == ("stream", "map")
    assert written[model.model.parts[b"stream"] :][:3] == b"abc"
    without = HostModel(export(dataclasses.replace(spec, parts={})))
    rows = random_rows(4, spec.channels, 200)
    assert np.array_equal(model.decide(rows).columns(), without.decide(rows).columns())
    model.cross_check(rows)


def test_a_part_that_this_firmware_does_not_know_is_refused_by_its_name() -> None:
    with pytest.raises(
        ModelError,
        match=r"\(cells, frames, image, number, ratios, segment, stand_ins, baselines\), got part 'stream': update",
    ):
        export(dataclasses.replace(random_spec(3), parts={b"stream": b"abc"}), [[0, 0, 0]])
