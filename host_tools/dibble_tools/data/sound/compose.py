"""Pieces of streams to learn from: a clip after another one or noise, mixed with noise, at other levels and pitches.

A clip alone is no stream: what a node remembers when a word ends is full of what came before. All is done to rows of
codes that the integer front end made of clips and of copies of them; noise is added there, too: where two sounds meet
in a band, its level is the logarithm of the sum of both powers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dibble_tools.data.sound.augment import coloured, copy_of
from dibble_tools.data.sound.front_end import FrameSettings
from dibble_tools.data.sound.segments import rows_of

OCTAVE = 16  # codes
DECIBELS = OCTAVE / 6.02  # codes a decibel
SPEED = (0.87, 1.17)
LEVEL = (-40, 24)  # codes that a piece is quieter or louder
OTHER_LEVEL = (-24, 16)  # what comes before and after a clip, beside it
SHIFT = 1.0  # bands that a voice is higher or lower
NOISE_DB = (0.0, 45.0)  # that a piece's loud quarter is above its noise
SHIFTED, NOISY, QUIET_BEFORE, QUIET_AFTER = 0.6, 0.7, 0.5, 0.7  # of the pieces
HIDDEN_ROWS, HIDDEN_BANDS = 5, 4  # fewer than so many are masked
ENDS = (-3, 5)  # rows after a clip's last at which it is to be known
ANYWHERE = 0.5  # of the pieces of idle clips: other idle ones around them, they end before they are over, or long after
SAMPLED = 7  # each so manieth level tells what is loud and what is quiet in a piece
MADE_UP_S = 16  # of made-up noise at least; else as much as there is of other noise
LEAST_NOISE_S = 1.2


@dataclass(frozen=True)
class ClipRows:
    """Clips as rows of codes, one after the other.

    Attributes:
        codes: uint8 (copies, rows, bands): of the clips themselves first, then of copies of them.
        starts, lengths: of each clip, in rows.
        y: class of each clip.
        noise: uint8 (rows, bands) of noise alone.
    """

    codes: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    y: np.ndarray
    noise: np.ndarray

    def of(self, clip: int, copy: int = 0) -> np.ndarray:
        """Return the rows of a clip."""
        return self.codes[copy, self.starts[clip] : self.starts[clip] + self.lengths[clip]]


def clip_rows(
    clips: Sequence[np.ndarray],
    y: np.ndarray,
    settings: FrameSettings,
    noises: Sequence[np.ndarray],
    rng: np.random.Generator,
    goes_on: Callable[[int], bool],
) -> ClipRows:
    """Return the rows of clips, and of as many copies as there is time for.

    Args:
        clips: int16 samples; shorter than a frame: followed by silence.
        noises: to be mixed in, int16.
        goes_on: told how many copies there are, whether to make another.
    """
    least = settings.size + settings.hop
    whole = [np.pad(clip, (0, max(least - len(clip), 0))) for clip in clips]
    rows = [rows_of(clip, settings) for clip in whole]
    lengths = np.array([len(own) for own in rows])
    codes = [np.concatenate(rows)]
    while goes_on(len(codes) - 1):
        made = []
        for clip, length in zip(whole, lengths, strict=True):
            copied = copy_of(clip, noises, rng)[int(rng.integers(settings.hop)) :]  # frames begin anywhere
            short = max(len(clip) - len(copied), 0)
            made.append(rows_of(np.pad(copied, (0, short), mode="wrap"), settings)[:length])
        codes.append(np.concatenate(made))
    noise = [rows_of(each, settings) for each in noises if len(each) > LEAST_NOISE_S * settings.rate_hz]
    count = settings.rate_hz
    seconds = sum(map(len, noises)) // count
    for _ in range(max(seconds, MADE_UP_S)):
        loud = 10 ** rng.uniform(0.5, 3.3)
        noise.append(rows_of(np.clip(loud * coloured(count, rng), -32768, 32767).astype(np.int16), settings))
    starts = np.cumsum(lengths) - lengths
    return ClipRows(np.stack(codes), starts, lengths, y, np.concatenate(noise))


class Composer:
    """Pieces of streams of some of the clips.

    Args:
        rows: of all clips.
        clips: which of them may be heard.
        hops: rows of a piece.
        idle: (clips,) bool of all clips, those on which nothing is done; a command is known where it ends, but a stream
            of these is to be known as such at any time.
    """

    def __init__(
        self, rows: ClipRows, clips: np.ndarray, hops: int, rng: np.random.Generator, idle: np.ndarray | None = None
    ) -> None:
        self.rows, self.clips, self.hops, self.rng = rows, clips, hops, rng
        self.idle = np.zeros(len(rows.y), bool) if idle is None else idle
        self.idle_clips = clips[self.idle[clips]]
        self.flat = np.concatenate([*rows.codes, rows.noise])
        apart = np.arange(512)
        self.sum_of = (OCTAVE / 2 * np.log2(1 + 2.0 ** (-apart / (OCTAVE / 2)))).astype(np.float32)

    def pieces(self, clips: np.ndarray) -> np.ndarray:
        """Return a piece for each clip (hops, clips, bands), float32 codes: it ends where the clip does, about."""
        rng, rows, n = self.rng, self.rows, len(clips)
        length = rows.lengths[clips]
        end = length - 1 + rng.integers(*ENDS, n)
        long = length > self.hops + ENDS[1]
        middle = rng.integers(self.hops // 2, np.maximum(length, self.hops // 2 + 1))
        end = np.where(long, middle, end)
        free = self.idle[clips] & (rng.random(n) < ANYWHERE)
        end = np.where(free, rng.integers(length * 2 // 3, length + self.hops // 3), end)
        back = np.arange(1 - self.hops, 1)
        at = np.floor(end[:, None] + back * rng.uniform(*SPEED, n)[:, None]).astype(np.int64)
        x = self._around(clips, length, at, free)
        x = self._shifted(x)
        x = self._in_noise(x)
        x += rng.uniform(*LEVEL, (n, 1, 1)).astype(np.float32)
        self._mask(x)
        x = np.clip(np.rint(x), 0, 255)
        return np.ascontiguousarray(x.transpose(1, 0, 2))

    def _around(self, clips: np.ndarray, length: np.ndarray, at: np.ndarray, free: np.ndarray) -> np.ndarray:
        """Return rows `at` of clips; before and after these those of others (`free`: of idle ones), or of noise."""
        rng, rows, n = self.rng, self.rows, len(clips)
        first = rng.integers(len(rows.codes), size=(n, 1)) * rows.codes.shape[1]  # of the copy that is heard
        places = first + rows.starts[clips][:, None] + at
        levels = np.zeros(at.shape, np.float32)
        others = self.clips[rng.integers(len(self.clips), size=(2, n))]
        if free.any():
            others[:, free] = self.idle_clips[rng.integers(len(self.idle_clips), size=(2, int(free.sum())))]
        before, after = at < 0, at >= length[:, None]
        for other, side, quiet in ((others[0], before, QUIET_BEFORE), (others[1], after, QUIET_AFTER)):
            # The last rows of the one before, the first of the one after; a shorter one is repeated.
            since = at if side is before else at - length[:, None]
            place = first + rows.starts[other][:, None] + since % rows.lengths[other][:, None]
            noise = rng.random((n, 1)) < quiet
            place = np.where(noise, self._noise_places(n), place)
            np.copyto(places, place, where=side)
            np.copyto(levels, rng.integers(*OTHER_LEVEL, (n, 1)), where=side)
        x = self.flat[places].astype(np.float32)
        x += levels[:, :, None]
        return x

    def _noise_places(self, count: int) -> np.ndarray:
        """Return where pieces of noise lie in `flat` (count, hops)."""
        noise = len(self.rows.noise)
        first = self.rng.integers(noise, size=(count, 1))
        return len(self.flat) - noise + (first + np.arange(self.hops)) % noise

    def _shifted(self, x: np.ndarray) -> np.ndarray:
        bands = x.shape[2]
        shift = self.rng.uniform(-SHIFT, SHIFT, len(x)) * (self.rng.random(len(x)) < SHIFTED)
        place = np.clip(np.arange(bands) + shift[:, None], 0, bands - 1.001)
        apart = np.abs(np.arange(bands)[:, None] - place[:, None, :])  # (pieces, of which band, to which)
        return x @ np.maximum(1 - apart, 0).astype(np.float32)

    def _in_noise(self, x: np.ndarray) -> np.ndarray:
        some = np.flatnonzero(self.rng.random(len(x)) < NOISY)
        own = x[some]
        noise = self.flat[self._noise_places(len(some))].astype(np.float32)
        flat = own.reshape(len(some), -1)[:, ::SAMPLED]
        loud = np.partition(flat, flat.shape[1] * 3 // 4, axis=1)[:, flat.shape[1] * 3 // 4]
        below = DECIBELS * self.rng.uniform(*NOISE_DB, len(some))
        noise += (loud - below - noise.mean(axis=(1, 2)))[:, None, None].astype(np.float32)
        apart = np.abs(own - noise).astype(np.int64)
        x[some] = np.maximum(own, noise) + self.sum_of[np.minimum(apart, 511)]
        return x

    def _mask(self, x: np.ndarray) -> None:
        """Hide some rows and some bands of each piece: what is quiet in it stands there."""
        n, hops, bands = x.shape
        some = x[:, ::SAMPLED]
        quiet = np.partition(some, some.shape[1] // 4, axis=1)[:, some.shape[1] // 4]
        for axis, size, most in ((1, hops, HIDDEN_ROWS), (2, bands, HIDDEN_BANDS)):
            first, count = self.rng.integers(size, size=(n, 1)), self.rng.integers(most, size=(n, 1))
            place = np.arange(size)
            hidden = (place >= first) & (place < first + count)
            np.copyto(x, quiet[:, None, :], where=np.expand_dims(hidden, 3 - axis))
