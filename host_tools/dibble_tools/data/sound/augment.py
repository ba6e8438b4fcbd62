"""The same sound spoken faster, farther away, in another room, in noise: copies of a clip to train on."""

from collections.abc import Sequence

import numpy as np

SPEED = 0.16  # faster or slower by up to so much
GAIN_DB = (-12.0, 6.0)
NOISE_DB = (3.0, 30.0)  # that a copy's sound is above its noise
NOISY = 0.7  # of the copies
MADE_UP = 0.5  # of these: their noise is made up, whatever noises there are
TILT = 0.35  # of a sample's neighbour, added or taken away: a duller or a brighter microphone
COLOUR = 0.95  # how much of its last value made-up noise keeps at most
SHORTEST = 256


def noisy(samples: np.ndarray, noises: Sequence[np.ndarray], decibels: float, rng: np.random.Generator) -> np.ndarray:
    """Return a clip in noise that is so much below it, int16: a piece of one of `noises`, made up where there is none.

    Loudness is the root of the mean square of the clip's loudest half, so that silence around a word doesn't count.
    """
    noise = _piece(noises, len(samples), rng)
    squares = np.sort(samples.astype(np.float64) ** 2)[len(samples) // 2 :]
    wanted = np.sqrt(squares.mean()) * 10 ** (-decibels / 20)
    own = np.sqrt(np.mean(noise**2))
    return _int16(samples + (noise * (wanted / own) if own > 0 else 0))


def copy_of(samples: np.ndarray, noises: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Return a clip at another speed, level and brightness, most often in noise, recorded or made up; int16."""
    factor = 1 + rng.uniform(-SPEED, SPEED)
    count = max(int(len(samples) / factor), 1)
    y = np.interp(np.arange(count) * factor, np.arange(len(samples)), samples.astype(np.float64))
    tilt = rng.uniform(-TILT, TILT)
    y[1:] += tilt * y[:-1]
    y *= 10 ** (rng.uniform(*GAIN_DB) / 20)
    y = _int16(y)
    if rng.random() >= NOISY:
        return y
    return noisy(y, () if rng.random() < MADE_UP else noises, rng.uniform(*NOISE_DB), rng)


def _piece(noises: Sequence[np.ndarray], count: int, rng: np.random.Generator) -> np.ndarray:
    usable = [noise for noise in noises if len(noise) >= SHORTEST]
    if not usable or rng.random() < 1 / (1 + len(usable)):
        return coloured(count, rng)
    noise = usable[int(rng.integers(len(usable)))]
    start = int(rng.integers(max(len(noise) - count, 0) + 1))
    return np.resize(noise[start : start + count], count).astype(np.float64)


def coloured(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return noise from white to as dull as wind, of spread 1."""
    keep = rng.uniform(0, COLOUR)
    white = rng.normal(size=count)
    if keep < 0.1:
        return white
    from scipy.signal import lfilter

    return np.asarray(lfilter([np.sqrt(1 - keep * keep)], [1, -keep], white))


def _int16(y: np.ndarray) -> np.ndarray:
    return np.clip(np.floor(y + 0.5), -32768, 32767).astype(np.int16)
