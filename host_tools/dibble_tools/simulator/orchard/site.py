"""A node's place in the simulated field: every sensor that dibble simulates, wired to the truth.

Which of them the node reads is its configuration's business; `wire` puts them where a configuration expects them.
"""

import random
from collections.abc import Callable
from dataclasses import astuple
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.simulator.devices.amg8833 import Amg8833
from dibble_tools.simulator.devices.analog import AnalogPin, EthyleneCell, SoilProbe, esp32_adc, ideal_adc
from dibble_tools.simulator.devices.anemometer import CupAnemometer
from dibble_tools.simulator.devices.bme680 import BME688, Bme680
from dibble_tools.simulator.devices.cable import OneWireCable
from dibble_tools.simulator.devices.ds18b20 import Ds18b20
from dibble_tools.simulator.devices.ens160 import Ens160
from dibble_tools.simulator.devices.lis3dh import Lis3dh
from dibble_tools.simulator.devices.mlx90640 import Mlx90640
from dibble_tools.simulator.devices.rain_gauge import RainGauge
from dibble_tools.simulator.devices.seesaw_soil import SeesawSoil
from dibble_tools.simulator.devices.sgp30 import Sgp30
from dibble_tools.simulator.devices.sht3x import Sht3x
from dibble_tools.simulator.devices.sht4x import Sht4x
from dibble_tools.simulator.devices.wind_vane import WindVane
from dibble_tools.simulator.node.bus import I2cDevice
from dibble_tools.simulator.node.energy import Battery, Energy
from dibble_tools.simulator.node.pins import OrchardPins, places_on
from dibble_tools.simulator.node.wire import Hardware
from dibble_tools.simulator.orchard.truth import Field
from dibble_tools.simulator.orchard.visitors import Visitors
from dibble_tools.simulator.unkindness import chip_of

PLACES = OrchardPins()  # on an RP2040, and on chips whose pins have names
SOIL_PIN, VALVE_PIN = PLACES.soil, PLACES.valve
DIVIDER_PERMILLE = 3000  # of the battery's voltage at its pin, as on a Pico
VANE_OHM, ESP32_VANE_OHM = 10_000, 15_000  # the vane's pull-up: an ESP32 measures from 0.15 to 2.45 V
FLIP_SHARE = 0.002  # of the bytes that come over some metres of 1-Wire cable: chosen
PUMP_MA = 60.0  # draws the store's air over the gas cell
PUMP_MS = 15000
CLEAN_TVOC_PPB, TVOC_A_PPB = 60.0, 1.0  # of the store's air, and for each ppb of ethylene: a toy, as its vapours are
VALVE_MM_H = 6.0  # the drip lines' rate
TO_UNIX_S = 946_684_800  # boards count from 2000
# channel -> the sensor of the configuration that gives it; the order in which they are read
SENSORS: dict[str, dict[str, Any]] = {
    "sht4x": {"driver": "sht4x"},
    "bme680": {"driver": "bme680"},
    "soil_adc": {"driver": "soil_adc", "pin": PLACES.soil, "samples": 8},
    "ds18b20": {"driver": "ds18b20", "pin": PLACES.drop},
    "anemometer": {"driver": "anemometer", "pin": PLACES.wind},
    "wind_vane": {"driver": "wind_vane", "pin": PLACES.vane, "samples": 4},
    "rain_gauge": {"driver": "rain_gauge", "pin": PLACES.rain},
    "gas_adc": {
        "driver": "gas_adc",
        "pin": PLACES.gas,
        "zero_uv": round(EthyleneCell.zero_v * 1e6),
        "uv_per_ppm": round(EthyleneCell.v_per_ppm * 1e6),
        "samples": 32,
        "power_pin": PLACES.pump,
        "power_up_ms": PUMP_MS,
        "costly": True,
    },
    "ens160": {"driver": "ens160"},
    "battery": {"driver": "battery", "pin": PLACES.battery, "divider_permille": DIVIDER_PERMILLE, "samples": 4},
}
GIVES = {
    "sht4x": ("air_temperature_centi_c", "humidity_permille"),
    "bme680": ("pressure_pa", "gas_resistance_ohm"),
    "soil_adc": ("soil_moisture_permille",),
    "ds18b20": ("soil_temperature_centi_c",),
    "anemometer": ("wind_speed_cm_s", "wind_gust_cm_s"),
    "wind_vane": ("wind_direction_deg",),
    "rain_gauge": ("rain_um", "rain_total_um"),
    "gas_adc": ("ethylene_ppb",),
    "ens160": ("tvoc_ppb", "eco2_ppm"),
    "battery": ("battery_mv",),
}


class Site:
    """Devices whose truth follows the field.

    Args:
        field: the truth, at the moment the simulation begins.
        hardware: what the node's VM sees; its time is the field's.
        seed: of the sensors' noise and spread.
        bent_adc: the board's converter is an ESP32's.
        battery: that the node lives on.
    Attributes:
        energy: what the sensors and the pump used so far.
        air_frozen: the air sensor goes on saying the same.
        jump_share: of the moments, in which the air's temperature, or the soil, is anything at all.
        places: where each sensor is on this chip, until wire() says otherwise.
        used_mah: asks the season how much of the battery is used.
    """

    def __init__(
        self, field: Field, hardware: Hardware, seed: int, *, bent_adc: bool = False, battery: Battery | None = None
    ) -> None:
        self.field = field
        self.hardware = hardware
        self.places = places_on(chip_of(hardware.like))
        self._placed = dict(zip(astuple(PLACES), astuple(self.places), strict=True))
        self.energy = Energy()
        self.battery = battery or Battery()
        self.used_mah: Callable[[], float] = lambda: 0.0
        self.air_frozen = False
        self.jump_share = 0.0
        rng = random.Random(f"site {seed}")
        self._rng = random.Random(f"jumps {seed}")
        unkind = hardware.unkind
        esp32 = hardware.like.platform == "esp32" and "adc_top_bends" in unkind
        transfer = esp32_adc if bent_adc or esp32 else ideal_adc

        def now() -> int:
            return hardware.now_us

        def pin(name: str, volts: Callable[[], float]) -> AnalogPin:
            """Each has noise of its own, which nothing that happens to another changes."""
            return AnalogPin(volts, random.Random(f"{name} {seed}"), transfer=transfer)

        self.air = Sht4x(now)
        self.old_air = Sht3x(now)
        self.gas_chip = Bme680(now)
        self.gas_chip.first_is_unstable = "bme68x_first_gas" in unkind
        self._newer_gas_chip = Bme680(now, variant=BME688)
        self._newer_gas_chip.first_is_unstable = self.gas_chip.first_is_unstable
        self.old_air.periodic = "sht3x_periodic" in unkind
        self.old_air.heater_at_power_on = self.old_air.heater_on = "sht3x_heater" in unkind
        self.sgp30, self.ens160 = Sgp30(now), Ens160(now)
        self.sgp30.learns = "sgp30_baseline" in unkind
        self.ens160.aged = "ens160_first_hour" not in unkind
        self.seesaw = SeesawSoil(now)
        self.eye, self.camera = Amg8833(now, seed), Mlx90640(now, seed)
        self.accelerometer = Lis3dh(now, seed)
        self.visitors = Visitors(seed)
        self._arrays: list[Amg8833 | Mlx90640] = []  # that are wired
        self._switched: dict[Any, Mlx90640] = {}  # by the pin of its supply
        self.eye.scene = self.camera.scene = self._at_the_gate
        self.drop = Ds18b20(now)
        self.probe = SoilProbe(rng)
        self.probes = [self.probe]
        self.cell = EthyleneCell(rng)
        self.cups = CupAnemometer(random.Random(f"cups {seed}"))
        self.cups.turbulence = 0.08
        self.cups.reed.bounces_at_release = "reed_bounces_at_release" in unkind
        self.vane_ohm = ESP32_VANE_OHM if chip_of(hardware.like) == "ESP32" else VANE_OHM
        self.vane = WindVane(rng, self.vane_ohm)
        self.gauge = RainGauge(random.Random(f"rain {seed}"))
        self.gauge.reed.bounces_at_release = self.cups.reed.bounces_at_release
        self.divider_permille = DIVIDER_PERMILLE
        self.soil_pin, self.gas_pin = pin("probe", self.probe.volts), pin("cell", self.cell.volts)
        self._battery_pin = pin("battery", lambda: self.battery.volts(self.used_mah()) * 1000 / self.divider_permille)
        self._vane_pin = pin("vane", self.vane.volts)
        self._make_pin = pin
        lost = FLIP_SHARE if "onewire_crc" in unkind else 0.0
        self._cable = OneWireCable(self.drop, random.Random(f"cable {seed}"), lost)
        self._valve_pins: set[Any] = {self.places.valve}
        self._wire_all()
        hardware.on_output = self.switched
        self.valve_on = False
        self.on_valve: Callable[[bool], None] = lambda on: None
        self._pump_since_us: int | None = None
        self._moved_us = hardware.now_us
        self._began_us = hardware.now_us
        self.move()

    def wire(self, config: dict[str, Any]) -> None:
        """Put the sensors where a configuration expects them, and nothing anywhere else.

        The valve is at the pin of its first action.

        Args:
            config: whole, with its defaults.
                Sensors of drivers other than devices.SIMULATED don't answer.
        """
        hardware = self.hardware
        hardware.i2c, hardware.analog, hardware.pulses, hardware.onewire = {}, {}, {}, {}
        chips: dict[str, I2cDevice] = {"sht4x": self.air, "sht3x": self.old_air, "seesaw_soil": self.seesaw}
        chips |= {"sgp30": self.sgp30, "ens160": self.ens160, "amg8833": self.eye, "mlx90640_raw": self.camera}
        chips |= {"lis3dh": self.accelerometer}
        chips |= dict.fromkeys(("bme680", "bme680_adafruit"), self.gas_chip)
        simulated = {"gas_adc": self.gas_pin, "battery": self._battery_pin, "wind_vane": self._vane_pin}
        del self.probes[1:]
        if any(settings.get("mode") == "parallel" for settings in config["sensors"]):  # a BME680 can't
            self.gas_chip = self._newer_gas_chip
            chips["bme680"] = self.gas_chip
        self._arrays, self._switched = [], {}
        for settings in config["sensors"]:
            driver, at = settings["driver"], _number(settings.get("pin"))
            if driver in ("amg8833", "mlx90640_raw"):
                self._arrays.append(self.eye if driver == "amg8833" else self.camera)
            if driver == "mlx90640_raw" and settings["power_pin"] != "":
                self._switched[_number(settings["power_pin"])] = self.camera
                self.camera.switch(False)
            if driver in chips:
                hardware.i2c[settings["address"]] = chips[driver]
            elif driver == "soil_adc":
                if self.soil_pin in hardware.analog.values():  # another probe, of its own spread
                    self.probes.append(SoilProbe(random.Random(f"probe {at}")))
                    hardware.analog[at] = self._make_pin(f"probe {at}", self.probes[-1].volts)
                else:
                    hardware.analog[at] = self.soil_pin
            elif driver in simulated:
                hardware.analog[at] = simulated[driver]
            elif driver in ("anemometer", "rain_gauge"):
                hardware.pulses[at] = self.cups if driver == "anemometer" else self.gauge
            elif driver == "ds18b20":
                hardware.onewire[at] = self._cable
            if driver == "battery":
                self.divider_permille = settings["divider_permille"]
            if driver == "wind_vane":
                self.vane.pull_up_ohm = settings["pull_up_ohm"]
        self._valve_pins = {_number(entry["pin"]) for entry in config["actions"][:1]}

    def config(self, channels: list[str], interval_s: int, classes: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return a configuration that gives these channels: the node's config.json."""
        sensors = []
        missing = set(channels)
        for name, settings in SENSORS.items():
            if name == "battery" or missing & set(GIVES[name]):
                missing -= set(GIVES[name])
                entry = dict(settings)
                for key in set(entry) & {"pin", "power_pin"}:
                    entry[key] = self._placed[entry[key]]
                if name == "soil_adc":
                    entry["probe_curve"] = self.probe.probe_curve_mv()
                if name == "wind_vane":
                    entry["pull_up_ohm"] = self.vane_ohm
                if name == "bme680":
                    entry["channels"] = ["case_temperature_centi_c", "case_humidity_permille", *GIVES[name]]
                sensors.append(entry)
        if missing:
            raise InputError(f"expected channels that a simulated sensor gives, got {', '.join(sorted(missing))}")
        actions = [{"class": "irrigate", "pin": self.places.valve, "max_on_s": 7200}] if "irrigate" in classes else []
        return {
            "node": "simulated",
            "interval_s": interval_s,
            "watchdog_ms": 60000,
            "i2c": {"sda": self.places.sda, "scl": self.places.scl},
            "sensors": sensors,
            "actions": actions,
        }

    def _wire_all(self) -> None:
        """Put each sensor at a place of its own."""
        self.hardware.i2c = {0x44: self.air, 0x45: self.old_air, 0x77: self.gas_chip, 0x36: self.seesaw}
        self.hardware.i2c |= {0x53: self.ens160, 0x58: self.sgp30}
        self.hardware.analog = {
            self.places.soil: self.soil_pin,
            self.places.gas: self.gas_pin,
            self.places.vane: self._vane_pin,
            self.places.battery: self._battery_pin,
        }
        self.hardware.pulses = {self.places.wind: self.cups, self.places.rain: self.gauge}
        self.hardware.onewire = {self.places.drop: self._cable}

    def _at_the_gate(self, row: float, column: float) -> float:
        now_s = self.hardware.now_us / 1e6 + TO_UNIX_S
        return self.visitors.celsius(now_s, self.field.air_temperature_c, row, column)

    def move(self) -> None:
        """Bring the truth and the devices to the hardware's time."""
        now_us = self.hardware.now_us
        if self.valve_on:
            self.field.irrigate(VALVE_MM_H * (now_us - self._moved_us) / 3.6e9)
        self._moved_us = now_us
        field = self.field
        field.advance(now_us / 1e6 + TO_UNIX_S)
        if not self.air_frozen:
            self.air.air_temperature_c = field.air_temperature_c
            self.air.humidity_percent = field.humidity_percent
        self.old_air.air_temperature_c = field.air_temperature_c
        self.old_air.humidity_percent = field.humidity_percent
        self.gas_chip.air_temperature_c = field.air_temperature_c
        self.gas_chip.humidity_percent = field.humidity_percent
        self.gas_chip.pressure_pa = field.pressure_pa
        self.gas_chip.gas_resistance_ohm = field.gas_resistance_ohm
        for part in (self.sgp30, self.ens160):
            part.tvoc_ppb = CLEAN_TVOC_PPB + TVOC_A_PPB * field.ethylene_ppb
            part.air_temperature_c, part.humidity_percent = field.air_temperature_c, field.humidity_percent
        self.eye.array_c = self.camera.array_c = field.air_temperature_c + 2
        self.seesaw.soil_moisture_percent = field.soil_moisture_permille / 10
        self.seesaw.soil_temperature_c = self.drop.temperature_c = field.soil_temperature_c
        for probe in self.probes:
            probe.moisture = field.soil_moisture_permille / 1000
        if self.jump_share and self._rng.random() < self.jump_share:
            self.air.air_temperature_c = self._rng.uniform(-40, 80)
        if self.jump_share and self._rng.random() < self.jump_share:
            self.probe.moisture = self._rng.random()
        self.cell.ethylene_ppm = field.ethylene_ppb / 1000
        self.cell.air_temperature_c = field.store_temperature_c
        self.gauge.mm_h = field.rain_mm_h
        self.cups.wind_m_s = field.wind_speed_m_s
        self.vane.direction_deg = field.wind_direction_deg
        self.probe.age_years = self.cell.age_years = (now_us - self._began_us) / 3.15576e13

    def switched(self, pin: int, level: int) -> None:
        """The node drives a pin: the pump, or the valve."""
        now_us = self.hardware.now_us
        if pin == self.places.pump:
            if level:
                self._pump_since_us = now_us
            elif self._pump_since_us is not None:
                self.energy.add("gas pump", PUMP_MA * (now_us - self._pump_since_us) / 1000)
                self._pump_since_us = None
        if pin in self._switched:
            self._switched[pin].switch(bool(level))
        if pin in self._valve_pins and bool(level) != self.valve_on:
            self.move()
            self.valve_on = bool(level)
            self.on_valve(self.valve_on)

    def power_lost(self, *, cut: bool = False) -> None:
        """The node is without power, or resets: its pins float, the valve closes.

        Args:
            cut: the sensors lose their power, too.
        """
        if cut:
            for part in (self.old_air, self.sgp30, self.ens160, self.eye, self.camera):
                part.power_cycle()
        for pin, level in list(self.hardware.outputs.items()):
            if level:
                self.switched(pin, 0)

    def sensors_uc(self) -> float:
        """Return the charge that the sensors used themselves."""
        devices = (self.air, self.old_air, self.gas_chip, self.seesaw, self.drop, self.sgp30, self.ens160)
        return sum(device.charge_uc for device in [*devices, *self._arrays])


def _number(pin: Any) -> Any:
    """Return a pin's number, by which the VM asks: an RP2's are named, too, GP26."""
    return int(pin[2:]) if isinstance(pin, str) and pin[:2] == "GP" and pin[2:].isdigit() else pin
