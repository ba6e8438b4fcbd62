"""The models whose kernels are counted: always the same bytes, so that counts compare from one run to the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dibble_tools.bench.shipped import MODELS, Shipped, digits, wine
from dibble_tools.data.channels import Channel
from dibble_tools.families.additive.tables import AdditiveTables, Term
from dibble_tools.families.mlp.tables import Layer, MlpTables
from dibble_tools.families.scaling import Scaler
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.rows import made_up_rows
from dibble_tools.model.writer import ModelSpec, export

ROWS, MANY = 20, 1000
DIGITS, WINE, ADDITIVE, MLP = "digits forest 10 x 100", "wine forest 10 x 8", "additive 8 x 4", "mlp 8-16-4"
GAS, GAS_FOREST = "gas network", "gas forest 10 x 100"
TRAINED = {
    "field_weather": "a year of hourly weather at three airports, `make demo`",
    "orchard": "a simulated year of nine nodes in an orchard",
}
LOWS = [-400, 0, 300, 0, 9500, 0, 20, -100]
SPANS = [4900, 1000, 13700, 360, 1000, 3000, 200, 6100]
CLASSES = ["a", "b", "c", "d"]


@dataclass(frozen=True)
class Case:
    """A model, and rows to predict: few to count, many to time, so that no processor learns them by heart.

    Attributes:
        what: where the model comes from.
        many: int (rows, channels), every reading within its channel's range.
        shipped: the forest it was converted from, where it was.
    """

    name: str
    what: str
    model: HostModel
    rows: np.ndarray
    many: np.ndarray
    shipped: Shipped | None = None


def cases() -> Iterator[Case]:
    """Yield all of them: forests of public data, shapes of the other families, and models that were trained."""
    for name, shipped in ((DIGITS, digits()), (WINE, wine())):
        model = HostModel.open(MODELS / shipped.name)
        readings = shipped.readings(model)
        yield Case(name, shipped.about, model, few(readings), readings[:MANY], shipped)
    for name, tables in ((ADDITIVE, additive()), (MLP, network())):
        channels = [Channel(f"x{i}", "", 1, 0, a, a + b) for i, (a, b) in enumerate(zip(LOWS, SPANS, strict=True))]
        model = HostModel(export(ModelSpec(name, channels, CLASSES, tables)))
        rows = np.random.default_rng(1).integers(LOWS, np.add(LOWS, SPANS), (MANY, 8), endpoint=True)
        yield Case(name, "of this shape, its figures drawn by chance", model, rows[:ROWS], rows)
    for name, what in TRAINED.items():
        model = HostModel.open(MODELS / name)
        low, high = np.array(model.model.low), np.array(model.model.high)
        steps = np.random.default_rng(2).random((MANY, len(low))) - 0.5
        walk = np.clip((low + high) // 2 + np.cumsum(steps * (high - low) / 20, axis=0), low, high)
        yield Case(name, what, model, walk.astype(np.int64)[:ROWS], walk.astype(np.int64))


def opened(path: Path) -> Case:
    """Return a user's model, and made-up rows within its channels' ranges.

    Raises:
        InputError: see HostModel.open.
    """
    model = HostModel.open(path)
    rows = np.clip(made_up_rows(model)[0], model.model.low, model.model.high)
    return Case(model.content.name or str(path), f"{path}, on made-up rows within its ranges", model, few(rows), rows)


def few(rows: np.ndarray) -> np.ndarray:
    """Return as many rows as are counted, evenly spaced."""
    return rows[:: max(1, len(rows) // ROWS)][:ROWS]


def scalers(top: int) -> list[Scaler]:
    """Return scalers whose codes reach from 0 to `top`, clamped at neither end."""
    found = []
    for span in SPANS:
        shift = next(s for s in range(30) if ((top + 1) << s) // (span + 1) >= 64)
        found.append(Scaler(False, 0, 0, ((top + 1) << shift) // (span + 1), shift, top))
    return found


def additive() -> AdditiveTables:
    """Return tables of 16 cells for each of 8 features, and 4 classes."""
    rng = np.random.default_rng(0)
    tables = rng.integers(0, 100, (8, 3, 16)).astype(np.uint8)
    terms = [Term((i,), (0,), table, table.mean(axis=1).astype(np.uint8)) for i, table in enumerate(tables)]
    return AdditiveTables(4, list(scalers(15)), terms, [400, 10, 10, 10], 32.0)


def network() -> MlpTables:
    """Return a dense network of 8 inputs, 16 hidden units and 4 classes, all weights of 8 bits."""
    rng = np.random.default_rng(0)
    hidden, last = rng.integers(-127, 128, (16, 8)), rng.integers(-127, 128, (3, 16))
    layers = [
        Layer(hidden, rng.integers(-9000, 9000, 16).tolist(), [9] * 16, "dense8"),
        Layer(last, (-np.minimum(last, 0).sum(axis=1) * 255).tolist(), [6] * 3, "dense8"),
    ]
    return MlpTables(4, scalers(255), layers, 1750, 32.0)
