"""What a deploy asks of a model file before anything is copied."""

import dataclasses

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.deploy.board_state import OnBoard, digest_of
from dibble_tools.deploy.checks import PARTS, check_file
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import export
from dibble_tools.node.files import MpyFormat, node_files, source_of
from helpers import random_spec
from node_helpers import soil_model

PLACE = "lib/dibble/inference/parts"
MPY = MpyFormat(6, 3, "armv6m")


def test_a_file_without_golden_vectors_is_refused() -> None:
    with pytest.raises(InputError, match=r"'dry below 300': expected golden vectors, .*, got none: export it again"):
        check_file(HostModel(soil_model(300, golden=())), None)
    check_file(HostModel(soil_model(300)), None)


@pytest.fixture
def streaming(monkeypatch) -> HostModel:
    """A model with an optional part, of a host that knows it."""
    monkeypatch.setattr("dibble.inference.parts.KNOWN", (b"stream",))  # where it lies now: a node forgets it
    spec = dataclasses.replace(random_spec(1), parts={b"stream": b"\1\2\3"})
    return HostModel(export(spec, [[0, 0, 0]]))


def test_optional_parts_go_with_the_firmware_that_reads_them(streaming) -> None:
    check_file(streaming, None)
    own = node_files(["soil_adc"], MPY)["lib/dibble/parts.mpy"]
    for name, content in ((f"{PLACE}.py", source_of(PARTS).read_bytes()), ("lib/dibble/parts.mpy", own)):
        check_file(streaming, {name: OnBoard(len(content), digest_of(content))}, MPY)


@pytest.mark.parametrize(
    "on_board", [{}, {f"{PLACE}.py": OnBoard(9, "0" * 16)}, {f"{PLACE}.mpy": OnBoard(9, "0" * 16)}]
)
def test_optional_parts_are_refused_for_another_firmware(streaming, on_board) -> None:
    with pytest.raises(InputError, match=r"optional parts \(stream\): expected a firmware .* without --only"):
        check_file(streaming, on_board, MPY)
