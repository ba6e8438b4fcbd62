"""Files of readings: what is read, what is noted, and where each mistake is said to be."""

import gzip
import hashlib

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.data.datasets import read_dataset
from helpers import numbers

PLAIN = "a,b,label\n1,2.5,wet\n3,4.5,dry\n"
ROLES = {"label": "label"}


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
        gzip.compress(PLAIN.encode(), mtime=0),
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


MISTAKES = [
    ("", {}, "farm.csv: expected a header line and rows, got an empty file"),
    (" \n\n", {}, "got an empty file"),
    (b"\x00\x01\x02\xff", {}, "got a binary file"),
    (b"a,label\n1,\x81\n", {}, "got a binary file"),
    (b"PK\x03\x04rest", {}, "got a zip file or spreadsheet"),
    (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], {}, "expected a whole gzip file"),
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
    ("a,b\n1,True\n3,maybe\n", {}, "line 2, column 'b': expected a number, got 'True'"),
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
