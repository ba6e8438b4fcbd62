"""What training writes belongs together: a full disk leaves all of the old, a mixture is told."""

import json
import os
from pathlib import Path

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_together
from dibble_tools.model.host_model import CARD_FILE, MODEL_FILE, HostModel
from dibble_tools.studio.project import Project
from node_helpers import soil_model
from studio_process import write_project

FULL = OSError(28, "No space left on device")


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("full_at", range(4))
def test_a_full_disk_leaves_every_old_file(tmp_path, monkeypatch, full_at):
    files = {
        tmp_path / name: b"new " + name.encode() for name in ("report.html", "plots/a.png", "card.json", "model.dib")
    }
    write_together(dict.fromkeys(files, b"old"))
    (tmp_path / "notes.txt").write_text("somebody's own")
    before = content(tmp_path)
    calls = []

    def fsync(handle: int) -> None:
        calls.append(handle)
        if len(calls) == full_at + 1:
            raise FULL

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(InputError, match="expected a place to write to: No space left on device"):
        write_together(files, [tmp_path / "notes.txt"])
    assert content(tmp_path) == before
    monkeypatch.undo()
    write_together(files, [tmp_path / "notes.txt"])
    assert content(tmp_path) == {str(path.relative_to(tmp_path)): data for path, data in files.items()}


def test_another_models_card_is_told(tmp_path):
    blob, other = soil_model(400), soil_model(500)
    HostModel(other).save(tmp_path / MODEL_FILE)
    (tmp_path / CARD_FILE).write_text(json.dumps({"model": {"sha256": "0" * 64}}))
    for path in (tmp_path, tmp_path / MODEL_FILE):
        with pytest.raises(InputError, match=r"card.json: expected the card of model.dib beside it, by its sha256"):
            HostModel.open(path)
    (tmp_path / "other.dib").write_bytes(blob)
    assert HostModel.open(tmp_path / "other.dib").blob == blob
    (tmp_path / CARD_FILE).unlink()
    assert HostModel.open(tmp_path).blob == other


@pytest.mark.parametrize("card", ["", "[]", "{", "3", '{"model": []}', "[" * 100000])
def test_a_card_that_names_no_model_is_in_nobodys_way(tmp_path, card):
    HostModel(soil_model(400)).save(tmp_path / MODEL_FILE)
    (tmp_path / CARD_FILE).write_text(card)
    assert HostModel.open(tmp_path).classes


def test_the_studio_tells_nothing_of_another_models_card(tmp_path):
    project = write_project(tmp_path / "garden")
    folder = project / "models" / "field"
    HostModel(soil_model(400)).save(folder / MODEL_FILE)
    (folder / CARD_FILE).write_text(json.dumps({"model": {"sha256": "0" * 64}, "shortcut": "of another"}))
    assert Project(project).models()[0]["shortcut"] is None
