"""A record log as a CSV: a row a decision, with the names that the model gives its numbers."""

import csv
import io

from dibble_tools.common.safe_text import cell
from dibble_tools.console.json_lines import flag_words
from dibble_tools.log.names import Known
from dibble_tools.node.record_log import DecisionRecord, Records

COLUMNS = ("time", "sequence", "class", "held", "margin", "flags", "action", "battery")


def log_csv(records: Records, known: Known) -> tuple[str, list[str]]:
    """Return the CSV, and notes on what couldn't be named.

    A column for each channel of any of the models; a row leaves those of the others empty. A time is empty where the
    node's clock wasn't set.
    """
    columns: dict[str, int] = {}
    unnamed: dict[int, bool] = {}  # what the columns are named by -> it is a list of sensors
    nameless: set[int] = set()
    rows = []
    for row in records.rows:
        names = known.names_of(row)
        if names is None:
            by = row.model_crc if row.names_crc is None else row.names_crc
            unnamed[by] = row.names_crc is not None
            titles = [f"{by:08x}_{i + 1}" for i in range(len(row.readings))]
        else:
            titles = [f"{name} (channel)" if name in COLUMNS else name for name in names.channels]
        places = [columns.setdefault(title, len(columns)) for title in titles]
        rows.append((row, places, names.classes if names else ()))
        if names and row.names_crc is not None and row.class_index is not None and not names.classes:
            nameless.add(row.model_crc)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*COLUMNS, *columns])
    for row, places, classes in rows:
        readings = [""] * len(columns)
        for place, reading in zip(places, row.readings, strict=True):
            readings[place] = "" if reading is None else str(reading)
        writer.writerow([*_decision(row, classes), *readings])
    notes = [
        f"written by other sensors than config.json has: the columns are {crc:08x}_1, …"
        if listed
        else f"decided by a model unknown here ({crc:08x}): its columns are {crc:08x}_1, …: fetch again with --model"
        if crc
        else "written without a model, by other sensors than config.json has: the columns are 00000000_1, …"
        for crc, listed in sorted(unnamed.items())
    ]
    notes += [f"decided by a model unknown here ({crc:08x}): fetch again with --model" for crc in sorted(nameless)]
    return out.getvalue(), notes


def _decision(row: DecisionRecord, classes: tuple[str, ...]) -> list[str]:
    def named(index: int | None) -> str:
        if index is None:
            return ""
        return cell(classes[index]) if index < len(classes) else f"class {index}"

    return [
        row.when.isoformat(" ") if row.when else "",
        str(row.sequence),
        named(row.class_index),
        named(row.held_index),
        str(row.margin),
        " + ".join(flag_words(row.flags)),
        str(row.actions),
        "" if row.battery_mv is None else str(row.battery_mv),
    ]
