"""What becomes of a file before anything is trained: columns that cost more rows than they tell are left out."""

import numpy as np
from dibble_tools.data.prepare import DataOptions, prepare


def file_of(tmp_path, shares: dict[str, float], rows: int = 400):
    """Return a file whose columns have readings in a share of the rows each."""
    rng = np.random.default_rng(0)
    there = {name: rng.permutation(rows) < round(share * rows) for name, share in shares.items()}
    lines = [",".join([*shares, "state"])]
    for i in range(rows):
        cells = [str(rng.integers(100)) if there[name][i] else "" for name in shares]
        lines.append(",".join([*cells, "ab"[i % 2]]))
    path = tmp_path / "f.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_mostly_empty_column_is_left_out_and_told(tmp_path) -> None:
    data = prepare(file_of(tmp_path, {"soil": 1.0, "lux": 0.1}), DataOptions(label="state"))
    assert [channel.name for channel in data.channels] == ["soil"]
    assert data.whole.all()
    assert [note for note in data.notes if "column 'lux' has a reading in 40 of 400 rows only: left out" in note]


def test_it_stays_where_it_is_asked_for(tmp_path) -> None:
    path = file_of(tmp_path, {"soil": 1.0, "lux": 0.2})
    data = prepare(path, DataOptions(label="state", channels=["lux=lx:1"]))
    assert [channel.name for channel in data.channels] == ["soil", "lux"]
    assert data.whole.sum() == 80


def test_a_column_that_costs_a_tenth_of_the_rows_is_named(tmp_path) -> None:
    data = prepare(file_of(tmp_path, {"soil": 1.0, "air": 0.7}), DataOptions(label="state"))
    assert [channel.name for channel in data.channels] == ["soil", "air"]
    assert [note for note in data.notes if "column 'air' alone costs" in note and "--ignore air" in note]


def test_columns_that_are_all_mostly_empty_stay(tmp_path) -> None:
    data = prepare(file_of(tmp_path, {"soil": 0.4}), DataOptions(label="state"))
    assert [channel.name for channel in data.channels] == ["soil"]
