"""`dibble deploy --romfs` to a virtual board: the model in place, and the slot's whatever the partition holds."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from helpers import random_trees
from mpremote.romfs import VfsRomWriter
from node_helpers import CHANNELS, soil_model
from virtual_helpers import raw_repl

from host_tools.build import forest_spec
from host_tools.deploy.deploying import Outcome, deploy
from host_tools.deploy.model_file import ModelFile
from host_tools.deploy.wanted import Wish
from host_tools.errors import InputError
from host_tools.export import export
from host_tools.link.session import LinkError
from host_tools.virtual.board import VirtualBoard

SPEED = 50
IN_ROMFS = "viper, its file in ROMFS"
# The slot of the board's model, with ROMFS in use or not, decides on some rows; prints what the model keeps first.
DECIDE = """\
import gc
from dibble import classifier
from dibble.storage.slots import Slots
class Sensors:
    names = ["soil_moisture_permille", "air_temperature_centi_c"]
    units = ["permille", "centi_c"]
    values = [0, 0]
classifier.recall("model.dib", Slots("model"), 0, Sensors, 600000, [])
for folder in ("/nowhere/", "/rom/"):
    classifier.ROM = folder
    gc.collect()
    before = gc.mem_alloc()
    it = classifier.recall("model.dib", Slots("model"), 0, Sensors, 600000, [])
    gc.collect()
    print(gc.mem_alloc() - before)
    for i in range(40):
        d = it.model.predict([i * 25, i * 300 - 3500])
        print(d.class_index, d.margin, d.flags)
    it = d = None
"""


def forest(seed: int, trees: int = 8) -> ModelFile:
    """Return a model of some kilobytes."""
    limits = [channel.high - channel.low for channel in CHANNELS]
    grown = random_trees(np.random.default_rng(seed), limits, 2, trees, 7)
    spec = forest_spec(f"forest {seed}", CHANNELS, ["irrigate", "ok"], grown, interval_ms=600_000)
    return ModelFile.of(export(spec))


class Bench:
    """A virtual board with a ROMFS partition."""

    def __init__(self, folder: Path) -> None:
        self.board = VirtualBoard.start(
            folder / "flash", name=f"romfs-{os.getpid()}", flash="1m", romfs="32k", speed=SPEED, sensors=True
        )
        self.image = folder / "flash.romfs"
        assert self.board.config
        sensors = {sensor["driver"]: sensor for sensor in self.board.config["sensors"]}
        config = {**self.board.config, "sensors": [sensors["sht4x"], sensors["soil_adc"]], "actions": []}
        self.config = folder / "config.json"
        self.config.write_text(json.dumps(config))

    def deploy(self, model: ModelFile | None, **wish: object) -> Outcome:
        first = {"config": self.config} if "only_model" not in wish else {}
        return deploy(self.board.port, Wish(model, **first, **wish))

    def put(self, image: bytes) -> None:
        """Have something else in the partition."""
        self.board.cut()
        self.image.write_bytes(image.ljust(32768, b"\xff"))
        self.board.power()


def events(outcome: Outcome, kind: str) -> list[str]:
    assert outcome.awakening
    return [text for own, text in outcome.awakening.events if own == kind]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    made = Bench(tmp_path_factory.mktemp("romfs"))
    with made.board:
        made.first = made.deploy(forest(1), romfs=True)
        yield made


def test_the_node_decides_as_before_with_its_model_in_place(bench):
    size = len(forest(1).blob)
    assert size > 2000
    assert events(bench.first, "kernel") == [IN_ROMFS]
    assert [note for note in bench.first.notes if f"32768 bytes save {size} bytes of heap" in note]
    with raw_repl(bench.board) as repl:
        lines = repl.exec(DECIDE).decode().split("\r\n")
    in_ram, in_rom = lines[:41], lines[41:82]
    assert int(in_ram[0]) - int(in_rom[0]) >= size - 64
    decided = [forest(1).model.predict([i * 25, i * 300 - 3500]) for i in range(40)][-1]
    assert in_ram[1:] == in_rom[1:] and len(set(in_rom[1:])) > 5
    assert in_rom[-1] == f"{decided.class_index} {decided.margin} {decided.flags}"


def test_what_is_there_is_not_written_again(bench):
    again = bench.deploy(forest(1), romfs=True)
    assert not again.plan and not again.image and not again.written


def test_after_a_cut_in_the_middle_of_the_partition_the_node_runs_from_its_slot_and_the_next_deploy_repairs_it(bench):
    steps = []

    def cut(done, total):
        if steps[-1].startswith("writing"):
            bench.board.cut()

    wish = Wish(forest(2), only_model=True, romfs=True)
    with pytest.raises(LinkError):
        deploy(bench.board.port, wish, step=steps.append, progress=cut)
    bench.board.power()
    assert bench.image.read_bytes()[:4] == b"\xff" * 4  # its beginning comes last
    without = bench.deploy(forest(2), only_model=True, kernel="code")
    assert events(without, "kernel") == ["code"]
    assert without.awakening.model.startswith("forest 2")
    repaired = deploy(bench.board.port, wish)
    assert repaired.image
    assert events(repaired, "kernel") == [IN_ROMFS]


def test_a_partition_with_a_damaged_or_another_model_is_passed_over(bench):
    bench.deploy(forest(3), only_model=True, romfs=True)
    image = bytearray(bench.image.read_bytes())
    at = image.index(forest(3).blob) + len(forest(3).blob) // 2
    image[at] ^= 1
    bench.put(bytes(image))
    outcome = bench.deploy(forest(3), config=bench.config, only_model=True, kernel="code")
    assert events(outcome, "kernel") == ["code"]
    assert [
        text for text in events(outcome, "boot") if text.startswith("/rom/model.dib isn't used: the model file's CRC")
    ]
    other = bench.deploy(forest(4), only_model=True)
    assert events(other, "kernel") == ["viper"] and other.awakening.model.startswith("forest 4")


def test_code_in_the_partition_runs_in_place_and_the_copy_beside_it_goes(bench):
    outcome = bench.deploy(forest(5), only_model=True, romfs=True, kernel="code")
    assert events(outcome, "kernel") == ["code, its file in ROMFS"]
    plain = bench.deploy(forest(5), only_model=True, kernel="code")
    assert not plain.written  # it is used from there already
    tables = bench.deploy(forest(5), only_model=True, romfs=True, kernel="tables")
    assert events(tables, "kernel") == [IN_ROMFS]


def test_a_partition_that_holds_other_files_is_refused_unless_they_are_given_up(bench):
    writer = VfsRomWriter()
    writer.mkfile("picture.bmp", b"BM")
    bench.put(writer.finalise())
    with pytest.raises(InputError, match=r"expected an empty partition, or dibble's own, got picture\.bmp"):
        bench.deploy(forest(6), only_model=True, romfs=True)
    assert b"picture.bmp" in bench.image.read_bytes()
    outcome = bench.deploy(forest(6), only_model=True, romfs=True, overwrite_romfs=True)
    assert events(outcome, "kernel") == [IN_ROMFS]
    assert b"picture.bmp" not in bench.image.read_bytes()


def test_an_image_that_is_too_large_is_refused_before_anything_is_written(bench):
    model = forest(7, trees=120)
    assert len(model.blob) > 32768
    with pytest.raises(InputError, match="expected at most 32768 bytes, the board's partition, got an image of"):
        bench.deploy(model, only_model=True, romfs=True)
    assert not bench.deploy(forest(6), only_model=True).written


def test_a_board_without_a_partition_is_told_so(tmp_path):
    board = VirtualBoard.start(tmp_path / "flash", name=f"no-rom-{os.getpid()}", flash="256k", sensors=True)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({**board.config, "actions": []}))
    with board, pytest.raises(InputError, match="--romfs: expected a board with a ROMFS partition"):
        deploy(board.port, Wish(ModelFile.of(soil_model(400)), config, romfs=True))
