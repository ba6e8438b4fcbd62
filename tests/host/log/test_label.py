"""A log and what people saw become labelled rows, joined by time; contradictions are errors, the rest is told."""

from pathlib import Path

import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.data.datasets import read_dataset
from dibble_tools.log.join import join
from typer.testing import CliRunner

LOG = """time,sequence,class,held,margin,flags,action,battery,soil_moisture_permille,air_temperature_centi_c
,1,,,0,,0,,100,-50
2026-05-01 06:00:00,2,ok,ok,5,,0,3700,200,-50
2026-05-01 06:30:00,3,ok,ok,5,,0,3700,,50
2026-05-01 07:00:00,4,ok,ok,5,unsure,0,3700,400,60
2026-05-01 07:30:00,5,ok,ok,5,,0,3700,500,70
"""
HEAD = "time,soil_moisture_permille,air_temperature_centi_c,label"


@pytest.fixture
def files(tmp_path: Path):
    def write(observations: str, log: str = LOG) -> tuple[Path, Path]:
        (tmp_path / "log.csv").write_text(log)
        (tmp_path / "seen.csv").write_text(observations)
        return tmp_path / "log.csv", tmp_path / "seen.csv"

    return write


def labels(files, observations: str, minutes: int = 30) -> dict[str, str]:
    """Return what the rows of the log are labelled: HH:MM -> label."""
    joined = join(*files(observations), 60 * minutes)
    return {row[0][11:16]: row[-1] for row in joined.rows}


def test_intervals_begin_with_their_start_and_end_before_their_end(files) -> None:
    seen = "from,to,label\n2026-05-01 06:00,2026-05-01 07:00,dry\n2026-05-01 07:00,2026-05-01 07:30,wet\n"
    joined = join(*files(seen), 1)
    assert joined.csv().decode().splitlines() == [
        HEAD,
        "2026-05-01 06:00:00,200,-50,dry",
        "2026-05-01 06:30:00,,50,dry",
        "2026-05-01 07:00:00,400,60,wet",
    ]
    assert (joined.unlabelled, joined.untimed, joined.unused, joined.counts) == (1, 1, [], {"dry": 2, "wet": 1})


def test_a_moment_speaks_of_the_rows_nearest_to_it(files) -> None:
    seen = "label,time\ndry,2026-05-01 06:10\nwet,2026-05-01 07:20\n"
    assert labels(files, seen) == {"06:00": "dry", "06:30": "dry", "07:00": "wet", "07:30": "wet"}
    assert labels(files, seen, 10) == {"06:00": "dry", "07:30": "wet"}
    assert labels(files, seen, 19) == {"06:00": "dry", "07:30": "wet"}
    assert labels(files, seen, 20) == {"06:00": "dry", "06:30": "dry", "07:00": "wet", "07:30": "wet"}


def test_a_row_between_two_different_moments_belongs_to_neither(files) -> None:
    seen = "time,label\n2026-05-01 06:15,dry\n2026-05-01 06:45,wet\n"
    assert labels(files, seen) == {"06:00": "dry", "07:00": "wet"}
    assert labels(files, seen.replace("wet", "dry")) == {"06:00": "dry", "06:30": "dry", "07:00": "dry"}


def test_times_with_a_zone_are_understood(files) -> None:
    assert labels(files, "time,label\n2026-05-01T08:00:00+02:00,dry\n", 1) == {"06:00": "dry"}


def test_skip_labels_nothing(files) -> None:
    seen = "from,to,label\n2026-05-01 06:00,2026-05-01 07:00,skip\n2026-05-01 07:00,2026-05-01 08:00,wet\n"
    assert labels(files, seen) == {"07:00": "wet", "07:30": "wet"}


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (
            "from,to,label\n2026-05-01 06:00,2026-05-01 07:00,dry\n2026-05-01 06:59,2026-05-01 08:00,dry\n",
            "expected intervals that don't overlap, got lines 2 and 3",
        ),
        ("from,to,label\n2026-05-01 07:00,2026-05-01 07:00,dry\n", "line 2, column 'to': expected a time after"),
        ("time,label\n2026-05-01 06:00,dry\n2026-05-01 06:00,wet\n", "one label a moment, got two in lines 2 and 3"),
        ("time,label\n2026-05-01 06:00,\n", "line 2, column 'label': expected a label"),
        ("time,label\nyesterday,dry\n", "line 2, column 'time': expected a time such as"),
        ("time,label\n1234,dry\n", "expected a timestamp"),
        ("when,what\n2026-05-01 06:00,dry\n", "expected the columns time,label or from,to,label, got when, what"),
    ],
)
def test_observations_that_contradict_themselves_are_named(files, seen: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        join(*files(seen), 60)


def test_a_log_is_checked_too(files) -> None:
    seen = "time,label\n2026-05-01 06:00,dry\n"
    with pytest.raises(InputError, match="expected a column time"):
        join(*files(seen, "a,b\n1,2\n"), 60)
    with pytest.raises(InputError, match="expected a log without labels"):
        join(*files(seen, "time,label\n2026-05-01 06:00,x\n"), 60)


def test_the_command_tells_what_found_no_partner_and_writes_what_trains(files, tmp_path: Path) -> None:
    log, seen = files("time,label\n2026-05-01 06:00,dry\n2026-05-01 07:30,wet\n2027-01-01 00:00,wet\n")
    out = tmp_path / "field.csv"
    command = ["label", str(log), str(seen), "--out", str(out), "--tolerance", "10m"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0
    for part in ("1 observations speak of no row of the log: line 4", "1 rows of the log have no time"):
        assert part in done.output
    assert "2 rows of the log have no observation" in done.output and "dry 1, wet 1" in done.output
    dataset = read_dataset(out, label="label", time="time")
    assert dataset.columns == ["soil_moisture_permille", "air_temperature_centi_c"]
    assert dataset.labels is not None and dataset.labels.tolist() == ["dry", "wet"]
    assert isinstance(CliRunner().invoke(app, command).exception, InputError)
    assert isinstance(CliRunner().invoke(app, [*command[:4], str(log), "--force"]).exception, InputError)
    assert log.read_text() == LOG
