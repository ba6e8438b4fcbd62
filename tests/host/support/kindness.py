"""Seasons of an orchard's node on a board as it is, and on one that spares it everything."""

from dataclasses import dataclass

from dibble_tools.boards.catalogue import likeness, read_power
from dibble_tools.model.host_model import HostModel
from dibble_tools.simulator.orchard.site import GIVES
from dibble_tools.simulator.season import START_S, Orchard, Season, SimulatedBoard, Simulation
from dibble_tools.simulator.unkindness import kind_names

SUMMER_S = START_S + 170 * 86400
ALMOST_DRY = 0.97  # of what is readily available, at the start
HEAP = "144wk"  # of a Pico's 180 KB and more: all these sensors and reports want more than a season's usual 96
SLOW = ("rain_gauge",)  # a node with it never sleeps for long


@dataclass(frozen=True)
class Lived:
    """A season, and what it had to bear."""

    season: Season
    unkindnesses: frozenset[str]
    radio_faults: int

    @property
    def errors(self) -> int:
        return sum(event.kind == "error" for _, event in self.season.events)


@dataclass(frozen=True)
class Apart:
    """How far two seasons are apart: shares, and seconds.

    Attributes:
        decisions_apart: of their number; answers_apart: of those that held another class.
        watered_apart: of the hours; begun_apart_s: the most between the beginnings of a watering.
    """

    decisions_apart: float
    answers_apart: float
    watered_apart: float
    begun_apart_s: float


def live(model: HostModel, board: str, days: float, kind: str = "", seed: int = 1, start_s: int = SUMMER_S) -> Lived:
    """Live through a season with every sensor of the orchard but SLOW, and a broker that is away.

    Args:
        kind: unkindnesses that the board is without, as --kind takes them.
    """
    like = likeness(board, kind_names(kind))
    made = Simulation(
        model, SimulatedBoard(read_power(board), like, heap=HEAP), Orchard(seed=seed, start_s=start_s), days=days
    )
    channels = [name for driver, gives in GIVES.items() if driver not in SLOW for name in gives]
    made.config |= {
        "sensors": made.site.config(channels, 600)["sensors"],
        "mqtt": {"host": "127.0.0.1", "port": 9, "timeout_ms": 1000, "every": 12, "time_host": ""},
    }
    soil = made.site.field.soil
    soil.depletion_mm = ALMOST_DRY * soil.readily_available_mm
    season = made.run()
    return Lived(season, like.unkind, made.hardware.wifi.faults if made.hardware.wifi else 0)


def beside_each_other(one: Lived, other: Lived) -> Apart:
    ours, theirs = one.season, other.season
    pairs = list(zip(ours.moments, theirs.moments, strict=False))
    hours = sum(watering.hours for watering in theirs.waterings)
    starts = zip(ours.waterings, theirs.waterings, strict=False)
    return Apart(
        abs(len(ours.moments) - len(theirs.moments)) / max(1, len(theirs.moments)),
        sum(a.line.held != b.line.held for a, b in pairs) / max(1, len(pairs)),
        abs(sum(watering.hours for watering in ours.waterings) - hours) / max(1e-9, hours),
        max((abs(a.at_s - b.at_s) for a, b in starts), default=0.0),
    )
