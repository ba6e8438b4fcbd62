"""What a benchmark found, as plain rows: a model, the ways to run it, and each way's figures, units in their names."""

from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

Figures = dict[str, float | None]


class Column(NamedTuple):
    """A figure: its key in the JSON, its heading, and whether it is of time rather than of room."""

    key: str
    heading: str
    of_time: bool


COLUMNS = (
    Column("wasi_instructions_predict", "fuel\npredict()", True),
    Column("wasi_instructions_kernel", "fuel\nkernel", True),
    Column("m0_instructions_predict", "M0\npredict()", True),
    Column("m0_instructions_kernel", "M0\nkernel", True),
    Column("m0_instructions_called", "– called\nby Python", True),
    Column("pc_ns_predict", "µs here\npredict()", True),
    Column("pc_ns_predict_own", "– of own\nreadings", True),
    Column("pc_ns_kernel", "µs here\nkernel", True),
    Column("model_bytes", "\nmodel", False),
    Column("library_mpy_bytes", "library\n.mpy", False),
    Column("import_heap_bytes", "heap:\nimport", False),
    Column("kept_heap_bytes", "heap:\nkept", False),
    Column("kept_heap_64_bit_bytes", "kept,\n64-bit", False),
    Column("prediction_heap_bytes", "heap: a\nprediction", False),
    Column("m0_flash_bytes", "M0\nflash", False),
    Column("atmega328p_flash_bytes", "ATmega\nflash", False),
    Column("atmega328p_ram_bytes", "ATmega\nRAM", False),
    Column("atmega328p_cycles", "ATmega\ncycles", False),
)

# Ways to run a model.
TABLES, CODE, MICROBIT = "tables, bytecode", "as code, bytecode", "micro:bit's bytecode"
BARE = "as code, no ranges"  # held, as other people's code; only to be compared with that
VIPER, THUMB = "tables, viper", "tables, assembler"
C, EXPORTED = "C by hand, gcc -O2", "dibble export --to c"
M2CGEN, EVERYWHEREML, PLAIN = "m2cgen's Python", "in everywhereml's style", "plain loops over floats"
EMLEARN_MODULE, EMLEARN_INLINE, EMLEARN_TABLES = (
    "emlearn's module, CSV",
    "emlearn's C, inline",
    "emlearn's C, tables",
)

# emlearn-micropython's native module on a Cortex-M0, of the same forest of digits and 20 of its rows: measured apart,
# on MicroPython 1.29 in QEMU (dibble's own are of 1.9.2). A call from Python, and a class, which is the largest of the
# call's outputs, taken in Python; neither holds a range, and there is no margin.
EMLEARN_CALL, EMLEARN_CLASS = 4587, 20082


@dataclass
class Measured:
    """A model and what each way to run it takes; a figure that is None, or left out, doesn't exist or wasn't taken.

    Attributes:
        what: where it comes from.
        windows: features look back: then kernels have no readings of their own, and some figures don't exist.
    """

    name: str
    what: str
    family: str
    model_bytes: int
    windows: bool
    ways: dict[str, Figures] = field(default_factory=dict)

    def add(self, way: str, figures: Figures) -> None:
        """Add figures to a way."""
        self.ways.setdefault(way, {}).update(figures)

    def figure(self, way: str, key: str) -> float | None:
        """Return a figure, None where there is none."""
        return self.ways.get(way, {}).get(key)


@dataclass(frozen=True)
class Ratio:
    """One figure over another of the same run.

    Attributes:
        at_most: what is aimed at; None: nothing is.
    """

    what: str
    figure: float
    of: float
    at_most: float | None

    @property
    def ratio(self) -> float:
        """Return the one over the other."""
        return self.figure / self.of

    @property
    def reached(self) -> bool | None:
        """Tell whether it is at most what is aimed at."""
        return None if self.at_most is None else self.ratio <= self.at_most


@dataclass
class Bench:
    """A whole run."""

    made_by: str
    machine: str
    quick: bool
    models: list[Measured] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    host_seconds: dict[str, float] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it JSON-ready, the ratios worked out."""
        found = asdict(self)
        for shown, ratio in zip(found["ratios"], self.ratios, strict=True):
            shown |= {"ratio": round(ratio.ratio, 4), "reached": ratio.reached}
        return found
