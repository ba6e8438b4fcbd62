"""A mistake in a board's file is named with file, place, what was expected and what is there."""

import copy
import tomllib
from typing import Any

import pytest
from dibble_tools.boards.reading import check
from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import BOARDS

GONE = object()
MP = "runtimes.micropython"


def table() -> dict[str, Any]:
    return tomllib.loads((BOARDS / "pico.toml").read_text(encoding="utf-8"))


def spoilt(place: str, value: object) -> dict[str, Any]:
    """Return the Pico's table with one place changed, or gone."""
    whole = copy.deepcopy(table())
    *path, last = place.split(".")
    at = whole
    for key in path:
        at = at.setdefault(key, {})
    if value is GONE:
        del at[last]
    else:
        at[last] = value
    return whole


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ("chip.mhz", "fast", "chip.mhz: expected a whole number, got 'fast'"),
        ("chip.mhz", True, "chip.mhz: expected a whole number, got True"),
        ("chip.mhz", 0, "chip.mhz: expected at least 1, got 0"),
        ("chip.radio", "lora", "chip.radio: expected one of 'none', 'wifi' or 'bluetooth', got 'lora'"),
        ("chip.fpu", 1, "chip.fpu: expected true or false, got 1"),
        ("limits.model_bytes", GONE, "limits.model_bytes: expected it, got none"),
        ("limits.modelbytes", 5, r"limits.modelbytes: expected one of .*heap_bytes.* \(model_bytes\?\), got a field"),
        ("power.active_ma", -1.0, "power.active_ma: expected more than 0"),
        ("power.active_ma", float("nan"), "power.active_ma: expected"),
        ("power.sources", {}, "power.sources: expected one of active_ma, .*, or of all, got none"),
        (
            "power.sources.amps",
            {"kind": "guess", "text": "high"},
            "power.sources: expected names of figures .*got amps",
        ),
        ("power.sources.all", {"kind": "rumour", "text": "high"}, "power.sources.all.kind: expected one of 'measured'"),
        ("power.sources.all", {"kind": "guess"}, "power.sources.all.text: expected it, got none"),
        ("power.wifi_ma", 80.0, "power.wifi_ma: expected 0 without wifi, got 80.0"),
        ("header.adc", ["GP99"], "header.adc: expected a label of left or right, got 'GP99'"),
        ("header.left", [], "header.left: expected at least 1 of them"),
        ("header.left", "GP0", r"header.left: expected a list \[...\], got 'GP0'"),
        ("surprise", 1, "surprise: expected one of title, .*got a field of another name"),
        ("runtimes", {}, "runtimes: expected at least 1 of them"),
        (f"{MP}.node", "huge", f"{MP}.node: expected one of 'full', 'small' or 'model only', got 'huge'"),
        (f"{MP}.i2c", {"sda": "GP4"}, f"{MP}.i2c.scl: expected it, got none"),
        (f"{MP}.i2c", {"sda": "GP4", "scl": "VBUS"}, f"{MP}.i2c: expected labels of pins, got 'VBUS'"),
        (f"{MP}.pins.GP77", 77, f"{MP}.pins: expected labels of the header, got 'GP77'"),
        (f"{MP}.pins.GP0", 1, f"{MP}.pins: expected a value of its own for each label"),
        (f"{MP}.pins.GP0", 999, f"{MP}.pins.GP0: expected at most 255, got 999"),
        (f"{MP}.watchdog_max_ms", 60001, f"{MP}.watchdog_max_ms: expected at most 60000, got 60001"),
        (f"{MP}.mpy_arch", "", f"{MP}.viper: expected mpy_arch and viper_share with it"),
        (f"{MP}.light_sleep_ma", 50.0, f"{MP}.light_sleep_ma: expected at most idle_ma"),
        (f"{MP}.heap_bytes", 300_000, f"{MP}.heap_bytes: expected at most chip.ram_bytes"),
        (f"{MP}.filesystem_bytes", 1 << 23, f"{MP}.filesystem_bytes: expected at most chip.flash_bytes"),
        (f"{MP}.heap_byte", 5, rf"{MP}.heap_byte: expected one of .*\(heap_bytes\?\)"),
    ],
)
def test_a_mistake_is_named_with_its_place(place: str, value: object, told: str) -> None:
    with pytest.raises(InputError, match=f"^here/pico.toml: {told}"):
        check(spoilt(place, value), "here/pico.toml")


def test_the_number_of_further_mistakes_is_told() -> None:
    whole = spoilt("chip.mhz", 0)
    whole["limits"]["model_bytes"] = 0
    with pytest.raises(InputError, match=r"chip.mhz: .* \(and 1 more\)$"):
        check(whole, "pico.toml")


@pytest.mark.parametrize("field", sorted(set(tomllib.loads((BOARDS / "pico.toml").read_text())["power"]) - {"sources"}))
def test_a_whole_number_is_a_number(field: str) -> None:
    assert check(spoilt(f"power.{field}", 20), "pico.toml")
