"""Packed model files: what comes out is what went in, on every VM, and damage is told."""

import ast
import shutil
import warnings
from pathlib import Path

import dibble
import numpy as np
import pytest
from dibble import ModelError
from dibble.inference.model import Model
from dibble.storage.unpack import unpack as unpack_stream
from dibble.storage.unpack import unpack_to_file
from dibble_tools import convert
from dibble_tools.common.errors import InputError
from dibble_tools.machines.microbit import Microbit
from dibble_tools.machines.microbit_replay import strip
from dibble_tools.machines.vms import VmError, run_unix, run_wasi
from dibble_tools.model.huffman import code_lengths
from dibble_tools.model.packing import Parts, pack, pack_model, unpack, unpack_model
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

LIBRARY = Path(dibble.__path__[0])
OVERHEAD = 10  # bytes of a stored model's header and CRC
FIBONACCI = [1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584]
RUN_ON_VM = """\
from dibble.storage.unpack import unpack
folder = __file__[: __file__.rfind("/") + 1]
for name in ("model", "noise", "deep"):
    with open(folder + name + ".dibz", "rb") as file:
        print(unpack(file, lambda piece: print("".join(["%02x" % byte for byte in piece]))))
"""
RUN_TO_FILE = """\
from dibble import ModelError
from dibble.storage.unpack import unpack_to_file
print(unpack_to_file("model.dibz", "slot"))
try:
    unpack_to_file("damaged.dibz", "other")
except ModelError:
    print("told")
"""


@pytest.fixture(scope="module")
def models() -> dict[str, bytes]:
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for load in (load_iris, load_wine, load_digits):
            x, y = load(return_X_y=True)
            for estimator in (DecisionTreeClassifier(random_state=0), RandomForestClassifier(4, random_state=0)):
                name = f"{load.__name__} {type(estimator).__name__}"
                found[name] = convert(estimator.fit(x, y), x).blob
    return found


@pytest.fixture(scope="module")
def packed(models: dict[str, bytes]) -> dict[str, bytes]:
    return {name: pack(blob) for name, blob in models.items()}


def deep() -> bytes:
    """Return bytes whose code, unlimited, would have 17 bits."""
    values = [value for value, count in enumerate(FIBONACCI) for _ in range(count)]
    return bytes(np.random.default_rng(0).permutation(values).tolist())


def noise(size: int) -> bytes:
    return np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8).tobytes()


def test_models_come_back_smaller(models: dict[str, bytes], packed: dict[str, bytes]) -> None:
    for name, blob in models.items():
        assert unpack(packed[name]) == blob, name
        assert len(packed[name]) < len(blob), name
        Model(unpack(packed[name])).self_test()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 11, 12, 13, 24, 25, 63, 64, 65, 1000])
def test_noise_grows_by_no_more_than_the_header(size: int) -> None:
    data = noise(size)
    assert unpack(pack(data)) == data
    assert len(pack(data)) <= size + OVERHEAD


@pytest.mark.parametrize(
    "data",
    [bytes(1), bytes(500), b"\xff" * 5000, b"ab" * 300, bytes(range(256)) * 3, noise(300) + bytes(900) + noise(300)],
)
def test_constant_and_regular_bytes_come_back_smaller(data: bytes) -> None:
    assert unpack(pack(data)) == data
    assert len(pack(data)) <= (len(data) if len(data) > 1 else 1 + OVERHEAD)


def test_text_comes_back_smaller() -> None:
    text = (Path(__file__).read_text(encoding="utf-8")[:2000] + "äöü°%").encode()
    assert unpack(pack(text)) == text
    assert len(pack(text)) < 0.75 * len(text)


def test_ascending_thresholds_are_coded_as_differences() -> None:
    data = np.sort(np.random.default_rng(1).integers(0, 60_000, 300)).astype("<u2").tobytes()
    assert unpack(pack(data)) == data
    assert len(pack(data)) < 0.8 * len(data)


def test_parts_cover_the_file() -> None:
    data = noise(200) + bytes(200) + b"text" * 50
    parts = Parts(data).split()
    assert [first for first, _ in parts] + [len(data)] == [0, *(end for _, end in parts)]


def test_codes_longer_than_15_bits_are_limited() -> None:
    data = deep()
    assert max(code_lengths(np.bincount(list(data), minlength=256), longest=40)) == 17
    assert max(code_lengths(np.bincount(list(data), minlength=256))) == 15
    assert unpack(pack(data)) == data


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300) | st.lists(st.integers(0, 7), max_size=600).map(bytes))
def test_any_bytes_come_back(data: bytes) -> None:
    packed = pack(data)
    assert unpack(packed) == data
    assert len(packed) <= len(data) + OVERHEAD


def test_parts_end_at_the_largest_number() -> None:
    data = bytes(70_000)
    assert max(end - first for first, end in Parts(data).split()) <= 65_535
    assert unpack(pack(data)) == data


def test_large_models_are_refused() -> None:
    with pytest.raises(InputError, match="less than 16,777,216 bytes"):
        pack(bytes(1 << 24))


def damaged(data: bytes) -> list[bytes]:
    """Return data with each bit flipped, and cut at each length."""
    flips = [data[:i] + bytes([data[i] ^ 1 << b]) + data[i + 1 :] for i in range(len(data)) for b in range(8)]
    return flips + [data[:size] for size in range(len(data))]


def test_every_flipped_bit_and_every_cut_is_told(packed: dict[str, bytes]) -> None:
    for bad in damaged(packed["load_iris DecisionTreeClassifier"]):
        pieces: list[bytes] = []
        with pytest.raises(ModelError):
            unpack_stream(bad, pieces.append)
        assert sum(map(len, pieces)) <= int.from_bytes(bad[5:8].ljust(3, b"\0"), "little")


def test_damage_with_a_right_crc_is_told(models: dict[str, bytes], packed: dict[str, bytes]) -> None:
    """What a faulty sender could make: never another exception, another model or more bytes than stated."""
    blob, data = (of["load_iris DecisionTreeClassifier"] for of in (models, packed))
    for bad in damaged(data[:-2]):
        pieces: list[bytes] = []
        try:
            unpack_stream(bad + crc_by_division(bad), pieces.append)
            Model(b"".join(pieces))
            assert b"".join(pieces) == blob  # only a bit of the last byte's padding was flipped
        except ModelError:
            assert sum(map(len, pieces)) <= int.from_bytes(bad[5:8].ljust(3, b"\0"), "little")


def crc_by_division(data: bytes) -> bytes:
    """Return the CRC-16 as the remainder of the polynomial division, with the first 16 bits inverted."""
    number = int.from_bytes(data + bytes(2), "big") ^ 0xFFFF << 8 * len(data)
    for bit in range(8 * len(data) - 1, -1, -1):
        if number >> (bit + 16) & 1:
            number ^= 0x11021 << bit
    return number.to_bytes(2, "big")


def test_crc_is_the_polynomials_remainder() -> None:
    assert crc_by_division(b"123456789") == b"\x29\xb1"  # the catalogue's CRC-16/IBM-3740
    stored = pack(b"123456789")
    assert stored[-2:] == crc_by_division(stored[:-2])


def test_damage_leaves_the_slot_as_it_was(packed: dict[str, bytes], tmp_path: Path) -> None:
    source, old, new = tmp_path / "m.dibz", tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"old")
    for bad in damaged(packed["load_iris DecisionTreeClassifier"])[::7]:
        source.write_bytes(bad)
        for slot in (old, new):
            with pytest.raises(ModelError):
                unpack_to_file(str(source), str(slot))
        assert old.read_bytes() == b"old"
        assert not new.exists()


def test_senseless_but_whole_leaves_no_part(packed: dict[str, bytes], tmp_path: Path) -> None:
    data = packed["load_iris DecisionTreeClassifier"]
    for cut in range(9, len(data) - 2, 11):
        bad = data[:cut]
        (tmp_path / "m.dibz").write_bytes(bad + crc_by_division(bad))
        with pytest.raises(ModelError):
            unpack_to_file(str(tmp_path / "m.dibz"), str(tmp_path / "slot"))
        assert not (tmp_path / "slot").exists()


def test_unpacked_slot_is_the_model(models: dict[str, bytes], packed: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "slot").write_bytes(b"an older and longer model" * 1000)
    for name, blob in models.items():
        (tmp_path / "m.dibz").write_bytes(packed[name])
        assert unpack_to_file(str(tmp_path / "m.dibz"), str(tmp_path / "slot")) == len(blob)
        assert (tmp_path / "slot").read_bytes() == blob


def test_commands_pack_and_unpack(models: dict[str, bytes], tmp_path: Path) -> None:
    blob = models["load_wine DecisionTreeClassifier"]
    path = tmp_path / "model.dib"
    path.write_bytes(blob)
    report = pack_model(tmp_path)
    assert report.path == tmp_path / "model.dibz"
    assert (report.bytes, report.packed_bytes) == (len(blob), report.path.stat().st_size)
    assert report.summary.endswith(f"model of {len(blob):,} bytes, packed {report.packed_bytes:,} ({report.ratio:.0%})")
    with pytest.raises(InputError, match="--force"):
        pack_model(path)
    with pytest.raises(InputError, match="--force"):
        unpack_model(report.path)
    assert pack_model(path, force=True) == report
    back = unpack_model(report.path, tmp_path / "back.dib")
    assert (tmp_path / "back.dib").read_bytes() == blob
    assert (back.bytes, back.packed_bytes) == (report.bytes, report.packed_bytes)


def test_commands_refuse_what_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "x.dibz"
    with pytest.raises(InputError, match="No such file"):
        unpack_model(path)
    path.write_bytes(b"DIBL and more")
    with pytest.raises(InputError, match="starts with b'DIBZ'"):
        unpack_model(path)
    path.write_bytes(pack(b"no model at all"))
    with pytest.raises(InputError, match="DIBL"):
        unpack_model(path)


@pytest.fixture
def node(models: dict[str, bytes], packed: dict[str, bytes], tmp_path: Path) -> Path:
    shutil.copytree(LIBRARY, tmp_path / "lib" / "dibble", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "model.dibz").write_bytes(packed["load_digits DecisionTreeClassifier"])
    (tmp_path / "noise.dibz").write_bytes(pack(noise(200)))
    (tmp_path / "deep.dibz").write_bytes(pack(deep()))
    (tmp_path / "run.py").write_text(RUN_ON_VM)
    (tmp_path / "to_file.py").write_text(RUN_TO_FILE)
    return tmp_path


def expected_print(models: dict[str, bytes]) -> str:
    text = ""
    for blob in (models["load_digits DecisionTreeClassifier"], noise(200), deep()):
        text += "".join(blob[i : i + 64].hex() + "\n" for i in range(0, len(blob), 64)) + f"{len(blob)}\n"
    return text


def test_unix_and_wasi_unpack_the_same(models: dict[str, bytes], node: Path) -> None:
    assert run_unix(node, "run.py", heap="64k").stdout == expected_print(models)
    assert run_wasi(node, "run.py", heap="48m", memory_bytes=128 << 20).stdout == expected_print(models)


def test_unix_unpacks_to_a_file(models: dict[str, bytes], packed: dict[str, bytes], node: Path) -> None:
    blob = models["load_digits DecisionTreeClassifier"]
    (node / "damaged.dibz").write_bytes(packed["load_digits DecisionTreeClassifier"][:-1])
    assert run_unix(node, "to_file.py", heap="64k").stdout == f"{len(blob)}\ntold\n"
    assert (node / "slot").read_bytes() == blob
    assert not (node / "other").exists()


def test_microbit_unpacks_the_same(models: dict[str, bytes], packed: dict[str, bytes]) -> None:
    name = "load_iris DecisionTreeClassifier"
    cases = {"p": (packed[name], models[name]), "q": (pack(deep()[:900]), deep()[:900])}
    with Microbit() as board:
        for path in ("__init__", "storage/bits", "storage/unpack"):
            text = strip((LIBRARY / f"{path}.py").read_text()).replace("dibble.storage.", "")
            board.put_file("dibble.py" if path == "__init__" else path.rpartition("/")[2] + ".py", text.encode())
        for file, data in [("short", packed[name][:-1]), *((file, data) for file, (data, _) in cases.items())]:
            board.put_file(file, data)  # while nothing else is in the heap
        for file, (_, blob) in cases.items():
            board.reset()
            for module in ("dibble", "bits", "unpack"):
                board.exec(f"import gc,{module};gc.collect()")
            assert board.exec(f"print(unpack.unpack_to_file({file!r},'slot'))") == f"{len(blob)}\n"
            board.exec("f=open('slot','rb')")
            written = b""
            while piece := ast.literal_eval(board.exec("print(f.read(64))")):
                written += piece
            assert written == blob
        with pytest.raises(VmError, match="CRC-16"):
            board.exec("unpack.unpack_to_file('short','new')")
        assert "new" not in board.exec("import os;print(os.listdir())")
