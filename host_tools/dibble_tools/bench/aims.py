"""The ratios that are claimed, and what is aimed at: each of figures of one run."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dibble_tools.bench import host_speed
from dibble_tools.bench.cases import ADDITIVE, DIGITS, GAS, GAS_FOREST, MLP, WINE
from dibble_tools.bench.results import (
    BARE,
    CODE,
    EMLEARN_MODULE,
    EVERYWHEREML,
    EXPORTED,
    M2CGEN,
    MICROBIT,
    TABLES,
    THUMB,
    VIPER,
    C,
    Measured,
    Ratio,
)

PREDICT, KERNEL = "wasi_instructions_predict", "wasi_instructions_kernel"
M0, M0_PREDICT = "m0_instructions_kernel", "m0_instructions_predict"
NS, NS_PREDICT = "pc_ns_kernel", "pc_ns_predict"
BYTES, LIBRARY = "model_bytes", "library_mpy_bytes"
KEPT, ATMEGA_FLASH, ATMEGA_RAM = "kept_heap_bytes", "atmega328p_flash_bytes", "atmega328p_ram_bytes"


class Cell(NamedTuple):
    """Where a figure stands."""

    model: str
    way: str
    key: str


class Aim(NamedTuple):
    """A figure over another, or over a limit, and how much that may be."""

    what: str
    figure: Cell
    of: Cell | float
    at_most: float | None


AIMS = (
    Aim("digits: kernel as code / m2cgen's, fuel", Cell(DIGITS, CODE, KERNEL), Cell(DIGITS, M2CGEN, PREDICT), 1 / 10),
    Aim(
        "digits: the same without ranges, as m2cgen's, fuel",
        Cell(DIGITS, BARE, KERNEL),
        Cell(DIGITS, M2CGEN, PREDICT),
        1 / 10,
    ),
    Aim("digits: predict() / m2cgen's, fuel", Cell(DIGITS, CODE, PREDICT), Cell(DIGITS, M2CGEN, PREDICT), 1 / 5),
    Aim(
        "digits: predict() as code / everywhereml's, fuel",
        Cell(DIGITS, CODE, PREDICT),
        Cell(DIGITS, EVERYWHEREML, PREDICT),
        None,
    ),
    Aim(
        "digits: kernel without ranges / everywhereml's, fuel",
        Cell(DIGITS, BARE, KERNEL),
        Cell(DIGITS, EVERYWHEREML, PREDICT),
        None,
    ),
    Aim(
        "digits: assembler / emlearn's module, both called by Python, M0",
        Cell(DIGITS, THUMB, "m0_instructions_called"),
        Cell(DIGITS, EMLEARN_MODULE, "m0_instructions_called"),
        0.5,
    ),
    Aim(
        "wine: predict() by assembler / in bytecode, M0",
        Cell(WINE, THUMB, M0_PREDICT),
        Cell(WINE, MICROBIT, M0_PREDICT),
        0.2,
    ),
    Aim("additive: predict() by assembler / 5,000, M0", Cell(ADDITIVE, THUMB, M0_PREDICT), 5_000, 1),
    Aim("orchard: windows and kernel by assembler / 5,000, M0", Cell("orchard", THUMB, M0), 5_000, 1),
    Aim("field_weather: windows and kernel by assembler / 5,000, M0", Cell("field_weather", THUMB, M0), 5_000, 1),
    Aim(
        "orchard: windows and kernel by viper / by assembler, M0",
        Cell("orchard", VIPER, M0),
        Cell("orchard", THUMB, M0),
        5,
    ),
    Aim("digits: assembler / gcc -O2, M0", Cell(DIGITS, THUMB, M0), Cell(DIGITS, C, M0), None),
    Aim("digits: viper / gcc -O2, M0", Cell(DIGITS, VIPER, M0), Cell(DIGITS, C, M0), None),
    Aim("digits: viper / gcc -O2, ns", Cell(DIGITS, VIPER, NS), Cell(DIGITS, C, NS), 3),
    Aim(
        "digits: predict() / its kernel, tables, fuel",
        Cell(DIGITS, TABLES, PREDICT),
        Cell(DIGITS, TABLES, KERNEL),
        2,
    ),
    Aim("digits: predict() / its kernel, code, fuel", Cell(DIGITS, CODE, PREDICT), Cell(DIGITS, CODE, KERNEL), 2),
    Aim(
        "digits: predict() of own readings / its kernel, viper, ns",
        Cell(DIGITS, VIPER, "pc_ns_predict_own"),
        Cell(DIGITS, VIPER, NS),
        2,
    ),
    Aim(
        "digits: predict() of a list / its kernel, viper, ns",
        Cell(DIGITS, VIPER, NS_PREDICT),
        Cell(DIGITS, VIPER, NS),
        2,
    ),
    Aim("wine: predict() on the micro:bit / 60,000, M0", Cell(WINE, MICROBIT, M0_PREDICT), 60_000, 1),
    Aim(
        "additive / digits: predict(), code, fuel",
        Cell(ADDITIVE, CODE, PREDICT),
        Cell(DIGITS, CODE, PREDICT),
        1 / 5,
    ),
    Aim(
        "additive / digits: predict(), tables, fuel",
        Cell(ADDITIVE, TABLES, PREDICT),
        Cell(DIGITS, TABLES, PREDICT),
        1 / 5,
    ),
    Aim("additive: predict() on the micro:bit / 25,000, M0", Cell(ADDITIVE, MICROBIT, M0_PREDICT), 25_000, 1),
    Aim("mlp: predict() as code / 200,000, fuel", Cell(MLP, CODE, PREDICT), 200_000, 1),
    Aim("mlp: viper / gcc -O2, ns", Cell(MLP, VIPER, NS), Cell(MLP, C, NS), 4),
    Aim("digits: model / 4,200 bytes", Cell(DIGITS, TABLES, BYTES), 4200, 1),
    Aim(
        "digits: model / emlearn's CSV, bytes",
        Cell(DIGITS, TABLES, BYTES),
        Cell(DIGITS, EMLEARN_MODULE, BYTES),
        None,
    ),
    Aim("digits: model / m2cgen's Python, bytes", Cell(DIGITS, TABLES, BYTES), Cell(DIGITS, M2CGEN, BYTES), None),
    Aim("forest: library as .mpy / 4,096 bytes", Cell(DIGITS, TABLES, LIBRARY), 4096, 1),
    Aim("additive: library as .mpy / 4,096 bytes", Cell(ADDITIVE, TABLES, LIBRARY), 4096, 1),
    Aim("mlp: library as .mpy / 4,096 bytes", Cell(MLP, TABLES, LIBRARY), 4096, 1),
    Aim("forest: heap kept beside the file / 600 bytes", Cell(DIGITS, TABLES, KEPT), 600, 1),
    Aim("additive: heap kept beside the file / 600 bytes", Cell(ADDITIVE, TABLES, KEPT), 600, 1),
    Aim("mlp: heap kept beside the file / 600 bytes", Cell(MLP, TABLES, KEPT), 600, 1),
    Aim(
        "gas forest: predict() as code / m2cgen's, fuel",
        Cell(GAS_FOREST, CODE, PREDICT),
        Cell(GAS_FOREST, M2CGEN, PREDICT),
        1 / 5,
    ),
    Aim("gas network on an ATmega328P: flash / 6,144 bytes", Cell(GAS, EXPORTED, ATMEGA_FLASH), 6144, 1),
    Aim("gas network on an ATmega328P: RAM / 200 bytes", Cell(GAS, EXPORTED, ATMEGA_RAM), 200, 1),
    Aim("orchard on an ATmega328P: flash / 6,144 bytes", Cell("orchard", EXPORTED, ATMEGA_FLASH), 6144, 1),
    Aim("wine on an ATmega328P: RAM / 200 bytes", Cell(WINE, EXPORTED, ATMEGA_RAM), 200, 1),
)


def ratios(models: Sequence[Measured], host_seconds: dict[str, float]) -> Iterator[Ratio]:
    """Yield those whose figures this run has."""
    by = {model.name: model for model in models}

    def value(figure: Cell | float) -> float | None:
        if not isinstance(figure, Cell):
            return figure
        return by[figure.model].figure(figure.way, figure.key) if figure.model in by else None

    for aim in AIMS:
        figure, of = value(aim.figure), value(aim.of)
        if figure is not None and of:
            yield Ratio(aim.what, figure, of, aim.at_most)
    if host_seconds:
        own = host_seconds[host_speed.DIBBLE]
        for name in (host_speed.SCIKIT_LEARN, host_speed.SPARED):
            yield Ratio(f"a million rows here: dibble / {name}, s", own, host_seconds[name], 1)
