"""A recording is a virtual board's microphone: MicroPython's I2S gives its samples, in the board's time."""

from pathlib import Path

import numpy as np
from dibble_tools.virtual_board.board import VirtualBoard
from sounds import write_wav
from virtual_helpers import own_registry, raw_repl

PROGRAM = """
from machine import I2S, Pin
from array import array
mic = I2S(0, sck=Pin(16), ws=Pin(17), sd=Pin(18), mode=I2S.RX, bits=16, format=I2S.MONO, rate=8000, ibuf=8000)
samples = array("h", bytearray(1600))
mic.readinto(samples)
crossings = sum([samples[i] < 0 <= samples[i + 1] for i in range(799)])
print(max(samples) > 9000, min(samples) < -9000, crossings)
"""


def test_i2s_gives_what_is_played(tmp_path: Path) -> None:
    """A tenth of a second of 500 Hz, taken at half the recording's rate."""
    write_wav(tmp_path / "tone.wav", 10000 * np.sin(2 * np.pi * 500 * np.arange(16000) / 16000), 16000)
    with (
        own_registry(tmp_path),
        VirtualBoard.start(tmp_path / "a.flash", flash="512k", sound=tmp_path / "tone.wav") as board,
        raw_repl(board) as repl,
    ):
        loud, low, crossings = repl.exec(PROGRAM).decode().split()
    assert (loud, low) == ("True", "True") and 48 <= int(crossings) <= 51
