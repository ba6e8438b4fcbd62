"""Long work in a process of its own: one at a time, stopped when asked, and when the studio ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.node.console_lines import Header, Row
from dibble_tools.studio import process_group
from dibble_tools.studio.collecting import Collecting
from dibble_tools.studio.jobs import Jobs
from dibble_tools.studio.project import Project
from dibble_tools.studio.state import State
from dibble_tools.studio.studio import Studio
from dibble_tools.studio.virtual_node import VirtualNode
from dibble_tools.virtual_board.registry import running
from patience import PATIENCE_S
from studio_process import write_project
from virtual_helpers import own_registry, raw_repl

JOB = "studio_sample_job"
SUPPORT = os.pathsep.join([str(Path(__file__).parents[1] / "support"), os.environ.get("PYTHONPATH", "")])
CHANNELS = (("air_temperature_centi_c", "centi_c"), ("soil_moisture_permille", "permille"), ("battery_mv", "mv"))
HEADER = Header("orchard-1", CHANNELS, 0)


@pytest.fixture
def jobs(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", SUPPORT)
    state = State()
    made = Jobs(state)
    yield made, state
    made.close()


def until(state, *wanted):
    deadline = time.monotonic() + PATIENCE_S
    while (job := state.get("job"))["state"] not in wanted:
        assert time.monotonic() < deadline, job
        time.sleep(0.02)
    return job


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def wait_for_end(pid):
    deadline = time.monotonic() + PATIENCE_S
    while is_alive(pid):
        assert time.monotonic() < deadline, f"{pid} lives on"
        time.sleep(0.02)


def test_a_job_shows_its_steps_and_its_result(jobs):
    made, state = jobs
    handed = []
    made.start("train", JOB, {"do": "result"}, handed.append)
    job = until(state, "done")
    assert (job["share"], job["log"], job["result"]) == (0.5, ["a note", "not JSON"], {"words": ["well"]})
    assert handed == [{"words": ["well"]}]


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ("refuse", "expected a CSV, got a pumpkin"),
        ("crash", "a mistake in dibble itself (ZeroDivisionError"),
        ("vanish", "expected a result, but the work ended with status 7"),
    ],
)
def test_a_job_that_fails_says_so_in_words(jobs, asked, problem):
    made, state = jobs
    made.start("train", JOB, {"do": asked})
    job = until(state, "failed")
    assert job["step"].startswith(problem)
    assert job["result"] is None


def test_one_job_runs_at_a_time_and_ends_with_all_its_processes_when_stopped(jobs):
    made, state = jobs
    made.start("train", JOB, {"do": "wait"})
    deadline = time.monotonic() + PATIENCE_S
    while not state.get("job")["log"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    pids = [int(text) for text in state.get("job")["log"]]
    with pytest.raises(InputError, match="already a job"):
        made.start("deploy", JOB, {"do": "result"})
    made.cancel()
    assert until(state, "cancelled")["result"] is None
    for pid in pids:
        wait_for_end(pid)
    made.start("deploy", JOB, {"do": "result"})
    until(state, "done")


def test_a_job_ends_early_with_what_it_has(jobs):
    made, state = jobs
    made.start("train", JOB, {"do": "keep"})
    deadline = time.monotonic() + PATIENCE_S
    while state.get("job")["step"] != "searching":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    made.finish_early()
    assert until(state, "done", "failed")["result"] == {"words": ["the best so far"]}


@pytest.fixture
def windows(monkeypatch, tmp_path):
    """Do as on Windows, whose taskkill notes what it is asked for, and ends one process."""
    taskkill = tmp_path / "taskkill"
    taskkill.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nkill -9 "$2"\n')
    taskkill.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(process_group, "WINDOWS", True)
    return tmp_path / "asked"


def test_on_windows_a_line_ends_a_job_early(windows, jobs):
    made, state = jobs
    made.start("train", JOB, {"do": "keep"})
    deadline = time.monotonic() + PATIENCE_S
    while state.get("job")["step"] != "searching":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    made.finish_early()
    assert until(state, "done", "failed")["result"] == {"words": ["the best so far"]}


def test_on_windows_the_tree_of_a_job_is_ended(windows, jobs):
    made, state = jobs
    made.start("train", JOB, {"do": "wait"})
    deadline = time.monotonic() + PATIENCE_S
    while not state.get("job")["log"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    job, child = (int(text) for text in state.get("job")["log"])
    made.cancel()
    os.kill(child, signal.SIGKILL)  # which a real taskkill /T would have ended; it holds the job's stdout
    assert until(state, "cancelled")["result"] is None
    assert windows.read_text().splitlines()[0] == f"/PID {job} /T /F"


def test_a_job_ends_when_the_studio_is_killed(tmp_path):
    code = (
        "import time\n"
        "from dibble_tools.studio.jobs import Jobs\n"
        "from dibble_tools.studio.state import State\n"
        "state = State()\n"
        f"Jobs(state).start('train', {JOB!r}, {{'do': 'wait'}})\n"
        "while not state.get('job')['log']:\n    time.sleep(0.02)\n"
        "print(*state.get('job')['log'], flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": SUPPORT}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment)
    try:
        assert process.stdout
        pids = [int(text) for text in process.stdout.readline().split()]
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert pids
    for pid in pids:
        wait_for_end(pid)


def row(sequence, soil):
    readings = {"air_temperature_centi_c": 2100, "soil_moisture_permille": soil, "battery_mv": 3700}
    return Row("orchard-1", sequence, 838282080 + 600 * sequence, None, None, 0, 0, 0, 0, 3700, readings)


def test_rows_are_written_under_the_label_that_is_pressed_until_the_pause(tmp_path):
    project, state = Project(write_project(tmp_path / "orchard-1")), State()
    collecting = Collecting(project, state)
    collecting.take(HEADER, row(1, 400))
    collecting.label("wet")
    collecting.take(HEADER, row(2, 410))
    collecting.label("dry")
    collecting.take(HEADER, row(3, 200))
    collecting.take(HEADER, row(4, 210))
    collecting.flush()
    assert state.get("collect")["label"] == "dry"
    assert collecting.channels() == []
    collecting.pause()
    collecting.take(HEADER, row(5, 220))
    assert [line.split(",")[-1] for line in project.csv.read_text().splitlines()] == ["label", "wet", "dry", "dry"]
    assert state.get("collect")["labels"] == [
        {"name": "dry", "words": "2 readings"},
        {"name": "wet", "words": "1 reading"},
    ]


@pytest.mark.parametrize("label", ["skip", "", " ", "=1+1", "a\nb", None, 7, ["dry"], "x" * 61])
def test_what_cannot_be_a_label_is_refused(tmp_path, label):
    project = Project(write_project(tmp_path / "orchard-1"))
    with pytest.raises(InputError, match="label"):
        Collecting(project, State()).label(label)
    assert not project.csv.exists()


def test_a_file_of_other_channels_is_left_alone_and_said(tmp_path):
    project, state = Project(write_project(tmp_path / "orchard-1")), State()
    project.csv.write_text("time,node,wind_cm_s,label\n2026-01-01 00:00:00,orchard-1,7,calm\n")
    before = project.csv.read_bytes()
    collecting = Collecting(project, state)
    collecting.label("wet")
    collecting.take(HEADER, row(1, 400))
    assert state.get("collect")["label"] is None
    assert state.get("collect")["words"].startswith("Not writing any more:")
    assert project.csv.read_bytes() == before


def test_training_without_readings_is_refused_in_words(tmp_path):
    studio = Studio(Project(write_project(tmp_path / "orchard-1")))
    try:
        with pytest.raises(InputError, match="no labelled readings"):
            studio.actions["train"]({"name": "field", "budget_s": 20, "max_bytes": 512})
        assert not studio.project.csv.exists()
    finally:
        studio.close()


def test_a_folder_without_a_configuration_is_one_to_make_a_project_in(tmp_path):
    project = Project(tmp_path)
    with pytest.raises(InputError, match="make one first"):
        project.check_made()
    with pytest.raises(InputError, match="expected a folder"):
        Project(tmp_path / "nowhere")


def test_a_virtual_boards_clock_goes_on_after_the_last_row_and_nothing_of_it_stays(tmp_path):
    config = write_project(tmp_path / "orchard-1") / "config.json"
    with own_registry(tmp_path / "run"):
        node = VirtualNode(config, 1, "2031-05-01 06:30:00")
        try:
            with raw_repl(node) as board:
                assert board.exec("import time\nprint(time.gmtime()[:4])").strip() == b"(2031, 5, 1, 6)"
        finally:
            node.stop()
        assert running() == []
    assert not node.config.parent.exists()
