"""Models that nodes of a fleet run: their names, and how often their flags are to be expected."""

import json
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine

from dibble_tools.common.errors import InputError
from dibble_tools.fleet.database import models, upsert
from dibble_tools.model.host_model import CARD_FILE, HostModel


def learn_models(engine: Engine, paths: Sequence[Path]) -> list[str]:
    """Remember models by the cards beside them; return what to say of each.

    Raises:
        InputError: one isn't a model file, or its card isn't one.
    """
    said, rows = [], []
    for path in paths:
        model = HostModel.open(path)
        crc = model_crc(model.blob)
        shares = _shares(path.with_name(CARD_FILE))
        rows.append({"crc": crc, "name": model.content.name, "shares": json.dumps(shares)})
        flags = (
            ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items()) or "nothing: no card beside it"
        )
        said.append(f"{model.content.name} ({crc}): to be expected are {flags}")
    with engine.begin() as connection:
        upsert(connection, models, rows)
    return said


def model_crc(blob: bytes) -> str:
    """Return a model file's CRC-32 as nodes tell it."""
    return f"{int.from_bytes(blob[-4:], 'little'):08x}"


def _shares(card: Path) -> dict[str, float]:
    """Return flag -> its share of the rows held out; none where there is no card."""
    if not card.exists():
        return {}
    try:
        held_out = json.loads(card.read_bytes())["held_out"]["integer_model"]
        return {name: count / held_out["rows"] for name, count in held_out["flags"].items()} if held_out["rows"] else {}
    except (ValueError, LookupError, TypeError, ArithmeticError, AttributeError):
        raise InputError(f"{card}: expected the card that dibble train wrote beside the model") from None
