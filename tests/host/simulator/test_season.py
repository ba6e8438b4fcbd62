"""Simulated seasons: the real firmware, each kind of fault, and what must never come of it."""

from pathlib import Path

import pytest
from dibble_tools.boards.catalogue import likeness, read_power
from dibble_tools.common.errors import InputError
from dibble_tools.model.host_model import HostModel
from dibble_tools.node.config import whole
from dibble_tools.simulator.faults import FAULTS, parse_faults
from dibble_tools.simulator.season import START_S, Orchard, SimulatedBoard, Simulation
from dibble_tools.simulator.unkindness import kind_names
from dibble_tools.simulator.verdict import season_verdict

pytestmark = pytest.mark.long

MODELS = Path(__file__).parents[3] / "models"
SUMMER_S = START_S + 170 * 86400


def live(days, *faults, gate=False, seed=1, start_s=SUMMER_S):
    simulation = Simulation(
        HostModel.open(MODELS / "orchard"),
        SimulatedBoard(read_power("esp32_devkit"), likeness("esp32_devkit")),
        Orchard(seed=seed, start_s=start_s),
        days=days,
        gate=HostModel.open(MODELS / "orchard_gate") if gate else None,
        faults=faults,
    )
    return simulation, simulation.run()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_no_exception_no_needless_water_and_no_lost_record(fault):
    simulation, season = live(0.7, fault)
    verdict = season_verdict(season, simulation.model.classes)
    assert (verdict.errors, verdict.needless, verdict.lost) == (0, 0, 0), season.console[-2000:]
    assert len(season.moments) > 50
    assert season.damaged_lines == 0 or fault == "brownout"


def test_the_same_seed_is_the_same_season():
    _, one = live(0.2)
    _, two = live(0.2)
    assert one.console == two.console and one.energy.used_uc == two.energy.used_uc


def test_the_gate_saves_the_pump():
    _, without = live(0.5)
    _, with_gate = live(0.5, gate=True)
    assert with_gate.energy.used_uc["gas pump"] < without.energy.used_uc["gas pump"]


def test_energy_is_times_times_currents():
    simulation, season = live(0.25)
    power = read_power("esp32_devkit")
    asleep_uc = power["light_sleep_ma"] * simulation.hardware.asleep_us / 1000
    assert season.energy.used_uc["processor asleep"] == pytest.approx(asleep_uc, rel=0.01)
    assert sum(season.energy.mah().values()) == pytest.approx(season.energy.total_mah)


def test_unknown_faults_are_refused():
    assert parse_faults("nack, stuck") == ("nack", "stuck")
    assert parse_faults("all") == tuple(FAULTS)
    with pytest.raises(InputError, match="--faults: expected of nack"):
        parse_faults("rain")


def test_heater_scans_cost_what_they_take_and_the_gate_saves_them():
    """17 scans of HP-354, 10.8 s at 12 mA each: in parallel, as a BME688 can, and step by step."""
    spent = []
    for gate, mode in ((None, "parallel"), (HostModel.open(MODELS / "orchard_gate"), "forced")):
        board = SimulatedBoard(read_power("esp32_devkit"), likeness("esp32_devkit"), heap="104wk")  # 21 channels
        season = Simulation(
            HostModel.open(MODELS / "orchard"), board, Orchard(seed=1, start_s=SUMMER_S), days=0.115, gate=gate
        )
        names = ["case_centi_c", "case_permille", "case_pa", *(f"gas_{step}_ohm" for step in range(10))]
        season.config["sensors"].append({"driver": "bme680", "profile": "hp354", "mode": mode, "channels": names})
        season.site.wire(whole(season.config))
        lived = season.run()
        assert len(lived.moments) == 17 and not lived.tracebacks, lived.console[-2000:]
        assert all(moment.line.readings["gas_3_ohm"] > 0 for moment in lived.moments)
        spent.append(lived.energy.used_uc["sensors"])
    assert abs(spent[0] / (17 * 10.8 * 12_000) - 1) < 0.05
    assert spent[1] < spent[0] / 5


@pytest.mark.parametrize("kind", ["", "sht3x_periodic,sht3x_heater,sgp30_baseline,ens160_first_hour"])
def test_parts_are_as_unkind_as_named(kind):
    """An SHT3x that other firmware left measuring and hot, an ENS160's first hour, an SGP30 that hasn't learnt yet."""
    config = {
        "i2c": {"sda": 4, "scl": 5},
        "interval_s": 600,
        "watchdog_ms": 0,
        "sensors": [
            {"driver": "sht3x"},
            {"driver": "ens160"},
            {"driver": "sgp30", "channels": ["tvoc_2_ppb", "co2_2"]},
        ],
    }
    board = SimulatedBoard(read_power("pico_w"), likeness("pico_w", kind_names(kind)))
    simulation = Simulation(HostModel.open(MODELS / "orchard"), board, Orchard(seed=1), days=0.055, config=config)
    site = simulation.site
    assert site.old_air.periodic == site.old_air.heater_on == site.sgp30.learns == (not site.ens160.aged) == (not kind)
    season = simulation.run()
    rows = [moment.line.readings for moment in season.moments]
    assert len(rows) == 8 and not season.tracebacks and not site.old_air.periodic
    assert abs(rows[-1]["air_temperature_centi_c"] - 100 * site.field.air_temperature_c) < 60  # its heater is off
    assert [row["tvoc_ppb"] is None for row in rows] == ([True] * 6 + [False] * 2 if not kind else [True] + [False] * 7)
    true_ppb = site.sgp30.tvoc_ppb
    told = rows[-1]["tvoc_2_ppb"]
    assert told > 1.3 * true_ppb if not kind else abs(told - true_ppb) < 0.1 * true_ppb
