"""Silence, batteries that fall, missing records, drift: told where it is so, and not by chance."""

import json

import numpy as np
import pytest
from dibble_tools.cli.main import app
from dibble_tools.fleet.database import models, open_database
from dibble_tools.fleet.health import DAY_S, fleet_health
from dibble_tools.fleet.intake import Intake
from dibble_tools.fleet.view import battery_text, concerns
from fleet_messages import INTERVAL_S, MAY_S, message, told
from typer.testing import CliRunner

DAY = DAY_S // INTERVAL_S
UNSURE, RANGE = 1, 2


def fed(engine, days, node="bed-1", **of_day):
    """Take records of some days, each 10 minutes; more about them by day."""
    numbers = range(1, days * DAY + 1)
    Intake(engine).take(
        [message(n, node, MAY_S + INTERVAL_S * n, **{k: v(n) for k, v in of_day.items()}) for n in numbers]
    )
    return MAY_S + INTERVAL_S * days * DAY


@pytest.fixture
def trained(engine):
    with engine.begin() as connection:
        shares = {"unsure": 0.2, "out of range": 0.0}
        connection.execute(models.insert(), [{"crc": "0badcafe", "name": "orchard", "shares": json.dumps(shares)}])
    Intake(engine).take([told("about", model="0badcafe", interval_s=INTERVAL_S, board="Pico")])
    return engine


def test_a_share_like_that_of_training_is_no_drift(trained):
    alarms = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        runs = np.repeat(rng.random(8 * DAY // 6 + 1) < 0.2, 6)  # an hour alike, as weather is
        node = f"bed-{seed}"
        Intake(trained).take([told("about", node, model="0badcafe")])
        now_s = fed(trained, 8, node, flags=lambda n, runs=runs: int(runs[n - 1]))
    alarms = sum(node.drifts for node in fleet_health(trained, now_s))
    assert alarms == 0


def test_more_out_of_range_and_unsure_than_training_saw_is_drift(trained):
    now_s = fed(trained, 8, flags=lambda n: RANGE if n % 10 == 0 else UNSURE if n % 2 else 0)
    (node,) = fleet_health(trained, now_s)
    assert node.against == "training" and node.model_name == "orchard"
    assert [name for name, share in node.shares.items() if share.drifts] == ["unsure", "out of range"]
    assert any(
        "out of range in 10 % of the last week's decisions, 0 % in training" in line for line in concerns(node, now_s)
    )


def test_without_its_card_a_node_is_held_against_its_own_first_days(engine):
    now_s = fed(engine, 30, flags=lambda n: UNSURE if n > 22 * DAY and n % 2 else 0)
    (node,) = fleet_health(engine, now_s)
    assert node.against == "its first 14 days" and node.shares["unsure"].drifts and not node.shares["novel"].drifts
    (early,) = fleet_health(engine, MAY_S + 10 * DAY_S)
    assert early.against == "" and not early.drifts


def test_the_days_of_a_battery(engine):
    noise = np.random.default_rng(0).normal(0, 15, 20 * DAY + 1)
    now_s = fed(engine, 20, battery_mv=lambda n: round(4000 - 10 * n / DAY + noise[n]))
    fed(engine, 20, "solar", battery_mv=lambda n: round(3900 + 200 * np.sin(2 * np.pi * n / DAY)))
    fed(engine, 20, "mains", battery_mv=lambda n: None)
    falling, mains, solar = fleet_health(engine, now_s)
    assert falling.battery_days == pytest.approx((3800 - 3300) / 10, rel=0.1)
    assert solar.battery_days is None and mains.battery_days is None and mains.battery_mv is None
    assert falling.night_mv is None and 3700 < solar.night_mv < 3800


def test_a_solar_battery_goes_by_its_nights(engine):
    """By noon it is full each day; each night it is 20 mV lower, as days grow shorter. And it's evening now."""
    sun = lambda n: max(0.0, np.sin(2 * np.pi * (n / DAY - 0.25)))  # noqa: E731
    now_s = fed(engine, 20, battery_mv=lambda n: round(3800 - 20 * (n / DAY) + (350 + 20 * n / DAY) * sun(n)))
    fed(engine, 20, "full", battery_mv=lambda n: round(3800 + 350 * sun(n)))
    node, full = fleet_health(engine, now_s)
    assert node.battery_days == pytest.approx((node.night_mv - 3300) / 20, rel=0.1)
    assert node.night_mv == pytest.approx(3410, abs=30) and full.battery_days is None
    assert "at night" in battery_text(node)


def test_names_are_sorted_as_people_count(engine):
    for name in ("bed-10", "bed-2", "shed", "bed-1", "7"):
        Intake(engine).take([message(1, name)])
    assert [node.name for node in fleet_health(engine, MAY_S)] == ["7", "bed-1", "bed-2", "bed-10", "shed"]


def test_silence_and_missing_records(engine):
    intake = Intake(engine)
    intake.take([message(n) for n in (1, 2, 3, 7, 8)])
    (node,) = fleet_health(engine, MAY_S + 3 * INTERVAL_S)
    assert (node.interval_s, node.missing, node.records, node.late) == (INTERVAL_S, 3, 5, False)
    (node,) = fleet_health(engine, MAY_S + 4 * INTERVAL_S)
    assert node.late and concerns(node, MAY_S + 4 * INTERVAL_S)[0].startswith("bed-1: silent for 40 min")
    intake.take([message(n) for n in (4, 5, 6)])
    assert fleet_health(engine, MAY_S)[0].missing == 0


def test_the_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    engine = open_database("fleet.db")
    Intake(engine).take([message(n, node) for n in range(1, 50) for node in ("bed-1", "shed")])
    ran = run(app, ["fleet", "status", "--json", "--nodes", "bed-*"])
    (node,) = json.loads(ran.stdout)
    assert ran.exit_code == 1 and node["name"] == "bed-1" and "silent for" in node["concerns"][0]
    assert "2 nodes, 98 records" in run(app, ["fleet", "status"]).output
    assert run(app, ["fleet", "export", "--out", "out.csv", "--nodes", "bed*"]).exit_code == 0
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == "time,node,soil_permille,air_centi_c,label" and len(lines) == 50
    assert lines[1].endswith(",bed-1,180,,") and lines[1].startswith("2026-05-01 01:56:40")
