"""What real boards, radios and sensors do to a node that a kind simulation wouldn't: each by name, with its source.

All of it is on by default. boards/*.toml names, runtime by runtime, what a board has of the first group, and in which
versions; the second group comes with the sensor or the wire, on any board.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from dibble_tools.common.errors import InputError


@dataclass(frozen=True)
class Unkindness:
    """What happens, and where that is known. repo#n is an issue or pull request; a bare #n MicroPython's.

    Attributes:
        of: "board": as boards/*.toml has it; "part": of a sensor or a wire.
    """

    text: str
    source: str
    of: str = "board"


UNKINDNESSES = {
    "clock_unset": Unkindness(
        "the clock shows 2000-01-01 or 2021-01-01 after each power-on and reset, and nobody sets it",
        "thonny#1592, enviro#209",
    ),
    "calendar_stands_still": Unkindness("the calendar stands still in light sleep; the ticks go on", "#16519"),
    "ticks_start_high": Unkindness(
        "supervisor.ticks_ms() wraps 65,536 ms after power-on", "measured on 32-bit builds of CircuitPython"
    ),
    "sleep_ends_early": Unkindness(
        "a light sleep is a maximum: some end after 27 to 64 ms, or anywhere",
        "MicroPython's documentation, #16181, #17204",
    ),
    "sleep_too_long": Unkindness(
        "a light sleep of 2**32 us or more, 71 minutes, is a ValueError", "rp2's modmachine.c"
    ),
    "watchdog_hangs_sleep": Unkindness("light sleep beside a watchdog hangs until the power is cut", "#17228"),
    "wifi_slow": Unkindness("the Wi-Fi takes 6 to 11 s to join", "enviro#225, Tasmota#14633, ESPuino#430"),
    "wifi_raises": Unkindness(
        "WLAN(), active() and connect() raise OSError, RuntimeError or MemoryError now and then",
        "#17661, #15563, #11247",
    ),
    "reset_late": Unkindness(
        "machine.reset() comes 8 ms after the REPL's answer; the USB port vanishes and comes back",
        "measured on rp2 1.28",
    ),
    "adc_0db": Unkindness("analog pins end at 1.1 V unless told otherwise", "#8276, esp32's machine_adc.c up to 1.25"),
    "adc_top_bends": Unkindness("analog pins bend in their top 150 to 200 mV", "#8207, ESP32's documentation"),
    "no_pull_up": Unkindness("pins 34 to 39 have no pull-up", "#7374, ESP32's data sheet"),
    "reed_bounces_at_release": Unkindness("a reed bounces when it opens, too", "OCS#26, Tasmota#516", "part"),
    "onewire_crc": Unkindness("a CRC error now and then on metres of cable", "esphome#903, esphome#2740", "part"),
    "sht3x_periodic": Unkindness(
        "an SHT3x left in periodic mode doesn't acknowledge a reset", "libdriver/sht35#8", "part"
    ),
    "sht3x_heater": Unkindness("some boards' SHT3x power up with the heater on", "esphome#1465", "part"),
    "sgp30_baseline": Unkindness(
        "an SGP30's baseline needs a measurement each second, for 12 hours", "its data sheet, 6.3", "part"
    ),
    "ens160_first_hour": Unkindness(
        "an ENS160's first hour begins anew until it has run for 24 h", "esphome#5355", "part"
    ),
    "bme68x_first_gas": Unkindness(
        "a BME68x's first gas reading after a reset isn't stable", "Adafruit_BME680#43, BME680_driver#4", "part"
    ),
}
ALL = frozenset(UNKINDNESSES)
PARTS = frozenset(name for name, each in UNKINDNESSES.items() if each.of == "part")


@dataclass(frozen=True)
class Likeness:
    """What a simulated node is like, of its board.

    Attributes:
        platform: sys.platform.
        version: of its MicroPython, as sys.version has it.
        chip: its name; "": as platform and unkindnesses suggest.
        wifi: whether it has a radio, and a module for it.
        unset_s: what its clock shows when nobody has set it, seconds since 2000.
        unkind: what it has to bear.
    """

    platform: str = "rp2"
    version: str = "1.28.0"
    chip: str = ""
    wifi: bool = True
    unset_s: int = 662_774_400  # 2021-01-01
    unkind: frozenset[str] = ALL


def chip_of(like: Likeness) -> str:
    """Return the chip that a board's own name ends in: only the first ESP32 has pins without pull-ups."""
    if like.chip or like.platform != "esp32":
        return (like.chip or "RP2040").replace("-", "")
    return "ESP32" if "no_pull_up" in like.unkind else "ESP32S3"


def kind_names(text: str) -> frozenset[str]:
    """Return the unkindnesses that a list with commas switches off; "all" is every one.

    Raises:
        InputError: there is none of that name.
    """
    names = ALL if text == "all" else frozenset(name.strip() for name in text.split(",") if name.strip())
    for name in sorted(names - ALL):
        raise InputError(f"--kind: expected of {', '.join(UNKINDNESSES)} or all, got {name!r}")
    return names


def unkind_to(of_board: Iterable[str], kind: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the unkindnesses that a node on a board has to bear.

    Args:
        of_board: names that its boards/*.toml gives.
        kind: what is switched off.
    """
    return (PARTS | frozenset(of_board)) - kind


def help_lines() -> str:
    """Return a line for each, for --help."""
    return "\n\n".join(f"{name}: {each.text} ({each.source})" for name, each in UNKINDNESSES.items())
