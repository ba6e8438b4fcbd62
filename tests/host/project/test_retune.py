"""A node set anew in its config.json: only what was asked for changes, and nothing that the node would refuse."""

import json
from pathlib import Path

import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.project.json_edit import set_value
from dibble_tools.project.measure import probe_value, zero_of
from dibble_tools.project.retune import Config, unsure_share
from live_bench import Node
from typer.testing import CliRunner

CONFIG = """{
  "node": "bed-1",
  "i2c": {"sda": 4, "scl": 5},
  "sensors": [
    {"driver": "soil_adc", "pin": 26, "probe_curve": [2300, 1200]},
    {"driver": "gas_adc", "pin": 27, "zero_uv": 400000, "uv_per_ppm": 50000},
    {"driver": "mox_adc", "pin": 28},
    {"driver": "seesaw_soil", "channels": ["deep_permille", "deep_temperature_centi_c"]}
  ]
}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(CONFIG)
    return tmp_path / "config.json"


def retune(*arguments: str) -> str:
    """Run the command; return what it says."""
    done = CliRunner().invoke(app, ["retune", *arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_a_curves_ends_change_and_all_else_stays_as_it_was_written(config: Path) -> None:
    said = retune("soil", str(config), "--dry", "2250", "--sensor", "26")
    assert config.read_text() == CONFIG.replace("[2300, 1200]", "[2250, 1200]")
    assert config.with_name("config.json.bak").read_text() == CONFIG
    assert '-    {"driver": "soil_adc", "pin": 26, "probe_curve": [2300, 1200]}' in said
    assert '+    {"driver": "soil_adc", "pin": 26, "probe_curve": [2250, 1200]}' in said
    retune("soil", str(config), "--dry", "2260", "--wet", "1150", "--sensor", "soil_moisture_permille")
    assert "[2260, 1150]" in config.read_text()
    assert "it says so already" in retune("soil", str(config), "--wet", "1150", "--sensor", "26")


def test_a_setting_that_stood_at_its_default_is_put_in(config: Path) -> None:
    retune("soil", str(config), "--dry", "350", "--sensor", "deep_permille")
    assert json.loads(config.read_text())["sensors"][3]["probe_curve"] == [350, 1015]
    retune("gas", str(config), "--zero-uv", "410000")
    retune("margin", str(config), "12")
    table = json.loads(config.read_text())
    assert table["margin"] == 12 and table["sensors"][1]["zero_uv"] == 410_000
    assert config.read_text().startswith('{\n  "margin": 12,\n  "node": "bed-1",\n')


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["soil", "--dry", "1250", "--sensor", "26"], "ends of probe_curve 100 mV apart, got .1250, 1200."),
        (["soil", "--dry", "6000", "--sensor", "26"], "expected probe_curve in mV, up to 5000"),
        (["soil", "--dry", "2000", "--sensor", "deep_permille"], "rising in 0..4095, got .2000, 1015."),
        (["soil", "--dry", "2250"], "expected one sensor of soil_adc or seesaw_soil, got: .*name one with --sensor"),
        (["soil", "--dry", "2250", "--sensor", "31"], "named 31, got: soil_moisture_permille"),
        (["soil"], "expected --dry MV, --wet MV or --measure"),
        (["soil", "--dry", "2250", "--measure", "dry"], "each end once"),
        (["gas", "--zero-uv", "5000001"], "zero_uv: expected 0 to 5000000"),
        (["gas"], "expected either --zero-uv UV or --measure"),
        (["margin", "65536"], "config.margin: expected 0 to 65535"),
    ],
)
def test_what_the_node_would_refuse_is_not_written(config: Path, arguments: list[str], said: str) -> None:
    kind, *rest = arguments
    with pytest.raises(InputError, match=said):
        retune(kind, str(config), *rest)
    assert config.read_text() == CONFIG and not config.with_name("config.json.bak").exists()


def test_a_probe_is_measured_through_the_node(config: Path, tmp_path: Path) -> None:
    node = Node()
    said = b"".join(node.say(reading, 90) for reading in (100, None, 104, 90, 980, 102))
    (tmp_path / "console").write_bytes(said)
    measure = ["--measure", "dry", "--sensor", "26", "--from", str(tmp_path / "console")]
    assert "Soil moisture: the probe gives 2188 mV" in retune("soil", str(config), *measure)
    assert "[2188, 1200]" in config.read_text()
    with pytest.raises(InputError, match="expected 9 readings of soil_moisture_permille, got 5"):
        retune("soil", str(config), *measure, "--count", "9")


def test_another_node_or_channel_is_never_measured(config: Path, tmp_path: Path) -> None:
    measure = ["soil", str(config), "--measure", "wet", "--sensor", "26", "--from", str(tmp_path / "console")]
    (tmp_path / "console").write_bytes(Node("bed-2").say(100, 90))
    with pytest.raises(InputError, match="expected the node 'bed-1'"):
        retune(*measure)
    (tmp_path / "console").write_bytes(Node(channels=(("other", ""),)).say(100))
    with pytest.raises(InputError, match="the node doesn't send it"):
        retune(*measure)


def test_readings_are_taken_back_along_the_curve_and_not_from_its_ends() -> None:
    assert [probe_value(permille, (2300, 1200)) for permille in (1, 500, 999)] == [2299, 1750, 1201]
    assert probe_value(250, (320, 1015)) == 494
    assert zero_of(40, 400_000, 50_000) == 402_000
    for permille in (0, 1000):
        with pytest.raises(InputError, match="where the node cuts off"):
            probe_value(permille, (2300, 1200))
    with pytest.raises(InputError, match="where the node cuts off"):
        zero_of(0, 400_000, 50_000)


def test_a_margin_is_held_against_a_log(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("time,class,margin\n,ok,3\n,ok,12\n,,0\n,ok,11\n")
    assert unsure_share(tmp_path / "log.csv", 12) == (2, 3)
    (tmp_path / "log.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="expected a CSV with columns class and margin"):
        unsure_share(tmp_path / "log.csv", 12)


def test_a_file_that_is_no_configuration_is_said(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    for content, said in (
        ("{", "expected a node's config.json"),
        ('{"sensors": []}', "expected at least one, or config.listen, got none"),
    ):
        path.write_text(content)
        with pytest.raises(InputError, match=said):
            Config(path)


@pytest.mark.parametrize(
    ("text", "path", "value", "result"),
    [
        ('{"a": 1, "b": [2, {"c": "x,}"}]}', ("b", 1, "c"), 5, '{"a": 1, "b": [2, {"c": 5}]}'),
        ('{"a": 1}', ("a",), [1, 2], '{"a": [1, 2]}'),
        ("{}", ("a",), 1, '{"a": 1}'),
        ('{"b": 2}', ("a",), 1, '{"a": 1, "b": 2}'),
        ('{ "b": 2 }', ("a",), 1, '{ "a": 1, "b": 2 }'),
        ('{"x": {"y": [[0], [1]]}}', ("x", "y", 1, 0), 9, '{"x": {"y": [[0], [9]]}}'),
        ('{"a\\"": 1, "a": 2}', ("a",), 3, '{"a\\"": 1, "a": 3}'),
    ],
)
def test_one_value_of_a_json_text_changes(text: str, path: tuple, value: object, result: str) -> None:
    assert set_value(text, path, value) == result
    json.loads(result)


def test_a_place_that_is_not_there_is_an_error() -> None:
    for path in (("x", "y"), ("a", 3)):
        with pytest.raises(LookupError):
            set_value('{"a": [1]}', path, 1)
