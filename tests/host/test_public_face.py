"""`from dibble_tools import convert, load, train`: typed, lazy, readable, and the same as the commands."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import dibble_tools
import numpy as np
import pandas as pd
import pytest
from dibble_tools import HostModel, InputError, Trained, convert, load, train
from dibble_tools.cli import train as command
from sklearn.ensemble import RandomForestClassifier

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
# Plural or in another unit where a program gives lists and numbers; files are what only the command reads or writes.
SAME = {"channel": "channels", "test_group": "test_groups", "cost": "costs", "budget": "budget_s", "files": "data"}
OF_OTHER_SENSES = {"sound", "own", "speaker", "rate", "teacher", "images", "size", "grey", "flip"}
COMMANDS_OWN = {"context", "out", "dask"} | OF_OTHER_SENSES
PROGRAMS_OWN = {"progress"}
CHANNELS = ["soil=permille:1", "air=c:0.1"]


@pytest.fixture(scope="module")
def readings() -> pd.DataFrame:
    draw = np.random.default_rng(8)
    soil, air = draw.integers(0, 1000, 300), draw.integers(-50, 400, 300) / 10
    return pd.DataFrame({"soil": soil, "air": air, "state": np.where(soil < 300 + 4 * air, "dry", "wet")})


@pytest.fixture(scope="module")
def trained(readings: pd.DataFrame) -> Trained:
    return train(readings, "state", channels=CHANNELS, recipe="voting:3x8@2", jobs=1, name="bed")


def test_importing_it_imports_nothing_heavy() -> None:
    code = "import sys, dibble_tools; print(*({'numpy', 'sklearn', 'pandas', 'typer'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_its_names_are_what_it_says() -> None:
    assert set(dibble_tools.__all__) <= set(dir(dibble_tools))
    assert all(inspect.getdoc(getattr(dibble_tools, name)) for name in dibble_tools.__all__)
    with pytest.raises(AttributeError, match="'dibble_tools' has no attribute 'plant'"):
        _ = dibble_tools.plant  # type: ignore[attr-defined]


def test_train_takes_what_the_command_takes() -> None:
    options = {SAME.get(name, name) for name in inspect.signature(command.train).parameters}
    assert options - COMMANDS_OWN == set(inspect.signature(train).parameters) - PROGRAMS_OWN


def test_train_and_the_command_have_the_same_defaults() -> None:
    options = {SAME.get(name, name): p.default for name, p in inspect.signature(command.train).parameters.items()}
    options["budget_s"] = float(str(options["budget_s"]).removesuffix("s"))
    mine = {name: p.default for name, p in inspect.signature(train).parameters.items()}
    assert [name for name in mine if name in options and (mine[name] or None) != (options[name] or None)] == []


def test_a_frame_trains_as_the_file_of_it_does(readings: pd.DataFrame, trained: Trained, tmp_path: Path) -> None:
    readings.to_csv(tmp_path / "bed.csv", index=False)
    again = train(
        tmp_path / "bed.csv", "state", channels=["soil=permille:1", "air=c:0.1"], recipe="voting:3x8@2", jobs=1
    )
    assert again.model.blob == trained.model.blob


def test_files_are_lined_up_by_name(readings: pd.DataFrame, tmp_path: Path) -> None:
    named = readings.rename(columns={"state": "label"})
    named[:150].to_csv(tmp_path / "bed.csv", index=False)
    named.loc[150:, ["label", "air", "soil"]].to_csv(tmp_path / "more.csv", index=False)
    both = train([tmp_path / "bed.csv", tmp_path / "more.csv"], channels=CHANNELS, recipe="voting:3x8@2", jobs=1)
    assert both.card["data"]["rows"] == 300
    assert both.card["data"]["rows_of_each_class"] == readings["state"].value_counts().to_dict()


def test_what_is_saved_is_loaded(readings: pd.DataFrame, trained: Trained, tmp_path: Path) -> None:
    trained.save(tmp_path)
    model = load(tmp_path)
    assert model.blob == trained.model.blob
    assert json.loads((tmp_path / "card.json").read_text()) == trained.card
    assert (tmp_path / "report.html").is_file()
    values = readings[[channel.name for channel in model.channels]].to_numpy()
    assert model.predict(values).tolist() == trained.model.predict(values).tolist()


def test_reprs_are_for_people(trained: Trained, readings: pd.DataFrame) -> None:
    model = trained.model
    assert (
        repr(model)
        == f"<HostModel 'bed': forest, {len(model.blob)} bytes; decides dry, wet from soil (permille), air (c)>"
    )
    rows = trained.card["held_out"]["integer_model"]["rows"]
    assert repr(trained).startswith("<Trained voting:3x8@2: ")
    assert f" of {rows} rows held out right; <HostModel 'bed': " in repr(trained)
    wide = convert(RandomForestClassifier(2, max_depth=3).fit(np.eye(12), range(12)), np.eye(12))
    assert "decides 0, 1, 2, 3, 4, 5, 6, 7 and 4 more from x0, x1, x2, x3, x4, x5, x6, x7 and 4 more>" in repr(wide)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"data": 5}, "expected paths of CSV files or a DataFrame, got 5"),
        ({"data": "nowhere.csv"}, "expected a CSV file, found nothing at nowhere.csv"),
        ({"label": "stat"}, "expected a column 'stat' (--label), there are: soil, air, state. Did you mean 'state'?"),
        ({"family": "tree"}, "--family: expected auto, mlp, forest, additive; got 'tree'"),
        ({"max_us": 5.0}, "--max-us: expected --board too"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_what_has_to_change_is_an_input_error(wrong: dict, told: str, readings: pd.DataFrame) -> None:
    with pytest.raises(InputError) as raised:
        train(**{"data": readings, "label": "state", **wrong})
    assert told in str(raised.value)


def test_a_damaged_file_is_refused(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "model.dib").write_bytes(trained.model.blob[:-1])
    with pytest.raises(InputError, match=r"model\.dib"):
        load(tmp_path)


def test_a_missing_package_is_an_import_error_with_its_command() -> None:
    code = "import sys; sys.modules['sklearn'] = None; from dibble_tools import convert"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.endswith("expected the package sklearn for this, found none: pip install 'dibble[train]'"), done.stderr


PLANTED = """\
from dibble_tools import HostModel, convert, load, train

model: HostModel = load("models/digits")
share: int = load("models/digits")
train("field.csv", labels="state")
convert()
"""


def test_types_reach_who_imports_it(tmp_path: Path) -> None:
    """mypy finds the three mistakes of a file that isn't dibble's own, and only those."""
    (tmp_path / "mine.py").write_text(PLANTED)
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(tmp_path / "mine.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250, check=False)
    found = [line.split(":")[1] for line in done.stdout.splitlines() if " error: " in line]
    assert found == ["4", "5", "6"], done.stdout + done.stderr
    assert HostModel.__name__ in done.stdout
