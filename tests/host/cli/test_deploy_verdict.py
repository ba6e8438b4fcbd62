"""`dibble deploy` and a model of which its card says not to rely on it: it asks, and refuses where nobody answers."""

import hashlib
import json

import pytest
from dibble_tools.cli import deploy as command
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from node_helpers import soil_model
from typer.testing import CliRunner

NEVER = {"rely": False, "words": "Don't rely on this model: it was recorded in one go.", "reasons": ["so"]}


@pytest.fixture
def folder(tmp_path):
    """Return a model's folder whose card says not to rely on it."""
    blob = soil_model(600)
    (tmp_path / "model.dib").write_bytes(blob)
    write_card(tmp_path, {"model": {"sha256": hashlib.sha256(blob).hexdigest()}, "verdict": NEVER})
    return tmp_path


def write_card(folder, card):
    (folder / "card.json").write_text(json.dumps(card))


def deploy(folder, *more, answer=None):
    """Run the command at a port that isn't there: what it says of that is said after the question."""
    return CliRunner().invoke(app, ["deploy", "--port", "/dev/null/none", "--model", str(folder), *more], answer)


def test_without_a_terminal_it_is_refused_with_how_to_go_on(folder):
    found = deploy(folder)
    assert isinstance(found.exception, InputError)
    assert str(found.exception) == (f"{folder}: its card says: {NEVER['words']} To deploy it all the same, add --yes")


@pytest.mark.parametrize("more", [["--yes"], ["--dry-run"]])
def test_told_to_it_goes_on_without_a_question(folder, more):
    assert "card" not in str(deploy(folder, *more).exception)


def test_at_a_terminal_it_asks_and_takes_no_for_an_answer(folder, monkeypatch):
    monkeypatch.setattr(command, "at_a_terminal", lambda: True)
    no = deploy(folder, answer="\n")
    assert no.exit_code == 1
    assert NEVER["words"] in " ".join(no.output.split()) and "nothing is written" in no.output
    yes = deploy(folder, answer="y\n")
    assert isinstance(yes.exception, InputError) and "card" not in str(yes.exception)


@pytest.mark.parametrize(
    "card",
    [
        {"verdict": NEVER},  # names no model
        {"model": {"sha256": "0" * 64}, "verdict": NEVER, "of": "another file"},
        [],
        {"model": 3},
    ],
)
def test_a_card_that_is_not_the_models_own_is_not_asked(folder, card):
    write_card(folder, card)
    (folder / "copy.dib").write_bytes((folder / "model.dib").read_bytes())
    assert "card says" not in str(deploy(folder / "copy.dib").exception)


@pytest.mark.parametrize("more", [{"held_out": 3}, {"verdict": 7}, {"split": []}, {"held_out": {"integer_model": "x"}}])
def test_a_card_by_another_hand_stops_nothing(folder, more):
    card = json.loads((folder / "card.json").read_text())
    del card["verdict"]
    write_card(folder, card | more)
    assert "card says" not in str(deploy(folder).exception)
    assert isinstance(deploy(folder).exception, InputError)


def test_of_an_older_card_the_figures_are_taken(folder):
    """It was written before cards had a verdict."""
    card = json.loads((folder / "card.json").read_text())
    del card["verdict"]
    result = {"accuracy": 0.7, "rows": 100, "labels": ["a", "b"], "confusion": [[70, 0], [30, 0]]}
    write_card(folder, card | {"held_out": {"integer_model": result}})
    assert "Always saying 'a', the commonest class" in str(deploy(folder).exception)
