"""The pictures of how a model came about: its stages, its rivals, the rows it learned from."""

from collections.abc import Mapping
from typing import Any

from dibble_tools.common.formatting import is_number, percent
from dibble_tools.report.plot_style import (
    DASHED,
    MARKERS,
    Drawing,
    Theme,
    blank,
    in_counts,
    in_percent,
    key,
    legend_below,
    name_rows,
)


def draw_stages(card: Mapping[str, Any], theme: Theme) -> Drawing | None:
    """Draw accuracy and macro-F1 from the teacher to the packed model, the bytes beside them."""
    stages = [stage for stage in card.get("stages") or [] if is_number(stage.get("accuracy"))]
    if not stages:
        return None
    figure, axes = blank(1.2 + 0.34 * len(stages))
    series = (("accuracy", "accuracy", "o", theme.series[0]), ("macro_f1", "macro-F1", "D", theme.back))
    for number, (name, label, marker, face) in enumerate(series):
        at = [(stage[name], row) for row, stage in enumerate(stages) if is_number(stage.get(name))]
        if at:
            x, y = zip(*at, strict=True)
            edge = theme.series[number]
            axes.plot(x, y, color=edge, linewidth=1, alpha=0.5)
            axes.scatter(x, y, s=40, marker=marker, facecolors=face, edgecolors=edge, label=label, zorder=3)
    for row, stage in enumerate(stages):
        if is_number(stage.get("bytes")):
            text = f"{stage['bytes']:,} B"
            axes.text(1.03, row, text, transform=axes.get_yaxis_transform(), va="center", fontsize=9)
    name_rows(axes, [stage.get("stage") for stage in stages])
    axes.margins(x=0.12)
    axes.set_xlabel("on held-out rows")
    in_percent(axes.xaxis)
    legend_below(figure, 2)
    first, last = stages[0], stages[-1]
    ends = [f"{stage.get('stage')} {percent(stage['accuracy'])}" for stage in (first, last)]
    return Drawing(figure, f"Accuracy of {len(stages)} stages, from {ends[0]} to {ends[1]}.")


def draw_front(card: Mapping[str, Any], theme: Theme) -> Drawing | None:
    """Draw every candidate's accuracy against its bytes; the front, the limit and the chosen one marked."""
    rows = [
        row
        for row in card.get("front") or []
        if is_number(row.get("accuracy")) and is_number(row.get("bytes")) and row["bytes"] > 0
    ]
    if not rows:
        return None
    figure, axes = blank(3.5)
    families = list(dict.fromkeys(str(row.get("family")) for row in rows))
    for number, family in enumerate(families):
        colour, marker = theme.series[number % len(theme.series)], MARKERS[number % len(MARKERS)]
        own = [row for row in rows if str(row.get("family")) == family]
        faces = [theme.back if row.get("fits") is False else colour for row in own]
        x, y = [row["bytes"] for row in own], [row["accuracy"] for row in own]
        axes.scatter(x, y, s=34, marker=marker, facecolors=faces, edgecolors=colour, zorder=3)
        axes.scatter([], [], s=34, marker=marker, color=colour, label=key(family))
    best = sorted((row["bytes"], row["accuracy"]) for row in rows if row.get("on_front"))
    if len(best) > 1:
        axes.plot(*zip(*best, strict=True), color=theme.quiet, linestyle=":", linewidth=1.2, label="front")
    chosen = next((row for row in rows if row.get("chosen")), None)
    alt = f"Accuracy against bytes of {len(rows)} candidates of {len(families)} families."
    if chosen:
        at = [chosen["bytes"]], [chosen["accuracy"]]
        axes.scatter(*at, s=150, facecolors="none", edgecolors=theme.ink, linewidths=1.8, zorder=4, label="chosen")
        alt += f" Chosen: {chosen.get('family')}, {chosen['bytes']:,} bytes, {percent(chosen['accuracy'])}."
    if any(row.get("fits") is False for row in rows):
        axes.scatter([], [], s=34, facecolors=theme.back, edgecolors=theme.quiet, label="hollow: does not fit")
    limit = (card.get("limits") or {}).get("max_bytes")
    sizes = [row["bytes"] for row in rows]
    if is_number(limit) and limit > 0:
        sizes.append(limit)
        axes.axvline(limit, color=theme.ink, linestyle=DASHED, linewidth=1.4, label=f"limit {limit:,} B")
    axes.set_xscale("log")
    axes.set_xlim(min(sizes) / 1.5, max(sizes) * 1.5)
    axes.margins(y=0.12)
    axes.set_xlabel("bytes of the model")
    axes.set_ylabel("accuracy, cross-validated")
    in_counts(axes.xaxis)
    in_percent(axes.yaxis)
    legend_below(figure, 3)
    return Drawing(figure, alt)


def draw_learning(card: Mapping[str, Any], theme: Theme) -> Drawing | None:
    """Draw accuracy against the number of rows learned from."""
    found = [row for row in card.get("learning_curve") or [] if is_number(row.get("rows")) and row["rows"] > 0]
    rows = sorted((row for row in found if is_number(row.get("accuracy"))), key=lambda row: row["rows"])
    if len(rows) < 2:
        return None
    figure, axes = blank(3.1)
    series = (("train_accuracy", "rows it learned from", "D", theme.back), ("accuracy", "new rows", "o", None))
    for number, (name, label, marker, face) in enumerate(series):
        at = [(row["rows"], row[name]) for row in rows if is_number(row.get(name))]
        if at:
            colour = theme.series[1 - number]
            x, y = zip(*at, strict=True)
            axes.plot(x, y, DASHED if face else "-", color=colour)
            axes.scatter(x, y, s=30, marker=marker, facecolors=face or colour, edgecolors=colour, label=label, zorder=3)
    axes.set_xscale("log")
    axes.set_xlim(rows[0]["rows"] / 1.3, rows[-1]["rows"] * 1.3)
    axes.margins(y=0.15)
    axes.set_xlabel("rows to learn from")
    axes.set_ylabel("accuracy")
    in_counts(axes.xaxis)
    in_percent(axes.yaxis)
    legend_below(figure, 2)
    ends = [f"{percent(row['accuracy'])} after {row['rows']:,} rows" for row in (rows[0], rows[-1])]
    return Drawing(figure, f"Accuracy on new rows: {ends[0]}, {ends[1]}.")
