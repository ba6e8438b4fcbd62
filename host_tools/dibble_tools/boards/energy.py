"""A cycle's charge on a board, each account with its range; a day's, and days on a battery."""

from dataclasses import dataclass, replace
from typing import Any

from dibble.drivers import driver

from dibble_tools.boards.figure import Figure
from dibble_tools.boards.listening import ListeningStage, charges, microphone_uc
from dibble_tools.boards.schema import Board, Runtime
from dibble_tools.boards.sensing import SPREAD, sensing
from dibble_tools.simulator.node.energy import SETTLE_MS, Battery, Energy

DAY_S = 86400
BLINK_MS = 240  # of each blink of the LED, dark part included: node.act()
MAH_PER_UC = 1 / 3.6e6
SETTLE_SPREAD = 2.0
SENSORS_REST_ON = "data sheets' device models, recalled standing currents; no pump that hangs on a power pin"
WAITS = ("light sleep", "waiting awake")


@dataclass(frozen=True)
class Budget:
    """What a node draws.

    Attributes:
        cycle_uc: account -> microcoulombs of one cycle.
        awake_ms: of one cycle.
        rest: how it waits: "light sleep" or "awake".
    """

    cycle_uc: dict[str, Figure]
    awake_ms: Figure
    rest: str
    interval_s: int

    @property
    def total_uc(self) -> Figure:
        return Figure.exact(0.0, "").plus(*self.cycle_uc.values(), rests_on="all accounts off the same way")

    @property
    def decision_uc(self) -> Figure:
        """What a decision itself takes: all but the wait for the next."""
        parts = [figure for name, figure in self.cycle_uc.items() if name not in WAITS]
        return Figure.exact(0.0, "").plus(*parts, rests_on="awake, sensors, radio")

    def day_mah(self) -> Figure:
        """Return the charge of a day."""
        cycles = Figure.exact(DAY_S / self.interval_s * MAH_PER_UC, "")
        return self.total_uc.times(cycles, self.total_uc.rests_on)

    def days(self, battery: Battery) -> Figure:
        """Return how long a battery's usable capacity lasts; its ageing and self-discharge aren't counted."""
        day = self.day_mah()
        mah = battery.capacity_mah
        return Figure(mah / day.value, mah / day.high, mah / day.low, day.rests_on)

    def accounts(self) -> Energy:
        """Return the accounts of a cycle as the simulated season keeps them."""
        return Energy({name: figure.value for name, figure in self.cycle_uc.items()})


def budget(
    board: Board,
    runtime: Runtime,
    config: dict[str, Any],
    predict_us: Figure,
    classes: int,
    *,
    watchdog: bool = True,
    stages: tuple[ListeningStage, ...] = (),
    looks: float = 1.0,
) -> Budget:
    """Return the budget of a cycle.

    Args:
        config: whole, with the firmware's defaults.
        predict_us: of one prediction.
        classes: of the model: their number is blinked.
        watchdog: False: as if config.watchdog_ms were 0.
        stages: of a node that listens, beside its cycles.
        looks: share of the cycles in which costly readings are taken.
    """
    power, interval_s = board.power, config["interval_s"]
    dog = watchdog and config["watchdog_ms"] > 0 and not runtime.sleeps_with_watchdog
    counting = any(getattr(driver(entry["driver"]), "COUNTS_ASLEEP", False) for entry in config["sensors"])
    light = config["sleep"] == "light" and not dog and not counting and not stages
    sensed = [
        (share, sensing(entry, interval_s, light_sleep=light, costly=costly))
        for costly, share in ((True, looks), (False, 1 - looks))
        for entry in config["sensors"]
        if share
    ]
    waits = Figure.within(sum(share * each.awake_ms for share, each in sensed), 1.1, "")
    blinks = Figure.exact(BLINK_MS * (classes + 1) / 2 if config["led"] != "" else 0.0, "")
    settle = Figure.within(SETTLE_MS, SETTLE_SPREAD, "")
    computing = replace(predict_us, value=predict_us.value / 1e3, low=predict_us.low / 1e3, high=predict_us.high / 1e3)
    awake = settle.plus(waits, blinks, computing, rests_on="the drivers' own waits, the prediction, 20 ms for the rest")
    active = Figure.within(power.active_ma, power.source("active_ma").spread, str(power.source("active_ma")))
    accounts = {"awake": awake.times(active, active.rests_on)}
    charge = sum(share * each.charge_uc for share, each in sensed)
    accounts["sensors"] = Figure.within(charge, SPREAD, SENSORS_REST_ON)
    radio_s = 0.0
    if config["mqtt"]["host"] and power.wifi_ma:
        joined = Figure.within(power.wifi_s * 1e3 / config["mqtt"]["every"], power.source("wifi_s").spread, "")
        current = Figure.within(power.wifi_ma, power.source("wifi_ma").spread, str(power.source("wifi_ma")))
        accounts["radio"] = joined.times(current, current.rests_on)
        radio_s = joined.value / 1e3
    name = "light_sleep_ma" if light else "idle_ma"
    source = runtime.source(name)
    current = Figure.within(getattr(runtime, name), source.spread, str(source))
    standing = Figure.within(power.standing_ma, power.source("standing_ma").spread, "")
    resting_ms = Figure.exact(max(0.0, (interval_s - radio_s) * 1e3 - awake.value), "")
    rest = current.plus(standing, rests_on=current.rests_on).times(resting_ms, current.rests_on)
    accounts[WAITS[0] if light else WAITS[1]] = rest
    if stages:
        accounts |= charges(stages, interval_s * 1e3, active, current)
        accounts["listening: microphone"] = microphone_uc(config["listen"]["driver"], interval_s * 1e3)
    return Budget(accounts, awake, "light sleep" if light else "awake", interval_s)


def listening_budget(
    board: Board, runtime: Runtime, config: dict[str, Any], stages: tuple[ListeningStage, ...]
) -> Budget:
    """Return the budget of a cycle of a node that listens: its model decides on sounds alone.

    Args:
        config: whole, with the firmware's defaults.
    """
    return budget(board, runtime, {**config, "led": ""}, Figure.exact(0.0, ""), 1, stages=stages)
