"""Whatever a model, a CSV, a node or a user names: no command gives a terminal anything to obey, a table a formula."""

import json
import signal
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from dibble_tools.cli.main import main
from dibble_tools.common.safe_text import json_text, shown
from dibble_tools.data.channels import Channel
from dibble_tools.families.forest.integer_trees import shift
from dibble_tools.model.writer import export, forest_spec
from helpers import integers_of
from live_bench import Node
from sklearn.tree import DecisionTreeClassifier

ESCAPE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"
SOFT = "\x9b31m\u202e"  # which a CSV may hold: one with an escape is taken for no text at all
FORMULA = "=cmd|' /C calc'!A0"
SOIL = f"soil{SOFT}"
OBEYED = ("Cc", "Cf", "Zl", "Zp", "Cs")  # categories of what isn't shown


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def run(capfd, monkeypatch, tmp_path) -> Callable[..., str]:
    """Return what runs a command and returns all that it wrote, held against what a terminal obeys."""
    monkeypatch.chdir(tmp_path)

    def ran(*words: str | Path) -> str:
        monkeypatch.setattr(sys, "argv", ["dibble", *map(str, words)])
        capfd.readouterr()
        try:
            main()
        except SystemExit as end:
            assert end.code in (None, 0, 1, 2), words
        said = "".join(capfd.readouterr())
        obeyed = {c for c in said if unicodedata.category(c) in OBEYED and c not in "\n\t"}
        assert not obeyed, (words, obeyed, said)
        assert said
        return said

    return ran


@pytest.fixture
def model(tmp_path) -> Path:
    """Return a model whose every name is hostile."""
    soil = np.arange(0, 1001)
    tree = DecisionTreeClassifier().fit(soil[:, None], np.where(soil < 400, "dry", "wet"))
    channels, classes = [Channel(SOIL, "permille", 1, 0, 0, 1000)], [FORMULA, f"wet{SOFT}"]
    path = tmp_path / "model.dib"
    path.write_bytes(export(forest_spec(f"field{ESCAPE}", channels, classes, shift(integers_of(tree), [0])), []))
    return path


@pytest.fixture
def table(tmp_path) -> Path:
    path = tmp_path / f"rows{ESCAPE}.csv"
    rows = [f"{i % 1000},{FORMULA if i % 1000 < 400 else 'wet' + SOFT}" for i in range(0, 9000, 37)]
    path.write_text("\n".join([f"{SOIL},label", *rows, ""]), encoding="utf-8")
    return path


MODEL_COMMANDS = [
    ["inspect"],
    ["inspect", "--json"],
    ["verify", "--vm", "wasi"],
    ["estimate", "--board", "pico"],
    ["estimate", "--board", "pico", "--json"],
    ["pack"],
    ["unroll"],
    ["lorawan"],
    ["export", "--to", "python", "--out", "exported"],
    ["export", "--to", "c", "--out", "exported_c"],
    ["microbit", "--out", "node"],
]


@pytest.mark.parametrize("words", MODEL_COMMANDS, ids=" ".join)
def test_a_models_names(run, model, words):
    run(words[0], model, *words[1:])


def test_a_models_names_in_a_deploy(run, model):
    run("deploy", "--port", f"/dev/nothing{ESCAPE}", "--model", model)


@pytest.mark.parametrize("words", [["predict"], ["evaluate"], ["evaluate", "--json"]], ids=" ".join)
def test_a_models_and_a_tables_names(run, model, table, words):
    run(words[0], model, table, *words[1:])


def test_predictions_hold_no_formula(run, model, tmp_path, monkeypatch):
    rows = tmp_path / "rows.csv"
    rows.write_text(f"{SOIL}\n1\n900\n", encoding="utf-8")
    assert "'=cmd" in run("predict", model, rows)
    monkeypatch.setattr(sys, "argv", ["dibble", "predict", str(model), str(rows), "--out", "out.csv"])
    with pytest.raises(SystemExit):
        main()
    written = (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert len(written.splitlines()) == 3 and "'=cmd" in written and ",=cmd" not in written
    assert not {c for c in written if unicodedata.category(c) in OBEYED and c != "\n"}


def test_training_on_hostile_names(run, table):
    run("train", table, "--budget", "3s", "--out", "made")


@pytest.mark.parametrize("words", [["monitor"], ["monitor", "--json"], ["collect", "--out", "a.csv", "--label", "dry"]])
def test_what_a_node_says(run, tmp_path, words):
    said = tmp_path / "console"
    node = Node("bed-1")
    said.write_bytes(node.event("fault", ESCAPE) + b"\x1b[31mraw\x9b\r\n" + node.say(300, 20))
    run(*words, "--from", said)


@pytest.mark.parametrize("words", [["nothing"], ["inspect"], ["train"], ["boards"], ["--no"], ["deploy", "--config"]])
def test_what_was_typed(run, words):
    run(*words, f"name{ESCAPE}")
    run(*words[:-1], f"{words[-1]}{ESCAPE}")


def test_shown_keeps_what_people_write():
    text = "Übung: 25\u00a0°C, 土, é\n\tnext"
    assert shown(text) == text
    assert shown("a\x1bb\x9bc\u202ed\ud800") == "a\ufffdb\ufffdc\ufffdd\ufffd"


def test_json_loses_nothing():
    value = {ESCAPE: [FORMULA, "é", "\ud800", None, 1.5]}
    assert json.loads(json_text(value)) == value
    assert json_text({"ü": 1}) == '{"ü": 1}'
    assert json_text(value).isprintable()
