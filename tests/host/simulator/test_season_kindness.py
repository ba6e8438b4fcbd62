"""A season with every unkindness beside the same one with none: as many decisions, the same waterings, no exception.

tests/benchmarks/kindness.py has whole seasons of each board.
"""

from pathlib import Path

import pytest
from dibble_tools.model.host_model import HostModel
from kindness import beside_each_other, live

MODEL = Path(__file__).parents[3] / "models" / "orchard"


@pytest.mark.parametrize(("board", "days", "waterings"), [("pico_w", 0.78, 2), ("esp32_devkit", 0.2, 1)])
def test_a_season_of_all_unkindnesses_is_the_kind_one(board, days, waterings):
    model = HostModel.open(MODEL)
    unkind, kind = live(model, board, days), live(model, board, days, kind="all")
    found = beside_each_other(unkind, kind)
    assert len(unkind.unkindnesses) >= 14 and not kind.unkindnesses
    assert unkind.radio_faults > 0 and kind.radio_faults == 0
    assert found.decisions_apart <= 0.01 and found.answers_apart <= 0.02
    assert len(unkind.season.waterings) == len(kind.season.waterings) >= waterings
    assert found.watered_apart <= 0.01 and found.begun_apart_s <= 30
    assert unkind.season.tracebacks == unkind.errors == 0 and set(unkind.season.lives) == {"stop"}
