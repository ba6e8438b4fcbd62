"""A folder of clips becomes a network over the stream, its card and report; and wrong inputs."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.data.sound import compose
from dibble_tools.data.sound.augment import noisy
from dibble_tools.data.sound.clips import read_clips
from dibble_tools.data.sound.compose import OCTAVE, Composer, clip_rows
from dibble_tools.data.sound.front_end import settings_for
from dibble_tools.families.stream.network import hops_seen
from dibble_tools.families.stream.rounding import cut_at, integer_net, tables_of, together
from dibble_tools.families.stream.training import shapes_for
from dibble_tools.model.hearing import ACTS, REST_MS, hear
from dibble_tools.model.limits import Limits
from dibble_tools.report.plots import pictures
from dibble_tools.training.result import Trained
from dibble_tools.training.sound import train_sound
from dibble_tools.training.sound_options import SoundOptions
from dibble_tools.training.sound_stream import ALARM_SHARE, judge_stream, margin_of
from dibble_tools.training.sound_teacher import mfcc
from sounds import KINDS, RATE_HZ, clips_folder, sound, stream, write_wav

QUICK = SoundOptions(rate_hz=RATE_HZ, frame=256, family="stream", limits=Limits(max_bytes=2500), rounds=150)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of three sounds by four machines, and quiet ones on which nothing is done."""
    folder = clips_folder(tmp_path_factory.mktemp("streams") / "farm", 16)
    rng = np.random.default_rng(9)
    for i in range(16):
        write_wav(folder / "_silence_" / f"{'abcd'[i % 4]}_{i}.wav", rng.normal(0, 10 ** rng.uniform(0.7, 2), RATE_HZ))
    return folder


@pytest.fixture(scope="module")
def trained(farm: Path) -> Trained:
    return train_sound(farm, QUICK)


def test_sounds_that_differ_are_known_in_a_stream_of_machines_never_heard(trained: Trained) -> None:
    card = trained.card
    assert card["held_out"]["integer_model"]["accuracy"] >= 0.85
    assert card["split"]["how"].startswith("group") and card["model"]["family"] == "stream"
    assert [row["db"] for row in card["sound"]["noise"]] == [20, 10, 5]
    assert trained.model.content.parts == ("cells", "frames") and len(trained.model.blob) <= 2500
    assert trained.model.content.golden and any("rounds" in note for note in trained.notes)


def test_the_tables_are_as_good_as_their_float_network(trained: Trained) -> None:
    held_out = trained.card["held_out"]
    assert held_out["integer_model"]["accuracy"] >= held_out["float_network"]["accuracy"] - 0.1


def test_what_is_judged_depends_on_the_clips_alone(trained: Trained) -> None:
    rng = np.random.default_rng(3)
    kinds = rng.integers(0, 3, 40)
    clips = [np.clip(sound(KINDS[k], rng), -32768, 32767).astype(np.int16) for k in kinds]
    y = np.array([trained.model.classes.index(KINDS[k]) for k in kinds])
    right = judge_stream(trained.model, clips, y, np.random.default_rng(0)).correct.mean()
    assert right >= 0.85
    assert judge_stream(trained.model, clips, (y + 1) % 4, np.random.default_rng(0)).correct.mean() <= 1 - right


def test_it_acts_when_a_class_is_held_and_then_rests(trained: Trained) -> None:
    heard = [h for h in hear(trained.model, stream(["rising", "hiss", "falling"] * 3)) if h.fate == ACTS]
    assert {h.label for h in heard} == set(KINDS)
    assert all(b.end_s >= a.end_s + REST_MS / 1000 for a, b in pairwise(heard))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"family": "forest"}, "--family: expected auto, mlp or stream"),
        ({"own": True}, "--own: expected single sounds"),
        ({"limits": Limits(max_bytes=300)}, "room for a network over the stream"),
        ({"family": "mlp", "teacher": Path("x.tflite")}, "--teacher: expected --family stream"),
        ({"teacher": Path("x.tflite")}, "expected classes that it knows"),
    ],
)
def test_what_is_asked_for_has_to_go_together(farm: Path, changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        train_sound(farm, replace(QUICK, **changes))


def test_pieces_end_where_their_clips_do(farm: Path) -> None:
    """Without noise, shifts and masks the last rows are those of the clip."""
    clips = read_clips(farm, RATE_HZ).clips
    settings = settings_for(RATE_HZ, 256, 200, 12)
    y = np.zeros(len(clips), int)
    rng = np.random.default_rng(0)
    rows = clip_rows([clip.samples for clip in clips], y, settings, [], rng, lambda copies: copies < 1)
    assert len(rows.codes) == 2 and rows.of(3).shape == (39, 12)
    assert np.array_equal(rows.of(3), rows.codes[0, rows.starts[3] : rows.starts[3] + rows.lengths[3]])
    composer = Composer(rows, np.arange(len(y)), 60, np.random.default_rng(1))
    pieces = composer.pieces(np.arange(len(y)))
    assert pieces.shape == (60, len(y), 12) and pieces.min() >= 0 and pieces.max() <= 255
    loud = np.array([rows.of(i).max() for i in range(len(y))])
    assert np.corrcoef(loud, pieces.max(axis=(0, 2)))[0, 1] > 0.2


def test_around_idle_sounds_are_idle_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loud commands never get into a piece that is to be known as one on which nothing is done, wherever it ends."""
    monkeypatch.setattr(compose, "ANYWHERE", 1.0)
    lengths = np.full(30, 20)
    y = np.arange(30) % 2  # 1: idle, faint
    codes = np.repeat(np.where(y == 1, 30, 250), 20)[:, None].repeat(8, axis=1).astype(np.uint8)
    noise = np.full((50, 8), 30, np.uint8)
    rows = compose.ClipRows(codes[None], np.cumsum(lengths) - lengths, lengths, y, noise)
    composer = Composer(rows, np.arange(30), 50, np.random.default_rng(3), y == 1)
    pieces = composer.pieces(np.arange(30))
    assert pieces[:, y == 1].max() < 130 and pieces[:, y == 0].max() > 180
    composer = Composer(rows, np.arange(30), 50, np.random.default_rng(3))
    assert composer.pieces(np.arange(30))[:, y == 1].max() > 180, "by themselves, anything lies around them"


def test_the_margin_of_few_alarms_isnt_that_of_a_single_clip() -> None:
    rng = np.random.default_rng(8)
    alarms = np.full(20_000, -1)
    alarms[:1000] = rng.exponential(150, 1000)
    margin = margin_of(alarms)
    assert margin == pytest.approx(150 * np.log(0.05 / ALARM_SHARE), rel=0.2)
    alarms[1000:1030] = 5000  # a clip that is taken for a command for as long as it lasts
    assert margin_of(alarms) < 1.5 * margin and np.sort(alarms)[-1 - int(ALARM_SHARE * len(alarms))] == 5000
    assert margin_of(np.full(500, -1)) == 0


def test_two_sounds_in_a_band_add_their_powers() -> None:
    """Codes as the front end has them of a noise, of another as loud, and of both: half an octave more."""
    rng = np.random.default_rng(2)
    settings = settings_for(16_000, 512, 512, 12)
    from dibble_tools.data.sound.segments import rows_of

    a, b = (rng.normal(0, 1500, 200_000).astype(np.int16) for _ in range(2))
    apart, both = rows_of(a, settings).mean(axis=0), rows_of(a + b, settings).mean(axis=0)
    assert np.abs(both - apart - OCTAVE / 2).max() < 1.5
    one = np.zeros(1, int)
    composer = Composer(clip_rows([a], one, settings, [], rng, lambda copies: False), one, 9, rng)
    assert composer.sum_of[0] == OCTAVE / 2 and composer.sum_of[511] < 0.01
    assert noisy(a, [], 10, rng).dtype == np.int16


def test_integers_do_what_the_floats_did() -> None:
    """An untrained network, of weights of 8 bits: its scores follow the float network's."""
    from dibble_tools.families.stream.network import Tape, new_net

    rng = np.random.default_rng(5)
    shapes = shapes_for(4, 16, 0.025, bits=8)
    net = new_net(9, shapes, rng)
    x = rng.integers(0, 256, (hops_seen(shapes, 20), 30, 9)).astype(np.float32)
    inputs = (x - np.float32(120)) / np.float32(40)
    for _ in range(60):
        Tape(net, inputs, training=True)
    integer = integer_net(net, x, 120.0)
    pairs = []
    for own, given in ((net, inputs), (integer, x)):
        logits = Tape(own, given, training=False).out.reshape(-1, 4)
        pairs.append((logits - logits.mean(axis=1, keepdims=True)).ravel())
    assert np.corrcoef(*pairs)[0, 1] > 0.97
    tables_of(integer)


def test_coarse_steps_err_less_where_the_largest_weights_are_cut() -> None:
    weights = np.random.default_rng(4).normal(size=(200, 6)) * np.arange(1, 7)
    weights[0] = [9.0, -12, 0, 7, 30, -5]
    largest = np.abs(weights).max(axis=0)

    def error(most: np.ndarray) -> np.ndarray:
        steps = most / 7
        return ((np.clip(np.rint(weights / steps), -8, 7) * steps - weights) ** 2).sum(axis=0)

    cut = cut_at(weights, largest, -8, 7)
    assert (error(cut) <= error(largest)).all() and (cut < largest).sum() >= 3
    exact = np.arange(-7, 8)[:, None] * np.array([[0.5, 3.0]])
    assert np.array_equal(cut_at(exact, np.abs(exact).max(axis=0), -8, 7), [3.5, 21.0]), "where nothing is rounded"


def test_rounding_errors_make_up_for_each_other() -> None:
    """What a unit sums up of inputs that go together is nearer to the truth than with each weight rounded by itself."""
    rng = np.random.default_rng(6)
    inputs = rng.normal(size=(4000, 3)) @ rng.normal(size=(3, 24)) + 0.2 * rng.normal(size=(4000, 24))
    weights = rng.uniform(-8, 7, (24, 10))
    rounded = together(weights, np.cov(inputs.T), -8, 7)
    assert np.array_equal(rounded, np.rint(rounded)) and rounded.min() >= -8 and rounded.max() <= 7

    def error(own: np.ndarray) -> float:
        return float(((inputs @ (own - weights)) ** 2).mean())

    assert error(rounded) < 0.5 * error(np.rint(weights))
    apart = together(weights, np.diag(rng.uniform(1, 2, 24)), -8, 7)
    assert np.array_equal(apart, np.clip(np.rint(weights), -8, 7)), "inputs that don't go together"
    assert np.array_equal(together(rounded, np.zeros((24, 24)), -8, 7), rounded), "nothing was heard"


@pytest.mark.parametrize(("clip_s", "hop_s"), [(1.0, 0.025), (1.0, 0.032), (3.0, 0.04), (5.0, 0.04)])
def test_a_network_sees_about_a_clip(clip_s: float, hop_s: float) -> None:
    assert 0.8 * clip_s <= hops_seen(shapes_for(10, 16, hop_s, clip_s=clip_s)) * hop_s <= 1.4 * clip_s


def test_long_sounds_are_heard_in_longer_frames() -> None:
    options = SoundOptions(family="stream")
    one, five = options.sense(16_000, 1.0).front_end, options.sense(16_000, 5.0).front_end
    assert (one.size, one.hop, five.size, five.hop) == (512, 400, 1024, 640)
    assert replace(options, hop=400).sense(16_000, 5.0).front_end == one
    assert replace(options, family="mlp").sense(16_000, 5.0) == replace(options, family="mlp").sense(16_000)
    assert options.sense(8_000).front_end.size == 256


def test_coefficients_are_those_of_a_tone() -> None:
    """By definition, one at a time: Hann, a spectrum of 512, 40 triangles in mel, logarithm, cosine transform."""
    at = np.arange(16_000)
    tone = 9000 * np.sin(2 * np.pi * 700 * at / 16_000) * (at > 5000)
    found = mfcc(tone)
    assert found.shape == (49, 10)
    frame = tone[20 * 320 : 20 * 320 + 480] / np.abs(tone).max()
    window = [0.5 - 0.5 * np.cos(2 * np.pi * i / 480) for i in range(480)]
    angles = [2 * np.pi * k * np.arange(480) / 512 for k in range(257)]
    spectrum = [abs(np.sum(frame * window * np.exp(-1j * angle))) for angle in angles]
    low, high = 1127 * np.log(1 + 20 / 700), 1127 * np.log(1 + 4000 / 700)
    edges = [low + i * (high - low) / 41 for i in range(42)]
    levels = []
    for band in range(40):
        left, middle, right = edges[band : band + 3]
        total = 0.0
        for k in range(1, 257):
            mel = 1127 * np.log(1 + k * 8000 / 256 / 700)
            total += spectrum[k] * max(0.0, min((mel - left) / (middle - left), (right - mel) / (right - middle)))
        levels.append(np.log(total + 1e-6))
    for c in range(10):
        wanted = 2 * sum(level * np.cos(np.pi * c * (2 * n + 1) / 80) for n, level in enumerate(levels)) / np.sqrt(80)
        assert found[20, c] == pytest.approx(wanted, abs=1e-6)


def test_what_is_confused_is_drawn() -> None:
    rng = np.random.default_rng(1)
    told = [{"name": name, "rows": [bytes(row).hex() for row in rng.integers(0, 256, (30, 20))]} for name in ("a", "b")]
    assert "spectrograms" in pictures({"sound": {"spectrograms": told}})
    assert "spectrograms" not in pictures({"sound": {"spectrograms": []}})
