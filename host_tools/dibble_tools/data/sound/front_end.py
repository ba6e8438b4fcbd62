"""Frames of sound -> levels of bands, as a node computes them: firmware's senses/frames.py, for many frames at once."""

from dataclasses import dataclass

import numpy as np
from dibble.senses import frames as node_frames

from dibble_tools.common.errors import InputError

SINE_BITS = 12
LEAST_SUM = 16  # is added to each band's sum: what rounding leaves of nothing
LOWEST_HZ, HIGHEST = 60, 0.9  # of the bands; of half the rate
FULL_SCALE = 26  # log2 of a full scale's sum in a band, less log2 of the frame
CHUNK = 256  # frames at once: what a processor's cache holds


@dataclass(frozen=True)
class FrameSettings:
    """The front end of a model: see dibble.senses.frames.FrameSpec."""

    rate_hz: int
    log2: int
    hop: int
    floor: int
    first: int
    widths: tuple[int, ...]

    def __post_init__(self) -> None:
        """Raise InputError where a node couldn't compute it."""
        least, most = node_frames.LEAST_LOG2, node_frames.MOST_LOG2
        if not least <= self.log2 <= most:
            raise InputError(f"expected frames of 2**{least} to 2**{most} samples, got 2**{self.log2}")
        if not 1 <= self.hop <= self.size:
            raise InputError(f"expected a hop of 1 to {self.size} samples, a frame, got {self.hop}")
        if not 1 <= self.rate_hz <= 1 << 20:
            raise InputError(f"expected 1 to {1 << 20} samples a second, got {self.rate_hz}")
        if len(self.widths) < 2 or not all(1 <= width <= node_frames.WIDEST for width in self.widths):
            raise InputError(
                f"expected two widths or more of 1 to {node_frames.WIDEST} bins, got {', '.join(map(str, self.widths))}"
            )
        if self.first < 1 or self.first + sum(self.widths) > self.size >> 1:
            raise InputError(
                f"expected bands within bins 1 to {self.size >> 1} of the spectrum, got {self.first} to "
                f"{self.first + sum(self.widths)}"
            )

    @property
    def size(self) -> int:
        """A frame's samples."""
        return 1 << self.log2

    @property
    def bands(self) -> int:
        """How many codes a frame becomes."""
        return len(self.widths) - 1


def settings_for(rate_hz: int, frame: int, hop: int, bands: int, *, floor: int | None = None) -> FrameSettings:
    """Return a front end of so many bands, even in mel from 60 Hz to 90 % of what the rate can hold.

    Args:
        floor: the level of code 0; None: a full scale's is 255 then, or a little more.
    Raises:
        InputError: there are fewer bins than that takes.
    """
    log2 = frame.bit_length() - 1
    if frame != 1 << log2:
        raise InputError(f"expected frames of a power of two samples, got {frame}")
    least, most = (2595 * np.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST * rate_hz / 2))
    centres = 700 * (10 ** (np.linspace(least, most, bands + 2) / 2595) - 1)
    bins = [max(1, int(np.floor(centres[0] * frame / rate_hz + 0.5)))]
    for centre in centres[1:]:
        bins.append(max(bins[-1] + 1, int(np.floor(centre * frame / rate_hz + 0.5))))
    widths = tuple(int(width) for width in np.diff(bins))
    own = FULL_SCALE * 16 + 16 * log2 - 255 if floor is None else floor
    return FrameSettings(rate_hz, log2, hop, own, bins[0], widths)


def node_spec(settings: FrameSettings) -> node_frames.FrameSpec:
    """Return the firmware's own form of a front end."""
    s = settings
    return node_frames.FrameSpec(s.rate_hz, s.log2, s.hop, s.floor, s.first, bytes(s.widths))


def settings_of(spec: node_frames.FrameSpec) -> FrameSettings:
    """Return the host's form of what a model file's part says."""
    return FrameSettings(spec.rate_hz, spec.log2, spec.hop, spec.floor, spec.first, tuple(spec.widths))


def frames_of(samples: np.ndarray, settings: FrameSettings) -> np.ndarray:
    """Return each whole frame of a recording (frames, samples), int16, the first at its beginning: a view."""
    if len(samples) < settings.size:
        return np.zeros((0, settings.size), np.int16)
    return np.lib.stride_tricks.sliding_window_view(samples, settings.size)[:: settings.hop]


def band_codes(frames: np.ndarray, settings: FrameSettings) -> np.ndarray:
    """Return the codes (frames, bands), uint8, of frames (frames, samples), int16."""
    parts = [_some(frames[at : at + CHUNK], settings) for at in range(0, len(frames), CHUNK)]
    return np.concatenate(parts) if parts else np.zeros((0, settings.bands), np.uint8)


def _some(frames: np.ndarray, settings: FrameSettings) -> np.ndarray:
    sine = np.array(node_frames.sines(settings.log2), np.int32)
    words, shift = _windowed(np.ascontiguousarray(frames.T, np.int32), settings, sine)
    _transform(words, sine)
    sums = _band_sums(words, settings)
    codes = _levels(sums) + 16 * shift - settings.floor
    return np.clip(codes, 0, 255).astype(np.uint8).T


def _windowed(x: np.ndarray, settings: FrameSettings, sine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (words (samples, frames), shift of each frame): see frames_bytecode.windowed."""
    quarter = settings.size >> 2
    twice = (x.sum(axis=0) >> settings.log2) << 1
    a, b, c, d = (x[i * quarter : (i + 1) * quarter] for i in range(4))
    cosine, sine = sine[quarter:0:-1, None], sine[:quarter, None]
    rise, a = a - c, a + c - twice
    fall, b = b - d, b + d - twice
    even, odd = (a << SINE_BITS) - cosine * rise, (b << SINE_BITS) + sine * fall
    rise, fall = (rise << SINE_BITS) - cosine * a, (fall << SINE_BITS) + sine * b
    order = np.frombuffer(node_frames.reversed_bits(settings.log2 - 2), np.uint8)
    fours = np.empty((quarter, 4, x.shape[1]), np.int32)
    fours[order] = np.stack([even + odd, rise, even - odd, fall], axis=1)
    words = fours.reshape(settings.size, -1)
    used = np.bitwise_or.reduce(words ^ (words >> 31), axis=0)
    bits = np.frexp(used.astype(np.float64))[1]  # exact: 31 bits
    shift = np.maximum(bits - (20 - settings.log2), 0).astype(np.int32)
    return words >> shift, shift


def _transform(words: np.ndarray, sine: np.ndarray) -> None:
    size, frames = words.shape
    half = 4
    while half < size:
        blocks = words.reshape(size // (2 * half), 2, half, frames)
        e, o = blocks[:, 0], blocks[:, 1]
        k = np.arange(1, half >> 1)
        turn = k * (size // (2 * half))
        s, c = sine[turn][:, None], sine[(size >> 2) - turn][:, None]
        b, d = o[:, k], o[:, half - k]
        real, imaginary = (b * c - d * s) >> SINE_BITS, (d * c + b * s) >> SINE_BITS
        a, b = e[:, k], e[:, half - k]
        first, second = e[:, 0] + o[:, 0], e[:, 0] - o[:, 0]
        e[:, k], e[:, half - k] = a + real, a - real
        o[:, k], o[:, half - k] = imaginary - b, imaginary + b
        e[:, 0], o[:, 0] = first, second
        half *= 2


def _band_sums(words: np.ndarray, settings: FrameSettings) -> np.ndarray:
    last = settings.first + sum(settings.widths)
    a = words[settings.first : last]
    b = words[settings.size - settings.first : settings.size - last : -1]
    a, b = a ^ (a >> 31), b ^ (b >> 31)
    most, least = np.maximum(a, b), np.minimum(a, b)
    magnitudes = most + (3 * least >> 3)
    sums = np.zeros((settings.bands + 2, words.shape[1]), np.int32)
    at = 0
    for i, width in enumerate(settings.widths):
        own = magnitudes[at : at + width]
        weighted = (own * np.arange(width, 0, -1, dtype=np.int32)[:, None]).sum(axis=0, dtype=np.int32)
        share = (1 << SINE_BITS) // width
        falling = (weighted >> SINE_BITS) * share + ((weighted & 4095) * share >> SINE_BITS)
        sums[i] += falling
        sums[i + 1] += own.sum(axis=0, dtype=np.int32) - falling
        at += width
    return sums[1:-1]


def _levels(sums: np.ndarray) -> np.ndarray:
    sums = sums + LEAST_SUM
    shift = np.frexp(sums.astype(np.float64))[1].astype(np.int32) - 5
    return (sums >> shift) + 16 * shift + 48
