"""A node that listens, in a VM with simulated microphones: it hears what the host hears, in time or it says so."""

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dibble import ConfigError
from dibble_tools.common.shipped import LIBRARY
from dibble_tools.machines.replay import MACHINE_CODE, WASI_HEAP, WASI_MEMORY
from dibble_tools.machines.vms import run_wasi
from dibble_tools.model.hearing import hear
from dibble_tools.model.host_model import HostModel
from dibble_tools.node.config import whole
from dibble_tools.simulator.devices.microphone import I2sRing, PlayedSound, SampleClock
from dibble_tools.simulator.node.vm import GUESTS
from listening_bench import I2S, ListeningBench
from sounds import random_ear, stream

KINDS = ["rising", "falling", "hiss", "rising"]
ADC = {"driver": "adc_mic", "pin": 26}
HORN = {"class": "a", "pin": 20, "max_on_s": 1, "rest_s": 1}
CIRCUITPYTHON = GUESTS.parent / "guest_circuitpython"


@pytest.fixture(scope="module")
def ear() -> HostModel:
    return random_ear()


@pytest.fixture
def delivered(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """All samples that microphones have given, in their order."""
    found: list[int] = []
    given = SampleClock.samples

    def samples(self: SampleClock, first: int, end: int) -> list[int]:
        new = given(self, first, end)
        found.extend(new)
        return new

    monkeypatch.setattr(SampleClock, "samples", samples)
    yield found


def margins(bench: ListeningBench) -> list[tuple[str, int]]:
    """Return name and margin of each sound that the node told."""
    return [(text.split(",")[0], int(text.split()[2].rstrip(","))) for text in bench.events("sound")]


def test_by_i2s_it_hears_what_the_host_hears_of_the_same_samples(
    ear: HostModel, delivered: list[int], tmp_path: Path
) -> None:
    bench = ListeningBench(tmp_path, stream(KINDS), dict(I2S), {"model.dib": ear.blob}, actions=[HORN])
    assert bench.run(10.5) == "stop"
    heard = hear(ear, np.array(delivered, np.int16))
    assert margins(bench) == [(h.label, h.margin) for h in heard][: len(margins(bench))]
    assert len(margins(bench)) >= len(heard) - 1 >= 1
    acted = [row for row in bench.rows() if row.class_name]
    assert [row.margin for row in acted] == [
        int(text.split()[2].rstrip(",")) for text in bench.events("sound") if text.endswith("acts")
    ]
    assert {row.held for row in acted} == {"a"} and acted
    assert not bench.total("samples_lost_count") and not bench.hardware.dropped
    ons = [at for at, pin, level in bench.switched if pin == 20 and level]
    offs = [at for at, pin, level in bench.switched if pin == 20 and not level][1:]  # off from its first moment
    assert ons and all(0.9 < off - on <= 1.0 for on, off in zip(ons, offs, strict=False))
    assert all(later - on > 1.9 for on, later in pairwise(ons)), "it rests in between"


def test_by_the_adc_of_an_rp2_it_hears_without_a_loss(ear: HostModel, tmp_path: Path) -> None:
    samples = stream(KINDS)
    bench = ListeningBench(tmp_path, samples, dict(ADC), {"model.dib": ear.blob}, pin=26)
    assert bench.run(10.5) == "stop"
    found = [h.margin for h in hear(ear, samples)]
    assert len(margins(bench)) == len(KINDS)
    assert all(abs(margin - own) < 60 for (_, margin), own in zip(margins(bench), found, strict=False)), "12 bits"
    assert not bench.total("samples_lost_count")


@pytest.mark.parametrize("listen", [I2S, ADC], ids=["i2s", "adc"])
def test_too_slow_a_node_tells_what_it_lost(ear: HostModel, listen: dict[str, Any], tmp_path: Path) -> None:
    """A frame takes 20 ms where it has 12.5: three eighths of all samples are lost, and no fewer are told."""
    pin = 26 if listen is ADC else 18
    bench = ListeningBench(tmp_path, stream(KINDS), dict(listen), {"model.dib": ear.blob}, pin=pin, sources=True)
    bench.vm.work_us = (20_000, 0, 0)
    assert bench.run(23.5) == "stop"
    (told,) = bench.events("lost")
    assert "samples were lost: the node was late" in told
    lost = bench.total("samples_lost_count")
    heard_s = bench.rows()[-1].time_s - 4
    assert 0.3 * 8000 * heard_s < lost < 0.45 * 8000 * heard_s
    if listen is I2S:
        last_s = 23.5 - bench.rows()[-1].time_s
        assert bench.hardware.dropped - 8000 * last_s < lost < bench.hardware.dropped + 8000
    assert not bench.events("error"), "and the watchdog is fed"


def test_sounds_heard_once_they_ended(ear: HostModel, tmp_path: Path) -> None:
    """Frames of 20 ms are no hindrance; what comes while it decides is lost, and told."""
    listen = {**I2S, "in_time": "no", "rest_ms": 0}
    files = {"model.dib": ear.blob}
    bench = ListeningBench(tmp_path, stream(KINDS), listen, files, sources=True, without=MACHINE_CODE)
    bench.vm.work_us = (20_000, 300, 0)
    assert bench.run(14) == "stop"
    assert 2 <= len(bench.events("sound")) <= len(KINDS)
    assert bench.total("hops_closed_permille") and bench.total("samples_lost_count")


def test_the_first_stage_says_what_it_stopped(ear: HostModel, tmp_path: Path) -> None:
    """voice.dib is sure of each sound here: model.dib isn't asked, and nothing acts."""
    files = {"model.dib": random_ear(1).blob, "voice.dib": ear.blob}
    bench = ListeningBench(tmp_path, stream(KINDS), {**ADC, "skip": "a"}, files, pin=26)
    assert bench.run(14) == "stop"
    texts = bench.events("sound")
    assert texts and all(text.endswith("stopped by voice.dib") for text in texts)
    assert bench.total("sounds_skipped_count") == bench.total("sounds_count") == len(texts)
    assert not [row for row in bench.rows() if row.class_name]


def test_a_first_stage_with_other_frames_is_not_used(ear: HostModel, tmp_path: Path) -> None:
    files = {"model.dib": ear.blob, "voice.dib": random_ear(bands=4).blob}
    bench = ListeningBench(tmp_path, stream(KINDS[:1]), {**ADC, "skip": "a"}, files, pin=26)
    assert bench.run(8) == "stop"
    assert [text for text in bench.events("boot") if text.startswith("voice.dib isn't used: expected two models")]
    assert bench.events("sound")


def test_what_does_not_fit_is_told_and_the_node_runs(ear: HostModel, tmp_path: Path) -> None:
    """A model that hears, and nobody listens."""
    sensors = [{"driver": "battery", "pin": 27}]
    bench = ListeningBench(tmp_path, np.zeros(10), {}, {"model.dib": ear.blob}, sensors=sensors)
    assert bench.run(8) == "stop"
    assert any("expected config.listen, as a model that hears wants it" in text for text in bench.events("boot"))
    assert bench.rows()


@pytest.mark.parametrize(
    ("listen", "rate_hz", "pin"),
    [
        ({"driver": "adc_mic", "pin": "GP26"}, 8000, 26),
        ({"driver": "i2s_mic", "sck": "GP16", "ws": "GP17", "sd": "GP18"}, 8000, 18),
        ({"driver": "pdm_mic", "clock": "GP2", "data": "GP3"}, 16000, 3),
    ],
    ids=["analogbufio", "I2SIn", "PDMIn"],
)
def test_under_circuitpython(listen: dict[str, Any], rate_hz: int, pin: int, tmp_path: Path) -> None:
    """The stand-ins keep to CircuitPython's sources; a gate always, the sound heard once it has ended."""
    ear = random_ear(rate_hz=rate_hz)
    bench = ListeningBench(
        tmp_path,
        stream(KINDS, rate_hz=rate_hz),
        {**listen, "rest_ms": 0},
        {"model.dib": ear.blob},
        rate_hz=rate_hz,
        pin=pin,
        sources=True,
        without=MACHINE_CODE,
        guests=CIRCUITPYTHON,
        heap="420wk",
    )
    bench.vm.work_us = (1_000, 300, 0)
    assert bench.run(14) == "stop"
    assert any("a sound once it has ended" in text for text in bench.events("boot"))
    assert len(KINDS) - 1 <= len(bench.events("sound")) <= len(KINDS) + 1
    lost = bench.total("samples_lost_count")
    assert (lost > 0) == (listen["driver"] == "pdm_mic"), "nobody listens while it looks at a hop's span"


def test_a_ring_of_i2s_drops_whole_blocks_where_it_has_no_room() -> None:
    """As empty_dma() does; and what waits is given 64 frames at a time, in a quarter of its time."""
    ring = I2sRing(SampleClock(PlayedSound(list(range(1, 4001)), 16000, 0), 16000, 0), 8 * 1024)
    assert ring.run(200_000) is None  # 3200 samples came
    assert ring.dropped == 3200 - 1008, "one frame of a full ring stays free, so one block"
    ring.request(256, 200_000)
    done = ring.run(10**9)
    assert done is not None and 3_000 <= done - 200_000 <= 4_000
    first = ring.take()[:2]
    assert abs(int.from_bytes(first, "little", signed=True) - 1) <= 6


@pytest.mark.parametrize(
    ("listen", "reason"),
    [
        ({"driver": "i2s_mic", "sck": 1, "ws": 2}, "config.listen.sd: expected it, got none"),
        ({"driver": "i2s_mic", "sck": 1, "ws": 2, "sd": 2}, "a pin of its own, got 2, which is config.listen.ws"),
        ({"driver": "horn"}, "config.listen.driver: expected a driver of lib/dibble/streams"),
        ({"driver": "sht4x"}, "config.listen.driver: expected a driver of lib/dibble/streams"),
        ({"sck": 1}, "config.listen.driver: expected a driver, got none"),
        ({"driver": "adc_mic", "pin": 26, "pim": 2}, "config.listen.pim: expected one of"),
        ({"driver": "adc_mic", "pin": 26, "in_time": "soon"}, "in_time: expected auto, yes or no, got 'soon'"),
    ],
)
def test_what_config_listen_refuses(listen: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        whole({"sensors": [], "listen": listen})


def test_the_adc_is_not_shared() -> None:
    """A reading of another sensor would put it to another input."""
    with pytest.raises(ConfigError, match="adc_mic has the ADC for itself, got battery"):
        whole({"sensors": [{"driver": "battery", "pin": 27}], "listen": ADC})


COUNTED = """
import sys
from array import array
from dibble.senses import frames
from dibble.senses.gate import Gate
from dibble.inference import load
from dibble.inference.format import Cursor
folder = __file__[: __file__.rfind("/") + 1]
model = load(folder + "model.dib")
spec = frames.read(Cursor(model.blob, model.parts[frames.NAME]))
levels, row = frames.build(spec)
samples = array("h", [(i * 7919 & 8191) - 4096 for i in range(1 << spec.log2)])
gate = Gate(3000, 8, 200)
hop = memoryview(samples)[: spec.hop]
with open(folder + "times.txt") as file:
    frames_, looks = [int(number) for number in file.read().split()]
for _ in range(frames_):
    levels(samples)
for _ in range(looks):
    gate.opens(hop)
"""
PICO_PER_S = 157_000_000  # WASI instructions' worth of bytecode: 12.1 M take a Pico 77 ms


def test_bytecode_keeps_up_by_counted_instructions(ear: HostModel, tmp_path: Path) -> None:
    """On a Pico under CircuitPython looks at each hop lose nothing; frames of 2 s of sound take less than 4 s."""
    guest = tmp_path / "guest"
    guest.mkdir()
    (guest / "model.dib").write_bytes(ear.blob)
    (guest / "main.py").write_text(COUNTED)
    shutil.copytree(LIBRARY, guest / "lib" / "dibble", ignore=shutil.ignore_patterns("__pycache__", *MACHINE_CODE))
    counts = []
    for times in ("0 0", "2 0", "0 20"):
        (guest / "times.txt").write_text(times)
        counts.append(run_wasi(guest, "main.py", heap=WASI_HEAP, memory_bytes=WASI_MEMORY).instructions)
    frame_us = (counts[1] - counts[0]) // 2 * 1_000_000 // PICO_PER_S
    look_us = (counts[2] - counts[0]) // 20 * 1_000_000 // PICO_PER_S
    assert frame_us > 12_500, "a frame takes longer than its hop lasts: hop by hop it couldn't keep up"
    bench = ListeningBench(
        tmp_path / "node",
        np.zeros(10, np.int64),
        {"driver": "i2s_mic", "sck": "GP16", "ws": "GP17", "sd": "GP18"},
        {"model.dib": ear.blob},
        sources=True,
        without=MACHINE_CODE,
        guests=CIRCUITPYTHON,
        heap="420wk",
    )
    bench.vm.work_us = (frame_us, look_us, 0)
    assert bench.run(16) == "stop"
    assert bench.hardware.charged_us > 10 * look_us and not bench.total("samples_lost_count")
    sense = ear.content.sound
    assert sense is not None
    longest = sense.gate.tail + 2000 * 80 // 1000 + sense.gate.tail  # rows of 2 s of sound, and its quiet ends
    assert longest * frame_us < 4_000_000
