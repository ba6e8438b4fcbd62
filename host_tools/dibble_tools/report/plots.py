"""The pictures of a model: how it was made, how good it is, what it looks at.

Every `draw_` function takes a card (card.json) and a theme; it returns None where the card has nothing to show.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dibble_tools.common.files import write_atomically
from dibble_tools.common.formatting import is_number, percent
from dibble_tools.report.plot_style import (
    DASHED,
    LIGHT,
    LINES,
    MARKERS,
    WIDTH,
    Draw,
    Drawing,
    Picture,
    Theme,
    blank,
    in_counts,
    in_percent,
    key,
    legend_below,
    name_rows,
    picture,
    render,
    short,
    up_to_all,
)

MOST_BARS = 15
MOST_SHAPES = 12


def pictures(card: Mapping[str, Any]) -> dict[str, Picture]:
    """Return the pictures that the card has figures for, by name."""
    drawn = {name: picture(draw, card) for name, draw in DRAWINGS.items()}
    return {name: found for name, found in drawn.items() if found}


def plot_confusion(result: Mapping[str, Any], path: Path) -> None:
    """Write the confusion matrix of an evaluation (metrics.evaluation) as a PNG."""
    drawn = render(draw_confusion, {"held_out": {"integer_model": result}}, LIGHT)
    if drawn:
        write_atomically(path, drawn[0])


def draw_confusion(card: Mapping[str, Any], theme: Theme) -> Drawing | None:
    """Draw how often each true class (row) was decided as each class (column), shaded by the row's share."""
    result = (card.get("held_out") or {}).get("integer_model") or {}
    labels, counts = result.get("labels"), np.array(result.get("confusion") or [], dtype=float)
    if not labels or not counts.sum():
        return None
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [short(name, 16) for name in labels]
    name_inches = 0.075 * max(map(len, names))
    cell = min(0.6, (WIDTH - 0.5 - name_inches) / len(labels))
    figure, axes = blank(0.6 + 0.64 * name_inches + cell * len(labels))
    axes.imshow(shares, cmap=LinearSegmentedColormap.from_list("", [theme.back, theme.series[0]]), vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(labels)), names)
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("decided")
    axes.set_ylabel("true")
    size = min(9.0, 100 * cell / len(f"{counts.max():.0f}"))
    strong = "#ffffff" if theme is LIGHT else "#101311"
    for (row, column), share in np.ndenumerate(shares):
        if counts[row, column]:
            colour = strong if share > 0.65 else theme.ink
            text = f"{counts[row, column]:.0f}"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
    rows, right = int(counts.sum()), int(np.trace(counts))
    return Drawing(figure, f"Confusion matrix of {len(labels)} classes: {right} of {rows} rows are on the diagonal.")


def draw_coverage(card: Mapping[str, Any], theme: Theme) -> Drawing | None:
    """Draw how right the decisions are that keep at least a margin, against how many those are."""
    figured = [r for r in card.get("coverage") or [] if is_number(r.get("coverage")) and is_number(r.get("accuracy"))]
    rows = sorted(figured, key=lambda row: row["coverage"])
    if len(rows) < 2:
        return None
    figure, axes = blank(3.0)
    colour = theme.series[0]
    axes.plot([r["coverage"] for r in rows], [r["accuracy"] for r in rows], "o-", color=colour, markersize=4)
    alt = f"Accuracy against the share of decisions kept, for {len(rows)} margins."
    at = _at_the_margin_in_use(card.get("unsure") or {}, rows)
    if at:
        text = f"{percent(at[0])} are sure, {percent(at[1])} of these right"
        axes.plot(*at, "o", color="none", markeredgecolor=theme.series[1], markersize=11, markeredgewidth=2)
        axes.set_title(f"margin in use: {text}", fontsize=9, color=theme.series[1], loc="left")
        alt += f" At the margin in use {text}."
    axes.set_xlim(0, 1.03)
    axes.margins(y=0.15)
    up_to_all(axes, "y")
    axes.set_xlabel("decisions it calls sure")
    axes.set_ylabel("of these right")
    in_percent(axes.xaxis)
    in_percent(axes.yaxis)
    return Drawing(figure, alt)


def _at_the_margin_in_use(unsure: Mapping[str, Any], rows: list[Mapping[str, Any]]) -> tuple[float, float] | None:
    """Return coverage and accuracy at the threshold, between the two margins beside it; None without a threshold."""
    threshold = unsure.get("below_margin")
    if not is_number(threshold):
        return None
    margin = threshold / (unsure.get("margin_unit") or 1)
    rising = sorted((row for row in rows if is_number(row.get("margin"))), key=lambda row: row["margin"])
    margins = [row["margin"] for row in rising]
    coverage, accuracy = (float(np.interp(margin, margins, [r[k] for r in rising])) for k in ("coverage", "accuracy"))
    return coverage, accuracy


def draw_importance(card: Mapping[str, Any], theme: Theme) -> Drawing | None:
    """Draw the accuracy lost when a channel's readings are shuffled, the weightiest channels only."""
    found = [row for row in card.get("importance") or [] if is_number(row.get("drop"))]
    rows = sorted(found, key=lambda row: -row["drop"])[:MOST_BARS]
    if not any(round(100 * row["drop"], 1) for row in rows):
        return None
    figure, axes = blank(0.8 + 0.28 * len(rows))
    axes.barh(range(len(rows)), [100 * row["drop"] for row in rows], height=0.6, color=theme.series[0])
    axes.axvline(0, color=theme.quiet, linewidth=1)
    name_rows(axes, [row["channel"] for row in rows])
    axes.grid(False, axis="y")
    axes.set_xlabel("points of accuracy lost when shuffled")
    top = ", ".join(f"{row['channel']} {100 * row['drop']:.1f}" for row in rows[:3])
    return Drawing(figure, f"Points of accuracy lost when a channel is shuffled, {len(rows)} channels; first {top}.")


def draw_shortcut(card: Mapping[str, Any], theme: Theme) -> Drawing | None:
    """Draw the accuracy of models trained without a channel, and with it alone."""
    kinds = (("without_channel", "trained without it", "o"), ("only_channel", "trained on it alone", "D"))
    found = {
        kind: {r["channel"]: r["accuracy"] for r in card.get(kind) or [] if is_number(r.get("accuracy"))}
        for kind, _, _ in kinds
    }
    without, alone = found.values()
    names = sorted(without | alone, key=lambda name: (without.get(name, 1.0), -alone.get(name, 0.0)))[:MOST_BARS]
    if not names:
        return None
    figure, axes = blank(1.1 + 0.28 * len(names))
    for number, (kind, label, marker) in enumerate(kinds):
        at = [(found[kind][name], row) for row, name in enumerate(names) if name in found[kind]]
        if at:
            x, y = zip(*at, strict=True)
            face = theme.series[0] if number == 0 else theme.back
            edge = theme.series[number]
            axes.scatter(x, y, s=36, marker=marker, facecolors=face, edgecolors=edge, label=label, zorder=3)
    full = ((card.get("held_out") or {}).get("integer_model") or {}).get("accuracy")
    if is_number(full):
        axes.axvline(full, color=theme.quiet, linestyle=DASHED, linewidth=1.2, label="this model")
    name_rows(axes, list(names))
    axes.margins(x=0.08)
    up_to_all(axes, "x")
    axes.set_xlabel("accuracy")
    in_percent(axes.xaxis)
    legend_below(figure, 3)
    return Drawing(figure, f"Accuracy of models trained without a channel and on it alone, {len(names)} channels.")


def draw_shapes(card: Mapping[str, Any], theme: Theme) -> Drawing | None:
    """Draw what each feature adds to the classes' scores, the features that sway them most only."""
    found = [shape for shape in card.get("shapes") or [] if shape.get("values") and shape.get("scores")]
    shapes = sorted(found, key=lambda shape: -_sway(shape))[:MOST_SHAPES]
    if not shapes or not _sway(shapes[0]):
        return None
    classes = list(dict.fromkeys(name for shape in found for name in shape["scores"]))
    columns = min(2, len(shapes))
    lines = -(-len(shapes) // columns)
    legend_columns = 3 if max(map(len, classes)) < 13 else 2
    height = 0.35 + 1.6 * lines + 0.2 * -(-len(classes) // legend_columns)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    grid = figure.subplots(lines, columns, sharey=True, squeeze=False)
    for axes, shape in zip(grid.flat, shapes, strict=False):
        for number, name in enumerate(classes):
            if name in shape["scores"]:
                colour, line = theme.series[number % len(theme.series)], LINES[number // len(theme.series) % len(LINES)]
                y = shape["scores"][name]
                axes.step(shape["values"], y, where="mid", color=colour, linestyle=line, linewidth=1.5, label=key(name))
        axes.axhline(0, color=theme.quiet, linewidth=0.8, zorder=1)
        axes.set_title(short(shape["channel"], 28), fontsize=9)
        below = " ".join(filter(None, (shape.get("feature"), shape.get("unit"))))
        axes.set_xlabel(short(below), fontsize=8, labelpad=1)
        axes.tick_params(labelsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(4))
    for axes in grid.flat[len(shapes) :]:
        axes.set_visible(False)
    figure.supylabel("added to the score (nats)", fontsize=9)
    handles = {text: line for axes in grid.flat for line, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=legend_columns)
    return Drawing(figure, f"What {len(shapes)} features add to the scores of {len(classes)} classes, as step curves.")


def _sway(shape: Mapping[str, Any]) -> float:
    return max((max(scores) - min(scores) for scores in shape["scores"].values() if scores), default=0.0)


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
    up_to_all(axes, "x")
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
    up_to_all(axes, "y")
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
    up_to_all(axes, "y")
    axes.set_xlabel("rows to learn from")
    axes.set_ylabel("accuracy")
    in_counts(axes.xaxis)
    in_percent(axes.yaxis)
    legend_below(figure, 2)
    ends = [f"{percent(row['accuracy'])} after {row['rows']:,} rows" for row in (rows[0], rows[-1])]
    return Drawing(figure, f"Accuracy on new rows: {ends[0]}, {ends[1]}.")


def draw_number(card: Mapping[str, Any], theme: Theme) -> Drawing | None:
    """Draw the numbers told against the true ones, and the band that most of them are to lie in."""
    number = card.get("number") or {}
    pairs = [pair for pair in number.get("pairs") or [] if all(map(is_number, pair))]
    if len(pairs) < 2:
        return None
    figure, axes = blank(4.2)
    true, said = np.array(pairs).T
    ends = np.array([min(true.min(), said.min()), max(true.max(), said.max())])
    spread = number.get("spread") or 0
    axes.fill_between(ends, ends - spread, ends + spread, color=theme.grid, label=f"± {spread:.3g}")
    axes.plot(ends, ends, color=theme.quiet, linewidth=1, linestyle=DASHED)
    axes.scatter(true, said, s=9, color=theme.series[0], alpha=0.5, linewidths=0, zorder=3, label="a reading held out")
    unit = f", {number['unit']}" if number.get("unit") else ""
    axes.set_xlabel(f"true {number.get('name')}{unit}")
    axes.set_ylabel("told")
    legend_below(figure, 2)
    mae = (number.get("held_out") or {}).get("mae")
    off = f", off by {mae:.3g} on average" if is_number(mae) else ""
    return Drawing(figure, f"The number told against the true one, of {len(pairs)} readings held out{off}.")


def draw_spectrograms(card: Mapping[str, Any], theme: Theme) -> Drawing | None:
    """Draw sounds that are taken for each other: levels of bands over time, one that is known, one that isn't."""
    told = (card.get("sound") or {}).get("spectrograms") or []
    if not told:
        return None
    figure = Figure(figsize=(WIDTH, 2.2), layout="constrained")
    codes = [np.array([list(bytes.fromhex(row)) for row in each["rows"]]).T for each in told]
    ends = min(map(np.min, codes)), max(map(np.max, codes))
    shades = LinearSegmentedColormap.from_list("", [theme.back, theme.series[0]])
    for i, (each, own) in enumerate(zip(told, codes, strict=True)):
        axes = figure.add_subplot(1, len(told), i + 1)
        axes.imshow(own, cmap=shades, vmin=ends[0], vmax=ends[1], origin="lower", aspect="auto")
        axes.set_title(short(each["name"], 30), fontsize=9, color=theme.ink)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.grid(False)
    figure.supxlabel("time", fontsize=9)
    figure.supylabel("pitch", fontsize=9)
    return Drawing(figure, "Levels of bands over time: " + "; ".join(str(each["name"]) for each in told) + ".")


DRAWINGS: dict[str, Draw] = {
    "number": draw_number,
    "spectrograms": draw_spectrograms,
    "confusion": draw_confusion,
    "coverage": draw_coverage,
    "importance": draw_importance,
    "shortcut": draw_shortcut,
    "shapes": draw_shapes,
    "learning": draw_learning,
    "stages": draw_stages,
    "front": draw_front,
}
