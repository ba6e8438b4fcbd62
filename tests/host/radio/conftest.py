"""A node with a broker, which all tests of this folder begin with as it was after its first good minutes."""

import signal
from collections.abc import Iterator

import pytest
from dibble_tools.radio.mqtt import Retained
from dibble_tools.simulator.node.firmware import firmware_folder
from mosquitto import Collector
from radio_bench import Field, RadioBench


@pytest.fixture(scope="session")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    firmware = firmware_folder(tmp_path_factory.mktemp("firmware") / "node")
    field = Field(firmware, tmp_path_factory.mktemp("field"))
    yield field
    field.broker.end(signal.SIGKILL)


@pytest.fixture
def collector(field: Field) -> Iterator[Collector]:
    """Hears what this test's node says; afterwards the broker forgets what it retains."""
    with Collector(field.broker, "#") as collector:
        collector.messages.clear()
        yield collector
        collector.settle()
        topics = {topic for topic, _, _ in collector.messages}
        field.plain.publish(*(Retained(topic, b"") for topic in sorted(topics)))


@pytest.fixture
def bench(field: Field) -> RadioBench:
    field.plain.restore()
    return field.plain


@pytest.fixture
def keyed(field: Field) -> RadioBench:
    field.keyed.restore()
    return field.keyed
