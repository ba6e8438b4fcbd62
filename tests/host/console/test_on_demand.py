"""Readings when they are asked for: on a virtual board, whose node runs again afterwards."""

import contextlib
import json
import time

import pytest
from dibble_tools.boards.example import example_config
from dibble_tools.common.errors import InputError
from dibble_tools.console.feed import Feed, from_port
from dibble_tools.console.on_demand import from_board
from dibble_tools.deploy.deploying import deploy
from dibble_tools.deploy.request import Request
from dibble_tools.node.console_lines import Row
from dibble_tools.virtual_board.board import VirtualBoard
from virtual_helpers import own_registry


@pytest.fixture
def board(tmp_path):
    with own_registry(tmp_path):
        config = example_config("pico")
        with VirtualBoard.start(tmp_path / "flash", name="asked", sensors=True, config=config) as started:
            yield started, config


def rows_of(pieces, count):
    """Return the first rows, and when each came."""
    found = []
    with contextlib.closing(pieces):
        for line in Feed(pieces):
            if isinstance(line, Row):
                found.append((time.monotonic(), line))
            if len(found) == count:
                return found
    return found


def test_a_node_that_reads_every_ten_minutes_is_read_each_second(board, tmp_path):
    running, config = board
    (tmp_path / "config.json").write_text(json.dumps(config))
    deploy(running.port, Request(None, tmp_path / "config.json"))
    (first, row), (second, other) = rows_of(from_board(running.port, 1), 2)
    assert second - first < 60
    assert (row.node, row.class_name, row.sequence, other.sequence) == (config["node"], None, 1, 2)
    assert 0 < row.readings["soil_moisture_permille"] < 1000
    assert 3000 < row.battery_mv == row.readings["battery_mv"] < 4300
    wide = {1: {"probe_curve": [3400, 0]}}
    ((_, taken),) = rows_of(from_board(running.port, 1, wide), 1)
    mv = 3400 * (1000 - taken.readings["soil_moisture_permille"]) / 1000
    dry, wet = config["sensors"][1]["probe_curve"]
    assert mv == pytest.approx(dry + (wet - dry) * row.readings["soil_moisture_permille"] / 1000, abs=20)
    assert rows_of(from_port(running.port), 1)  # the node runs again


def test_a_board_without_a_node_is_told_what_it_needs(board):
    with pytest.raises(InputError, match="dibble deploy --config"):
        rows_of(from_board(board[0].port, 1), 1)
    with pytest.raises(InputError, match="--every: expected 1 to 3600 seconds"):
        rows_of(from_board(board[0].port, 0.5), 1)
