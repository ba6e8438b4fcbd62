"""A sample of tests/benchmarks/radio_faults.py: the power fails, the broker dies, while a model comes by radio."""

import json

import pytest
from dibble_tools.radio.parcel import parcel_of
from node_helpers import soil_model
from radio_faults import KillingProxy, check_cut, check_settled

PARCEL = parcel_of("model", soil_model(500), piece_bytes=40)


@pytest.mark.parametrize("cut", [7, 22, 30, 38, 46])
def test_the_power_fails_and_the_update_comes_to_its_end(bench, collector, cut):
    check_cut(bench, PARCEL, collector, cut, 0.5)


@pytest.mark.parametrize("fatal", [4, 9])
def test_the_broker_dies_and_the_update_comes_to_its_end(field, bench, collector, fatal):
    with KillingProxy(field.broker, collector) as proxy:
        config = {**bench.config, "mqtt": {**bench.config["mqtt"], "port": proxy.port}}
        bench.send("config.json", json.dumps(config).encode())
        bench.offer(PARCEL)
        field.broker.save()
        proxy.fatal = fatal
        check_settled(bench, PARCEL, collector)
        assert proxy.count > fatal
