"""A whole node with a LoRaWAN radio: a fifth lost each way, 1 % of the time on the air, an update by downlinks."""

import json
from pathlib import Path

import pytest
from dibble.report import lorawan
from dibble.report.lorawan_radio import READINGS_PORT
from dibble_tools.data.channels import Channel
from dibble_tools.radio.lorawan import PIECE_BYTES
from dibble_tools.radio.parcel import Parcel, parcel_of
from lorawan_network import HEAD_BYTES, OLD, LorawanBench, firmware_with_modem, time_on_air_s
from node_helpers import forest_model, soil_model


@pytest.fixture(scope="module")
def firmware(tmp_path_factory) -> Path:
    return firmware_with_modem(tmp_path_factory.mktemp("lorawan") / "firmware")


@pytest.fixture
def bench(firmware, tmp_path) -> LorawanBench:
    return LorawanBench(firmware, tmp_path)


def test_time_on_air_is_what_calculators_say():
    """Source: The Things Network's air-time calculator, 125 kHz: 13 bytes of head and 12 of payload, 51 of payload."""
    assert round(1000 * time_on_air_s(7, HEAD_BYTES + 12), 1) == 61.7
    assert round(1000 * time_on_air_s(12, HEAD_BYTES + 51), 1) == 2793.5


def test_a_node_tells_its_decisions_within_its_time_on_the_air(bench):
    assert bench.run(6 * 60) == "stop"
    assert 36 > len(bench.modem.heard) > 20 and bench.modem.refused == 0
    assert bench.modem.air_us < 0.01 * bench.hardware.now_us
    first, *_ = bench.modem.heard
    assert {port for port, _ in bench.modem.heard} == {lorawan.PORT} and first[1][0] == OLD[-4]
    assert bench.events("radio") == []


def test_who_sends_more_than_the_band_takes_is_told_and_goes_on(firmware, tmp_path):
    bench = LorawanBench(firmware, tmp_path, model=None, interval_s=60)
    assert bench.run(30) == "stop"
    assert bench.modem.refused > len(bench.modem.heard) > 2
    assert bench.events("radio")[0] == "LoRaWAN: no time on the air left"
    assert len(bench.rows()) == 30 and {port for port, _ in bench.modem.heard} == {READINGS_PORT}


def test_a_model_comes_by_downlinks_is_tried_and_confirmed(bench):
    """A forest of 604 bytes, packed to 413; the power is cut on the way: pieces that came stay."""
    bench.run(30)
    parcel = parcel_of("model", forest_model(33, 1), piece_bytes=PIECE_BYTES)
    bench.server.offer(parcel)
    assert bench.run(60) == "stop" and bench.server.states == ["receiving"]
    assert bench.until_told() == ["reset", "stop"]
    assert bench.server.states == ["receiving", "tried", "confirmed"]
    assert parcel.count < bench.server.sent <= 20
    assert bench.runs() == "forest 33"


@pytest.mark.parametrize(
    ("content", "end"),
    [
        (soil_model(500, [Channel("peat_permille", "permille", 1, 0, 0, 1000)]), "refused"),
        (soil_model(500)[:-4] + b"none", "refused"),
    ],
    ids=["other channels", "damaged"],
)
def test_a_model_that_is_no_good_is_refused_and_the_server_hears(bench, content, end):
    bench.bring(Parcel("model", content, content, PIECE_BYTES))
    assert bench.server.states[-1] == end
    bench.run(30)
    assert bench.runs() == "dry below 400"


def test_a_configuration_under_which_nothing_is_acknowledged_gives_way(bench, tmp_path):
    """The network hears nothing once it runs; afterwards the server learns that the old one is back."""
    bench.run(5)
    content = json.dumps({**bench.config, "margin": 1}).encode()
    parcel = parcel_of("config", content, piece_bytes=PIECE_BYTES)
    bench.server.offer(parcel)
    while not bench.events("update"):
        bench.run(30)
    bench.modem.loss = 1.0
    assert [bench.run(60), bench.run(30)] == ["reset", "stop"]
    assert "no report arrived since" in bench.events("update")[-1]
    bench.modem.loss = 0.2
    bench.until_told()
    assert bench.server.states == ["receiving", "rolled back"]
    bench.vm.extract("", tmp_path / "flash")
    assert json.loads((tmp_path / "flash/config.json").read_text()) == bench.config
