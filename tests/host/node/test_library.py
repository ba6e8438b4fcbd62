"""The library alone: what mip copies for one family loads and runs its models, and holds nothing of the others."""

import dataclasses
import json

import pytest
from dibble_tools.bench.stream_net import codes
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import FIRMWARE, LIBRARY
from dibble_tools.machines.replay import WASI_HEAP, WASI_MEMORY
from dibble_tools.machines.vms import run_wasi
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import export
from dibble_tools.node.files import ARCHITECTURES
from dibble_tools.node.library import FAMILIES, PACKAGES, compiled_library, library_modules, package_json
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
    ):
        with pytest.raises(InputError, match=word):
            CliRunner().invoke(app, ["library", *arguments], catch_exceptions=False)
    assert not (tmp_path / "a").exists()
