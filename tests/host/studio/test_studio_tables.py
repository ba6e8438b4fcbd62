"""Files labelled on the page: spans of rows, each change undoable, a log never touched; and the picture of them."""

import csv
import xml.etree.ElementTree as ElementTree

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.studio.chart import WIDTH, chart_svg, colours_of
from dibble_tools.studio.project import Project
from dibble_tools.studio.tables import Tables, rows_json
from dibble_tools.studio.timeline import places_of
from studio_process import write_project

SVG = "{http://www.w3.org/2000/svg}"
HEAD = "time,node,soil_moisture_permille,air_temperature_centi_c,label"
FIELD = [HEAD, *(f"2026-05-01 00:{i:02d}:00,bed-1,{300 + i},{'' if i == 4 else 1500 + i},dry" for i in range(10))]
LOG = ["time,sequence,class,held,margin,flags,action,battery,soil_moisture_permille"]
LOG += [f"2026-05-02 00:{i:02d}:00,{i},,,0,,0,3900,{400 + i}" for i in range(6)]


@pytest.fixture
def tables(tmp_path):
    folder = write_project(tmp_path / "bed-1")
    (folder / "field.csv").write_text("\n".join(FIELD) + "\n")
    (folder / "log").mkdir()
    (folder / "log" / "log.csv").write_text("\n".join(LOG) + "\n")
    return Tables(Project(folder))


def labels_of(path):
    with path.open(newline="") as file:
        return [row["label"] for row in csv.DictReader(file)]


def test_the_files_of_a_project_are_told_with_their_labels(tables):
    field, log = tables.described()
    assert (field["name"], field["rows"], field["labelled"], field["words"]) == ("field.csv", 10, True, "10 dry")
    assert (log["name"], log["labelled"]) == ("log/log.csv", False)
    assert log["words"] == "6 readings, none labelled yet"


def test_a_span_is_labelled_and_unlabelled_and_both_can_be_undone(tables):
    path = tables.path("field.csv")
    assert tables.label("field.csv", 3, 5, "wet") == "field.csv"
    assert labels_of(path) == ["dry"] * 3 + ["wet"] * 3 + ["dry"] * 4
    tables.label("field.csv", 0, 0, "")
    assert tables.described()[0]["words"] == "6 dry, 3 wet, 1 without a label"
    tables.undo("field.csv")
    assert labels_of(path)[0] == "dry"
    tables.undo("field.csv")
    assert labels_of(path)[0] == ""


def test_rows_are_deleted_and_come_back(tables):
    tables.delete("field.csv", 8, 9)
    assert len(labels_of(tables.path("field.csv"))) == 8
    tables.undo("field.csv")
    assert len(labels_of(tables.path("field.csv"))) == 10


def test_a_log_stays_as_it_is_and_its_labels_go_to_a_file_that_trains(tables):
    log = tables.path("log/log.csv")
    before = log.read_bytes()
    assert tables.label("log/log.csv", 0, 2, "frost") == "log-labelled.csv"
    assert tables.label("log/log.csv", 3, 3, "ok") == "log-labelled.csv"
    assert log.read_bytes() == before
    made = tables.table("log-labelled.csv")
    assert made.columns == ["time", "node", "soil_moisture_permille", "label"]
    assert made.texts("label") == ["frost"] * 3 + ["ok", "", ""]
    assert made.texts("node") == ["bed-1"] * 6
    with pytest.raises(InputError, match="it stays whole"):
        tables.delete("log/log.csv", 0, 1)


@pytest.mark.parametrize(
    ("name", "first", "last", "said"),
    [
        ("../secret.csv", 0, 1, r"expected a file of this project \(field.csv, log/log.csv\)"),
        ("config.json", 0, 1, "expected a file of this project"),
        (None, 0, 1, "expected a file of this project"),
        ("field.csv", 0, 10, "expected rows from 0 to 9, got 0 to 10"),
        ("field.csv", 5, 4, "expected rows from 0 to 9"),
    ],
)
def test_other_files_and_rows_are_refused(tables, name, first, last, said):
    with pytest.raises(InputError, match=said):
        tables.label(name, first, last, "wet")


@pytest.mark.parametrize("text", ["", "a,b\n1\n", "a\n\x00\n1,2\n", "\xff"])
def test_a_file_that_is_none_is_told(tables, text):
    path = tables.path("field.csv")
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"field\.csv: expected"):
        tables.table("field.csv")
    assert "expected" in tables.described()[0]["words"]


def test_a_link_out_of_the_project_is_no_file_of_it(tables, tmp_path):
    (tmp_path / "outside.csv").write_text(HEAD + "\n")
    tables.path("field.csv").with_name("linked.csv").symlink_to(tmp_path / "outside.csv")
    assert "linked.csv" not in tables.paths()


def test_the_picture_has_a_line_for_each_channel_and_a_band_for_each_label(tables):
    tables.label("field.csv", 5, 9, "<wet> & so")
    table = tables.table("field.csv")
    tree = ElementTree.fromstring(chart_svg(table))
    lines = [path.get("d") for path in tree.iter(f"{SVG}path")]
    assert len(lines) == 2
    assert lines[1].count("M") == 2  # a reading is missing
    bands = [rect for rect in tree.iter(f"{SVG}rect") if rect.get("fill-opacity")]
    assert [(float(band.get("x")), float(band.get("width"))) for band in bands] == [
        (0, WIDTH / 2),
        (WIDTH / 2, WIDTH / 2),
    ]
    words = [text.text for text in tree.iter(f"{SVG}text")]
    assert {"dry", "<wet> & so", "Soil moisture", "30.0 % to 30.9 %", "15.0 °C to 15.1 °C"} <= set(words)


def later(table, row, days):
    """Let the rows from one on be so many days later, all within a month."""
    place = table.columns.index("time")
    for each in table.rows[row:]:
        each[place] = each[place].replace("2026-05-01", f"2026-05-{1 + days:02d}")


def test_rows_lie_by_their_times_and_a_gap_is_seen_in_what_it_was(tables):
    table = tables.table("field.csv")
    later(table, 4, 3)
    table.rows[7][0] = "2026-05-04 00:07:30"  # half a minute late, and half a minute before the next
    svg = chart_svg(table, 0, 9, 520)
    tree = ElementTree.fromstring(svg)
    (gap,) = [rect for rect in tree.iter(f"{SVG}rect") if rect.get("class") == "gap"]
    assert gap.find(f"{SVG}title").text == "no readings for 3 days"
    # ten rows, the one before the gap 1.5 wide, the gap the least there is: 12 intervals, the 4th row's end at 4.5
    scale = 520 / 12
    assert float(gap.get("x")) == pytest.approx(4.5 * scale, abs=0.1)
    assert float(gap.get("width")) == pytest.approx(1.5 * scale, abs=0.1)
    assert any(text.text == "no readings for 3 days" for text in tree.iter(f"{SVG}text"))
    assert [path.get("d").count("M") for path in tree.iter(f"{SVG}path")] == [2, 2]  # broken at the gap
    assert rows_json(table)["places"] == [0, 1, 2, 3, 6, 7, 8, 9.5, 10, 11, 12]


@pytest.mark.parametrize(
    ("times", "places"),
    [
        (["now", "then", ""], [0, 1, 2, 3]),
        (["2026-05-01T00:00Z", "2026-05-01T00:01Z", "2026-05-01T00:00Z", "2026-05-01T00:01Z"], [0, 1, 2, 3, 4]),
        (["2026-05-01 00:00", "", "2026-05-01 00:09", "2026-05-01 00:10"], [0, 1, 2, 3, 4]),
        ([], [0]),
    ],
)
def test_rows_whose_times_tell_nothing_are_an_interval_apart(times, places):
    assert places_of(times).tolist() == places


def test_a_long_gap_leaves_room_for_the_rows(tables):
    times = [f"2026-05-{1 + i // 100:02d} {i % 100 // 60:02d}:{i % 100 % 60:02d}" for i in range(200)]
    places = places_of(times)
    assert places[-1] < 1.1 * len(times) and places[100] - places[99] == pytest.approx(200 / 12)


def test_rows_worth_a_label_are_suggested_with_their_place_and_not_those_that_have_one(tables):
    path = tables.path("log/log.csv")
    lines = [LOG[0], *(f"2026-05-02 {i:02d}:00:00,{i},ok,ok,{9 - i % 5},,0,3900,{400 + i * 7}" for i in range(20))]
    path.write_text("\n".join(lines) + "\n")
    found = tables.suggested("log/log.csv")
    assert len(found) == 10 and [each["row"] for each in found] == sorted(each["row"] for each in found)
    assert all(each["time"] == f"2026-05-02 {each['row']:02d}:00:00" for each in found)
    assert {each["said"] for each in found} == {"ok"} and "a close call" in {each["why"] for each in found}
    tables.label("log/log.csv", found[0]["row"], found[0]["row"], "frost")
    assert found[0]["row"] not in [each["row"] for each in tables.suggested("log/log.csv")]
    tables.label("field.csv", 0, 8, "")
    assert 9 not in [each["row"] for each in tables.suggested("field.csv")]  # the one that kept its label


def test_a_part_is_drawn_in_the_same_colours(tables):
    tables.label("field.csv", 5, 9, "wet")
    table = tables.table("field.csv")
    tree = ElementTree.fromstring(chart_svg(table, 6, 8, 400))
    (band,) = [rect for rect in tree.iter(f"{SVG}rect") if rect.get("fill-opacity")]
    assert band.get("fill") == colours_of(["dry", "wet"])["wet"]
    assert tree.get("viewBox").startswith("0 0 400 ")


def test_many_rows_make_a_picture_of_bounded_size(tables):
    path = tables.path("field.csv")
    rows = [f"2026-05-01 00:00:00,bed-1,{i * 7919 % 1000},{i},dry" for i in range(50_000)]
    path.write_text("\n".join([HEAD, *rows]) + "\n")
    assert len(chart_svg(tables.table("field.csv"))) < 100_000
    assert len(rows_json(tables.table("field.csv"))["times"]) == 50_000
