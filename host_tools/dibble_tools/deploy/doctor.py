"""What a board and its sensors are like, looked at with the node stopped: `dibble doctor`, and a deploy's notes."""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dibble import __version__

from dibble_tools.common.errors import InputError
from dibble_tools.deploy.board_state import BoardState, look
from dibble_tools.deploy.checks import Bounds, check_together
from dibble_tools.link.session import LinkError, RemoteError, Session
from dibble_tools.model.host_model import MODEL_FILE

SLEEP_MS = 1000
SLEEP_WITHIN = 0.02
CLOCK_WITHIN_S = 60
NOISE_MV = 20  # between the least and the greatest of some readings
USUAL = {  # what an I2C address usually is
    0x23: "BH1750",
    0x36: "STEMMA soil sensor",
    0x38: "AHT20",
    0x3C: "OLED display",
    0x40: "HTU21D, Si7021 or INA219",
    0x44: "SHT4x or SHT3x",
    0x45: "SHT4x or SHT3x",
    0x48: "ADS1115",
    0x51: "PCF8563 clock",
    0x52: "ENS160",
    0x53: "ENS160",
    0x57: "EEPROM of a DS3231 board",
    0x58: "SGP30",
    0x59: "SGP40 or SGP41",
    0x5A: "CCS811 or MLX90614",
    0x62: "SCD4x",
    0x68: "DS3231 clock",
    0x76: "BME680 or BME280",
    0x77: "BME680 or BME280",
}


@dataclass
class Findings:
    """What was found.

    Attributes:
        facts: name -> value: what can be shared.
        advice: what isn't as it should be, and what to do.
        remarks: what this board is like, and the node copes with.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    advice: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def examine(session: Session, config: dict[str, Any] | None) -> Findings:
    """Look at a board whose program is stopped.

    Args:
        config: whole; None: the board has none, so its pins aren't known.
    """
    state = look(session)
    found = Findings(
        {"dibble": __version__, "runtime": f"{state.runtime} {state.version_text}", "board": state.machine}
    )
    _board(session, state, found)
    if config:
        with contextlib.suppress(RemoteError):
            _pins(session, config, found)
        try:
            check_together(config, Bounds.of(state), None, {})
        except InputError as error:
            found.advice.append(str(error))
        found.advice += _missing_network(config, found.facts["wifi"] == "yes", found.facts["tls"] == "yes")
    _model(session, state, found)
    _sleep(session, found)
    return found


def look_at_sensors(session: Session, config: dict[str, Any]) -> list[str]:
    """Return what a deploy tells of a board's sensors: those that don't answer."""
    found = Findings()
    try:
        _bus(session, config, found)
    except (RemoteError, InputError):
        return []
    return found.advice


def look_at_network(session: Session, config: dict[str, Any]) -> list[str]:
    """Return what a deploy tells of a firmware that can't send what its configuration asks for."""
    if not config["mqtt"]["host"]:
        return []
    said = _asked(session, "doctor_network")
    return _missing_network(config, said["wifi"] == ["yes"], said["tls"] == ["yes"])


def _missing_network(config: dict[str, Any], wifi: bool, tls: bool) -> list[str]:
    mqtt = config["mqtt"]
    if mqtt["host"] and not wifi:
        return [
            "config.mqtt.host is set, and this board's firmware has no Wi-Fi (no module network): the node logs, and "
            "sends nothing; take the firmware for a board with Wi-Fi, such as RPI_PICO_W on a Pico W, or leave mqtt out"
        ]
    if mqtt["host"] and mqtt["ca"] and not tls:
        return ["config.mqtt.ca is set, and this board's firmware has no TLS (no module ssl): the node sends nothing"]
    return []


def report(found: Findings) -> str:
    """Return the findings as text to share: nothing in it is secret."""
    content = {**found.facts, "advice": found.advice, "remarks": found.remarks}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _asked(session: Session, call: str, *arguments: object, timeout_s: float = 20) -> dict[str, list[str]]:
    """Return what a function of the board prints: KEY -> values."""
    said = session.run(f"doctor.{call}", *arguments, timeout_s=timeout_s, most=4096)
    return {words[0]: words[1:] for words in map(str.split, said.splitlines()) if words}


def _board(session: Session, state: BoardState, found: Findings) -> None:
    said = _asked(session, "doctor_board")
    free, total = map(int, said["heap"])
    flash_free, flash = map(int, said["flash"])
    shown = " ".join(said["clock"])
    found.facts |= {
        "system": " ".join(said["system"]),
        "heap_bytes": total,
        "heap_free_bytes": free,
        "flash_bytes": flash,
        "flash_free_bytes": flash_free,
        "clock": shown,
        "wifi": said["wifi"][0],
        "tls": said["tls"][0],
        "reset_cause": int(said["reset"][0]),
        "mpy": state.mpy.version if state.mpy else None,
    }
    clock = datetime.fromisoformat(shown).replace(tzinfo=UTC)
    lost = session.reset_s is not None  # by the reset that stopped its watchdog; it's set again now
    if not lost and abs((clock - datetime.now(UTC)).total_seconds()) > CLOCK_WITHIN_S:
        found.advice.append(
            f"the board's clock shows {shown} UTC: nobody has set it; this does, until its power is cut"
        )


def _pins(session: Session, config: dict[str, Any], found: Findings) -> None:
    """Look at the bus and at each analog pin."""
    _bus(session, config, found)
    analog: dict[str, dict[str, int]] = {}
    for sensor in config["sensors"]:
        if "pin" not in sensor or sensor["driver"] not in ("soil_adc", "gas_adc", "mox_adc", "battery", "wind_vane"):
            continue
        name = f"{sensor['driver']} at {sensor['pin']}"
        try:
            with _powered(session, sensor):
                low, middle, high = map(int, _asked(session, "doctor_analog", sensor["pin"])["analog"])
        except RemoteError as error:
            found.advice.append(f"{name}: expected an analog pin, got: {error}")
            continue
        analog[name] = {"uv": middle, "noise_uv": high - low}
        if high - low > 1000 * NOISE_MV:
            found.advice.append(f"{name}: readings differ by {(high - low) // 1000} mV: a loose wire, or no sensor?")
    found.facts["analog"] = analog


def _bus(session: Session, config: dict[str, Any], found: Findings) -> None:
    """Look who answers on the bus, and who of the configuration doesn't."""
    wiring = config["i2c"]
    if wiring["sda"] == "":
        return
    powered = [sensor for sensor in config["sensors"] if "address" in sensor and sensor["power_pin"] != ""]
    with contextlib.ExitStack() as stack:
        for sensor in powered:
            stack.enter_context(_powered(session, sensor))
        said = _asked(session, "doctor_i2c", wiring["sda"], wiring["scl"], wiring["frequency_hz"])
    if "0" in said["levels"]:
        found.advice.append("I2C: expected SDA and SCL to rest high, one is low: pull-ups missing, or a short?")
    answered = [int(text) for text in said["addresses"]]
    found.facts["i2c"] = {f"0x{at:02x}": USUAL.get(at, "unknown") for at in answered}
    wanted = [(sensor["driver"], sensor["address"]) for sensor in config["sensors"] if "address" in sensor]
    chip = config["clock"]["chip"]
    wanted += [(chip, at) for at, what in USUAL.items() if chip and what == f"{chip.upper()} clock"]
    others = ", ".join(f"0x{at:02x} ({USUAL.get(at, 'unknown')})" for at in answered) or "nobody"
    found.advice += [
        f"{name}: expected an answer at I2C 0x{address:02x}, there answers {others}: check wiring, power and address"
        for name, address in wanted
        if address not in answered
    ]


@contextlib.contextmanager
def _powered(session: Session, sensor: dict[str, Any]) -> Iterator[None]:
    """Give a sensor its power meanwhile."""
    pin = sensor["power_pin"]
    if pin == "":
        yield
        return
    session.run("doctor.doctor_power", pin, 1)
    time.sleep(sensor["power_up_ms"] / 1000)
    try:
        yield
    finally:
        session.run("doctor.doctor_power", pin, 0)


def _model(session: Session, state: BoardState, found: Findings) -> None:
    if MODEL_FILE not in state.files:
        return
    try:
        us, test_us = map(int, _asked(session, "doctor_model", MODEL_FILE, timeout_s=60)["model"])
    except RemoteError as error:
        found.advice.append(f"{MODEL_FILE}: expected its self-test to pass on the board, got: {error}")
        return
    found.facts["model"] = {"predict_us": us, "self_test_us": test_us}


def _sleep(session: Session, found: Findings) -> None:
    """Try a light sleep, last: a board's own USB may go away in it."""
    try:
        ticks, calendar = map(int, _asked(session, "doctor_sleep", SLEEP_MS, timeout_s=10)["sleep"])
    except (LinkError, RemoteError) as error:
        found.facts["sleep"] = str(error)
        found.advice.append("light sleep: the port went away in it, as that of some boards does at USB; not measured")
        return
    found.facts["sleep"] = {"asked_ms": SLEEP_MS, "ticks_ms": ticks, "calendar_ms": calendar}
    if ticks < SLEEP_MS * (1 - SLEEP_WITHIN):
        found.remarks.append("a light sleep may end early on this board: the node sleeps again until its time")
    elif not calendar:
        found.remarks.append("the calendar stands still in light sleep: the node keeps the time by its ticks")
