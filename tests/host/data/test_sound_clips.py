"""Recordings and folders of clips: what is read, whose it is, and what is refused."""

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.data.sound.augment import copy_of, noisy
from dibble_tools.data.sound.clips import read_clips
from dibble_tools.data.sound.recordings import rate_of, read_recording
from sounds import KINDS, RATE_HZ, clips_folder, sound, write_wav

SAMPLES = np.array([0, 256, -256, 32512, -32768, 1024], np.int64)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2])
def test_wav_of_every_width(tmp_path: Path, width: int, channels: int) -> None:
    write_wav(tmp_path / "a.wav", SAMPLES, width=width, channels=channels)
    assert read_recording(tmp_path / "a.wav", RATE_HZ).tolist() == SAMPLES.tolist()


def test_another_rate_keeps_the_tone(tmp_path: Path) -> None:
    tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)
    write_wav(tmp_path / "a.wav", tone, 44100)
    samples = read_recording(tmp_path / "a.wav", RATE_HZ)
    assert len(samples) == RATE_HZ and int(np.abs(np.fft.rfft(samples)).argmax()) == 440


def test_flac_by_soundfile(tmp_path: Path) -> None:
    import soundfile

    soundfile.write(tmp_path / "a.flac", SAMPLES.astype(np.int16), RATE_HZ)
    assert read_recording(tmp_path / "a.flac", RATE_HZ).tolist() == SAMPLES.tolist()


def test_without_soundfile_the_command_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """WAV needs nothing."""
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "soundfile":
            raise ModuleNotFoundError("No module named 'soundfile'", name=name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    (tmp_path / "a.ogg").write_bytes(b"OggS")
    with pytest.raises(InputError, match=r"dibble\[sound\]"):
        read_recording(tmp_path / "a.ogg", RATE_HZ)
    write_wav(tmp_path / "a.wav", SAMPLES)
    assert len(read_recording(tmp_path / "a.wav", RATE_HZ)) == len(SAMPLES)


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"not a recording")
    with pytest.raises(InputError, match=r"a\.wav: expected a recording"):
        read_recording(tmp_path / "a.wav", RATE_HZ)
    write_wav(tmp_path / "b.wav", np.zeros(0))
    with pytest.raises(InputError, match="without a sample"):
        read_recording(tmp_path / "b.wav", RATE_HZ)
    with pytest.raises(InputError, match="No such file"):
        read_recording(tmp_path / "c.wav", RATE_HZ)


def test_a_folder_a_class_and_speakers_by_name(tmp_path: Path) -> None:
    clips = read_clips(clips_folder(tmp_path / "farm"), RATE_HZ)
    assert clips.name == "farm" and clips.classes == sorted(KINDS) and len(clips.clips) == 24
    assert {clip.group for clip in clips.clips} == set("abcd")
    assert clips.clips[0].path == "falling/a_0.wav" and not clips.background


def test_background_is_no_class(tmp_path: Path) -> None:
    folder = clips_folder(tmp_path)
    write_wav(folder / "_background_" / "wind.wav", np.arange(500))
    clips = read_clips(folder, RATE_HZ)
    assert clips.classes == sorted(KINDS) and [len(noise) for noise in clips.background] == [500]


def test_speakers_by_a_pattern_and_by_a_table(tmp_path: Path) -> None:
    folder = clips_folder(tmp_path)
    assert {c.group for c in read_clips(folder, RATE_HZ, r"_(\d)$").clips} == {"0", "1"}
    lines = [f"{path.parent.name}/{path.name},{path.stem[0] == 'a'}" for path in folder.rglob("*.wav")]
    (folder / "groups.csv").write_text("file,group\n" + "\n".join(lines))
    assert {c.group for c in read_clips(folder, RATE_HZ).clips} == {"True", "False"}
    (folder / "groups.csv").write_text("file,group\n" + "\n".join(lines[1:]))
    with pytest.raises(InputError, match="expected a line with a group for"):
        read_clips(folder, RATE_HZ)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [("(", "a regular expression"), ("abc", "with a part in"), ("(z)_", "24 without it, such as a_0.wav")],
)
def test_patterns_that_do_not_fit(tmp_path: Path, pattern: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        read_clips(clips_folder(tmp_path), RATE_HZ, pattern)
    assert said in str(error.value)


def test_files_of_one_name_each_are_on_their_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for kind in ("hiss", "rising"):
        for name in ("monday", "tuesday"):
            write_wav(tmp_path / kind / f"{name}.wav", sound(kind, rng))
    assert len({clip.group for clip in read_clips(tmp_path, RATE_HZ).clips}) == 4


def test_a_clip_twice_is_left_out(tmp_path: Path) -> None:
    folder = clips_folder(tmp_path)
    (folder / "rising" / "e_0.wav").write_bytes((folder / "rising" / "a_0.wav").read_bytes())
    clips = read_clips(folder, RATE_HZ)
    assert len(clips.clips) == 24
    assert clips.notes == ["1 clips repeat another: left out, such as rising/e_0.wav, which is rising/a_0.wav"]


def test_a_folder_without_classes_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="got no folder"):
        read_clips(tmp_path / "none", RATE_HZ)
    write_wav(tmp_path / "one" / "a.wav", SAMPLES)
    with pytest.raises(InputError, match="one for each class, got one"):
        read_clips(tmp_path, RATE_HZ)


@pytest.mark.parametrize("decibels", [20, 5])
def test_noise_is_as_much_quieter_as_was_asked(decibels: int) -> None:
    rng = np.random.default_rng(1)
    clip = np.concatenate([np.zeros(4000), rng.normal(0, 2000, 4000)]).astype(np.int16)
    noise = [rng.normal(0, 77, 20000)]
    mixed = noisy(clip, noise, decibels, rng).astype(float)
    ratio = 20 * np.log10(np.std(clip[4000:]) / np.std(mixed[:4000]))
    assert abs(ratio - decibels) < 0.5


def test_copies_differ_and_stay_sounds() -> None:
    rng = np.random.default_rng(2)
    clip = np.round(sound("rising", rng)).astype(np.int16)
    lengths = {len(copy_of(clip, [], rng)) for _ in range(8)}
    assert len(lengths) == 8 and min(lengths) > 0.8 * len(clip) and max(lengths) < 1.25 * len(clip)


def test_the_node_hears_no_frequency_that_recordings_lack(tmp_path: Path) -> None:
    """Takes of a node's own have 8,000 samples a second: trained at 16,000, a model would know half its bands empty."""
    folder = clips_folder(tmp_path / "takes", 2)
    clips = read_clips(folder, None)
    assert clips.rate_hz == RATE_HZ and len(clips.clips[0].samples) == RATE_HZ
    assert clips.notes[0].startswith("6 of 6 recordings have 8,000 samples a second (a_0.wav): the node's microphone")
    asked = read_clips(folder, 16_000)
    assert asked.rate_hz == 16_000 and "16,000: it hears frequencies that they lack: leave --rate out" in asked.notes[0]
    assert not any("samples a second" in note for note in read_clips(folder, RATE_HZ).notes)
    fast = tmp_path / "fast"
    for kind in KINDS[:2]:
        write_wav(fast / kind / "a_0.wav", sound(kind, np.random.default_rng(0), 44_100), 44_100)
    assert read_clips(fast, None).rate_hz == 16_000


def test_the_rate_is_read_from_the_head(tmp_path: Path) -> None:
    import soundfile

    write_wav(tmp_path / "a.wav", SAMPLES, 11_025)
    soundfile.write(tmp_path / "a.flac", SAMPLES.astype(np.int16), 22_050)
    assert (rate_of(tmp_path / "a.wav"), rate_of(tmp_path / "a.flac")) == (11_025, 22_050)
    (tmp_path / "b.wav").write_bytes(b"not a recording")
    for name in ("b.wav", "none.wav"):
        with pytest.raises(InputError, match=f"{name}: expected a recording"):
            rate_of(tmp_path / name)
