"""A season as a picture: what the field was like, what the node held it for, when it watered, what it used."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dibble_tools.report.plot_style import LIGHT
from dibble_tools.simulator.season import Season

DAY_ZERO = datetime(2000, 1, 1, tzinfo=UTC)
WIDTH, HEIGHT = 11.0, 8.5
COLOURS = {"ok": "#d7ddd9", "irrigate": "#0072b2", "frost": "#56b4e9", "wind": "#c98a00", "ripening": "#d55e00"}


def plot_season(season: Season, path: Path, title: str) -> None:
    """Write a PNG: readings over time, the true state above the held one and the unsure ones, waterings, charge."""
    truth = season.truth
    times = [DAY_ZERO + timedelta(seconds=moment.at_s) for moment in truth]
    rows = (
        ("air\n°C", [t.air_temperature_c for t in truth], LIGHT.series[1]),
        ("wind\nm/s", [t.wind_speed_m_s for t in truth], LIGHT.series[4]),
        ("soil\n‰", [t.soil_moisture_permille for t in truth], LIGHT.series[0]),
        ("ethylene\nppb", [max(1.0, t.ethylene_ppb) for t in truth], LIGHT.series[3]),
    )
    with matplotlib.rc_context({"font.size": 9}):
        figure = Figure(figsize=(WIDTH, HEIGHT))
        axes = figure.subplots(len(rows) + 2, 1, sharex=True, height_ratios=[2, 1.4, 2, 1.4, 1.5, 1.2])
        for axis, (name, values, colour) in zip(axes[:4], rows, strict=True):
            axis.plot(times, values, color=colour, linewidth=0.7)
            axis.set_ylabel(name, rotation=0, ha="right", va="center")
        axes[0].axhline(0, color=LIGHT.quiet, linewidth=0.5)
        axes[3].set_yscale("log")
        for watering in season.waterings:
            axes[2].axvline(
                DAY_ZERO + timedelta(seconds=watering.at_s), color=LIGHT.series[2], linewidth=0.6, alpha=0.6
            )
        _states(axes[4], season)
        axes[5].plot(times, [t.used_mah for t in truth], color=LIGHT.ink, linewidth=0.9)
        axes[5].set_ylabel("used\nmAh", rotation=0, ha="right", va="center")
        for axis in axes:
            axis.spines[["top", "right"]].set_visible(False)
            axis.grid(axis="x", color=LIGHT.grid, linewidth=0.5)
        locator = AutoDateLocator(maxticks=9)
        axes[-1].xaxis.set_major_locator(locator)
        axes[-1].xaxis.set_major_formatter(ConciseDateFormatter(locator))
        figure.suptitle(title, x=0.02, ha="left", fontsize=11)
        handles = [Patch(color=colour, label=name) for name, colour in COLOURS.items()]
        handles.append(Patch(color=LIGHT.ink, label="unsure, or a sensor's fault"))
        handles.append(Patch(color=LIGHT.series[2], label="valve opened (line in soil)"))
        figure.legend(handles=handles, loc="upper right", ncols=3, frameon=False, fontsize=8)
        figure.tight_layout(rect=(0, 0, 1, 0.95))
        figure.savefig(path, dpi=130)


def _states(axis: Axes, season: Season) -> None:
    """Draw three bands: the truth, what the node held (white: nothing), and where it said that it didn't know."""
    names = list(COLOURS)
    unsure = len(names) + 1
    palette = ListedColormap([(1, 1, 1), *(to_rgb(colour) for colour in COLOURS.values()), to_rgb(LIGHT.ink)])
    moments = season.moments
    if moments:
        start, end = moments[0].at_s, moments[-1].at_s
        grid = np.linspace(start, end, 3000)
        at = np.searchsorted([m.at_s for m in moments], grid, side="right") - 1
        bands = [
            [unsure * (m.line.flags > 0) for m in moments],
            [names.index(m.line.held) + 1 if m.line.held in names else 0 for m in moments],
            [names.index(m.state) + 1 for m in moments],
        ]
        image = np.array(bands)[:, np.clip(at, 0, len(moments) - 1)]
        left, right = (float(date2num(DAY_ZERO + timedelta(seconds=s))) for s in (start, end))
        axis.imshow(
            image,
            aspect="auto",
            cmap=palette,
            vmin=0,
            vmax=unsure,
            interpolation="nearest",
            origin="lower",
            extent=(left, right, 0, 3),
        )
    axis.set_yticks([0.5, 1.5, 2.5], ["unsure", "node", "truth"])
