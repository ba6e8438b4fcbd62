"""Sounds that are made up: chirps and hisses, clips of them, and models that hear."""

import wave
from pathlib import Path

import numpy as np
from dibble_tools.bench.stream_net import codes, drawn
from dibble_tools.data.sound.front_end import settings_for
from dibble_tools.data.sound.segments import SegmentSettings, SoundSettings, sound_channels
from dibble_tools.families.mlp.tables import Layer, MlpTables
from dibble_tools.families.mlp.training import AS_IT_IS
from dibble_tools.families.stream.network import DEPTHWISE, FULL, LayerShape
from dibble_tools.model.encoding import sound_parts
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import ModelSpec, export

RATE_HZ = 8000
KINDS = ("rising", "falling", "hiss")


def sound(kind: str, rng: np.random.Generator, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Return a second with a sound in it, float64: where it begins, its pitch, length and level vary."""
    count = int(rate_hz * rng.uniform(0.25, 0.5))
    at = np.arange(count) / count
    turns = np.cumsum(rng.uniform(200, 400) * (1 + 3 * (at if kind == "rising" else 1 - at))) / rate_hz
    tone = rng.normal(0, 0.7, count) if kind == "hiss" else np.sin(2 * np.pi * turns)
    shaped = tone * np.sin(np.pi * at) ** 0.5 * rng.uniform(2000, 16000)
    whole = rng.normal(0, 8, rate_hz)
    start = int(rng.integers(rate_hz // 5, rate_hz - count - rate_hz // 5))
    whole[start : start + count] += shaped
    return whole


def write_wav(path: Path, samples: np.ndarray, rate_hz: int = RATE_HZ, *, width: int = 2, channels: int = 1) -> None:
    """Write samples of 16 bits as WAV of `width` bytes a sample, the same in each channel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.repeat(np.clip(np.round(samples), -32768, 32767).astype(np.int64), channels)
    if width == 1:
        data = (values // 256 + 128).astype(np.uint8).tobytes()
    elif width == 3:
        data = b"".join((int(value) * 256).to_bytes(3, "little", signed=True) for value in values)
    else:
        data = (values << 8 * (width - 2)).astype(f"<i{width}").tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(data)


def clips_folder(folder: Path, each: int = 8, seed: int = 0) -> Path:
    """Write clips of KINDS by four speakers, and of other noises; return the folder."""
    rng = np.random.default_rng(seed)
    for kind in KINDS:
        for i in range(each):
            write_wav(folder / kind / f"{'abcd'[i % 4]}_{i // 4}.wav", sound(kind, rng))
    return folder


def stream(kinds: list[str], seed: int = 0, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Return one sound after the other, int16."""
    rng = np.random.default_rng(seed)
    whole = np.concatenate([sound(kind, rng, rate_hz) for kind in kinds])
    return np.clip(np.round(whole), -32768, 32767).astype(np.int16)


def random_stream(seed: int = 0, *, hop: int = 100, bands: int = 5) -> HostModel:
    """Return a model that decides at each hop, of random weights."""
    shapes = [
        LayerShape(FULL, 8, 3, bits=4),
        LayerShape(DEPTHWISE, 8, 4),
        LayerShape(FULL, 8, 2, 2),
        LayerShape(FULL, 3),
    ]
    sense = SoundSettings(settings_for(RATE_HZ, 128, hop, bands))
    spec = ModelSpec("s", sound_channels(sense), ["a", "b", "_c"], drawn(bands, shapes, seed), parts=sound_parts(sense))
    return HostModel(export(spec, codes(bands, 4).tolist()))


def random_ear(
    seed: int = 0,
    *,
    hop: int = 100,
    rows: int = 6,
    bands: int = 5,
    rate_hz: int = RATE_HZ,
    frame: int = 128,
    tail: int = 8,
) -> HostModel:
    """Return a model that hears, of random weights."""
    rng = np.random.default_rng(seed)
    sense = SoundSettings(settings_for(rate_hz, frame, hop, bands), SegmentSettings(rows=rows, tail=tail, most=200))
    shapes = ((7, sense.features), (2, 7))
    layers = []
    for i, shape in enumerate(shapes):
        weights = rng.integers(-127, 128, shape)
        bias = 255 * np.maximum(-weights, 0).sum(axis=1) if i else -(weights.sum(axis=1) * 128)
        layers.append(Layer(weights, bias.tolist(), [4 if i else 9] * shape[0], "dense8"))
    tables = MlpTables(3, [AS_IT_IS] * sense.features, layers, 9000, 1.0)
    spec = ModelSpec("ear", sound_channels(sense), ["a", "b", "_c"], tables, parts=sound_parts(sense))
    return HostModel(export(spec, rng.integers(0, 256, (2, sense.features)).tolist()))
