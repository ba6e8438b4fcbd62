"""Takes of sounds: frames with a checksum, labels by keys, whole takes only, files that train as they are."""

import binascii
import runpy
import wave
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import ROOMS
from dibble_tools.console.sound_takes import RATE_HZ, Chunk, Reader, Takes, check_sound, collect_sound, decoded

HOP = 256


def codes_of(samples: np.ndarray) -> bytes:
    """The board's own encoder, of the file that is sent there."""
    guest = runpy.run_path(str(ROOMS / "link" / "guest" / "sound.py"))
    table = guest["mu_law"]()
    return bytes(table[(int(s) >> 4) + 2048] for s in samples)


def line(number: int, lost: int, codes: bytes) -> str:
    text = f"{number},{lost},{binascii.b2a_base64(codes)[:-1].decode()}"
    return f"{text}*{binascii.crc32(text.encode()):08X}"


def chunks(parts: list[tuple[np.ndarray, int]]) -> Generator[Chunk, None, None]:
    for samples, lost in parts:
        for at in range(0, len(samples), HOP):
            yield Chunk(samples[at : at + HOP], lost if at == 0 else 0)


def quiet(seconds: float) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 20, round(seconds * RATE_HZ)).astype(np.int16)


def word(seconds: float = 0.5) -> np.ndarray:
    return (8000 * np.sin(np.arange(round(seconds * RATE_HZ)) / 3)).astype(np.int16)


def test_mu_law_of_all_samples_is_near_them() -> None:
    """Within half a step of G.711's, whose steps grow with the sample, and of the table's own 16."""
    samples = np.arange(-32768, 32768, 7)
    found = decoded(codes_of(samples)).astype(np.int64)
    bound = np.maximum(24, np.abs(samples) / 16 + 16)
    assert (np.abs(found - np.clip(samples, -32635, 32635)) <= bound).all()


def test_a_damaged_line_is_told_and_its_samples_are_lost() -> None:
    reader = Reader()
    lines = [line(n, 0, bytes([255]) * HOP) for n in range(4)]
    assert reader.chunk(lines[0]) is not None
    assert reader.chunk(lines[1].replace(",0,", ",1,")) is None
    chunk = reader.chunk(lines[2])
    assert chunk is not None and chunk.lost == HOP and reader.damaged == 1
    assert reader.chunk("") is None


def test_keys_label_takes_and_files_have_what_was_said(tmp_path: Path) -> None:
    takes = Takes(tmp_path, "anna", 1.0)
    keys = iter([""] * 30 + ["w"] + [""] * 60 + ["s"] + [""] * 500)
    said: list[str] = []
    parts = [(quiet(1), 0), (word(), 0), (quiet(1.5), 0), (word(), 0), (quiet(2), 0)]
    collect_sound(chunks(parts), takes, {"w": "water", "s": "stop"}, "water", lambda: next(keys), said.append, None)
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.wav"))
    assert files == ["stop/anna_0.wav", "water/anna_0.wav"]
    assert takes.counts == {"water": 1, "stop": 1} and takes.written == 2
    with wave.open(str(tmp_path / "water/anna_0.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE_HZ, 1, 2)
        assert file.getnframes() == RATE_HZ
        assert np.abs(np.frombuffer(file.readframes(RATE_HZ), "<i2")).max() > 7000


def test_without_keys_each_sound_is_a_take(tmp_path: Path) -> None:
    takes = Takes(tmp_path, "me", 1.0)
    parts = [(quiet(1.5), 0)] + [(word(), 0), (quiet(1.5), 0)] * 3
    collect_sound(chunks(parts), takes, {}, "water", None, lambda text: None, 2)
    assert takes.written == 2 and len(list((tmp_path / "water").iterdir())) == 2


def test_a_take_of_which_samples_were_lost_is_not_written_and_told(tmp_path: Path) -> None:
    takes = Takes(tmp_path, "me", 1.0)
    parts = [(quiet(1.5), 0), (word(0.25), 0), (word(0.25), 40), (quiet(1.5), 0), (word(), 0), (quiet(2), 0)]
    collect_sound(chunks(parts), takes, {}, "water", None, lambda text: None, None)
    assert (takes.torn, takes.lost, takes.written) == (1, 40, 1)


def test_takes_of_an_earlier_run_stay(tmp_path: Path) -> None:
    (tmp_path / "water").mkdir()
    (tmp_path / "water/me_0.wav").write_bytes(b"before")
    takes = Takes(tmp_path, "me", 1.0)
    assert takes.counts["water"] == 1
    collect_sound(chunks([(quiet(1.5), 0), (word(), 0), (quiet(2), 0)]), takes, {}, "water", None, lambda text: None, 1)
    assert (tmp_path / "water/me_0.wav").read_bytes() == b"before" and (tmp_path / "water/me_1.wav").exists()


def test_a_speaker_whose_name_would_split_otherwise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--speaker: expected letters and digits"):
        Takes(tmp_path, "an_na", 1.0)


@pytest.mark.parametrize("label", ["a/b", "a/../../b", "../b", "/b"])
def test_a_label_that_is_a_folder_elsewhere_is_refused(label: str) -> None:
    assert check_sound("_background_") == "_background_"
    with pytest.raises(InputError, match="--label: expected"):
        check_sound(label)
