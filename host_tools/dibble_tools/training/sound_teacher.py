"""Soft labels of a large network made elsewhere: what it takes each clip for.

So far of one kind, the keyword spotters of MLPerf Tiny (int8, 49 x 10 MFCC of a second at 16 kHz, 12 classes). Its
front end is theirs, and runs on the host only. The interpreter is LiteRT's: the extra `teacher`.
"""

import warnings
from pathlib import Path

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.common.extras import extras_named
from dibble_tools.data.sound.clips import Clips
from dibble_tools.data.sound.recordings import resampled
from dibble_tools.training.result import Progress

RATE_HZ, SAMPLES = 16_000, 16_000
FRAME, HOP, FFT, ROWS, COEFFICIENTS, BANDS = 480, 320, 512, 49, 10, 40
LOW_HZ, HIGH_HZ = 20.0, 4000.0
CLASSES = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "_silence_", "_unknown_")
TEMPERATURE = 2.0  # its scores are divided by: what else a sound is like is heard, too


def soft_labels(path: Path, clips: Clips, progress: Progress) -> np.ndarray:
    """Return what the network takes each clip for, probabilities (clips, classes).

    Raises:
        InputError: it is another network, or knows other classes than the clips have.
    """
    strange = [name for name in clips.classes if name not in CLASSES]
    if strange:
        raise InputError(
            f"--teacher {path}: expected classes that it knows ({', '.join(CLASSES)}), got {', '.join(strange)}"
        )
    with extras_named():
        from ai_edge_litert.interpreter import Interpreter
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it keeps what is between its layers, which is asked for below
            network = Interpreter(model_path=str(path), num_threads=1, experimental_preserve_all_tensors=True)
        network.allocate_tensors()
        into, out = network.get_input_details()[0], network.get_output_details()[0]
    except (ValueError, RuntimeError, OSError) as error:
        raise InputError(f"--teacher {path}: expected a .tflite file: {error}") from None
    if list(into["shape"]) != [1, ROWS, COEFFICIENTS, 1] or list(out["shape"]) != [1, len(CLASSES)]:
        raise InputError(
            f"--teacher {path}: expected a keyword spotter of MLPerf Tiny, {ROWS} x {COEFFICIENTS} numbers to "
            f"{len(CLASSES)} classes, got {list(into['shape'])} to {list(out['shape'])}"
        )
    # Probabilities of 8 bits have lost what is unlikely: the scores that they are made of have not.
    same = [d for d in network.get_tensor_details() if list(d["shape"]) == list(out["shape"]) and d["dtype"] == np.int8]
    logits = next(d for d in same if d["index"] != out["index"])
    columns = [CLASSES.index(name) for name in clips.classes]
    found = np.empty((len(clips.clips), len(CLASSES)))
    for i, clip in enumerate(clips.clips):
        if i % 200 == 0:
            progress(f"asking the teacher: {i} of {len(clips.clips)}", 0.0)
        samples = clip.samples.astype(np.float64)
        features = mfcc(samples if clips.rate_hz == RATE_HZ else resampled(samples, clips.rate_hz, RATE_HZ))
        scale, zero_point = into["quantization"]
        codes = np.clip(np.rint(features / scale + zero_point), -128, 127).astype(np.int8)
        network.set_tensor(into["index"], codes[None, :, :, None])
        network.invoke()
        found[i] = network.get_tensor(logits["index"])[0]
    found = np.exp(found[:, columns] * (logits["quantization"][0] / TEMPERATURE))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def mfcc(samples: np.ndarray) -> np.ndarray:
    """Return 49 x 10 coefficients of a second at 16 kHz, as mlcommons/tiny computes them: by its loudest sample."""
    from scipy.fft import dct

    samples = np.pad(samples[:SAMPLES], (0, max(SAMPLES - len(samples), 0)))
    samples = samples / max(float(np.abs(samples).max()), 1.0)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP][:ROWS]
    levels = np.log(np.abs(np.fft.rfft(frames * window, FFT)) @ _bands() + 1e-6)
    return np.asarray(dct(levels, type=2, axis=1)[:, :COEFFICIENTS] / np.sqrt(2 * BANDS))


def _bands() -> np.ndarray:
    """Return the shares (bins, bands) of triangles even in mel, as tf.signal has them."""

    def mel(hz: np.ndarray) -> np.ndarray:
        return np.asarray(1127.0 * np.log1p(hz / 700.0))

    bins = mel(np.linspace(0, RATE_HZ / 2, FFT // 2 + 1)[1:])[:, None]
    low, high = mel(np.array([LOW_HZ, HIGH_HZ]))
    edges = np.linspace(float(low), float(high), BANDS + 2)
    left, middle, right = edges[:-2], edges[1:-1], edges[2:]
    shares = np.maximum(0, np.minimum((bins - left) / (middle - left), (right - bins) / (right - middle)))
    return np.pad(shares, ((1, 0), (0, 0)))
