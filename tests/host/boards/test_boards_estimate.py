"""What a model takes on a board: figures against a computation by hand."""

import json
from pathlib import Path

import pytest
from dibble_tools.boards.catalogue import board_named, read_power
from dibble_tools.boards.energy import budget
from dibble_tools.boards.estimate import HEAP_SPREAD, estimate, parse_mah
from dibble_tools.boards.example import example_config
from dibble_tools.boards.figure import Figure
from dibble_tools.boards.node_memory import START_BYTES, TLS_BYTES, heap_bytes
from dibble_tools.boards.sensing import sensing
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.machines.replay import middle_cost
from dibble_tools.model.host_model import HostModel
from dibble_tools.node.config import whole
from dibble_tools.simulator.node.energy import Battery
from dibble_tools.simulator.season import SimulatedBoard, Simulation
from typer.testing import CliRunner

pytestmark = pytest.mark.long

MODELS = Path(__file__).parents[3] / "models"
ORCHARD = MODELS / "orchard"
PROBE = {"driver": "soil_adc", "pin": 26, "probe_curve": [2300, 1200]}
US = Figure.within(2000.0, 2.0, "")


ARRAYS: list[tuple[str, dict]] = [("amg8833", {}), ("mlx90640_raw", {}), ("mlx90640_raw", {"power_pin": 22})]


def settings(driver: str, **given: object) -> dict:
    config = {"i2c": {"sda": 4, "scl": 5}, "sensors": [{"driver": driver, **given}]}
    return whole(config)["sensors"][0]


def config(**given: object) -> dict:
    return whole({"sensors": [PROBE], **given})


def of(board: str, given: dict, **more: object):
    found = board_named(board)[1]
    return budget(found, found.runtime(None)[1], given, US, 4, **more)


def invoke(*arguments: str):
    return CliRunner().invoke(app, ["estimate", *arguments])


def test_an_air_sensor_costs_its_measurement() -> None:
    cost = sensing(settings("sht4x"), 600)
    assert cost.awake_ms == 10  # the longest measurement, rounded up
    assert 1 < cost.charge_uc < 5  # 320 uA for some 8 ms: data sheet


@pytest.mark.parametrize("interval_s", [60, 600])
def test_a_heater_draws_all_the_time(interval_s: int) -> None:
    assert sensing(settings("sgp30"), interval_s).charge_uc == pytest.approx(48_000 * interval_s, rel=0.01)


def test_an_array_draws_all_the_time_unless_its_supply_is_switched() -> None:
    """An AMG8833 4.5 mA, an MLX90640 23 mA; switched, for its start and the two halves of a frame."""
    draws = [sensing(settings(name, **pin), 60).charge_uc / 60_000 for name, pin in ARRAYS]
    assert draws == pytest.approx([4.5, 23.0, 23.0 * 0.83 / 60], rel=0.02)


def test_a_probe_on_a_power_pin_draws_while_it_is_read() -> None:
    always = sensing(settings("soil_adc", pin=26, probe_curve=[2300, 1200]), 600)
    switched = sensing(settings("soil_adc", pin=26, probe_curve=[2300, 1200], power_pin=2, power_up_ms=300), 600)
    assert always.charge_uc == 5.0 * 600_000
    assert switched.charge_uc == 5.0 * switched.awake_ms
    assert switched.awake_ms == always.awake_ms + 300


def test_a_cycle_by_hand() -> None:
    found = of("esp32_devkit", config(interval_s=600))
    awake_ms = 20 + 2 + sensing(settings(**PROBE), 600).awake_ms  # the rest, the prediction, the probe
    assert found.awake_ms.value == pytest.approx(awake_ms)
    by_hand = 45.0 * awake_ms + 5.0 * 600_000 + (0.8 + 10.0) * (600_000 - awake_ms)
    assert found.total_uc.value == pytest.approx(by_hand)
    assert found.day_mah().value == pytest.approx(by_hand * 144 / 3.6e6)
    assert found.days(Battery(2500)).value == pytest.approx(2500 / (by_hand * 144 / 3.6e6))
    assert found.accounts().total_mah == pytest.approx(by_hand / 3.6e6)


def test_the_processor_draws_what_the_simulated_node_draws() -> None:
    """An independent account: the firmware's own cycles in the field's virtual time, less its boot."""
    simulation = Simulation(HostModel.open(ORCHARD), SimulatedBoard(read_power("pico"), predict_us=2000.0), days=0.25)
    board = board_named("pico")[1]
    found = budget(board, board.runtimes["micropython"], whole(simulation.config), US, 5, watchdog=False)
    used = simulation.run().energy.mah()
    cycles = 0.25 * 86400 / 600
    assert found.cycle_uc["awake"].value * cycles / 3.6e6 == pytest.approx(used["processor awake"], rel=0.02)
    assert found.cycle_uc["light sleep"].value * cycles / 3.6e6 == pytest.approx(used["processor asleep"], rel=0.02)


def test_a_range_holds_its_value_and_grows_with_each_doubt() -> None:
    found = of("esp32_devkit", config())
    for figure in (*found.cycle_uc.values(), found.total_uc, found.day_mah(), found.days(Battery())):
        assert 0 < figure.low < figure.value < figure.high
    sleep = found.cycle_uc["light sleep"]
    rest_s = sleep.value / (0.8 + 10.0)
    assert sleep.low == pytest.approx((0.8 / 1.3 + 10.0 / 3) * rest_s)


def test_the_watchdog_keeps_an_rp2040_awake() -> None:
    watched, free = of("pico", config(watchdog_ms=8000)), of("pico", config(watchdog_ms=8000), watchdog=False)
    assert (watched.rest, free.rest) == ("awake", "light sleep")
    assert watched.cycle_uc["waiting awake"].value == pytest.approx(21 * free.cycle_uc["light sleep"].value)
    assert of("esp32_c3", config(watchdog_ms=8000)).rest == "light sleep"
    assert of("esp32_c3", config(sleep="idle")).rest == "awake"


def test_the_radio_counts_where_it_is_configured() -> None:
    quiet = of("pico_w", config())
    every = of("pico_w", config(mqtt={"host": "broker", "every": 6}))
    assert "radio" not in quiet.cycle_uc
    assert every.cycle_uc["radio"].value == pytest.approx(90.0 * 5000 / 6)


def test_an_led_costs_its_blinks() -> None:
    dark, blinking = of("pico", config()), of("pico", config(led="LED"))
    assert blinking.awake_ms.value - dark.awake_ms.value == 240 * (4 + 1) / 2


@pytest.mark.parametrize("board", ["pico", "esp32_c3", "feather_m4", "feather_esp32s3"])
def test_days_grow_with_the_interval(board: str) -> None:
    days = [
        of(board, whole({**example_config(board), "interval_s": s})).days(Battery()).value
        for s in (10, 60, 600, 3600, 86400)
    ]
    assert days == sorted(days)
    assert days[0] < days[-1]


@pytest.mark.parametrize(("text", "mah"), [("2500mAh", 2500), ("2.5Ah", 2500), ("900", 900), (" 3 ah ", 3000)])
def test_capacities(text: str, mah: float) -> None:
    assert parse_mah(text) == mah


@pytest.mark.parametrize("text", ["", "big", "-5mAh", "nan", "1e99", "5V"])
def test_what_is_no_capacity_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--battery: expected a capacity from 10mAh to 1000Ah"):
        parse_mah(text)


def test_the_command_tells_bytes_heap_time_and_days() -> None:
    result = invoke(str(ORCHARD), "--board", "pico_w", "--runtime", "circuitpython", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    counted = middle_cost(HostModel.open(ORCHARD)).instructions
    assert found["fits"] and found["instructions"] == counted
    assert found["predict_us"]["value"] == pytest.approx(counted * 0.0067)
    assert found["predict_us"]["high"] == pytest.approx(counted * 0.0067 * 2.5)
    assert found["model_bytes"] == (ORCHARD / "model.dib").stat().st_size
    assert found["flash_left"] == 508 * 1024 - sum(found["files_bytes"].values())
    assert found["heap_left"]["value"] == pytest.approx(126_000 - found["heap"]["value"] - found["node_heap"]["value"])
    assert found["days"]["value"] == pytest.approx(2500 / found["day_mah"]["value"])


def test_what_does_not_fit_ends_with_status_1() -> None:
    result = invoke(str(MODELS / "field_weather"), "--board", "microbit")
    assert result.exit_code == 1
    assert "doesn't fit: family: expected one of forest, additive" in result.output


def test_viper_spares_most_of_the_kernels_work() -> None:
    result = invoke(str(ORCHARD), "--board", "pico", "--json")
    found = json.loads(result.stdout)
    assert found["predict_us"]["value"] < 0.5 * found["instructions"] * 0.0067
    assert "kernels in viper" in found["predict_us"]["rests_on"]


def test_a_configuration_is_held_against_the_board(tmp_path: Path) -> None:
    asked = {**example_config("feather_m4"), "watchdog_ms": 20000, "mqtt": {"host": "broker"}}
    (tmp_path / "config.json").write_text(json.dumps(asked))
    arguments = (str(ORCHARD), "--board", "feather_m4", "--config", str(tmp_path / "config.json"))
    result = invoke(*arguments)
    assert result.exit_code == 1
    assert "config.watchdog_ms: expected at most 16384, got 20000" in result.output
    assert "config.mqtt: expected a board with Wi-Fi" in result.output


def test_boards_lists_and_shows() -> None:
    runner = CliRunner()
    listed = runner.invoke(app, ["boards"]).output
    assert all(name in listed for name in ("pico_w", "esp32_c3", "microbit_v2"))
    shown = runner.invoke(app, ["boards", "pico"]).output
    assert "SDA  GP4-|4" in shown and "published" in shown and "micropython#17228" in shown
    content = json.loads(runner.invoke(app, ["boards", "pico", "--json"]).stdout)
    assert content["runtimes"]["micropython"]["pins"]["GP26"] == 26


def test_heap_left_on_a_pico_is_what_was_measured_on_one() -> None:
    """165,440 bytes after the first cycle, with the sensors of orchard: MicroPython 1.28 on an emulated RP2040.

    That was with a file a module; merged into a few files they take a tenth less at least.
    """
    found = json.loads(invoke(str(ORCHARD), "--board", "pico", "--json").stdout)
    assert found["heap_left"]["low"] < 165_440 + 8_000 < found["heap_left"]["high"]
    assert found["start_left"]["value"] == found["heap_left"]["value"] - START_BYTES["micropython"].value


def test_a_node_of_four_sensors_starts_and_runs_in_the_heap_that_was_measured() -> None:
    """116 to 124 KB with sources on CircuitPython, of which 31.5 KB are stand-ins."""
    kept = heap_bytes("forest", ("sht4x", "soil_adc", "anemometer", "ds18b20"), True, runtime_name="circuitpython")
    grown = kept - 85_936  # by this count, since those were measured
    start = START_BYTES["circuitpython"]
    low, high = kept / HEAP_SPREAD + start.low, kept * HEAP_SPREAD + start.high
    assert low < (116 - 31.5) * 1024 * 1.05 + grown and high > 96 * 1024 and high > (124 - 31.5) * 1024


def test_radio_and_tls_take_heap() -> None:
    def node_heap(**mqtt: object) -> float:
        board = board_named("pico_w")[1]
        kind, runtime = board.runtime(None)
        settings = {**example_config("pico_w"), "mqtt": mqtt}
        return estimate(HostModel.open(ORCHARD), board, kind, runtime, settings, None).node_heap.value

    without, radio, tls = node_heap(host=""), node_heap(host="broker"), node_heap(host="broker", ca="ca.der")
    assert 8_000 < radio - without < 20_000 and tls - radio == TLS_BYTES.value


def test_a_board_without_room_for_tls_refuses_it_by_name() -> None:
    board = board_named("pico_w")[1]
    kind, runtime = board.runtime(None)

    def misfits(heap_bytes: int, ca: str = "ca.der") -> str:
        settings = {**example_config("pico_w"), "mqtt": {"host": "broker", "ca": ca}}
        small = runtime.model_copy(update={"heap_bytes": heap_bytes})
        return " ".join(estimate(HostModel.open(ORCHARD), board, kind, small, settings, None).misfits)

    need = int(runtime.heap_bytes)
    while not misfits(need):
        need -= 4_000
    assert "config.mqtt.ca: expected 34,000 bytes of heap for MQTT over TLS" in misfits(need)
    assert not misfits(need, ca="")  # the same board reports without it
    assert misfits(30_000).startswith("heap: expected 30,000 bytes to do")


def test_samd21_is_told_what_fits_there() -> None:
    result = invoke(str(ORCHARD), "--board", "xiao_samd21")
    assert result.exit_code == 1 and "dibble export MODEL --to python --small" in " ".join(result.output.split())


def test_a_heater_scan_costs_its_heater_and_lets_the_processor_sleep() -> None:
    """One HP-354 scan: 0.036 mAh, some 70 single readings of 150 ms; awake it would be 10.8 s more."""
    bme680 = {"driver": "bme680", "heater_ms": 150}
    config = whole({"i2c": {"sda": 4, "scl": 5}, "sensors": [bme680, {"driver": "bme680", "profile": "hp354"}]})
    single, scan = config["sensors"]
    asleep, awake = (sensing(scan, 600, light_sleep=light) for light in (True, False))
    assert abs(asleep.charge_uc / 3.6e6 - 0.036) < 0.001
    assert 60 < asleep.charge_uc / sensing(single, 600).charge_uc < 80
    assert asleep.awake_ms < 300 and 10_700 < awake.awake_ms - asleep.awake_ms < 11_100
