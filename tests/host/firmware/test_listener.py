"""A node that hears decides as the host says, on real VMs, and allocates nothing while it listens."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from dibble import ModelError
from dibble.inference.model import Model
from dibble.senses.listener import Listener
from dibble_tools.common.shipped import FIRMWARE, LIBRARY, MODELS
from dibble_tools.data.sound.segments import rows_of
from dibble_tools.machines.replay import MACHINE_CODE, WASI_HEAP, WASI_MEMORY
from dibble_tools.machines.vms import run_unix, run_wasi
from dibble_tools.model.hearing import hear
from dibble_tools.model.host_model import HostModel
from sounds import RATE_HZ, random_ear, random_stream, stream

GUEST = """
import micropython
from array import array
from dibble.inference import load
from dibble.senses.listener import Listener
folder = __file__[: __file__.rfind("/") + 1]
model = load(folder + "model.dib")
model.self_test()
ear = Listener(model)
hop = array("h", bytearray(2 * len(ear.into)))
with open(folder + "samples.bin", "rb") as file:
    at = 0
    while file.readinto(hop):
        into = ear.into
        micropython.heap_lock()
        try:
            for i in range(len(hop)):
                into[i] = hop[i]
            decision = ear.hear()
        finally:
            micropython.heap_unlock()
        at += 1
        if decision:
            print(at, ear.rows, decision.class_index, decision.margin, decision.flags)
"""
KINDS = ["rising", "falling", "hiss", "rising", "hiss"]


@pytest.fixture(scope="module", params=[100, 128, 37])
def heard(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[int]]]:
    """A folder for VMs, and what the host hears: at which hop, rows, class, margin, flags."""
    model = random_ear(hop=request.param)
    sense = model.content.sound
    assert sense is not None
    hop, size = sense.front_end.hop, sense.front_end.size
    samples = stream(KINDS)
    samples = samples[: (len(samples) - size) // hop * hop + size]
    folder = tmp_path_factory.mktemp("ear")
    (folder / "model.dib").write_bytes(model.blob)
    (folder / "samples.bin").write_bytes(samples[: len(samples) // hop * hop].astype("<i2").tobytes())
    (folder / "main.py").write_text(GUEST)
    shutil.copytree(LIBRARY, folder / "lib" / "dibble", ignore=shutil.ignore_patterns("__pycache__"))
    found = hear(model, samples[: len(samples) // hop * hop])
    rows = []
    for sound in found:
        at = round(sound.end_s * sense.front_end.rate_hz / hop)
        took = round(sound.length_s * sense.front_end.rate_hz / hop)
        rows.append([at, took, model.classes.index(sound.label), sound.margin, sound.flags])
    assert len(rows) >= 4
    return folder, rows


def told(stdout: str) -> list[list[int]]:
    return [[int(word) for word in line.split()] for line in stdout.splitlines()]


def test_unix_with_viper_hears_what_the_host_hears(heard: tuple[Path, list[list[int]]]) -> None:
    folder, rows = heard
    assert told(run_unix(folder, "main.py").stdout) == rows


def test_wasi_hears_what_the_host_hears(heard: tuple[Path, list[list[int]]]) -> None:
    folder, rows = heard
    assert told(run_wasi(folder, "main.py", heap=WASI_HEAP, memory_bytes=WASI_MEMORY).stdout) == rows


def test_unix_without_machine_code_hears_it_too(heard: tuple[Path, list[list[int]]], tmp_path: Path) -> None:
    folder, rows = heard
    shutil.copytree(folder, tmp_path / "plain", ignore=shutil.ignore_patterns(*MACHINE_CODE))
    assert told(run_unix(tmp_path / "plain", "main.py").stdout) == rows


@pytest.mark.parametrize("hop", [100, 37])
def test_a_network_over_rows_decides_at_each_hop_as_on_the_host(hop: int, tmp_path: Path) -> None:
    model = random_stream(hop=hop)
    sense = model.content.sound
    assert sense is not None
    size = sense.front_end.size
    short = -(-(size - hop) // hop)  # the first hops only fill a frame
    samples = stream(KINDS)[: 3 * RATE_HZ // hop * hop]
    (tmp_path / "model.dib").write_bytes(model.blob)
    (tmp_path / "samples.bin").write_bytes(samples.astype("<i2").tobytes())
    (tmp_path / "main.py").write_text(GUEST)
    shutil.copytree(LIBRARY, tmp_path / "lib" / "dibble", ignore=shutil.ignore_patterns("__pycache__"))
    rows = rows_of(np.concatenate([np.zeros(size - hop, np.int16), samples]), sense.front_end)[short:]
    decided = model.decide(rows.astype(np.int64))
    columns = np.stack([decided.class_index, decided.margin, decided.flags], axis=1).tolist()
    expected = [[short + at, 1, *columns[at - 1]] for at in range(2, len(rows) + 1, 2)]  # its stride is 2
    assert len({row[2] for row in expected}) > 1
    assert told(run_unix(tmp_path, "main.py").stdout) == expected
    assert told(run_wasi(tmp_path, "main.py", heap=WASI_HEAP, memory_bytes=WASI_MEMORY).stdout) == expected


def test_a_model_that_does_not_listen_is_refused() -> None:
    with pytest.raises(ModelError, match="a model that listens, with the part 'frames'"):
        Listener(Model((MODELS / "wine" / "model.dib").read_bytes()))


@pytest.mark.parametrize("part", [b"frames", b"segment"])
def test_parts_that_lie_are_refused_before_a_kernel_follows_them(part: bytes) -> None:
    """Each byte of a part set to the ends of what it can hold: the listener is made, or refused; nothing else."""
    whole = random_ear()
    at = whole.model.parts[part]
    size = whole.blob[at - 1]
    refused = 0
    for i in range(at, at + size):
        for value in (0, 1, 127, 255):
            blob = bytearray(whole.blob)
            blob[i] = value
            model = HostModel(whole.blob).model
            model.blob = bytes(blob)
            try:
                ear = Listener(model)
            except (ModelError, ValueError, IndexError):
                refused += 1
                continue
            assert ear.keep >= 0 and len(ear.frames[-1]) == 1 << len(ear.frames[0]).bit_length() - 1
    assert refused > size


def test_restarted_it_hears_the_same_again() -> None:
    model = random_ear()
    samples = stream(KINDS[:2])
    ear = Listener(model.model)
    found = []
    for _ in range(2):
        ear.restart()
        own = []
        for at in range(0, len(samples) - 100, 100):
            for i in range(100):
                ear.into[i] = int(samples[at + i])
            decision = ear.hear()
            if decision:
                own.append((at, decision.class_index, decision.margin))
        found.append(own)
    assert found[0] == found[1] and found[0]


MACHINE = """
import sys
class I2S:
    RX = MONO = 1
    def __init__(self, id, *, sck, ws, sd, mode, bits, format, rate, ibuf):
        assert bits == 16 and rate == 8000 and ibuf >= 800, (bits, rate, ibuf)
        self.file = open("samples.bin", "rb")
    def readinto(self, into):
        if not self.file.readinto(into):
            raise SystemExit
class machine:
    pass
machine.I2S = I2S
machine.Pin = int
sys.modules["machine"] = machine
"""


def test_the_example_with_a_microphone_hears_it(tmp_path: Path) -> None:
    """What it prints is what the host hears and trusts, the recording as its microphone."""
    model = random_ear()
    (tmp_path / "model.dib").write_bytes(model.blob)
    samples = stream(KINDS)
    (tmp_path / "samples.bin").write_bytes(samples.astype("<i2").tobytes())
    (tmp_path / "main.py").write_text(MACHINE + (FIRMWARE / "examples" / "listen.py").read_text())
    shutil.copytree(LIBRARY, tmp_path / "lib" / "dibble", ignore=shutil.ignore_patterns("__pycache__"))
    heard = [h for h in hear(model, samples) if not h.flags]
    lines = run_unix(tmp_path, "main.py").stdout.splitlines()
    assert lines == [f"{h.label} margin {h.margin}" for h in heard] and len(lines) >= 4
