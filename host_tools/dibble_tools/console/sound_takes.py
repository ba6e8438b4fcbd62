"""`dibble collect --sound`: takes of sounds from a board's microphone, a folder a label, as `train --sound` reads."""

import binascii
import wave
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import is_fit_name
from dibble_tools.console.labels import QUIT, SKIP, check_label
from dibble_tools.link.session import RemoteError, Session

RATE_HZ = 8000  # as 8 bits of mu-law they pass a serial port of 115,200 baud
HOPS = 4  # of a question to the board
BEFORE_S = 0.25  # of a take, before its key or its beginning
FLOOR_S = 1.0  # whose median is the quiet that a sound stands out of
LOUD = 4  # times as loud as that a sound begins
LEAST_LOUD = 200  # of 32768
MANY = 20  # takes of each label, from which on they needn't be judged take by take
START_S = 20.0


def check_sound(label: str) -> str:
    """Return a label of sounds, which names a folder.

    Raises:
        InputError: it can't be one.
    """
    if "/" in check_label(label):
        raise InputError(f"--label: expected a name without /, as a folder of takes has it, got {label!r}")
    return label


def judged_take_by_take(counts: Mapping[str, int]) -> bool:
    """Tell whether there are so few takes of a label that each has to be left out in turn to judge a model of them."""
    return min(counts.values()) < MANY


def to_train(folder: Path | str, counts: Mapping[str, int]) -> str:
    """Return the command that trains from a folder with so many takes of each label."""
    return f"dibble train {folder} --sound" + (" --own" if judged_take_by_take(counts) else "")


class Chunk(NamedTuple):
    """Samples that came in one piece, int16; lost: how many there were before it that didn't."""

    samples: np.ndarray
    lost: int


def decoded(codes: bytes) -> np.ndarray:
    """Return the samples of mu-law codes, int16. Source: ITU-T G.711."""
    value = ~np.frombuffer(codes, np.uint8).astype(np.int32) & 255
    size = ((value & 15) * 8 + 132 << (value >> 4 & 7)) - 132
    return np.where(value & 128, -size, size).astype(np.int16)


class Reader:
    """Turns a board's lines into chunks; a damaged or missing line is samples that were lost."""

    def __init__(self) -> None:
        self.damaged = 0
        self._next = 0
        self._hop = 0

    def chunk(self, line: str) -> Chunk | None:
        """Return what a line holds; None where it is damaged."""
        text, star, crc = line.strip().rpartition("*")
        if not star or f"{binascii.crc32(text.encode()):08X}" != crc:
            self.damaged += 1
            return None
        number, lost, codes = text.split(",")
        samples = decoded(binascii.a2b_base64(codes))
        missing = max(0, int(number) - self._next) * len(samples)
        self._next = int(number) + 1
        return Chunk(samples, int(lost) + missing)


def from_board(port: str, opened: Callable[[str], Session] = Session.open) -> Generator[Chunk, None, None]:
    """Yield what a board's microphone hears, whose node is stopped meanwhile and runs again at the end.

    Raises:
        InputError: there is no node on the board with `listen` in its configuration, or no microphone.
    """
    reader = Reader()
    with opened(port) as session:
        try:
            session.run("sound.sound_begin", RATE_HZ, timeout_s=START_S)
            while True:
                for line in session.run("sound.sound_take", HOPS, most=1 << 16).splitlines():
                    chunk = reader.chunk(line)
                    if chunk:
                        yield chunk
        except RemoteError as error:
            raise InputError(
                f"{port}: expected a board with dibble's firmware and a microphone in `listen` of its config.json, "
                f"got: {error}: bring them to it first: dibble deploy --config config.json"
            ) from None


class Takes:
    """Cuts takes out of a stream and writes them: FOLDER/LABEL/SPEAKER_N.wav.

    Args:
        take_s: how long one is.
    Attributes:
        counts: label -> takes in its folder, those of earlier runs too.
        written: of this run; torn: those that weren't whole, so they aren't written.
        lost: samples that were lost in all.
        level: of the last chunk, 0..32767.
    Raises:
        InputError: the speaker's name can't be one.
    """

    def __init__(self, folder: Path, speaker: str, take_s: float) -> None:
        if not is_fit_name(speaker) or "_" in speaker:
            raise InputError(f"--speaker: expected letters and digits, such as anna, got {speaker!r}")
        self._folder = folder
        self._speaker = speaker
        self._size = round(take_s * RATE_HZ)
        self._past = np.zeros(0, np.int16)
        self._take: list[np.ndarray] | None = None
        self._whole = True
        self.label = ""
        self.counts = Counter({path.name: len(list(path.glob("*.wav"))) for path in folder.glob("*") if path.is_dir()})
        self.written = self.torn = self.lost = self.level = 0

    @property
    def busy(self) -> bool:
        """A take has begun."""
        return self._take is not None

    def begin(self, label: str) -> None:
        """Begin a take, a little before now."""
        if not self.busy:
            self.label = label
            self._take = [self._past[-round(BEFORE_S * RATE_HZ) :]]
            self._whole = True

    def hear(self, chunk: Chunk) -> Path | None:
        """Take what came; return the file of a take that is whole with it."""
        if chunk.lost:
            self.lost += chunk.lost
            self._whole = False
            self._past = self._past[:0]
        self.level = int(np.abs(chunk.samples.astype(np.int32)).max(initial=0))
        self._past = np.concatenate([self._past, chunk.samples])[-round(FLOOR_S * RATE_HZ) :]
        if self._take is None:
            return None
        self._take.append(chunk.samples)
        if sum(map(len, self._take)) < self._size:
            return None
        samples = np.concatenate(self._take)[: self._size]
        self._take = None
        if not self._whole:
            self.torn += 1
            return None
        return self._write(samples)

    def stands_out(self) -> bool:
        """Tell whether the last chunk is louder than the quiet before it by far."""
        if len(self._past) < FLOOR_S * RATE_HZ:
            return False
        blocks = np.abs(self._past.astype(np.int32)).reshape(-1, 100).max(axis=1)
        return self.level > max(LEAST_LOUD, LOUD * int(np.median(blocks)))

    def _write(self, samples: np.ndarray) -> Path:
        folder = self._folder / self.label
        folder.mkdir(parents=True, exist_ok=True)
        number = self.counts[self.label]
        while (path := folder / f"{self._speaker}_{number}.wav").exists():
            number += 1
        with path.open("xb") as target, wave.open(target, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(samples.astype("<i2").tobytes())
        self.counts[self.label] += 1
        self.written += 1
        return path


def collect_sound(
    chunks: Generator[Chunk, None, None],
    takes: Takes,
    keys: dict[str, str],
    label: str,
    pressed: Callable[[], str] | None,
    say: Callable[[str], None],
    count: int | None,
) -> None:
    """Write takes until there are so many, the key q, or Ctrl-C.

    Args:
        pressed: returns the keys pressed since it was last called, each of which begins a take of its label; None:
            there are none: a take of `label` begins with each sound that stands out.
    """
    try:
        for chunk in chunks:
            path = takes.hear(chunk)
            if path:
                say(f"{path}: {takes.counts[takes.label]} of {takes.label}")
            if count is not None and takes.written >= count:
                return
            if pressed is None:
                if not takes.busy and takes.stands_out():
                    takes.begin(label)
                continue
            for key in pressed():
                if key == QUIT:
                    return
                if key in keys and keys[key] != SKIP and not takes.busy:
                    takes.begin(keys[key])
                    say(f"now: {keys[key]}")
    except KeyboardInterrupt:
        return
    finally:
        chunks.close()
