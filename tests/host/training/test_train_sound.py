"""A folder of clips becomes a model that hears, its card and report; by command, and with wrong inputs."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.data.sound.clips import read_clips
from dibble_tools.model.hearing import hear, hear_file
from dibble_tools.model.host_model import HostModel
from dibble_tools.training.result import Trained
from dibble_tools.training.sound import better_family, train_sound
from dibble_tools.training.sound_options import SoundOptions
from sounds import KINDS, RATE_HZ, clips_folder, sound, stream, write_wav
from typer.testing import CliRunner

QUICK = {"rate_hz": RATE_HZ, "frame": 256, "hop": 128, "budget_s": 1.0}


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of three sounds by four machines, other noises on which nothing is done, and wind."""
    folder = clips_folder(tmp_path_factory.mktemp("sounds") / "farm", 16)
    rng = np.random.default_rng(9)
    for i in range(16):
        hum = np.sin(2 * np.pi * 60 * np.arange(RATE_HZ) / RATE_HZ) * (np.arange(RATE_HZ) % 4000 < 2000)
        write_wav(
            folder / "_other_" / f"{'abcd'[i % 4]}_{i}.wav", rng.uniform(3000, 9000) * hum + rng.normal(0, 9, RATE_HZ)
        )
    write_wav(folder / "_background_" / "wind.wav", rng.normal(0, 500, 3 * RATE_HZ))
    return folder


@pytest.fixture(scope="module")
def trained(farm: Path) -> Trained:
    return train_sound(farm, SoundOptions(**QUICK))  # type: ignore[arg-type]


def test_sounds_that_differ_are_known_on_machines_never_heard(trained: Trained) -> None:
    held_out = trained.card["held_out"]["integer_model"]
    assert held_out["accuracy"] >= 0.9 and trained.card["sound"]["right"] >= 0.9
    assert trained.card["split"]["how"].startswith("group")
    assert trained.verdict is not None and trained.verdict.rely
    assert len(trained.model.blob) <= 2048


def test_the_model_hears_them_in_a_stream(trained: Trained) -> None:
    kinds = ["rising", "hiss", "falling", "falling", "hiss", "rising"]
    heard = hear(trained.model, stream(kinds, seed=5))
    assert [sound.label for sound in heard] == kinds
    assert all(i < sound.end_s < i + 1.2 for i, sound in enumerate(heard))


def test_nothing_is_told_of_each_feature(trained: Trained) -> None:
    """Names, ranges and scalers would take more than the weights."""
    content = trained.model.content
    assert content.sound is not None and len(content.channels) == content.sound.features == 162
    assert len(trained.model.blob) - content.family_bytes - 300 * len(content.golden) < 200
    assert content.parts == ("cells", "frames", "segment")
    assert content.channels[17].name == "row 1 band 1" and content.channels[-1].name == "level"


def test_the_card_tells_noise_alarms_and_a_stream(trained: Trained) -> None:
    page = trained.card["sound"]
    assert [row["db"] for row in page["noise"]] == [20, 10, 5]
    assert all(0 <= row["right"] <= 1 for row in page["noise"])
    missed = [row["missed"] for row in page["alarms"]]
    alarms = [row["alarms"] for row in page["alarms"]]
    assert missed == sorted(missed) and alarms == sorted(alarms, reverse=True)
    low, high = page["stream"]["interval"]
    assert low <= page["stream"]["an_hour"] <= high
    assert page["stream"]["hours"] == pytest.approx((4 + 3) / 3600, abs=1e-4)


def test_saved_it_opens_and_its_report_has_the_sounds_page(trained: Trained, tmp_path: Path) -> None:
    trained.save(tmp_path)
    assert HostModel.open(tmp_path).blob == trained.model.blob
    html = (tmp_path / "report.html").read_text()
    assert "How it hears" in html and "10 dB below the sound" in html
    assert "Its accuracy is that of the same recipe fitted on the training rows alone" in html
    assert json.loads((tmp_path / "card.json").read_text())["sound"]["bands"] == 16


def test_own_takes_are_judged_take_by_take(tmp_path: Path) -> None:
    folder = clips_folder(tmp_path / "own", 4)
    found = train_sound(folder, SoundOptions(own=True, **QUICK))  # type: ignore[arg-type]
    assert found.card["held_out"]["integer_model"]["rows"] == 12
    assert found.card["sound"]["right"] >= 0.75
    assert any("4 takes of" in note for note in found.notes)


def test_too_few_takes_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 3 takes of each sound, got 2 of"):
        train_sound(clips_folder(tmp_path, 2), SoundOptions(own=True, **QUICK))  # type: ignore[arg-type]


def test_what_no_limit_allows_is_told(tmp_path: Path) -> None:
    from dibble_tools.model.limits import Limits

    with pytest.raises(InputError, match="expected a model within 300 bytes"):
        train_sound(clips_folder(tmp_path, 8), SoundOptions(limits=Limits(max_bytes=300), **QUICK))  # type: ignore[arg-type]


def test_families_are_compared_on_training_clips(tmp_path: Path) -> None:
    """Both are tried, and the one that knew more is taken; who judges the model isn't asked."""
    clips = read_clips(clips_folder(tmp_path, 8), RATE_HZ)
    options = SoundOptions(**QUICK)  # type: ignore[arg-type]
    family, note = better_family(clips, options, lambda step, share: None)
    figures = {name: float(share) for name, share in re.findall(r"(mlp|stream) ([\d.]+) %", note)}
    assert len(figures) == 2 and figures[family] == max(figures.values())


def test_by_command(farm: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke(
        app, ["train", str(farm), "--sound", "--rate", "8000", "--budget", "1s", "--out", str(tmp_path)]
    )
    assert run.exit_code == 0, run.output
    assert "clips heard" in run.output and "false alarms" in run.output
    write_wav(tmp_path / "long.wav", stream(["rising", "hiss"], seed=3))
    run = CliRunner().invoke(app, ["hear", str(tmp_path), str(tmp_path / "long.wav")])
    assert run.exit_code == 0 and "rising" in run.output and "hiss" in run.output
    assert "2 times in 2.0 s it would have acted" in run.output
    run = CliRunner().invoke(app, ["hear", str(tmp_path), str(tmp_path / "long.wav"), "--json"])
    first = json.loads(run.output.splitlines()[0])
    assert first["label"] == "rising" and first["acts"] is True


def test_a_recording_at_another_rate_is_heard(trained: Trained, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    write_wav(tmp_path / "a.wav", sound("rising", rng, 44100), 44100)
    heard, long_s = hear_file(trained.model, tmp_path / "a.wav")
    assert [sound.label for sound in heard] == ["rising"] and long_s == pytest.approx(1, abs=0.01)


def test_a_model_of_readings_does_not_hear() -> None:
    from dibble_tools.common.shipped import MODELS

    with pytest.raises(InputError, match="expected a model that hears"):
        hear(HostModel.open(MODELS / "wine"), np.zeros(1000, np.int16))


def test_classes_are_those_of_the_folders(trained: Trained) -> None:
    assert list(trained.model.classes) == sorted(["_other_", *KINDS])


def test_a_node_of_readings_does_not_take_it(trained: Trained, tmp_path: Path) -> None:
    """Nor does it tell what it would take on one."""
    trained.save(tmp_path)
    run = CliRunner().invoke(app, ["estimate", str(tmp_path), "--board", "pico"])
    assert isinstance(run.exception, InputError) and "hears sounds" in str(run.exception)


def test_inspect_tells_how_it_hears(trained: Trained, tmp_path: Path) -> None:
    trained.save(tmp_path)
    run = CliRunner().invoke(app, ["inspect", str(tmp_path)])
    assert run.exit_code == 0 and "8,000 a second" in run.output and "row 0 band 0" not in run.output
