"""Every frame of ten minutes of sound by the unix VM's kernels, viper and bytecode, against the host's codes.

python tests/benchmarks/ten_minutes_of_sound.py [RECORDING.wav ...] [--minutes 10]

Without recordings it is noise, tones and clicks whose levels go from nothing to full scale and back.
"""

import shutil
import tempfile
import time
import wave
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from dibble_tools.bench.front_end import GUEST, SHOWN
from dibble_tools.common.shipped import LIBRARY
from dibble_tools.data.sound.front_end import band_codes, frames_of
from dibble_tools.machines.replay import MACHINE_CODE
from dibble_tools.machines.vms import run_unix
from dibble_tools.model.encoding import frames_part


def made(rate_hz: int, minutes: float) -> np.ndarray:
    """Return noise, tones and clicks, at levels that change from second to second."""
    rng = np.random.default_rng(0)
    seconds = []
    at = np.arange(rate_hz) / rate_hz
    for second in range(round(60 * minutes)):
        level = 2.0 ** (second % 17) - 1
        kind = second // 17 % 3
        sound = rng.normal(0, 0.3, rate_hz) if kind == 0 else np.sin(2 * np.pi * (50 + 3 * second) * at * (1 + at))
        seconds.append(level * (sound if kind < 2 else (rng.random(rate_hz) < 0.001)) + rng.integers(-500, 500))
    return np.clip(np.concatenate(seconds), -32768, 32767).astype(np.int16)


def read(path: Path) -> np.ndarray:
    """Return a recording's samples: mono, 16 bits."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def main(recordings: list[Path] | None = None, minutes: Annotated[float, typer.Option()] = 10) -> None:
    for settings in SHOWN:
        sound = made(settings.rate_hz, minutes)
        if recordings:
            sound = np.concatenate([read(path) for path in recordings])[: round(60 * minutes * settings.rate_hz)]
        frames = frames_of(sound, settings)
        wanted = band_codes(frames, settings)
        for kind, hidden in (("viper", ()), ("bytecode", MACHINE_CODE)):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                ignored = shutil.ignore_patterns("__pycache__", *hidden)
                shutil.copytree(LIBRARY, folder / "lib" / "dibble", ignore=ignored)
                (folder / "spec.bin").write_bytes(frames_part(settings))
                (folder / "samples.bin").write_bytes(frames.astype("<i2").tobytes())
                (folder / "main.py").write_text(GUEST.replace("TIMES", "1"))
                start = time.perf_counter()
                lines = run_unix(folder, "main.py", timeout_s=600).stdout.splitlines()
            rows = np.array([line.split() for line in lines], int)
            alike = int((rows == wanted).all(axis=1).sum())
            took = time.perf_counter() - start
            print(f"{settings.size}, {settings.bands}: {kind}: {alike:,} of {len(wanted):,} frames alike, {took:.0f} s")


if __name__ == "__main__":
    typer.run(main)
