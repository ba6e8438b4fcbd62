"""`dibble deploy --romfs` to a virtual board: the model in place, and the slot's whatever the partition holds."""

import json
import os
from pathlib import Path

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.deploy.deploying import Outcome, deploy
from dibble_tools.deploy.first_run import wait_for_node
from dibble_tools.deploy.request import Request
from dibble_tools.link.session import LinkError, Session
from dibble_tools.model.host_model import HostModel
from dibble_tools.virtual_board.board import VirtualBoard
from mpremote.romfs import VfsRomWriter
from node_helpers import forest_model
from virtual_helpers import raw_repl

SPEED = 50
IN_ROMFS = "viper, its file in ROMFS"
# The slot of the board's model, with ROMFS in use or not, decides on some rows; prints what the model keeps first.
DECIDE = """\
import gc
from dibble import Slots
from dibble import node as classifier
class Sensors:
    names = ["soil_moisture_permille", "air_temperature_centi_c"]
    units = ["permille", "centi_c"]
    values = [0, 0]
classifier.recall("model.dib", Slots("model"), 0, Sensors, 600000, [])
for folder in ("/nowhere/", "/rom/"):
    classifier.ROM = folder
    it = classifier.recall("model.dib", Slots("model"), 0, Sensors, 600000, [])
    gc.collect()
    print(gc.mem_alloc())
    for i in range(40):
        d = it.model.predict([i * 25, i * 300 - 3500])
        print(d.class_index, d.margin, d.flags)
    it = d = None
"""


def forest(seed: int, trees: int = 8) -> HostModel:
    return HostModel.tested(forest_model(seed, trees))


class Bench:
    """A virtual board with a ROMFS partition."""

    def __init__(self, folder: Path) -> None:
        self.board = VirtualBoard.start(
            folder / "flash", name=f"romfs-{os.getpid()}", flash="1m", romfs="32k", speed=SPEED, sensors=True
        )
        self.image = folder / "flash.romfs"
        assert self.board.config
        sensors = {sensor["driver"]: sensor for sensor in self.board.config["sensors"]}
        chosen = [sensors["sht4x"], sensors["soil_adc"]]
        # No watchdog: a session needn't reset the board to stop its node.
        config = {**self.board.config, "watchdog_ms": 0, "sensors": chosen, "actions": []}
        self.config = folder / "config.json"
        self.config.write_text(json.dumps(config))

    def deploy(self, model: HostModel, dry_run: bool = False, **request: object) -> Outcome:
        first = {} if "only_model" in request else {"config": self.config}
        return deploy(self.board.port, Request(model, **first, **request), dry_run=dry_run)


def events(outcome: Outcome, kind: str) -> list[str]:
    assert outcome.first_run
    return [text for own, text in outcome.first_run.events if own == kind]


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
    again = bench.deploy(forest(1), only_model=True, romfs=True)
    assert not again.plan and not again.image and not again.written


def test_after_a_cut_in_the_middle_of_the_partition_the_node_runs_from_its_slot_and_the_next_deploy_repairs_it(bench):
    steps = []

    def cut(done, total):
        if steps[-1].startswith("writing"):
            bench.board.cut()

    request = Request(forest(2), only_model=True, romfs=True, kernel="code")
    with pytest.raises(LinkError):
        deploy(bench.board.port, request, step=steps.append, progress=cut)
    bench.board.power()
    image = bench.image.read_bytes()
    assert image[:2048] == b"\xff" * 2048 and image.strip(b"\xff")  # its beginning comes last
    with Session.open(bench.board.port) as session:
        session.restart()
        first_run = wait_for_node(session)
    assert first_run.works and first_run.model.startswith("forest 2") and ("kernel", "viper") in first_run.events
    repaired = deploy(bench.board.port, request)
    assert repaired.image and not repaired.plan
    assert events(repaired, "kernel") == ["code, its file in ROMFS"]
    assert (
        bench.deploy(forest(2), kernel="code", only_model=True, dry_run=True).notes[-1].startswith("ROMFS: model.dib, ")
    )


def test_a_partition_that_holds_other_files_is_refused_unless_they_are_given_up(bench):
    writer = VfsRomWriter()
    writer.mkfile("picture.bmp", b"BM")
    bench.board.cut()
    bench.image.write_bytes(writer.finalise().ljust(32768, b"\xff"))
    bench.board.power()
    with pytest.raises(InputError, match=r"expected an empty partition, or dibble's own, got one with 'picture\.bmp'"):
        bench.deploy(forest(3), only_model=True, romfs=True)
    assert b"picture.bmp" in bench.image.read_bytes()
    outcome = bench.deploy(forest(3), only_model=True, romfs=True, overwrite_romfs=True)
    assert events(outcome, "kernel") == [IN_ROMFS]
    assert b"picture.bmp" not in bench.image.read_bytes()


def test_an_image_that_is_too_large_is_refused(bench):
    model = forest(7, trees=150)
    assert len(model.blob) > 32768
    with pytest.raises(InputError, match="expected at most 32768 bytes, the board's partition, got an image of"):
        bench.deploy(model, only_model=True, romfs=True)
