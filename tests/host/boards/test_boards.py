"""Board descriptions: the files, what they allow a model, and the example configuration made of them."""

import pytest
from dibble_tools.boards import catalogue
from dibble_tools.boards.catalogue import all_boards, board_named, board_names, read_board, read_power
from dibble_tools.boards.drivers import all_streams
from dibble_tools.boards.example import example_config
from dibble_tools.boards.limits import limits_of
from dibble_tools.boards.reading import read_file
from dibble_tools.boards.sketch import sketch
from dibble_tools.common.durations import parse_seconds
from dibble_tools.common.errors import InputError
from dibble_tools.model.limits import Estimate, Limits
from dibble_tools.node.config import whole

RUNS = [(name, kind) for name, board in all_boards().items() for kind in board.runtimes]
NODES = [(name, kind) for name, kind in RUNS if all_boards()[name].runtimes[kind].node == "full"]
THERE = (
    "esp32_c3 esp32_devkit esp32_s3 feather_esp32s3 feather_m4 feather_rp2040 microbit_v1 microbit_v2 "
    "pico pico_2 pico_w xiao_rp2040 xiao_samd21"
)


def test_all_boards_are_there() -> None:
    assert board_names() == THERE.split()


@pytest.mark.parametrize("name", board_names())
def test_every_board_has_limits_and_currents(name: str) -> None:
    assert set(read_board(name)) == {"model_bytes", "heap_bytes", "predict_us", "us_per_instruction"}
    assert read_power(name)["active_ma"] >= read_power(name)["light_sleep_ma"] > 0


@pytest.mark.parametrize(
    ("text", "name"), [("microbit", "microbit_v1"), ("Pico-2", "pico_2"), ("ESP32", "esp32_devkit")]
)
def test_other_names_of_a_board(text: str, name: str) -> None:
    assert board_named(text)[0] == name
    assert read_board(text) == read_board(name)


def test_no_alias_means_two_boards() -> None:
    aliases = [alias for board in all_boards().values() for alias in board.aliases]
    assert len(set(aliases)) == len(aliases)
    assert not set(aliases) & set(board_names())


@pytest.mark.parametrize(("name", "kind"), RUNS)
def test_pins_are_named_as_the_runtime_takes_them(name: str, kind: str) -> None:
    runtime = all_boards()[name].runtimes[kind]  # type: ignore[index]
    kinds = {type(value) for value in runtime.pins.values()}
    assert kinds == {str} if kind == "circuitpython" else len(kinds) == 1


@pytest.mark.parametrize(("name", "kind"), RUNS)
def test_the_sketch_shows_every_label_once_and_marks_the_bus(name: str, kind: str) -> None:
    board = all_boards()[name]
    runtime = board.runtimes[kind]  # type: ignore[index]
    lines = sketch(board, runtime)
    assert max(map(len, lines)) < 70
    labels = [word for line in lines for word in line.replace("-|", " ").replace("|-", " ").split()]
    assert all(labels.count(label) >= board.header.labels.count(label) for label in board.header.labels)
    marked = [line for line in lines if "SDA" in line and runtime.i2c.sda in line]
    assert marked and all("*" in line for line in marked)


@pytest.mark.parametrize(("name", "kind"), NODES)
def test_the_example_is_a_whole_configuration_on_pins_of_its_own(name: str, kind: str) -> None:
    board = all_boards()[name]
    runtime = board.runtimes[kind]  # type: ignore[index]
    config = whole(example_config(name, kind))
    probe = next(sensor for sensor in config["sensors"] if sensor["driver"] == "soil_adc")
    assert [sensor["driver"] for sensor in config["sensors"]][:2] == ["sht4x", "soil_adc"]
    assert config["i2c"]["sda"] == runtime.pins[runtime.i2c.sda]
    assert probe["pin"] in [runtime.pins[label] for label in board.header.adc]
    used = [config["i2c"]["sda"], config["i2c"]["scl"], probe["pin"], probe["power_pin"], config["actions"][0]["pin"]]
    assert len(set(used)) == 5
    assert config["watchdog_ms"] <= runtime.watchdog_max_ms
    labels = {value: label for label, value in runtime.pins.items()}
    assert not {labels[pin] for pin in used} & set(board.header.caution) - {runtime.i2c.sda, runtime.i2c.scl}


@pytest.mark.parametrize(("name", "way"), [("microbit", "dibble microbit"), ("xiao_samd21", "your own main.py")])
def test_a_board_too_small_for_the_node_is_told_with_the_way(name: str, way: str) -> None:
    with pytest.raises(InputError, match=f"expected a board for the whole node.*{way}"):
        example_config(name, "micropython")


def test_a_runtime_that_does_not_run_there_is_told() -> None:
    with pytest.raises(
        InputError, match=r"--runtime: expected one of microbit_v1's \(micropython\), got 'circuitpython'"
    ):
        example_config("microbit_v1", "circuitpython")


def test_an_unknown_board_is_named_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"--board: expected a board, got 'pikoo'; there are: .*Did you mean 'pico'"):
        limits_of("pikoo", max_bytes=100)


def test_a_file_that_is_no_toml_is_told(tmp_path) -> None:
    (tmp_path / "b.toml").write_text("title = ")
    with pytest.raises(InputError, match=r"b\.toml: expected a board's TOML file"):
        read_file(tmp_path / "b.toml")


def test_the_tighter_limit_counts() -> None:
    has = read_board("pico")
    limits = limits_of("pico", max_bytes=100, max_heap=10**9, max_us=50)
    assert (limits.max_bytes, limits.max_heap, limits.max_us) == (100, has["heap_bytes"], 50)


def test_microseconds_need_a_board() -> None:
    with pytest.raises(InputError, match="--max-us: expected --board too"):
        limits_of(None, max_bytes=100, max_us=5)


def test_limits_hold_up_to_the_limit() -> None:
    limits = Limits(max_bytes=100, max_heap=2000, max_us=10, us_per_instruction=0.01)
    assert limits.hold(100, Estimate(1000, 2000))
    assert not limits.hold(101, Estimate(1000, 2000))
    assert not limits.hold(100, Estimate(1001, 2000))
    assert not limits.hold(100, Estimate(1000, 2001))


@pytest.mark.parametrize(("text", "seconds"), [("60s", 60), ("1.5m", 90), ("2h", 7200), ("90", 90)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_seconds(text, "--budget") == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5s", "0s", "1e3", "5d", "200h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--budget: expected a time from 1s to 168h"):
        parse_seconds(text, "--budget")


def test_an_installation_without_boards_says_so(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(catalogue, "BOARDS", tmp_path)
    with pytest.raises(InputError, match="found none: dibble isn't installed whole"):
        board_names()


def test_which_board_hears_by_which_stream() -> None:
    """Each is a driver that there is; who hears under MicroPython has the node, and machine code to keep up."""
    hears = {
        (name, kind): runtime.hears for name, board in all_boards().items() for kind, runtime in board.runtimes.items()
    }
    assert {stream for streams in hears.values() for stream in streams} == set(all_streams())
    assert hears["pico", "micropython"] == ["i2s_mic", "adc_mic"] and hears["esp32_s3", "micropython"] == ["i2s_mic"]
    assert hears["feather_m4", "circuitpython"] == ["pdm_mic"] and not hears["microbit_v2", "micropython"]
    for (name, kind), streams in hears.items():
        runtime = all_boards()[name].runtimes[kind]
        assert not streams or runtime.node == "full", (name, kind)
        assert kind != "micropython" or not streams or runtime.viper, (name, kind)
