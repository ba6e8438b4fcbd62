"""What a frame of sound costs on a Cortex-M0, exactly, with codes that are the host's."""

import numpy as np
from dibble_tools.bench.front_end import AIMS, SHOWN, code_bytes, on_cortex_m0, sounds
from dibble_tools.data.sound.front_end import FrameSettings


def test_the_front_end_keeps_its_aims() -> None:
    """The most of all frames, among them silence, squares at full scale and noise; gcc -O2 of the same takes more."""
    counts = on_cortex_m0(SHOWN[0], sounds(SHOWN[0].size))
    assert max(counts.thumb) <= AIMS["thumb"] and max(counts.viper) <= AIMS["viper"]
    assert np.mean(counts.thumb) < np.mean(counts.gcc)
    assert code_bytes()["thumb"] <= 1024


def test_frames_of_every_size_have_the_hosts_codes() -> None:
    for log2, widths in ((6, (1, 2, 3, 5, 8)), (10, (64, 64, 64, 3, 1))):
        settings = FrameSettings(8000, log2, 1 << log2, 16 * log2 + 161, 1, widths)
        on_cortex_m0(settings, sounds(settings.size)[::3])
