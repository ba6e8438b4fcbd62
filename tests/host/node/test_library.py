"""The library alone: what mip copies for one family loads and runs its models, and holds nothing of the others."""

import ast
import dataclasses
import json
import subprocess

import numpy as np
import pytest
from dibble.inference.features import MEAN
from dibble_tools.bench.stream_net import codes
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import FIRMWARE, LIBRARY
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.machines.replay import WASI_HEAP, WASI_MEMORY
from dibble_tools.machines.vms import run_wasi, unix_command
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import export
from dibble_tools.node.files import ARCHITECTURES
from dibble_tools.node.library import (
    FAMILIES,
    PACKAGES,
    PLAIN_FAMILIES,
    compiled_library,
    library_modules,
    package_json,
    plain_library,
)
from helpers import random_additive, random_mlp, random_rows, random_spec
from random_maps import random_frames, random_maps
from sounds import random_stream
from typer.testing import CliRunner

SCRIPT = """
from dibble.inference import load
m = load(__file__[: __file__.rfind("/") + 1] + "model.dib")
decisions = []
for row in {rows}:
    d = m.predict(row)
    decisions.append([d.class_index, d.margin, d.flags])
print(decisions)
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_lists_files_that_are_there(package):
    assert (FIRMWARE / f"{package}.json").read_text() == package_json(package), (
        "run: python -m dibble_tools.node.library"
    )
    for name, url in json.loads(package_json(package))["urls"]:
        assert (FIRMWARE / url).is_file() and (LIBRARY.parent / name).is_file()


def test_a_family_brings_nothing_of_the_others():
    for family in FAMILIES:
        others = [other for other in FAMILIES if other != family]
        for module in library_modules([family]):
            stem = module.rpartition(".")[2]
            assert not stem.startswith((*others, "novelty", "unrolled")), module
    assert not [module for module in library_modules(FAMILIES) if "drivers" in module or "ports" in module]


def model_of(family):
    if family == "stream":
        return random_stream()
    if family == "maps":
        return random_maps(2)[1]
    spec = random_spec(1)
    if family == "additive":
        spec = dataclasses.replace(spec, tables=random_additive(2, spec.limits, 4))
    elif family == "mlp":
        spec = dataclasses.replace(spec, tables=random_mlp(3, spec.limits, 4, [6], ["dense8", "dense8"]))
    return HostModel(export(spec))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_compiled_library_of_a_family_decides_as_the_host(family, tmp_path):
    model = model_of(family)
    for name, content in compiled_library(library_modules([family]), "").items():
        path = tmp_path / "lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "model.dib").write_bytes(model.blob)
    rows = random_rows(4, model.channels, 60)
    if family == "stream":
        rows = codes(len(model.channels), 60)
    elif family == "maps":
        rows = random_frames(2, random_maps(2)[0].frame, 20)
    (tmp_path / "main.py").write_text(SCRIPT.format(rows=rows.tolist()))
    run = run_wasi(tmp_path, "main.py", heap=WASI_HEAP, memory_bytes=WASI_MEMORY)
    decided = model.decide(rows)
    expected = list(map(list, zip(decided.class_index, decided.margin, decided.flags, strict=True)))
    assert json.loads(run.stdout) == [[int(number) for number in row] for row in expected]


PLAIN_SCRIPT = """
from dibble import ModelError, __version__
from dibble.inference import load
from dibble.inference.decision import NO_CLASS
here = __file__[: __file__.rfind("/") + 1]
m = load(here + "model.dib")
decisions = []
for row in {rows}:
    d = m.predict(row)
    decisions.append([d.class_index, d.margin, d.flags, d.held_index, d.channel])
m.restart()
for i in range(len(m.readings)):
    m.readings[i] = row[i]
d = m.predict()
decisions.append([d.class_index, d.margin, d.flags, d.held_index, d.channel])
print(decisions)
told = []
for name in ("windows.dib", "damaged.dib", "other.dib", None):
    try:
        load(here + name) if name else m.predict([1])
        told.append("nothing")
    except ModelError as error:
        told.append(str(error))
print(told)
"""


def run_on_unix(folder):
    run = subprocess.run(
        [unix_command(), "main.py"], cwd=folder, capture_output=True, text=True, timeout=60, check=True
    )
    return run.stdout


def run_on_wasi(folder):
    return run_wasi(folder, "main.py", heap=WASI_HEAP, memory_bytes=WASI_MEMORY).stdout


@pytest.mark.parametrize("family", PLAIN_FAMILIES)
@pytest.mark.parametrize("vm", ["unix", "viper", "wasi"])
def test_the_plain_library_is_one_file_and_decides_as_the_host(family, vm, tmp_path):
    model = model_of(family)
    files = plain_library(family, "x64" if vm == "viper" else "")
    assert list(files) == ["dibble/__init__.mpy"]
    if vm != "viper":
        assert len(files["dibble/__init__.mpy"]) <= (4736 if family == "mlp" else 4608)
    lib = tmp_path / "lib" / "dibble"
    lib.mkdir(parents=True)
    (lib / "__init__.mpy").write_bytes(files["dibble/__init__.mpy"])
    (tmp_path / "model.dib").write_bytes(model.blob)
    (tmp_path / "damaged.dib").write_bytes(model.blob[:-1] + bytes([model.blob[-1] ^ 1]))
    (tmp_path / "other.dib").write_bytes(model_of("mlp" if family == "forest" else "forest").blob)
    (tmp_path / "windows.dib").write_bytes(export(random_spec(1, [FeatureSpec(0, MEAN, 4)])))
    rows = random_rows(5, model.channels, 200)
    (tmp_path / "main.py").write_text(
        "import sys\nsys.path.insert(0, 'lib')\n" + PLAIN_SCRIPT.format(rows=rows.tolist())
    )
    decided, told = (run_on_wasi if vm == "wasi" else run_on_unix)(tmp_path).splitlines()
    on_host = model.decide(np.concatenate([rows, rows[-1:]]))
    columns = (on_host.class_index, on_host.margin, on_host.flags)
    expected = [[int(number) for number in row] for row in zip(*columns, strict=True)]
    assert [row[:3] for row in json.loads(decided)] == expected
    windows, damaged, other, short = ast.literal_eval(told)
    need = ": if whole, it needs `dibble library` without --plain"
    assert damaged == f"expected a whole plain model, got ValueError(){need}"
    if family == "forest":
        assert windows == f"expected a whole plain model, got ImportError('windows',){need}"
    assert other.startswith("expected a whole plain model, got ") and other.endswith(need)
    assert short == f"expected {len(model.channels)} readings, ints, got [1]"


@pytest.mark.parametrize("architecture", ["armv6m", "armv7emsp", "xtensawin", "rv32imc"])
@pytest.mark.parametrize("family", PLAIN_FAMILIES)
def test_the_plain_library_compiles_for_a_processor(family, architecture):
    (content,) = plain_library(family, architecture).values()
    assert content[2] >> 2 == ARCHITECTURES.index(architecture)


def invoke(*arguments):
    return CliRunner().invoke(app, ["library", *arguments])


def test_the_command_writes_a_package_for_a_processor(tmp_path):
    result = invoke("forest", "--out", str(tmp_path / "lib"), "--arch", "armv6m")
    assert result.exit_code == 0, result.output
    urls = json.loads((tmp_path / "lib" / "package.json").read_text())["urls"]
    files = {name: (tmp_path / "lib" / url).read_bytes() for name, url in urls}
    assert {content[:2] for content in files.values()} == {b"M\6"} and len(files) <= 12
    assert files["dibble/forest.mpy"][2] >> 2 == ARCHITECTURES.index("armv6m")  # its kernel is assembler
    assert invoke("forest", "--out", str(tmp_path / "lib")).exit_code == 0  # its own folder, once more


def test_a_folder_is_chosen_where_none_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoke("additive", "--plain")
    assert result.exit_code == 0 and "wrote 1 file, 4," in result.output
    assert (tmp_path / "library_additive" / "dibble" / "__init__.mpy").is_file()
    assert json.loads((tmp_path / "library_additive" / "package.json").read_text())["urls"] == [
        ["dibble/__init__.mpy", "dibble/__init__.mpy"]
    ]


def test_wrong_words_are_told(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    for arguments, word in (
        (
            ["tree", "--out", str(tmp_path / "a")],
            "expected a family, one of forest, additive, mlp, stream, maps or all, got 'tree'",
        ),
        (["mlp", "--out", str(tmp_path / "a"), "--arch", "z80"], "--arch: expected one of x86"),
        (["mlp", "--out", str(tmp_path / "other")], "expected a new folder"),
        (["maps", "--plain"], "--plain: expected one of forest, additive, mlp, got maps"),
        (["mlp", "--plain", "--novelty", "--stand-ins"], "expected --plain, or --novelty --stand-ins, got both"),
    ):
        with pytest.raises(InputError, match=word):
            CliRunner().invoke(app, ["library", *arguments], catch_exceptions=False)
    assert not (tmp_path / "a").exists()
