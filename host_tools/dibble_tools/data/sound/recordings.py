"""Recordings of sound: a file -> samples of 16 bits, mono, at the rate that a node hears at."""

import wave
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np

from dibble_tools.common.errors import InputError, reason_of
from dibble_tools.common.extras import MissingPackage, extras_named

WAV = ".wav"
SUFFIXES = (WAV, ".flac", ".ogg", ".mp3", ".aif", ".aiff")
FULL_SCALE = 32768


def is_recording(path: Path) -> bool:
    """Tell whether a file is one, by its name."""
    return path.is_file() and path.suffix.lower() in SUFFIXES


def read_recording(path: Path, rate_hz: int) -> np.ndarray:
    """Return a recording's samples, int16; several channels are averaged.

    WAV files of whole numbers are read without further packages, others by soundfile.

    Raises:
        InputError: it can't be read, or is no sound.
    """
    samples, rate = _read(path)
    return _whole(samples if rate == rate_hz else resampled(samples, rate, rate_hz))


def rate_of(path: Path) -> int:
    """Return how many samples a second a recording has, by its head alone; raises InputError as read_recording()."""
    try:
        with wave.open(str(path)) as file:
            return file.getframerate()
    except (wave.Error, EOFError):
        return int(_soundfile_of(path, "info").samplerate)
    except OSError as error:
        raise InputError(f"{path}: expected a recording: {reason_of(error)}") from None


def at_its_own_rate(path: Path) -> tuple[np.ndarray, int]:
    """Return a recording's samples, as read_recording() does, and how many a second it has."""
    samples, rate = _read(path)
    return _whole(samples), rate


def _whole(samples: np.ndarray) -> np.ndarray:
    return np.clip(np.floor(samples + 0.5), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def _read(path: Path) -> tuple[np.ndarray, int]:
    """Return samples, float64 in steps of 16 bits, and the rate."""
    try:
        samples, rate = _wav(path) if path.suffix.lower() == WAV else _other(path)
    except OSError as error:
        raise InputError(f"{path}: expected a recording: {reason_of(error)}") from None
    if not len(samples):
        raise InputError(f"{path}: expected a recording, got one without a sample")
    return samples, rate


def resampled(samples: np.ndarray, rate_hz: int, to_hz: int) -> np.ndarray:
    """Return samples at another rate, float64, low-passed to what that holds."""
    from scipy.signal import resample_poly

    common = gcd(rate_hz, to_hz)
    return np.asarray(resample_poly(samples.astype(np.float64), to_hz // common, rate_hz // common))


def _wav(path: Path) -> tuple[np.ndarray, int]:
    try:
        with wave.open(str(path)) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError):  # of floats, compressed, or none
        return _other(path)
    data = data[: len(data) // (width * channels) * width * channels]
    if width == 1:
        values = (np.frombuffer(data, np.uint8).astype(np.float64) - 128) * 256
    elif width == 3:
        values = np.frombuffer(data, np.uint8).reshape(-1, 3).astype(np.int32) @ np.array([1, 256, 65536])
        values = np.where(values >= 1 << 23, values - (1 << 24), values) / 256
    else:
        values = np.frombuffer(data, f"<i{width}").astype(np.float64) / (1 << 8 * (width - 2))
    return values.reshape(-1, channels).mean(axis=1), rate


def _other(path: Path) -> tuple[np.ndarray, int]:
    values, rate = _soundfile_of(path, "read", dtype="float64", always_2d=True)
    return values.mean(axis=1) * FULL_SCALE, int(rate)


def _soundfile_of(path: Path, function: str, **options: Any) -> Any:
    """Return what one of soundfile's functions says of a recording."""
    try:
        with extras_named():
            import soundfile
    except MissingPackage as error:
        what = "a WAV file that is whole, of whole numbers" if path.suffix.lower() == WAV else "a WAV file"
        raise InputError(f"{path}: expected {what}, got another; for FLAC, OGG and others: {error}") from None
    try:
        return getattr(soundfile, function)(str(path), **options)
    except soundfile.LibsndfileError as error:
        raise InputError(f"{path}: expected a recording, WAV, FLAC or OGG: {error.error_string}") from None
