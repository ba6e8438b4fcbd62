"""The shipped model of four words: what it is made of, and that VMs decide as the host."""

from pathlib import Path

import numpy as np
import pytest
from dibble_tools.common.shipped import MODELS
from dibble_tools.data.sound.clips import Clip, Clips
from dibble_tools.demo import words_model
from dibble_tools.demo.words_model import OTHER, QUIET, WORDS, four_words
from dibble_tools.machines.replay import on_unix, on_wasi
from dibble_tools.model.host_model import HostModel, card_beside


def test_every_vm_decides_as_the_host() -> None:
    model = HostModel.open(MODELS / "four_words")
    rng = np.random.default_rng(4)
    loud = np.cumsum(rng.normal(0, 9, (90, 20)), axis=0) + 120 + 60 * np.sin(np.arange(90) / 6)[:, None]
    rows = np.clip(np.rint(loud), 0, 255).astype(np.int64)
    expected = model.decide(rows).columns()
    assert len(np.unique(expected[:, 0])) > 2
    for replay in (on_unix(model, rows, None, viper=True), on_wasi(model, rows, None)):
        assert np.array_equal(replay.decisions.columns(), expected)


def test_nothing_is_silence() -> None:
    model = HostModel.open(MODELS / "four_words")
    decided = model.decide(np.zeros((80, 20), np.int64))
    assert model.classes[decided.class_index[-1]] == QUIET


def test_its_card_tells_the_licence() -> None:
    assert "CC BY 4.0" in card_beside(MODELS / "four_words")["data"]["licence"]


def test_half_of_the_other_words_are_one_class() -> None:
    labels = [*WORDS, QUIET, *["up", "down"] * 4]
    clips = [Clip(f"{label}/{i}", np.zeros(1, np.int16), label, str(i)) for i, label in enumerate(labels)]
    made = four_words(Clips("words", 16_000, clips, [], "", "", []))
    assert sorted(clip.label for clip in made.clips) == sorted([*WORDS, QUIET, *[OTHER] * 4])


def test_of_other_words_the_teacher_says_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = [*WORDS, QUIET, "down", "up", "down"]
    clips = [Clip(f"{label}/{i}", np.zeros(1, np.int16), label, str(i)) for i, label in enumerate(labels)]
    whole = Clips("words", 16_000, clips, [], "", "", [])
    told = np.random.default_rng(0).dirichlet(np.ones(len(whole.classes)), len(labels))
    monkeypatch.setattr(words_model, "soft_labels", lambda *named: told)
    soft = words_model.soft_labels_of(Path("kws.tflite"), whole)
    rows = [0, 1, 2, 3, 4, 5, 7]  # each second other word
    left, down, up = (whole.classes.index(name) for name in ("left", "down", "up"))
    classes = four_words(whole).classes
    assert np.allclose(soft[:, classes.index("left")], told[rows, left])
    assert np.allclose(soft[:, classes.index(OTHER)], told[rows, down] + told[rows, up])
    assert np.allclose(soft.sum(axis=1), 1)
