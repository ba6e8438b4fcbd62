"""Takes of sounds on the page: recorded by `collect --sound`'s code, drawn, handed out and deleted, and none other."""

import json
import re
import wave

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.console.sound_takes import RATE_HZ, Chunk, Takes, collect_sound, from_board, to_train
from dibble_tools.link.session import RemoteError
from dibble_tools.studio import record_job, train_job
from dibble_tools.studio.project import Project
from dibble_tools.studio.server import documents_of
from dibble_tools.studio.state import State
from dibble_tools.studio.studio import Studio
from dibble_tools.studio.takes_folder import HEIGHT, WIDTH, TakesFolder
from sounds import clips_folder, write_wav
from studio_process import write_project

HOP = 256
MICROPHONE = {"driver": "i2s_mic", "sck": 16, "ws": 17, "sd": 18}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = write_project(tmp_path / "yard")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "listen": MICROPHONE}))
    return Project(folder)


@pytest.fixture
def studio(project):
    made = Studio(project)
    yield made
    made.close()


@pytest.fixture
def told(monkeypatch):
    said = []
    monkeypatch.setattr(record_job, "tell", lambda **line: said.append(line))
    return said


def quiet(seconds):
    return np.random.default_rng(1).normal(0, 20, round(seconds * RATE_HZ)).astype(np.int16)


def word():
    return (8000 * np.sin(np.arange(RATE_HZ // 2) / 3)).astype(np.int16)


def played(*parts):
    """Return what stands for a board's microphone: it hears these samples, of each of which so many before are lost."""

    def chunks(port):
        for samples, lost in parts:
            for at in range(0, len(samples), HOP):
                yield Chunk(samples[at : at + HOP], lost if at == 0 else 0)

    return chunks


def asked(project, **more):
    wish = {"port": "v", "folder": str(project.folder / "clips"), "label": "water", "speaker": "me", "take_s": 1.0}
    return {**wish, "count": 5, "at_once": False, **more}


def test_said_five_times_it_is_five_files_as_collect_writes_them(project, told, monkeypatch, tmp_path):
    parts = [(quiet(1.5), 0)] + [(word(), 0), (quiet(1.5), 0)] * 6
    monkeypatch.setattr(record_job, "from_board", played(*parts))
    result = record_job.work(asked(project))
    assert result["words"] == ["5 takes are written, of 5: “water” has 5 now."]
    steps = [line["step"] for line in told if "step" in line]
    assert steps[1].startswith("be quiet for a second")
    assert [s for s in steps if s.endswith("say it now")] == [f"“water”, {k} of 5: say it now" for k in range(1, 6)]
    takes = Takes(tmp_path / "collected", "me", 1.0)
    collect_sound(played(*parts)(""), takes, {}, "water", None, lambda text: None, 5)
    for k in range(5):
        name = f"water/me_{k}.wav"
        assert (project.folder / "clips" / name).read_bytes() == (tmp_path / "collected" / name).read_bytes()


def test_without_a_sound_takes_follow_each_other(project, told, monkeypatch):
    monkeypatch.setattr(record_job, "from_board", played((quiet(4), 0)))
    result = record_job.work(asked(project, label="_noise", count=2, at_once=True))
    assert result["words"] == ["2 takes are written, of 2: “_noise” has 2 now."]


def test_lost_samples_and_silence_are_told(project, told, monkeypatch):
    parts = [(quiet(1.5), 0), (word()[:2048], 0), (word()[:2048], 40), (quiet(1.5), 0), (word(), 0), (quiet(1.5), 0)]
    monkeypatch.setattr(record_job, "from_board", played(*parts))
    words = record_job.work(asked(project, count=1))["words"]
    assert words[1] == "40 samples were lost; takes that weren't whole for it, so not written: 1."
    assert {"log": "not written: a take of “water”, of which samples were lost; 40 in all"} in told
    assert any("samples of the last take were lost, say it again" in line.get("step", "") for line in told)
    monkeypatch.setattr(record_job, "from_board", played((quiet(3), 0)))
    assert "No sound stood out" in record_job.work(asked(project, count=1))["words"][1]


def test_a_board_without_a_microphone_is_said_in_words(project, told, monkeypatch):
    class Bare:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def run(self, *_, **__):
            raise RemoteError("ValueError: expected config.listen, which names the microphone, got none")

    monkeypatch.setattr(record_job, "from_board", lambda port: from_board(port, lambda _: Bare()))
    with pytest.raises(InputError, match=r"a microphone in `listen` of its config\.json, got: ValueError"):
        record_job.work(asked(project))
    assert not (project.folder / "clips").exists()


@pytest.mark.parametrize("label", ["", "../x", "a/../../x", "/etc", "skip", "=cmd()", 7])
def test_a_name_that_is_no_folder_in_clips_is_refused(studio, label):
    with pytest.raises(InputError, match="expected"):
        studio.actions["record"]({"label": label, "take_ms": 1000, "count": 1})


def test_takes_are_counted_drawn_handed_out_and_deleted(studio, project):
    for name, peak in (("water/me_0", 16384), ("water/me_1", 0), ("stop/me_0", 100)):
        (project.folder / "clips" / name).parent.mkdir(parents=True, exist_ok=True)
        write_wav(project.folder / "clips" / f"{name}.wav", np.resize([peak, -peak], 8000), RATE_HZ)
    studio.actions["look_at_files"]({})
    clips = studio.state.get("clips")
    assert [label["words"] for label in clips["labels"]] == ["1 take", "2 takes"]
    assert (clips["microphone"], clips["next"]) == ("i2s_mic", "dibble train clips --sound --own")
    assert {take["name"] for take in clips["takes"]} == {"water/me_0.wav", "water/me_1.wav", "stop/me_0.wav"}
    documents = documents_of(studio)
    picture = documents["waveform"]("water/me_0.wav", {})[0].decode()
    spans = re.findall(r"M[\d.]+ ([\d.]+)V([\d.]+)", picture)
    assert len(spans) == WIDTH
    assert {(float(top), float(low)) for top, low in spans} == {(HEIGHT / 4 - 0.5, 3 * HEIGHT / 4 + 0.5)}
    path, kind, _ = documents["take"]("water/me_0.wav", {})
    with wave.open(str(path)) as file:
        assert (kind, file.getframerate()) == ("audio/wav", RATE_HZ)
    studio.actions["delete_take"]({"take": "stop/me_0.wav"})
    assert not (project.folder / "clips" / "stop").exists()
    assert [label["name"] for label in studio.state.get("clips")["labels"]] == ["water"]


@pytest.mark.parametrize("name", ["../config.json", "water/../../config.json", "linked/a.wav", "", "water", None])
def test_no_name_leads_to_another_file(project, tmp_path, name):
    outside = tmp_path / "outside"
    outside.mkdir()
    write_wav(outside / "a.wav", np.zeros(80), RATE_HZ)
    (project.folder / "clips").mkdir()
    (project.folder / "clips" / "linked").symlink_to(outside)
    clips = TakesFolder(project, State())
    for act in (clips.path, clips.delete, clips.waveform):
        with pytest.raises(InputError, match="expected a take that is in clips/"):
            act(name)
    assert (outside / "a.wav").exists() and project.config.exists()


def test_a_file_that_is_no_sound_is_said(project):
    (project.folder / "clips" / "water").mkdir(parents=True)
    (project.folder / "clips" / "water" / "me_0.wav").write_bytes(b"RIFF")
    with pytest.raises(InputError, match="expected"):
        TakesFolder(project, State()).waveform("water/me_0.wav")


def test_few_takes_are_judged_one_by_one():
    assert to_train("clips", {"a": 20, "b": 19}) == "dibble train clips --sound --own"
    assert to_train("clips", {"a": 20, "b": 20}) == "dibble train clips --sound"


def test_the_takes_become_a_model_of_the_project(studio, project, monkeypatch):
    jobs, said = [], []
    monkeypatch.setattr(studio._jobs, "start", lambda kind, module, asked, after: jobs.append((kind, module, asked)))
    monkeypatch.setattr(train_job, "tell", lambda **line: said.append(line))
    wish = {"name": "sounds", "budget_s": 1, "max_bytes": 2048}
    with pytest.raises(InputError, match="expected takes of two sounds or more in clips/, got 0: record another"):
        studio.actions["train_sounds"](wish)
    with pytest.raises(InputError, match="expected a name of at most 32 letters"):
        studio.actions["train_sounds"]({**wish, "name": "../x"})
    clips_folder(project.folder / "clips", 8)
    studio.actions["train_sounds"](wish)
    ((kind, module, asked),) = jobs
    assert (kind, module, asked["own"]) == ("train_sounds", "dibble_tools.studio.train_job", True)
    result = train_job.work(asked)
    assert any("the node's microphone has as many" in line.get("log", "") for line in said)
    (made,) = project.models()
    assert made["name"] == "sounds" and made["has_report"] and made["verdict"] == result["words"][0]
    assert result["words"][1].startswith("On 24 clips that were kept from it, it is right ")
