"""A node that listens keeps up, by counted instructions: time passes in the VM as a Pico would take for its work."""

from pathlib import Path

import numpy as np
from dibble_tools.bench import front_end, stream_net
from dibble_tools.boards.listening import CYCLES, GLUE, counted
from dibble_tools.data.sound.front_end import settings_for
from dibble_tools.data.sound.segments import SoundSettings, sound_channels
from dibble_tools.families.stream.training import shapes_for
from dibble_tools.machines.replay import MACHINE_CODE
from dibble_tools.model.encoding import sound_parts
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import ModelSpec, export
from dibble_tools.simulator.node.vm import GUESTS
from listening_bench import I2S, ListeningBench
from sounds import random_ear, stream

MHZ = 125  # of a Pico's Cortex-M0+
PICO_PER_S = 157_000_000  # WASI instructions' worth of bytecode: 12.1 M take a Pico 77 ms
RATE_HZ, HOP = 16_000, 400


def spotter() -> HostModel:
    """Return a network over the stream of some 8 KB, of random weights."""
    sense = SoundSettings(settings_for(RATE_HZ, 512, HOP, 20))
    tables = stream_net.drawn(20, shapes_for(12, 48, HOP / RATE_HZ), 1)
    names = [f"word {k}" for k in range(12)]
    spec = ModelSpec("spotter", sound_channels(sense), names, tables, parts=sound_parts(sense))
    return HostModel(export(spec, stream_net.codes(20, 4).tolist()))


def test_machine_code_keeps_up_with_16_khz_by_counted_instructions(tmp_path: Path) -> None:
    """Front end and network as counted on a Cortex-M0, the rest as listening_m0.py has it: nothing is lost."""
    model = spotter()
    assert model.content.sound is not None
    frame = front_end.on_cortex_m0(model.content.sound.front_end, front_end.sounds(512)[-4:])
    net = stream_net.on_cortex_m0(model, stream_net.codes(20, 16))
    took = {}
    for kind in ("thumb", "viper"):
        took[kind] = (np.max(getattr(frame, kind)) + np.mean(getattr(net, kind)) + GLUE) * CYCLES / MHZ
    hop_us = HOP * 1_000_000 // RATE_HZ
    assert took["thumb"] < hop_us / 10 and took["viper"] < hop_us / 3
    samples = stream(["rising", "hiss"], rate_hz=RATE_HZ)
    bench = ListeningBench(tmp_path, samples, dict(I2S), {"model.dib": model.blob}, rate_hz=RATE_HZ, sources=True)
    bench.vm.work_us = (int(took["viper"]), 0, 0)
    assert bench.run(9) == "stop"
    assert any("frames as samples come" in text for text in bench.events("boot"))
    assert bench.hardware.charged_us > 4 * 0.9 * 1_000_000 * took["viper"] / hop_us
    assert not bench.total("samples_lost_count") and not bench.hardware.dropped and not bench.events("lost")


def test_under_circuitpython_a_word_is_decided_within_two_seconds(tmp_path: Path) -> None:
    """8 kHz, frames of 256 samples in 16 bands, all in bytecode; from the word's end to what it switches."""
    ear = random_ear(frame=256, hop=256, bands=16, rows=8, tail=6)
    frame, look = counted(ear.blob)
    samples = stream(["rising", "falling"])
    bench = ListeningBench(
        tmp_path,
        samples,
        {"driver": "i2s_mic", "sck": "GP16", "ws": "GP17", "sd": "GP18"},
        {"model.dib": ear.blob},
        sources=True,
        without=MACHINE_CODE,
        guests=GUESTS.parent / "guest_circuitpython",
        heap="420wk",
        actions=[
            {"class": name, "pin": f"GP{pin}", "max_on_s": 1, "rest_s": 0} for name, pin in (("a", 20), ("b", 21))
        ],
    )
    bench.vm.work_us = tuple(count * 1_000_000 // PICO_PER_S for count in (frame, look, 0))
    assert bench.run(12) == "stop"
    seconds = samples.reshape(2, -1)
    ends = [k + np.flatnonzero(np.abs(own) > 60)[-1] / 8000 for k, own in enumerate(seconds)]
    ons = [at for at, pin, level in bench.switched if pin in (20, 21) and level]
    assert ons, bench.events("sound")
    after = [min(on - end for end in ends if end < on) for on in ons]
    assert max(after) <= 2.0, after
