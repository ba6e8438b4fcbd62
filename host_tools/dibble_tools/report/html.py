"""report.html: a model's card for people, growers first; one file that needs nothing else."""

import base64
from collections.abc import Mapping
from functools import cache
from math import sqrt
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from dibble_tools.common.files import write_together
from dibble_tools.common.formatting import is_number, percent, points, times_in_100, whole
from dibble_tools.common.shipped import ROOMS
from dibble_tools.report.plots import DRAWINGS, pictures
from dibble_tools.report.verdict import NOTABLE, number_text, verdict_of

REPORT_FILE = "report.html"
PLOTS_FOLDER = "plots"
EXAMPLES_FILE = "examples.png"
UNEVEN = 0.05  # of accuracy: a group so far below the mean is named
FEW_ROWS = 30  # a class judged on fewer has figures too rough to rely on


def write_report(card: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write report_files(); return those written."""
    files, gone = report_files(card, folder)
    write_together(files, gone)
    return list(files)


def report_files(card: Mapping[str, Any], folder: Path, examples: bytes = b"") -> tuple[dict[Path, bytes], list[Path]]:
    """Return report.html and its pictures as plots/*.png of a model's folder, and the pictures to remove from there.

    Args:
        card: as in card.json; every key may be missing or None, its section is then left out.
        folder: where model.dib lies.
        examples: a PNG of frames that it was judged on, for examples.png and the report; empty: none.
    """
    drawn = pictures(card)
    files = {folder / PLOTS_FOLDER / f"{name}.png": picture.light for name, picture in drawn.items()}
    gone = [folder / PLOTS_FOLDER / f"{name}.png" for name in DRAWINGS.keys() - drawn.keys()]
    if examples:
        files[folder / EXAMPLES_FILE] = examples
    else:
        gone.append(folder / EXAMPLES_FILE)
    given = {"card": card, "facts": facts(card), "pictures": drawn, "examples": examples}
    html = _environment().get_template("report.html.j2").render(given)
    files[folder / REPORT_FILE] = html.encode()
    return files, gone


def facts(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts for the report's sentences beyond the card: comparisons, extremes and their weight.

    Returns:
        any of
        majority: (class, share), the accuracy of always answering the commonest class;
        verdict: see `verdict_of`;
        give_or_take: half the 95 % interval of the accuracy;
        mistakes: [(true, decided, rows, share of the true class)], the commonest first;
        weakest: (class, recall);
        uneven: the row of each_group that fares clearly worse than the mean;
        few: [(class, rows)], classes judged on too few rows;
        gain, gap: what the last doubling of rows brought, and how far the model's own rows are ahead;
        channels: {name: {"importance", "without_channel", "only_channel"}}, what a channel is worth, joined.
    """
    held_out = card.get("held_out") or {}
    result = held_out.get("integer_model") or {}
    learning = _of_learning(card.get("learning_curve") or [])
    said = {"verdict": verdict_of(card), "uneven": _uneven(card)}
    return {**_of_confusion(result), **_of_classes(result), **learning, **said, "channels": _channels(card)}


def _of_confusion(result: Mapping[str, Any]) -> dict[str, Any]:
    labels, confusion = result.get("labels") or [], result.get("confusion") or []
    sums = [sum(row) for row in confusion]
    rows = sum(sums)
    if not rows or len(labels) != len(confusion):
        return {}
    commonest = max(range(len(labels)), key=lambda index: sums[index])
    accuracy = sum(confusion[index][index] for index in range(len(labels))) / rows
    majority = sums[commonest] / rows
    wrong = [
        (true, decided, count, count / sums[i])
        for i, true in enumerate(labels)
        for j, decided in enumerate(labels)
        if i != j and (count := confusion[i][j])
    ]
    return {
        "majority": (labels[commonest], majority),
        "give_or_take": _half_interval(accuracy, rows),
        "mistakes": sorted(wrong, key=lambda mistake: -mistake[2])[:3],
    }


def _of_classes(result: Mapping[str, Any]) -> dict[str, Any]:
    classes = result.get("classes") or {}
    judged = {name: row for name, row in classes.items() if row.get("rows")}
    recalls = [(name, row["recall"]) for name, row in judged.items() if is_number(row.get("recall"))]
    few = [(name, row["rows"]) for name, row in judged.items() if row["rows"] < FEW_ROWS]
    return {
        "weakest": min(recalls, key=lambda pair: pair[1]) if len(recalls) > 1 else None,
        "few": few,
    }


def _uneven(card: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the group that fares worst, where it is clearly below the whole."""
    groups = (card.get("each_group") or {}).get("groups") or []
    judged = [row for row in groups if is_number(row.get("accuracy")) and row["rows"] >= FEW_ROWS]
    if len(judged) < 2:
        return None
    mean = sum(row["accuracy"] * row["rows"] for row in judged) / sum(row["rows"] for row in judged)
    worst = min(judged, key=lambda row: row["accuracy"])
    return worst if worst["accuracy"] < mean - UNEVEN else None


def _of_learning(curve: list[Mapping[str, Any]]) -> dict[str, Any]:
    rows = sorted((row for row in curve if is_number(row.get("accuracy"))), key=lambda row: row["rows"])
    half = [row for row in rows if 2 * row["rows"] <= 1.1 * rows[-1]["rows"]]
    if not half:
        return {}
    gain = rows[-1]["accuracy"] - half[-1]["accuracy"]
    own = rows[-1].get("train_accuracy")
    return {
        "gain": {"rows": half[-1]["rows"], "to": rows[-1]["rows"], "points": 100 * gain, "notable": gain > NOTABLE},
        "gap": 100 * (own - rows[-1]["accuracy"]) if is_number(own) else None,
    }


def _channels(card: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for key, figure in (("importance", "drop"), ("without_channel", "accuracy"), ("only_channel", "accuracy")):
        for row in card.get(key) or []:
            found.setdefault(row["channel"], {})[key] = row.get(figure)
    return found


def _half_interval(share: float, rows: int) -> float:
    """Return half the width of the 95 % interval of a share. Source: Wilson 1927, rows taken as independent."""
    z = 1.96
    return z / (1 + z * z / rows) * sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOMS / "report" / "templates"),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "whole": whole,
        "points": points,
        "times_in_100": times_in_100,
        "breakable": _breakable,
        "number": number_text,
        "data_uri": _data_uri,
    }
    environment.tests["figure"] = is_number
    return environment


def _data_uri(png: bytes) -> Markup:
    return Markup("data:image/png;base64," + base64.b64encode(png).decode())


def _breakable(name: object) -> Markup:
    """Let a long name break after its underscores: columns are narrow on a phone."""
    return escape(name).replace("_", Markup("_<wbr>"))
