"""A real broker, and a listener that is killed at any moment: no record is lost, none is there twice."""

import json
import os
import signal
import subprocess
import sys
import time

import paho.mqtt.client as paho
import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.fleet.broker import Broker
from dibble_tools.fleet.database import nodes, open_database, records
from dibble_tools.fleet.known_models import model_crc
from dibble_tools.fleet.listening import Subscriber
from dibble_tools.simulator.node.firmware import firmware_folder
from fleet_messages import state
from mosquitto import Mosquitto
from node_helpers import Bench, soil_model
from patience import PATIENCE_S
from sqlalchemy import select
from typer.testing import CliRunner

pytestmark = pytest.mark.long

KILLS = 4
RECORDS = 600


def sequences(place):
    engine = open_database(str(place))
    with engine.connect() as connection:
        found = connection.execute(select(records.c.sequence).order_by(records.c.sequence)).scalars().all()
    engine.dispose()
    return found


def listener(broker, place):
    command = [sys.executable, "-m", "dibble_tools.cli", "fleet", "listen", "--broker", f"127.0.0.1:{broker.port}"]
    with (place.parent / "said.txt").open("ab") as said:
        return subprocess.Popen([*command, "--db", str(place)], stderr=said, stdin=subprocess.DEVNULL)


def until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def publisher(broker):
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, "nodes")
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    return client


@pytest.mark.timeout(240)
def test_listener_killed_again_and_again_has_each_record_once(tmp_path):
    place = tmp_path / "fleet.db"

    def said():
        return (tmp_path / "said.txt").read_text()

    with Mosquitto(tmp_path) as broker:
        process = listener(broker, place)
        until(lambda: ": connected" in said())
        client = publisher(broker)
        sent = 0
        for part in range(KILLS):
            for sent in range(sent + 1, sent + 1 + RECORDS // KILLS):  # noqa: B020
                client.publish("dibble/bed-1/state", state(sent), qos=1)
            until(lambda before=part * RECORDS // KILLS: len(sequences(place)) > before)
            os.kill(process.pid, signal.SIGKILL)
            process.wait(PATIENCE_S)
            process = listener(broker, place)
        until(lambda: len(sequences(place)) >= RECORDS and said().count(": connected") > KILLS)
        process.terminate()
        assert process.wait(PATIENCE_S) == 128 + signal.SIGTERM
        client.disconnect()
        client.loop_stop()
    assert sequences(place) == list(range(1, RECORDS + 1))


def test_what_came_is_acknowledged_when_it_is_stored_and_gaps_are_asked_for(tmp_path):
    engine = open_database(str(tmp_path / "fleet.db"))
    said = []
    with Mosquitto(tmp_path) as broker:
        client = publisher(broker)
        with Subscriber(Broker("127.0.0.1", broker.port), engine, said.append) as first:
            until(lambda: any("connected" in line for line in said))
            client.publish("dibble/bed-1/state", state(1), qos=1).wait_for_publish(PATIENCE_S)
            until(lambda: first._come.qsize() == 1)  # it has come, and is not stored yet
        asked = []
        client.on_message = lambda _client, _data, got: asked.append((got.topic, got.payload, got.retain))
        client.subscribe("dibble/+/in/#", 1)
        with Subscriber(Broker("127.0.0.1", broker.port), engine, said.append) as second:
            until(lambda: second.turn(0.1) + len(sequences(tmp_path / "fleet.db")))  # the broker sent it again
            client.publish("dibble/bed-1/state", state(4), qos=1)
            until(lambda: second.turn(0.1) + 0 and second.counts.asked)
            until(lambda: asked)
        client.disconnect()
        client.loop_stop()
    assert sequences(tmp_path / "fleet.db") == [1, 4]
    assert asked[0][:2] == ("dibble/bed-1/in/resend", b"2")
    assert "bed-1: records 2 to 3 didn't come: asked for them" in said


@pytest.mark.timeout(240)
def test_what_a_killed_broker_lost_the_node_sends_again(tmp_path):
    """The broker acknowledges to the node, and is killed before the fleet has it: its log has it still."""
    place = tmp_path / "fleet.db"
    engine = open_database(str(place))
    firmware = firmware_folder(tmp_path / "firmware")
    with Mosquitto(tmp_path) as broker:
        mqtt = {"host": "127.0.0.1", "port": broker.port, "timeout_ms": 30000, "every": 1, "discovery": False}
        bench = Bench(firmware, tmp_path, soil_model(400), mqtt=mqtt)
        at = Broker("127.0.0.1", broker.port)
        with Subscriber(at, engine, print) as listening:
            bench.run(3)
            until(lambda: listening.turn(0.1) + 0 or listening.counts.new >= 2)
        before = len(sequences(place))
        broker.save()
        bench.run(4)
        broker.end(signal.SIGKILL)
        broker.start()
        with Subscriber(at, engine, print) as listening:
            bench.run(2)
            until(lambda: listening.turn(0.1) + 0 or listening.counts.asked)
            bench.run(3)
            written = {row.sequence: row for row in bench.rows()}
            until(lambda: listening.turn(0.1) + 0 or len(sequences(place)) >= len(written) - 2)
    assert not listening.unfit
    with engine.connect() as connection:
        got = connection.execute(select(records).order_by(records.c.sequence)).mappings().all()
        about = json.loads(connection.execute(select(nodes.c.about)).scalar_one())
    assert [row["sequence"] for row in got] == list(range(1, len(got) + 1)) and len(got) > before + 5
    for row in got:
        own = written[row["sequence"]]
        assert (row["decided"], row["margin"], row["flags"]) == (own.class_name, own.margin, own.flags)
        assert json.loads(row["readings"]) == list(own.readings.values())
        assert row["model"] == about["model"] == model_crc(soil_model(400))


def test_a_broker_that_is_not_there_is_told_and_leaves_no_database(tmp_path):
    with Mosquitto(tmp_path) as broker:
        port = broker.port
    place = tmp_path / "fleet.db"
    ran = CliRunner().invoke(app, ["fleet", "listen", "--broker", f"127.0.0.1:{port}", "--db", str(place)])
    assert isinstance(ran.exception, InputError) and not place.exists()
    assert f"expected an MQTT broker at 127.0.0.1:{port}, got: " in str(ran.exception)
