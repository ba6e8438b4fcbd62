"""Times and groups of a file of readings: what order rows come in, and which rows may share a moment."""

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from helpers import numbers

TIME_CASES = [
    (["0", "0.5", "1e1"], [0, 500, 10_000]),
    (["0,0004", "0,0005", "7"], [0, 1, 7000]),
    (["2013-01-01", "2013-01-01 06:00", "2013-01-01T06:00:01Z"], [0, 21_600_000, 21_601_000]),
    (
        ["2013-01-01T00:00+01:00", "2012-12-31 23:30", "2013-01-01T00:00:00.250Z"],
        [-3_600_000, -1_800_000, 250],
    ),
]


@pytest.mark.parametrize(("cells", "expected"), TIME_CASES)
def test_times_are_milliseconds(read, cells, expected):
    ds = read("a;t\n" + "".join(f"{i};{cell}\n" for i, cell in enumerate(cells)), time="t")
    start = 1_356_998_400_000 if "-" in cells[0] else 0  # 2013-01-01
    assert (ds.times_ms - start).tolist() == expected
    assert (ds.times_ms.dtype, ds.columns) == (np.int64, ["a"])


@pytest.mark.parametrize("cell", ["", "soon", "now", "inf", "31/01/2013", "2013-13-01", "2013-01-01"])
def test_a_cell_that_is_no_time_is_named(read, cell):
    with pytest.raises(InputError, match=rf"line 3, column 't': expected seconds or a timestamp .*, got '{cell}'"):
        read(f"a,t\n1,0\n2,{cell}\n", time="t")


def test_milliseconds_in_place_of_seconds_are_noted(read):
    ds = read("a,t\n1,1700000000000\n2,1700000001000\n", time="t")
    assert ds.notes == ["column 't' is read as milliseconds: 1700000000000 s would be no node's"]
    assert ds.times_ms.tolist() == [1700000000000, 1700000001000]


def test_time_that_goes_backwards_is_refused(read):
    with pytest.raises(
        InputError,
        match=r"line 4, column 't': expected a time after '2013-01-02' \(line 3\), got '2013-01-01'",
    ):
        read("a,t\n1,2012-12-31\n2,2013-01-02\n3,2013-01-01\n", time="t")


def test_repeated_rows_are_left_out_with_a_note(read):
    ds = read("a,b,t,label\n1,,0,x\n1,,0,x\n1,,0,x\n2,3,1,x\n2,3,1,x\n", time="t", label="label")
    assert (numbers(ds), ds.times_ms.tolist(), ds.lines.tolist()) == ([[1, None], [2, 3]], [0, 1000], [2, 5])
    assert ds.notes == ["3 rows repeat the row before: left out, the first in line 3"]


@pytest.mark.parametrize("row", ["2,0,x", "1,0,y", ",0,x"])
def test_two_different_rows_of_one_time_are_refused(read, row):
    with pytest.raises(
        InputError,
        match="line 3, column 't': expected one row a moment, got '0' with other content in line 2",
    ):
        read(f"a,t,label\n1,0,x\n{row}\n", time="t", label="label")


def test_interleaved_groups_are_put_together_in_order_of_appearance(read):
    ds = read("a,t,g\n1,5,north\n2,0,east\n3,6,north\n4,1,east\n5,9,1.0\n", time="t", group="g")
    assert ds.groups.tolist() == ["north", "north", "east", "east", "1.0"]
    assert (ds.values[:, 0].tolist(), ds.lines.tolist()) == ([1, 3, 2, 4, 5], [2, 4, 3, 5, 6])
    assert ds.times_ms.tolist() == [5000, 6000, 0, 1000, 9000]


def test_time_backwards_within_a_group_names_the_group(read):
    with pytest.raises(InputError, match=r"line 4, column 't': .* after '5' \(line 2 of group 'n'\), got '4'"):
        read("a,t,g\n1,5,n\n2,0,e\n3,4,n\n", time="t", group="g")


def test_an_empty_group_column_means_no_groups(read):
    ds = read("a,g\n1,\n2,\n", group="g")
    assert (ds.groups, ds.notes) == (None, ["column 'g' is empty: rows are taken as ungrouped"])
