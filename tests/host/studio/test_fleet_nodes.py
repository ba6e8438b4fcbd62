"""Nodes of a fleet in the studio: shown, drawn, labelled, and their labelled rows trained from."""

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.data.datasets import read_dataset
from dibble_tools.fleet.database import open_database
from dibble_tools.fleet.intake import Intake
from dibble_tools.studio.chart import chart_svg
from dibble_tools.studio.project import Project
from dibble_tools.studio.server import documents_of
from dibble_tools.studio.studio import FleetPlace, Studio
from fleet_messages import message
from studio_process import write_project


@pytest.fixture
def studio(tmp_path):
    place = tmp_path / "fleet.db"
    Intake(open_database(str(place))).take(
        [message(n, node, flags=2 if 10 <= n < 20 else 0) for n in range(1, 101) for node in ("bed-1", "bed-2")]
    )

    made = Studio(Project(write_project(tmp_path / "farm")), FleetPlace(str(place)))
    yield made
    made.close()


def labels(studio, name="fleet/bed-1"):
    return studio.tables.table(name).texts("label")


def test_a_node_is_labelled_and_trained_from(studio, tmp_path):
    do = studio.actions
    do["open_node"]({"node": "bed-1"})
    (told,) = studio.state.get("files")
    assert (told["name"], told["rows"], told["labelled"]) == ("fleet/bed-1", 100, False)
    do["label_rows"]({"file": "fleet/bed-1", "first": 0, "last": 59, "label": "dry"})
    do["label_rows"]({"file": "fleet/bed-1", "first": 20, "last": 39, "label": "wet"})
    do["label_rows"]({"file": "fleet/bed-1", "first": 50, "last": 54, "label": ""})
    want = ["dry"] * 20 + ["wet"] * 20 + ["dry"] * 10 + [""] * 5 + ["dry"] * 5 + [""] * 40
    assert labels(studio) == want
    do["open_node"]({"node": "bed-2"})
    assert set(labels(studio, "fleet/bed-2")) == {""}
    do["take_labelled"]({})
    assert studio.state.get("fleet")["written"] == "fleet.csv: 55 labelled readings of 1 nodes"
    trains = read_dataset(tmp_path / "farm" / "fleet.csv", label="label", time="time", group="node")
    assert list(trains.labels) == [label for label in want if label]
    content, _, headers = documents_of(studio)["file"]("fleet/bed-1", {})
    assert content.decode().count("\n") == 101 and headers["Content-Disposition"].endswith('"bed-1.csv"')


def test_what_was_not_to_be_trusted_is_marked_in_the_picture(studio):
    studio.actions["open_node"]({"node": "bed-1"})
    picture = chart_svg(studio.tables.table("fleet/bed-1"))
    assert picture.count('class="flag"') == 1 and "<title>out of range</title>" in picture


def test_the_list_puts_those_that_need_somebody_first(studio):
    content, kind, _ = documents_of(studio)["fleet"]("nodes", {})
    assert kind == "application/json" and b"silent" in content


@pytest.mark.parametrize(
    ("action", "request_", "said"),
    [
        ("open_node", {"node": "bed-11"}, "there are: bed-1, bed-2. Did you mean 'bed-1'"),
        ("open_node", {"node": 3}, "expected text"),
        ("delete_rows", {"file": "fleet/bed-1", "first": 0, "last": 1}, "its records stay whole"),
        ("label_rows", {"file": "fleet/bed-1", "first": 0, "last": 100, "label": "x"}, "expected rows from 0 to 99"),
        ("label_rows", {"file": "fleet/bed-2", "first": 0, "last": 1, "label": "x"}, "expected a file of this project"),
        ("take_labelled", {}, "expected records with labels"),
        ("update_nodes", {"model": "field"}, "start the studio with --broker HOST"),
    ],
)
def test_wrong_wishes(studio, action, request_, said):
    studio.actions["open_node"]({"node": "bed-1"})
    with pytest.raises(InputError) as error:
        studio.actions[action](request_)
    assert said in str(error.value)
