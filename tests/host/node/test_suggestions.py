"""A misspelt key or driver of a config.json: what it may have meant."""

import json

import pytest
from dibble import ConfigError
from dibble_tools.common.shipped import FIRMWARE
from dibble_tools.node.config import whole


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ({"intervall_s": 600}, "interval_s"),
        ({"sensors": [{"driver": "soil_acd", "pin": 26}]}, "soil_adc"),
        ({"sensors": [{"driver": "soil_adc", "pin": 26, "probe_curve": [1, 2], "powerpin": 3}]}, "power_pin"),
        ({"mqtt": {"hosts": "x"}}, "host"),
        ({"clock": {"chip": "ds3213"}}, None),
    ],
)
def test_what_it_may_have_meant_is_said(wrong, right):
    table = json.loads((FIRMWARE / "config.json").read_text()) | wrong
    with pytest.raises(ConfigError) as found:
        whole(table)
    assert (f"Did you mean {right!r}?" in str(found.value)) is (right is not None)


def test_a_key_that_is_missing_is_found_misspelt():
    table = json.loads((FIRMWARE / "config.json").read_text())
    sensors = [{"driver": "soil_adc", "pin": 26, "probe_curv": [1, 2]}]
    with pytest.raises(ConfigError, match=r"sensors\[0\]\.probe_curve: expected it, got none: is it 'probe_curv', mis"):
        whole(table | {"sensors": sensors})


def test_nothing_is_guessed_where_nothing_is_near():
    table = json.loads((FIRMWARE / "config.json").read_text())
    for wrong in ({"qqq": 1}, {"sensors": [{"driver": "qqq"}]}):
        with pytest.raises(ConfigError) as found:
            whole(table | wrong)
        assert "Did you mean" not in str(found.value)
