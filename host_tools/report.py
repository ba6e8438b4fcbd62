"""What people see: tables for the terminal and pictures."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from host_tools.files import write_atomically
from host_tools.verify import Agreement


def _table(title: str, *columns: str, numbers: Sequence[int] = ()) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i in numbers else "left", overflow="fold")
    return table


def percent(share: float | None) -> str:
    """Return a share as people read it; "-" where there is none."""
    return "-" if share is None or share != share else f"{100 * share:.1f} %"


def training_table(card: dict[str, Any]) -> Table:
    """Return how good a freshly trained model is on the rows held out."""
    held_out = card["held_out"]
    title = f"{card['name']}: {card['split']['how']}; {held_out['integer_model']['rows']} rows judged"
    table = _table(title, "who decides", "accuracy", "macro-F1", numbers=(1, 2))
    for key in ("float_reference", "float_forest", "integer_model"):
        row = held_out[key]
        table.add_row(row["what"], percent(row["accuracy"]), percent(row["macro_f1"]))
    trusted = held_out["integer_model"]["trusted"]
    table.add_row(
        f"  of these, the {percent(trusted['share'])} it trusts",
        percent(trusted["accuracy"]),
        percent(trusted["macro_f1"]),
    )
    agreement = card["agreement"]
    table.caption_justify = "left"
    table.caption = (
        f"agreement with scikit-learn on {agreement['rows']} rows: {percent(agreement['with_scikit_learn_votes'])} "
        f"with its trees' votes, {percent(agreement['with_scikit_learn_predict'])} with its predict()"
    )
    return table


def demo_table(card: dict[str, Any], rule: Any, size: int, heap: int) -> Table:
    """Return the demo's result: the model against the float reference and the rule of thumb."""
    held_out = card["held_out"]
    ours = held_out["integer_model"]
    title = f"hazard of the next 6 hours, {card['split']['how']}: {ours['rows']} hours judged"
    table = _table(title, "who decides", "accuracy", "macro-F1", numbers=(1, 2))
    table.add_row("persistence: the next 6 hours are like now", percent(rule.accuracy), percent(rule.macro_f1))
    reference = held_out["float_reference"]
    table.add_row(
        "float forest of 100 full trees, on a PC", percent(reference["accuracy"]), percent(reference["macro_f1"])
    )
    table.add_row(f"the node: integers, {size} bytes", percent(ours["accuracy"]), percent(ours["macro_f1"]))
    trusted = ours["trusted"]
    table.add_row(
        f"  when it is sure ({percent(trusted['share'])} of hours)",
        percent(trusted["accuracy"]),
        percent(trusted["macro_f1"]),
    )
    flags = ", ".join(f"{count} {name}" for name, count in ours["flags"].items())
    ahead = 100 * (ours["accuracy"] - rule.accuracy), 100 * (ours["macro_f1"] - rule.macro_f1)
    table.caption_justify = "left"
    table.caption = (
        f"ahead of persistence by {ahead[0]:+.1f} and {ahead[1]:+.1f} points; flagged: {flags}; "
        f"heap of the loaded model: {heap} bytes (32-bit VM, garbage of loading included)"
    )
    return table


def evaluation_tables(result: dict[str, Any]) -> list[Table]:
    """Return accuracy and macro-F1, each class, and the confusion matrix."""
    flags = ", ".join(f"{count} {name}" for name, count in result["flags"].items())
    head = _table(f"{result['rows']} rows decided; flagged: {flags}", "", "accuracy", "macro-F1", numbers=(1, 2))
    trusted = result["trusted"]
    head.add_row("all decided rows", percent(result["accuracy"]), percent(result["macro_f1"]))
    head.add_row(
        f"the {percent(trusted['share'])} without a flag", percent(trusted["accuracy"]), percent(trusted["macro_f1"])
    )
    labels = result["labels"]
    classes = _table("classes", "class", "rows", "recall", "precision", numbers=(1, 2, 3))
    for name, row in result["classes"].items():
        classes.add_row(Text(name), str(row["rows"]), percent(row["recall"]), percent(row["precision"]))
    confusion = _table("a row a true class, a column a decided one", "", *labels, numbers=range(1, len(labels) + 1))
    for name, counts in zip(labels, result["confusion"], strict=False):
        confusion.add_row(Text(name), *map(str, counts))
    return [head, classes, confusion]


def agreement_table(found: Sequence[Agreement]) -> Table:
    """Return what each VM computed, compared with the host."""
    table = _table(
        "the same decisions on every VM",
        "VM",
        "rows equal",
        "golden",
        "instructions a prediction",
        "note",
        numbers=(1, 2, 3),
    )
    for a in found:
        table.add_row(
            Text(a.vm),
            f"{a.equal} of {a.rows}" if a.rows else "-",
            "-" if a.golden is None else str(a.golden),
            "-" if a.instructions is None else f"{a.instructions:,}",
            Text(a.note or ("differs" if a.problem else "")),
        )
    return table


def inspection_tables(content: dict[str, Any]) -> list[Table]:
    """Return a model file's content for people."""
    head = _table(f"{content['name']}: {content['bytes']} bytes", "what", "value")
    for key in ("format", "family", "classes", "interval_s", "trees", "pages", "splits", "table_bytes"):
        value = content[key]
        if isinstance(value, list):
            value = ", ".join(value)
        if isinstance(value, dict):
            value = ", ".join(f"{v} {k}" for k, v in value.items())
        head.add_row(key.replace("_", " "), Text("-" if value is None else str(value)))
    head.add_row("unsure", f"when the winner leads by less than {content['unsure_below']} votes")
    head.add_row("hysteresis", f"{content['hysteresis']} trusted decisions in a row change the held class")
    head.add_row("golden vectors", f"{content['golden_vectors']}, replayed just now: all agree")
    channels = _table("channels", "name", "unit", "one step", "valid range")
    for c in content["channels"]:
        channels.add_row(Text(c["name"]), Text(c["unit"] or "-"), f"{c['resolution']:g}", Text(c["range"]))
    features = _table("features", "channel", "feature", "readings", "thresholds", numbers=(2, 3))
    for f in content["features"]:
        features.add_row(Text(f["channel"]), f["feature"], str(f["readings"]), str(f["thresholds"]))
    return [head, channels, features]


def plot_confusion(result: dict[str, Any], path: Path) -> None:
    """Write the confusion matrix as a PNG, each row in shares of its true class."""
    import matplotlib

    matplotlib.use("Agg")
    import numpy as np
    from matplotlib import pyplot

    labels, counts = result["labels"], np.array(result["confusion"], dtype=float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = 2.2 + 0.55 * len(labels)
    figure, axes = pyplot.subplots(figsize=(size + 0.6, size), layout="constrained")
    axes.imshow(shares, cmap="Greens", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("decided")
    axes.set_ylabel("true")
    axes.set_title(f"accuracy {percent(result['accuracy'])}, macro-F1 {percent(result['macro_f1'])}", fontsize=10)
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 0.6 else "black"
        axes.text(column, row, f"{counts[row, column]:.0f}", ha="center", va="center", color=colour, fontsize=8)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=130)
    pyplot.close(figure)
    write_atomically(path, picture.getvalue())
