"""Which kernel a deploy chooses: by the board, by what is asked for, and by the heap that is left."""

import dataclasses
import json

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.deploy.board_state import BoardState
from dibble_tools.deploy.drive import deploy_to_drive
from dibble_tools.deploy.kernel import COMPILED_HEAP, NODE_HEAP_BYTES, SOURCE_HEAP, kernel_for_board, kernel_for_drive
from dibble_tools.deploy.request import Request
from dibble_tools.export.unrolled import unrolled_source
from dibble_tools.model.host_model import HostModel
from dibble_tools.node.files import MpyFormat, compiled, mpy_version
from node_helpers import forest_model, soil_model

CONFIG = {
    "interval_s": 600,
    "i2c": {"sda": 4, "scl": 5},
    "sensors": [{"driver": "sht4x"}, {"driver": "soil_adc", "pin": 26, "probe_curve": [2300, 1200]}],
}
MODEL = HostModel.tested(soil_model(400))
SOURCE = unrolled_source(HostModel(MODEL.blob)).encode()
LARGE = HostModel.tested(forest_model(1, 30))
VIPER = {"lib/dibble/inference/kernels/viper_probe.mpy": b""}
THUMB = {**VIPER, "lib/dibble/inference/kernels/thumb_probe.mpy": b""}
PLAIN = {"lib/dibble/inference/kernels/choice.mpy": b""}


def board(architecture: str = "", version: int | None = None, heap_bytes: int = 200_000) -> BoardState:
    mpy = MpyFormat(version or mpy_version(), 3 if architecture else 0, architecture)
    return BoardState("micropython", (1, 26, 0), "a board", mpy, heap_bytes, 4096, 300, 200, False, True, True, {})


@pytest.mark.parametrize(("files", "kind"), [(VIPER, "viper"), (THUMB, "assembler")])
def test_a_board_with_machine_code_runs_the_tables_and_gets_no_code(files, kind):
    kernel = kernel_for_board(MODEL, "auto", board("armv6m"), files, False)
    assert (kernel.name, kernel.files) == (f"{kind}, over its tables", {})


@pytest.mark.parametrize(("architecture", "files"), [("", PLAIN), ("armv6m", PLAIN), ("", VIPER)])
def test_a_board_without_viper_gets_its_code_compiled(tmp_path, architecture, files):
    (tmp_path / "model_code.py").write_bytes(SOURCE)
    kernel = kernel_for_board(MODEL, "auto", board(architecture), files, False)
    assert kernel.files == {"model_code.mpy": compiled(tmp_path / "model_code.py", "")}


def test_a_board_that_reads_other_compiled_files_gets_the_source():
    state = board(version=mpy_version() - 1)
    assert kernel_for_board(MODEL, "auto", state, PLAIN, False).files == {"model_code.py": SOURCE}
    assert kernel_for_board(MODEL, "auto", dataclasses.replace(state, mpy=None), PLAIN, False).files


def test_what_is_asked_for_counts():
    assert kernel_for_board(MODEL, "tables", board(), PLAIN, False).name == "bytecode, over its tables"
    assert kernel_for_board(MODEL, "code", board("armv6m"), VIPER, False).files
    assert not kernel_for_drive(MODEL, "tables", 200_000).files


def test_code_that_the_heap_has_no_room_for_stays_away_and_the_report_says_why():
    size = COMPILED_HEAP * len(
        kernel_for_board(LARGE, "auto", board(heap_bytes=1_000_000), PLAIN, False).files["model_code.mpy"]
    )
    least = NODE_HEAP_BYTES["micropython"] + size
    assert kernel_for_board(LARGE, "auto", board(heap_bytes=least), PLAIN, False).files
    small = board(heap_bytes=least - 1)
    kernel = kernel_for_board(LARGE, "auto", small, PLAIN, False)
    assert not kernel.files
    assert (
        kernel.name
        == f"bytecode, over its tables: its code needs {size} bytes of heap, and {size - 1} are left "
        + ("beside the node")
    )
    assert kernel_for_board(LARGE, "auto", small, PLAIN, True).files  # in place, it takes none
    with pytest.raises(
        InputError, match="--kernel code: expected a model that can run as code, got one of which its code needs"
    ):
        kernel_for_board(LARGE, "code", small, PLAIN, False)


def test_a_tree_that_no_function_has_room_for_stays_away_wherever_it_would_be_compiled():
    model = HostModel.tested(forest_model(2, 1, depth=16))
    why = "bytecode, over its tables: its code is too long for a function"
    assert kernel_for_board(model, "auto", board(heap_bytes=1 << 30), PLAIN, True).name == why
    assert kernel_for_drive(model, "auto", 1 << 30).name == why


def test_a_source_needs_what_compiling_it_takes():
    least = NODE_HEAP_BYTES["circuitpython"] + SOURCE_HEAP * len(SOURCE)
    assert kernel_for_drive(MODEL, "auto", least).files == {"model_code.py": SOURCE}
    assert not kernel_for_drive(MODEL, "auto", least - 1).files


@pytest.mark.parametrize(
    ("board_id", "code"), [("raspberry_pi_pico2", True), ("raspberry_pi_pico", False), ("unheard_of", False)]
)
def test_a_drives_heap_is_that_of_its_board_and_code_that_is_too_large_or_anothers_is_removed(tmp_path, board_id, code):
    (tmp_path / "boot_out.txt").write_text(
        f"Adafruit CircuitPython 9.2.1 on 2024-11-20; A board\r\nBoard ID:{board_id}"
    )
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "model_code.mpy").write_bytes(b"")
    source = unrolled_source(HostModel(LARGE.blob)).encode()
    assert 180_000 < NODE_HEAP_BYTES["circuitpython"] + SOURCE_HEAP * len(source) < 400_000
    deploy_to_drive(tmp_path, Request(LARGE, tmp_path / "config.json"))
    assert {path.name: path.read_bytes() for path in tmp_path.glob("model_code.*")} == (
        {"model_code.py": source} if code else {}
    )
    deploy_to_drive(tmp_path, Request(LARGE, only_model=True, kernel="tables"))
    assert not list(tmp_path.glob("model_code.*"))
