"""The front end of sound on the host: the node's codes for every frame, and what they mean."""

from array import array
from itertools import pairwise

import numpy as np
import pytest
from dibble.senses import frames as node_frames
from dibble.senses import frames_bytecode
from dibble_tools.bench.front_end import SHOWN, on_wasi, sounds
from dibble_tools.common.errors import InputError
from dibble_tools.data.sound.front_end import FrameSettings, band_codes, frames_of, node_spec, settings_for, settings_of

WIDTHS = {6: (1, 2, 3, 5, 8), 7: (8, 8, 8), 8: (1, 64, 31), 9: (2, 2, 4, 8, 16, 32, 64), 10: (64, 64, 64, 3, 1)}


@pytest.mark.parametrize("log2", WIDTHS)
def test_every_frame_has_the_codes_of_the_node(log2: int) -> None:
    """Silence, constants, squares at full scale, each power of two, impulses, tones, noise: for each size of frame."""
    settings = FrameSettings(8000, log2, 1 << log2, 16 * log2 + 161, 1, WIDTHS[log2])
    spec = node_spec(settings)
    levels, row = frames_bytecode.frames(spec, node_frames.sines(log2), node_frames.reversed_bits(log2 - 2))
    frames = sounds(settings.size)
    for frame, wanted in zip(frames, band_codes(frames, settings), strict=True):
        levels(array("h", frame.tolist()))
        assert bytes(row) == wanted.tobytes()


def test_nothing_is_allocated_and_nothing_leaves_31_bits() -> None:
    """A number beyond would be allocated: the 32-bit VM's heap is locked."""
    loudest = sounds(SHOWN[1].size)[[1, 2, 3, 34, 35, 36, 37, 38, 39]]
    assert on_wasi(SHOWN[1], loudest) < 6_000_000


def test_a_band_is_the_magnitudes_under_its_triangle() -> None:
    """Within 3 steps of 1/16 octave of floats', the straight line between powers of two taken into account."""
    settings = settings_for(16_000, 512, 512, 20)
    rng = np.random.default_rng(2)
    frames = np.array([rng.normal(0, 3000, 512), 9000 * np.sin(np.arange(512) * 0.21) + rng.normal(0, 99, 512)])
    frames = frames.astype(np.int16)
    ends = np.cumsum([settings.first, *settings.widths])
    bins = np.arange(257)
    for frame, codes in zip(frames, band_codes(frames, settings), strict=True):
        window = (1 - np.cos(2 * np.pi * np.arange(512) / 512)) / 2
        spectrum = np.fft.rfft((frame - np.floor(frame.mean())) * window)
        most, least = np.sort([abs(spectrum.real), abs(spectrum.imag)], axis=0)[::-1]
        magnitudes = (most + 0.375 * least) * 8192
        for band, code in enumerate(codes):
            triangle = np.interp(bins, ends[band : band + 3], [0, 1, 0])
            total = float(magnitudes @ triangle)
            power = np.floor(np.log2(total))
            level = 16 * (power + total / 2**power - 1) - settings.floor
            assert abs(level - code) <= 3, (band, level, code)


def test_frames_begin_every_hop() -> None:
    settings = FrameSettings(8000, 6, 40, 200, 1, (4, 4, 4))
    samples = np.arange(64 + 40 + 39, dtype=np.int16)
    frames = frames_of(samples, settings)
    assert frames[:, 0].tolist() == [0, 40] and frames[:, -1].tolist() == [63, 103]
    assert len(frames_of(samples[:63], settings)) == 0
    assert band_codes(frames_of(samples[:63], settings), settings).shape == (0, 2)


def test_bands_lie_even_in_mel() -> None:
    settings = settings_for(16_000, 512, 512, 20)
    assert settings.bands == 20 and settings.first == 2
    assert all(later >= before for before, later in pairwise(settings.widths[4:]))
    assert settings.first + sum(settings.widths) <= 256


def test_full_scale_fills_the_code_and_a_tone_of_one_step_is_near_its_zero() -> None:
    for settings in SHOWN:
        at = np.arange(settings.size)
        middle = 2 * np.pi * at * (settings.first + sum(settings.widths[:8])) / settings.size
        loud = band_codes(np.round(32767 * np.sin(middle))[None].astype(np.int16), settings)[0]
        assert 230 <= loud.max() <= 255
        assert band_codes(np.round(1 * np.sin(middle))[None].astype(np.int16), settings)[0].max() <= 32


def test_settings_come_back_from_the_nodes_form() -> None:
    assert settings_of(node_spec(SHOWN[0])) == SHOWN[0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"log2": 5}, "2**6 to 2**10"),
        ({"hop": 513}, "a hop of 1 to 512"),
        ({"rate_hz": 0}, "samples a second"),
        ({"widths": (3,)}, "two widths or more of 1 to 64 bins, got 3"),
        ({"widths": (3, 65)}, "got 3, 65"),
        ({"first": 0}, "bins 1 to 256"),
        ({"first": 200, "widths": (30, 30)}, "got 200 to 260"),
    ],
)
def test_what_no_node_computes_is_refused(changed: dict[str, object], said: str) -> None:
    values: dict[str, object] = {"rate_hz": 16_000, "log2": 9, "hop": 512, "floor": 0, "first": 1, "widths": (3, 4, 5)}
    with pytest.raises(InputError) as error:
        FrameSettings(**(values | changed))  # type: ignore[arg-type]
    assert said in str(error.value)
