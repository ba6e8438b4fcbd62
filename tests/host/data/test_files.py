"""Several files as one, and the roles of columns that dibble itself names."""

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.data.datasets import read_files
from dibble_tools.data.roles import Roles, roles_of
from helpers import numbers

OWN = (
    "time,node,soil_permille,battery_mv,label\n"
    "2026-05-01 06:00:00,{0},400,3900,wet\n2026-05-01 06:10:00,{0},300,3900,dry\n"
)


def put(folder, **files):
    paths = []
    for name, text in files.items():
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text(text)
    return paths


def test_files_are_lined_up_by_their_columns_names(tmp_path):
    a = "time,soil,temp,label\n2026-05-02 00:00,1,2,x\n2026-05-02 00:10,3,4,y\n"
    b = "label,wind,temp,soil,time\ny,9,6,5,2026-05-01 00:00\n"
    ds = read_files(put(tmp_path, a=a, b=b), label="label", time="time")
    assert (ds.columns, numbers(ds), ds.labels.tolist()) == (
        ["soil", "temp"],
        [[1, 2], [3, 4], [5, 6]],
        ["x", "y", "y"],
    )
    assert ds.groups.tolist() == ["a", "a", "b"]
    assert "b: not in every file, so left out: wind" in ds.notes


def test_rows_of_one_node_in_two_files_are_one_series(tmp_path):
    later, sooner = OWN.format("n1").replace("05-01", "05-02"), OWN.format("n1")
    ds = read_files(put(tmp_path, a=later, b=sooner), label="label", time="time", group="node", ignore=["battery_mv"])
    assert (np.diff(ds.times_ms) > 0).all() and set(ds.groups.tolist()) == {"n1"}


def test_files_of_one_name_in_two_folders_are_two_recordings(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        put(tmp_path / folder, field="soil,label\n1,x\n2,y\n")
    ds = read_files([tmp_path / "a" / "field.csv", tmp_path / "b" / "field.csv"], label="label")
    assert ds.groups.tolist() == ["field 1", "field 1", "field 2", "field 2"]


def test_files_of_other_columns_are_refused(tmp_path):
    with pytest.raises(InputError, match="expected files with columns of the same names, got none that a shares"):
        read_files(put(tmp_path, a="soil,label\n1,x\n", b="wind,label\n1,x\n"), label="label")


def test_dibbles_own_file_needs_no_options(tmp_path):
    one = put(tmp_path, one=OWN.format("n1"))
    found = roles_of(one, None, None, None, [])
    assert (found.label, found.time, found.group, found.ignore) == ("label", "time", None, ("node", "battery_mv"))
    two = put(tmp_path, two=OWN.format("n2"))
    assert roles_of(one + two, None, None, None, []).group == "node"


def test_what_is_told_counts(tmp_path):
    path = put(tmp_path, one=OWN.format("n1"))
    assert roles_of(path, "label", "time", "node", ["battery_mv"]) == Roles("label", "time", "node", ("battery_mv",))
    other = put(tmp_path, other="soil,state\n1,a\n")
    assert roles_of(other, "state", None, None, []) == Roles("state", None, None, ())


def test_a_file_without_labels_says_which_columns_there_are(tmp_path):
    with pytest.raises(InputError, match=r"--label: expected the column .*; there are: soil, state"):
        roles_of(put(tmp_path, other="soil,state\n1,a\n"), None, None, None, [])


def test_a_column_to_ignore_may_be_in_one_file_only(tmp_path):
    """A log that was labelled has no battery_mv; what is in no file is a mistake."""
    log = "time,node,soil_permille,label\n2026-05-03 06:00:00,n1,400,wet\n2026-05-03 06:10:00,n1,300,dry\n"
    paths = put(tmp_path, log=log, field=OWN.format("n1"))
    roles = roles_of(paths, None, None, None, [])
    assert roles.ignore == ("node", "battery_mv")
    ds = read_files(paths, label="label", time="time", ignore=roles.ignore)
    assert (ds.columns, len(ds.values)) == (["soil_permille"], 4)
    with pytest.raises(InputError, match=r"expected a column 'wind' \(--ignore\)"):
        read_files(paths, label="label", time="time", ignore=["wind"])
