"""Files of readings: what is read, what is noted, and where each mistake is said to be."""

import gzip
import hashlib

import numpy as np
import pytest

from host_tools.datasets import read_dataset
from host_tools.errors import InputError

PLAIN = "a,b,label\n1,2.5,wet\n3,4.5,dry\n"
ROLES = {"label": "label"}


@pytest.fixture
def read(tmp_path):
    """Return a function that writes text or bytes to a file and reads it as a dataset."""

    def write_and_read(content, name="farm.csv", **roles):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        return read_dataset(tmp_path / name, **roles)

    return write_and_read


def numbers(ds):
    """Return values as lists, missing readings as None."""
    return [[None if np.isnan(value) else value for value in row] for row in ds.values]


def test_a_plain_file_is_read_completely(read):
    ds = read(PLAIN, label="label")
    assert (ds.name, ds.columns, ds.labels.tolist()) == ("farm", ["a", "b"], ["wet", "dry"])
    assert ds.values.dtype == np.float64
    assert numbers(ds) == [[1, 2.5], [3, 4.5]]
    assert (ds.lines.tolist(), ds.times_ms, ds.groups, ds.notes) == ([2, 3], None, None, [])
    assert ds.sha256 == hashlib.sha256(PLAIN.encode()).hexdigest()


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "  "),
        PLAIN.replace(",", " , "),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace("\n", ",\n"),
        PLAIN.replace("wet\n", "wet,\n"),
        PLAIN.replace("wet", '"wet"').replace("2.5", '"2.5"').replace("a,", '"a",'),
        PLAIN.rstrip("\n"),
        " a , b ,label \n1,2.5,wet\n3,4.5,dry\n",
        "   a    b label\n 1.0  2.5 wet\n 3.0\t4.5 dry  \n",
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        gzip.compress(PLAIN.encode()),
    ],
)
def test_separators_encodings_and_line_ends_make_no_difference(read, content):
    ds = read(content, label="label")
    assert (ds.columns, numbers(ds), ds.labels.tolist()) == (["a", "b"], [[1, 2.5], [3, 4.5]], ["wet", "dry"])
    assert (ds.lines.tolist(), ds.notes) == ([2, 3], [])


@pytest.mark.parametrize("name", ["farm.csv", "farm.csv.gz", "farm.tsv", "farm.CSV", "farm"])
def test_name_is_the_file_name_without_its_ending(read, name):
    assert read(PLAIN, name, label="label").name == "farm"


@pytest.mark.parametrize(
    ("content", "example"),
    [
        ("a;b;label\n1,5;2;wet\n-,25;;dry\n", "1,5"),
        ("a\tb\tlabel\n1,5\t2\twet\n-,25\t\tdry\n", "1,5"),
        ("a b label\n1,5 2 wet\n-,25 NA dry\n", "1,5"),
        ('a,b,label\n"1,5",2,wet\n"-,25",,dry\n', "1,5"),
        ("a;b;label\n1,500;2;wet\n-,25;;dry\n", "1,500"),
    ],
)
def test_decimal_commas_are_read_with_a_note(read, content, example):
    ds = read(content, label="label")
    assert numbers(ds) == [[1.5, 2], [-0.25, None]]
    assert ds.notes == [f"column 'a': numbers such as {example} are read with a decimal comma"]


@pytest.mark.parametrize(
    ("content", "cell"),
    [
        ('a,label\n1,x\n"1,234",y\n', "1,234"),
        ("a;b;label\n1;2;x\n1,234;2.5;y\n", "1,234"),
        ("a;label\n2.5;x\n1,5;y\n", "1,5"),
        ('a,label\n1,x\n"1,234.5",y\n', "1,234.5"),
        ("a;label\n1;x\n1 234;y\n", "1 234"),
        ("a;label\n1;x\n1.234.567;y\n", "1.234.567"),
    ],
)
def test_thousands_separators_are_not_guessed(read, content, cell):
    with pytest.raises(InputError, match=rf"farm.csv, line 3, column 'a': expected a number, got '{cell}'"):
        read(content, label="label")


def test_windows_text_is_read_with_a_note(read):
    ds = read("a,größe,label\n1,2,x\n".encode("cp1252"), label="label")
    assert ds.columns == ["a", "größe"]
    assert ds.notes == ["line 1 isn't UTF-8: the file is read as Windows text (cp1252)"]


def test_lines_count_blank_lines_and_line_ends_in_quotes(read):
    ds = read('\na,label\n\n1,x\n , \n,,\n2,"y\nz"\n3,x\n\n', label="label")
    assert numbers(ds) == [[1], [2], [3]]
    assert ds.lines.tolist() == [4, 7, 9]
    assert ds.labels.tolist() == ["x", "y\nz", "x"]


@pytest.mark.parametrize("cell", ["", "NA", "N/A", "nan", "NaN", "null", "None", "-", "?", " NA ", '"?"'])
@pytest.mark.parametrize("other", ["2", '"2,5"'])
def test_missing_cells_become_missing_readings(read, cell, other):
    ds = read(f"a,b\n{cell},1\n{other},1\n")
    assert numbers(ds) == [[None, 1], [float(other.strip('"').replace(",", ".")), 1]]


def test_labels_that_look_missing_survive(read):
    ds = read("a,label\n1,none\n2,NA\n3,nan\n4,-\n5,None\n", label="label")
    assert ds.labels.tolist() == ["none", "NA", "nan", "-", "None"]


def test_numeric_labels_lose_an_empty_fraction_only(read):
    ds = read("a,label\n1,1.0\n2, 0 \n3,1.5\n4,-2.00\n5,v1.0\n6,007\n", label="label")
    assert ds.labels.tolist() == ["1", "0", "1.5", "-2", "v1.0", "007"]


def test_rows_without_a_label_are_left_out_with_a_note(read):
    ds = read("a,label\n1,x\n2,\n3, \n4,y\n", label="label")
    assert (numbers(ds), ds.lines.tolist()) == ([[1], [4]], [2, 5])
    assert ds.notes == ["2 rows without a label in column 'label' left out, the first in line 3"]


def test_empty_columns_are_left_out_with_a_note(read):
    ds = read("a,b,,label\n1,,7,x\n2,NA,8,y\n", label="label")
    assert ds.columns == ["a"]
    assert ds.notes == [
        "column 3 has no name: left out; name it in the header to use it",
        "column 'b' is empty: left out",
    ]


def test_a_model_gets_its_columns_in_its_order(read):
    ds = read("where,b,a,a2\nfield,1,,x\nbarn,3,4,y\n", columns=["a", "b"])
    assert (ds.columns, numbers(ds)) == (["a", "b"], [[None, 1], [4, 3]])


def test_a_model_gets_its_empty_column_too(read):
    ds = read("a,b\n1,\n2,\n", columns=["b", "a"])
    assert numbers(ds) == [[None, 1], [None, 2]]
    assert ds.notes == ["column 'b' is empty"]


def test_one_column_is_enough_for_a_model_of_one_channel(read):
    assert numbers(read("soil moisture\n1\n2\n", columns=["soil moisture"])) == [[1], [2]]


def test_a_model_misses_columns_by_name(read):
    with pytest.raises(InputError, match=r"'temp', 'hum' isn't there; there are: tmp, x\. Did you mean 'tmp'\?"):
        read("tmp,x\n1,2\n", columns=["temp", "x", "hum"])


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
    assert ds.notes == ["column 't' is read as seconds, but 1700000000000 looks like milliseconds: divide it by 1000"]


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


MISTAKES = [
    ("", {}, "farm.csv: expected a header line and rows, got an empty file"),
    (" \n\n", {}, "got an empty file"),
    (b"\x00\x01\x02\xff", {}, "got a binary file"),
    (b"a,label\n1,\x81\n", {}, "got a binary file"),
    (b"PK\x03\x04rest", {}, "got a zip file or spreadsheet"),
    (gzip.compress(b"a,b\n1,2\n")[:-9], {}, "expected a whole gzip file"),
    ('{"a": [1, 2]}', {}, "got JSON"),
    ('[{"a": 1}]', {}, "got JSON"),
    ("<!DOCTYPE html>\n<p>", {}, "got HTML or XML"),
    ("1,2\n3,4\n", {}, "expected column names in line 1, got numbers"),
    ("1,5;2,5\n3;4\n", {}, "expected column names in line 1, got numbers"),
    ("a,b, a\n1,2,3\n", {}, "expected different column names, got 'a' twice"),
    ("a,b\n1,2\n3\n", {}, "line 3: expected 2 fields as in the header, got 1"),
    ("a,b\n\n1,2,3\n", {}, "line 3: expected 2 fields as in the header, got 3"),
    ('a,b\n1,2\n3,4\n5,"6\n', {}, "line 4: expected a closing quote"),
    ('a,b\n1,"2\n3,4"\n', {}, "line 2, column 'b': expected a number, .* look for a stray quote"),
    ("a,b\n", {}, "expected rows below the header, got none"),
    ("a,b\n,\n", {}, "expected rows below the header, got none"),
    ("moisture\n1\n2\n", {}, "got one: 'moisture'"),
    ("soil moisture\n1\n2\n", {}, "got one: 'soil moisture'"),
    (
        "a,state\n1,x\n",
        {"label": "stat"},
        r"'stat' \(--label\), there are: a, state\. Did you mean 'state'\?",
    ),
    (PLAIN, {"time": "when"}, r"'when' \(--time\), there are: a, b, label\."),
    (PLAIN, {"group": "B"}, r"expected a column 'B' \(--group\)"),
    (PLAIN, {"ignore": ["c"]}, r"expected a column 'c' \(--ignore\)"),
    (PLAIN, {"label": "a", "time": "a"}, "one role for column 'a', got --label and --time"),
    (PLAIN, {"label": "label", "ignore": ["label"]}, "one role for column 'label', got --label and --ignore"),
    (PLAIN, {"label": "a", "columns": ["a"]}, "column 'a' is a channel of the model, got it as --label too"),
    (
        "a,label\n1,x\n",
        {"label": "label", "ignore": ["a"]},
        "at least one column of readings, got only label",
    ),
    ("a,label\n,x\n,y\n", {"label": "label"}, "expected readings, got only empty cells in a"),
    ("a,label\n1,\n2,\n", {"label": "label"}, "column 'label': expected class names, got only empty cells"),
    ("a,g\n1,x\n2,\n", {"group": "g"}, "line 3, column 'g': expected the name of a group, got an empty cell"),
    ("a,b\n1,2\n3,2x\n4,5\n6,\n", {}, "line 3, column 'b': expected a number, got '2x': correct the cell"),
    (
        "a,b\n1,wet\n3,dry\n",
        {},
        r"line 2, column 'b': .* got 'wet': .*--label, --group or --time, or --ignore 'b'",
    ),
    ("a,b\n1,True\n3,False\n", {}, "line 2, column 'b': expected a number, got 'True'"),
    ("a,b\n1,2013-01-01\n3,2013-01-02\n", {}, "line 2, column 'b': .* name it with --time 'b'"),
    (
        "a,b\n1,wet\n3,dry\n",
        {"columns": ["b"]},
        "line 2, column 'b': expected a number, got 'wet': correct the cell",
    ),
    ("a,b\n1,2\n3,-inf\n", {}, "line 3, column 'b': expected a finite number, got -inf"),
    ("a;b\n1;2,5\n3;inf\n4;5\n", {}, "line 3, column 'b': expected a number, got 'inf'"),
]


@pytest.mark.parametrize(("content", "roles", "message"), MISTAKES)
def test_a_mistake_is_named_with_its_place(read, content, roles, message):
    with pytest.raises(InputError, match=message):
        read(content, **roles)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(InputError, match=r"found nothing at .*gone\.csv"):
        read_dataset(tmp_path / "gone.csv")
    with pytest.raises(InputError, match="got the folder"):
        read_dataset(tmp_path)
