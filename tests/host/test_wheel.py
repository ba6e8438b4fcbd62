"""What is installed from a wheel, in an empty folder with the clone out of reach, does what the clone does."""

import csv
import json
import random
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from wheel import ROOT, InstalledWheel, built, unpacked_sdist

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("build_wheel", tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> InstalledWheel:
    return InstalledWheel(wheel, tmp_path_factory.mktemp("away"))


@pytest.fixture(scope="module")
def trained(installed: InstalledWheel) -> str:
    """Train on 400 readings of a bed; return the model's folder."""
    draw = random.Random(3)
    with (installed.cwd / "bed.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["soil", "air", "label"])
        for _ in range(400):
            soil, air = draw.randrange(1000), draw.randrange(400)
            rows.writerow([soil, air, "dry" if soil < 300 + air // 4 else "wet"])
    channels = ("--channel", "soil=permille:1", "--channel", "air=permille:1")
    installed.dibble("train", "bed.csv", "--label", "label", "--recipe", "voting:3x8@2", "--jobs", "1", *channels)
    return "models/bed"


def test_the_wheel_holds_every_file_that_commands_need(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    here = {}
    for folder, place in (
        ("host_tools/dibble_tools", "dibble_tools"),
        ("firmware/lib/dibble", "dibble"),
        ("boards", "dibble_tools/shipped/boards"),
    ):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                here[f"{place}/{path.relative_to(ROOT / folder).as_posix()}"] = path
    here |= {f"dibble_tools/shipped/firmware/{path.name}": path for path in (ROOT / "firmware").glob("*.py")}
    here |= {f"dibble_tools/shipped/models/{p.parent.name}/model.dib": p for p in (ROOT / "models").glob("*/model.dib")}
    assert sorted(set(here) - names) == []
    with zipfile.ZipFile(wheel) as archive:
        assert [name for name, path in here.items() if archive.read(name) != path.read_bytes()] == []


def test_type_marker_stays_on_the_host(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.endswith("py.typed")] == ["dibble_tools/py.typed"]


def test_the_sdist_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = built("build_sdist", tmp_path)
    source = unpacked_sdist(sdist, tmp_path / "source")
    (tmp_path / "dist").mkdir()
    again = built("build_wheel", tmp_path / "dist", source)
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_what_runs_is_what_the_wheel_holds(installed: InstalledWheel) -> None:
    code = "import dibble, dibble_tools; print(dibble.__file__, dibble_tools.__file__)"
    for path in installed.python(code).split():
        assert Path(path).is_relative_to(installed.packages)
    assert installed.dibble("--version") == "dibble 0.1.0\n"


def test_boards_are_those_of_the_clone(installed: InstalledWheel) -> None:
    boards = json.loads(installed.dibble("boards", "--json"))
    assert sorted(boards) == sorted(path.stem for path in (ROOT / "boards").glob("*.toml"))


def test_a_new_project_has_its_files(installed: InstalledWheel) -> None:
    installed.dibble("new", "bed-1", "--board", "pico")
    assert json.loads((installed.cwd / "bed-1/config.json").read_text())["node"] == "bed-1"


def test_a_trained_model_is_proven_and_exported(installed: InstalledWheel, trained: str) -> None:
    assert (installed.cwd / trained / "report.html").is_file()
    assert len(installed.dibble("predict", trained, "bed.csv").splitlines()) == 401
    (proof,) = json.loads(installed.dibble("verify", trained, "--data", "bed.csv", "--vm", "wasi", "--json"))
    assert (proof["rows"], proof["equal"]) == (400, 400)
    installed.dibble("export", trained, "--to", "python", "--out", "as_python", "--check")
    installed.dibble("inspect", trained)
    installed.dibble("pack", trained, "--out", "bed.dibz")


def test_estimates_and_seasons_run(installed: InstalledWheel, trained: str) -> None:
    assert json.loads(installed.dibble("estimate", trained, "--board", "pico", "--json"))["fits"]
    installed.dibble("simulate", installed.models / "orchard", "--days", "1", "--plot", "season.png")
    assert (installed.cwd / "season.png").is_file()


def test_a_small_node_and_a_decoder_are_written(installed: InstalledWheel, trained: str) -> None:
    probes = ("--probe", "0:2300:1200", "--probe", "1:2300:1200")
    installed.dibble("microbit", trained, "--out", "small", *probes, "--class", "dry")
    assert (installed.cwd / "small/main.py").is_file()
    assert "function decodeUplink" in installed.dibble("lorawan", trained)


@pytest.fixture
def board(installed: InstalledWheel) -> Iterator[str]:
    installed.dibble("board", "start", "--sensors", "--speed", "600", "--background", "--name", "away")
    yield "away"
    installed.dibble("board", "stop", "away")


def test_a_node_is_deployed_watched_and_its_log_fetched(installed: InstalledWheel, board: str) -> None:
    orchard = installed.models / "orchard"
    installed.dibble("deploy", "--config", "away.config.json", "--model", orchard, "--port", board)
    watched = installed.dibble("monitor", "--model", orchard, "--port", board, "--json", "--count", "2")
    assert sum("class" in json.loads(line) for line in watched.splitlines()) == 2
    installed.dibble("collect", "--label", "seen", "--out", "seen.csv", "--count", "2", "--port", board)
    assert len((installed.cwd / "seen.csv").read_text().splitlines()) == 3
    installed.dibble("fetch", "--model", orchard, "--out", "log", "--port", board)
    assert len((installed.cwd / "log/log.csv").read_text().splitlines()) >= 3


def test_the_studio_shows_its_page(installed: InstalledWheel) -> None:
    with installed.started("studio", "bed-1", "--http", "0", "--no-browser") as address:
        assert b"<html" in urllib.request.urlopen(address, timeout=30).read()
