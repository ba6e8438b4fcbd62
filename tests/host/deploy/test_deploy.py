"""`dibble deploy` to a virtual board: what arrives, what is refused, and what the board runs after a cut."""

import json
import os
import shutil
import time
import zlib
from pathlib import Path

import pytest
from board_files import write_files
from deploy_bench import NOT_COMPARED, OLD_FOLDER, DeployBench
from dibble import ModelError, __version__
from dibble.storage.boot import TRIES, BootState
from dibble.storage.slots import Slots
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import FIRMWARE
from dibble_tools.deploy.board_state import BoardState, OnBoard, look, parse
from dibble_tools.deploy.checks import DriveNeeded, check_board
from dibble_tools.deploy.deploying import deploy
from dibble_tools.deploy.request import Request
from dibble_tools.deploy.transfer import HANDOVER, TrialError
from dibble_tools.link.session import Session
from dibble_tools.model.host_model import HostModel
from dibble_tools.virtual_board.board import VirtualBoard
from node_helpers import soil_model
from typer.testing import CliRunner

pytestmark = pytest.mark.long

SPEED = 50
SECRET = b"WIFI_PASSWORD = 'sesame'"
STRANGER = b"print('the stranger runs')\n"


class Bench:
    """A virtual board, and the files to deploy to it."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.folder = folder
        self.board = VirtualBoard.start(
            folder / "flash", name=f"deploy-{os.getpid()}", flash="1m", speed=SPEED, sensors=True, **options
        )
        assert self.board.config
        sensors = {sensor["driver"]: sensor for sensor in self.board.config["sensors"]}
        self.settings = {**self.board.config, "sensors": [sensors["sht4x"], sensors["soil_adc"]], "actions": []}
        self.config = self.write_config("config")

    def write_config(self, name: str, **changes: object) -> Path:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps({**self.settings, **changes}))
        return path

    def deploy(self, dry_below: int | None = None, config: Path | None = None, **options: bool):
        only_model = options.pop("only_model", False)
        model = HostModel.tested(soil_model(dry_below)) if dry_below else None
        return deploy(self.board.port, Request(model, config, only_model), **options)

    def state(self) -> BoardState:
        with Session.open(self.board.port) as session:
            return look(session)

    def compared(self) -> dict[str, OnBoard]:
        """Return the board's files less those that its node writes while it runs."""
        return {path: found for path, found in self.state().files.items() if not NOT_COMPARED.fullmatch(path)}

    def put(self, **files: bytes) -> None:
        with Session.open(self.board.port) as session:
            write_files(session, {name.replace("__", "."): data for name, data in files.items()})


def wrong_by_its_vectors(model: bytes) -> bytes:
    """Return a model file that is whole but for a golden vector, which its tables contradict."""
    for i in range(len(model) - 5, 0, -1):
        body = model[:i] + bytes([model[i] ^ 1]) + model[i + 1 : -4]
        blob = body + zlib.crc32(body).to_bytes(4, "little")
        try:
            HostModel.tested(blob)
        except ModelError as error:
            if "golden vector" in str(error):
                return blob
    raise AssertionError("expected a byte of a golden vector")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    made = Bench(tmp_path_factory.mktemp("deploy"))
    with made.board:
        made.put(main__py=STRANGER, config__json=b"{}", secrets__py=SECRET)
        made.first = made.deploy(400, made.config)
        yield made


def test_a_strangers_program_is_kept_beside_the_node(bench):
    assert bench.first.first_run.works
    assert bench.first.first_run.model == f"dry below 400 CRC {zlib.crc32(soil_model(400)[:-4]):08x}"
    assert [note for note in bench.first.notes if "main_before.py" in note]
    with Session.open(bench.board.port) as session:
        assert session.read_file("main_before.py") == STRANGER
        assert session.read_file("config_before.json") == b"{}"
        assert session.read_file("secrets.py") == SECRET


def test_a_second_deploy_of_the_same_writes_nothing(bench):
    before = bench.compared()
    again = bench.deploy(400, bench.config)
    assert not again.plan and not again.written
    after = bench.compared()
    assert {path: after[path] for path in before if before[path].digest} == {
        path: found for path, found in before.items() if found.digest
    }
    assert after["secrets.py"].digest is None


def test_a_dry_run_says_what_it_would_write_and_writes_nothing(bench):
    before = bench.state().files
    outcome = bench.deploy(700, dry_run=True)
    assert list(outcome.plan.writes) == ["model.dib"] and not outcome.written
    assert bench.state().files["model.dib"] == before["model.dib"]


def test_models_of_one_size_are_told_apart_and_the_one_before_comes_back(bench):
    assert len(soil_model(500)) == len(soil_model(400))
    assert bench.deploy(500, only_model=True).first_run.model.startswith("dry below 500")
    back = bench.deploy(rollback=True)
    assert back.first_run.model.startswith("dry below 400")
    assert ("boot", "model model.dib: generation 3") in back.first_run.events


def test_a_rollback_never_goes_to_a_model_that_the_node_rejected(bench, tmp_path):
    bench.deploy(500, only_model=True)
    bench.deploy(410, only_model=True)
    bench.deploy(510, only_model=True)
    with Session.open(bench.board.port) as session:
        for name in ("model.a", "model.b"):
            (tmp_path / name).write_bytes(session.read_file(name))
        newest, other = Slots(str(tmp_path / "model")).generations()
        for _ in range(TRIES + 1):  # boots of the newest that were never confirmed, as the node counts them
            BootState(Slots(str(tmp_path / "boot"))).begin(newest, other)
        boots = {name: (tmp_path / name).read_bytes() for name in ("boot.a", "boot.b")}
        write_files(session, boots)
    with pytest.raises(InputError, match=f"--rollback: .*generation {newest} is one that the node rejected"):
        bench.deploy(rollback=True)
    assert bench.deploy(610, only_model=True).first_run.model.startswith("dry below 610")
    back = bench.deploy(rollback=True)
    assert back.first_run.model.startswith("dry below 410")
    again = bench.deploy(rollback=True)
    assert again.first_run.model.startswith("dry below 610")
    back = bench.deploy(rollback=True)
    assert back.first_run.model.startswith("dry below 410")
    bench.deploy(400, only_model=True)


def test_a_rollback_where_there_is_nothing_to_go_back_to_says_so(bench, tmp_path):
    with Session.open(bench.board.port) as session:
        held = {name: session.read_file(name) for name in ("model.a", "model.b")}
        write_files(session, {"model.a": b""})
    with pytest.raises(InputError, match=r"--rollback: .*the board has none"):
        bench.deploy(rollback=True)
    with Session.open(bench.board.port) as session:
        write_files(session, held)


def test_a_model_that_fails_its_self_test_on_the_board_changes_nothing(bench):
    before = bench.state().files
    good = soil_model(300, golden=[[100, 2000], [900, 2000]])
    bad = HostModel(wrong_by_its_vectors(good))
    with pytest.raises(TrialError, match="golden vector"):
        deploy(bench.board.port, Request(bad, only_model=True))
    after = bench.state().files
    assert after["model.dib"] == before["model.dib"]
    assert not [path for path in after if path.endswith(".staged")]


def test_a_configuration_without_the_models_channel_is_refused(bench):
    config = bench.write_config("dry", sensors=bench.settings["sensors"][:1])
    with pytest.raises(InputError, match="soil_moisture_permille: expected a sensor"):
        bench.deploy(400, config)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"actions": [{"class": "nosuch", "pin": 16}]},
            r"actions\[0\].class: expected a class of the model",
        ),
        ({"gate": {"skip": "skip"}, "led": 4}, "i2c.sda, too"),
        ({"log": {"segment_bytes": 65536, "segments": 1000}}, "config.log: expected segments that fit 1048576 bytes"),
        ({"watchdog_ms": 1}, "watchdog_ms: expected 0 or at least 1000"),
    ],
)
def test_a_configuration_that_the_node_would_trip_over_is_refused_before_anything_is_copied(bench, changes, message):
    before = bench.compared()
    sent = []
    with pytest.raises(InputError, match=message):
        bench.deploy(400, bench.write_config("bad", **changes), progress=lambda done, total: sent.append(done))
    assert sent == []
    after = bench.compared()
    assert {path: found for path, found in after.items() if found.digest and path[:5] != "boot."} == {
        path: found for path, found in before.items() if found.digest and path[:5] != "boot."
    }


@pytest.mark.parametrize("pin", ["GPX99", 77, 3])
def test_the_boards_own_trial_knows_its_pins(bench, pin):
    before = bench.state().files
    probe = {**bench.settings["sensors"][1], "pin": pin}
    config = bench.write_config("bad", sensors=[bench.settings["sensors"][0], probe])
    with pytest.raises(TrialError, match=r"config.sensors\[1\]: expected pins that this board has"):
        bench.deploy(400, config)
    assert bench.state().files["config.json"] == before["config.json"]
    config = bench.write_config("bad", actions=[{"class": "irrigate", "pin": "GP77"}])
    with pytest.raises(TrialError, match=r"config.actions\[0\].pin: expected a pin of this board, got 'GP77'"):
        bench.deploy(400, config)


def test_a_watchdog_that_nobody_knows_of_bites_once_and_the_deploy_goes_on(bench):
    """As after `mpremote ls` over a running node: a soft reset hides that its watchdog still runs."""
    session = Session.open(bench.board.port)
    session._execute("import machine\nmachine.WDT(timeout=3000)", 10, 100)
    session.clear_heap()
    session._execute("expect(0)", 10, 100)
    session.close()
    steps = []
    config = bench.write_config("bitten", node="bitten")
    outcome = bench.deploy(450, config, step=lambda text: (steps.append(text), time.sleep(2)))
    assert outcome.first_run.works and outcome.first_run.model.startswith("dry below 450")
    assert "the board went away: once more" in steps


def test_a_board_that_takes_files_by_its_drive_says_so():
    lines = ["runtime circuitpython", "version 9.2.1", "machine Feather", "mpy 0", "heap 100000", "flash 512 100 50"]
    with pytest.raises(DriveNeeded, match="its drive CIRCUITPY: mount it, or name it with --drive"):
        check_board(parse([*lines, "rom no", "sums no", "inflates no"]))


def test_a_board_without_a_file_system_is_told_what_to_do():
    lines = ["runtime micropython", "version 1.27.0", "machine Pico", "mpy 4102", "heap 200000", "flash 0 0 0"]
    with pytest.raises(InputError, match="Pico: expected a file system on its flash, got none that is mounted: erase"):
        check_board(parse([*lines, "rom no", "sums yes", "inflates yes"]))


def test_a_board_without_a_romfs_partition_is_told_so(bench):
    request = Request(HostModel.tested(soil_model(400)), only_model=True, romfs=True)
    with pytest.raises(InputError, match="--romfs: expected a board with a ROMFS partition"):
        deploy(bench.board.port, request)


def test_what_would_shadow_the_new_firmware_is_removed_and_what_is_nobodys_stays(bench):
    with Session.open(bench.board.port) as session:
        write_files(session, {"lib/dibble/node.py": b"broken (", "lib/dibble/mine.py": b""})
    outcome = bench.deploy()
    assert outcome.first_run.works
    assert "lib/dibble/node.py" in outcome.plan.removals
    files = bench.state().files
    assert "lib/dibble/node.py" not in files and "lib/dibble/mine.py" in files


def test_a_deploy_ends_a_trial_of_firmware_that_came_by_radio(bench):
    """Whose starts are counted, so it may end meanwhile: nothing goes back any more, and no archive waits."""
    list_of = b"dibble update 2\n< main.py\n"
    list_of += b"%08x 2 .\nstart\nstart\n" % zlib.crc32(list_of)
    before = (FIRMWARE / "main.py").read_bytes() + b"# of before\n"
    with Session.open(bench.board.port) as session:
        write_files(session, {"main.py.before": before, "update.firmware": b"waits", "dibble_undo.txt": list_of})
    bench.deploy()
    files = bench.state().files
    assert not [path for path in files if path.endswith((".before", ".firmware", "_undo.txt", "_done.txt"))]
    assert not bench.deploy().plan  # main.py is the one that was deployed


def test_a_driver_of_ones_own_goes_along_and_is_read(bench):
    own = bench.folder / "own"
    shutil.copytree(FIRMWARE / "examples" / "own_driver", own)
    sensors = [*bench.settings["sensors"], {"driver": "leaf_wetness", "pin": 28, "dry_mv": 2900}]
    (own / "config.json").write_text(json.dumps({**bench.settings, "sensors": sensors}))
    done = bench.deploy(None, own / "config.json")
    assert "lib/leaf_wetness.mpy" in done.plan.writes
    assert "lib/leaf_wetness.mpy" in bench.state().files


def test_the_command_says_what_it_did(bench):
    (bench.folder / "model.dib").write_bytes(soil_model(600))
    arguments = ["deploy", "--port", bench.board.port, "--model", str(bench.folder), "--only", "model"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "the node runs, with dry below 600" in result.output
    assert "sesame" not in result.output
    assert "nothing to do" in CliRunner().invoke(app, arguments).output


def test_a_model_is_taken_off_and_the_node_logs_on(bench):
    bench.put(model_code__mpy=b"")
    without = deploy(bench.board.port, Request(no_model=True))
    assert set(without.plan.removals) >= {"model.dib", "model.a", "model.b", "model_code.mpy"}
    assert without.first_run.works and without.first_run.model == ""
    assert not [path for path in bench.state().files if path.startswith("model")]
    again = deploy(bench.board.port, Request(no_model=True))
    assert not again.written and not [note for note in again.notes if "actions" in note]


def test_actions_without_a_model_are_told_what_they_wait_for(bench):
    acting = bench.write_config("acting", actions=[{"class": "ripe", "pin": 16}, {"flag": "novel", "pin": 17}])
    told = "config.actions switch nothing before a model comes that tells class ripe, flag novel"
    assert told in deploy(bench.board.port, Request(no_model=True, config=acting), dry_run=True).notes
    answered = bench.write_config("answered", actions=[{"class": "irrigate", "pin": 16}])
    assert not [note for note in bench.deploy(400, answered, dry_run=True).notes if "actions" in note]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "config"], "--only: expected model"),
        (["--only", "model"], "expected --model"),
        (["--rollback", "--config", "c.json"], "--rollback: expected no"),
        (["--kernel", "viper"], "--kernel: expected auto, tables, code, got 'viper'"),
        (["--no-model", "--romfs"], "--no-model: expected at most"),
        (["--overwrite-romfs"], "--overwrite-romfs: expected --romfs"),
    ],
)
def test_the_command_refuses_what_contradicts_itself(arguments, message):
    result = CliRunner().invoke(app, ["deploy", *arguments])
    assert isinstance(result.exception, InputError) and message in str(result.exception)


def test_while_dibble_takes_over_the_strangers_program_runs(tmp_path):
    files = {"main.py": HANDOVER.read_bytes(), "main_before.py": STRANGER}
    board = VirtualBoard.start(tmp_path / "flash", name=f"handover-{os.getpid()}", flash="256k")
    with board, Session.open(board.port) as session:
        write_files(session, files)
        session.restart()
        assert b"the stranger runs" in session.listen(10) + session.listen(2)


def test_a_board_that_is_too_small_is_refused_before_anything_is_written(tmp_path):
    small = Bench.__new__(Bench)
    with VirtualBoard.start(tmp_path / "flash", name=f"small-{os.getpid()}", flash="128k") as board:
        small.folder, small.board = tmp_path, board
        config = tmp_path / "config.json"
        config.write_text(json.dumps({"sensors": [{"driver": "soil_adc", "pin": 26, "probe_curve": [2300, 1200]}]}))
        with pytest.raises(InputError, match=r"expected \d+ free blocks of 4096 bytes"):
            small.deploy(config=config)
        assert small.state().files == {}
        with pytest.raises(InputError, match="--config: expected the configuration"):
            small.deploy()


def test_a_deploy_whose_host_is_killed_leaves_the_old_and_is_repaired(tmp_path):
    """tests/benchmarks/deploy_kills.py does it at 200 random moments, half of them cuts of the board's power."""
    bench = DeployBench(tmp_path, f"cut-{os.getpid()}", whole=False)
    try:
        assert any(path.startswith(OLD_FOLDER) for path in bench.old[1])
        bench.kill_host_at(60)  # while files are staged
        with Session.open(bench.board.port) as session:
            assert [path for path in look(session).files if path.endswith(".staged")]
        assert bench.verdict() == "old"
        bench.repair()
        runs = bench.what_runs()
        assert (runs.version, runs.node) == (__version__, "new") and runs.model.startswith("dry below 500")
        left = deploy(bench.board.port, bench.request("new"), dry_run=True)
        assert not left.plan and not left.plan.removals
        assert not [path for path in left.state.files if path.startswith(OLD_FOLDER) or path.endswith(".staged")]
    finally:
        bench.close()
